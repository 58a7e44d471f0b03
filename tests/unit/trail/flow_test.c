/* What was appended comes out once, chained, whatever happens between. */
#include "tests/unit/trail/world.h"
#include <sys/wait.h>
#include <unistd.h>

/* ---- the tests ---- */

static void
flush_delivers_each_event_once_and_signs(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 100);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 100);
    assert_int_equal(bucket.digests, 1);
    world_append(&world, "one", 100, 50);
    world_flush_well(&world);
    bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 150);
    assert_int_equal(bucket.highest_number, 2);
    world_stop(&world);
    world_remove(&world);
}

static void
flush_without_anything_new_makes_no_second_digest(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").digests, 1);
    world_stop(&world);
    world_remove(&world);
}

static void
restart_goes_on_with_the_same_chain(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    for (unsigned round = 0; round < 4; round++) {
        world_start(&world, all_trail);
        world_append(&world, "one", round * 10, 10);
        if (round % 2 == 0)
            world_flush_well(&world); /* the other rounds stop with everything still to do */
        world_stop(&world);
    }
    world_start(&world, all_trail);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 40);
    assert_int_equal(bucket.highest_number, bucket.digests);
    world_stop(&world);
    world_remove(&world);
}

/* The process ends without any goodbye, again and again, at another moment each time. */
static void
killed_at_any_moment_nothing_is_lost_or_doubled(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    unsigned appended = 0;
    for (unsigned round = 0; round < 8; round++) {
        pid_t child = fork();
        if (child == 0) {
            world_start(&world, all_trail);
            world_append(&world, "one", appended, 20);
            struct hf_journal_info info;
            struct waiting waiting = WAITING;
            hf_journal_info(world.journal, &info);
            hf_trails_flush(world.trails, info.durable_seq, 20000, world_flushed, &waiting);
            usleep(round * 3000);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        appended += 20;
    }
    world_start(&world, all_trail);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, appended);
    world_stop(&world);
    world_remove(&world);
}

static void
trail_takes_only_its_sources(void **state)
{
    struct world world;
    char both[1024];
    (void)state;
    world_new(&world);
    snprintf(both, sizeof(both), "%s%s", all_trail, two_trail);
    world_start(&world, both);
    world_append(&world, "one", 0, 10);
    world_append(&world, "two", 0, 5);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 15);
    assert_int_equal(bucket_of(&world, "two", "\"eventID\":\"two-").found, 5);
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 5);
    world_stop(&world);
    world_remove(&world);
}

static void
removed_trail_drains_signs_and_goes(void **state)
{
    struct world world;
    struct hf_error err;
    char both[1024];
    (void)state;
    world_new(&world);
    snprintf(both, sizeof(both), "%s%s", all_trail, two_trail);
    world_start(&world, both);
    world_append(&world, "two", 0, 7);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, all_trail), &err),
                     HF_OK);
    world_append(&world, "two", 7, 3); /* not its own any more */
    world_wait_until_gone(&world, "state/trails/only-two");
    struct bucket bucket = bucket_of(&world, "two", "eventID");
    assert_int_equal(bucket.found, 7);
    assert_true(bucket.digests >= 1);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 10);
    world_stop(&world);
    world_remove(&world);
}

static void
added_trail_begins_with_the_reload(void **state)
{
    struct world world;
    struct hf_error err;
    char both[1024];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "two", 0, 2);
    world_settle(&world);
    snprintf(both, sizeof(both), "%s%s", all_trail, two_trail);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, both), &err), HF_OK);
    assert_true(world_has(&world, "state/trails/only-two"));
    world_append(&world, "two", 2, 3);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 3);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 5);
    world_stop(&world);
    world_remove(&world);
}

static void
changed_trail_keeps_old_events_under_old_settings(void **state)
{
    struct world world;
    struct hf_error err;
    static const char moved[] =
        "  - { name: all, bucket: evidence, prefix: moved, window: { seconds: 3600 }, encryption: "
        "none, digest: { key_file: digest.key } }\n";
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 10);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, moved), &err), HF_OK);
    world_append(&world, "one", 10, 4);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 10);
    assert_int_equal(bucket_of(&world, "moved", "eventID").found, 4);
    world_stop(&world);
    world_remove(&world);
}

static void
missing_bucket_holds_the_trail_until_it_is_there(void **state)
{
    struct world world;
    char failed[512], path[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 300, failed);
    assert_non_null(strstr(failed, "trail 'all'"));
    assert_non_null(strstr(failed, "bucket apply"));
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    world_flush_well(&world); /* by itself */
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_stop(&world);
    world_remove(&world);
}

/* Cut is not delivered: whoever waits for the evidence would look too early. */
static void
objects_count_as_undigested_until_their_digest_is_delivered(void **state)
{
    struct world world;
    char path[512], failed[512], day[HF_TIME_SIZE];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path),
             "%s/root/evidence/all/AWSLogs/000000000000/CloudTrail-Digest/local", world.folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    hf_time_folder(hf_wall_s(), day); /* of its year; the public key lies beside it */
    snprintf(path, sizeof(path),
             "%s/root/evidence/all/AWSLogs/000000000000/CloudTrail-Digest/local/%.4s", world.folder,
             day);
    assert_int_equal(hf_fs_replace(path, "in the way", 10, 0600, NULL), HF_OK);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 500, failed);
    assert_int_equal(world_number(&world, "objects_delivered"), 1);
    assert_int_equal(world_number(&world, "objects_undigested"), 1);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    world_flush_well(&world);
    assert_int_equal(world_number(&world, "objects_undigested"), 0);
    world_stop(&world);
    world_remove(&world);
}

static void
reload_tries_at_once_what_was_held_for_long(void **state)
{
    struct world world;
    char path[512], failed[512];
    struct hf_error err;
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    while (world_number(&world, "retry_in_s") < 10) /* each flush is a try, and the wait doubles */
        world_flush(&world, 20, failed);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, all_trail), &err),
                     HF_OK);
    uint64_t deadline_ms = hf_boot_ms() + 5000;
    while (world_number(&world, "retry_in_s") > 0 && hf_boot_ms() < deadline_ms)
        usleep(10000);
    assert_int_equal(world_number(&world, "retry_in_s"), 0);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_stop(&world);
    world_remove(&world);
}

static void
lose_state(struct world *world)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/state", world->folder);
    hf_test_tempdir_remove(path);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_int_equal(hf_identity_load(path, "host", &world->identity, NULL), HF_OK);
}

static void
lost_state_holds_until_a_new_chain_is_meant(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 5);
    world_flush_well(&world);
    world_chain_new(&world, failed);
    assert_non_null(strstr(failed, "not held"));
    world_stop(&world);
    lose_state(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 5, 5);
    world_flush(&world, 500, failed);
    assert_non_null(strstr(failed, "holdfast chain new --trail all"));
    world.told = world_chain_told;
    world_chain_new(&world, failed);
    assert_string_equal(failed, "");
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 10);
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.highest_number, 1); /* each chain has its own number 1 */
    assert_int_equal(bucket.old_heads, 1);      /* and the second names what it came after */
    world_stop(&world);
    world_start(&world, all_trail); /* and it stays so */
    world_append(&world, "one", 10, 1);
    world_flush_well(&world);
    world_stop(&world);
    world_remove(&world);
}

static void
missing_digest_key_is_a_local_fault(void **state)
{
    struct world world;
    struct hf_error err;
    char path[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/digest.key", world.folder);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/state", world.folder);
    struct hf_journal_recovery recovery;
    char journal_path[600];
    snprintf(journal_path, sizeof(journal_path), "%s/journal", path);
    struct hf_journal_options journal = { .directory = journal_path,
                                          .max_bytes = 64u << 20,
                                          .segment_bytes = 4u << 20,
                                          .on_commit = world_on_commit,
                                          .context = &world };
    assert_int_equal(hf_journal_open(&journal, &world.journal, &recovery, &err), HF_OK);
    hf_journal_recovery_done(&recovery);
    struct hf_trails_options options = { .state_dir = path,
                                         .identity = &world.identity,
                                         .journal = world.journal,
                                         .own_event = world_own_event };
    struct hf_config *config = world_config(&world, all_trail);
    assert_int_equal(hf_trails_start(&options, config, &world.trails, &err), HF_ECONFIG);
    assert_non_null(strstr(err.text, "holdfast key new"));
    hf_config_free(config);
    hf_journal_close(world.journal);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_delivers_each_event_once_and_signs),
        cmocka_unit_test(flush_without_anything_new_makes_no_second_digest),
        cmocka_unit_test(restart_goes_on_with_the_same_chain),
        cmocka_unit_test(killed_at_any_moment_nothing_is_lost_or_doubled),
        cmocka_unit_test(trail_takes_only_its_sources),
        cmocka_unit_test(removed_trail_drains_signs_and_goes),
        cmocka_unit_test(added_trail_begins_with_the_reload),
        cmocka_unit_test(changed_trail_keeps_old_events_under_old_settings),
        cmocka_unit_test(missing_bucket_holds_the_trail_until_it_is_there),
        cmocka_unit_test(objects_count_as_undigested_until_their_digest_is_delivered),
        cmocka_unit_test(reload_tries_at_once_what_was_held_for_long),
        cmocka_unit_test(lost_state_holds_until_a_new_chain_is_meant),
        cmocka_unit_test(missing_digest_key_is_a_local_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
