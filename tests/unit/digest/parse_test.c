/* Digests of anyone's making: one whole document, changed in one place at a time. */
#include "tests/support/test.h"

#include <holdfast/digest.h>
#include <sys/resource.h>

static const char whole[] =
    "{\"awsAccountId\":\"123456789012\",\"digestStartTime\":\"2026-11-22T15:00:00Z\","
    "\"digestEndTime\":\"2026-11-22T16:00:00Z\",\"digestS3Bucket\":\"b\",\"digestS3Object\":\"k2\","
    "\"digestPublicKeyFingerprint\":\"31e8b5433410dfb61a9dc45cc65b22ff\","
    "\"digestSignatureAlgorithm\":\"SHA256withRSA\","
    "\"newestEventTime\":\"2026-11-22T15:30:00Z\",\"oldestEventTime\":\"2026-11-22T15:01:00Z\","
    "\"previousDigestS3Bucket\":\"b\",\"previousDigestS3Object\":\"k1\","
    "\"previousDigestHashValue\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
    "\"previousDigestHashAlgorithm\":\"SHA-256\",\"previousDigestSignature\":\"50887ccf\","
    "\"logFiles\":[{\"s3Bucket\":\"b\",\"s3Object\":\"o1\","
    "\"hashValue\":\"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\","
    "\"hashAlgorithm\":\"SHA-256\",\"newestEventTime\":\"2026-11-22T15:30:00Z\","
    "\"oldestEventTime\":\"0001-01-01T00:00:00Z\"}],"
    "\"holdfast\":{\"format\":1,\"host\":\"h\",\"journal\":\"j\",\"chain\":\"c\",\"number\":2,"
    "\"boot\":\"x\",\"tag\":\"AbCd\","
    "\"oldHead\":null,\"firstSequence\":11,\"lastSequence\":20,\"objects\":[{\"firstSequence\":11,"
    "\"lastSequence\":20,"
    "\"count\":7,\"storedSha256\":"
    "\"1111111111111111111111111111111111111111111111111111111111111111\","
    "\"plainSha256\":\"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\","
    "\"versionId\":null,"
    "\"retainUntil\":null,\"lockMode\":\"NONE\",\"confirmed\":\"head\",\"encryption\":\"none\","
    "\"repeated\":0}],"
    "\"pending\":[{\"firstSequence\":3,\"lastSequence\":4,\"key\":\"p\"}],"
    "\"losses\":[{\"firstSequence\":5,\"lastSequence\":5,\"reason\":\"r\"}],\"foreign\":[\"f\"]}}";

static enum hf_status
parse(const char *text, struct hf_error *err)
{
    struct hf_digest digest = { 0 };
    enum hf_status status = hf_digest_parse(hf_slice_text(text), &digest, err);

    hf_digest_done(&digest);
    return status;
}

static char *
with(const char *from, const char *to)
{
    const char *at = strstr(whole, from);

    if (!at)
        fail_msg("%s", from);
    return hf_asprintf("%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
}

static void
refused(const char *from, const char *to)
{
    hf_owned(hf_freep) char *text = with(from, to);
    struct hf_error err = { .status = HF_OK };

    if (parse(text, &err) == HF_OK)
        fail_msg("accepted with %s", to);
    assert_non_null(strstr(err.text, "digest"));
}

static void
accepted(const char *from, const char *to)
{
    hf_owned(hf_freep) char *text = with(from, to);
    struct hf_error err = { .status = HF_OK };

    if (parse(text, &err) != HF_OK)
        fail_msg("with %s: %s", to, err.text);
}

static void
each_member_is_checked_for_its_form(void **state)
{
    static const char *const changes[][2] = {
        { "\"awsAccountId\":\"123456789012\"", "\"awsAccountId\":7" },
        { "2026-11-22T15:00:00Z", "2026-11-22 15:00:00" },
        { "2026-11-22T15:00:00Z", "2026-11-22T16:00:01Z" }, /* begins after its end */
        { "2026-11-22T16:00:00Z", "2026-11-31T16:00:00Z" },
        { "\"digestS3Bucket\":\"b\"", "\"digestS3Bucket\":\"\"" },
        { "\"digestS3Object\":\"k2\"", "\"digestS3Object\":\"k\\n2\"" },
        { "\"digestS3Object\":\"k2\"", "\"digestS3Object\":null" },
        { "31e8b5433410dfb61a9dc45cc65b22ff", "../../../etc/passwd" },
        { "31e8b5433410dfb61a9dc45cc65b22ff", "" },
        { "SHA256withRSA", "SHA1withRSA" },
        { "\"SHA256withRSA\"", "7" },
        { "\"previousDigestS3Object\":\"k1\"", "\"previousDigestS3Object\":\"\"" },
        { "\"logFiles\":[{", "\"logFiles\":7,\"x\":[{" },
        { "\"hashValue\":\"f", "\"hashValue\":7,\"x\":\"f" },
        { "\"objects\":[{", "\"objects\":7,\"x\":[{" },
        { "\"pending\":[", "\"pending\":7,\"x\":[" },
        { "\"losses\":[", "\"losses\":7,\"x\":[" },
        { "\"previousDigestS3Bucket\":\"b\",", "" },
        { "\"previousDigestS3Object\":\"k1\"", "\"previousDigestS3Object\":null" },
        { "\"0123456789abcdef", "\"0123456789ABCDEF" },
        { "\"0123456789abcdef", "\"" },
        { "\"previousDigestHashAlgorithm\":\"SHA-256\"",
          "\"previousDigestHashAlgorithm\":\"MD5\"" },
        { "50887ccf", "null" },
        { "50887ccf", "5" },
        { "\"logFiles\":[{", "\"logFiles\":[3,{" },
        { "\"s3Object\":\"o1\"", "\"s3Object\":\"\"" },
        { "fedcba9876543210\",\"hashAlgorithm\"", "fedcba987654321\",\"hashAlgorithm\"" },
        { "\"hashAlgorithm\":\"SHA-256\",\"newest", "\"newest" },
        { "0001-01-01T00:00:00Z", "yesterday" },
        { "\"holdfast\":{", "\"holdfast\":[],\"x\":{" },
        { "\"format\":1", "\"format\":2" },
        { "\"format\":1,", "" },
        { "\"number\":2", "\"number\":0" },
        { "\"number\":2", "\"number\":1" }, /* with a previous one */
        { "\"number\":2", "\"number\":-2" },
        { "\"number\":2", "\"number\":2.5" },
        { "\"tag\":\"AbCd\"", "\"tag\":\"AbC\"" },
        { "\"oldHead\":null", "\"oldHead\":\"k\"" }, /* not in the first digest */
        { "\"firstSequence\":11,\"lastSequence\":20,\"objects\"",
          "\"firstSequence\":22,\"lastSequence\":20,\"objects\"" },
        { "\"firstSequence\":11,\"lastSequence\":20,\"objects\"",
          "\"firstSequence\":0,\"lastSequence\":20,\"objects\"" },
        { "\"objects\":[{", "\"objects\":[{},{" },
        { "\"firstSequence\":11,\"lastSequence\":20,\"count\"",
          "\"firstSequence\":21,\"lastSequence\":20,\"count\"" },
        { "\"count\":7", "\"count\":\"7\"" },
        { "\"storedSha256\":\"1", "\"storedSha256\":\"g" },
        { "\"retainUntil\":null", "\"retainUntil\":\"never\"" },
        { "\"pending\":[{", "\"pending\":[null,{" },
        { "\"key\":\"p\"", "\"key\":null" },
        { "\"firstSequence\":5,", "" },
        { "\"foreign\":[\"f\"]", "\"foreign\":[7]" },
        { ",\"foreign\":[\"f\"]", "" },
        { "{\"awsAccountId\"", "{\"awsAccountId\":\"1\",\"awsAccountId\"" }, /* twice */
        { "{\"awsAccountId\"", "{\"aws\\u0041ccountId\":\"1\",\"awsAccountId\"" },
        { "\"chain\":\"c\"", "\"chain\":\"c\",\"chain\":\"c\"" },
        { "\"oldHead\":null", "\"oldHead\":null,\"previousRetainUntil\":\"soon\"" },
        { "\"host\":\"h\"", "\"host\":\"\\u0000\"" },
        { "\"host\":\"h\"", "\"host\":\"\\u009b\"" }, /* C1 */
        { "\"host\":\"h\"", "\"host\":\"\\u007f\"" },
        { "]}}", "]}}x" },
        { "]}}", "]}" },
    };

    (void)state;
    for (size_t i = 0; i < HF_COUNT(changes); i++)
        refused(changes[i][0], changes[i][1]);
}

static void
what_later_versions_add_is_tolerated(void **state)
{
    (void)state;
    accepted("{\"awsAccountId\"", "{\"more\":[1,{}],\"awsAccountId\"");
    accepted("\"format\":1", "\"format\":1,\"more\":null");
    accepted("\"count\":7", "\"count\":7,\"more\":\"x\"");
    accepted("\"host\":\"h\"", "\"host\":null");
    accepted("\"firstSequence\":5,\"lastSequence\":5",
             "\"firstSequence\":null,\"lastSequence\":null");
    accepted("\"2026-11-22T15:30:00Z\",\"oldestEventTime\":\"0001-01-01T00:00:00Z\"",
             "null,\"oldestEventTime\":null");
}

static void
a_digest_of_aws_has_number_0(void **state)
{
    hf_owned(hf_digest_done) struct hf_digest digest = { 0 };
    const char *at = strstr(whole, ",\"holdfast\"");
    hf_owned(hf_freep) char *text = hf_asprintf("%.*s}", (int)(at - whole), whole);

    (void)state;
    assert_int_equal(hf_digest_parse(hf_slice_text(text), &digest, NULL), HF_OK);
    assert_int_equal(digest.number, 0);
    assert_null(digest.chain);
    assert_int_equal(digest.object_count, 1);
    assert_string_equal(digest.objects[0].key, "o1");
    assert_string_equal(digest.fingerprint, "31e8b5433410dfb61a9dc45cc65b22ff");
}

static void
an_unknown_format_says_so(void **state)
{
    hf_owned(hf_freep) char *text = with("\"format\":1", "\"format\":9");
    struct hf_error err;

    (void)state;
    assert_int_equal(parse(text, &err), HF_EVERSION);
}

static void
size_and_number_of_values_are_bounded(void **state)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_DIGEST_MAX + 64);
    struct hf_digest digest;
    struct hf_error err;

    (void)state;
    assert_int_equal(hf_buf_reserve(&text, HF_DIGEST_MAX + 1), HF_OK);
    memset(text.ptr, ' ', HF_DIGEST_MAX + 1);
    text.size = HF_DIGEST_MAX + 1;
    assert_int_equal(hf_digest_parse(hf_buf_slice(&text), &digest, &err), HF_ELIMIT);
    text.size = HF_DIGEST_MAX;
    assert_int_equal(hf_digest_parse(hf_buf_slice(&text), &digest, &err), HF_EFORMAT);
    for (size_t i = 0; i < text.size; i++)
        text.ptr[i] = i % 2 ? ',' : '1';
    text.ptr[0] = '[';
    assert_int_equal(hf_digest_parse(hf_buf_slice(&text), &digest, &err), HF_ELIMIT);
    assert_int_equal(hf_digest_parse((struct hf_slice){ NULL, 0 }, &digest, &err), HF_EFORMAT);
}

static size_t
most_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss;
}

/* 16 MiB that are `unit` again and again, between the two others. */
static void
fill(struct hf_buf *text, const char *begin, const char *unit, const char *end)
{
    size_t size = strlen(unit), most = HF_DIGEST_MAX - strlen(begin) - strlen(end) - size;

    hf_buf_reset(text);
    assert_int_equal(hf_buf_add_text(text, begin), HF_OK);
    while (text->size < most)
        assert_int_equal(hf_buf_add(text, unit, size), HF_OK);
    assert_int_equal(hf_buf_add_text(text, end), HF_OK);
}

/* Anybody can put it there, in 40 KB of gzip. */
static void
what_nobody_signed_costs_no_memory(void **state)
{
    static const char *const texts[][3] = {
        { "{\"a\":", "[", "" },
        { "{\"a\":[", "{\"a\":{\"b\":[]}},", "0]}" },
        { "{\"a\":[", "{\"abcdefghijklmnopq\":{\"b\":[]}},", "0]}" },
        { "{\"logFiles\":[", "[[[[[[[[[[]]]]]]]]]],", "0]}" },
        { "{\"", "\\u0061", "\":0}" },
    };
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_DIGEST_MAX);
    struct hf_digest_outline outline;
    struct hf_digest digest;

    (void)state;
    fill(&text, "", " ", "{}");
    size_t before_kib = most_kib();
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        fill(&text, texts[i][0], texts[i][1], texts[i][2]);
        assert_int_not_equal(hf_digest_outline(hf_buf_slice(&text), &outline, NULL), HF_OK);
        assert_int_not_equal(hf_digest_parse(hf_buf_slice(&text), &digest, NULL), HF_OK);
    }
    if (most_kib() - before_kib > 4096)
        fail_msg("%zu KiB", most_kib() - before_kib);
}

static void
every_cut_of_a_digest_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        struct hf_digest digest;
        assert_int_not_equal(hf_digest_parse(hf_slice(whole, size), &digest, NULL), HF_OK);
    }
    assert_int_equal(parse(whole, NULL), HF_OK);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_checked_for_its_form),
        cmocka_unit_test(what_later_versions_add_is_tolerated),
        cmocka_unit_test(a_digest_of_aws_has_number_0),
        cmocka_unit_test(an_unknown_format_says_so),
        cmocka_unit_test(size_and_number_of_values_are_bounded),
        cmocka_unit_test(what_nobody_signed_costs_no_memory),
        cmocka_unit_test(every_cut_of_a_digest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
