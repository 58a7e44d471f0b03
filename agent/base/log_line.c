/* One log line: key=value text or a JSON object. What stands in a value comes from anywhere, so it
 * can neither end the line, nor forge another, nor steer a terminal, nor make the JSON invalid, nor
 * run past the line's end. */
#include "agent/base/base_impl.h"

#include <stdio.h>
#include <string.h>

/* Kept free after the last whole value: its end, the count of repeats, the closing brace and the
 * newline. The head (prefix, time, level) is counted too, since it is put before a body that was
 * made to the same limit. */
#define HEAD_RESERVE 80
#define TAIL_RESERVE 80
#define BODY_MAX     (HF_LOG_LINE_MAX - HEAD_RESERVE - TAIL_RESERVE)
#define KEY_MAX      64
#define ESCAPED_MAX  8u /* of one byte or character */

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const char journal_priorities[] = { '7', '6', '4', '3' };

static void
add(struct hf_log_line *line, const char *bytes, size_t size)
{
    hf_assert(size <= sizeof(line->bytes) - line->size);
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

static void
add_text(struct hf_log_line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* Bytes of the well-formed UTF-8 character here (RFC 3629 section 4), or 0. */
static size_t
utf8_size(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    size_t size = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* C0, DEL and, as UTF-8, C1: a terminal obeys all of them. */
static bool
is_control(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

/* Puts the character at `at` into a quoted value; returns the bytes used up. A byte that is not
 * UTF-8, and what a terminal would obey, is shown as \xNN; in JSON with the backslash doubled,
 * since JSON knows no such escape. */
static size_t
add_character(struct hf_log_line *line, bool json, const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    size_t size = utf8_size(bytes);
    char escaped[ESCAPED_MAX];

    if (*at == '"' || *at == '\\') {
        add(line, "\\", 1);
        add(line, at, 1);
    } else if (*at == '\n') {
        add(line, "\\n", 2);
    } else if (*at == '\t') {
        add(line, "\\t", 2);
    } else if (size == 0 || is_control(bytes)) {
        int escaped_size =
            snprintf(escaped, sizeof(escaped), "%s\\x%02x", json ? "\\" : "", bytes[0]);
        add(line, escaped, (size_t)escaped_size);
        return 1;
    } else {
        add(line, at, size);
    }
    return size ? size : 1;
}

static void
add_quoted(struct hf_log_line *line, bool json, const char *text)
{
    add(line, "\"", 1);
    while (*text) {
        if (line->size + ESCAPED_MAX > BODY_MAX) {
            add_text(line, "...");
            break;
        }
        text += add_character(line, json, text);
    }
    add(line, "\"", 1);
}

/* Such a value needs no quotes in a text line. */
static bool
is_plain(const char *text)
{
    size_t size =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:+@%,-");

    return size > 0 && size <= 256 && text[size] == '\0';
}

static void
add_value(struct hf_log_line *line, bool json, const struct hf_field *field)
{
    char number[24];

    if (field->is_number) {
        snprintf(number, sizeof(number), "%lld", (long long)field->number);
        add_text(line, number);
    } else if (!field->text) {
        add_text(line, json ? "null" : "-");
    } else if (!json && is_plain(field->text) && line->size + strlen(field->text) <= BODY_MAX) {
        add_text(line, field->text);
    } else {
        add_quoted(line, json, field->text);
    }
}

void
hf_log_body(struct hf_log_line *line, bool json, const char *event, const struct hf_field *fields)
{
    line->size = 0;
    if (json) {
        add_text(line, "\"event\":");
        add_quoted(line, json, event);
    } else {
        add(line, event, strnlen(event, 256));
    }
    for (; fields && fields->key; fields++) {
        if (line->size + KEY_MAX + 2 * ESCAPED_MAX > BODY_MAX)
            break; /* the fields after it are dropped; the one before it ends in "..." */
        add_text(line, json ? ",\"" : " ");
        add(line, fields->key, strnlen(fields->key, KEY_MAX));
        add_text(line, json ? "\":" : "=");
        add_value(line, json, fields);
    }
}

static void
add_head(struct hf_log_line *line, struct hf_log_style style, enum hf_log_level level,
         int64_t time_s)
{
    char time_text[HF_TIME_SIZE];
    char head[HEAD_RESERVE];
    int size;

    hf_time_rfc3339(time_s, time_text);
    if (style.journal) {
        char prefix[] = { '<', journal_priorities[level], '>' };
        add(line, prefix, sizeof(prefix));
    }
    if (style.json)
        size = snprintf(head, sizeof(head), "{\"time\":\"%s\",\"level\":\"%s\",", time_text,
                        level_names[level]);
    else if (style.journal)
        size = snprintf(head, sizeof(head), "%-5s ", level_names[level]);
    else
        size = snprintf(head, sizeof(head), "%s %-5s ", time_text, level_names[level]);
    add(line, head, (size_t)size);
}

void
hf_log_whole(struct hf_log_line *line, struct hf_log_style style, enum hf_log_level level,
             int64_t time_s, const char *body, size_t body_size, uint64_t repeats)
{
    char tail[TAIL_RESERVE] = "";

    line->size = 0;
    add_head(line, style, level, time_s);
    add(line, body, body_size);
    if (repeats > 0)
        snprintf(tail, sizeof(tail), style.json ? ",\"repeated\":%llu" : " repeated=%llu",
                 (unsigned long long)repeats);
    add_text(line, tail);
    add_text(line, style.json ? "}\n" : "\n");
}
