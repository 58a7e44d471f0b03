/* What goes in comes out, in order, also after a restart. */
#include "help.h"

static void
a_new_journal_begins_at_sequence_one(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1);
    assert_int_equal(fixture->recovery.oldest_seq, 1);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_int_equal(fixture->recovery.last_stamp_ns, 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 0);
}

static void
events_come_back_in_order_with_their_bytes(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 200);
    append_batch(fixture, 50);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 250);
    assert_int_equal(readout.lost, 0);
    await(atomic_load(&fixture->durable_seq) == 250);
    readout = read_from(fixture->journal, 225);
    assert_int_equal(readout.next, 251);
}

static void
a_restart_keeps_events_and_sequences(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (uint64_t round = 0; round < 6; round++) {
        append_events(fixture, 30);
        fixture_reopen(fixture);
        assert_int_equal(fixture->recovery.next_seq, 30 * (round + 1) + 1);
        assert_int_equal(fixture->recovery.oldest_seq, 1);
        assert_int_equal(fixture->recovery.loss_count, 0);
        assert_int_equal(fixture->recovery.torn_bytes, 0);
        assert_true(fixture->recovery.last_stamp_ns > 0);
    }
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 180);
    assert_int_equal(readout.lost, 0);
}

static void
many_segments_are_read_as_one(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 2000); /* about 480 KB in segments of 64 KiB */
    assert_true(count_held(fixture) > 5);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 2000);
    fixture_reopen(fixture);
    for (uint64_t from = 1; from <= 2001; from += 97) {
        readout = read_from(fixture->journal, from);
        assert_int_equal(readout.lost, 0);
        assert_int_equal(readout.next, 2001);
    }
}

static void
an_abandoned_unit_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 3);
    must_begin(fixture->journal);
    append_one(fixture->journal, 0);
    assert_int_equal(hf_journal_set_state(fixture->journal, "file/a", HF_SLICE_LITERAL("1"), &err),
                     HF_OK);
    assert_int_equal(hf_journal_next_seq(fixture->journal), 5);
    hf_journal_abandon(fixture->journal);
    must_begin(fixture->journal);
    assert_int_equal(hf_journal_next_seq(fixture->journal), 4);
    hf_journal_commit(fixture->journal);
    append_events(fixture, 2);
    assert_state(fixture, "file/a", NULL);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 5);
}

static void
state_follows_its_unit_and_survives(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    set_state(fixture, "file/b", "two");
    set_state(fixture, "file/a", "one");
    set_state(fixture, "stream/x", "9");
    set_state(fixture, "file/b", "three");
    assert_state(fixture, "file/b", "three");
    fixture_reopen(fixture);
    assert_state(fixture, "file/a", "one");
    assert_state(fixture, "file/b", "three");
    set_state(fixture, "file/a", "");
    assert_state(fixture, "file/a", NULL);
    fixture_reopen(fixture);
    assert_state(fixture, "file/a", NULL);
    assert_state(fixture, "stream/x", "9");
}

struct visited {
    char text[256];
};

static void
visit(void *context, const char *key, struct hf_slice value)
{
    struct visited *visited = context;
    size_t at = strlen(visited->text);
    snprintf(visited->text + at, sizeof(visited->text) - at, "%s=%.*s;", key, (int)value.size,
             (const char *)value.ptr);
}

static void
keys_of_a_prefix_come_in_byte_order(void **state)
{
    struct fixture *fixture = *state;
    struct visited visited = { "" };
    fixture_open(fixture);
    set_state(fixture, "filf", "0");
    set_state(fixture, "file/b", "2");
    set_state(fixture, "file/", "0");
    set_state(fixture, "file/a/b", "1");
    set_state(fixture, "fil", "0");
    set_state(fixture, "file/a", "3");
    hf_journal_each_state(fixture->journal, "file/", visit, &visited);
    assert_string_equal(visited.text, "file/=0;file/a=3;file/a/b=1;file/b=2;");
}

static void
a_source_keeps_its_id(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    uint16_t app, audit, again;
    fixture_open(fixture);
    assert_int_equal(hf_journal_source(fixture->journal, "app", &app, &err), HF_OK);
    assert_int_equal(hf_journal_source(fixture->journal, "audit", &audit, &err), HF_OK);
    assert_int_equal(hf_journal_source(fixture->journal, "app", &again, &err), HF_OK);
    assert_true(app != HF_SOURCE_SELF && audit != HF_SOURCE_SELF && app != audit);
    assert_int_equal(again, app);
    must_sync(fixture->journal);
    fixture_reopen(fixture);
    assert_int_equal(hf_journal_source(fixture->journal, "audit", &again, &err), HF_OK);
    assert_int_equal(again, audit);
    assert_int_equal(hf_journal_source(fixture->journal, "third", &again, &err), HF_OK);
    assert_true(again != app && again != audit);
    assert_int_equal(hf_journal_source(fixture->journal, "", &again, &err), HF_EUSAGE);
}

static void
what_is_too_large_is_refused_and_the_unit_stays_usable(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    char *large = calloc(1, HF_JOURNAL_RECORD_MAX + 1);
    char key[4200];
    fixture_open(fixture);
    must_begin(fixture->journal);
    assert_int_equal(hf_journal_append(fixture->journal, 1, 0,
                                       hf_slice(large, HF_JOURNAL_RECORD_MAX + 1), NULL, &err),
                     HF_ELIMIT);
    assert_int_equal(hf_journal_append(fixture->journal, 1, 0, hf_slice(large, 0), NULL, &err),
                     HF_EUSAGE);
    assert_int_equal(
        hf_journal_append(fixture->journal, HF_SOURCES_MAX, 0, hf_slice(large, 1), NULL, &err),
        HF_EUSAGE);
    memset(key, 'k', sizeof(key));
    key[4097] = '\0';
    assert_int_equal(hf_journal_set_state(fixture->journal, key, hf_slice("v", 1), &err),
                     HF_EUSAGE);
    assert_int_equal(hf_journal_set_state(fixture->journal, "", hf_slice("v", 1), &err), HF_EUSAGE);
    assert_int_equal(hf_journal_set_state(fixture->journal, "k",
                                          hf_slice(large, HF_JOURNAL_STATE_MAX + 1), &err),
                     HF_ELIMIT);
    key[4096] = '\0';
    assert_int_equal(hf_journal_set_state(fixture->journal, key, hf_slice("v", 1), &err), HF_OK);
    append_one(fixture->journal, 0);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
    free(large);
    fixture_reopen(fixture);
    assert_state(fixture, key, "v");
    assert_int_equal(read_from(fixture->journal, 1).events, 1);
}

static enum hf_status
try_state(struct fixture *fixture, int number, const char *value)
{
    char key[300];
    snprintf(key, sizeof(key), "%0250d", number);
    must_begin(fixture->journal);
    enum hf_status status = hf_journal_set_state(fixture->journal, key, hf_slice_text(value), NULL);
    if (status == HF_OK)
        hf_journal_commit(fixture->journal);
    else
        hf_journal_abandon(fixture->journal);
    return status;
}

static void
must_change_when_full(struct fixture *fixture, int count)
{
    assert_int_equal(try_state(fixture, count, "value"), HF_ELIMIT);
    assert_int_equal(try_state(fixture, 0, "VALUE"), HF_OK);
    assert_int_equal(try_state(fixture, 1, "v"), HF_OK);
    for (int i = 2; i < 50; i++) /* an offset gets another digit */
        assert_int_equal(try_state(fixture, i, "value+"), HF_OK);
    assert_int_equal(try_state(fixture, count, "value"), HF_ELIMIT);
}

/* Of the state only what is new is refused: each file that is followed goes on, and what goes away
 * makes room; before it is durable, after it, and after a restart. */
static void
a_full_state_takes_what_does_not_make_it_larger(void **state)
{
    struct fixture *fixture = *state;
    int count = 0;
    fixture_open(fixture);
    while (try_state(fixture, count, "value") == HF_OK)
        count++;
    assert_true(count > 100);
    must_change_when_full(fixture, count);
    must_sync(fixture->journal);
    must_change_when_full(fixture, count);
    fixture_reopen(fixture);
    must_change_when_full(fixture, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(try_state(fixture, i, ""), HF_OK);
    must_sync(fixture->journal);
    for (int i = 0; i < count; i++)
        assert_int_equal(try_state(fixture, count + i, "value"), HF_OK);
}

static void
release_at_once(void *context, uint64_t durable_seq, bool room)
{
    struct fixture *fixture = context;
    note_commit(context, durable_seq, room);
    hf_journal_release(fixture->journal, durable_seq);
}

/* A state that is large beside a segment needs larger files: whoever waits for room gets it, however
 * the sizes of what was there, of the state and of what waits lie to each other. */
static void
a_large_state_never_leaves_a_caller_waiting(void **state)
{
    struct fixture *fixture = *state;
    for (int size = 1; size <= 8; size *= 2) {
        fixture->options.on_commit = release_at_once;
        fixture->options.max_bytes = (uint64_t)16 * size * SEGMENT;
        fixture_open(fixture);
        alarm(60);
        int count = 0;
        while (try_state(fixture, count, "value") == HF_OK)
            count++;
        for (int i = 0; i < 300; i++) {
            must_begin(fixture->journal);
            for (int key = 0; key < i % 300; key++) {
                char text[300];
                snprintf(text, sizeof(text), "%0250d", key * 7 % count);
                assert_int_equal(
                    hf_journal_set_state(fixture->journal, text, hf_slice_text("valu"), NULL),
                    HF_OK);
            }
            append_one(fixture->journal, i);
            hf_journal_commit(fixture->journal);
        }
        alarm(0);
        fixture_close(fixture);
        empty_directory(fixture->directory);
    }
}

static void
the_floor_is_never_past_what_is_not_durable(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_info info;
    fixture_open(fixture);
    uint64_t before = hf_wall_ns();
    append_events(fixture, 1);
    hf_journal_info(fixture->journal, &info);
    assert_true(info.floor_ns >= before && info.floor_ns <= hf_wall_ns());
    assert_int_equal(info.next_seq, 2);
    assert_int_equal(info.durable_seq, 1);
    assert_int_equal(info.oldest_seq, 1);
    assert_int_equal(info.events, 1);
    assert_true(info.written_bytes > 0 && info.written_bytes <= 8192); /* not the whole segment */
    assert_false(info.full);
    assert_string_equal(info.reason, "");
}

static void
an_idle_journal_covers_its_last_batch_with_a_mark(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 1);
    uint64_t end = look_at_current(fixture).end;
    await(look_at_current(fixture).end == end + HF_BATCH_HEAD);
}

static void
a_reader_past_the_end_is_refused_and_one_at_it_waits(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 5);
    assert_int_equal(hf_journal_reader_open(fixture->journal, 7, &reader, &err), HF_EUSAGE);
    assert_int_equal(hf_journal_reader_open(fixture->journal, 6, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_EFULL);
    append_events(fixture, 1);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    assert_int_equal(batch.first_seq, 6);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_EFULL);
    hf_journal_reader_close(reader);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_begins_at_sequence_one),
        TEST(events_come_back_in_order_with_their_bytes),
        TEST(a_restart_keeps_events_and_sequences),
        TEST(many_segments_are_read_as_one),
        TEST(an_abandoned_unit_leaves_nothing),
        TEST(state_follows_its_unit_and_survives),
        TEST(keys_of_a_prefix_come_in_byte_order),
        TEST(a_source_keeps_its_id),
        TEST(what_is_too_large_is_refused_and_the_unit_stays_usable),
        TEST(a_full_state_takes_what_does_not_make_it_larger),
        TEST(a_large_state_never_leaves_a_caller_waiting),
        TEST(the_floor_is_never_past_what_is_not_durable),
        TEST(an_idle_journal_covers_its_last_batch_with_a_mark),
        TEST(a_reader_past_the_end_is_refused_and_one_at_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
