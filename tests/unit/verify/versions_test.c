/* Versions: what is laid over a locked version is named, and the locked one is what counts. */
#include "tests/unit/verify/memory_store.h"
#include "tests/unit/verify/setup.h"

static int
setup_versioned(void **state)
{
    struct world *w = hf_alloc(sizeof(*w));

    world_init(w);
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    *state = w;
    return 0;
}

static const struct range one = { 21, 30 };

static void
repeat(struct world *w, const char *key)
{
    struct memory_version *first = memory_current(w->store, key);
    struct memory_version *second =
        memory_put(w->store, key, hf_buf_slice(&first->body), first->info.signature);

    second->info.lock_mode = first->info.lock_mode;
    second->info.retain_until_s = first->info.retain_until_s;
}

static void
one_version_of_each_is_intact(void **state)
{
    struct world *w = *state;

    world_expect_intact(w);
    assert_int_equal(w->result.objects, 6);
}

static void
a_digest_under_another_one_is_found_and_named(void **state)
{
    struct world *w = *state;
    const char *key = w->digest_keys[1];

    memory_put(w->store, key, HF_SLICE_LITERAL("anything"), NULL);
    world_expect_one(w, HF_OVERWRITTEN, key);
    assert_int_equal(w->result.objects, 6);
}

static void
a_digest_under_a_delete_marker_is_found_and_named(void **state)
{
    struct world *w = *state;
    const char *key = w->digest_keys[1];

    memory_delete_marker(w->store, key);
    world_expect_one(w, HF_HIDDEN, key);
    assert_int_equal(w->result.objects, 6);
    w->store->refuses_versions = true; /* then it can only be missing */
    world_expect_one(w, HF_MISSING, key);
}

static void
a_digest_put_twice_is_repeated_and_fine(void **state)
{
    struct world *w = *state;

    repeat(w, w->digest_keys[1]);
    world_expect_one(w, HF_REPEATED, w->digest_keys[1]);
}

static void
an_object_put_twice_is_repeated_and_fine(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, one, key);
    repeat(w, key);
    world_expect_one(w, HF_REPEATED, key);
    snprintf(memory_current(w->store, key)->info.etag, 128,
             "another"); /* as with encryption at the store: the bytes decide */
    world_expect_one(w, HF_REPEATED, key);
}

/* The digests here name no version, so the current one is read. */
static void
an_object_with_other_bytes_below_it_is_extra(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, one, key);
    repeat(w, key);
    struct memory_version *first = &w->store->items[0];
    while (strcmp(first->key, key) != 0)
        first++;
    hf_buf_reset(&first->body);
    first->info.size = 0;
    world_expect_one(w, HF_EXTRA, key);
}

static void
an_object_under_a_delete_marker_is_hidden(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, one, key);
    memory_delete_marker(w->store, key);
    world_expect_one(w, HF_HIDDEN, key);
}

/* ---- with the version in the digest ---- */

static void
name_version(struct hf_digest *digest)
{
    for (size_t i = 0; i < digest->object_count; i++)
        digest->objects[i].version_id =
            hf_strdup("v1"); /* the only object is put first, after nothing */
}

static void
start_again_with_a_version(struct world *w, char ret_key[HF_KEY_MAX])
{
    static const struct plan plan = { .covers = { 1, 10 }, .objects = { { 1, 10 } } };
    world_done(w);
    world_init(w);
    w->change = name_version;
    world_put_digest(w, &plan);
    world_object_key(w, plan.objects[0], ret_key);
    memory_put(w->store, "host1/first", HF_SLICE_LITERAL("x"), NULL);
    memory_fill(w, ret_key); /* v1 */
    memory_fill(w, w->digest_keys[0]);
}

static void
the_version_that_the_digest_names_is_read_below_a_newer_one(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    start_again_with_a_version(w, key);
    world_expect_intact(w);
    memory_put(w->store, key, HF_SLICE_LITERAL("other bytes"), NULL);
    world_expect_one(w, HF_OVERWRITTEN, key);
    assert_int_equal(w->result.objects, 1);
}

static void
the_version_that_the_digest_names_is_read_below_a_delete_marker(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    start_again_with_a_version(w, key);
    memory_delete_marker(w->store, key);
    world_expect_one(w, HF_HIDDEN, key);
    assert_int_equal(w->result.objects, 1);
}

static void
a_version_that_is_gone_is_missing_though_another_lies_there(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    start_again_with_a_version(w, key);
    repeat(w, key);
    w->store->items[1].gone = true;
    world_expect_one(w, HF_MISSING, key);
    assert_non_null(strstr(w->seen[0].detail, "v1"));
}

static void
where_versions_may_not_be_listed_nothing_is_said_and_asked_once(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    start_again_with_a_version(w, key);
    memory_put(w->store, key, HF_SLICE_LITERAL("other bytes"), NULL);
    w->store->refuses_versions = true;
    w->store->version_requests = 0;
    world_expect_intact(w);
    assert_int_equal(w->store->version_requests, 1);
}

static void
a_lock_without_a_date_is_unlocked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, one, key);
    memory_current(w->store, key)->info.lock_mode = HF_LOCK_NONE;
    memory_current(w->store, key)->info.retain_until_s = 0;
    world_expect_one(w, HF_UNLOCKED, key);
}

/* Whoever may not read, or reaches nothing, has not found that anything is wrong. */
static void
an_outage_is_an_error_and_not_a_finding(void **state)
{
    static const enum hf_status failures[] = { HF_EACCESS, HF_EUNREACHABLE, HF_EBUSYSTORE,
                                               HF_EREFUSED };
    struct world *w = *state;
    struct hf_error err;

    for (size_t i = 0; i < HF_COUNT(failures); i++) {
        w->store->get_fails = failures[i];
        assert_int_equal(hf_verify(&w->options, &w->result, &err), failures[i]);
        assert_non_null(strstr(err.text, "reading object"));
    }
}

int
main(void)
{
#define VERSIONED(name) cmocka_unit_test_setup_teardown(name, setup_versioned, teardown)
    static const struct CMUnitTest tests[] = {
        VERSIONED(one_version_of_each_is_intact),
        VERSIONED(a_digest_under_another_one_is_found_and_named),
        VERSIONED(a_digest_under_a_delete_marker_is_found_and_named),
        VERSIONED(a_digest_put_twice_is_repeated_and_fine),
        VERSIONED(an_object_put_twice_is_repeated_and_fine),
        VERSIONED(an_object_with_other_bytes_below_it_is_extra),
        VERSIONED(an_object_under_a_delete_marker_is_hidden),
        VERSIONED(the_version_that_the_digest_names_is_read_below_a_newer_one),
        VERSIONED(the_version_that_the_digest_names_is_read_below_a_delete_marker),
        VERSIONED(a_version_that_is_gone_is_missing_though_another_lies_there),
        VERSIONED(where_versions_may_not_be_listed_nothing_is_said_and_asked_once),
        VERSIONED(a_lock_without_a_date_is_unlocked),
        VERSIONED(an_outage_is_an_error_and_not_a_finding),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
