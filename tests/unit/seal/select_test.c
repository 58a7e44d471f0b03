/* What stands in an object: the selected records of the range, all of them, in order, byte for
 * byte. */
#include "tests/unit/seal/seal_test.h"

#define LAST 120

static bool
of_source_1(uint64_t seq)
{
    return seq % 3 == 1;
}

static bool
not_of_source_1(uint64_t seq)
{
    return seq % 3 != 1;
}

static uint64_t pattern;

static bool
in_pattern(uint64_t seq)
{
    return pattern >> (seq % 61) & 1 || seq % 61 == 0; /* source 0 is our own */
}

/* Batches of 1, 2, 3, ... records. */
static void
add_batches(int source)
{
    uint64_t first_seq = 1;
    for (uint64_t size = 1; first_seq <= LAST; size++) {
        uint64_t last_seq = HF_MIN(first_seq + size - 1, LAST);
        add_batch(first_seq, last_seq, source);
        first_seq = last_seq + 1;
    }
}

static void
all_records_come_out_in_order(void **state)
{
    (void)state;
    add_batches(1);
    cut(1, LAST);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    assert_int_equal(sealed->count, LAST);
    assert_object(sealed, 1, LAST, NULL);
}

static void
record_bytes_are_those_of_the_journal(void **state)
{
    (void)state;
    static const char text[] = "{\"Records\":[{\"b\" : 1.50e3 , \"\\u00e4\":\"\xc3\xa4\\/\"},{ }]}";
    struct hf_error err;
    assert_int_equal(hf_journal_begin(f->journal, true, &err), HF_OK);
    add_text(1, 7, "{\"b\" : 1.50e3 , \"\\u00e4\":\"\xc3\xa4\\/\"}",
             strlen("{\"b\" : 1.50e3 , \"\\u00e4\":\"\xc3\xa4\\/\"}"));
    add_text(1, 5, "{ }", 3);
    hf_journal_commit(f->journal);
    assert_int_equal(hf_journal_sync(f->journal, 60000, &err), HF_OK);
    cut(1, 2);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(0);
    extract_body(sealed);
    run(GZIP_TOOL " -dc < body > body.json");
    read_file("body.json", &json);
    assert_string_equal(hf_buf_text(&json), text);
    assert_int_equal(sealed->oldest_s, 5);
    assert_int_equal(sealed->newest_s, 7);
}

static void
selection_takes_its_sources_only(void **state)
{
    (void)state;
    struct hf_selection one = { 0 }, other = { 0 };
    add_batches(-3);
    hf_selection_add(&one, 1);
    f->job.selection = &one;
    cut(2, LAST - 1);
    hf_owned(hf_sealed_freep) struct hf_sealed *first = seal();
    json_t *doc;
    extract_body(first);
    doc = open_object(first);
    json_t *records;
    assert_int_equal(hf_doc_array(doc, "Records", &records, NULL), HF_OK);
    size_t expected = 0;
    for (uint64_t seq = 2; seq < LAST; seq++)
        expected += of_source_1(seq) || seq % 3 == 0; /* our own come along */
    assert_int_equal(json_array_size(records), expected);
    json_decref(doc);

    hf_selection_add(&other, 2);
    f->job.selection = &other;
    cut(1, LAST);
    hf_owned(hf_sealed_freep) struct hf_sealed *second = seal();
    assert_object(second, 1, LAST, not_of_source_1);
}

/* Runs of every length are left out at every place. */
static void
any_pattern_of_sources_comes_out_right(void **state)
{
    (void)state;
    add_batches(-61);
    uint64_t random_state = 88172645463325252ull;
    for (int round = 0; round < 60; round++) {
        struct hf_selection selection = { 0 };
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        pattern = round % 3 == 0 ? random_state & random_state >> 9
                                 : random_state | random_state >> 5 * (round % 3);
        for (uint16_t source = 1; source < 61; source++)
            if (pattern >> source & 1)
                hf_selection_add(&selection, source);
        f->job.selection = &selection;
        uint64_t first_seq = 1 + random_state % 50, last_seq = LAST - random_state / 64 % 50;
        cut(first_seq, last_seq);
        if (f->job.range.count == 0)
            continue;
        hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
        assert_int_equal(sealed->count, f->job.range.count);
        assert_int_equal(sealed->plain_size, f->job.range.bytes);
        assert_int_equal(sealed->oldest_s, f->job.range.oldest_s);
        assert_int_equal(sealed->newest_s, f->job.range.newest_s);
        extract_body(sealed);
        hf_owned(hf_doc_freep) json_t *doc = open_object(sealed);
        assert_records(doc, first_seq, last_seq, in_pattern);
    }
}

static void
cut_at_any_place_inside_a_batch_loses_and_doubles_nothing(void **state)
{
    (void)state;
    add_batch(1, 4, 1);
    add_batch(5, 20, 1);
    add_batch(21, 24, 1);
    for (uint64_t last_seq = 3; last_seq < 23; last_seq++) {
        cut(1, last_seq);
        hf_owned(hf_sealed_freep) struct hf_sealed *first = seal();
        assert_object(first, 1, last_seq, NULL);
        cut(last_seq + 1, 24);
        hf_owned(hf_sealed_freep) struct hf_sealed *second = seal();
        assert_object(second, last_seq + 1, 24, NULL);
    }
}

static void
window_without_selected_records_is_an_empty_object(void **state)
{
    (void)state;
    struct hf_selection none = { 0 };
    add_batch(1, 3, 1);
    f->job.selection = &none;
    cut(1, 3);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    assert_int_equal(sealed->count, 0);
    assert_int_equal(sealed->plain_size, strlen("{\"Records\":[]}"));
    assert_object(sealed, 1, 0, NULL);
}

/* Larger than a batch, with a batch beside it that has much which is left out. */
static void
large_records_come_out_whole(void **state)
{
    (void)state;
    size_t size = 5u << 20;
    hf_owned(hf_freep) char *text = hf_alloc(size);
    struct hf_selection one = { 0 };
    struct hf_error err;
    memset(text, 'x', size);
    memcpy(text, "{\"n\":2,\"pad\":\"", 14);
    memcpy(text + size - 2, "\"}", 2);
    add_batch(1, 1, 1);
    assert_int_equal(hf_journal_begin(f->journal, true, &err), HF_OK);
    add_text(1, 5, text, size);
    add_text(2, 5, text, size);
    hf_journal_commit(f->journal);
    assert_int_equal(hf_journal_sync(f->journal, 60000, &err), HF_OK);
    add_batch(4, 4, 1);
    hf_selection_add(&one, 1);
    f->job.selection = &one;
    cut(1, 4);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    assert_int_equal(sealed->count, 3);
    assert_int_equal(sealed->plain_size, f->job.range.bytes);
    extract_body(sealed);
    hf_owned(hf_doc_freep) json_t *doc = open_object(sealed);
    json_t *records;
    assert_int_equal(hf_doc_array(doc, "Records", &records, NULL), HF_OK);
    assert_int_equal(strlen(hf_doc_text_or(json_array_get(records, 1), "pad", "")), size - 16);
    assert_int_equal(hf_doc_u64_or(json_array_get(records, 2), "n", 0), 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_records_come_out_in_order),
        TEST(record_bytes_are_those_of_the_journal),
        TEST(selection_takes_its_sources_only),
        TEST(any_pattern_of_sources_comes_out_right),
        TEST(cut_at_any_place_inside_a_batch_loses_and_doubles_nothing),
        TEST(window_without_selected_records_is_an_empty_object),
        TEST(large_records_come_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
