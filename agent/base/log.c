/* The log: one write(2) per line to standard error, whatever else writes there.
 *
 * A warning or error that says the same again within ten seconds is counted instead of written; the
 * count is written (repeated=N) when the ten seconds are over, at the next call, or at exit. So a
 * store that refuses each of a thousand objects fills nobody's disk, and nothing is hidden: the
 * first one is out at once. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEAT_KINDS 32 /* different ones remembered at a time; the oldest gives way */

struct repeated {
    char *body; /* NULL: free */
    size_t size;
    enum hf_log_level level;
    uint64_t since_ms;
    uint64_t repeats;
};

static struct {
    pthread_mutex_t lock;
    enum hf_log_level least;
    struct hf_log_style style;
    bool at_exit;
    struct repeated kinds[REPEAT_KINDS];
} locked = { .lock = PTHREAD_MUTEX_INITIALIZER, .least = HF_LOG_INFO };

/* Its reader gone, its disk full: there is nobody left to tell, and the work goes on. */
static void
write_line(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = write(STDERR_FILENO, bytes, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        bytes += put;
        size -= (size_t)put;
    }
}

static void
emit_locked(enum hf_log_level level, const char *body, size_t size, uint64_t repeats)
{
    struct hf_log_line line;

    hf_log_whole(&line, locked.style, level, hf_wall_s(), body, size, repeats);
    write_line(line.bytes, line.size);
}

static void
forget_locked(struct repeated *kind)
{
    if (kind->repeats > 0)
        emit_locked(kind->level, kind->body, kind->size, kind->repeats);
    free(kind->body);
    *kind = (struct repeated){ 0 };
}

static void
forget_old_locked(uint64_t now_ms)
{
    for (size_t i = 0; i < REPEAT_KINDS; i++)
        if (locked.kinds[i].body && now_ms - locked.kinds[i].since_ms >= HF_LOG_REPEAT_MS)
            forget_locked(&locked.kinds[i]);
}

void
hf_log_forget_old(uint64_t now_ms)
{
    pthread_mutex_lock(&locked.lock);
    forget_old_locked(now_ms);
    pthread_mutex_unlock(&locked.lock);
}

static void
forget_all_locked(void)
{
    for (size_t i = 0; i < REPEAT_KINDS; i++)
        if (locked.kinds[i].body)
            forget_locked(&locked.kinds[i]);
}

/* True if this has been said already; it is counted then, else remembered. */
static bool
is_repeat_locked(enum hf_log_level level, const struct hf_log_line *body, uint64_t now_ms)
{
    struct repeated *oldest = &locked.kinds[0];

    for (size_t i = 0; i < REPEAT_KINDS; i++) {
        struct repeated *kind = &locked.kinds[i];
        if (kind->body && kind->level == level && kind->size == body->size &&
            memcmp(kind->body, body->bytes, body->size) == 0) {
            kind->repeats++;
            return true;
        }
        if (oldest->body && (!kind->body || kind->since_ms < oldest->since_ms))
            oldest = kind;
    }
    if (oldest->body)
        forget_locked(oldest);
    *oldest = (struct repeated){ .size = body->size, .level = level, .since_ms = now_ms };
    oldest->body = hf_alloc(body->size);
    memcpy(oldest->body, body->bytes, body->size);
    return false;
}

/* systemd says in JOURNAL_STREAM which device and inode its journal has; standard error may have
 * been redirected since (systemd.exec(5)). */
static bool
stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char ours[64];
    struct stat info;

    if (!stream || fstat(STDERR_FILENO, &info) != 0)
        return false;
    snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)info.st_dev,
             (unsigned long long)info.st_ino);
    return strcmp(stream, ours) == 0;
}

static void
say_what_is_left(void)
{
    pthread_mutex_lock(&locked.lock);
    forget_all_locked();
    pthread_mutex_unlock(&locked.lock);
}

void
hf_log_setup(enum hf_log_level least, bool json)
{
    bool journal = stderr_is_journal();

    pthread_mutex_lock(&locked.lock);
    forget_all_locked();
    locked.style = (struct hf_log_style){ .json = json, .journal = journal };
    __atomic_store_n(&locked.least, least, __ATOMIC_RELAXED);
    if (!locked.at_exit)
        locked.at_exit = atexit(say_what_is_left) == 0;
    pthread_mutex_unlock(&locked.lock);
}

void
hf_log_write(enum hf_log_level level, const char *event, const struct hf_field *fields)
{
    int saved_errno = errno;
    uint64_t now_ms = hf_boot_ms();
    struct hf_log_line body;

    if (level < __atomic_load_n(&locked.least, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&locked.lock);
    forget_old_locked(now_ms);
    hf_log_body(&body, locked.style.json, event, fields);
    if (level < HF_LOG_WARN || !is_repeat_locked(level, &body, now_ms))
        emit_locked(level, body.bytes, body.size, 0);
    pthread_mutex_unlock(&locked.lock);
    errno = saved_errno;
}
