/* Trails over a real journal and a real directory store: what was appended comes out once, chained, whatever happens between. */
#include "tests/support/test.h"
#include <fcntl.h>
#include <holdfast/crypto.h>
#include <holdfast/digest.h>
#include <holdfast/json.h>
#include <holdfast/seal.h>
#include <holdfast/trail.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    char folder[256];
    struct hf_identity identity;
    struct hf_journal *journal;
    struct hf_trails *trails;
    atomic_uint_fast64_t durable;
    _Atomic(struct hf_trails *) notify;
    const char *expected_event;
};

static const char base_yaml[] = "agent: { state_dir: state, account: \"000000000000\" }\n"
                                "stores: [ { name: here, url: \"dir://%s/root\" } ]\n"
                                "sources: [ { name: one, type: socket, path: one.sock }, { name: two, type: socket, path: two.sock } ]\n"
                                "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } } ]\n"
                                "trails:\n%s";
static const char all_trail[] = "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 3600 }, encryption: none, digest: { key_file: digest.key } }\n";
static const char two_trail[] = "  - { name: only-two, bucket: evidence, prefix: two, sources: [two], window: { seconds: 3600 }, encryption: none, digest: { key_file: digest.key } }\n";

static void
on_commit(void *context, uint64_t durable_seq, bool room)
{
    struct world *world = context;
    (void)room;
    atomic_store(&world->durable, durable_seq);
    struct hf_trails *trails = atomic_load(&world->notify);
    if (trails)
        hf_trails_notify(trails);
}

static enum hf_status
own_event(void *context, const char *event_name, const char *details_json, struct hf_error *err)
{
    struct world *world = context;
    (void)details_json;
    (void)err;
    if (!world->expected_event || strcmp(world->expected_event, event_name) != 0)
        fail_msg("no event of its own was expected: %s", event_name);
    return HF_OK;
}

static struct hf_config *
config_of(const struct world *world, const char *trails)
{
    char text[4096], path[512];
    struct hf_config *config;
    struct hf_error err;
    snprintf(text, sizeof(text), base_yaml, world->folder, trails);
    snprintf(path, sizeof(path), "%s/holdfast.yaml", world->folder);
    enum hf_status status = hf_config_parse(hf_slice_text(text), path, &config, &err);
    if (status != HF_OK)
        fail_msg("%s", err.text);
    return config;
}

static void
world_start(struct world *world, const char *trails)
{
    char path[512];
    struct hf_error err = {0};
    struct hf_journal_recovery recovery;
    snprintf(path, sizeof(path), "%s/state/journal", world->folder);
    struct hf_journal_options journal = {.directory = path, .max_bytes = 64u << 20, .segment_bytes = 4u << 20, .on_commit = on_commit, .context = world};
    assert_int_equal(hf_journal_open(&journal, &world->journal, &recovery, &err), HF_OK);
    assert_int_equal(recovery.loss_count, 0);
    hf_journal_recovery_done(&recovery);
    char state[512];
    snprintf(state, sizeof(state), "%s/state", world->folder);
    struct hf_trails_options options = {.state_dir = hf_strdup(state), .identity = &world->identity, .journal = world->journal, .own_event = own_event, .context = world};
    struct hf_config *config = config_of(world, trails);
    if (hf_trails_start(&options, config, &world->trails, &err) != HF_OK)
        fail_msg("%s", err.text);
    free((char *)options.state_dir);
    atomic_store(&world->notify, world->trails);
}

static void
world_stop(struct world *world)
{
    atomic_store(&world->notify, NULL);
    hf_journal_sync(world->journal, 5000, NULL) == HF_OK ? (void)0 : fail();
    hf_trails_stop(world->trails, 5000);
    hf_journal_close(world->journal);
}

static void
world_new(struct world *world)
{
    char path[512];
    memset(world, 0, sizeof(*world));
    hf_test_tempdir(world->folder);
    snprintf(path, sizeof(path), "%s/digest.key", world->folder);
    assert_int_equal(hf_signer_create(path, 2048, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/root/evidence", world->folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/state", world->folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_int_equal(hf_identity_load(path, "host", &world->identity, NULL), HF_OK);
}

static void
world_remove(struct world *world)
{
    hf_test_tempdir_remove(world->folder);
}

/* `count` records of a source, numbered from `first`. */
static void
append(struct world *world, const char *source, unsigned first, unsigned count)
{
    uint16_t id;
    struct hf_error err;
    assert_int_equal(hf_journal_source(world->journal, source, &id, &err), HF_OK);
    for (unsigned i = first; i < first + count; i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"eventID\":\"%s-%u\",\"n\":%u}", source, i, i);
        assert_int_equal(hf_journal_begin(world->journal, true, &err), HF_OK);
        assert_int_equal(hf_journal_append(world->journal, id, 1767225600, hf_slice_text(text), NULL, &err), HF_OK);
        hf_journal_commit(world->journal);
    }
    assert_int_equal(hf_journal_sync(world->journal, 10000, &err), HF_OK);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    char failed[512];
};

static void
flushed(void *context, const char *failed)
{
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->lock);
    snprintf(waiting->failed, sizeof(waiting->failed), "%s", failed ? failed : "");
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static void
flush(struct world *world, uint64_t timeout_ms, char ret_failed[512])
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct hf_journal_info info;
    hf_journal_info(world->journal, &info);
    hf_trails_flush(world->trails, info.durable_seq, timeout_ms, flushed, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    memcpy(ret_failed, waiting.failed, 512);
}

static void
flush_well(struct world *world)
{
    char failed[512];
    flush(world, 20000, failed);
    assert_string_equal(failed, "");
}

/* How often does `needle` stand in the objects under this prefix? Digests are counted apart. */
struct bucket {
    unsigned objects, digests, found, old_heads;
    uint64_t highest_number;
};

static void
look_at(struct bucket *bucket, const char *path, const char *needle)
{
    hf_owned(hf_buf_done) struct hf_buf gzip = HF_BUF(1u << 24), text = HF_BUF(1u << 24);
    assert_int_equal(hf_fs_read_file(path, 1u << 24, &gzip, NULL), HF_OK);
    assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &text, NULL), HF_OK);
    if (strstr(path, "CloudTrail-Digest")) {
        struct hf_digest digest = {0};
        assert_int_equal(hf_digest_parse(hf_buf_slice(&text), &digest, NULL), HF_OK);
        bucket->highest_number = HF_MAX(bucket->highest_number, digest.number);
        bucket->digests++;
        bucket->old_heads += digest.old_head != NULL;
        hf_digest_done(&digest);
        return;
    }
    bucket->objects++;
    for (const char *at = hf_buf_text(&text); (at = strstr(at, needle)) != NULL; at += strlen(needle))
        bucket->found++;
}

static void
walk(struct bucket *bucket, const char *folder, const char *needle)
{
    char **names;
    size_t count;
    if (hf_fs_list(folder, 10000, &names, &count, NULL) != HF_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        char path[HF_PATH_MAX];
        struct stat stat;
        hf_path_join(path, sizeof(path), folder, names[i]);
        assert_int_equal(hf_fs_stat(path, &stat, NULL), HF_OK);
        if (S_ISDIR(stat.st_mode))
            walk(bucket, path, needle);
        else if (hf_ends_with(names[i], ".gz"))
            look_at(bucket, path, needle);
    }
    hf_fs_names_free(names, count);
}

static struct bucket
bucket_of(const struct world *world, const char *prefix, const char *needle)
{
    char folder[HF_PATH_MAX];
    struct bucket bucket = {0};
    snprintf(folder, sizeof(folder), "%s/root/evidence/%s", world->folder, prefix);
    walk(&bucket, folder, needle);
    return bucket;
}

static bool
exists(const struct world *world, const char *name)
{
    char path[HF_PATH_MAX];
    struct stat stat;
    hf_path_join(path, sizeof(path), world->folder, name);
    return hf_fs_stat(path, &stat, NULL) == HF_OK;
}

static void
wait_until_gone(const struct world *world, const char *name)
{
    for (int i = 0; i < 2000 && exists(world, name); i++)
        usleep(10000);
    assert_false(exists(world, name));
}

/* ---- the tests ---- */

static void
flush_delivers_each_event_once_and_signs(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    append(&world, "one", 0, 100);
    flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 100);
    assert_int_equal(bucket.digests, 1);
    append(&world, "one", 100, 50);
    flush_well(&world);
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
    append(&world, "one", 0, 1);
    flush_well(&world);
    flush_well(&world);
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
        append(&world, "one", round * 10, 10);
        if (round % 2 == 0)
            flush_well(&world); /* the other rounds stop with everything still to do */
        world_stop(&world);
    }
    world_start(&world, all_trail);
    flush_well(&world);
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
            append(&world, "one", appended, 20);
            struct hf_journal_info info;
            struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
            hf_journal_info(world.journal, &info);
            hf_trails_flush(world.trails, info.durable_seq, 20000, flushed, &waiting);
            usleep(round * 3000);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        appended += 20;
    }
    world_start(&world, all_trail);
    flush_well(&world);
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
    append(&world, "one", 0, 10);
    append(&world, "two", 0, 5);
    flush_well(&world);
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
    append(&world, "two", 0, 7);
    assert_int_equal(hf_trails_configure(world.trails, config_of(&world, all_trail), &err), HF_OK);
    append(&world, "two", 7, 3); /* not its own any more */
    wait_until_gone(&world, "state/trails/only-two");
    struct bucket bucket = bucket_of(&world, "two", "eventID");
    assert_int_equal(bucket.found, 7);
    assert_true(bucket.digests >= 1);
    flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 10);
    world_stop(&world);
    world_remove(&world);
}

static void
changed_trail_keeps_old_events_under_old_settings(void **state)
{
    struct world world;
    struct hf_error err;
    static const char moved[] = "  - { name: all, bucket: evidence, prefix: moved, window: { seconds: 3600 }, encryption: none, digest: { key_file: digest.key } }\n";
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    append(&world, "one", 0, 10);
    assert_int_equal(hf_trails_configure(world.trails, config_of(&world, moved), &err), HF_OK);
    append(&world, "one", 10, 4);
    flush_well(&world);
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
    append(&world, "one", 0, 3);
    flush(&world, 300, failed);
    assert_non_null(strstr(failed, "trail 'all'"));
    assert_non_null(strstr(failed, "bucket apply"));
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    flush_well(&world); /* by itself */
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_stop(&world);
    world_remove(&world);
}

static void
chain_new(struct world *world, char ret_failed[512])
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    hf_trails_chain_new(world->trails, "all", flushed, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    memcpy(ret_failed, waiting.failed, 512);
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
    append(&world, "one", 0, 5);
    flush_well(&world);
    chain_new(&world, failed);
    assert_non_null(strstr(failed, "not held"));
    world_stop(&world);
    lose_state(&world);
    world_start(&world, all_trail);
    append(&world, "one", 5, 5);
    flush(&world, 500, failed);
    assert_non_null(strstr(failed, "holdfast chain new --trail all"));
    world.expected_event = "ChainNew";
    chain_new(&world, failed);
    assert_string_equal(failed, "");
    flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 10);
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.highest_number, 1); /* each chain has its own number 1 */
    assert_int_equal(bucket.old_heads, 1);      /* and the second names what it came after */
    world_stop(&world);
    world_start(&world, all_trail); /* and it stays so */
    append(&world, "one", 10, 1);
    flush_well(&world);
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
    struct hf_journal_options journal = {.directory = journal_path, .max_bytes = 64u << 20, .segment_bytes = 4u << 20, .on_commit = on_commit, .context = &world};
    assert_int_equal(hf_journal_open(&journal, &world.journal, &recovery, &err), HF_OK);
    hf_journal_recovery_done(&recovery);
    struct hf_trails_options options = {.state_dir = path, .identity = &world.identity, .journal = world.journal, .own_event = own_event};
    struct hf_config *config = config_of(&world, all_trail);
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
        cmocka_unit_test(changed_trail_keeps_old_events_under_old_settings),
        cmocka_unit_test(missing_bucket_holds_the_trail_until_it_is_there),
        cmocka_unit_test(lost_state_holds_until_a_new_chain_is_meant),
        cmocka_unit_test(missing_digest_key_is_a_local_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
