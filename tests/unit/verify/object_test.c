/* Objects: each change to one, or to what holds it, gets its name. */
#include "tests/unit/verify/setup.h"

static const struct range one = { 21, 30 };

static void
a_flipped_byte_in_an_object_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 3);
    world_object_key(w, one, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    world_flip(w, path, 700);
    world_expect_one(w, HF_INVALID, key);
    assert_non_null(strstr(w->seen[0].detail, w->digest_keys[1])); /* who lists it */
    assert_int_equal(w->result.objects, 5);
}

static void
a_deleted_object_is_missing_and_its_digest_named(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 3);
    world_object_key(w, one, key);
    world_remove(w, key);
    world_expect_one(w, HF_MISSING, key);
    assert_non_null(strstr(w->seen[0].detail, w->digest_keys[1]));
}

static void
an_object_put_in_anothers_place_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX], other[HF_KEY_MAX];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    world_object_key(w, (struct range){ 1, 10 }, other);
    hf_owned(hf_freep) char *from = world_path(w, other), *to = world_path(w, key);
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(from);
    world_write(to, hf_buf_slice(&bytes));
    world_expect_one(w, HF_INVALID, key);
}

static void
cut_gzip_and_a_second_member_are_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(path), twice = HF_BUF(1 << 20);
    world_write(path, hf_slice(bytes.ptr, bytes.size / 2));
    world_expect_one(w, HF_INVALID, key);
    world_write(path, hf_slice(bytes.ptr, 0));
    world_expect_one(w, HF_INVALID, key);
    assert_int_equal(hf_buf_add(&twice, bytes.ptr, bytes.size), HF_OK);
    assert_int_equal(hf_buf_add(&twice, bytes.ptr, bytes.size), HF_OK);
    world_write(path, hf_buf_slice(&twice));
    world_expect_one(w, HF_INVALID, key);
}

static void
a_link_in_an_objects_place_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    world_expect_one(w, HF_INVALID, key);
}

static void
a_shorter_lock_is_unlocked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX], until[HF_TIME_SIZE], sooner[HF_TIME_SIZE];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    hf_time_rfc3339(WORLD_UNTIL_S, until);
    hf_time_rfc3339(WORLD_UNTIL_S - 1, sooner);
    world_edit_meta(w, key, until, sooner);
    world_expect_one(w, HF_UNLOCKED, key);
    assert_non_null(strstr(w->seen[0].detail, until));
    assert_non_null(strstr(w->seen[0].detail, sooner));
    w->options.check_locks = false;
    world_expect_intact(w);
}

static void
a_longer_lock_is_fine(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    assert_int_equal(
        hf_dir_set_retention(w->dir, key, HF_LOCK_COMPLIANCE, WORLD_UNTIL_S + 86400, NULL), HF_OK);
    world_expect_intact(w);
}

static void
a_weaker_mode_is_unlocked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    w->lock_mode = HF_LOCK_COMPLIANCE;
    world_put_plain(w, 2);
    world_object_key(w, one, key);
    world_edit_meta(w, key, "COMPLIANCE", "GOVERNANCE");
    world_expect_one(w, HF_UNLOCKED, key);
}

static void
an_object_without_its_meta_file_is_unlocked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 2);
    world_object_key(w, one, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    hf_owned(hf_freep) char *meta = hf_asprintf("%s.meta.json", path);
    assert_int_equal(unlink(meta), 0);
    world_expect_one(w, HF_UNLOCKED, key);
}

static void
a_digest_is_held_as_long_as_what_it_and_those_before_it_list(void **state)
{
    struct world *w = *state;
    static const struct plan empty = { .covers = { 21, 20 } };
    char until[HF_TIME_SIZE], sooner[HF_TIME_SIZE];

    world_put_plain(w, 1);
    world_put_digest(w, &empty);
    hf_time_rfc3339(WORLD_UNTIL_S, until);
    hf_time_rfc3339(WORLD_UNTIL_S - 86400, sooner);
    for (size_t i = 0; i < 2; i++) {
        world_edit_meta(w, w->digest_keys[i], until, sooner);
        world_expect_one(w, HF_UNLOCKED, w->digest_keys[i]);
        world_edit_meta(w, w->digest_keys[i], sooner, until);
    }
}

static void
a_trail_without_locks_has_none_to_check(void **state)
{
    struct world *w = *state;

    w->lock_mode = HF_LOCK_NONE;
    world_put_plain(w, 2);
    world_expect_intact(w);
    assert_int_equal(w->result.findings[HF_ADVISORY], 0);
}

static void
an_object_with_the_chains_tag_that_nobody_lists_is_extra(void **state)
{
    struct world *w = *state;
    static const struct range extra = { 25, 26 }, later = { 61, 70 };
    char key[HF_KEY_MAX];

    world_put_plain(w, 3);
    world_put_object(w, later); /* younger than the newest digest: not yet listed */
    world_expect_intact(w);
    world_put_object(w, extra);
    world_object_key(w, extra, key);
    world_expect_one(w, HF_EXTRA, key);
}

static void
an_object_of_another_chain_is_not_ours_to_judge(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    world_chain(w, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", NULL);
    world_put_object(w, (struct range){ 5, 6 });
    world_expect_intact(w);
}

/* What a missing digest listed is not known, so none of it can be called extra. */
static void
objects_of_a_missing_digest_are_not_extra(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 6);
    world_remove(w, w->digest_keys[3]);
    world_expect_one(w, HF_MISSING, w->digest_keys[3]);
    world_put_object(w, (struct range){ 5, 6 }); /* but this one lies before the hole */
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_int_equal(w->result.findings[HF_EXTRA], 1);
}

static void
miscount(struct hf_digest *digest)
{
    digest->objects[0].count++;
}

static void
a_wrong_count_of_records_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    w->change = miscount;
    world_put_plain(w, 1);
    world_object_key(w, (struct range){ 1, 10 }, key);
    world_expect_one(w, HF_INVALID, key);
    assert_non_null(strstr(w->seen[0].detail, "11"));
}

static void
into_another_bucket(struct hf_digest *digest)
{
    free(digest->objects[0].bucket);
    digest->objects[0].bucket = hf_strdup("elsewhere");
}

static void
an_object_in_a_bucket_that_is_not_read_is_said_to_be_elsewhere(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    w->change = into_another_bucket;
    world_put_plain(w, 1);
    world_object_key(w, (struct range){ 1, 10 }, key);
    world_expect_one(w, HF_ELSEWHERE, key);
    assert_non_null(strstr(w->seen[0].detail, "elsewhere"));
}

static void
locks_alone_can_be_checked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 2);
    w->options.check_objects = false;
    world_expect_intact(w);
    assert_int_equal(w->result.objects, 0);
    world_object_key(w, one, key);
    world_remove(w, key);
    world_expect_one(w, HF_MISSING, key);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_flipped_byte_in_an_object_is_invalid),
        TEST(a_deleted_object_is_missing_and_its_digest_named),
        TEST(an_object_put_in_anothers_place_is_invalid),
        TEST(cut_gzip_and_a_second_member_are_invalid),
        TEST(a_link_in_an_objects_place_is_invalid),
        TEST(a_shorter_lock_is_unlocked),
        TEST(a_longer_lock_is_fine),
        TEST(a_weaker_mode_is_unlocked),
        TEST(an_object_without_its_meta_file_is_unlocked),
        TEST(a_digest_is_held_as_long_as_what_it_and_those_before_it_list),
        TEST(a_trail_without_locks_has_none_to_check),
        TEST(an_object_with_the_chains_tag_that_nobody_lists_is_extra),
        TEST(an_object_of_another_chain_is_not_ours_to_judge),
        TEST(objects_of_a_missing_digest_are_not_extra),
        TEST(a_wrong_count_of_records_is_invalid),
        TEST(an_object_in_a_bucket_that_is_not_read_is_said_to_be_elsewhere),
        TEST(locks_alone_can_be_checked),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
