/* A journal without room: sources wait, and go on by themselves when there is room again. */
#include "help.h"

#include <stdio.h>

static int
set_up(void **state)
{
    *state = rig_with_journal(2u << 20, 256u << 10);
    return 0;
}

static bool
is_waiting(struct rig *rig, void *context)
{
    struct hf_source_status status = rig_status(rig, 0);
    struct hf_journal_info info;
    (void)context;
    hf_journal_info(rig->journal, &info);
    bool written = info.full || info.durable_seq + 1 == info.next_seq;
    return status.waiting && status.owners_refused == 1 && written;
}

/* Takes what is in the journal out of it, as sealing does, and checks that the lines go on where
 * they were. */
static void
seal_all(struct rig *rig, size_t *next_line)
{
    struct hf_journal_info info;
    hf_journal_info(rig->journal, &info); /* more comes meanwhile */
    json_t *events = rig_events(rig), *event;
    size_t i;
    uint64_t number = 0;
    json_array_foreach(events, i, event)
    {
        assert_true(hf_parse_u64(event_text(event) + 5, 0, UINT64_MAX, &number));
        if (number < *next_line)
            continue; /* its segment is not reused yet */
        assert_int_equal(number, *next_line);
        ++*next_line;
    }
    json_decref(events);
    hf_journal_release(rig->journal, info.durable_seq);
}

static bool
all_sealed(struct rig *rig, void *context)
{
    size_t *next_line = context;
    seal_all(rig, next_line);
    return *next_line == 20000;
}

static void
a_file_waits_while_the_journal_is_full(void **state)
{
    struct rig *rig = *state;
    size_t next_line = 0;
    rig_append_numbered(rig, "files/a.log", 0, 20000); /* about five times what the journal holds */
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until(rig, is_waiting, NULL);
    assert_true(rig_status(rig, 0).behind_bytes > 0);
    size_t before = rig_count(rig);
    rig_turn(rig, 50);
    assert_int_equal(rig_count(rig), before);
    rig_until(rig, all_sealed, &next_line);
    rig_turn(rig, 10);
    assert_false(rig_status(rig, 0).waiting);
}

static void
a_restart_while_full_goes_on_too(void **state)
{
    struct rig *rig = *state;
    size_t next_line = 0;
    rig_append_numbered(rig, "files/a.log", 0, 20000);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until(rig, is_waiting, NULL);
    rig_restart(rig);
    rig_turn(rig, 30);
    rig_until(rig, all_sealed, &next_line);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_waits_while_the_journal_is_full),
        TEST(a_restart_while_full_goes_on_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
