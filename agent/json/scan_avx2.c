/* The scanner with AVX2: 32 bytes of a string at a time. Compiled for AVX2 as a whole; scan.c asks
 * the processor. */
#include <immintrin.h>

#include "json_impl.h"

static inline __attribute__((always_inline)) const uint8_t *
plain_run(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 32; at += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
        /* As signed bytes both the control characters and all that is not ASCII are less than a
         * space. */
        __m256i hits =
            _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                            _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))),
                            _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), bytes));
        unsigned mask = (unsigned)_mm256_movemask_epi8(hits);
        if (mask)
            return at + __builtin_ctz(mask);
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

#define SCAN_TWIN hf_json_scan_avx2
#include "scan_body.h"
