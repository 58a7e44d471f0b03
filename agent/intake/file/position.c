/* The position in a file as one line of text:
 *
 *   1 OFFSET LINE_PARTS LINE_BYTES FLAGS SEEN_S HEAD TAIL PATH
 *
 * HEAD and TAIL are hex; FLAGS is 1 done + 2 reported + 4 fresh + 8 moved; the path comes last
 * because it may hold spaces. */
#include "agent/intake/file/position.h"

#include <stdlib.h>
#include <string.h>

enum { DONE = 1, REPORTED = 2, FRESH = 4, MOVED = 8, ALL_FLAGS = 15 };

enum hf_status
hf_position_encode(const struct hf_position *position, struct hf_buf *ret_value)
{
    char head[HF_HEX_SIZE(HF_PRINT_HASH)], tail[HF_HEX_SIZE(HF_PRINT_HASH)];
    unsigned flags = (position->done ? DONE : 0) | (position->reported ? REPORTED : 0) |
                     (position->fresh ? FRESH : 0) | (position->moved ? MOVED : 0);
    hf_hex(position->print.head, HF_PRINT_HASH, head);
    hf_hex(position->print.tail, HF_PRINT_HASH, tail);
    return hf_buf_addf(
        ret_value, "1 %llu %llu %llu %u %lld %s %s %s", (unsigned long long)position->print.offset,
        (unsigned long long)position->line_parts, (unsigned long long)position->line_bytes, flags,
        (long long)position->seen_s, head, tail, position->path);
}

/* The next word of *at, up to a space; moves behind it. */
static const char *
next_word(char **at)
{
    char *word = *at, *space = strchr(word, ' ');
    if (!space)
        return NULL;
    *space = '\0';
    *at = space + 1;
    return word;
}

static bool
next_number(char **at, uint64_t most, uint64_t *ret_number)
{
    const char *word = next_word(at);
    return word && hf_parse_u64(word, 0, most, ret_number);
}

static bool
next_hash(char **at, uint8_t ret_hash[HF_PRINT_HASH])
{
    const char *word = next_word(at);
    return word && hf_unhex(word, strlen(word), ret_hash, HF_PRINT_HASH);
}

/* "file/SOURCE/DEV:INO:BIRTH", DEV in hex. */
static bool
decode_key(const char *key, struct hf_file_id *ret_id)
{
    const char *last = strrchr(key, '/');
    if (!last)
        return false;
    char *end;
    ret_id->dev = strtoull(last + 1, &end, 16);
    if (*end != ':')
        return false;
    ret_id->ino = strtoull(end + 1, &end, 10);
    if (*end != ':')
        return false;
    ret_id->birth_ns = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

bool
hf_position_decode(const char *key, struct hf_slice value, struct hf_position *ret_position)
{
    struct hf_position position = { .path = NULL };
    uint64_t version, flags, seen_s;
    char *text = hf_strndup((const char *)value.ptr, value.size), *at = text;
    bool good = decode_key(key, &position.id) && next_number(&at, 1, &version) && version == 1 &&
                next_number(&at, INT64_MAX, &position.print.offset) &&
                next_number(&at, INT64_MAX, &position.line_parts) &&
                next_number(&at, position.print.offset, &position.line_bytes) &&
                next_number(&at, ALL_FLAGS, &flags) && next_number(&at, INT64_MAX, &seen_s) &&
                next_hash(&at, position.print.head) && next_hash(&at, position.print.tail);
    if (good) {
        position.done = flags & DONE;
        position.reported = flags & REPORTED;
        position.fresh = flags & FRESH;
        position.moved = flags & MOVED;
        position.seen_s = (int64_t)seen_s;
        position.path = hf_strdup(at);
        *ret_position = position;
    }
    hf_freep(&text);
    return good;
}
