/* CRC-32C (Castagnoli; RFC 3720 appendix B.4), reflected polynomial 0x82f63b78: with the
 * processor's own instruction where it has one (about 8 bytes in 3 cycles), else eight bytes at a
 * time through tables. */
#include "agent/base/base_impl.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u

/* tables[0] moves the checksum over one byte; tables[k] over that byte and k zero bytes after it.
 */
static uint32_t tables[8][256];
static bool use_sse42;

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

__attribute__((target("sse4.2"))) uint32_t
hf_crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t size)
{
    uint64_t wide = ~crc;

    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
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
