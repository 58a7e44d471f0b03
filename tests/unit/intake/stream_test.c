/* The table of streams: what is remembered of those that are not connected. */
#include "help.h"

#include "agent/intake/stream.h"

#include <stdio.h>

#define A "1f0e3dad-9990-4a5c-8d1b-000000000001"

static void
store(struct rig *rig, const char *uuid, uint64_t lines, int64_t last_s)
{
    char key[64], value[64];
    snprintf(key, sizeof(key), "stream/%s", uuid);
    int size = snprintf(value, sizeof(value), "1 %llu 0 0 0 %lld", (unsigned long long)lines,
                        (long long)last_s);
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    assert_int_equal(hf_journal_set_state(rig->journal, key, hf_slice(value, (size_t)size), NULL),
                     HF_OK);
    hf_journal_commit(rig->journal);
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    rig_restart(rig);
}

static uint64_t
lines_of(struct rig *rig, const char *uuid)
{
    struct hf_stream *stream = hf_stream_get(rig->intake->streams, uuid, NULL);
    uint64_t lines = stream ? stream->durable : UINT64_MAX;
    if (stream)
        hf_stream_put(stream);
    return lines;
}

#define GONE UINT64_MAX

static void
a_stream_never_heard_of_is_new(void **state)
{
    assert_int_equal(lines_of(*state, A), 0);
}

static void
a_stored_stream_goes_on(void **state)
{
    struct rig *rig = *state;
    store(rig, A, 17, hf_wall_s() - 3600);
    assert_int_equal(lines_of(rig, A), 17);
    hf_streams_expire(rig->intake->streams);
    assert_int_equal(lines_of(rig, A), 17);
}

static void
a_stream_quiet_for_a_day_is_gone_for_good(void **state)
{
    struct rig *rig = *state;
    store(rig, A, 17, hf_wall_s() - 25 * 3600);
    hf_streams_expire(rig->intake->streams);
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    assert_true(lines_of(rig, A) == GONE);
    rig_restart(rig);
    assert_true(lines_of(rig, A) == GONE);
}

static void
a_connected_stream_is_not_forgotten(void **state)
{
    struct rig *rig = *state;
    store(rig, A, 17, hf_wall_s() - 25 * 3600);
    struct hf_stream *stream = hf_stream_get(rig->intake->streams, A, NULL);
    stream->connection = stream; /* somebody */
    hf_streams_expire(rig->intake->streams);
    hf_stream_put(stream);
    assert_int_equal(lines_of(rig, A), 17);
}

static void
version_7_tells_the_age_of_a_stream_by_itself(void **state)
{
    struct rig *rig = *state;
    char uuid[64];
    uint64_t ms = hf_wall_ns() / 1000000;
    assert_int_equal(hf_uuid_made_s("01890a5d-ac96-774b-bcce-b302099a8057"), 1688096058);
    assert_int_equal(hf_uuid_made_s(A), -1);
    snprintf(uuid, sizeof(uuid), "%08llx-%04llx-7000-8000-000000000001",
             (unsigned long long)(ms >> 16), (unsigned long long)(ms & 0xffff));
    assert_int_equal(lines_of(rig, uuid), 0);
    ms -= 25ull * 3600 * 1000;
    snprintf(uuid, sizeof(uuid), "%08llx-%04llx-7000-8000-000000000001",
             (unsigned long long)(ms >> 16), (unsigned long long)(ms & 0xffff));
    assert_true(lines_of(rig, uuid) == GONE);
}

static void
a_state_that_cannot_be_read_is_not_a_new_stream(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    assert_int_equal(
        hf_journal_set_state(rig->journal, "stream/" A, HF_SLICE_LITERAL("2 what is this"), NULL),
        HF_OK);
    hf_journal_commit(rig->journal);
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    assert_true(lines_of(rig, A) == GONE);
}

static void
forgotten_streams_are_remembered_up_to_a_bound(void **state)
{
    struct rig *rig = *state;
    struct hf_gone *gone = hf_gone_load(rig->journal);
    char uuid[HF_UUID_SIZE];
    for (unsigned i = 0; i < HF_STREAMS_GONE + 10; i++) {
        snprintf(uuid, sizeof(uuid), "1f0e3dad-9990-4a5c-8d1b-%012x", i);
        hf_gone_add(gone, uuid);
    }
    assert_true(hf_gone_has(gone, uuid));
    assert_true(hf_gone_has(gone, "1f0e3dad-9990-4a5c-8d1b-00000000000a"));
    assert_false(hf_gone_has(gone, "1f0e3dad-9990-4a5c-8d1b-000000000009"));
    assert_int_equal(hf_gone_value(gone).size, 8 + 8 * HF_STREAMS_GONE);
    hf_gone_free(gone);
}

/* The longest quiet ones go first. */
static void
too_many_streams_make_room_for_new_ones(void **state)
{
    struct rig *rig = *state;
    char uuid[HF_UUID_SIZE], key[64], value[64];
    int64_t now_s = hf_wall_s();
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    for (unsigned i = 0; i < HF_STREAMS_MAX; i++) {
        snprintf(key, sizeof(key), "stream/1f0e3dad-9990-4a5c-8d1b-%012x", i);
        int size =
            snprintf(value, sizeof(value), "1 5 0 0 0 %lld", (long long)now_s - HF_STREAMS_MAX + i);
        assert_int_equal(
            hf_journal_set_state(rig->journal, key, hf_slice(value, (size_t)size), NULL), HF_OK);
    }
    hf_journal_commit(rig->journal);
    rig_restart(rig);
    assert_int_equal(lines_of(rig, "ffffffff-9990-4a5c-8d1b-000000000001"), 0);
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    assert_true(lines_of(rig, "1f0e3dad-9990-4a5c-8d1b-000000000000") == GONE);
    assert_true(lines_of(rig, "1f0e3dad-9990-4a5c-8d1b-0000000003ff") == GONE);
    assert_int_equal(lines_of(rig, "1f0e3dad-9990-4a5c-8d1b-000000000400"), 5);
    snprintf(uuid, sizeof(uuid), "1f0e3dad-9990-4a5c-8d1b-%012x", HF_STREAMS_MAX - 1);
    assert_int_equal(lines_of(rig, uuid), 5);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_never_heard_of_is_new),
        TEST(a_stored_stream_goes_on),
        TEST(a_stream_quiet_for_a_day_is_gone_for_good),
        TEST(a_connected_stream_is_not_forgotten),
        TEST(version_7_tells_the_age_of_a_stream_by_itself),
        TEST(a_state_that_cannot_be_read_is_not_a_new_stream),
        TEST(forgotten_streams_are_remembered_up_to_a_bound),
        TEST(too_many_streams_make_room_for_new_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
