/* Borrowed bytes, and bytes as text: hex and base64. */
#include <holdfast/base.h>

#include <string.h>

struct hf_slice
hf_slice(const void *bytes, size_t size)
{
    return (struct hf_slice){ .ptr = bytes, .size = size };
}

struct hf_slice
hf_slice_text(const char *text)
{
    return hf_slice(text, text ? strlen(text) : 0);
}

bool
hf_slice_equal(struct hf_slice a, struct hf_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.ptr, b.ptr, a.size) == 0);
}

bool
hf_slice_is(struct hf_slice a, const char *text)
{
    return hf_slice_equal(a, hf_slice_text(text));
}

bool
hf_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
hf_ends_with(const char *text, const char *suffix)
{
    size_t text_size = strlen(text);
    size_t suffix_size = strlen(suffix);

    return text_size >= suffix_size &&
           memcmp(text + text_size - suffix_size, suffix, suffix_size) == 0;
}

/* Bytes of the control character here, or 0. */
static size_t
control_size(const char *at)
{
    const unsigned char *c = (const unsigned char *)at;

    if (c[0] < 0x20 || c[0] == 0x7f)
        return c[0] ? 1 : 0;
    return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

bool
hf_has_control(const char *text)
{
    for (; *text; text++)
        if (control_size(text))
            return true;
    return false;
}

void
hf_mask_controls(char *text)
{
    for (; *text; text++)
        memset(text, '?', control_size(text));
}

void
hf_hex(const void *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;

    for (size_t i = 0; i < size; i++) {
        *ret_text++ = digits[from[i] >> 4];
        *ret_text++ = digits[from[i] & 15];
    }
    *ret_text = '\0';
}

int
hf_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool
hf_unhex(const char *text, size_t text_size, uint8_t *ret_bytes, size_t size)
{
    if (text_size % 2 != 0 || text_size / 2 != size)
        return false;
    for (size_t i = 0; i < text_size; i++)
        if (hf_hex_value(text[i]) < 0)
            return false;
    for (size_t i = 0; i < size; i++)
        ret_bytes[i] = (uint8_t)(hf_hex_value(text[2 * i]) * 16 + hf_hex_value(text[2 * i + 1]));
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
hf_base64(const void *bytes, size_t size, char *ret_text)
{
    const uint8_t *from = bytes;

    for (; size >= 3; size -= 3, from += 3) {
        uint32_t group = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *ret_text++ = base64_digits[group >> shift & 63];
    }
    if (size > 0) {
        uint32_t group = (uint32_t)from[0] << 16 | (size == 2 ? (uint32_t)from[1] << 8 : 0);
        *ret_text++ = base64_digits[group >> 18 & 63];
        *ret_text++ = base64_digits[group >> 12 & 63];
        *ret_text++ = size == 2 ? base64_digits[group >> 6 & 63] : '=';
        *ret_text++ = '=';
    }
    *ret_text = '\0';
}

static int
base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : -1;
}

/* Strict: whole groups, padding only at the end, and no set bits that decode to nothing; so that
 * two different texts never mean the same bytes. Gives the count of padding signs, or -1. */
static int
base64_check(const char *text, size_t text_size)
{
    static const int lost_bits[] = { 0, 3, 15 };
    int padding = 0;

    if (text_size % 4 != 0)
        return -1;
    while (padding < 2 && text_size > 0 && text[text_size - 1] == '=') {
        text_size--;
        padding++;
    }
    for (size_t i = 0; i < text_size; i++)
        if (base64_value(text[i]) < 0)
            return -1;
    if (padding > 0 && base64_value(text[text_size - 1]) & lost_bits[padding])
        return -1;
    return padding;
}

enum hf_status
hf_unbase64(const char *text, size_t text_size, struct hf_buf *ret_bytes)
{
    int padding = base64_check(text, text_size);

    if (padding < 0)
        return HF_EFORMAT;
    size_t size = text_size / 4 * 3 - (size_t)padding;
    if (size > ret_bytes->max)
        return HF_ELIMIT;
    hf_buf_reset(ret_bytes);
    enum hf_status status = hf_buf_reserve(ret_bytes, size);
    if (status != HF_OK)
        return status;

    uint8_t *to = ret_bytes->ptr;
    uint32_t group = 0;
    for (size_t i = 0; i < text_size - (size_t)padding; i++) {
        group = group << 6 | (uint32_t)base64_value(text[i]);
        if (i % 4 > 0)
            *to++ = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    ret_bytes->size = size;
    ret_bytes->ptr[size] = '\0';
    return HF_OK;
}
