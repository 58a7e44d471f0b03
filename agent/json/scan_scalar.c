/* The scanner for any processor: eight bytes of a string at a time in an ordinary register. */
#include <string.h>

#include "json_impl.h"

#define EACH(byte) (0x0101010101010101ull * (byte))

/* A set top bit at each byte that is '"', '\', below 0x20 or above 0x7f. A borrow can set bits
 * above the first such byte wrongly, never at or below it. */
static inline uint64_t
special_bytes(uint64_t word)
{
    uint64_t quote = word ^ EACH('"'), backslash = word ^ EACH('\\');
    uint64_t hits = ((quote - EACH(1)) & ~quote) | ((backslash - EACH(1)) & ~backslash) |
                    ((word - EACH(0x20)) & ~word) | word;
    return hits & EACH(0x80);
}

static inline bool
is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static inline __attribute__((always_inline)) const uint8_t *
plain_run(const uint8_t *at, const uint8_t *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t hits = special_bytes(word);
        if (hits)
            return at + __builtin_ctzll(hits) / 8;
    }
#endif
    while (at < end && is_plain(*at))
        at++;
    return at;
}

#define SCAN_TWIN hf_json_scan_scalar
#include "scan_body.h"
