/* Faults of this host's disk while the agent runs: what can still be done is done, and nothing
 * is given up. */
#include "tests/unit/trail/world.h"

#include <errno.h>

static atomic_bool no_room_for_digests;

static int
fail_digests(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (!atomic_load(&no_room_for_digests) || !call->path || strcmp(call->name, "open") != 0)
        return 0;
    return strstr(call->path, "/sealed/.d") || strstr(call->path, "/sealed/d") ? ENOSPC : 0;
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
        cmocka_unit_test(change_is_in_force_though_its_settings_cannot_be_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
