/* A spot of the journal that cannot be read, perhaps only for a while: what is in the list of
 * losses is in no object, and what is in neither would be a silent gap. */
#include "tests/unit/trail/world.h"

#include <errno.h>

static atomic_bool unreadable;
static atomic_uint own_event_failures; /* to come */

static int
fail_reads(void *context, struct hf_fs_call *call)
{
    const char *folder = context;
    char link[64], path[512];
    if (!atomic_load(&unreadable) || strcmp(call->name, "pread") != 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[HF_MAX(size, 0)] = '\0';
    return hf_starts_with(path, folder) && strstr(path, "/state/journal/") ? EIO : 0;
}

static enum hf_status
loss_told(struct world *world, const char *name, struct hf_error *err)
{
    enum hf_status status = world_loss_told(world, name, err);
    if (status != HF_OK)
        return status;
    if (atomic_load(&own_event_failures) > 0) {
        atomic_fetch_sub(&own_event_failures, 1);
        return hf_fail(err, HF_ETIMEOUT, "the disk does not answer");
    }
    atomic_store(&unreadable, false); /* now it can be read again */
    return HF_OK;
}

static enum hf_status
loss_told_once_it_was_readable(struct world *world, const char *name, struct hf_error *err)
{
    enum hf_status status = loss_told(world, name, err);
    atomic_store(&unreadable, false);
    return status;
}

static void
start(struct world *world, const char *trails)
{
    world_new(world);
    world->told = loss_told;
    atomic_store(&own_event_failures, 0);
    atomic_store(&unreadable, false);
    hf_fs_interpose(fail_reads, world->folder);
    world_start(world, trails);
}

static void
finish(struct world *world)
{
    world_stop(world);
    hf_fs_interpose(NULL, NULL);
    world_remove(world);
}

/* One record that cannot be read while the trail comes to it. */
static void
append_unreadable(struct world *world, unsigned number)
{
    world_settle(world); /* those in front of it were read */
    unsigned told = atomic_load(&world->own_events);
    atomic_store(&unreadable, true);
    world_append(world, "one", number, 1);
    for (int i = 0; i < 1000 && atomic_load(&world->own_events) == told; i++) {
        hf_trails_notify(world->trails); /* it is tried a few times before it counts as lost */
        usleep(2000);
    }
    assert_int_equal(atomic_load(&world->own_events), told + 1);
}

/* Records "one-0" up to but not including `end` were appended, and only `lost` is lost. */
static void
assert_only_lost(const struct world *world, unsigned lost, unsigned end)
{
    char needle[64];
    snprintf(needle, sizeof(needle), "\"one-%u\"", lost);
    assert_int_equal(bucket_of(world, "all", needle).found, 0);
    struct bucket bucket = bucket_of(world, "all", "eventID");
    assert_int_equal(bucket.found, end - 1);
    assert_int_equal(bucket.listed, end - 1);
    assert_int_equal(bucket.lost, 1);
}

static void
lost_inside_an_open_window_stays_lost_though_it_can_be_read_again(void **state)
{
    struct world world;
    (void)state;
    start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    append_unreadable(&world, 3);
    world_append(&world, "one", 4, 2);
    world_flush_well(&world);
    assert_only_lost(&world, 3, 6);
    world_stop(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 6, 1);
    world_flush_well(&world);
    assert_only_lost(&world, 3, 7);
    assert_int_equal(atomic_load(&world.own_events), 1);
    finish(&world);
}

static void
lost_between_two_windows_is_in_neither(void **state)
{
    struct world world;
    (void)state;
    start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    append_unreadable(&world, 3);
    world_append(&world, "one", 4, 2);
    world_flush_well(&world);
    assert_only_lost(&world, 3, 6);
    finish(&world);
}

static void
restart_between_the_loss_and_its_window_does_not_bring_it_back(void **state)
{
    struct world world;
    (void)state;
    start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    append_unreadable(&world, 3);
    world_append(&world, "one", 4, 2);
    world_settle(&world);
    world_stop(&world); /* the window is open: after the restart it is read again from its begin */
    world_start(&world, all_trail);
    world_flush_well(&world);
    assert_only_lost(&world, 3, 6);
    assert_int_equal(atomic_load(&world.own_events), 1);
    finish(&world);
}

/* The digest takes the loss along, which leaves the ledger's lists with its receipt; the window
 * stays open. */
static void
restart_after_the_digest_of_the_loss_does_not_bring_it_back(void **state)
{
    static const char each_second[] =
        "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 3600 }, encryption: "
        "none, digest: { seconds: 1, key_file: digest.key } }\n";
    struct world world;
    (void)state;
    start(&world, each_second);
    world_append(&world, "one", 0, 3);
    append_unreadable(&world, 3);
    world_append(&world, "one", 4, 2);
    uint64_t number = world_number(&world, "digest_number");
    for (int i = 0; i < 1000 && world_number(&world, "digest_number") < number + 2; i++)
        usleep(10000);
    assert_int_equal(bucket_of(&world, "all", "eventID").lost, 1);
    world_stop(&world);
    world_start(&world, each_second);
    world_flush_well(&world);
    assert_only_lost(&world, 3, 6);
    finish(&world);
}

static void
loss_that_could_not_be_told_is_found_again(void **state)
{
    struct world world;
    (void)state;
    start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&own_event_failures, 1);
    append_unreadable(&world, 3);
    for (int i = 0; i < 1000 && atomic_load(&unreadable); i++) {
        hf_trails_notify(world.trails);
        usleep(2000);
    }
    world_append(&world, "one", 4, 2);
    world_flush_well(&world);
    assert_int_equal(atomic_load(&world.own_events), 2);
    assert_only_lost(&world, 3, 6);
    finish(&world);
}

static void
loss_that_could_not_be_told_is_none_when_it_can_be_read_again(void **state)
{
    struct world world;
    (void)state;
    start(&world, all_trail);
    world.told = loss_told_once_it_was_readable;
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&own_event_failures, 1);
    append_unreadable(&world, 3);
    world_append(&world, "one", 4, 2);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_int_equal(bucket.lost, 0);
    assert_int_equal(atomic_load(&world.own_events), 1);
    finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_inside_an_open_window_stays_lost_though_it_can_be_read_again),
        cmocka_unit_test(lost_between_two_windows_is_in_neither),
        cmocka_unit_test(restart_between_the_loss_and_its_window_does_not_bring_it_back),
        cmocka_unit_test(restart_after_the_digest_of_the_loss_does_not_bring_it_back),
        cmocka_unit_test(loss_that_could_not_be_told_is_found_again),
        cmocka_unit_test(loss_that_could_not_be_told_is_none_when_it_can_be_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
