/* A wall clock that is wrong for a while: nothing gets a date that cannot be taken back. */
#include "tests/unit/trail/world.h"

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)

static void
clock_ten_years_ahead_holds_and_dates_nothing(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    world_append(&world, "one", 3, 3);
    world_settle(&world);
    uint64_t cut_seq = world_number(&world, "cut_sequence");
    world_set_wall(TEN_YEARS_S);
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "jumped"));
    assert_int_equal(world_number(&world, "cut_sequence"), cut_seq);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_set_wall(0);
    world_flush_well(&world);
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 9);
    assert_int_equal(bucket.digests, 3);
    assert_true(bucket.retain_most_s > hf_wall_s());
    assert_true(bucket.retain_most_s <= hf_wall_s() + 3 * 86400);
    world_stop(&world);
    world_remove(&world);
}

static void
events_taken_in_meanwhile_are_dated_right_too(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_set_wall(TEN_YEARS_S);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "jumped"));
    world_set_wall(0);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_true(bucket.retain_most_s <= hf_wall_s() + 3 * 86400);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_ten_years_ahead_holds_and_dates_nothing),
        cmocka_unit_test(events_taken_in_meanwhile_are_dated_right_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
