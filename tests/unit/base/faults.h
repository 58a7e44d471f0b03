/* Faults for the fs interposer: the n-th call fails, or every call from the n-th on; each transfer
 * is cut short; and a list of the calls that were let through. */
#ifndef HOLDFAST_TESTS_BASE_FAULTS_H
#define HOLDFAST_TESTS_BASE_FAULTS_H

#include "agent/base/base_impl.h"
#include "tests/support/test.h"

#include <dirent.h>

#define FAULTS_CALLS_MAX 256

struct faults {
    int fail_at; /* counted from 1; 0 never */
    bool for_ever;
    const char *only; /* counts only calls of this name */
    int failure;
    size_t longest; /* of a transfer; 0 for any length */
    int count;
    int recorded;
    char calls[FAULTS_CALLS_MAX][300]; /* "fsync /tmp/x" */
};

static inline int
faults_interpose(void *context, struct hf_fs_call *call)
{
    struct faults *faults = context;
    char name[256];

    if (faults->only && strcmp(call->name, faults->only) != 0)
        return 0;
    faults->count++;
    if (faults->fail_at &&
        (faults->count == faults->fail_at || (faults->for_ever && faults->count > faults->fail_at)))
        return faults->failure;
    bool transfer = strstr(call->name, "read") || strstr(call->name, "write");
    if (transfer && faults->longest && call->size > faults->longest)
        call->size = faults->longest;
    if (faults->recorded < FAULTS_CALLS_MAX) {
        if (!call->path)
            hf_fs_name_of(call->fd, name, sizeof(name));
        snprintf(faults->calls[faults->recorded++], sizeof(faults->calls[0]), "%s %s", call->name,
                 call->path ? call->path : name);
    }
    return 0;
}

static inline void
faults_begin(struct faults *faults)
{
    faults->count = 0;
    faults->recorded = 0;
    hf_fs_interpose(faults_interpose, faults);
}

static inline void
faults_end(void)
{
    hf_fs_interpose(NULL, NULL);
}

/* The place in the list of this call at or after `from`, or -1. */
static inline int
faults_find(const struct faults *faults, int from, const char *wanted)
{
    for (int i = from; i < faults->recorded; i++)
        if (strcmp(faults->calls[i], wanted) == 0)
            return i;
    return -1;
}

static inline int
count_entries(const char *directory)
{
    int count = 0;
    DIR *stream = opendir(directory);

    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2;
}

static inline int
count_open_descriptors(void)
{
    return count_entries("/proc/self/fd");
}

static inline void
write_plainly(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* At most 1023 bytes. */
static inline const char *
read_plainly(const char *path)
{
    static char text[1024];
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[size] = '\0';
    return text;
}

#endif
