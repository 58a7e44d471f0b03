#include "tests/fuzz/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

void
must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz target: %s\n", what);
    abort();
}

void
scratch_clear(void)
{
    DIR *files = folder[0] ? opendir(folder) : NULL;

    for (struct dirent *entry; files && (entry = readdir(files)) != NULL;) {
        if (entry->d_name[0] != '.' || entry->d_type == DT_REG)
            unlink(scratch_path(entry->d_name));
    }
    if (files)
        closedir(files);
}

static void
at_exit(void)
{
    scratch_clear();
    rmdir(folder);
}

const char *
scratch_folder(void)
{
    if (!folder[0]) {
        snprintf(folder, sizeof(folder), "%s/hf-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        must(mkdtemp(folder) != NULL, "no folder");
        atexit(at_exit);
    }
    return folder;
}

const char *
scratch_path(const char *name)
{
    static char path[512];

    must(snprintf(path, sizeof(path), "%s/%s", scratch_folder(), name) < (int)sizeof(path),
         "a name that is too long");
    return path;
}

void
scratch_put(const char *name, const void *bytes, size_t size)
{
    int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && (size == 0 || write(fd, bytes, size) == (ssize_t)size) && close(fd) == 0,
         "a file cannot be written");
}
