/* The log of calls, read back. */
#include "tests/powerloss/disk.h"
#include "tests/rig/stage.h"

#include <string.h>

/* NUL-terminated copies: in the log paths are followed by the next field at once. NULL: not on
 * the disk. */
static char *
relative(const uint8_t *bytes, size_t size, const char *folder)
{
    size_t prefix = strlen(folder);
    if (size <= prefix + 1 || memcmp(bytes, folder, prefix) != 0 || bytes[prefix] != '/')
        return NULL;
    while (size > prefix && bytes[size - 1] == '/')
        size--;
    char *path = hf_strndup((const char *)bytes + prefix + 1, size - prefix - 1);
    if (!hf_starts_with(path, "state") && !hf_starts_with(path, "root"))
        hf_freep(&path);
    return path;
}

void
call_log_read(const char *path, const char *stage_folder, struct call_log *ret_log)
{
    struct hf_error err;
    struct hf_buf bytes = HF_BUF(256u << 20);
    size_t room = 1024;
    if (hf_fs_read_file(path, 256u << 20, &bytes, &err) != HF_OK)
        stage_die("%s", err.text);
    *ret_log = (struct call_log){ .bytes = bytes.ptr,
                                  .size = bytes.size,
                                  .calls = hf_alloc(room * sizeof(struct call)) };
    for (size_t at = 0; at < bytes.size;) {
        struct call_record *record = hf_alloc(sizeof(*record)); /* the log does not align them */
        memcpy(record, bytes.ptr + at, sizeof(*record));
        const uint8_t *from = bytes.ptr + at + sizeof(*record), *to = from + record->path_size,
                      *content = to + record->to_size;
        struct call call = { .record = record, .bytes = content };
        call.path = relative(from, record->path_size, stage_folder);
        call.to = record->to_size ? relative(to, record->to_size, stage_folder) : NULL;
        at = (size_t)(content - bytes.ptr) + record->bytes_size;
        if (!call.path || (record->to_size && !call.to))
            continue;
        if (ret_log->count == room) {
            room *= 2;
            ret_log->calls = hf_realloc(ret_log->calls, room * sizeof(struct call));
        }
        ret_log->calls[ret_log->count++] = call;
    }
}

void
call_log_forget_syncs(struct call_log *log, const char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++)
        if (log->calls[i].record->kind != CALL_SYNC || !strstr(log->calls[i].path, text))
            log->calls[kept++] = log->calls[i];
    log->count = kept;
}

void
call_log_done(struct call_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        char *path = (char *)(uintptr_t)log->calls[i].path,
             *to = (char *)(uintptr_t)log->calls[i].to;
        struct call_record *record = (struct call_record *)(uintptr_t)log->calls[i].record;
        hf_freep(&path);
        hf_freep(&to);
        hf_freep(&record);
    }
    hf_freep(&log->calls);
    hf_freep(&log->bytes);
}
