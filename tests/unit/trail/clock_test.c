/* A wall clock that is wrong for a while: nothing gets a date that cannot be taken back. */
#include "tests/unit/trail/world.h"

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)

static void
note_year(void *context, const char *path)
{
    unsigned *newest = context, year;
    for (const char *at = strstr(path, "/local/"); at; at = strstr(at + 1, "/local/"))
        if (sscanf(at, "/local/%4u/", &year) == 1)
            *newest = HF_MAX(*newest, year);
}

/* In whose folder anything lies. */
static unsigned
newest_year(const struct world *world)
{
    unsigned newest = 0;
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/root/evidence", world->folder);
    world_each_file(folder, note_year, &newest);
    assert_true(newest > 0);
    return newest;
}

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

/* ---- what is in the bucket, in the order of its keys: times that never go back ---- */

struct chain {
    uint64_t number;
    int64_t end_s;
    char last_object[HF_KEY_MAX];
};

static void
follow(void *context, const struct hf_digest *digest)
{
    struct chain *chain = context;
    assert_int_equal(digest->number, chain->number + 1);
    assert_true(!chain->number || digest->start_s == chain->end_s);
    assert_true(digest->end_s > digest->start_s);
    for (size_t i = 0; i < digest->object_count; i++) {
        const char *name = strrchr(digest->objects[i].key, '/'),
                   *stamp = strstr(name, "local_") + 6;
        char minute[HF_KEY_MAX];
        snprintf(minute, sizeof(minute), "%.14s", stamp);
        assert_true(strcmp(chain->last_object, minute) <= 0);
        memcpy(chain->last_object, minute, sizeof(minute));
    }
    chain->number = digest->number;
    chain->end_s = digest->end_s;
}

static struct chain
chain_of(const struct world *world)
{
    struct chain chain = { 0 };
    world_each_digest(world, "all", follow, &chain);
    return chain;
}

/* Between the guard's look and the time that is written down as anywhere else. */
static void
clock_that_jumps_at_any_moment_dates_nothing(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    for (int reads = 1; reads <= 40; reads++) {
        world_append(&world, "one", 3 * (unsigned)reads, 3);
        world_set_wall_after(reads, TEN_YEARS_S);
        world_flush(&world, 60, failed);
        /* Whatever was seen of it: what it is measured against stays. */
        world_set_wall(20 * 86400);
        world_flush(&world, 60, failed);
        world_set_wall(0);
        world_flush_well(&world);
        struct bucket bucket = bucket_of(&world, "all", "eventID");
        assert_int_equal(bucket.found, 3 * reads);
        assert_true(bucket.retain_most_s <= hf_wall_s() + 3 * 86400);
        assert_true(newest_year(&world) < 2036);
        assert_true(chain_of(&world).end_s < hf_wall_s() + 86400);
    }
    world_stop(&world);
    world_remove(&world);
}

/* An hour and more both ways, with a restart in the middle: nothing is held, and no time goes
 * back. */
static void
steps_of_hours_both_ways_leave_times_that_never_go_back(void **state)
{
    static const int64_t offsets_s[] = { 0, -3600, 0, 7200, -3600, 10800, -80000, 0 };
    struct world world;
    (void)state;
    world_new(&world);
    world_set_wall(
        /* right: a day ahead of the host, so that going back does not reach the day of the build */
        86400);
    world_start(&world, all_trail);
    for (unsigned i = 0; i < HF_COUNT(offsets_s); i++) {
        world_set_wall(86400 + offsets_s[i]);
        world_append(&world, "one", 5 * i, 5);
        world_flush_well(&world);
        if (i == 4) {
            world_stop(&world);
            world_start(&world, all_trail);
        }
    }
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 5 * HF_COUNT(offsets_s));
    assert_int_equal(chain_of(&world).number, HF_COUNT(offsets_s));
    world_stop(&world);
    world_remove(&world);
}

static void
clock_at_1970_holds_and_dates_nothing(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    world_set_wall(60 - hf_wall_s());
    world_append(&world, "one", 3, 3);
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "before this program was built"));
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_stop(&world);
    world_start(&world, all_trail); /* the same after a restart */
    world_append(&world, "one", 6, 3);
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "before this program was built"));
    world_set_wall(0);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 9);
    assert_int_equal(chain_of(&world).number, 2);
    world_stop(&world);
    world_remove(&world);
}

/* Timers run on boot time: after the lid is opened what is due is done at once, in one digest,
 * and nothing is taken for a jump. */
static void
suspend_is_time_that_passed(void **state)
{
    static const char each_hour[] =
        "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 300 }, encryption: "
        "none, digest: { seconds: 3600, key_file: digest.key } }\n";
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, each_hour);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    world_append(&world, "one", 3, 3);
    world_sleep(3 * 86400); /* a weekend: more than a clock may jump */
    hf_trails_notify(world.trails);
    for (int i = 0; i < 1000 && bucket_of(&world, "all", "eventID").found < 6; i++)
        usleep(10000);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6); /* the window's time is over: no flush */
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 9);
    assert_int_equal(bucket.listed, 9);
    assert_int_equal(chain_of(&world).number, 3); /* one for all of the time, none for each hour */
    world_stop(&world);
    world_remove(&world);
}

/* ---- a directory tells no time: what the ledgers know ---- */

#define DAY_S 86400

static void
held_as_too_late(struct world *world)
{
    char failed[512];
    world_flush(world, 300, failed);
    if (!strstr(failed, "days after") || !strstr(failed, "holdfast chain new"))
        fail_msg("'%s' does not say how late it is, and what to do", failed);
}

/* A host with one digest in its bucket that was off, and comes back by such a clock. */
static void
begin_and_come_back(struct world *world, const char *trails, int64_t after_s)
{
    world_new(world);
    world_start(world, all_trail);
    world_append(world, "one", 0, 3);
    world_flush_well(world);
    world_stop(world);
    world_set_wall(after_s);
    world_start(world, trails);
    world_append(world, "one", 3, 3);
}

static void
all_six_are_dated_right(struct world *world)
{
    struct bucket bucket = bucket_of(world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_true(bucket.retain_most_s <= hf_wall_s() + 3 * DAY_S);
    assert_true(newest_year(world) < 2036);
    assert_true(chain_of(world).end_s <= hf_wall_s() + 60);
}

static void
host_that_comes_back_years_ahead_is_held_and_dates_nothing(void **state)
{
    struct world world;
    (void)state;
    begin_and_come_back(&world, all_trail, TEN_YEARS_S);
    for (int starts = 0; starts < 3;
         starts++) { /* what it says by that clock proves nothing later */
        held_as_too_late(&world);
        assert_int_equal(world_number(&world, "cut_sequence"), 3);
        assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
        world_stop(&world);
        world_start(&world, all_trail);
    }
    held_as_too_late(&world);
    world_set_wall(0); /* by itself */
    world_flush_well(&world);
    all_six_are_dated_right(&world);
    world_set_wall(5 * TEN_YEARS_S / 10); /* what it began with is no measure of a jump */
    world_append(&world, "one", 6, 3);
    char failed[512];
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "jumped"));
    world_set_wall(0);
    world_flush_well(&world);
    world_stop(&world);
    world_remove(&world);
}

static void
month_is_the_limit(void **state)
{
    static const struct {
        int64_t after_s;
        bool held;
    } cases[] = { { 29 * DAY_S, false }, { 30 * DAY_S - 60, false }, { 30 * DAY_S + 60, true } };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        struct world world;
        begin_and_come_back(&world, all_trail, cases[i].after_s);
        if (cases[i].held)
            held_as_too_late(&world);
        else
            world_flush_well(&world);
        assert_int_equal(bucket_of(&world, "all", "eventID").found, cases[i].held ? 3 : 6);
        world_stop(&world);
        world_remove(&world);
    }
}

/* It was off for a year indeed, or the time service has set its clock just now. */
static void
clock_that_a_time_service_keeps_is_believed(void **state)
{
    struct world world;
    (void)state;
    begin_and_come_back(&world, all_trail, 365 * DAY_S);
    held_as_too_late(&world);
    world_set_synchronised(true);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 6);
    world_set_wall(368 * DAY_S); /* a jump, too, that it has made */
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    world_set_synchronised(false); /* it is not heard any more: what it has set stays right */
    world_append(&world, "one", 9, 3);
    world_flush_well(&world);
    world_stop(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 12, 3);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 15);
    assert_true(chain_of(&world).number >= 5); /* one chain */
    world_stop(&world);
    world_remove(&world);
}

/* Time that passes while it runs is no clock that was set, however little there was to date. */
static void
agent_that_ran_for_months_without_a_store_is_not_held(void **state)
{
    struct world world;
    char path[512], away[512], failed[512];
    (void)state;
    begin_and_come_back(&world, all_trail, 0);
    world_flush_well(&world);
    snprintf(path, sizeof(path), "%s/root", world.folder);
    snprintf(away, sizeof(away), "%s/away", world.folder);
    assert_int_equal(rename(path, away), 0);
    world_append(&world, "one", 6, 3);
    world_flush(&world, 300, failed);
    world_sleep(100 * DAY_S);
    assert_int_equal(rename(away, path), 0);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 9);
    world_stop(&world);
    world_remove(&world);
}

static const char both_trails[] =
    "  - { name: early, bucket: evidence, prefix: early, window: { seconds: 3600 }, encryption: "
    "none, digest: { key_file: digest.key } }\n"
    "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 3600 }, encryption: none, "
    "digest: { key_file: digest.key } }\n";

/* Its first time is not taken from a clock that the others do not believe, nor do they believe the
 * clock because of it: neither where a start brings it nor where a reload does. */
static void
new_trail_vouches_for_nothing(void **state)
{
    (void)state;
    for (int by_reload = 0; by_reload < 2; by_reload++) {
        struct world world;
        struct hf_error err;
        begin_and_come_back(&world, by_reload ? all_trail : both_trails, TEN_YEARS_S);
        if (by_reload)
            assert_int_equal(
                hf_trails_configure(world.trails, world_config(&world, both_trails), &err), HF_OK);
        for (int starts = 0; starts < 2; starts++) {
            held_as_too_late(&world);
            world_stop(&world);
            world_start(&world, both_trails);
        }
        world_set_wall(0);
        world_flush_well(&world);
        all_six_are_dated_right(&world);
        struct chain early = { 0 };
        world_each_digest(&world, "early", follow, &early);
        assert_true(early.number >= 1);
        assert_true(early.end_s <= hf_wall_s() + 60);
        world_stop(&world);
        world_remove(&world);
    }
}

static void
refused_as_wrong(struct world *world)
{
    char failed[512];
    world_chain_new(world, failed);
    assert_non_null(strstr(failed, "this host's clock cannot be right"));
}

/* It was off for a year, and has no time service: only the operator knows. */
static void
operator_says_that_it_is_so_late(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    begin_and_come_back(&world, both_trails, 365 * DAY_S);
    world.told = world_chain_told;
    held_as_too_late(&world);
    world_set_wall(60 - hf_wall_s());
    world_flush(&world, 300, failed);
    refused_as_wrong(&world);
    world_set_wall(365 * DAY_S);
    held_as_too_late(&world);
    assert_int_equal(atomic_load(&world.own_events), 0);
    world_chain_new(&world, failed);
    assert_string_equal(failed, "");
    world_flush_well(&world); /* the other trail as well: it is the same clock */
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.old_heads, 1); /* signed: it came after the old one */
    world_chain_new(&world, failed);
    assert_non_null(strstr(failed, "is not held"));
    world_stop(&world);
    world_start(&world, both_trails);
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    world_set_wall(375 * DAY_S); /* while it runs: set it back, or restart */
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "jumped"));
    refused_as_wrong(&world);
    world_stop(&world);
    world_start(&world, both_trails);
    world_append(&world, "one", 9, 3);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 12);
    world_stop(&world);
    world_remove(&world);
}

/* Nothing was signed in the old one: nothing is named. */
static void
chain_without_a_head_is_begun_anew_as_well(void **state)
{
    struct world world;
    char path[512], away[512], failed[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root", world.folder);
    snprintf(away, sizeof(away), "%s/away", world.folder);
    assert_int_equal(rename(path, away), 0);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 300, failed);
    world_stop(&world);
    assert_int_equal(rename(away, path), 0);
    world_set_wall(365 * DAY_S);
    world_start(&world, all_trail);
    world.told = world_chain_told;
    world_append(&world, "one", 3, 3);
    held_as_too_late(&world);
    world_chain_new(&world, failed);
    assert_string_equal(failed, "");
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_int_equal(bucket.old_heads, 0);
    world_stop(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    world_stop(&world);
    world_remove(&world);
}

/* As any other. */
static void
first_run_of_months_is_carried_on(void **state)
{
    struct world world;
    char path[512], away[512], failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    snprintf(path, sizeof(path), "%s/root", world.folder);
    snprintf(away, sizeof(away), "%s/away", world.folder);
    assert_int_equal(rename(path, away), 0);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 300, failed);
    world_sleep(100 * DAY_S);
    assert_int_equal(rename(away, path), 0);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 6);
    world_stop(&world);
    world_remove(&world);
}

static const char nobody[] =
    "agent: { state_dir: state, account: \"000000000000\" }\n"
    "stores: [ { name: here, url: \"http://127.0.0.1:9\" } ]\n"
    "sources: [ { name: one, type: socket, path: one.sock } ]\n"
    "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } } ]\n"
    "trails:\n%s";

static void
start_with_nobody(struct world *world)
{
    char text[4096];
    snprintf(text, sizeof(text), nobody, all_trail);
    world_start_config(world, world_config_parse(world, text));
}

/* The store does not answer, so that nobody says what time it is: T must not be carried away for
 * ever. */
static void
clock_far_ahead_is_not_believed_before_the_store_has_told_its_time(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    world_stop(&world);
    world_set_wall(TEN_YEARS_S);
    start_with_nobody(&world);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 300, failed);
    assert_int_equal(world_number(&world, "cut_sequence"), 3);
    world_set_wall(86400);
    world_flush(&world, 300, failed);
    assert_int_equal(world_number(&world, "cut_sequence"), 6); /* as it should be in an outage */
    world_stop(&world);
    world_start(&world, all_trail);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 6);
    assert_true(chain_of(&world).end_s < hf_wall_s() + 2 * 86400);
    world_stop(&world);
    world_remove(&world);
}

/* The first start of all, with a store that does not answer: there is nothing to compare the clock
 * with, so nothing is dated; and when it is known to have been wrong, the trail begins by the right
 * one. */
static void
first_start_waits_until_the_store_has_told_its_time(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_set_wall(TEN_YEARS_S);
    start_with_nobody(&world);
    world_append(&world, "one", 0, 3);
    for (int starts = 0; starts < 2; starts++) {
        world_flush(&world, 300, failed);
        assert_non_null(strstr(failed, "not all is cut"));
        assert_int_equal(world_number(&world, "cut_sequence"), 0);
        world_stop(&world);
        start_with_nobody(&world);
    }
    world_stop(&world);
    world_set_wall(0);
    world_start(&world, all_trail);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world);
    all_six_are_dated_right(&world);
    world_stop(&world);
    world_start(&world, all_trail); /* ... and is still so when the ledger is read again */
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    assert_true(chain_of(&world).end_s <= hf_wall_s() + 60);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_ten_years_ahead_holds_and_dates_nothing),
        cmocka_unit_test(clock_that_jumps_at_any_moment_dates_nothing),
        cmocka_unit_test(events_taken_in_meanwhile_are_dated_right_too),
        cmocka_unit_test(steps_of_hours_both_ways_leave_times_that_never_go_back),
        cmocka_unit_test(clock_at_1970_holds_and_dates_nothing),
        cmocka_unit_test(clock_far_ahead_is_not_believed_before_the_store_has_told_its_time),
        cmocka_unit_test(first_run_of_months_is_carried_on),
        cmocka_unit_test(first_start_waits_until_the_store_has_told_its_time),
        cmocka_unit_test(host_that_comes_back_years_ahead_is_held_and_dates_nothing),
        cmocka_unit_test(month_is_the_limit),
        cmocka_unit_test(clock_that_a_time_service_keeps_is_believed),
        cmocka_unit_test(agent_that_ran_for_months_without_a_store_is_not_held),
        cmocka_unit_test(new_trail_vouches_for_nothing),
        cmocka_unit_test(operator_says_that_it_is_so_late),
        cmocka_unit_test(chain_without_a_head_is_begun_anew_as_well),
        cmocka_unit_test(suspend_is_time_that_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
