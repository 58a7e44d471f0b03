/* base: what every other folder may use, and nothing of its own above libc.
 *
 *   status and error    what to do, and what to read
 *   slice and buf       borrowed bytes, and bounded growing bytes
 *   text                hex, base64, numbers, sizes, durations
 *   clock               wall and boot time, RFC 3339
 *   fs                  the one place that touches the file system
 *   log                 one line per event, typed fields
 *   queue               bounded hand-over between threads
 *   table               finds by a key that a stranger chose
 *
 * Ownership, everywhere in this project: `const T *` is borrowed for the call, `T **ret_x` is given
 * to the caller, a getter's result lives as long as its parent. `ret_x` is untouched on failure.
 * free(NULL) is fine.
 */
#ifndef HOLDFAST_BASE_H
#define HOLDFAST_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>

#define hf_must_check              __attribute__((warn_unused_result))
#define hf_printf(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

/* hf_owned(fn) runs fn(&variable) when the variable leaves its scope; hf_take() hands ownership
 * on. */
#define hf_owned(fn) __attribute__((cleanup(fn)))
#define hf_take(pointer)                                                                           \
    ({                                                                                             \
        __typeof__(pointer) hf_taken_ = (pointer);                                                 \
        (pointer) = NULL;                                                                          \
        hf_taken_;                                                                                 \
    })
/* The struct whose `member` this is. */
#define hf_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define HF_COUNT(array)                        (sizeof(array) / sizeof((array)[0]))
#define HF_MIN(a, b)                           ((a) < (b) ? (a) : (b))
#define HF_MAX(a, b)                           ((a) > (b) ? (a) : (b))

/* ---- assertion: our own mistakes, kept in release builds; the restart recovers from what lies
 * on disk ---- */

#define hf_assert(condition)                                                                       \
    ((condition) ? (void)0 : hf_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void hf_assert_failed(const char *condition, const char *file, int line);

/* ---- status: what to do. The text of an error is for people; code decides on status and
 * what_next only ---- */

enum hf_next {
    HF_NEXT_NONE,    /* it worked */
    HF_NEXT_WAIT,    /* try again later, unchanged */
    HF_NEXT_FIX,     /* a person has to change something; hold and retry slowly */
    HF_NEXT_CORRUPT, /* bytes are not what they were: report, park, never skip silently */
    HF_NEXT_BUG,     /* our own mistake or an exhausted machine */
};

/* clang-format off */
/*      name                 what next   exit  text */
#define HF_STATUS_TABLE(X)                                                                         \
    X(HF_OK,                 NONE,       0,    "ok")                                               \
    X(HF_EUSAGE,             FIX,        2,    "usage")                                            \
    X(HF_ECONFIG,            FIX,        2,    "configuration")                                    \
    X(HF_EBUSY,              FIX,        2,    "already in use")                                   \
    X(HF_EFULL,              WAIT,       3,    "full")                                             \
    X(HF_EIO,                WAIT,       4,    "input/output")                                     \
    X(HF_ENOSPC,             WAIT,       3,    "no space left")                                    \
    X(HF_ENOMEM,             BUG,        4,    "out of memory")                                    \
    X(HF_ENOTFOUND,          FIX,        1,    "not found")                                        \
    X(HF_EEXISTS,            FIX,        1,    "exists already")                                   \
    X(HF_ECORRUPT,           CORRUPT,    1,    "corrupt")                                          \
    X(HF_EFORMAT,            CORRUPT,    1,    "not in the expected format")                       \
    X(HF_EVERSION,           FIX,        2,    "made by an unknown version")                       \
    X(HF_ELIMIT,             FIX,        1,    "over a limit")                                     \
    X(HF_EUNREACHABLE,       WAIT,       3,    "not reachable")                                    \
    X(HF_ETIMEOUT,           WAIT,       3,    "timed out")                                        \
    X(HF_ETLS,               FIX,        3,    "TLS verification")                                 \
    X(HF_EBUSYSTORE,         WAIT,       3,    "store is busy")                                    \
    X(HF_EACCESS,            FIX,        3,    "access denied")                                    \
    X(HF_ECREDENTIALS,       FIX,        3,    "credentials")                                      \
    X(HF_ESKEW,              FIX,        3,    "clock differs from the store's")                   \
    X(HF_ENOTHELD,           FIX,        1,    "stored without its lock")                          \
    X(HF_EFOREIGN,           FIX,        1,    "foreign")                                          \
    X(HF_EREFUSED,           FIX,        1,    "refused")                                          \
    X(HF_ESIGNATURE,         CORRUPT,    1,    "signature does not verify")                        \
    X(HF_ECRYPTO,            FIX,        4,    "cryptography")                                     \
    X(HF_ESTOPPED,           WAIT,       3,    "stopping")                                         \
    X(HF_EINTERNAL,          BUG,        4,    "internal")
/* clang-format on */

enum hf_status {
#define X(name, next, exit_code, text) name,
    HF_STATUS_TABLE(X)
#undef X
};
#define HF_STATUS_COUNT (HF_EINTERNAL + 1)

const char *hf_status_name(enum hf_status status); /* "HF_EIO" */
const char *hf_status_text(enum hf_status status); /* "input/output" */
enum hf_next hf_status_next(enum hf_status status);
int hf_status_exit_code(enum hf_status status);

/* The caller's, always the last parameter, may be NULL. Set once, where the failure is seen;
 * hf_while() prefixes what was being done. text is one line, lower case, 'quoted' names, and
 * says what to do. */
struct hf_error {
    enum hf_status status;
    int sys_errno;       /* 0 when no system call failed */
    int http_status;     /* 0 when no store answered */
    char store_code[48]; /* the store's own error code, or "" */
    char text[512];
};

/* Sets *err and returns `status`. */
enum hf_status hf_fail(struct hf_error *err, enum hf_status status, const char *format, ...)
    hf_printf(3, 4);
/* The same for a failed system call: appends ": " and strerror(errno); ENOSPC and EDQUOT become
 * HF_ENOSPC. */
enum hf_status hf_fail_errno(struct hf_error *err, enum hf_status status, const char *format, ...)
    hf_printf(3, 4);
/* "delivering window X: " + the present text; returns `status` unchanged. */
enum hf_status hf_while(struct hf_error *err, enum hf_status status, const char *format, ...)
    hf_printf(3, 4);

/* ---- memory: never NULL; an exhausted machine ends the process, the journal recovers it ---- */

void *hf_alloc(size_t size); /* zeroed */
void *hf_realloc(void *pointer, size_t size);
char *hf_strdup(const char *text); /* NULL gives NULL */
char *hf_strndup(const char *text, size_t size);
char *hf_asprintf(const char *format, ...) hf_printf(1, 2);
void hf_freep(void *pointer_to_pointer); /* for hf_owned() */
void hf_wipe(void *bytes, size_t size);  /* not optimised away */
void
hf_hide_memory(void); /* of a process that holds keys: no core dump, no ptrace by the same user */

/* Gives back what can be had again: freed heap, and the pages of the program and its libraries,
 * which come back from the page cache when they are touched. Costs about a millisecond, and as
 * much again at the next work. Any thread. Under a debugger the pages stay. */
void hf_memory_give_back(void);
/* Whoever works says so; HF_MEMORY_QUIET_MS after its own last work each such thread asks once,
 * and the one that was last gives back. */
#define HF_MEMORY_QUIET_MS 10000
void hf_memory_note_use(void);
bool hf_memory_give_back_if_quiet(void); /* false: somebody worked meanwhile, and will ask later */

/* ---- slice: borrowed bytes; buf: owned bytes with a named maximum ---- */

struct hf_slice {
    const uint8_t *ptr;
    size_t size;
};
#define HF_SLICE_LITERAL(text) ((struct hf_slice){ (const uint8_t *)(text), sizeof(text) - 1 })
struct hf_slice hf_slice(const void *bytes, size_t size);
struct hf_slice hf_slice_text(const char *text);
bool hf_slice_equal(struct hf_slice a, struct hf_slice b);
bool hf_slice_is(struct hf_slice a, const char *text);
bool hf_starts_with(const char *text, const char *prefix);
bool hf_ends_with(const char *text, const char *suffix);
/* What ends a line or steers a terminal: C0, DEL and, as UTF-8, C1. */
bool hf_has_control(const char *text);
void hf_mask_controls(char *text); /* a "?" for each of their bytes */

struct hf_buf {
    uint8_t *ptr; /* NUL-terminated whenever not NULL, so that text can be used as such */
    size_t size;
    size_t capacity;
    size_t max;
};
#define HF_BUF(maximum) ((struct hf_buf){ .max = (maximum) })
void hf_buf_init(struct hf_buf *buf, size_t max);
void hf_buf_done(struct hf_buf *buf);  /* frees; the maximum stays, the buffer can be used again */
void hf_buf_reset(struct hf_buf *buf); /* empties; the memory stays */
/* All return HF_ELIMIT past the maximum and leave the buffer as it was. */
enum hf_status hf_buf_reserve(struct hf_buf *buf, size_t more) hf_must_check;
enum hf_status hf_buf_add(struct hf_buf *buf, const void *bytes, size_t size) hf_must_check;
enum hf_status hf_buf_add_text(struct hf_buf *buf, const char *text) hf_must_check;
enum hf_status hf_buf_addf(struct hf_buf *buf, const char *format, ...)
    hf_printf(2, 3) hf_must_check;
struct hf_slice hf_buf_slice(const struct hf_buf *buf);
const char *hf_buf_text(const struct hf_buf *buf); /* "" when empty */

/* ---- strings: a growing list of owned texts; texts may be taken out, but only these two add ---- */

struct hf_strings {
    char **items;
    size_t count;
};
void hf_strings_add(struct hf_strings *strings, const char *text); /* a copy of it */
void hf_strings_take(struct hf_strings *strings, char *text);
void hf_strings_done(struct hf_strings *strings);

/* ---- text: encodings and numbers. Lengths are checked; NULL err is fine ---- */

#define HF_HEX_SIZE(bytes)    (2 * (bytes) + 1)
#define HF_BASE64_SIZE(bytes) (4 * (((bytes) + 2) / 3) + 1)
int hf_hex_value(char digit);                                /* of either case; -1: it is none */
void hf_hex(const void *bytes, size_t size, char *ret_text); /* lower case, NUL */
bool hf_unhex(const char *text, size_t text_size, uint8_t *ret_bytes,
              size_t size); /* exactly `size` bytes */
void hf_base64(const void *bytes, size_t size,
               char *ret_text); /* RFC 4648 section 4, padded, NUL */
enum hf_status hf_unbase64(const char *text, size_t text_size, struct hf_buf *ret_bytes)
    hf_must_check; /* strict; replaces what is there */

bool hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
bool hf_parse_size(const char *text,
                   uint64_t *ret_bytes); /* "16MiB", "1GB", "4096"; KiB MiB GiB TiB, kB MB GB TB */
bool hf_parse_duration(const char *text,
                       uint64_t *ret_seconds); /* "300", "60s", "5m", "1h", "7d" */

void hf_put_le16(uint8_t *at, uint16_t value);
void hf_put_le32(uint8_t *at, uint32_t value);
void hf_put_le64(uint8_t *at, uint64_t value);
uint16_t hf_get_le16(const uint8_t *at);
uint32_t hf_get_le32(const uint8_t *at);
uint64_t hf_get_le64(const uint8_t *at);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), continued from `crc`; start with 0. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t size);

/* ---- clock ---- */

#define HF_NS_PER_S 1000000000ull
uint64_t hf_wall_ns(void); /* CLOCK_REALTIME, ns since the epoch */
int64_t hf_wall_s(void);
uint64_t hf_boot_ms(void);              /* CLOCK_BOOTTIME: timers, never shown to anyone */
struct timeval hf_timeval(uint64_t ms); /* as the event loop wants it */
void hf_deadline_in(uint64_t wait_ms,
                    struct timespec *ret_at); /* on CLOCK_MONOTONIC, for timed waits */
bool hf_clock_is_synchronised(void); /* the kernel says that a time service keeps the wall clock */
int64_t hf_build_s(void); /* when this binary was built: no wall clock may lie before it */

#define HF_TIME_SIZE 32
void hf_time_rfc3339(int64_t seconds, char ret_text[HF_TIME_SIZE]); /* 2026-11-22T15:04:05Z */
void hf_time_compact(int64_t seconds, char ret_text[HF_TIME_SIZE]); /* 20261122T150405Z */
void hf_time_minute(int64_t seconds, char ret_text[HF_TIME_SIZE]);  /* 20261122T1504Z */
void hf_time_folder(int64_t seconds, char ret_text[HF_TIME_SIZE]);  /* 2026/11/22 */
void hf_time_http(int64_t seconds, char ret_text[HF_TIME_SIZE]); /* Sun, 22 Nov 2026 15:04:05 GMT */
/* RFC 3339 with Z or offset; a fraction of any length is cut off (Ceph sends nine digits). In UTC the
 * year has four digits as well: what was read can be written. */
bool hf_time_parse_rfc3339(const char *text, int64_t *ret_seconds);
bool hf_time_parse_http(const char *text, int64_t *ret_seconds);    /* RFC 9110 IMF-fixdate only */
bool hf_time_parse_compact(const char *text, int64_t *ret_seconds); /* 20261122T150405Z */
int64_t hf_day_after(int64_t seconds);                              /* 00:00:00Z of the next day */

/* ---- fs: every file-system call of the engine. Short reads and writes and EINTR are handled
 * here ---- */

#define HF_PATH_MAX 4096

/* Tests may see, fail, delay or shorten any call: the interposer runs before it. It returns 0 to
 * let it happen, or an errno value that the call then fails with; it may lower *size (write
 * family) to cut it short. NULL (the default, and always in production) costs one load. */
struct hf_fs_call {
    const char *name; /* "open", "pwrite", "fdatasync", "rename", ... */
    const char *path; /* or NULL */
    const char *to;   /* rename and link: the new name; else NULL */
    int fd;           /* or -1 */
    off_t offset;
    size_t size;
    const void *bytes; /* write family: what is to be written */
    int flags;         /* open: its flags; fallocate and punch: the mode */
};
typedef int (*hf_fs_interposer)(void *context, struct hf_fs_call *call);
void hf_fs_interpose(hf_fs_interposer interposer, void *context);

enum hf_status hf_fs_open(const char *path, int flags, mode_t mode, int *ret_fd,
                          struct hf_error *err) hf_must_check;
void hf_fs_close(int *fd); /* for hf_owned(); -1 is fine; sets -1 */
enum hf_status
hf_fs_pread(int fd, void *bytes, size_t size, off_t offset, size_t *ret_size,
            struct hf_error *err) hf_must_check; /* less than `size` only at the end */
enum hf_status hf_fs_read(int fd, void *bytes, size_t size, size_t *ret_size,
                          struct hf_error *err) hf_must_check; /* one read; EAGAIN gives HF_EFULL */
enum hf_status hf_fs_pwrite(int fd, const void *bytes, size_t size, off_t offset,
                            struct hf_error *err) hf_must_check; /* all or an error */
enum hf_status hf_fs_write(int fd, const void *bytes, size_t size,
                           struct hf_error *err) hf_must_check;
enum hf_status hf_fs_fdatasync(int fd, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_fsync(int fd, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_sync_dir(const char *directory, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_truncate(int fd, off_t size, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_allocate(int fd, off_t offset, off_t size,
                              struct hf_error *err) hf_must_check; /* physically; HF_ENOSPC */
/* Blocks for what will be appended; the size stays. HF_EIO where the file system cannot do it. */
enum hf_status hf_fs_allocate_behind(int fd, off_t offset, off_t size,
                                     struct hf_error *err) hf_must_check;
enum hf_status hf_fs_punch(int fd, off_t offset, off_t size, struct hf_error *err)
    hf_must_check; /* gives the blocks back, the size stays */
enum hf_status hf_fs_rename(const char *from, const char *to, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_link(const char *from, const char *to,
                          struct hf_error *err) hf_must_check; /* HF_EEXISTS */
enum hf_status hf_fs_unlink(const char *path,
                            struct hf_error *err) hf_must_check;                  /* HF_ENOTFOUND */
enum hf_status hf_fs_rmdir(const char *path, struct hf_error *err) hf_must_check; /* an empty one */
enum hf_status hf_fs_chmod(const char *path, mode_t mode, struct hf_error *err) hf_must_check;
enum hf_status hf_fs_access(const char *path, int mode, struct hf_error *err)
    hf_must_check; /* R_OK, W_OK, X_OK by effective ids */
enum hf_status hf_fs_set_atime(const char *path, int64_t atime_s, struct hf_error *err)
    hf_must_check; /* leaves the time of modification */
enum hf_status hf_fs_stat(const char *path, struct stat *ret_stat,
                          struct hf_error *err) hf_must_check; /* HF_ENOTFOUND */
enum hf_status hf_fs_lstat(const char *path, struct stat *ret_stat,
                           struct hf_error *err) hf_must_check; /* of a symbolic link itself */
enum hf_status hf_fs_fstat(int fd, struct stat *ret_stat, struct hf_error *err) hf_must_check;
/* What tells one file from another, also after its inode number was given to a new one. By
 * descriptor, or by path when fd is -1. */
struct hf_fs_identity {
    uint64_t dev, ino;
    uint64_t birth_ns; /* 0 where the file system keeps none */
    uint64_t size;
    uint64_t allocated; /* bytes of it that lie somewhere: less than the size of a sparse file */
    uint32_t links;     /* 0: no name is left */
    mode_t mode;
    uid_t uid;
    uint64_t changed_ns; /* ctime */
};
enum hf_status hf_fs_identify(int fd, const char *path, struct hf_fs_identity *ret_identity,
                              struct hf_error *err) hf_must_check;
/* Of a name in the folder that is open as `folder`; a symbolic link is itself. */
enum hf_status hf_fs_identify_at(int folder, const char *name, struct hf_fs_identity *ret_identity,
                                 struct hf_error *err) hf_must_check;
/* Where the data is at or behind `from` in a file with holes; HF_ENOTFOUND: nowhere. */
enum hf_status hf_fs_seek_data(int fd, uint64_t from, uint64_t *ret_at,
                               struct hf_error *err) hf_must_check;
/* Opening where strangers may write. `flags` as open(2)'s, without O_CREAT; O_CLOEXEC, O_NONBLOCK and
 * O_NOCTTY go along. A symbolic link is followed only when it, and every folder that was passed until
 * there, belong to root, to our effective user, or to one who is trusted besides (NULL: nobody):
 * else HF_EREFUSED. *ret_linked, which may be NULL: one was followed. */
struct hf_fs_trust {
    const uid_t *uids;
    size_t count;
};
enum hf_status hf_fs_open_trusted(const char *path, int flags, const struct hf_fs_trust *trust,
                                  int *ret_fd, bool *ret_linked,
                                  struct hf_error *err) hf_must_check;
/* The same; and what the folder is in which it was found. */
enum hf_status hf_fs_open_in_folder(const char *path, int flags, const struct hf_fs_trust *trust,
                                    int *ret_fd, struct stat *ret_folder,
                                    struct hf_error *err) hf_must_check;
/* HF_EREFUSED: others than root and we can put something into this folder, or another folder in its
 * place. */
enum hf_status hf_fs_check_alone(const char *folder, struct hf_error *err) hf_must_check;
/* By the mode of a folder: others than its owner, root and we can put something into it. */
bool hf_fs_others_may_write(const struct stat *folder);
/* What an open file is called now, without symbolic links; HF_ENOTFOUND: nothing. */
enum hf_status hf_fs_path_of(int fd, char ret_path[HF_PATH_MAX],
                             struct hf_error *err) hf_must_check;
/* The path without symbolic links. */
enum hf_status hf_fs_real_path(const char *path, char ret_path[HF_PATH_MAX],
                               struct hf_error *err) hf_must_check;
enum hf_status hf_fs_set_group(const char *path, gid_t group, struct hf_error *err) hf_must_check;
/* mkdir -p; each new directory's parent is synced. */
enum hf_status hf_fs_mkdirs(const char *path, mode_t mode, struct hf_error *err) hf_must_check;
/* Names in a directory, sorted by byte; "." and ".." left out. At most `max` (HF_ELIMIT). */
enum hf_status hf_fs_list(const char *directory, size_t max, char ***ret_names, size_t *ret_count,
                          struct hf_error *err) hf_must_check;
/* The same of a folder that is open for reading, part by part; `directory` is its name for messages.
 * Each part is sorted by itself; none (*ret_count 0): that was all. */
struct hf_fs_names;
enum hf_status hf_fs_names_open(int folder, const char *directory, struct hf_fs_names **ret_names,
                                struct hf_error *err) hf_must_check;
enum hf_status hf_fs_names_next(struct hf_fs_names *names, size_t most, char ***ret_names,
                                size_t *ret_count, struct hf_error *err) hf_must_check;
void hf_fs_names_close(struct hf_fs_names *names); /* NULL is fine */
void hf_fs_names_free(char **names, size_t count);
enum hf_status hf_fs_free_bytes(const char *path, uint64_t *ret_bytes,
                                struct hf_error *err) hf_must_check;
/* Whole file, at most `max` bytes (HF_ELIMIT), in place of what the initialised buffer held; its
 * maximum becomes `max`. Opened as hf_fs_open_trusted() does, nobody trusted besides. */
enum hf_status hf_fs_read_file(const char *path, size_t max, struct hf_buf *ret_bytes,
                               struct hf_error *err) hf_must_check;
/* Where a file with a secret is to be read: FOLDER/NAME is $CREDENTIALS_DIRECTORY/FOLDER_NAME
 * where systemd has loaded it for this service (systemd.exec, LoadCredential=FOLDER:...), and
 * itself else. The answer is `path` or `ret_path`. */
const char *hf_fs_secret_path(const char *path, char ret_path[HF_PATH_MAX]);
/* Such a file, opened likewise: regular, owned by us or root, no rights for others, none to write for the group.
 * Wipe it after use. */
enum hf_status hf_fs_read_secret(const char *named, size_t max, struct hf_buf *ret_bytes,
                                 struct hf_error *err) hf_must_check;
/* Old or new, whatever fails or crashes: temporary, write, fsync, rename, fsync of the
 * directory. */
enum hf_status hf_fs_replace(const char *path, const void *bytes, size_t size, mode_t mode,
                             struct hf_error *err) hf_must_check;
/* flock(LOCK_EX|LOCK_NB) on `path`, made if missing: HF_EBUSY when held. Closing the descriptor releases it. */
enum hf_status hf_fs_lock(const char *path, int *ret_fd, struct hf_error *err) hf_must_check;
void hf_path_join(char *ret_path, size_t size, const char *directory,
                  const char *name); /* asserts that it fits */

/* ---- log: one line per event, to stderr (key=value) or as JSON; functions return or log, never
 * both ---- */

enum hf_log_level { HF_LOG_DEBUG, HF_LOG_INFO, HF_LOG_WARN, HF_LOG_ERROR };
struct hf_field {
    const char *key; /* NULL ends the list */
    const char *text;
    int64_t number;
    bool is_number;
};
#define HF_STR(k, v) ((struct hf_field){ .key = (k), .text = (v) })
#define HF_NUM(k, v) ((struct hf_field){ .key = (k), .number = (int64_t)(v), .is_number = true })
#define HF_ERR(e)    HF_STR("error", (e)->text)
void hf_log_setup(enum hf_log_level least,
                  bool json); /* journald's <N> prefix is added when stderr is its stream */
void hf_log_write(enum hf_log_level level, const char *event, const struct hf_field *fields);
#define hf_log(level, event, ...)                                                                  \
    hf_log_write((level), (event),                                                                 \
                 (const struct hf_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .key = NULL } })
#define hf_log_debug(event, ...) hf_log(HF_LOG_DEBUG, event, __VA_ARGS__)
#define hf_log_info(event, ...)  hf_log(HF_LOG_INFO, event, __VA_ARGS__)
#define hf_log_warn(event, ...)  hf_log(HF_LOG_WARN, event, __VA_ARGS__)
#define hf_log_error(event, ...) hf_log(HF_LOG_ERROR, event, __VA_ARGS__)

/* ---- queue: bounded, between threads; items are the sender's until taken ---- */

struct hf_queue;
struct hf_queue *hf_queue_new(const char *name, size_t limit);
void hf_queue_free(struct hf_queue *queue);                /* what is still in it is not freed */
bool hf_queue_try_put(struct hf_queue *queue, void *item); /* false: full or closed */
bool hf_queue_put(struct hf_queue *queue, void *item);     /* waits for room; false: closed */
void *hf_queue_take(struct hf_queue *queue,
                    int64_t wait_ms); /* NULL: timed out, or closed and empty; -1 waits for ever */
void hf_queue_close(struct hf_queue *queue);
size_t hf_queue_size(struct hf_queue *queue);

/* ---- table: finds items by key at a cost that does not depend on how many there are, whoever
 * chose the keys. One thread's; the items are the caller's, and hold the links ---- */

struct hf_table_link { /* in the item, zeroed before it is added */
    struct hf_table_link *next;
    uint64_t hash;
    bool in; /* some table */
};

/* Whether the item that holds `link` has this key. */
typedef bool (*hf_table_is)(const struct hf_table_link *link, struct hf_slice key);

struct hf_table {
    struct hf_table_link **slots;
    size_t slot_count, count, most;
    uint64_t key[2]; /* of the hash: random, another one for each table */
    hf_table_is is;
    uint64_t looks; /* links that were looked at: for tests that count */
};

void hf_table_init(struct hf_table *table, size_t most, hf_table_is is);
void hf_table_done(struct hf_table *table); /* items that are still in it are simply left */
/* false: `most` are in it. Several items may have one key; an item's key stays as it is while it is
 * in the table. */
bool hf_table_add(struct hf_table *table, struct hf_slice key,
                  struct hf_table_link *link) hf_must_check;
void hf_table_remove(struct hf_table *table, struct hf_table_link *link); /* in none: fine */
struct hf_table_link *hf_table_find(struct hf_table *table, struct hf_slice key); /* NULL: none */
/* The next one with the same key. */
struct hf_table_link *hf_table_find_next(struct hf_table *table, struct hf_table_link *link,
                                         struct hf_slice key);

#endif
