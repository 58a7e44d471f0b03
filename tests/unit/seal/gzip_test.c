#include "tests/unit/seal/seal_test.h"

static char folder[256];

static void
fill(struct hf_buf *buf, size_t size)
{
    uint32_t state = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        uint8_t byte = i % 3 ? (uint8_t) "abcdef"[state >> 28 & 3] : (uint8_t)(state >> 24);
        assert_int_equal(hf_buf_add(buf, &byte, 1), HF_OK);
    }
}

static void
pack(const struct hf_buf *plain, int level, struct hf_buf *gzip)
{
    struct hf_seal_memory memory = hf_seal_memory();
    if (level != HF_COMPRESSION_ISAL) {
        assert_int_equal(hf_gzip(hf_buf_slice(plain), level, gzip, NULL), HF_OK);
        return;
    }
    assert_int_equal(hf_buf_add(&memory.plain, plain->ptr, plain->size), HF_OK);
    assert_int_equal(gzip_window(&memory, level, NULL), HF_OK);
    hf_buf_reset(gzip);
    assert_int_equal(hf_buf_add(gzip, memory.body.ptr, memory.body.size), HF_OK);
    hf_seal_memory_done(&memory);
}

/* 0: stored, as around an envelope. */
static const int ways[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, HF_COMPRESSION_ISAL };

static bool
has(int way)
{
    return way == 0 || hf_compression_available(way);
}

static void
names_of_ways_come_back(void **state)
{
    (void)state;
    int compression = 77;
    for (size_t way = 1; way < HF_COUNT(ways); way++) {
        char text[HF_COMPRESSION_TEXT_MAX];
        hf_compression_text(ways[way], text);
        assert_true(hf_compression_parse(text, &compression));
        assert_int_equal(compression, ways[way]);
    }
    static const char *const wrong[] = {
        NULL, "", "libdeflate-0", "libdeflate-13", "libdeflate-32", "libdeflate-6 ", "isa-l-1", "6"
    };
    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_compression_parse(wrong[i], &compression));
    assert_false(hf_compression_available(0));
    assert_false(hf_compression_available(13));
}

/* Nothing of it can be made smaller: it takes its own size and a little. */
static void
what_does_not_compress_fits_as_well(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(4u << 20), gzip = HF_BUF(5u << 20),
                                        again = HF_BUF(4u << 20);
    assert_int_equal(hf_buf_reserve(&plain, 3u << 20), HF_OK);
    hf_random(plain.ptr, 3u << 20);
    plain.size = 3u << 20;
    for (size_t way = 0; way < HF_COUNT(ways); way++) {
        if (!has(ways[way]) || (ways[way] > 9 && ways[way] != HF_COMPRESSION_ISAL))
            continue;
        pack(&plain, ways[way], &gzip);
        assert_in_range(gzip.size, plain.size, plain.size + plain.size / 1000 + 128);
        assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, NULL), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
    }
}

static void
every_level_and_size_comes_back(void **state)
{
    (void)state;
    const size_t sizes[] = { 0, 1, 2, 100, 65535, 65536, 65537, 200000 };
    for (size_t i = 0; i < HF_COUNT(sizes); i++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20),
                                            again = HF_BUF(1u << 20);
        fill(&plain, sizes[i]);
        for (size_t way = 0; way < HF_COUNT(ways); way++) {
            if (!has(ways[way]))
                continue;
            pack(&plain, ways[way], &gzip);
            assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, NULL), HF_OK);
            assert_true(hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
        }
    }
}

/* A window that is sealed again, by another sealer or after a restart, has to have the same
 * bytes. */
static void
what_was_compressed_before_changes_nothing(void **state)
{
    (void)state;
    hf_owned(hf_seal_memory_done) struct hf_seal_memory memory = hf_seal_memory();
    const size_t sizes[] = { 200000, 100, 65536, 200000 };
    const int levels[] = { 6, 1, HF_COMPRESSION_ISAL, 6, 12 };
    for (size_t i = 0; i < HF_COUNT(sizes) * HF_COUNT(levels); i++) {
        hf_owned(hf_buf_done) struct hf_buf fresh = HF_BUF(1u << 20);
        int level = levels[i % HF_COUNT(levels)];
        if (!has(level))
            continue;
        hf_buf_reset(&memory.plain);
        fill(&memory.plain, sizes[i / HF_COUNT(levels)]);
        pack(&memory.plain, level, &fresh);
        assert_int_equal(gzip_window(&memory, level, NULL), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&memory.body), hf_buf_slice(&fresh)));
    }
}

/* What a library's state was made of before is left where the next one's will be. */
static void __attribute__((noinline)) scribble(uint16_t word)
{
    uint16_t words[256u << 10];
    for (size_t i = 0; i < HF_COUNT(words); i++)
        words[i] = word;
    __asm__ volatile("" : : "r"(words) : "memory");
}

static void
what_lay_on_the_stack_changes_nothing(void **state)
{
    (void)state;
    for (size_t way = 0; way < HF_COUNT(ways); way++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), first = HF_BUF(1u << 20);
        if (!has(ways[way]))
            continue;
        fill(&plain, 200000);
        scribble(0);
        pack(&plain, ways[way], &first);
        for (unsigned word = 1; word <= UINT16_MAX; word = 2 * word + 1) {
            hf_owned(hf_buf_done) struct hf_buf again = HF_BUF(1u << 20);
            scribble((uint16_t)word);
            pack(&plain, ways[way], &again);
            assert_true(hf_slice_equal(hf_buf_slice(&first), hf_buf_slice(&again)));
        }
    }
}

static void
gzip_tool_reads_it(void **state)
{
    (void)state;
    for (size_t way = 0; way < HF_COUNT(ways); way++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20),
                                            again = HF_BUF(1u << 20);
        char path[300];
        if (!has(ways[way]))
            continue;
        fill(&plain, 100000);
        pack(&plain, ways[way], &gzip);
        snprintf(path, sizeof(path), "%s/x.gz", folder);
        assert_int_equal(hf_fs_replace(path, gzip.ptr, gzip.size, 0600, NULL), HF_OK);
        hf_owned(hf_freep) char *command =
            hf_asprintf("cd '%s' && '" GZIP_TOOL "' -dc x.gz > x", folder);
        assert_int_equal(system(command), 0);
        snprintf(path, sizeof(path), "%s/x", folder);
        assert_int_equal(hf_fs_read_file(path, 1u << 20, &again, NULL), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
    }
}

static void
header_has_no_time_and_no_name(void **state)
{
    (void)state;
    for (size_t way = 0; way < HF_COUNT(ways); way++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), a = HF_BUF(1u << 20),
                                            b = HF_BUF(1u << 20);
        if (!has(ways[way]))
            continue;
        fill(&plain, 1000);
        pack(&plain, ways[way], &a);
        pack(&plain, ways[way], &b);
        assert_memory_equal(a.ptr, "\x1f\x8b\x08\0\0\0\0\0", 8);
        assert_true(hf_slice_equal(hf_buf_slice(&a), hf_buf_slice(&b)));
    }
}

static void
stored_member_holds_the_bytes_as_they_are(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20);
    fill(&plain, 30000);
    pack(&plain, 0, &gzip);
    assert_non_null(memmem(gzip.ptr, gzip.size, plain.ptr, plain.size));
    assert_in_range(gzip.size, plain.size + 18, plain.size + 64);
}

static void
result_over_the_buffers_maximum_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20),
                                        small = HF_BUF(500);
    struct hf_error err;
    fill(&plain, 30000);
    assert_int_equal(hf_gzip(hf_buf_slice(&plain), 6, &small, &err), HF_ELIMIT);
    assert_int_equal(small.size, 0);
    pack(&plain, 6, &gzip);
    for (size_t max = 29990; max < 30010; max++) {
        hf_owned(hf_buf_done) struct hf_buf again = HF_BUF(max);
        assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, &err),
                         max < 30000 ? HF_ELIMIT : HF_OK);
        assert_int_equal(again.size, max < 30000 ? 0 : 30000);
    }
}

static void
each_truncation_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20);
    fill(&plain, 3000);
    pack(&plain, 6, &gzip);
    for (size_t size = 0; size < gzip.size; size++) {
        hf_owned(hf_buf_done) struct hf_buf again = HF_BUF(1u << 16);
        uint8_t *exact = hf_alloc(size);
        memcpy(exact, gzip.ptr, size);
        enum hf_status status = hf_gunzip(hf_slice(exact, size), &again, NULL);
        assert_true(status == HF_EFORMAT || status == HF_ELIMIT);
        assert_int_equal(again.size, 0);
        free(exact);
    }
}

/* All but what gzip itself does not look at: time, extra flags, operating system, and the first
 * header flag (a hint of text). */
static void
each_flipped_bit_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20);
    fill(&plain, 300);
    pack(&plain, 6, &gzip);
    for (size_t bit = 0; bit < 8 * gzip.size; bit++) {
        hf_owned(hf_buf_done) struct hf_buf again = HF_BUF(1u << 16);
        gzip.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum hf_status status = hf_gunzip(hf_buf_slice(&gzip), &again, NULL);
        if (bit / 8 < 4 || bit / 8 > 9)
            assert_true(status != HF_OK || bit == 24 ||
                        hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
        gzip.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void
bytes_or_a_member_behind_the_first_are_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20),
                                        again = HF_BUF(1u << 20);
    struct hf_error err;
    fill(&plain, 3000);
    pack(&plain, 6, &gzip);
    size_t size = gzip.size;
    for (int extra = 0; extra < 40; extra++) {
        uint8_t byte = (uint8_t)(extra % 7);
        assert_int_equal(hf_buf_add(&gzip, &byte, 1), HF_OK);
        assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, &err), HF_EFORMAT);
        assert_non_null(strstr(err.text, "behind"));
    }
    gzip.size = size;
    hf_owned(hf_buf_done) struct hf_buf twice = HF_BUF(1u << 20);
    for (int i = 0; i < 2; i++)
        assert_int_equal(hf_buf_add(&twice, gzip.ptr, gzip.size), HF_OK);
    assert_int_equal(hf_gunzip(hf_buf_slice(&twice), &again, &err), HF_EFORMAT);
    assert_non_null(strstr(err.text, "behind"));
}

/* The size in the trailer is a stranger's: it must not decide how much memory is taken. */
static void
size_in_the_trailer_is_not_believed(void **state)
{
    (void)state;
    const uint32_t lies[] = { 0, 1, 2999, 3001, 1u << 20, UINT32_MAX };
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20), gzip = HF_BUF(1u << 20);
    fill(&plain, 3000);
    pack(&plain, 6, &gzip);
    for (size_t i = 0; i < HF_COUNT(lies); i++) {
        hf_owned(hf_buf_done) struct hf_buf again = HF_BUF(1u << 30);
        hf_put_le32(gzip.ptr + gzip.size - 4, lies[i]);
        assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, NULL), HF_EFORMAT);
        assert_true(again.capacity <= gzip.size * 1032 + 65536);
    }
}

static void
bomb_is_stopped_at_the_maximum(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf zeros = HF_BUF(8u << 20), gzip = HF_BUF(1u << 20),
                                        again = HF_BUF(1u << 20);
    assert_int_equal(hf_buf_reserve(&zeros, 8u << 20), HF_OK);
    memset(zeros.ptr, 0, 8u << 20);
    zeros.size = 8u << 20;
    pack(&zeros, 9, &gzip);
    assert_true(gzip.size < 10000);
    assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &again, NULL), HF_ELIMIT);
    assert_true(again.capacity <= 1u << 20);
    assert_int_equal(again.size, 0);
}

static int
setup(void **state)
{
    (void)state;
    hf_test_tempdir(folder);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hf_test_tempdir_remove(folder);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_ways_come_back),
        cmocka_unit_test(what_does_not_compress_fits_as_well),
        cmocka_unit_test(every_level_and_size_comes_back),
        cmocka_unit_test(what_was_compressed_before_changes_nothing),
        cmocka_unit_test(what_lay_on_the_stack_changes_nothing),
        cmocka_unit_test(gzip_tool_reads_it),
        cmocka_unit_test(header_has_no_time_and_no_name),
        cmocka_unit_test(stored_member_holds_the_bytes_as_they_are),
        cmocka_unit_test(result_over_the_buffers_maximum_is_refused),
        cmocka_unit_test(each_truncation_is_refused),
        cmocka_unit_test(each_flipped_bit_is_refused),
        cmocka_unit_test(bytes_or_a_member_behind_the_first_are_refused),
        cmocka_unit_test(size_in_the_trailer_is_not_believed),
        cmocka_unit_test(bomb_is_stopped_at_the_maximum),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
