/* The member `holdfast` at a record's end: who said it. Built for each event, so without printf. */
#include "agent/record/record_impl.h"

#include <holdfast/crypto.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

static void
put(struct tail *tail, const void *bytes, size_t size)
{
    if (size > sizeof(tail->text) - tail->size) {
        tail->full = true;
        return;
    }
    memcpy(tail->text + tail->size, bytes, size);
    tail->size += size;
}

#define PUT(tail, literal) put(tail, literal, sizeof(literal) - 1)

static void
put_u64(struct tail *tail, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(tail, digits + at, sizeof(digits) - at);
}

/* In front of each member. */
static void
begin_member(struct tail *tail)
{
    if (tail->size == 0)
        PUT(tail, ",\"holdfast\":{");
    else
        PUT(tail, ",");
}

/* White space and a byte order mark: nothing else stands around an object. */
static void
put_space(struct tail *tail, struct hf_slice space)
{
    PUT(tail, "\"");
    for (size_t i = 0; i < space.size; i++) {
        if (space.ptr[i] == '\t')
            PUT(tail, "\\t");
        else if (space.ptr[i] == '\r')
            PUT(tail, "\\r");
        else
            put(tail, space.ptr + i, 1);
    }
    PUT(tail, "\"");
}

static void
put_around(struct tail *tail, const struct extras *extras)
{
    const char *comma = "";
    begin_member(tail);
    PUT(tail, "\"around\":{");
    if (extras->before.size > 0) {
        PUT(tail, "\"before\":");
        put_space(tail, extras->before);
        comma = ",";
    }
    if (extras->after.size > 0) {
        put(tail, comma, strlen(comma));
        PUT(tail, "\"after\":");
        put_space(tail, extras->after);
        comma = ",";
    }
    if (extras->unended) {
        put(tail, comma, strlen(comma));
        PUT(tail, "\"newline\":false");
    }
    PUT(tail, "}");
}

static void
put_origin(struct tail *tail, const struct hf_record_origin *origin, uint64_t seq, uint64_t offset,
           const struct extras *extras)
{
    begin_member(tail);
    PUT(tail, "\"seq\":");
    put_u64(tail, seq);
    put(tail, origin->said, origin->said_size);
    if (origin->is_file) {
        PUT(tail, ",\"offset\":");
        put_u64(tail, offset);
    }
    if (extras->inserted > 0) {
        PUT(tail, ",\"inserted\":");
        put_u64(tail, extras->inserted);
    }
}

bool
tail_make(struct tail *tail, const struct hf_record_maker *maker,
          const struct hf_record_origin *origin, uint64_t seq, uint64_t offset,
          const struct extras *extras)
{
    tail->size = 0;
    tail->full = false;
    if (maker->provenance)
        put_origin(tail, origin, seq, offset, extras);
    if (extras->time.ptr) {
        begin_member(tail);
        PUT(tail, "\"eventTime\":");
        put(tail, extras->time.ptr, extras->time.size);
    }
    if (origin->is_file && (extras->before.size > 0 || extras->after.size > 0 || extras->unended))
        put_around(tail, extras);
    if (tail->size > 0)
        PUT(tail, "}");
    return !tail->full;
}

/* ---- where lines come from ---- */

static void
say(struct hf_record_origin *origin, const char *text, struct hf_slice value, const char *behind)
{
    const struct hf_slice parts[] = { hf_slice_text(text), value, hf_slice_text(behind) };
    for (size_t i = 0; i < HF_COUNT(parts); i++) {
        hf_assert(parts[i].size <= sizeof(origin->said) - origin->said_size);
        if (parts[i].size > 0)
            memcpy(origin->said + origin->said_size, parts[i].ptr, parts[i].size);
        origin->said_size += parts[i].size;
    }
}

/* A source's name is made of characters that stand for themselves; and is not long. */
void
hf_record_origin(struct hf_record_origin *origin, const char *source, const char *event_name)
{
    origin->source = source;
    origin->event_name = event_name;
    origin->is_file = false;
    origin->said_size = 0;
    say(origin, ",\"source\":\"", hf_slice_text(source), "\"");
}

void
hf_record_origin_peer(struct hf_record_origin *origin, uid_t uid, gid_t gid, pid_t pid)
{
    char numbers[96];
    snprintf(numbers, sizeof(numbers), "\"uid\":%lu,\"gid\":%lu,\"pid\":%ld", (unsigned long)uid,
             (unsigned long)gid, (long)pid);
    say(origin, ",\"atConnect\":{", hf_slice_text(numbers), "}");
}

/* Behind the character of a JSON string's inside that begins at `at`; a byte that was made \xNN is
 * one, too. */
static size_t
character_end(struct hf_slice inside, size_t at)
{
    const char *text = (const char *)inside.ptr;
    if (text[at] != '\\') {
        do
            at++;
        while (at < inside.size && (inside.ptr[at] & 0xc0) == 0x80);
        return at;
    }
    if (text[at + 1] == 'u')
        return at + 6;
    return at + (inside.size - at >= 5 && memcmp(text + at, "\\\\x", 3) == 0 ? 5 : 2);
}

void
hf_record_origin_file(struct hf_record_origin *origin, const char *path)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(8 * HF_PATH_MAX);
    uint8_t hash[HF_SHA256_SIZE];
    char hex[HF_HEX_SIZE(HF_SHA256_SIZE)];
    origin->is_file = true;
    hf_assert(hf_record_add_path(&json, path) == HF_OK);
    struct hf_slice inside = hf_slice(json.ptr + 1, json.size - 2);
    if (inside.size <= HF_RECORD_FILE_MAX) {
        say(origin, ",\"file\":\"", inside, "\"");
        return;
    }
    size_t from = 0;
    while (inside.size - from > HF_RECORD_FILE_MAX)
        from = character_end(inside, from);
    say(origin, ",\"file\":\"", hf_slice(inside.ptr + from, inside.size - from), "\"");
    hf_sha256(path, strlen(path), hash);
    hf_hex(hash, sizeof(hash), hex);
    say(origin, ",\"fileSha256\":\"", hf_slice_text(hex), "\"");
}

enum hf_status
hf_record_add_path(struct hf_buf *json, const char *path)
{
    struct hf_slice slice = hf_slice_text(path);
    if (hf_utf8_valid(slice))
        return hf_json_add_string(json, slice);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(5 * HF_PATH_MAX);
    for (const char *at = path; *at; at++) {
        enum hf_status status = (uint8_t)*at < 0x80
                                    ? hf_buf_add(&text, at, 1)
                                    : hf_buf_addf(&text, "\\x%02x", (unsigned)(uint8_t)*at);
        if (status != HF_OK)
            return status;
    }
    return hf_json_add_string(json, hf_buf_slice(&text));
}
