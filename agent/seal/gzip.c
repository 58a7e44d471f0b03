/* gzip, RFC 1952: always one member, without a name and a time, so that the same input gives the
 * same bytes. Readers exist that stop after the first member, some of them silently. */
#include "agent/seal/seal_impl.h"

#include <libdeflate.h>

#define GZIP_LEAST 18u /* header and trailer */
/* DEFLATE's best: 258 bytes for two bits, RFC 1951 section 3.2.5; and what a first block may give
 * for nothing. */
#define RATIO_MOST  1032u
#define RATIO_SLACK 65536u

void
gzip_compressor_free(void *compressor)
{
    libdeflate_free_compressor(compressor);
}

static struct libdeflate_compressor *
compressor_of(int level)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    hf_assert(compressor != NULL); /* memory, or a level outside 0 to 12 */
    return compressor;
}

static size_t
deflate_into(struct hf_slice plain, struct libdeflate_compressor *compressor, struct hf_buf *gzip)
{
    /* Reserved, not touched: only the pages that the result needs become memory. */
    size_t room = HF_MIN(libdeflate_gzip_compress_bound(compressor, plain.size), gzip->max);
    enum hf_status status = memory_reserve(gzip, room);
    hf_assert(status == HF_OK);
    return libdeflate_gzip_compress(compressor, plain.size ? plain.ptr : (const uint8_t *)"",
                                    plain.size, gzip->ptr, room);
}

#ifdef HF_HAVE_ISAL
static size_t
isal_into(struct hf_slice plain, struct hf_buf *gzip)
{
    size_t room = HF_MIN(isal_gzip_bound(plain.size), gzip->max);
    enum hf_status status = memory_reserve(gzip, room);
    hf_assert(status == HF_OK);
    return isal_gzip(plain, gzip->ptr, room);
}
#endif

static enum hf_status
finish(struct hf_slice plain, size_t size, struct hf_buf *gzip, struct hf_error *err)
{
    if (size == 0)
        return hf_fail(err, HF_ELIMIT, "compressing %zu bytes needs more than the %zu allowed",
                       plain.size, gzip->max);
    gzip->size = size;
    gzip->ptr[size] = '\0';
    return HF_OK;
}

enum hf_status
gzip_window(struct hf_seal_memory *memory, int compression, struct hf_error *err)
{
    struct hf_slice plain = hf_buf_slice(&memory->plain);
#ifdef HF_HAVE_ISAL
    if (compression == HF_COMPRESSION_ISAL)
        return finish(plain, isal_into(plain, &memory->body), &memory->body, err);
#endif
    if (!memory->compressor || memory->level != compression) {
        gzip_compressor_free(memory->compressor);
        memory->compressor = compressor_of(compression);
        memory->level = compression;
    }
    return finish(plain, deflate_into(plain, memory->compressor, &memory->body), &memory->body,
                  err);
}

enum hf_status
hf_gzip(struct hf_slice plain, int level, struct hf_buf *ret_gzip, struct hf_error *err)
{
    struct libdeflate_compressor *compressor = compressor_of(level);
    size_t size = deflate_into(plain, compressor, ret_gzip);
    gzip_compressor_free(compressor);
    return finish(plain, size, ret_gzip, err);
}

struct attempt {
    enum libdeflate_result result;
    size_t used, made;
};

static struct attempt
try_room(struct hf_slice gzip, struct hf_buf *plain, size_t room)
{
    struct attempt attempt = { .result = LIBDEFLATE_BAD_DATA };
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    hf_assert(decompressor != NULL);
    enum hf_status status = hf_buf_reserve(plain, room);
    hf_assert(status == HF_OK);
    attempt.result = libdeflate_gzip_decompress_ex(decompressor, gzip.ptr, gzip.size, plain->ptr,
                                                   room, &attempt.used, &attempt.made);
    libdeflate_free_decompressor(decompressor);
    return attempt;
}

/* The last four bytes tell the size of the plain text, if nothing lies behind the member and nobody
 * lied; they are a guess that saves memory, never believed: when it does not fit, the bound decides
 * what is wrong. */
enum hf_status
hf_gunzip(struct hf_slice gzip, struct hf_buf *ret_plain, struct hf_error *err)
{
    hf_buf_reset(ret_plain);
    if (gzip.size < GZIP_LEAST)
        return hf_fail(err, HF_EFORMAT, "%zu bytes are no gzip member", gzip.size);
    size_t bound = gzip.size < SIZE_MAX / RATIO_MOST - RATIO_SLACK
                       ? gzip.size * RATIO_MOST + RATIO_SLACK
                       : SIZE_MAX;
    bound = HF_MIN(bound, ret_plain->max);
    size_t guess = hf_get_le32(gzip.ptr + gzip.size - 4);
    struct attempt attempt = { .result = LIBDEFLATE_INSUFFICIENT_SPACE };
    if (guess <= bound)
        attempt = try_room(gzip, ret_plain, guess);
    if (attempt.result == LIBDEFLATE_INSUFFICIENT_SPACE)
        attempt = try_room(gzip, ret_plain, bound);
    if (attempt.result == LIBDEFLATE_INSUFFICIENT_SPACE)
        return hf_fail(err, HF_ELIMIT,
                       "more than the %zu bytes allowed come out of this gzip member",
                       ret_plain->max);
    if (attempt.result != LIBDEFLATE_SUCCESS)
        return hf_fail(err, HF_EFORMAT, "not a whole gzip member");
    if (attempt.used != gzip.size)
        return hf_fail(err, HF_EFORMAT, "%zu bytes lie behind the end of the gzip member",
                       gzip.size - attempt.used);
    ret_plain->size = attempt.made;
    ret_plain->ptr[attempt.made] = '\0';
    return HF_OK;
}
