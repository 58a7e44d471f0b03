/* From {"Records":[a,b]} to one record per line, without parsing what is inside: the bytes that
 * were signed are the bytes printed. */
#include "records.h"

#include <string.h>

struct cursor {
    const uint8_t *at, *end;
};

static void
skip_blanks(struct cursor *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
        c->at++;
}

static bool
take(struct cursor *c, const char *text)
{
    size_t size = strlen(text);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, text, size) != 0)
        return false;
    c->at += size;
    return true;
}

/* From the "{" of a record to behind its "}". */
static bool
skip_record(struct cursor *c)
{
    size_t depth = 0;
    bool in_string = false;
    for (; c->at < c->end; c->at++) {
        uint8_t byte = *c->at;
        if (in_string) {
            if (byte == '\\' && c->at + 1 < c->end)
                c->at++;
            else if (byte == '"')
                in_string = false;
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (--depth == 0) {
                c->at++;
                return true;
            }
        }
    }
    return false;
}

/* JSON lets DEL and C1 stand in a string as they are; a terminal would obey them. */
static void
write_bytes(const uint8_t *from, size_t size, bool to_terminal, FILE *out)
{
    const uint8_t *end = from + size;
    if (!to_terminal) {
        fwrite(from, 1, size, out);
        return;
    }
    for (; from < end; from++) {
        if (*from == 0xc2 && from + 1 < end && from[1] >= 0x80 && from[1] < 0xa0)
            fprintf(out, "\\u%04x", *++from);
        else if (*from == 0x7f || (*from < 0x20 && *from != '\t'))
            fprintf(out, "\\u%04x", *from);
        else
            fputc(*from, out);
    }
}

/* A line end can stand between tokens only: strings have none that is not escaped. */
static void
write_line(const uint8_t *from, const uint8_t *to, bool to_terminal, FILE *out)
{
    while (from < to) {
        size_t size = 0;
        while (from + size < to && from[size] != '\n' && from[size] != '\r')
            size++;
        write_bytes(from, size, to_terminal, out);
        from += size;
        if (from < to) {
            fputc(' ', out);
            from++;
        }
    }
    fputc('\n', out);
}

enum hf_status
records_write(struct hf_slice json, FILE *out, bool to_terminal, uint64_t *ret_count,
              struct hf_error *err)
{
    struct cursor c = { json.ptr, json.ptr + json.size };
    uint64_t count = 0;
    if (!take(&c, "{") || !take(&c, "\"Records\"") || !take(&c, ":") || !take(&c, "["))
        return hf_fail(err, HF_EFORMAT, "the object is not {\"Records\":[...]}");
    while (!take(&c, "]")) {
        if (count > 0 && !take(&c, ","))
            return hf_fail(err, HF_EFORMAT, "there is no comma after record %llu",
                           (unsigned long long)count);
        skip_blanks(&c);
        const uint8_t *from = c.at;
        if (from == c.end || *from != '{' || !skip_record(&c))
            return hf_fail(err, HF_EFORMAT, "record %llu is no JSON object",
                           (unsigned long long)count + 1);
        write_line(from, c.at, to_terminal, out);
        count++;
    }
    if (ferror(out))
        return hf_fail_errno(err, HF_EIO, "writing to standard output");
    *ret_count += count;
    return HF_OK;
}
