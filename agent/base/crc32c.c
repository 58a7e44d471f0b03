/* CRC-32C (Castagnoli; RFC 3720 appendix B.4), reflected polynomial 0x82f63b78: with the
 * processor's own instruction where it has one, else eight bytes at a time through tables.
 *
 * The instruction takes 8 bytes and has its result 3 cycles later, but can be begun in each of
 * them: three lanes that know nothing of each other are worked on at a time.
 *
 *   │ lane a │ lane b │ lane c │      crc(abc) = skip(skip(crc(a)) ^ crc(b)) ^ crc(c)
 *
 * skip() is what as many zero bytes as a lane has do to a checksum: linear, so a table per byte. */
#include "agent/base/base_impl.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u

/* tables[0] moves the checksum over one byte; tables[k] over that byte and k zero bytes after it.
 */
static uint32_t tables[8][256];
static bool use_sse42;

#if defined(__x86_64__)
#define LANE 1024u
static uint32_t skips[4][256]; /* [k]: of the checksum's byte k */

static void
prepare_skips(void)
{
    for (int k = 0; k < 4; k++) {
        for (int bit = 0; bit < 8; bit++) {
            uint32_t crc = 1u << (8 * k + bit);
            for (unsigned i = 0; i < LANE; i++)
                crc = crc >> 8 ^ tables[0][crc & 0xff];
            skips[k][1 << bit] = crc;
        }
        for (unsigned byte = 1; byte < 256; byte++)
            skips[k][byte] = skips[k][byte & (byte - 1)] ^ skips[k][byte & -byte];
    }
}
#endif

/* Before main(), so that no thread can find them half made. */
static __attribute__((constructor)) void
prepare(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t byte = 0; byte < 256; byte++)
            tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
#if defined(__x86_64__)
    use_sse42 = hf_crc32c_has_sse42();
    prepare_skips();
#endif
}

uint32_t
hf_crc32c_tables(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint32_t low = crc ^ hf_get_le32(bytes);
        uint32_t high = hf_get_le32(bytes + 4);
        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
              tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
              tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
    }
    for (; size > 0; size--, bytes++)
        crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
bool
hf_crc32c_has_sse42(void)
{
    /* Needed because this may run before the compiler's own constructor has looked at the
     * processor. */
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

static uint32_t
skip(uint32_t crc)
{
    return skips[0][crc & 0xff] ^ skips[1][crc >> 8 & 0xff] ^ skips[2][crc >> 16 & 0xff] ^
           skips[3][crc >> 24];
}

static inline uint64_t
word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Over three lanes; `crc` is that of what stands before them, not inverted. */
__attribute__((target("sse4.2"))) static uint32_t
three_lanes(uint32_t crc, const uint8_t *bytes)
{
    uint64_t a = crc, b = 0, c = 0;

    for (unsigned at = 0; at < LANE; at += 8) {
        a = __builtin_ia32_crc32di(a, word_at(bytes + at));
        b = __builtin_ia32_crc32di(b, word_at(bytes + LANE + at));
        c = __builtin_ia32_crc32di(c, word_at(bytes + 2 * LANE + at));
    }
    return skip(skip((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) uint32_t
hf_crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    for (; size >= 3 * LANE; size -= 3 * LANE, bytes += 3 * LANE)
        crc = three_lanes(crc, bytes);
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, bytes += 8)
        wide = __builtin_ia32_crc32di(wide, word_at(bytes));
    crc = (uint32_t)wide;
    for (; size > 0; size--, bytes++)
        crc = __builtin_ia32_crc32qi(crc, *bytes);
    return ~crc;
}
#endif

uint32_t
hf_crc32c(uint32_t crc, const void *bytes, size_t size)
{
#if defined(__x86_64__)
    if (use_sse42)
        return hf_crc32c_sse42(crc, bytes, size);
#endif
    return hf_crc32c_tables(crc, bytes, size);
}
