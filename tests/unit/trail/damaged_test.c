/* A ledger that is not what it was: from one good file everything goes on; with both damaged
 * only that trail stands still, and keeps what it has not delivered. */
#include "tests/unit/trail/world.h"

#include <stdlib.h>

static char both_trails[1024];

static void
ledger_path(const struct world *world, const char *name, char ret_path[512])
{
    snprintf(ret_path, 512, "%s/state/trails/all/%s", world->folder, name);
}

static void
flip(const struct world *world, const char *name, size_t at)
{
    char path[512];
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(1u << 20);
    ledger_path(world, name, path);
    assert_int_equal(hf_fs_read_file(path, 1u << 20, &bytes, NULL), HF_OK);
    assert_true(at < bytes.size);
    bytes.ptr[at] ^= 0x10;
    assert_int_equal(hf_fs_replace(path, bytes.ptr, bytes.size, 0600, NULL), HF_OK);
}

struct asked {
    char reason[600], state[32];
    struct waiting waiting;
};

static void
answered(void *context, json_t *status)
{
    struct asked *asked = context;
    const json_t *trail = json_array_get(json_object_get(status, "trails"), 0);
    snprintf(asked->reason, sizeof(asked->reason), "%s", hf_doc_text_or(trail, "reason", ""));
    snprintf(asked->state, sizeof(asked->state), "%s", hf_doc_text_or(trail, "state", ""));
    json_decref(status);
    world_flushed(&asked->waiting, NULL);
}

static void
assert_held(struct world *world, const char *word)
{
    char failed[512];
    struct asked asked = { .waiting = WAITING };
    hf_trails_status(world->trails, answered, &asked);
    world_wait(&asked.waiting, failed);
    assert_string_equal(asked.state, "held");
    assert_non_null(strstr(asked.reason, word));
    assert_non_null(strstr(asked.reason, "put back"));
}

static void
damaged_byte_of_either_file_loses_nothing_and_shows_in_status(void **state)
{
    static const char *const names[] = { "ledger", "ledger.copy" };
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    for (unsigned i = 0; i < 2; i++) {
        world_stop(&world);
        flip(&world, names[i], 50);
        world_start(&world, all_trail);
        assert_int_equal(world_number(&world, "ledger_repairs"), 1);
        world_append(&world, "one", 3 + i, 1);
        world_flush_well(&world);
    }
    world_stop(&world);
    world_start(&world, all_trail);
    assert_int_equal(world_number(&world, "ledger_repairs"), 0);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 5);
    assert_int_equal(bucket.listed, 5);
    assert_int_equal(bucket.lost, 0);
    assert_int_equal(bucket.highest_number, bucket.digests);
    world_stop(&world);
    world_remove(&world);
}

/* The first trail cannot run; the second one does, and nothing of the journal is let go until
 * the first one has been mended. */
static void
trail_without_a_readable_ledger_is_held_alone_and_loses_nothing(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
    world_new(&world);
    world_start(&world, both_trails);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    world_append(&world, "two", 0, 2);
    world_stop(&world);
    flip(&world, "ledger", 50);
    flip(&world, "ledger.copy", 51);
    world_start(&world, both_trails);
    assert_held(&world, "byte 0 of both");
    world_append(&world, "two", 2, 2);
    int64_t began_ms = (int64_t)hf_boot_ms();
    world_flush(&world, 20000, failed);
    assert_true((int64_t)hf_boot_ms() - began_ms <
                15000); /* it does not wait for the one that cannot */
    assert_non_null(strstr(failed, "trail 'all'"));
    assert_null(strstr(failed, "only-two"));
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 4);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, two_trail), NULL),
                     HF_OK);
    assert_held(&world, "byte 0 of both"); /* also when it leaves the configuration */
    world_stop(&world);
    flip(&world, "ledger", 50);
    world_start(&world, both_trails);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 7);
    assert_int_equal(bucket.listed, 7);
    assert_int_equal(bucket.lost, 0);
    world_stop(&world);
    world_remove(&world);
}

/* Else a new chain would begin behind everything that is not delivered yet, without a word. */
static void
ledger_that_was_taken_away_is_no_new_trail(void **state)
{
    struct world world;
    struct hf_error err;
    char file[512], copy[512], away[600];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_stop(&world);
    ledger_path(&world, "ledger", file);
    ledger_path(&world, "ledger.copy", copy);
    snprintf(away, sizeof(away), "%s/away", world.folder);
    assert_int_equal(hf_fs_rename(file, away, &err), HF_OK);
    assert_int_equal(hf_fs_unlink(copy, &err), HF_OK);
    world_start(&world, all_trail);
    assert_held(&world, "no step is left");
    world_stop(&world);
    assert_int_equal(hf_fs_rename(away, file, &err), HF_OK);
    world_start(&world, all_trail);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
    world_stop(&world);
    world_remove(&world);
}

/* It says where everything goes, and nothing else does once the trail has left the
 * configuration. */
static void
trail_drains_by_the_settings_that_are_not_damaged(void **state)
{
    static const char *const names[] = { "trail.json", "trail.json.copy" };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world world;
        snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
        world_new(&world);
        world_start(&world, both_trails);
        world_append(&world, "one", 0, 3);
        world_stop(&world);
        flip(&world, names[i], 60 + i);
        world_start(&world, two_trail);
        world_wait_until_gone(&world, "state/trails/all");
        assert_int_equal(bucket_of(&world, "all", "eventID").found, 3);
        world_stop(&world);
        world_remove(&world);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_byte_of_either_file_loses_nothing_and_shows_in_status),
        cmocka_unit_test(trail_without_a_readable_ledger_is_held_alone_and_loses_nothing),
        cmocka_unit_test(ledger_that_was_taken_away_is_no_new_trail),
        cmocka_unit_test(trail_drains_by_the_settings_that_are_not_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
