/* Statuses, errors and assertions. A status says what to do next; the text is for people and is
 * always one line. */
#include <holdfast/base.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct status_row {
    const char *name;
    const char *text;
    enum hf_next next;
    int exit_code;
};

static const struct status_row status_rows[] = {
#define X(status_, next_, exit_, text_)                                                            \
    [status_] = {                                                                                  \
        .name = #status_, .text = (text_), .next = HF_NEXT_##next_, .exit_code = (exit_)           \
    },
    HF_STATUS_TABLE(X)
#undef X
};

static const struct status_row *
row_of(enum hf_status status)
{
    hf_assert((size_t)status < HF_COUNT(status_rows));
    return &status_rows[status];
}

const char *
hf_status_name(enum hf_status status)
{
    return row_of(status)->name;
}

const char *
hf_status_text(enum hf_status status)
{
    return row_of(status)->text;
}

enum hf_next
hf_status_next(enum hf_status status)
{
    return row_of(status)->next;
}

int
hf_status_exit_code(enum hf_status status)
{
    return row_of(status)->exit_code;
}

/* One line whatever a name in it held; a text that did not fit ends in "..." and not within a
 * character. */
static void
tidy(char *text, size_t capacity, size_t wanted)
{
    hf_mask_controls(text);
    if (wanted < capacity)
        return;
    size_t end = capacity - sizeof("...");
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", sizeof("..."));
}

/* Formats into `text`. An argument may be err->text itself, so err is written only after all of
 * them are read. */
static hf_printf(3, 0) void format_text(char *text, size_t capacity, const char *format,
                                        va_list args)
{
    int size = vsnprintf(text, capacity, format, args);

    if (size < 0) {
        text[0] = '\0';
        size = 0;
    }
    tidy(text, capacity, (size_t)size);
}

enum hf_status
hf_fail(struct hf_error *err, enum hf_status status, const char *format, ...)
{
    struct hf_error made = { .status = status };
    int saved_errno = errno;
    va_list args;

    hf_assert(status != HF_OK);
    if (err) {
        va_start(args, format);
        format_text(made.text, sizeof(made.text), format, args);
        va_end(args);
        *err = made;
    }
    errno = saved_errno;
    return status;
}

enum hf_status
hf_fail_errno(struct hf_error *err, enum hf_status status, const char *format, ...)
{
    int saved_errno = errno;
    char text[sizeof(err->text)];
    va_list args;

    if (saved_errno == ENOSPC || saved_errno == EDQUOT)
        status = HF_ENOSPC;
    hf_assert(status != HF_OK);
    if (err) {
        va_start(args, format);
        format_text(text, sizeof(text), format, args);
        va_end(args);
        errno = saved_errno; /* %m is strerror(errno) without its shared buffer */
        hf_fail(err, status, "%s: %m", text);
        err->sys_errno = saved_errno;
    }
    errno = saved_errno;
    return status;
}

enum hf_status
hf_while(struct hf_error *err, enum hf_status status, const char *format, ...)
{
    int saved_errno = errno;
    char doing[sizeof(err->text)];
    char cause[sizeof(err->text)];
    va_list args;

    if (err && status != HF_OK) {
        va_start(args, format);
        format_text(doing, sizeof(doing), format, args);
        va_end(args);
        memcpy(cause, err->text, sizeof(cause));
        int size = snprintf(err->text, sizeof(err->text), "%s: %s", doing, cause);
        tidy(err->text, sizeof(err->text), size < 0 ? 0 : (size_t)size);
    }
    errno = saved_errno;
    return status;
}

void
hf_assert_failed(const char *condition, const char *file, int line)
{
    char text[512];
    int size = snprintf(text, sizeof(text), "holdfast: assertion failed: %s (%s:%d)\n", condition,
                        file, line);

    /* No lock, no allocation: whatever state we are in, the reason gets out. */
    if (size > 0 && write(STDERR_FILENO, text, HF_MIN((size_t)size, sizeof(text) - 1)) < 0)
        abort();
    abort();
}
