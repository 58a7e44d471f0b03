/* A trail that moves to another store while something is on its way to the old one. */
#include "tests/unit/trail/world.h"

#include "agent/trail/inbox.h"

#include <errno.h>

static const char two_stores[] =
    "agent: { state_dir: state, account: \"000000000000\" }\n"
    "stores: [ { name: here, url: \"dir://%s/root\" }, { name: there, url: \"dir://%s/root2\" } ]\n"
    "sources: [ { name: one, type: socket, path: one.sock } ]\n"
    "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } },\n"
    "           { name: other, store: there, retention: { mode: governance, days: 1 } } ]\n"
    "trails: [ { name: all, bucket: other, prefix: all, window: { seconds: 3600 }, encryption: "
    "none, digest: { key_file: digest.key } } ]\n";
static const char new_store[] =
    "agent: { state_dir: state, account: \"000000000000\" }\n"
    "stores: [ { name: there, url: \"dir://%s/root2\" } ]\n"
    "sources: [ { name: one, type: socket, path: one.sock } ]\n"
    "buckets: [ { name: other, store: there, retention: { mode: governance, days: 1 } } ]\n"
    "trails: [ { name: all, bucket: other, prefix: all, window: { seconds: 3600 }, encryption: "
    "none, digest: { key_file: digest.key } } ]\n";

/* The key's write to the old store stands still until the trail has moved, then fails. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool standing, let_go;
} old_store = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int
hold_key(void *context, struct hf_fs_call *call)
{
    char link[64], path[512];
    (void)context;
    if (call->fd < 0 || !strstr(call->name, "write"))
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[HF_MAX(size, 0)] = '\0';
    if (!strstr(path, "/root/evidence/") || !strstr(path, "/keys/"))
        return 0;
    pthread_mutex_lock(&old_store.lock);
    old_store.standing = true;
    pthread_cond_broadcast(&old_store.changed);
    while (!old_store.let_go)
        pthread_cond_wait(&old_store.changed, &old_store.lock);
    pthread_mutex_unlock(&old_store.lock);
    return EIO;
}

static void
wait_for_key(void)
{
    pthread_mutex_lock(&old_store.lock);
    while (!old_store.standing)
        pthread_cond_wait(&old_store.changed, &old_store.lock);
    pthread_mutex_unlock(&old_store.lock);
}

static void
let_key_fail(void)
{
    pthread_mutex_lock(&old_store.lock);
    old_store.let_go = true;
    pthread_cond_broadcast(&old_store.changed);
    pthread_mutex_unlock(&old_store.lock);
}

static struct bucket
other_bucket(const struct world *world)
{
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/root2/other", world->folder);
    return bucket_in(folder, "eventID");
}

static void
key_that_fails_at_the_old_store_goes_to_the_new_one(void **state)
{
    struct world world;
    struct hf_error err;
    char path[512], text[4096];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root2/other", world.folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    hf_fs_interpose(hold_key, NULL);
    world_start(&world, all_trail);
    wait_for_key();
    snprintf(text, sizeof(text), two_stores, world.folder, world.folder);
    assert_int_equal(hf_trails_configure(world.trails, world_config_parse(&world, text), &err),
                     HF_OK);
    world_settle(&world); /* the change is in force */
    let_key_fail();
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    struct bucket bucket = other_bucket(&world);
    assert_int_equal(bucket.found, 3);
    assert_int_equal(bucket.keys, 1);
    assert_int_equal(bucket_of(&world, "", "eventID").keys, 0);
    /* nothing needs the old store any more */
    snprintf(text, sizeof(text), new_store, world.folder);
    if (hf_trails_configure(world.trails, world_config_parse(&world, text), &err) != HF_OK)
        fail_msg("%s", err.text);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world);
    assert_int_equal(other_bucket(&world).found, 6);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

static void
first_event_after_a_change_of_an_unused_trail_goes_to_the_new_place(void **state)
{
    static const char moved[] =
        "  - { name: all, bucket: evidence, prefix: moved, window: { seconds: 3600 }, encryption: "
        "none, digest: { key_file: digest.key } }\n";
    struct world world;
    struct hf_error err;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, moved), &err), HF_OK);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 0);
    assert_int_equal(bucket_of(&world, "moved", "eventID").found, 1);
    world_stop(&world);
    world_remove(&world);
}

/* ---- sealed under another configuration than cut ---- */

static const char moved_trail[] = "  - { name: all, bucket: evidence, prefix: moved, window: { "
                                  "seconds: 3600 }, encryption: none, "
                                  "digest: { key_file: digest.key } }\n";
static const char small_trail[] =
    "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 3600, max_bytes: 64KiB }, "
    "encryption: none, digest: { key_file: digest.key } }\n";

struct places {
    unsigned windows, digests, other;
};

/* On the trails' thread: is the key that a digest would list the one that the file goes to? */
static void
look_at_places(struct hf_trails *trails, void *argument)
{
    struct places *places = argument;
    const struct trail *trail = trails->trails;
    const struct digest_work *work = trail->chain.digest;
    for (const struct window *window = trail->outbox.windows; window; window = window->next) {
        places->windows += window->out.sealed != NULL;
        places->other += window->out.sealed && strcmp(window->out.sealed->key, window->key) != 0;
    }
    if (work && work->out.sealed) {
        places->digests++;
        places->other += strcmp(work->out.sealed->key, work->digest.key) != 0 ||
                         strcmp(work->out.sealed->bucket, work->digest.bucket) != 0;
    }
}

static struct places
places_of(struct world *world)
{
    struct places places = { 0 };
    inbox_call(world->trails, look_at_places, &places);
    return places;
}

/* Sealing has no room while this stands at true. */
static atomic_bool sealing_fails;

static int
fail_sealing(void *context, struct hf_fs_call *call)
{
    (void)context;
    return atomic_load(&sealing_fails) && call->path && strstr(call->path, "/all/sealed/") &&
                   strcmp(call->name, "open") == 0
               ? EIO
               : 0;
}

/* The ledger has the keys of the cut. What lists a window as pending, names a key that was taken or
 * gets out of a stray's way has to speak of the one that is used. */
static void
after_a_restart_everything_has_the_key_it_was_sealed_for(void **state)
{
    struct world world;
    char path[512], away[600], failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, small_trail);
    world_append(&world, "one", 0, 3000); /* one ends by its size: delivered, in no digest yet */
    while (world_number(&world, "objects_delivered") == 0)
        usleep(10000);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    snprintf(away, sizeof(away), "%s/root/away", world.folder);
    assert_int_equal(hf_fs_rename(path, away, NULL), HF_OK);
    hf_fs_interpose(fail_sealing, NULL);
    atomic_store(&sealing_fails, true);
    world_flush(&world, 300, failed); /* the rest is cut */
    world_stop(&world);               /* and a last digest */
    atomic_store(&sealing_fails, false);
    world_start(&world, moved_trail);
    for (int i = 0; i < 2000 && places_of(&world).windows + places_of(&world).digests < 2; i++)
        usleep(10000);
    world_stop(&world);
    world_start(&world, moved_trail);
    struct places places = places_of(&world);
    assert_true(places.windows >= 1);
    assert_int_equal(places.digests, 1);
    assert_int_equal(places.other, 0);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

/* ---- a public key whose place is taken ---- */

static void
look_at_key(struct hf_trails *trails, void *argument)
{
    *(bool *)argument = trails->trails->chain.key.foreign;
}

static bool
key_is_taken(struct world *world)
{
    bool taken;
    inbox_call(world->trails, look_at_key, &taken);
    return taken;
}

static void
take_key_place(const struct world *world)
{
    char path[512], folder[HF_PATH_MAX], key[HF_KEY_MAX];
    struct hf_signer *signer;
    struct hf_layout layout = {
        .prefix = "all", .account = "000000000000", .region = "local", .trail = "all"
    };
    snprintf(path, sizeof(path), "%s/digest.key", world->folder);
    assert_int_equal(hf_signer_load(path, &signer, NULL), HF_OK);
    hf_layout_public_key(&layout, hf_signer_fingerprint(signer), key);
    hf_signer_free(signer);
    snprintf(folder, sizeof(folder), "%s/root/evidence/%s", world->folder, key);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(hf_fs_mkdirs(folder, 0700, NULL), HF_OK);
    snprintf(folder, sizeof(folder), "%s/root/evidence/%s", world->folder, key);
    assert_int_equal(hf_fs_replace(folder, "junk", 4, 0400, NULL), HF_OK);
}

/* The ledger kept them: after the next start they were the new key's, whose place is free. */
static void
key_that_moves_leaves_no_attempts_behind(void **state)
{
    struct world world;
    struct hf_error err;
    (void)state;
    world_new(&world);
    take_key_place(&world);
    world_start(&world, all_trail);
    for (int i = 0; i < 2000 && !key_is_taken(&world); i++)
        usleep(10000);
    assert_true(key_is_taken(&world));
    world_assert_replay(&world);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, moved_trail), &err),
                     HF_OK);
    for (int i = 0; i < 2000 && key_is_taken(&world); i++)
        usleep(10000);
    assert_false(key_is_taken(&world));
    world_assert_replay(&world);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "moved", "eventID").found, 1);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_that_fails_at_the_old_store_goes_to_the_new_one),
        cmocka_unit_test(first_event_after_a_change_of_an_unused_trail_goes_to_the_new_place),
        cmocka_unit_test(after_a_restart_everything_has_the_key_it_was_sealed_for),
        cmocka_unit_test(key_that_moves_leaves_no_attempts_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
