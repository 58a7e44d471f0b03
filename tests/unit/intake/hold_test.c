/* What happens to sources while a reload holds them back. */
#include "help.h"

#include <unistd.h>

/* A reload must not wait for itself: who waits here is ended by the alarm. */
static void
hold(struct rig *rig)
{
    alarm(20);
    hf_intake_hold(rig->intake);
}

static void
let_go(struct rig *rig)
{
    hf_intake_let_go(rig->intake);
    alarm(0);
}

/* A socket that hands over what it has as it stops; no source of today does. */
static void (*real_stop)(struct hf_source *source);
static size_t handed;

static void
stop_and_hand_over(struct hf_source *source)
{
    struct hf_unit unit;
    assert_int_equal(hf_unit_begin(&unit, source), HF_OK);
    assert_int_equal(hf_unit_gap(&unit, "end", "stopped", 0, 1), HF_OK);
    hf_unit_commit(&unit);
    handed++;
    real_stop(source);
}

static void
source_of_the_loop_may_hand_over_while_it_is_stopped(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "one", HF_SOURCE_SOCKET, "one.sock");
    rig_configure(rig);
    struct hf_source_kind kind = *rig->intake->sources[0]->kind;
    real_stop = kind.stop;
    kind.stop = stop_and_hand_over;
    rig->intake->sources[0]->kind = &kind;
    handed = 0;
    rig->config.source_count = 0;
    hold(rig);
    rig_configure(rig);
    let_go(rig);
    assert_int_equal(handed, 1);
    rig_until_count(rig, 1);
    assert_int_equal(rig_gaps(rig), 1);
}

/* And nobody else comes through: neither before nor after that. */
static void
source_with_a_thread_waits_until_the_reload_is_over(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_source(rig, "one", HF_SOURCE_SOCKET, "one.sock");
    rig_configure(rig);
    rig_drain(rig);
    hold(rig);
    hf_source_enter(rig->intake->sources[1]);
    rig_write(rig, "files/a.log", "line\n");
    hf_source_leave(rig->intake->sources[1]);
    rig_turn(rig, 300);
    assert_int_equal(rig_count(rig), 0);
    let_go(rig);
    rig_until_count(rig, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(source_of_the_loop_may_hand_over_while_it_is_stopped,
                                        rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(source_with_a_thread_waits_until_the_reload_is_over,
                                        rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
