/* What waits, how much and since when, as `holdfast status` and the metrics tell it. */
#include "tests/unit/trail/world.h"

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)

static void
what_is_not_delivered_waits_since_it_arrived(void **state)
{
    struct world world;
    char path[512], failed[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK); /* the store is away */
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 500, failed);
    assert_true(*failed);
    assert_int_equal(world_number(&world, "records_waiting"), 3);
    assert_in_range(world_number(&world, "backlog_bytes"), 3 * 20, 3 * 4096);
    assert_in_range(world_number(&world, "failures"), 1, 100);
    assert_int_equal(world_number(&world, "puts"), 0);
    world_set_wall(100);
    assert_in_range(world_number(&world, "backlog_s"), 100, 120);
    world_set_wall(0);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    world_flush_well(&world);
    assert_int_equal(world_number(&world, "backlog_bytes"), 0);
    assert_int_equal(world_number(&world, "backlog_s"), 0);
    assert_int_equal(world_number(&world, "records_delivered"), 3);
    assert_int_equal(world_number(&world, "records_locked"),
                     0);                               /* a directory's lock is advisory */
    assert_int_equal(world_number(&world, "puts"), 3); /* object, key, digest */
    assert_int_equal(world_number(&world, "puts_again"), 0);
    assert_int_equal(world_number(&world, "digests_delivered"), 1);
    world_stop(&world);
    world_remove(&world);
}

static void
what_may_not_be_cut_waits_as_well(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    world_set_wall(TEN_YEARS_S); /* a clock that cannot be right: nothing is cut */
    world_append(&world, "one", 1, 2);
    world_settle(&world);
    assert_int_equal(world_number(&world, "uncut_events"), 2);
    world_set_wall(TEN_YEARS_S + 50);
    assert_in_range(world_number(&world, "backlog_s"), 50, 70);
    world_set_wall(0);
    world_flush_well(&world);
    assert_int_equal(world_number(&world, "uncut_events"), 0);
    assert_int_equal(world_number(&world, "backlog_s"), 0);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_delivered_waits_since_it_arrived),
        cmocka_unit_test(what_may_not_be_cut_waits_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
