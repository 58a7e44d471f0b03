/* Numbers: strict decimal text, sizes, durations, and little-endian fields. */
#include <holdfast/base.h>

#include <string.h>

/* Reads the digits at *text and moves it past them. No digits or more than 64 bits is a failure. */
static bool
take_digits(const char **text, uint64_t *ret_value)
{
    const char *at = *text;
    uint64_t value = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    *text = at;
    *ret_value = value;
    return true;
}

bool
hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    uint64_t value;

    if (!text || !take_digits(&text, &value) || *text != '\0' || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static bool
parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *ret_value)
{
    uint64_t value;

    if (!text || !take_digits(&text, &value))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(value, units[i].factor, &value))
            return false;
        *ret_value = value;
        return true;
    }
    return false;
}

bool
hf_parse_size(const char *text, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "", 1 },
        { "KiB", 1ull << 10 },
        { "MiB", 1ull << 20 },
        { "GiB", 1ull << 30 },
        { "TiB", 1ull << 40 },
        { "kB", 1000ull },
        { "MB", 1000ull * 1000 },
        { "GB", 1000ull * 1000000 },
        { "TB", 1000000ull * 1000000 },
    };

    return parse_with_unit(text, units, HF_COUNT(units), ret_bytes);
}

bool
hf_parse_duration(const char *text, uint64_t *ret_seconds)
{
    static const struct unit units[] = {
        { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }
    };

    return parse_with_unit(text, units, HF_COUNT(units), ret_seconds);
}

/* Written byte by byte: right on every machine and at every alignment; compilers make one store of
 * it. */
void
hf_put_le16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

void
hf_put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void
hf_put_le64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

uint16_t
hf_get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t
hf_get_le32(const uint8_t *at)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

uint64_t
hf_get_le64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}
