/* A trail that moves to another store while something is on its way to the old one. */
#include "tests/unit/trail/world.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_that_fails_at_the_old_store_goes_to_the_new_one),
        cmocka_unit_test(first_event_after_a_change_of_an_unused_trail_goes_to_the_new_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
