#include "tests/rig/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <holdfast/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const stage_trails[2] = { "plain", "sealed" };

void
stage_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- folders ---- */

#define MARK "hf-rig-"

void
stage_base(char ret_folder[128])
{
    const char *parent = getenv("TMPDIR");
    struct statvfs space;
    if (!parent || parent[0] != '/')
        parent = "/tmp";
    if (statvfs("/dev/shm", &space) == 0 && space.f_bavail * space.f_frsize > (1ull << 30))
        parent = "/dev/shm";
    snprintf(ret_folder, 128, "%s/" MARK "XXXXXX", parent);
    if (!mkdtemp(ret_folder))
        stage_die("no folder '%s': %m", ret_folder);
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

void
stage_remove(const char *folder)
{
    if (!strstr(folder, "/" MARK))
        stage_die("'%s' is no folder of a test's", folder);
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        stage_die("removing '%s': %m", folder);
}

void
stage_path(const struct stage *stage, const char *name, char ret_path[HF_PATH_MAX])
{
    hf_path_join(ret_path, HF_PATH_MAX, stage->folder, name);
}

static void
run_tool(const char *const argv[])
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
        stage_die("'%s' failed", argv[0]);
}

void
stage_copy_tree(const char *from, const char *to)
{
    const char *const argv[] = { "cp", "-a", "--sparse=always", from, to, NULL };
    run_tool(argv);
}

void
stage_share(const char *folder)
{
    char key[HF_PATH_MAX], ops_key[HF_PATH_MAX], ops_pem[HF_PATH_MAX];
    struct hf_error err;
    hf_path_join(key, sizeof(key), folder, "digest.key");
    hf_path_join(ops_key, sizeof(ops_key), folder, "ops.key");
    hf_path_join(ops_pem, sizeof(ops_pem), folder, "ops.pem");
    if (hf_fs_mkdirs(folder, 0700, &err) != HF_OK || hf_signer_create(key, 2048, &err) != HF_OK)
        stage_die("%s", err.text);
    const char *const argv[] = {
        "openssl", "req",   "-x509", "-newkey", "ec",      "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",  "-days", "3",     "-subj",   "/CN=ops", "-keyout",  ops_key,
        "-out",    ops_pem, NULL
    };
    run_tool(argv);
    char pub[HF_PATH_MAX];
    hf_path_join(pub, sizeof(pub), folder, "digest.key.pub");
    const char *const public_key[] = {
        "openssl", "pkey", "-in", key, "-pubout", "-out", pub, NULL
    };
    run_tool(public_key);
}

/* ---- configuration ---- */

static const char configuration[] =
    "agent: { state_dir: state, host: rig, sealers: 1, journal: { segment_bytes: 4MiB, max_bytes: "
    "16MiB } }\n"
    "stores: [ { name: here, url: \"dir://%s/root\" } ]\n"
    "sources:\n"
    "  - { name: file, type: file, path: \"%s/app.jsonl*\", start: beginning }\n"
    "  - { name: stream, type: socket, path: in.sock }\n"
    "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } } ]\n"
    "trails:\n"
    "  - { name: plain, bucket: evidence, prefix: plain, window: { seconds: %s, max_bytes: %s }, "
    "encryption: none,\n"
    "      digest: { key_file: %s/digest.key } }\n"
    "  - { name: sealed, bucket: evidence, prefix: sealed, window: { seconds: 3600, max_bytes: "
    "64KiB },\n"
    "      encryption: { type: cms, recipients: [%s/ops.pem] }, digest: { key_file: %s/digest.key "
    "} }\n";

void
stage_configure(struct stage *stage, bool changed)
{
    char path[HF_PATH_MAX], *text;
    struct hf_error err;
    stage_path(stage, "holdfast.yaml", path);
    text = hf_asprintf(configuration, stage->folder, stage->logs, changed ? "1800" : "3600",
                       changed ? "128KiB" : "64KiB", stage->shared, stage->shared, stage->shared);
    if (hf_fs_replace(path, text, strlen(text), 0600, &err) != HF_OK)
        stage_die("%s", err.text);
    hf_freep(&text);
    stage->changed = changed;
}

void
stage_make(struct stage *stage, const char *folder, const char *shared, const char *logs)
{
    static const char *const folders[] = { "root/evidence", "log", "state" };
    struct hf_error err;
    char path[HF_PATH_MAX];
    *stage = (struct stage){ .changed = false };
    snprintf(stage->folder, sizeof(stage->folder), "%s", folder);
    snprintf(stage->shared, sizeof(stage->shared), "%s", shared);
    snprintf(stage->logs, sizeof(stage->logs), "%s%s", logs ? logs : folder, logs ? "" : "/log");
    stage_remove(folder);
    for (size_t i = 0; i < HF_COUNT(folders); i++) {
        stage_path(stage, folders[i], path);
        if (hf_fs_mkdirs(path, 0700, &err) != HF_OK)
            stage_die("%s", err.text);
    }
    stage_configure(stage, false);
}

/* ---- lines ---- */

/* Every third one is no JSON. The padding differs from line to line in length and content, so
 * that a changed byte shows. */
void
stage_line(int way, unsigned number, struct hf_buf *ret_line)
{
    char text[2048];
    uint32_t random = number * 2654435761u + (unsigned)way;
    size_t size = (size_t)snprintf(text, sizeof(text),
                                   number % 3 ? "{\"id\":\"hf#%c%06u#" : "text hf#%c%06u#",
                                   "fs"[way], number);
    for (unsigned i = 0, most = number * 37 % 900; i < most; i++) {
        random = random * 1664525u + 1013904223u;
        text[size++] = "0123456789abcdef"[random >> 28];
    }
    size += (size_t)snprintf(text + size, sizeof(text) - size, number % 3 ? "#\"}\n" : "#\n");
    if (hf_buf_add(ret_line, text, size) != HF_OK)
        stage_die("no room for a line");
}

static void
log_path(const struct stage *stage, const char *name, char ret_path[HF_PATH_MAX])
{
    hf_path_join(ret_path, HF_PATH_MAX, stage->logs, name);
}

void
stage_write_file(const struct stage *stage, unsigned first, unsigned end)
{
    char path[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf lines = HF_BUF(1u << 20);
    hf_owned(hf_fs_close) int fd = -1;
    struct hf_error err;
    for (unsigned i = first; i < end; i++)
        stage_line(WAY_FILE, i, &lines);
    log_path(stage, "app.jsonl", path);
    if (hf_fs_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600, &fd, &err) != HF_OK ||
        hf_fs_write(fd, lines.ptr, lines.size, &err) != HF_OK)
        stage_die("%s", err.text);
}

void
stage_rotate(const struct stage *stage)
{
    char from[HF_PATH_MAX], to[HF_PATH_MAX];
    log_path(stage, "app.jsonl", from);
    log_path(stage, "app.jsonl.1", to);
    if (rename(from, to) != 0)
        stage_die("renaming '%s': %m", from);
}
