/* What lies among the digests and is none of this chain: what is no evidence is stepped over,
 * and what is one holds the trail. And the copies of a state directory: one goes on, the other
 * is held, and no chain forks. */
#include "tests/unit/trail/world.h"

#include <stdlib.h>

#define DIGESTS "root/evidence/all/AWSLogs/000000000000/CloudTrail-Digest/local"
#define LATE_KEY                                                                                   \
    DIGESTS                                                                                        \
    "/2099/01/%02u/000000000000_CloudTrail-Digest_local_all_local_209901%02uT000000Z.json.gz"

static void
late_path(const struct world *world, unsigned day, char ret_path[HF_PATH_MAX])
{
    char key[512];
    snprintf(key, sizeof(key), LATE_KEY, day, day);
    snprintf(ret_path, HF_PATH_MAX, "%s/%s", world->folder, key);
    char folder[HF_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/" DIGESTS "/2099/01/%02u", world->folder, day);
    assert_int_equal(hf_fs_mkdirs(folder, 0700, NULL), HF_OK);
}

static void
put_late(const struct world *world, unsigned day, struct hf_slice bytes)
{
    char path[HF_PATH_MAX];
    late_path(world, day, path);
    assert_int_equal(hf_fs_replace(path, bytes.ptr, bytes.size, 0600, NULL), HF_OK);
}

/* With $A and $B. */
static void
shell(const char *command, const char *a, const char *b)
{
    assert_int_equal(setenv("A", a, 1), 0);
    assert_int_equal(setenv("B", b, 1), 0);
    assert_int_equal(system(command), 0);
}

static void
start_with_a_head(struct world *world)
{
    world_new(world);
    world_start(world, all_trail);
    world_append(world, "one", 0, 5);
    world_flush_well(world);
}

static void
goes_on(struct world *world, unsigned found)
{
    world_append(world, "one", 100 + found, 5);
    world_flush_well(world);
    char folder[HF_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/root/evidence/all/AWSLogs/000000000000/CloudTrail",
             world->folder);
    assert_int_equal(bucket_in(folder, "eventID").found, found + 5);
}

static void
is_held(struct world *world, const char *reason)
{
    char failed[512];
    world_append(world, "one", 1000, 1);
    world_flush(world, 1000, failed);
    if (!strstr(failed, reason))
        fail_msg("'%s' says nothing of '%s'", failed, reason);
}

static void
remove_late(const struct world *world)
{
    shell("rm -rf \"$A/" DIGESTS "/2099\"", world->folder, "");
}

static void
junk_of_a_late_date_is_stepped_over(void **state)
{
    struct world world;
    (void)state;
    start_with_a_head(&world);
    put_late(&world, 1, HF_SLICE_LITERAL("junk"));
    goes_on(&world, 5); /* seen before the next digest */
    assert_int_equal(world_number(&world, "strays"), 1);
    put_late(&world, 2, HF_SLICE_LITERAL(""));
    world_stop(&world);
    world_start(&world, all_trail); /* and by the check of a start */
    goes_on(&world, 10);
    assert_int_equal(world_number(&world, "strays"), 2);
    world_stop(&world);
    world_remove(&world);
}

static void
junk_before_the_first_digest_is_stepped_over_too(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    put_late(&world, 1, HF_SLICE_LITERAL("junk"));
    world_start(&world, all_trail);
    goes_on(&world, 0);
    world_stop(&world);
    world_remove(&world);
}

static void
what_is_too_long_for_a_digest_is_stepped_over(void **state)
{
    struct world world;
    char path[HF_PATH_MAX];
    (void)state;
    start_with_a_head(&world);
    put_late(&world, 1, HF_SLICE_LITERAL("x"));
    late_path(&world, 1, path);
    assert_int_equal(truncate(path, 17 << 20), 0);
    goes_on(&world, 5);
    world_stop(&world);
    world_remove(&world);
}

static void
old_digest_under_a_late_key_is_stepped_over(void **state)
{
    struct world world;
    char path[HF_PATH_MAX];
    (void)state;
    start_with_a_head(&world);
    goes_on(&world, 5);
    late_path(&world, 1, path);
    shell("cp \"$(find \"$A/" DIGESTS "\" -name '*.json.gz' | sort | head -n 1)\" \"$B\"",
          world.folder, path);
    goes_on(&world, 10);
    world_stop(&world);
    world_remove(&world);
}

static void
put_many(const struct world *world)
{
    for (unsigned day = 1; day <= 28; day++) {
        for (unsigned part = 0; part < 3; part++) {
            char path[HF_PATH_MAX];
            late_path(world, day, path);
            path[strlen(path) - strlen("0Z.json.gz")] = (char)('0' + part);
            assert_int_equal(hf_fs_replace(path, "junk", 4, 0600, NULL), HF_OK);
        }
    }
}

static void
too_many_hold_a_trail_without_a_head_until_someone_has_looked(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    put_many(&world);
    world_start(&world, all_trail);
    is_held(&world, "65th key");
    remove_late(&world);
    world_flush_well(&world);
    world_stop(&world);
    world_remove(&world);
}

static bool
has_problem(struct world *world)
{
    return world_number(world, "head_problems") > 0;
}

/* Whoever may put there could else hold it with 65 names. */
static void
too_many_hold_no_trail_that_has_a_head_and_it_says_so(void **state)
{
    struct world world;
    (void)state;
    start_with_a_head(&world);
    put_many(&world);
    goes_on(&world, 5);
    assert_int_equal(world_number(&world, "strays"), 64);
    assert_true(has_problem(&world));
    world_stop(&world);
    world_remove(&world);
}

/* The head is gone, and junk of an older date is the newest that is left: it is no stray, and must
 * not be found again and again. */
static void
junk_below_a_head_that_is_gone_is_looked_at_once(void **state)
{
    struct world world;
    (void)state;
    start_with_a_head(&world);
    assert_false(has_problem(&world));
    char day[HF_TIME_SIZE];
    hf_time_folder(hf_wall_s() - 86400, day);
    shell(
        "find \"$A/" DIGESTS "\" -name '*.json.gz*' -delete && mkdir -p \"$A/" DIGESTS
        "/$B\" && echo junk >\"$A/" DIGESTS
        "/$B/000000000000_CloudTrail-Digest_local_all_local_$(echo $B | tr -d /)T000000Z.json.gz\"",
        world.folder, day);
    goes_on(&world, 5);
    assert_true(has_problem(&world));
    assert_int_equal(world_number(&world, "strays"), 0);
    world_stop(&world);
    world_remove(&world);
}

/* Under the late key, and with this agent's own identity in it: but nobody has signed it. */
static void
put_unsigned(const struct world *world, const char *journal)
{
    hf_owned(hf_buf_done) struct hf_buf gzip = HF_BUF(1 << 16);
    char key[512];
    snprintf(key, sizeof(key), LATE_KEY, 1, 1);
    hf_owned(hf_freep) char *json =
        hf_asprintf("{\"digestEndTime\":\"2099-01-01T00:00:00Z\",\"digestS3Bucket\":\"evidence\","
                    "\"digestS3Object\":\"%s\",\"digestPublicKeyFingerprint\":\"00\","
                    "\"digestSignatureAlgorithm\":\"SHA256withRSA\",\"holdfast\":{\"format\":1,"
                    "\"journal\":\"%s\",\"chain\":\"c\",\"number\":9}}",
                    key + strlen("root/evidence/"), journal);
    assert_int_equal(hf_gzip(hf_slice_text(json), 6, &gzip, NULL), HF_OK);
    put_late(world, 1, hf_buf_slice(&gzip));
}

static void
unsigned_digest_with_our_journals_id_holds_no_trail_that_has_a_head(void **state)
{
    struct world world;
    (void)state;
    start_with_a_head(&world);
    put_unsigned(&world, world.identity.journal);
    goes_on(&world, 5);
    assert_int_equal(world_number(&world, "strays"), 1);
    world_stop(&world);
    world_remove(&world);
}

static void
any_well_formed_digest_holds_a_trail_without_a_head(void **state)
{
    struct world world;
    (void)state;
    for (int own = 0; own < 2; own++) {
        world_new(&world);
        put_unsigned(&world, own ? world.identity.journal : "another");
        world_start(&world, all_trail);
        is_held(&world, own ? "did not sign it" : "another agent writes");
        world_stop(&world);
        world_remove(&world);
    }
}

/* ---- two under one prefix ---- */

/* A second host that delivers to the same place. */
static void
world_beside(struct world *world, const struct world *first)
{
    char path[512];
    world_new(world);
    snprintf(path, sizeof(path), "%s/root", world->folder);
    hf_test_tempdir_remove(path);
    shell("ln -s \"$A/root\" \"$B/root\"", first->folder, world->folder);
}

static enum hf_status
any_event(struct world *world, const char *name, struct hf_error *err)
{
    (void)world, (void)name, (void)err;
    return HF_OK;
}

static void
another_agent_is_held_and_does_not_hold_the_first(void **state)
{
    struct world first, second;
    char failed[512];
    (void)state;
    start_with_a_head(&first);
    world_beside(&second, &first);
    second.told = any_event;
    world_start(&second, all_trail);
    world_append(&second, "one", 500, 3);
    world_flush(&second, 1000, failed);
    assert_non_null(strstr(failed, "another agent writes under this prefix"));
    world_chain_new(&second, failed);
    assert_string_equal(failed, "");
    world_flush_well(&second); /* its chain is the newest now */
    world_append(&first, "one", 5, 3);
    world_flush_well(&first);
    world_stop(&first);
    world_start(&first, all_trail);
    world_append(&first, "one", 8, 3);
    world_flush_well(&first);
    world_append(&second, "one", 503, 3);
    world_flush_well(&second);
    struct bucket bucket = bucket_of(&first, "all", "eventID");
    assert_int_equal(bucket.found, 11 + 6);
    assert_int_equal(bucket.listed, 11 + 6);
    assert_int_equal(bucket.old_heads, 1);
    world_stop(&first);
    world_stop(&second);
    world_remove(&second);
    world_remove(&first);
}

static void
same_signer_is_evidence_also_with_another_journal(void **state)
{
    struct world first, second;
    char failed[512];
    (void)state;
    start_with_a_head(&first);
    world_beside(&second, &first);
    second.told = any_event;
    shell("cp \"$A/digest.key\" \"$B/digest.key\"", first.folder, second.folder);
    world_start(&second, all_trail);
    world_append(&second, "one", 500, 1);
    world_flush(&second, 1000, failed);
    world_chain_new(&second, failed);
    assert_string_equal(failed, "");
    world_flush_well(&second);
    is_held(&first, "another agent writes under this prefix");
    world_stop(&first);
    world_stop(&second);
    world_remove(&second);
    world_remove(&first);
}

/* A machine that was cloned while it ran, both go on: the same identity, the same ledger, the
 * same journal. */
static void
of_two_copies_that_run_one_signs_and_the_other_is_held(void **state)
{
    struct world first, clone;
    char failed[512];
    (void)state;
    start_with_a_head(&first);
    world_stop(&first);
    world_beside(&clone, &first);
    shell("rm -rf \"$B/state\" && cp -a \"$A/state\" \"$B/state\"", first.folder, clone.folder);
    shell("cp \"$A/digest.key\" \"$B/digest.key\"", first.folder, clone.folder);
    clone.identity = first.identity;
    world_start(&first, all_trail);
    world_start(&clone, all_trail);
    world_append(&first, "one", 5, 3);
    world_append(&clone, "one", 600, 3);
    world_settle(&clone);
    world_flush_well(&first);
    unsigned digests = bucket_of(&first, "all", "eventID").digests;
    world_flush(&clone, 1500, failed);
    assert_non_null(strstr(failed, "rolled back or copied"));
    assert_int_equal(bucket_of(&first, "all", "eventID").digests, digests);
    world_append(&first, "one", 8, 3);
    world_flush_well(&first);
    struct bucket bucket = bucket_of(&first, "all", "eventID");
    assert_int_equal(bucket.highest_number, bucket.digests); /* no number twice */
    assert_int_equal(bucket_of(&first, "all", "\"one-10\"").found, 1);
    clone.told = any_event;
    world_flush(&clone, 1500, failed); /* held by the newest one by now */
    assert_non_null(strstr(failed, "rolled back or copied"));
    world_chain_new(&clone, failed); /* what it took in is not lost */
    assert_string_equal(failed, "");
    world_flush_well(&clone);
    assert_int_equal(bucket_of(&first, "all", "\"one-602\"").found, 1);
    world_append(&first, "one", 11, 1);
    char held[512];
    world_flush(&first, 1500,
                held); /* the clone's chain is signed with the same key for the same journal */
    assert_non_null(strstr(held, "it is not the chain of this ledger"));
    world_stop(&first);
    world_stop(&clone);
    world_remove(&clone);
    world_remove(&first);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junk_of_a_late_date_is_stepped_over),
        cmocka_unit_test(junk_before_the_first_digest_is_stepped_over_too),
        cmocka_unit_test(what_is_too_long_for_a_digest_is_stepped_over),
        cmocka_unit_test(old_digest_under_a_late_key_is_stepped_over),
        cmocka_unit_test(too_many_hold_a_trail_without_a_head_until_someone_has_looked),
        cmocka_unit_test(too_many_hold_no_trail_that_has_a_head_and_it_says_so),
        cmocka_unit_test(junk_below_a_head_that_is_gone_is_looked_at_once),
        cmocka_unit_test(unsigned_digest_with_our_journals_id_holds_no_trail_that_has_a_head),
        cmocka_unit_test(any_well_formed_digest_holds_a_trail_without_a_head),
        cmocka_unit_test(another_agent_is_held_and_does_not_hold_the_first),
        cmocka_unit_test(same_signer_is_evidence_also_with_another_journal),
        cmocka_unit_test(of_two_copies_that_run_one_signs_and_the_other_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
