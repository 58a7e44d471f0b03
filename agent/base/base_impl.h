/* Private to agent/base (and its tests): what its files share. */
#ifndef HOLDFAST_BASE_IMPL_H
#define HOLDFAST_BASE_IMPL_H

#include <holdfast/base.h>

/* ---- fs: each wrapper fills a call in, asks hf_fs_before(), and reports a failure with one of the
 * two below ---- */

/* 0: go on. -1: the interposer wants it to fail; errno is set as the system call would have set it.
 */
int hf_fs_before(struct hf_fs_call *call);

/* Both read errno, choose the status it means, and append the reason and what to do about it.
 * "opening '/x': Permission denied; give uid 998 access to it". `doing` is "opening". */
enum hf_status hf_fs_failed_path(struct hf_error *err, const char *doing, const char *path);
/* The same for a descriptor, which is shown as the file it stands for. */
enum hf_status hf_fs_failed_fd(struct hf_error *err, const char *doing, int fd);
/* The file that a descriptor stands for, for messages: its path, or "descriptor 7". */
void hf_fs_name_of(int fd, char *ret_name, size_t size);

/* Whether there is an openat2() is asked again: for tests that take it away. */
void hf_fs_openat2_forget(void);

/* ---- crc32c: the two ways to the same number. Both take and give the checksum as hf_crc32c() does
 * ---- */

uint32_t hf_crc32c_tables(uint32_t crc, const uint8_t *bytes, size_t size);
#if defined(__x86_64__)
bool hf_crc32c_has_sse42(void);
uint32_t hf_crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t size);
#endif

/* ---- table ---- */

uint64_t hf_siphash(const uint64_t key[2], struct hf_slice bytes); /* SipHash-2-4 */

/* ---- clock: the calendar, without the C library's time zones and locks ---- */

#define HF_DAY_S 86400
int64_t hf_days_of_date(int64_t year, unsigned month,
                        unsigned day); /* since 1970-01-01; proleptic Gregorian */
/* What can be shown: no text is read as a time beyond it. */
#define HF_SHOWN_FIRST_S (-62167219200) /* 0000-01-01T00:00:00Z */
#define HF_SHOWN_LAST_S  253402300799   /* 9999-12-31T23:59:59Z */

extern const char hf_weekday_names[7][4]; /* "Sun" first */
extern const char hf_month_names[12][4];  /* "Jan" first */

/* ---- log: a line under construction. It always has room left to be ended well, however long its
 * values are ---- */

/* With the newline a line fits PIPE_BUF, so that lines of several processes into one pipe never
 * mix. */
#define HF_LOG_LINE_MAX 4095
struct hf_log_line {
    size_t size;
    char bytes[HF_LOG_LINE_MAX + 1];
};
/* What repeats itself: the event and its fields, without time, level or newline. */
void hf_log_body(struct hf_log_line *line, bool json, const char *event,
                 const struct hf_field *fields);
/* The whole line with its newline: prefix, time, level, body, and the count of repeats if there
 * were any. */
struct hf_log_style {
    bool json;
    bool journal; /* "<6>" in front; the journal knows the time */
};
void hf_log_whole(struct hf_log_line *line, struct hf_log_style style, enum hf_log_level level,
                  int64_t time_s, const char *body, size_t body_size, uint64_t repeats);
#define HF_LOG_REPEAT_MS 10000
/* Writes the counts of what was first said HF_LOG_REPEAT_MS before boot time `now_ms`, and forgets
 * them. */
void hf_log_forget_old(uint64_t now_ms);

#endif
