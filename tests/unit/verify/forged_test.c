/* What somebody made who has the key: objects that are as listed and yet nothing, chains that are
 * rightly signed and none. Each place is named, and the walk comes to its end. */
#include "tests/unit/verify/memory_store.h"
#include "tests/unit/verify/said.h"
#include "tests/unit/verify/setup.h"

static const struct range first_of_second = { 21, 30 };

/* ---- objects that are as listed, and yet nothing ---- */

/* In the place of the first object of the second digest; what lists it says so. */
static struct {
    struct hf_buf stored;
    char stored_sha256[HF_SHA256_HEX_SIZE], hash[HF_SHA256_HEX_SIZE];
} forged;

static void
list_forged(struct hf_digest *digest)
{
    if (digest->number != 2)
        return;
    memcpy(digest->objects[0].stored_sha256, forged.stored_sha256, sizeof(forged.stored_sha256));
    memcpy(digest->objects[0].hash, forged.hash, sizeof(forged.hash));
}

static void
forge(struct world *w, struct hf_slice inner, unsigned level)
{
    hf_buf_init(&forged.stored, 1 << 20);
    assert_int_equal(hf_gzip(inner, level, &forged.stored, NULL), HF_OK);
    hf_sha256_hex(forged.stored.ptr, forged.stored.size, forged.stored_sha256);
    hf_sha256_hex(inner.ptr, inner.size, forged.hash);
    w->change = list_forged;
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    w->change = NULL;
}

static void
put_forged(struct world *w, char ret_key[HF_KEY_MAX])
{
    world_object_key(w, first_of_second, ret_key);
    struct memory_version *object = memory_current(w->store, ret_key);
    hf_buf_reset(&object->body);
    assert_int_equal(hf_buf_add(&object->body, forged.stored.ptr, forged.stored.size), HF_OK);
    memcpy(object->info.sha256, forged.stored_sha256, sizeof(forged.stored_sha256));
    object->info.size = forged.stored.size;
    hf_buf_done(&forged.stored);
}

static void
object_that_is_no_list_of_records_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    forge(w, HF_SLICE_LITERAL("[1,2,3]"), 6);
    put_forged(w, key);
    world_verify(w);
    expect_said(w, HF_INVALID, key, "it is not {\"Records\":[...]}");
}

static void
list_another_hash(struct hf_digest *digest)
{
    if (digest->number == 2)
        memset(digest->objects[0].hash, 'a', 64);
}

static void
object_whose_listed_content_is_another_is_invalid(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    w->change = list_another_hash;
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    world_object_key(w, first_of_second, key);
    world_verify(w);
    expect_said(w, HF_INVALID, key, "SHA-256 of the uncompressed bytes");
}

static void
envelope_with_no_gzip_member_in_it_is_invalid(void **state)
{
    struct world *w = *state;
    struct envelopes envelopes;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1 << 20);
    char key[HF_KEY_MAX];

    world_envelopes(w, &envelopes);
    w->options.opener = envelopes.opener;
    assert_int_equal(
        hf_cms_encrypt(envelopes.recipients, HF_SLICE_LITERAL("no gzip member"), &der, NULL),
        HF_OK);
    forge(w, hf_buf_slice(&der), 0);
    put_forged(w, key);
    world_verify(w);
    expect_said(w, HF_INVALID, key, "what is in the envelope");
    envelopes_done(&envelopes);
}

/* ---- chains that are none, rightly signed ---- */

static void (*change_second)(struct hf_digest *digest);

static void
change_of_second(struct hf_digest *digest)
{
    if (digest->number == 2)
        change_second(digest);
}

static void
three_with_a_changed_second(struct world *w, void (*change)(struct hf_digest *digest))
{
    change_second = change;
    w->change = change_of_second;
    world_put_plain(w, 3);
    w->change = NULL;
    memory_fill(w, NULL);
    world_verify(w);
}

static void
set(char **text, const char *value)
{
    free(*text);
    *text = hf_strdup(value);
}

static void
another_chain(struct hf_digest *digest)
{
    set(&digest->chain, "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
}

static void
digest_of_another_chain_in_between_breaks_it(void **state)
{
    struct world *w = *state;

    three_with_a_changed_second(w, another_chain);
    expect_said(w, HF_BROKEN_CHAIN, w->digest_keys[1],
                "it is of chain b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
}

static void
later_end(struct hf_digest *digest)
{
    digest->end_s += 60;
}

static void
digest_that_ends_at_another_time_than_its_key_says_breaks_the_chain(void **state)
{
    struct world *w = *state;

    three_with_a_changed_second(w, later_end);
    expect_said(w, HF_BROKEN_CHAIN, w->digest_keys[1], "is not the time in its key");
}

static void
none_of_ours(struct hf_digest *digest)
{
    digest->number = 0;
}

static void
digest_that_is_none_of_holdfast_in_between_breaks_it(void **state)
{
    struct world *w = *state;

    three_with_a_changed_second(w, none_of_ours);
    expect_said(w, HF_BROKEN_CHAIN, w->digest_keys[1], "only one was made by holdfast");
}

static void
names_what_is_no_key(struct hf_digest *digest)
{
    set(&digest->previous_key, "zzz/of-nowhere.json.gz");
}

static void
names_what_is_no_key_and_sorts_before(struct hf_digest *digest)
{
    set(&digest->previous_key, "aaa/of-nowhere.json.gz");
}

/* The walk only goes back: else it could go round for ever. */
static void
digest_that_names_no_older_one_breaks_the_chain_and_the_listing_is_followed(void **state)
{
    struct world *w = *state;

    three_with_a_changed_second(w, names_what_is_no_key);
    expect_said(w, HF_BROKEN_CHAIN, w->digest_keys[1], "which is not an older one");
    assert_int_equal(w->result.digests, 3);
    assert_int_equal(w->result.objects, 6);
}

static void
digest_that_names_an_older_one_that_is_nowhere_ends_the_chain(void **state)
{
    struct world *w = *state;

    three_with_a_changed_second(w, names_what_is_no_key_and_sorts_before);
    assert_true(world_saw(w, HF_MISSING, "aaa/of-nowhere.json.gz"));
    assert_int_equal(w->result.objects, 4); /* none that is listed is older than that */
    assert_false(w->result.intact);
}

static char newest_key[HF_KEY_MAX];

static void
names_the_newest_as_head(struct hf_digest *digest)
{
    if (digest->number == 1)
        set(&digest->old_head, newest_key);
}

static void
chain_whose_first_names_its_newest_as_what_it_came_after_ends_there(void **state)
{
    struct world *w = *state;

    hf_layout_digest_key(&w->layout, WORLD_BASE_S + 3 * 3600, newest_key);
    w->change = names_the_newest_as_head;
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    assert_string_equal(w->digest_keys[2], newest_key);
    world_verify(w);
    assert_int_equal(w->result.digests, 3);
    assert_int_equal(w->result.objects, 6);
}

/* ---- behind a hole, by the listing ---- */

static void
ninth(struct hf_digest *digest)
{
    if (digest->number == 2)
        digest->number = 9;
}

static void
what_lies_behind_a_hole_and_has_a_later_number_breaks_the_chain(void **state)
{
    struct world *w = *state;

    w->change = ninth;
    world_put_plain(w, 4);
    memory_fill(w, NULL);
    memory_current(w->store, w->digest_keys[2])->gone = true;
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, w->digest_keys[2]));
    expect_said(w, HF_BROKEN_CHAIN, w->digest_keys[1], "it is number 9, and the newer");
}

/* The new chain says nothing of an older one: nothing vouches for that one. */
static void
what_lies_behind_a_hole_and_is_of_a_chain_that_nothing_names_is_extra(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    world_chain(w, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", NULL);
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    memory_current(w->store, w->digest_keys[3])->gone = true;
    memory_current(w->store, w->digest_keys[2])->gone = true;
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, w->digest_keys[3]));
    expect_said(w, HF_EXTRA, w->digest_keys[1],
                "which nothing in chain c0c1c2c3c4c5c6c7c8c9cacbcccdcecf names");
}

/* ---- digests that are none of holdfast ---- */

static void
chain_that_is_none_of_holdfast_is_checked_as_far_as_it_goes(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    w->change = none_of_ours;
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    world_verify(w);
    assert_int_equal(w->result.digests, 3);
    assert_int_equal(w->result.objects, 6);
    assert_int_equal(w->result.findings[HF_BROKEN_CHAIN], 0);
    world_object_key(w, first_of_second, key);
    memory_current(w->store, key)->gone = true;
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, key));
    assert_false(w->result.intact);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(object_that_is_no_list_of_records_is_invalid),
        TEST(object_whose_listed_content_is_another_is_invalid),
        TEST(envelope_with_no_gzip_member_in_it_is_invalid),
        TEST(digest_of_another_chain_in_between_breaks_it),
        TEST(digest_that_ends_at_another_time_than_its_key_says_breaks_the_chain),
        TEST(digest_that_is_none_of_holdfast_in_between_breaks_it),
        TEST(digest_that_names_no_older_one_breaks_the_chain_and_the_listing_is_followed),
        TEST(digest_that_names_an_older_one_that_is_nowhere_ends_the_chain),
        TEST(chain_whose_first_names_its_newest_as_what_it_came_after_ends_there),
        TEST(what_lies_behind_a_hole_and_has_a_later_number_breaks_the_chain),
        TEST(what_lies_behind_a_hole_and_is_of_a_chain_that_nothing_names_is_extra),
        TEST(chain_that_is_none_of_holdfast_is_checked_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
