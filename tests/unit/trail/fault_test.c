/* Faults of this host's disk while the agent runs: what can still be done is done, and nothing
 * is given up. */
#include "tests/unit/trail/world.h"

#include <errno.h>

static atomic_bool no_room_for_digests, no_room_for_keys;
static atomic_uint refused;

static int
fail_digests(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (!call->path || strcmp(call->name, "open") != 0)
        return 0;
    if (!(atomic_load(&no_room_for_digests) &&
          (strstr(call->path, "/sealed/.d") || strstr(call->path, "/sealed/d"))) &&
        !(atomic_load(&no_room_for_keys) &&
          (strstr(call->path, "/sealed/.k") || strstr(call->path, "/sealed/k"))))
        return 0;
    atomic_fetch_add(&refused, 1);
    return ENOSPC;
}

static bool
has_digest_problem(struct world *world)
{
    hf_owned(hf_freep) char *problem = world_text(world, "digest_problem");
    return problem != NULL;
}

static void
wait_delivered(struct world *world, uint64_t objects)
{
    for (int i = 0; i < 1000 && world_number(world, "objects_delivered") < objects; i++)
        usleep(10000);
    assert_int_equal(world_number(world, "objects_delivered"), objects);
}

static void
missing_sealed_folder_is_made_again_and_nothing_given_up(void **state)
{
    struct world world;
    char path[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    snprintf(path, sizeof(path), "%s/state/trails/all/sealed", world.folder);
    hf_test_tempdir_remove(path);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world); /* an event of its own would fail the test */
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 6);
    assert_int_equal(bucket.lost, 0);
    world_stop(&world);
    world_remove(&world);
}

static void
digest_without_room_does_not_stop_deliveries(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    hf_fs_interpose(fail_digests, NULL);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&no_room_for_digests, true);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 500, failed);
    assert_non_null(strstr(failed, "the digest is not delivered yet"));
    world_append(&world, "one", 6, 3);
    world_flush(&world, 100, failed);
    for (int i = 0; i < 1000 && world_number(&world, "objects_delivered") < 3; i++)
        usleep(10000);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 9);
    assert_int_equal(bucket.digests, 1);
    atomic_store(&no_room_for_digests, false);
    world_flush_well(&world);
    bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.listed, 9);
    assert_int_equal(bucket.highest_number, bucket.digests);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

/* Windows are not tried together with it: after some failures they are sealed long before it is. */
static void
digest_that_cannot_be_sealed_throttles_no_window(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    hf_fs_interpose(fail_digests, NULL);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    assert_false(has_digest_problem(&world));
    atomic_store(&no_room_for_digests, true);
    atomic_store(&refused, 0);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 16000, failed); /* tried after 0, 1, 3, 7, 15 s; then after 31 */
    assert_in_range(atomic_load(&refused), 1, 8);
    assert_true(has_digest_problem(&world));
    unsigned before = atomic_load(&refused);
    for (unsigned i = 0; i < 3; i++) {
        world_append(&world, "one", 6 + i, 1);
        world_flush(&world, 1, failed);
        wait_delivered(&world, 3 + i);
    }
    assert_int_equal(atomic_load(&refused), before);
    atomic_store(&no_room_for_digests, false);
    world_flush(&world, 60000, failed);
    assert_string_equal(failed, "");
    assert_false(has_digest_problem(&world));
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

/* The public key is tried again by itself, also while no digest is at hand. */
static void
key_that_cannot_be_written_is_said_and_tried_again(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    hf_fs_interpose(fail_digests, NULL);
    atomic_store(&no_room_for_keys, true);
    atomic_store(&refused, 0);
    world_start(&world, all_trail);
    for (int i = 0; i < 1000 && atomic_load(&refused) < 2; i++)
        usleep(10000);
    assert_true(atomic_load(&refused) >= 2);
    assert_true(has_digest_problem(&world));
    atomic_store(&no_room_for_keys, false);
    for (int i = 0; i < 1000 && has_digest_problem(&world); i++)
        usleep(10000);
    assert_false(has_digest_problem(&world));
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").keys, 1);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

static void
change_is_in_force_though_its_settings_cannot_be_saved(void **state)
{
    static const char only_two[] =
        "  - { name: all, bucket: evidence, prefix: all, sources: [two], window: { seconds: 3600 "
        "}, encryption: none, digest: { key_file: digest.key } }\n";
    struct world world;
    struct hf_error err;
    char path[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    snprintf(path, sizeof(path), "%s/state/trails/all/trail.json", world.folder);
    assert_int_equal(hf_fs_unlink(path, &err), HF_OK);
    assert_int_equal(hf_fs_mkdirs(path, 0700, &err), HF_OK); /* nothing can be put in its place */
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, only_two), &err),
                     HF_OK);
    world_append(&world, "one", 3, 3);
    world_append(&world, "two", 0, 2);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "\"one-").found, 3);
    assert_int_equal(bucket_of(&world, "all", "\"two-").found, 2);
    world_stop(&world);
    assert_int_equal(hf_fs_rmdir(path, &err), HF_OK);
    world_start(&world, only_two);
    world_append(&world, "two", 2, 1);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "\"two-").found, 3);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_sealed_folder_is_made_again_and_nothing_given_up),
        cmocka_unit_test(digest_without_room_does_not_stop_deliveries),
        cmocka_unit_test(digest_that_cannot_be_sealed_throttles_no_window),
        cmocka_unit_test(key_that_cannot_be_written_is_said_and_tried_again),
        cmocka_unit_test(change_is_in_force_though_its_settings_cannot_be_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
