/* A digest as written: CloudTrail's members in CloudTrail's order, and a signature that the openssl
 * tool verifies. */
#include "tests/support/test.h"

#include <holdfast/digest.h>

static char folder[256];
static struct hf_signer *signer;

static int
setup(void **state)
{
    hf_owned(hf_freep) char *path = NULL;

    (void)state;
    hf_test_tempdir(folder);
    path = hf_asprintf("%s/digest.key", folder);
    assert_int_equal(hf_signer_create(path, 2048, NULL), HF_OK);
    assert_int_equal(hf_signer_load(path, &signer, NULL), HF_OK);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hf_signer_free(signer);
    hf_test_tempdir_remove(folder);
    return 0;
}

static char *
text(const char *value)
{
    return hf_strdup(value);
}

static struct hf_digest
first_digest(void)
{
    return (struct hf_digest){
        .account = text("123456789012"),
        .bucket = text("audit-logs"),
        .key = text("h/AWSLogs/123456789012/CloudTrail-Digest/local/2026/11/22/"
                    "123456789012_CloudTrail-Digest_local_main_local_20261122T160000Z.json.gz"),
        .start_s = 1795359600,
        .end_s = 1795363200,
        .fingerprint = text(hf_signer_fingerprint(signer)),
        .host = text("host1"),
        .journal = text("000102030405060708090a0b0c0d0e0f"),
        .chain = text("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"),
        .boot = text("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"),
        .tag = text("AbCd"),
        .number = 1,
        .first_seq = 1,
        .last_seq = 0,
    };
}

static void
make(const struct hf_digest *digest, struct hf_buf *json, struct hf_buf *signature)
{
    assert_int_equal(hf_digest_make(digest, signer, json, signature, NULL), HF_OK);
}

static void
an_empty_first_digest_has_nulls_where_cloudtrail_has_them(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096);
    hf_owned(hf_freep) char *expected = hf_asprintf(
        "{\"awsAccountId\":\"123456789012\",\"digestStartTime\":\"2026-11-22T15:00:00Z\","
        "\"digestEndTime\":\"2026-11-22T16:00:00Z\",\"digestS3Bucket\":\"audit-logs\","
        "\"digestS3Object\":\"%s\","
        "\"digestPublicKeyFingerprint\":\"%s\",\"digestSignatureAlgorithm\":\"SHA256withRSA\","
        "\"newestEventTime\":null,\"oldestEventTime\":null,\"previousDigestS3Bucket\":null,"
        "\"previousDigestS3Object\":null,\"previousDigestHashValue\":null,"
        "\"previousDigestHashAlgorithm\":null,"
        "\"previousDigestSignature\":null,\"logFiles\":[],\"holdfast\":{\"format\":1,\"host\":"
        "\"host1\","
        "\"journal\":\"000102030405060708090a0b0c0d0e0f\",\"chain\":"
        "\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\","
        "\"number\":1,\"boot\":\"b0b1b2b3b4b5b6b7b8b9babbbcbdbebf\",\"tag\":\"AbCd\",\"oldHead\":"
        "null,\"previousRetainUntil\":null,\"previousLockMode\":null,"
        "\"firstSequence\":1,\"lastSequence\":0,\"objects\":[],\"pending\":[],\"losses\":[],"
        "\"foreign\":[]}}",
        digest.key, digest.fingerprint);

    (void)state;
    make(&digest, &json, &signature);
    assert_string_equal(hf_buf_text(&json), expected);
}

static void
fill(struct hf_digest *digest)
{
    digest->number = 2;
    digest->last_seq = 40;
    digest->previous_bucket = text("audit-logs");
    digest->previous_key = text("h/previous");
    digest->previous_hash =
        text("0000000000000000000000000000000000000000000000000000000000000001");
    digest->previous_signature = text("abcdef");
    digest->previous_retain_until_s = 1795363200;
    digest->previous_lock_mode = text("COMPLIANCE");
    digest->object_count = 2;
    digest->objects = hf_alloc(2 * sizeof(*digest->objects));
    for (size_t i = 0; i < 2; i++) {
        struct hf_digest_object *object = &digest->objects[i];
        object->bucket = text("audit-logs");
        object->key = hf_asprintf("h/object%zu", i);
        memset(object->hash, 'a', 64);
        memset(object->stored_sha256, 'b', 64);
        memset(object->plain_sha256, 'a', 64);
        object->first_seq = 1 + 20 * i;
        object->last_seq = 20 + 20 * i;
        object->count = 5;
    }
    digest->objects[0].oldest_s = 100;
    digest->objects[0].newest_s = 300;
    digest->objects[1].oldest_s = -62135596800 - 999999999999; /* before year 0 */
    digest->objects[1].newest_s = INT64_MAX;
    digest->objects[1].version_id = text("v1");
    digest->objects[1].retain_until_s = 1795363200;
    digest->objects[1].lock_mode = text("GOVERNANCE");
    digest->objects[1].confirmed = text("head");
    digest->objects[1].encryption = text("none");
    digest->pending_count = 1;
    digest->pending = hf_alloc(sizeof(*digest->pending));
    digest->pending[0] = (struct hf_digest_range){ 39, 40, text("h/pending") };
    digest->loss_count = 2;
    digest->losses = hf_alloc(2 * sizeof(*digest->losses));
    digest->losses[0] = (struct hf_digest_loss){ 21, 22, text("bad \xff sector \"x\"\n") };
    digest->losses[1] = (struct hf_digest_loss){ 0, 0, NULL };
    digest->foreign_count = 1;
    digest->foreign = hf_alloc(sizeof(*digest->foreign));
    digest->foreign[0] = text("h/foreign");
}

static void
contains(const struct hf_buf *json, const char *part)
{
    if (!strstr(hf_buf_text(json), part))
        fail_msg("%s\nis not in\n%s", part, hf_buf_text(json));
}

static void
lists_and_absurd_times_are_written(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096);

    (void)state;
    fill(&digest);
    make(&digest, &json, &signature);
    contains(
        &json,
        "\"newestEventTime\":\"9999-12-31T23:59:59Z\",\"oldestEventTime\":\"0000-01-01T00:00:00Z\","
        "\"previousDigestS3Bucket\":\"audit-logs\",\"previousDigestS3Object\":\"h/previous\","
        "\"previousDigestHashValue\":"
        "\"0000000000000000000000000000000000000000000000000000000000000001\","
        "\"previousDigestHashAlgorithm\":\"SHA-256\",\"previousDigestSignature\":\"abcdef\","
        "\"logFiles\":[{"
        "\"s3Bucket\":\"audit-logs\",\"s3Object\":\"h/object0\",\"hashValue\":\"aaaa");
    contains(&json, "\"hashAlgorithm\":\"SHA-256\",\"newestEventTime\":\"1970-01-01T00:05:00Z\","
                    "\"oldestEventTime\":\"1970-01-01T00:01:40Z\"}");
    contains(
        &json,
        "\"versionId\":\"v1\",\"retainUntil\":\"2026-11-22T16:00:00Z\",\"lockMode\":\"GOVERNANCE\","
        "\"confirmed\":\"head\",\"encryption\":\"none\",\"repeated\":0}");
    contains(&json,
             "\"pending\":[{\"firstSequence\":39,\"lastSequence\":40,\"key\":\"h/pending\"}]");
    contains(&json, "\"losses\":[{\"firstSequence\":21,\"lastSequence\":22,\"reason\":\"bad ? "
                    "sector \\\"x\\\" \"},"
                    "{\"firstSequence\":null,\"lastSequence\":null,\"reason\":null}]");
    contains(&json, "\"foreign\":[\"h/foreign\"]}}");
}

static enum hf_status
verified(const struct hf_buf *json, const char *signature, const struct hf_verifier *verifier)
{
    struct hf_digest_outline outline;

    assert_int_equal(hf_digest_outline(hf_buf_slice(json), &outline, NULL), HF_OK);
    return hf_digest_verify(&outline, signature, verifier, NULL);
}

static void
what_is_made_can_be_read_and_verified(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest(), read = { 0 };
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096),
                                        pem = HF_BUF(65536);
    struct hf_verifier *verifier;

    (void)state;
    fill(&digest);
    make(&digest, &json, &signature);
    assert_int_equal(hf_digest_parse(hf_buf_slice(&json), &read, NULL), HF_OK);
    assert_int_equal(read.number, 2);
    assert_string_equal(read.key, digest.key);
    assert_string_equal(read.end_text, "2026-11-22T16:00:00Z");
    assert_string_equal(read.previous_signature, "abcdef");
    assert_int_equal(read.previous_retain_until_s, 1795363200);
    assert_string_equal(read.previous_lock_mode, "COMPLIANCE");
    assert_int_equal(read.object_count, 2);
    assert_int_equal(read.objects[1].first_seq, 21);
    assert_int_equal(read.objects[1].retain_until_s, 1795363200);
    assert_null(read.objects[0].version_id);
    assert_string_equal(read.objects[1].version_id, "v1");
    assert_int_equal(read.pending_count, 1);
    assert_int_equal(read.losses[0].last_seq, 22);
    assert_int_equal(read.losses[1].first_seq, 0);
    assert_string_equal(read.foreign[0], "h/foreign");

    assert_int_equal(hf_signer_public_pem(signer, &pem), HF_OK);
    assert_int_equal(hf_verifier_parse(hf_buf_slice(&pem), "test", &verifier, NULL), HF_OK);
    assert_int_equal(verified(&json, hf_buf_text(&signature), verifier), HF_OK);
    json.ptr[json.size - 20] ^= 1;
    assert_int_equal(verified(&json, hf_buf_text(&signature), verifier), HF_ESIGNATURE);
    json.ptr[json.size - 20] ^= 1;
    for (const char *const *wrong = (const char *const[]){ "", "zz", "abc", "ab", NULL }; *wrong;
         wrong++)
        assert_int_equal(verified(&json, *wrong, verifier), HF_ESIGNATURE);
    assert_int_equal(verified(&json, NULL, verifier), HF_ESIGNATURE);

    /* A key checks what it signs itself, whatever the digest says of it. */
    struct hf_digest_outline outline;
    assert_int_equal(hf_digest_outline(hf_buf_slice(&json), &outline, NULL), HF_OK);
    assert_ptr_equal(outline.algorithm, hf_verifier_algorithm(verifier));
    outline.algorithm = "Ed25519";
    assert_int_equal(hf_digest_verify(&outline, hf_buf_text(&signature), verifier, NULL),
                     HF_ESIGNATURE);
    hf_verifier_free(verifier);
}

/* By hand, with nothing of ours: what FORMAT.md tells people to do. */
static void
the_openssl_tool_verifies_the_signature(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096),
                                        pem = HF_BUF(65536);
    uint8_t raw[HF_SIGNATURE_MAX];
    char hash[HF_SHA256_HEX_SIZE];

    (void)state;
    make(&digest, &json, &signature);
    assert_int_equal(hf_signer_public_pem(signer, &pem), HF_OK);
    assert_true(hf_unhex(hf_buf_text(&signature), signature.size, raw, signature.size / 2));
    hf_sha256_hex(json.ptr, json.size, hash);
    hf_owned(hf_freep) char *message =
        hf_asprintf("2026-11-22T16:00:00Z\n%s/%s\n%s\nnull", digest.bucket, digest.key, hash);
    hf_owned(hf_freep) char *at_pem = hf_asprintf("%s/public.pem", folder);
    hf_owned(hf_freep) char *at_text = hf_asprintf("%s/text", folder),
                            *at_raw = hf_asprintf("%s/raw", folder);
    assert_int_equal(hf_fs_replace(at_pem, pem.ptr, pem.size, 0600, NULL), HF_OK);
    assert_int_equal(hf_fs_replace(at_text, message, strlen(message), 0600, NULL), HF_OK);
    assert_int_equal(hf_fs_replace(at_raw, raw, signature.size / 2, 0600, NULL), HF_OK);
    hf_owned(hf_freep) char *command =
        hf_asprintf("cd '%s' && '%s' dgst -sha256 -verify public.pem -signature raw text "
                    ">/dev/null 2>&1",
                    folder, OPENSSL_TOOL);
    assert_int_equal(system(command), 0);
    message[0] = '3';
    assert_int_equal(hf_fs_replace(at_text, message, strlen(message), 0600, NULL), HF_OK);
    assert_int_not_equal(system(command), 0);
}

static void
a_digest_over_its_limit_is_refused(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(500), signature = HF_BUF(4096);
    struct hf_error err;

    (void)state;
    assert_int_equal(hf_digest_make(&digest, signer, &json, &signature, &err), HF_ELIMIT);
    assert_non_null(strstr(err.text, digest.key));
}

static void
a_signature_that_finds_no_room_is_refused(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(100);
    struct hf_error err;

    (void)state;
    assert_int_equal(hf_digest_make(&digest, signer, &json, &signature, &err), HF_ELIMIT);
    assert_non_null(strstr(err.text, "no room for a signature"));
}

/* A ledger may have it from before it was checked. */
static void
a_version_that_could_not_be_read_again_is_not_named(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096);

    (void)state;
    fill(&digest);
    free(digest.objects[0].version_id);
    digest.objects[0].version_id = text("v\xc2\x9b"
                                        "1");
    make(&digest, &json, &signature);
    contains(&json, "\"versionId\":null");
}

/* What nobody could read is not signed. */
static void
a_digest_that_could_not_be_read_is_not_signed(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = first_digest();
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096);
    struct hf_error err;

    (void)state;
    digest.start_s = digest.end_s + 1;
    assert_int_equal(hf_digest_make(&digest, signer, &json, &signature, &err), HF_EINTERNAL);
    assert_int_equal(signature.size, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_first_digest_has_nulls_where_cloudtrail_has_them),
        cmocka_unit_test(lists_and_absurd_times_are_written),
        cmocka_unit_test(what_is_made_can_be_read_and_verified),
        cmocka_unit_test(the_openssl_tool_verifies_the_signature),
        cmocka_unit_test(a_digest_over_its_limit_is_refused),
        cmocka_unit_test(a_signature_that_finds_no_room_is_refused),
        cmocka_unit_test(a_version_that_could_not_be_read_again_is_not_named),
        cmocka_unit_test(a_digest_that_could_not_be_read_is_not_signed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
