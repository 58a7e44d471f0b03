/* The head of the chain: what the store shows of it, and how a new chain is begun on purpose. */
#include "tests/unit/trail/world.h"

#include <errno.h>

/* ---- digests that are not there any more ---- */

struct newest {
    char path[HF_PATH_MAX];
    bool all; /* remove each digest */
};

static void
note_digest(void *context, const char *path)
{
    struct newest *newest = context;
    if (!strstr(path, "/CloudTrail-Digest/") || !strstr(path, ".json.gz"))
        return;
    if (newest->all)
        assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    if (hf_ends_with(path, ".json.gz"))
        snprintf(newest->path, sizeof(newest->path), "%s", path); /* the last is the newest */
}

static void
look_at_digests(const struct world *world, struct newest *newest)
{
    char root[512];
    snprintf(root, sizeof(root), "%s/root/evidence", world->folder);
    world_each_file(root, note_digest, newest);
}

static void
start_with_digests(struct world *world, unsigned count)
{
    world_new(world);
    world_start(world, all_trail);
    for (unsigned i = 0; i < count; i++) {
        world_append(world, "one", i, 1);
        world_flush_well(world);
    }
}

static void
end(struct world *world)
{
    world_stop(world);
    hf_fs_interpose(NULL, NULL);
    world_remove(world);
}

/* Someone has removed or hidden them: `holdfast validate` tells, and the chain goes on, so that it
 * can. */
static void
chain_goes_on_behind_a_head_that_is_gone(void **state)
{
    struct world world;
    struct newest newest = { .all = false };
    (void)state;
    start_with_digests(&world, 2);
    look_at_digests(&world, &newest);
    assert_int_equal(hf_fs_unlink(newest.path, NULL), HF_OK);
    world_append(&world, "one", 2, 1);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.highest_number, 3);
    newest.all = true;
    look_at_digests(&world, &newest);
    world_append(&world, "one", 3, 1);
    world_flush_well(&world);
    bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.digests, 1);
    assert_int_equal(bucket.highest_number, 4);
    assert_int_equal(bucket.old_heads, 0); /* the same chain */
    end(&world);
}

/* ---- a digest of a later version ---- */

static void
lose_state(struct world *world)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/state", world->folder);
    hf_test_tempdir_remove(path);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_int_equal(hf_identity_load(path, "host", &world->identity, NULL), HF_OK);
}

/* This ledger has no head, and cannot know better. */
static void
digest_of_a_later_version_holds_a_trail_without_a_head(void **state)
{
    struct world world;
    struct newest newest = { .all = false };
    char failed[512];
    hf_owned(hf_buf_done) struct hf_buf gzip = HF_BUF(1u << 20), json = HF_BUF(1u << 20),
                                        later = HF_BUF(1u << 20);
    (void)state;
    start_with_digests(&world, 1);
    world_stop(&world);
    lose_state(&world);
    look_at_digests(&world, &newest);
    assert_int_equal(hf_fs_read_file(newest.path, 1u << 20, &gzip, NULL), HF_OK);
    assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), &json, NULL), HF_OK);
    hf_owned(hf_doc_freep) json_t *doc = json_loads(hf_buf_text(&json), 0, NULL);
    assert_non_null(doc);
    json_t *own = json_object_get(doc, "holdfast");
    assert_non_null(json_object_get(own, "format"));
    json_object_set_new(own, "format", json_integer(99));
    hf_owned(hf_freep) char *text = json_dumps(doc, 0);
    assert_int_equal(hf_gzip(hf_slice_text(text), 6, &later, NULL), HF_OK);
    assert_int_equal(hf_fs_replace(newest.path, later.ptr, later.size, 0600, NULL), HF_OK);
    world_start(&world, all_trail);
    world_append(&world, "one", 1, 1);
    world_flush(&world, 500, failed);
    assert_non_null(strstr(failed, "is of a later version of holdfast"));
    assert_non_null(strstr(failed, "holdfast chain new --trail all"));
    end(&world);
}

/* ---- chain new ---- */

static bool has_room;

static enum hf_status
chain_new_told(struct world *world, const char *name, struct hf_error *err)
{
    enum hf_status status = world_chain_told(world, name, err);
    return has_room || status != HF_OK ? status
                                       : hf_fail(err, HF_EFULL, "the journal holds its limit");
}

static void
held_by_a_foreign_chain(struct world *world)
{
    char failed[512];
    start_with_digests(world, 1);
    world_stop(world);
    lose_state(world);
    world_start(world, all_trail);
    world_append(world, "one", 1, 1);
    world_flush(world, 500, failed);
    assert_non_null(strstr(failed, "holdfast chain new --trail all"));
    world->told = chain_new_told;
    has_room = true;
}

static void
refused(struct world *world, const char *word)
{
    char failed[512];
    world_chain_new(world, failed);
    if (!strstr(failed, word))
        fail_msg("'%s' says nothing of '%s'", failed, word);
    assert_int_equal(bucket_of(world, "all", "eventID").digests, 1);
}

static void
then_it_is_begun(struct world *world)
{
    char failed[512];
    world_chain_new(world, failed);
    assert_string_equal(failed, "");
    world_flush_well(world);
    struct bucket bucket = bucket_of(world, "all", "eventID");
    assert_int_equal(bucket.found, 2);
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.highest_number, 1);
    assert_int_equal(bucket.old_heads, 1);
    end(world);
}

static void
chain_that_cannot_be_announced_is_not_begun(void **state)
{
    struct world world;
    (void)state;
    held_by_a_foreign_chain(&world);
    has_room = false;
    refused(&world, "the journal holds its limit");
    has_room = true;
    then_it_is_begun(&world);
}

static void
chain_is_not_begun_by_a_clock_that_is_wrong(void **state)
{
    struct world world;
    (void)state;
    held_by_a_foreign_chain(&world);
    world_set_wall(INT64_C(10) * 365 * 86400);
    refused(&world, "this host's clock cannot be right");
    assert_int_equal(atomic_load(&world.own_events), 0);
    world_set_wall(0);
    then_it_is_begun(&world);
}

static int
no_ledger(void *context, struct hf_fs_call *call)
{
    const atomic_bool *failing = context;
    return atomic_load(failing) && strcmp(call->name, "open") == 0 && call->path &&
                   strstr(call->path, "/trails/all/") && strstr(call->path, "ledger")
               ? EIO
               : 0;
}

/* It is begun in memory, and nothing leaves before the disk has it. */
static void
chain_that_is_not_on_disk_yet_is_said_to_be_so_and_comes_there(void **state)
{
    static atomic_bool failing;
    struct world world;
    (void)state;
    held_by_a_foreign_chain(&world);
    atomic_store(&failing, true);
    hf_fs_interpose(no_ledger, &failing);
    refused(&world, "is not on disk yet");
    atomic_store(&failing, false);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 2);
    assert_int_equal(bucket.digests, 2);
    assert_int_equal(bucket.old_heads, 1);
    world_stop(&world);
    world_start(&world, all_trail); /* and stays */
    world_flush_well(&world);
    end(&world);
}

static struct {
    const char *call, *part; /* of its path */
    atomic_int state;        /* 1: the next one stands still; 2: one does; 0: goes on */
} stall;

static int
hold(void *context, struct hf_fs_call *call)
{
    int expected = 1;
    (void)context;
    if (strcmp(call->name, stall.call) == 0 && call->path && strstr(call->path, stall.part) &&
        atomic_compare_exchange_strong(&stall.state, &expected, 2))
        while (atomic_load(&stall.state) == 2)
            usleep(1000);
    return 0;
}

/* A flush is under way and stands still at this call: until it has gone on no chain is begun, and who
 * asks is told to ask again. */
static void
refused_while_it_stands_still(struct world *world, const char *call, const char *part)
{
    struct waiting waiting = WAITING;
    struct hf_journal_info info;
    char failed[512];
    stall.call = call;
    stall.part = part;
    atomic_store(&stall.state, 1);
    hf_fs_interpose(hold, NULL);
    hf_journal_info(world->journal, &info);
    hf_trails_flush(world->trails, info.durable_seq, 60000, world_flushed, &waiting);
    for (int i = 0; i < 5000 && atomic_load(&stall.state) != 2; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&stall.state), 2);
    refused(world, "has something under way");
    atomic_store(&stall.state, 0);
    for (int i = 0; i < 5000; i++) {
        world_chain_new(world, failed);
        if (!*failed)
            break;
        assert_non_null(strstr(failed, "has something under way"));
        usleep(1000);
    }
    assert_string_equal(failed, "");
    world_wait(&waiting, failed);
    assert_string_equal(failed, "");
}

/* It is tried again and again whether the chain is still foreign: who asks just then does not hear
 * that it is not. */
static void
chain_may_be_asked_for_while_it_is_looked_at_again(void **state)
{
    struct world world;
    (void)state;
    held_by_a_foreign_chain(&world);
    refused_while_it_stands_still(&world, "readdir", "/CloudTrail-Digest/");
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 2);
    end(&world);
}

static void
chain_is_not_begun_while_something_is_under_way(void **state)
{
    struct world world;
    (void)state;
    held_by_a_foreign_chain(&world);
    world_append(&world, "two", 0, 1);
    refused_while_it_stands_still(&world, "open", "/sealed/.w");
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    end(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_goes_on_behind_a_head_that_is_gone),
        cmocka_unit_test(digest_of_a_later_version_holds_a_trail_without_a_head),
        cmocka_unit_test(chain_that_cannot_be_announced_is_not_begun),
        cmocka_unit_test(chain_is_not_begun_by_a_clock_that_is_wrong),
        cmocka_unit_test(chain_that_is_not_on_disk_yet_is_said_to_be_so_and_comes_there),
        cmocka_unit_test(chain_is_not_begun_while_something_is_under_way),
        cmocka_unit_test(chain_may_be_asked_for_while_it_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
