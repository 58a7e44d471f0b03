/* Cutting lines. Pure: bytes in, pieces out; nothing is copied. */
#include "agent/intake/intake_impl.h"

#include <holdfast/crypto.h>
#include <string.h>

/* A part does not end inside a UTF-8 character, else two parts of readable text would both have to
 * become base64. */
static size_t
part_size(const uint8_t *bytes, size_t max_event)
{
    size_t size = max_event;
    while (size > max_event - 3 && (bytes[size] & 0xc0) == 0x80)
        size--;
    return (bytes[size] & 0xc0) == 0x80 ? max_event : size; /* no UTF-8 anyway */
}

struct hf_piece
hf_piece_next(struct hf_slice input, size_t max_event, bool in_parts, bool ended)
{
    struct hf_piece none = { .kind = HF_PIECE_NONE };
    enum hf_piece_kind whole = in_parts ? HF_PIECE_LAST : HF_PIECE_LINE;
    const uint8_t *newline = input.size > 0 ? memchr(input.ptr, '\n', input.size) : NULL;
    size_t size = newline ? (size_t)(newline - input.ptr) : input.size;

    if (size > max_event) {
        size_t cut = part_size(input.ptr, max_event);
        return (struct hf_piece){ .kind = HF_PIECE_PART,
                                  .bytes = hf_slice(input.ptr, cut),
                                  .consumed = cut };
    }
    if (newline)
        return (struct hf_piece){ .kind = whole,
                                  .bytes = hf_slice(input.ptr, size),
                                  .consumed = size + 1 };
    if (ended && (size > 0 || in_parts))
        return (
            struct hf_piece){ .kind = whole, .bytes = hf_slice(input.ptr, size), .consumed = size };
    return none;
}

void
hf_long_line_add(struct hf_long_line *line, uint64_t at, struct hf_slice bytes)
{
    if (line->finished || at + bytes.size <= line->hashed)
        return;
    hf_assert(at <= line->hashed);
    if (!line->hasher)
        line->hasher = hf_hasher_new_sha256();
    size_t known = (size_t)(line->hashed - at);
    hf_hasher_add(line->hasher, bytes.ptr + known, bytes.size - known);
    line->hashed = at + bytes.size;
}

void
hf_long_line_finish(struct hf_long_line *line)
{
    if (line->finished)
        return;
    uint8_t hash[HF_SHA256_SIZE];
    if (!line->hasher)
        line->hasher = hf_hasher_new_sha256();
    hf_hasher_finish(hf_take(line->hasher), hash, NULL);
    hf_hex(hash, sizeof(hash), line->sha256);
    line->finished = true;
}

void
hf_long_line_reset(struct hf_long_line *line)
{
    hf_hasher_free(line->hasher);
    *line = (struct hf_long_line){ .parts = 0 };
}
