#include "agent/base/base_impl.h"
#include "tests/support/test.h"

typedef uint32_t (*crc_function)(uint32_t crc, const uint8_t *bytes, size_t size);

static uint32_t
public_way(uint32_t crc, const uint8_t *bytes, size_t size)
{
    return hf_crc32c(crc, bytes, size);
}

/* The definition, bit by bit: slow, and too short to be wrong. */
static uint32_t
plain_way(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    while (size--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
    }
    return ~crc;
}

static size_t
ways(crc_function ret_ways[4])
{
    size_t count = 0;

    ret_ways[count++] = plain_way;
    ret_ways[count++] = public_way;
    ret_ways[count++] = hf_crc32c_tables;
#if defined(__x86_64__)
    if (hf_crc32c_has_sse42())
        ret_ways[count++] = hf_crc32c_sse42;
#endif
    return count;
}

static void
every_way_gives_the_known_values(void **state)
{
    (void)state;
    crc_function all[4];
    size_t count = ways(all);
    uint8_t bytes[32];

    for (size_t i = 0; i < count; i++) {
        assert_true(all[i](0, (const uint8_t *)"123456789", 9) == 0xe3069283u);
        assert_true(all[i](0, (const uint8_t *)"", 0) == 0);
        /* RFC 3720 appendix B.4 */
        memset(bytes, 0, sizeof(bytes));
        assert_true(all[i](0, bytes, 32) == 0x8a9136aau);
        memset(bytes, 0xff, sizeof(bytes));
        assert_true(all[i](0, bytes, 32) == 0x62a8ab43u);
        for (int k = 0; k < 32; k++)
            bytes[k] = (uint8_t)k;
        assert_true(all[i](0, bytes, 32) == 0x46dd794eu);
        for (int k = 0; k < 32; k++)
            bytes[k] = (uint8_t)(31 - k);
        assert_true(all[i](0, bytes, 32) == 0x113fdb5cu);
    }
}

static void
every_way_agrees_at_every_length_and_alignment(void **state)
{
    (void)state;
    crc_function all[4];
    size_t count = ways(all);
    uint8_t bytes[200];
    uint32_t noise = 1;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        noise = noise * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(noise >> 24);
    }
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; start + size <= sizeof(bytes); size++)
            for (size_t i = 1; i < count; i++)
                assert_true(all[i](noise, bytes + start, size) ==
                            plain_way(noise, bytes + start, size));
}

static void
every_way_agrees_at_lengths_of_a_few_thousand_bytes(void **state)
{
    (void)state;
    crc_function all[4];
    size_t count = ways(all);
    static uint8_t bytes[7 * 1024];
    uint32_t noise = 7;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        noise = noise * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(noise >> 24);
    }
    for (size_t size = 1000; size + 3 <= sizeof(bytes); size += size % 1024 < 1000 ? 89 : 1)
        for (size_t i = 1; i < count; i++)
            assert_true(all[i](noise, bytes + size % 4, size - 1) ==
                        plain_way(noise, bytes + size % 4, size - 1));
}

static void
every_way_continues_where_it_was_interrupted(void **state)
{
    (void)state;
    crc_function all[4];
    size_t count = ways(all);
    const uint8_t *text = (const uint8_t *)"what is done in two parts is done all the same";

    for (size_t i = 0; i < count; i++)
        for (size_t cut = 0; cut <= 46; cut++)
            assert_true(all[i](all[i](0, text, cut), text + cut, 46 - cut) == all[i](0, text, 46));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_gives_the_known_values),
        cmocka_unit_test(every_way_agrees_at_every_length_and_alignment),
        cmocka_unit_test(every_way_agrees_at_lengths_of_a_few_thousand_bytes),
        cmocka_unit_test(every_way_continues_where_it_was_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
