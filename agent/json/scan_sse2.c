/* The scanner with SSE2: 16 bytes of a string at a time. */
#include <emmintrin.h>

#include "json_impl.h"

static inline __attribute__((always_inline)) const uint8_t *
plain_run(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* As signed bytes both the control characters and all that is not ASCII are less than a
         * space. */
        __m128i hits = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                                    _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
        unsigned mask = (unsigned)_mm_movemask_epi8(hits);
        if (mask)
            return at + __builtin_ctz(mask);
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

#define SCAN_TWIN hf_json_scan_sse2
#include "scan_body.h"
