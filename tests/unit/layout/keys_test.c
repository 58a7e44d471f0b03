#include "tests/support/test.h"

#include <holdfast/layout.h>

#define ID "00112233445566778899aabbccddeeff"

static const struct hf_layout plain = {
    .prefix = "", .account = "123456789012", .region = "eu-central-1", .trail = "audit"
};
static const struct hf_layout full = { .prefix = "logs/of/it",
                                       .organization = "o-exampleorg",
                                       .account = "000000000000",
                                       .region = "local",
                                       .trail = "my.trail_1" };

static int64_t
at(const char *text)
{
    int64_t seconds;
    assert_true(hf_time_parse_rfc3339(text, &seconds));
    return seconds;
}

static void
object_keys_are_cloudtrails(void **state)
{
    (void)state;
    const struct {
        const struct hf_layout *layout;
        const char *time;
        bool cms;
        const char *key;
    } cases[] = {
        { &plain, "2026-11-22T15:04:59Z", false,
          "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
          "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz" },
        { &plain, "2028-02-29T00:00:00Z", true,
          "AWSLogs/123456789012/CloudTrail/eu-central-1/2028/02/29/"
          "123456789012_CloudTrail_eu-central-1_20280229T0000Z_abcdEFGH01234567.json.gz.cms.gz" },
        { &full, "2026-12-31T23:59:59Z", false,
          "logs/of/it/AWSLogs/o-exampleorg/000000000000/CloudTrail/local/2026/12/31/"
          "000000000000_CloudTrail_local_20261231T2359Z_abcdEFGH01234567.json.gz" },
    };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        char key[HF_KEY_MAX], unique[HF_UNIQUE_SIZE];
        int64_t time_s;
        bool cms;
        hf_layout_object_key(cases[i].layout, at(cases[i].time), "abcdEFGH01234567", cases[i].cms,
                             key);
        assert_string_equal(key, cases[i].key);
        assert_true(hf_layout_is_object(cases[i].layout, key, &time_s, unique, &cms));
        assert_int_equal(time_s, at(cases[i].time) / 60 * 60);
        assert_string_equal(unique, "abcdEFGH01234567");
        assert_int_equal(cms, cases[i].cms);
        char prefix[HF_KEY_MAX];
        hf_layout_object_prefix(cases[i].layout, prefix);
        assert_true(hf_starts_with(key, prefix) && hf_ends_with(prefix, "/"));
    }
}

static void
digest_keys_are_cloudtrails(void **state)
{
    (void)state;
    const struct {
        const struct hf_layout *layout;
        const char *time, *key;
    } cases[] = {
        { &plain, "2026-11-22T15:04:59Z",
          "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
          "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150459Z.json."
          "gz" },
        { &full, "2027-01-01T00:00:00Z",
          "logs/of/it/AWSLogs/o-exampleorg/000000000000/CloudTrail-Digest/local/2027/01/01/"
          "000000000000_CloudTrail-Digest_local_my.trail_1_local_20270101T000000Z.json.gz" },
    };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        char key[HF_KEY_MAX], prefix[HF_KEY_MAX];
        int64_t end_s;
        hf_layout_digest_key(cases[i].layout, at(cases[i].time), key);
        assert_string_equal(key, cases[i].key);
        assert_true(hf_layout_is_digest(cases[i].layout, key, &end_s));
        assert_int_equal(end_s, at(cases[i].time));
        hf_layout_digest_prefix(cases[i].layout, prefix);
        assert_true(hf_starts_with(key, prefix) && hf_ends_with(prefix, "/"));
    }
}

static void
public_key_lies_beside_the_digests(void **state)
{
    (void)state;
    char key[HF_KEY_MAX];
    hf_layout_public_key(&full, "abc123", key);
    assert_string_equal(
        key,
        "logs/of/it/AWSLogs/o-exampleorg/000000000000/CloudTrail-Digest/local/keys/abc123.pem");
}

static void
null_and_empty_prefix_and_organization_are_the_same(void **state)
{
    (void)state;
    struct hf_layout none = plain, empty = plain;
    char a[HF_KEY_MAX], b[HF_KEY_MAX];
    none.prefix = none.organization = NULL;
    empty.prefix = empty.organization = "";
    hf_layout_object_prefix(&none, a);
    hf_layout_object_prefix(&empty, b);
    assert_string_equal(a, b);
    assert_string_equal(a, "AWSLogs/123456789012/CloudTrail/eu-central-1/");
}

/* Each differs from a key of ours in one thing. */
static void
look_alikes_are_not_objects(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "",
        "AWSLogs/",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH0123456.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH012345678.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234-67.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz.meta.json",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz.cms",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.cms.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Zxabcdefgh01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T150Z4_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261131T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/23/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/2x/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-2/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-2_20261122T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789013/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
        "x/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail_eu-central-1_20261122T1504Z_abcdEFGH01234567.json.gz",
    };
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        int64_t time_s = 7;
        char unique[HF_UNIQUE_SIZE] = "untouched";
        bool cms = true;
        if (hf_layout_is_object(&plain, keys[i], &time_s, unique, &cms))
            fail_msg("taken for an object: %s", keys[i]);
        assert_int_equal(time_s, 7);
        assert_string_equal(unique, "untouched");
        assert_true(cms);
    }
}

static void
look_alikes_are_not_digests_of_this_trail(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/keys/abc.pem",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_other_eu-central-1_20261122T150459Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit2_eu-central-1_20261122T150459Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audi_eu-central-1_20261122T150459Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T1504Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150460Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/21/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150459Z.json.gz",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150459Z.json.gz2",
        "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150459Z.json",
        "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/22/"
        "123456789012_CloudTrail-Digest_eu-central-1_audit_eu-central-1_20261122T150459Z.json.gz",
    };
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        int64_t end_s = 7;
        if (hf_layout_is_digest(&plain, keys[i], &end_s))
            fail_msg("taken for a digest: %s", keys[i]);
        assert_int_equal(end_s, 7);
    }
}

static void
shortened_key_is_read_within_its_bytes(void **state)
{
    (void)state;
    char object[HF_KEY_MAX], digest[HF_KEY_MAX], unique[HF_UNIQUE_SIZE];
    int64_t time_s;
    bool cms;
    hf_layout_object_key(&plain, at("2026-11-22T15:04:00Z"), "abcdEFGH01234567", true, object);
    hf_layout_digest_key(&plain, at("2026-11-22T15:04:00Z"), digest);
    for (size_t size = 0; size < strlen(object); size++) {
        char *exact = hf_strndup(object, size);
        bool inner =
            hf_ends_with(exact, ".json.gz"); /* the key without its envelope's suffix is one, too */
        assert_int_equal(hf_layout_is_object(&plain, exact, &time_s, unique, &cms), inner);
        free(exact);
    }
    for (size_t size = 0; size < strlen(digest); size++) {
        char *exact = hf_strndup(digest, size);
        assert_false(hf_layout_is_digest(&plain, exact, &time_s));
        free(exact);
    }
}

static void
assert_alphanumeric(const char *text, size_t size)
{
    assert_int_equal(strlen(text), size);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
                     size);
}

static void
unique_begins_with_the_tag_and_changes_with_everything_it_names(void **state)
{
    (void)state;
    char tag[HF_CHAIN_TAG_SIZE], other_tag[HF_CHAIN_TAG_SIZE];
    hf_layout_chain_tag(ID, "audit", "chain", tag);
    assert_alphanumeric(tag, 4);
    hf_layout_chain_tag(ID, "audit", "chain2", other_tag);
    assert_string_not_equal(tag, other_tag);

    const struct {
        const char *journal, *trail;
        uint64_t first_seq, last_seq;
        unsigned generation;
    } cases[] = {
        { ID, "audit", 1, 2, 0 },  { ID, "audit", 1, 2, 1 },
        { ID, "audit", 1, 3, 0 },  { ID, "audit", 2, 2, 0 },
        { ID, "audit", 12, 0, 0 }, { ID, "audit", UINT64_MAX, UINT64_MAX, UINT32_MAX },
        { ID, "audit2", 1, 2, 0 }, { "ffeeddccbbaa99887766554433221100", "audit", 1, 2, 0 },
    };
    char unique[HF_COUNT(cases)][HF_UNIQUE_SIZE], again[HF_UNIQUE_SIZE];
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        hf_layout_unique(tag, cases[i].journal, cases[i].trail, cases[i].first_seq,
                         cases[i].last_seq, cases[i].generation, unique[i]);
        hf_layout_unique(tag, cases[i].journal, cases[i].trail, cases[i].first_seq,
                         cases[i].last_seq, cases[i].generation, again);
        assert_alphanumeric(unique[i], 16);
        assert_string_equal(unique[i], again);
        assert_memory_equal(unique[i], tag, 4);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(unique[i] + 4, unique[j] + 4);
    }
}

/* They stand in buckets that exist: another formula would make every window look new. */
static void
tag_and_unique_never_change(void **state)
{
    (void)state;
    char tag[HF_CHAIN_TAG_SIZE], unique[HF_UNIQUE_SIZE];
    hf_layout_chain_tag(ID, "audit", "0123456789abcdef0123456789abcdef", tag);
    hf_layout_unique(tag, ID, "audit", 1, 1000, 0, unique);
    assert_string_equal(tag, "h9Dr");
    assert_string_equal(unique, "h9DreQlbJDk7lXbZ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_keys_are_cloudtrails),
        cmocka_unit_test(digest_keys_are_cloudtrails),
        cmocka_unit_test(public_key_lies_beside_the_digests),
        cmocka_unit_test(null_and_empty_prefix_and_organization_are_the_same),
        cmocka_unit_test(look_alikes_are_not_objects),
        cmocka_unit_test(look_alikes_are_not_digests_of_this_trail),
        cmocka_unit_test(shortened_key_is_read_within_its_bytes),
        cmocka_unit_test(unique_begins_with_the_tag_and_changes_with_everything_it_names),
        cmocka_unit_test(tag_and_unique_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
