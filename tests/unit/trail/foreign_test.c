/* Somebody else's bytes under the keys of a trail: nothing is overwritten, everything gets a key
 * of its own, and no more of them than it takes. */
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <fcntl.h>

static struct {
    const char *among;   /* part of the names that are taken */
    atomic_uint to_take; /* so many, as soon as the agent comes to them */
    atomic_uint taken;
    char names[8][HF_PATH_MAX];
} thief;

/* Before a body is linked to its name: the name is there. */
static int
take_the_name(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, "link") != 0 || !call->to || !strstr(call->to, thief.among) ||
        !hf_ends_with(call->to, ".json.gz") || !atomic_load(&thief.to_take))
        return 0;
    int fd = open(call->to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return 0;
    (void)!write(fd, "nobody's", 8);
    close(fd);
    atomic_fetch_sub(&thief.to_take, 1);
    snprintf(thief.names[atomic_fetch_add(&thief.taken, 1) % HF_COUNT(thief.names)], HF_PATH_MAX,
             "%s", call->to);
    return 0;
}

static void
thief_begin(const char *among, unsigned count)
{
    thief.among = among;
    atomic_store(&thief.taken, 0);
    atomic_store(&thief.to_take, count);
    hf_fs_interpose(take_the_name, NULL);
}

/* What it left is still as it was, and goes, so that the rest can be counted. */
static void
thief_end(void)
{
    hf_fs_interpose(NULL, NULL);
    for (unsigned i = 0; i < atomic_load(&thief.taken); i++) {
        hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(64);
        assert_int_equal(hf_fs_read_file(thief.names[i], 64, &bytes, NULL), HF_OK);
        assert_string_equal(hf_buf_text(&bytes), "nobody's");
        assert_int_equal(hf_fs_unlink(thief.names[i], NULL), HF_OK);
    }
}

static void
expect_all(struct world *world, unsigned events, unsigned digests)
{
    struct bucket bucket = bucket_of(world, "all", "\"one-");
    assert_int_equal(bucket.found, events);
    assert_int_equal(bucket.listed, events);
    assert_int_equal(bucket.digests, digests);
    assert_int_equal(bucket.highest_number, digests);
}

static void
digest_whose_key_is_taken_is_signed_again_under_another(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    thief_begin("/CloudTrail-Digest/", 0);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&thief.to_take, 2);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world);
    assert_int_equal(atomic_load(&thief.taken), 2);
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    world_stop(&world);
    world_start(&world, all_trail); /* the ledger knows what became of them */
    world_append(&world, "one", 9, 3);
    world_flush_well(&world);
    world_stop(&world);
    thief_end();
    expect_all(&world, 12, 4);
    world_remove(&world);
}

/* Between the finding and the next check the agent is gone: what lies under the digest's key is
 * looked at, then left. */
static void
taken_key_of_a_digest_is_left_after_a_restart_as_well(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    thief_begin("/CloudTrail-Digest/", 0);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&thief.to_take, 1);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 300, failed);
    assert_int_equal(atomic_load(&thief.taken), 1);
    world_stop(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 6, 3);
    world_flush_well(&world);
    world_stop(&world);
    thief_end();
    expect_all(&world, 9, 3);
    world_remove(&world);
}

static void
window_whose_keys_are_all_taken_gets_more_of_them_slowly(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    thief_begin("/CloudTrail/", 6);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 1000, failed);
    assert_string_not_equal(failed, "");
    assert_int_equal(atomic_load(&thief.taken),
                     4); /* the first and three further ones at once, then there is a pause */
    world_flush(&world, 1000, failed); /* someone asks: one more */
    assert_string_not_equal(failed, "");
    assert_int_equal(atomic_load(&thief.taken), 5);
    atomic_store(&thief.to_take, 0);
    world_flush_well(&world);
    world_stop(&world);
    thief_end();
    expect_all(&world, 3, 1);
    world_remove(&world);
}

static void
digest_whose_keys_are_all_taken_gets_more_of_them_slowly(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    thief_begin("/CloudTrail-Digest/", 0);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    atomic_store(&thief.to_take, 8);
    world_append(&world, "one", 3, 3);
    world_flush(&world, 60000, failed);
    assert_non_null(strstr(failed, "goes under another key after a pause"));
    unsigned at_once = atomic_load(&thief.taken);
    assert_in_range(at_once, 4, 6);
    atomic_store(&thief.to_take, 0);
    world_sleep(3600);
    world_flush_well(&world);
    world_stop(&world);
    thief_end();
    expect_all(&world, 6, 3); /* and that of the hour that has passed */
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_whose_key_is_taken_is_signed_again_under_another),
        cmocka_unit_test(taken_key_of_a_digest_is_left_after_a_restart_as_well),
        cmocka_unit_test(window_whose_keys_are_all_taken_gets_more_of_them_slowly),
        cmocka_unit_test(digest_whose_keys_are_all_taken_gets_more_of_them_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
