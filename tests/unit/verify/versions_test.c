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

/* Each page has keys that nobody has seen: only a bound ends it. */
static void
a_listing_that_never_ends_is_given_up(void **state)
{
    struct world *w = *state;
    struct hf_error err;

    w->store->endless = true;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ELIMIT);
    assert_non_null(strstr(err.text, "goes on"));
    assert_in_range(w->store->pages, 2, 20000);
    w->store->endless = false;
    world_expect_intact(w);
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
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, key));
    /* the prefix, three digests, and the objects of those that are there */
    assert_int_equal(w->result.findings[HF_VERSIONS_UNSEEN], 1 + 3 + 4);
    assert_int_equal(w->seen_count, 1 + 8);
}

/* Nothing in the bucket names the newest one. */
static void
a_hidden_end_is_found_and_named(void **state)
{
    struct world *w = *state;

    memory_delete_marker(w->store, w->digest_keys[2]);
    world_expect_one(w, HF_HIDDEN, w->digest_keys[2]);
    assert_string_equal(w->result.head.key, w->digest_keys[2]);
    assert_int_equal(w->result.objects, 6);
    memory_delete_marker(w->store, w->digest_keys[1]);
    memory_delete_marker(w->store, w->digest_keys[0]);
    world_verify(w);
    assert_int_equal(w->result.findings[HF_HIDDEN], 3);
    assert_int_equal(w->seen_count, 3);
    assert_int_equal(w->result.digests, 3);
    assert_false(w->result.intact);
}

static void
where_versions_may_not_be_listed_a_hidden_end_is_said_to_be_unseen(void **state)
{
    struct world *w = *state;

    memory_delete_marker(w->store, w->digest_keys[2]);
    w->store->refuses_versions = true;
    world_verify(w);
    assert_int_equal(w->seen_count, 1 + 2 + 4);
    assert_int_equal(w->result.findings[HF_VERSIONS_UNSEEN], w->seen_count);
    assert_true(world_saw(w, HF_VERSIONS_UNSEEN, w->digest_keys[1]));
    assert_true(world_saw(w, HF_VERSIONS_UNSEEN, w->made[0].key));
    assert_true(w->result.intact);
    assert_string_equal(w->result.head.key, w->digest_keys[1]);
}

/* ---- the public key ---- */

/* The key itself is in the bucket alone. */
static void
pin_by_fingerprint(struct world *w)
{
    static const char *fingerprint;

    fingerprint = hf_signer_fingerprint(w->signer);
    w->options.verifier_count = 0;
    w->options.fingerprints = &fingerprint;
    w->options.fingerprint_count = 1;
}

static void
put_key(struct world *w, struct hf_signer *signer, char ret_key[HF_KEY_MAX])
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(65536);

    assert_int_equal(hf_signer_public_pem(signer, &pem), HF_OK);
    hf_layout_public_key(&w->layout, hf_signer_fingerprint(w->signer), ret_key);
    memory_put(w->store, ret_key, hf_buf_slice(&pem), NULL);
}

static void
a_key_below_another_one_or_a_delete_marker_is_found(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    pin_by_fingerprint(w);
    put_key(w, w->signer, key);
    world_expect_intact(w);
    put_key(w, world_other_signer(), key);
    world_expect_intact(w);
    memory_put(w->store, key, HF_SLICE_LITERAL("no key"), NULL);
    world_expect_intact(w);
    memory_delete_marker(w->store, key);
    world_expect_intact(w);
    w->store->refuses_versions = true;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_UNKNOWN_KEY], 3);
}

/* ---- more than are looked at ---- */

static void
bury(struct world *w, const char *key, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "junk %zu", i);
        memory_put(w->store, key, hf_slice_text(text), NULL);
    }
}

/* Whoever may PUT can go on as long as he likes: it is found as long as the listing ends. */
static void
a_digest_below_any_number_of_others_is_found(void **state)
{
    static const size_t counts[] = { 1, 31, 1, 1, 66 }; /* 1, 32, 33, 34 and 100 of them */
    struct world *w = *state;
    const char *key = w->digest_keys[1];

    for (size_t i = 0; i < HF_COUNT(counts); i++) {
        bury(w, key, counts[i]);
        world_expect_one(w, HF_OVERWRITTEN, key);
        assert_int_equal(w->result.objects, 6);
    }
}

static void
a_public_key_below_any_number_of_others_is_found(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    pin_by_fingerprint(w);
    put_key(w, w->signer, key);
    bury(w, key, 100);
    world_expect_intact(w);
}

struct counted {
    const char *key;
    size_t gets;
};

static void
count_get(void *context, const char *key)
{
    struct counted *counted = context;
    counted->gets += strcmp(key, counted->key) == 0;
}

/* Under the others there is nothing: so many are read, and of the rest it is said that they were
 * not. */
static void
what_lies_below_is_tried_so_often_and_no_more(void **state)
{
    static const size_t totals[] = { 2, 32, 33, 34, 100 };
    struct world *w = *state;
    const char *key = w->digest_keys[1];
    size_t total = 0;

    memory_current(w->store, key)->gone = true;
    for (size_t i = 0; i < HF_COUNT(totals); i++) {
        struct counted counted = { .key = key };
        bury(w, key, totals[i] - total);
        total = totals[i];
        w->store->before_get = count_get;
        w->store->context = &counted;
        world_verify(w);
        w->store->before_get = NULL;
        assert_false(w->result.intact);
        assert_int_equal(world_saw(w, HF_EXTRA, key), total - 1 > 32);
        assert_int_equal(counted.gets, 1 + HF_MIN(total - 1, 32u));
    }
}

/* What lies in the metadata is anybody's who can write there. */
static void
control_characters_in_metadata_do_not_reach_the_finding(void **state)
{
    struct world *w = *state;
    struct hf_object_info *info = &memory_current(w->store, w->digest_keys[2])->info;

    snprintf(info->signature_algorithm, sizeof(info->signature_algorithm), "%s",
             "x\n\xc2\x9b"
             "2J\x1b\xc3\xa9\x7f");
    world_verify(w);
    assert_false(w->result.intact);
    assert_true(world_saw(w, HF_INVALID, w->digest_keys[2]));
    for (size_t i = 0; i < w->seen_count; i++)
        assert_false(hf_has_control(w->seen[i].detail));
    assert_non_null(strstr(w->seen[0].detail, "x???2J?\xc3\xa9?"));
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
where_versions_may_not_be_listed_it_is_said_and_nothing_more_is_asked(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    start_again_with_a_version(w, key);
    memory_put(w->store, key, HF_SLICE_LITERAL("other bytes"), NULL);
    w->store->refuses_versions = true;
    w->store->version_requests = 0;
    world_verify(w);
    assert_int_equal(w->seen_count, 3); /* the prefix, the digest, the object */
    assert_int_equal(w->result.findings[HF_VERSIONS_UNSEEN], 3);
    assert_true(w->result.intact);
    assert_int_equal(w->store->version_requests, 0);
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
what_is_not_seen_is_not_wrong(void **state)
{
    static const struct {
        enum hf_status status;
        enum hf_finding finding;
    } cases[] = { { HF_EACCESS, HF_DENIED }, { HF_EIO, HF_UNSEEN } };
    struct world *w = *state;

    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        w->store->get_fails = cases[i].status;
        world_verify(w);
        assert_int_equal(w->result.findings[cases[i].finding], 6);
        assert_false(w->result.intact);
        assert_true(w->result.unseen);
    }
}

/* As one that somebody encrypted with a key of his own. */
static void
an_object_that_the_store_refuses_to_give_is_invalid(void **state)
{
    struct world *w = *state;

    w->store->get_fails = HF_EREFUSED;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_INVALID], 6);
    assert_false(w->result.intact);
}

int
main(void)
{
#define VERSIONED(name) cmocka_unit_test_setup_teardown(name, setup_versioned, teardown)
    static const struct CMUnitTest tests[] = {
        VERSIONED(one_version_of_each_is_intact),
        VERSIONED(a_listing_that_never_ends_is_given_up),
        VERSIONED(a_digest_under_another_one_is_found_and_named),
        VERSIONED(a_digest_under_a_delete_marker_is_found_and_named),
        VERSIONED(a_digest_put_twice_is_repeated_and_fine),
        VERSIONED(an_object_put_twice_is_repeated_and_fine),
        VERSIONED(an_object_with_other_bytes_below_it_is_extra),
        VERSIONED(an_object_under_a_delete_marker_is_hidden),
        VERSIONED(the_version_that_the_digest_names_is_read_below_a_newer_one),
        VERSIONED(the_version_that_the_digest_names_is_read_below_a_delete_marker),
        VERSIONED(a_version_that_is_gone_is_missing_though_another_lies_there),
        VERSIONED(a_hidden_end_is_found_and_named),
        VERSIONED(where_versions_may_not_be_listed_a_hidden_end_is_said_to_be_unseen),
        VERSIONED(a_key_below_another_one_or_a_delete_marker_is_found),
        VERSIONED(a_digest_below_any_number_of_others_is_found),
        VERSIONED(a_public_key_below_any_number_of_others_is_found),
        VERSIONED(what_lies_below_is_tried_so_often_and_no_more),
        VERSIONED(control_characters_in_metadata_do_not_reach_the_finding),
        VERSIONED(where_versions_may_not_be_listed_it_is_said_and_nothing_more_is_asked),
        VERSIONED(a_lock_without_a_date_is_unlocked),
        VERSIONED(what_is_not_seen_is_not_wrong),
        VERSIONED(an_object_that_the_store_refuses_to_give_is_invalid),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
