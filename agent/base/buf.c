/* A growing byte buffer with a named maximum. Invariants: size <= capacity <= max, and ptr[size] is
 * NUL. */
#include <holdfast/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void
hf_buf_init(struct hf_buf *buf, size_t max)
{
    *buf = HF_BUF(max);
}

void
hf_buf_done(struct hf_buf *buf)
{
    free(buf->ptr);
    hf_buf_init(buf, buf->max);
}

void
hf_buf_reset(struct hf_buf *buf)
{
    buf->size = 0;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

enum hf_status
hf_buf_reserve(struct hf_buf *buf, size_t more)
{
    if (buf->size > buf->max || more > buf->max - buf->size)
        return HF_ELIMIT;
    size_t needed = buf->size + more;
    if (buf->ptr && needed <= buf->capacity)
        return HF_OK;

    size_t capacity = HF_MAX(needed, FIRST_CAPACITY);
    if (buf->capacity <= SIZE_MAX / 2)
        capacity = HF_MAX(capacity, 2 * buf->capacity);
    capacity = HF_MIN(capacity, buf->max);
    hf_assert(capacity < SIZE_MAX);
    buf->ptr = hf_realloc(buf->ptr, capacity + 1);
    buf->ptr[buf->size] = '\0';
    buf->capacity = capacity;
    return HF_OK;
}

enum hf_status
hf_buf_add(struct hf_buf *buf, const void *bytes, size_t size)
{
    enum hf_status status = hf_buf_reserve(buf, size);

    if (status != HF_OK)
        return status;
    if (size > 0)
        memcpy(buf->ptr + buf->size, bytes, size);
    buf->size += size;
    buf->ptr[buf->size] = '\0';
    return HF_OK;
}

enum hf_status
hf_buf_add_text(struct hf_buf *buf, const char *text)
{
    return hf_buf_add(buf, text, strlen(text));
}

enum hf_status
hf_buf_addf(struct hf_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return HF_ELIMIT; /* longer than INT_MAX */
    enum hf_status status = hf_buf_reserve(buf, (size_t)size);
    if (status != HF_OK)
        return status;

    va_start(args, format);
    vsnprintf((char *)buf->ptr + buf->size, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
    return HF_OK;
}

struct hf_slice
hf_buf_slice(const struct hf_buf *buf)
{
    return hf_slice(buf->ptr, buf->size);
}

const char *
hf_buf_text(const struct hf_buf *buf)
{
    return buf->ptr ? (const char *)buf->ptr : "";
}
