/* A digest has an upper size: it comes early before it would be too long, and what it may list
 * then fits. */
#include "tests/support/test.h"

#include "agent/trail/delivery.h"

static void
digest_comes_early_when_its_list_is_full(void **state)
{
    struct digest_work work = { 0 };
    struct trail trail = { .chain.digest = &work };
    (void)state;
    while (trail.lists.object_count < DIGEST_OBJECTS_MOST - 1)
        lists_add_object(&trail.lists)->key = hf_strdup("k");
    assert_false(digest_due(&trail));
    assert_false(trail.chain.due_now);
    lists_add_object(&trail.lists)->key = hf_strdup("k");
    assert_false(digest_due(&trail)); /* the one before is still under way */
    assert_true(trail.chain.due_now);
    lists_done(&trail.lists);
}

static void
digest_comes_early_when_its_names_are_long(void **state)
{
    struct trail trail = { .lists.object_count = 0 };
    (void)state;
    for (size_t i = 0; !trail.chain.due_now; i++) {
        struct digest_work work = { 0 };
        trail.chain.digest = &work; /* the one before is still under way */
        (void)digest_due(&trail);
        if (trail.chain.due_now)
            break;
        struct hf_digest_object *object = lists_add_object(&trail.lists);
        object->bucket = hf_strdup("b");
        object->key = hf_asprintf("%01000zu", i);
    }
    assert_in_range(trail.lists.object_count, 3000, DIGEST_OBJECTS_MOST - 1);
    lists_done(&trail.lists);
}

static char *
long_key(size_t size)
{
    char *key = hf_alloc(size + 1);
    memset(key, 'k', size);
    for (size_t i = 0; i < size / 2; i++) /* a prefix may have them, and each takes two bytes */
        key[i] = '"';
    return key;
}

static char *
quotes(size_t size)
{
    char *text = long_key(size);
    memset(text, '"', size);
    return text;
}

static void
fill(struct hf_digest *digest, size_t key_size, size_t objects, size_t windows)
{
    char hash[HF_SHA256_HEX_SIZE];
    hf_sha256_hex("", 0, hash);
    *digest = (struct hf_digest){ .account = hf_strdup("000000000000"),
                                  .bucket = long_key(63),
                                  .key = long_key(key_size),
                                  .end_s = 1767225600,
                                  .fingerprint = hf_strdup("0123456789abcdef0123456789abcdef"),
                                  .host = long_key(255),
                                  .journal = hf_strdup("0123456789abcdef0123456789abcdef"),
                                  .chain = hf_strdup("0123456789abcdef0123456789abcdef"),
                                  .boot = hf_strdup("0123456789abcdef0123456789abcdef"),
                                  .tag = hf_strdup("0123"),
                                  .number = 1,
                                  .first_seq = 1,
                                  .last_seq = 1u << 30 };
    digest->object_count = objects;
    digest->objects = hf_alloc(digest->object_count * sizeof(*digest->objects));
    for (size_t i = 0; i < digest->object_count; i++) {
        struct hf_digest_object *object = &digest->objects[i];
        *object = (struct hf_digest_object){ .bucket = long_key(63),
                                             .key = long_key(key_size),
                                             .oldest_s = 1767225600,
                                             .newest_s = 1767225600,
                                             .first_seq = (uint64_t)1 << 40,
                                             .last_seq = (uint64_t)1 << 40,
                                             .count = 1,
                                             .version_id = quotes(255),
                                             .confirmed = hf_strdup("checksum"),
                                             .encryption = hf_strdup("sse-kms"),
                                             .lock_mode = hf_strdup("COMPLIANCE"),
                                             .retain_until_s = 1767225600 };
        memcpy(object->hash, hash, sizeof(hash));
        memcpy(object->stored_sha256, hash, sizeof(hash));
        memcpy(object->plain_sha256, hash, sizeof(hash));
    }
    digest->pending_count = windows;
    digest->pending = hf_alloc(digest->pending_count * sizeof(*digest->pending));
    for (size_t i = 0; i < digest->pending_count; i++)
        digest->pending[i] = (struct hf_digest_range){ .first_seq = (uint64_t)1 << 40,
                                                       .last_seq = (uint64_t)1 << 40,
                                                       .key = long_key(key_size) };
}

/* As many as there are before it comes early, and as many as may be under way besides. */
static void
longest_digest_fits(void **state)
{
    static const size_t key_sizes[] = { 90, 200, 600, HF_KEY_MAX - 1 };
    struct hf_signer *signer;
    struct hf_error err;
    char folder[256], path[512];
    (void)state;
    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/digest.key", folder);
    assert_int_equal(hf_signer_create(path, 2048, NULL), HF_OK);
    assert_int_equal(hf_signer_load(path, &signer, &err), HF_OK);
    for (size_t i = 0; i < HF_COUNT(key_sizes); i++) {
        hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX),
                                            signature = HF_BUF(2 * HF_SIGNATURE_MAX + 1);
        hf_owned(hf_freep) char *key = long_key(key_sizes[i]);
        struct hf_digest digest;
        fill(&digest, key_sizes[i], 1, 0);
        struct lists one = { .objects = digest.objects, .object_count = 1 };
        size_t each = lists_bytes(&one), pending = lists_pending_bytes(key);
        hf_digest_done(&digest);
        assert_true(each <= LISTED_BYTES_MOST);
        fill(&digest, key_sizes[i],
             HF_MIN(OBJECTS_MOST,
                    (LISTS_BYTES_MOST + 2 * IN_FLIGHT_MAX * LISTED_BYTES_MOST) / each + 1),
             HF_MIN(WINDOWS_MOST, PENDING_BYTES_MOST / pending + 1));
        hf_freep(&digest.fingerprint);
        digest.fingerprint = hf_strdup(hf_signer_fingerprint(signer));
        if (hf_digest_make(&digest, signer, &json, &signature, &err) != HF_OK)
            fail_msg("keys of %zu bytes: %s", key_sizes[i], err.text);
        /* and no more than was counted */
        assert_true(json.size <=
                    each * digest.object_count + pending * digest.pending_count + 8192);
        hf_digest_done(&digest);
    }
    hf_signer_free(signer);
    hf_test_tempdir_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_comes_early_when_its_list_is_full),
        cmocka_unit_test(digest_comes_early_when_its_names_are_long),
        cmocka_unit_test(longest_digest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
