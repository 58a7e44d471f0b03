/* Bytes that come from outside: what a batch, a change or a header says about itself is not
 * believed. */
#include "help.h"

#include <endian.h>

static struct hf_batch_head
good_head(void)
{
    return (struct hf_batch_head){
        .type = HF_BATCH_EVENTS,
        .generation = 77,
        .first_seq = 10,
        .durable_seq = 9,
        .released_seq = 3,
        .stamp_ns = 5,
        .event_count = 2,
        .change_count = 1,
        .payload_bytes = 20,
        .change_bytes = 11,
    };
}

static bool
survives(const struct hf_batch_head *head)
{
    struct hf_disk_batch disk;
    struct hf_batch_head back;
    hf_batch_head_encode(head, &disk);
    return hf_batch_head_decode(&disk, 77, &back) && back.first_seq == head->first_seq &&
           back.payload_bytes == head->payload_bytes && back.change_bytes == head->change_bytes;
}

static void
a_batch_header_survives_its_bytes(void **state)
{
    struct hf_batch_head head = good_head();
    (void)state;
    assert_true(survives(&head));
    assert_int_equal(hf_batch_payload_at(&head), 88 + 32);
    assert_int_equal(hf_batch_changes_at(&head), 88 + 32 + 20);
    assert_int_equal(hf_batch_bytes(&head), 152);
}

static void
a_header_that_cannot_be_true_is_refused(void **state)
{
    struct hf_batch_head head;
    (void)state;
#define REFUSED(change)                                                                            \
    head = good_head();                                                                            \
    change;                                                                                        \
    assert_false(survives(&head))
    REFUSED(head.generation = 78);
    REFUSED(head.type = 4);
    REFUSED(head.first_seq = 0);
    REFUSED(head.durable_seq = 10);
    REFUSED(head.released_seq = 10);
    REFUSED(head.payload_bytes = UINT64_MAX);
    REFUSED(head.payload_bytes = 0);
    REFUSED(head.event_count = 0);
    REFUSED(head.event_count = UINT32_MAX);
    REFUSED(head.change_count = UINT32_MAX);
    REFUSED(head.type = HF_BATCH_MARK);
    REFUSED(head.type = HF_BATCH_STATE);
#undef REFUSED
}

static void
a_change_of_the_state_never_reaches_past_its_bytes(void **state)
{
    hf_owned(hf_buf_done) struct hf_buf changes = HF_BUF(1000);
    struct hf_change change;
    (void)state;
    assert_int_equal(hf_change_add(&changes, hf_slice_text("key"), hf_slice_text("value"), false),
                     HF_OK);
    assert_int_equal(hf_change_add(&changes, hf_slice_text("gone"), hf_slice(NULL, 0), true),
                     HF_OK);
    for (size_t size = 0; size < changes.size; size++) {
        /* A copy of exactly this size lets the sanitizer see a read past it. */
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, changes.ptr, size);
        struct hf_slice rest = hf_slice(copy, size);
        size_t count = 0;
        while (hf_change_next(&rest, &change))
            count++;
        assert_true(count < 2);
        free(copy);
    }
    struct hf_slice rest = hf_buf_slice(&changes);
    assert_true(hf_change_next(&rest, &change));
    assert_true(hf_slice_is(change.key, "key") && hf_slice_is(change.value, "value") &&
                !change.remove);
    assert_true(hf_change_next(&rest, &change));
    assert_true(hf_slice_is(change.key, "gone") && change.remove);
    assert_int_equal(rest.size, 0);
}

/* An event that holds a whole valid-looking batch of the journal's own making, but for the
 * generation. */
static void
a_batch_inside_an_event_is_never_taken_for_one(void **state)
{
    struct fixture *fixture = *state;
    struct hf_disk_batch forged[4];
    struct hf_error err;
    uint64_t seq;

    fixture_open(fixture);
    for (uint64_t i = 0; i < HF_COUNT(forged); i++) {
        struct hf_batch_head head = {
            .type = HF_BATCH_MARK, .generation = 77, .first_seq = 2 + i, .durable_seq = 1 + i
        };
        hf_batch_head_encode(&head, &forged[i]);
    }
    must_begin(fixture->journal);
    assert_int_equal(
        hf_journal_append(fixture->journal, 1, 0, hf_slice(forged, sizeof(forged)), &seq, &err),
        HF_OK);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
    append_events(fixture, 2);
    struct hf_segment current = look_at_current(fixture);
    char path[HF_PATH_MAX];
    hf_segment_path(fixture->directory, current.number, path);
    fixture_close(fixture);
    /* Its header goes, so that recovery has to search through the payload. */
    int fd = open(path, O_RDWR);
    uint8_t bytes[HF_SEGMENT_BLOCK];
    assert_int_equal(pread(fd, bytes, sizeof(bytes), HF_SEGMENT_DATA), sizeof(bytes));
    uint8_t *first =
        memmem(bytes + 2 * HF_BATCH_HEAD, sizeof(bytes) - 2 * HF_BATCH_HEAD, "HFB1", 4);
    assert_non_null(first);
    first[20] ^= 1;
    assert_int_equal(pwrite(fd, bytes, sizeof(bytes), HF_SEGMENT_DATA), sizeof(bytes));
    close(fd);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 4);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, 1);
    assert_int_equal(fixture->recovery.losses[0].last_seq, 1);
    assert_int_equal(read_from(fixture->journal, 2).events, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_header_survives_its_bytes),
        TEST(a_header_that_cannot_be_true_is_refused),
        TEST(a_change_of_the_state_never_reaches_past_its_bytes),
        TEST(a_batch_inside_an_event_is_never_taken_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
