/* AWS's published examples: those of the S3 documentation (sig-v4-header-based-auth.html), and the
 * general test suite (service "service", us-east-1, 20150830T123600Z). */
#include "agent/s3/sigv4.h"
#include "tests/support/test.h"

#define EMPTY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UTF8_PATH "/%E1%88%B4"

struct example {
    const char *name, *method, *path, *payload, *date;
    struct hf_s3_pair query[6];
    struct hf_s3_pair headers[8];
    const char *signed_headers, *signature;
};

static const struct hf_sigv4_scope s3_scope = { "us-east-1", "s3", "AKIAIOSFODNN7EXAMPLE",
                                                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
static const struct hf_sigv4_scope suite_scope = { "us-east-1", "service", "AKIDEXAMPLE",
                                                   "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

#define S3_HOST                                                                                    \
    {                                                                                              \
        "Host", "examplebucket.s3.amazonaws.com"                                                   \
    }
#define S3_DATE                                                                                    \
    {                                                                                              \
        "x-amz-date", "20130524T000000Z"                                                           \
    }
#define S3_EMPTY                                                                                   \
    {                                                                                              \
        "x-amz-content-sha256", EMPTY                                                              \
    }

static const struct example s3_examples[] = {
    { "get object with range",
      "GET",
      "/test.txt",
      EMPTY,
      "20130524T000000Z",
      { { NULL } },
      { S3_HOST, S3_DATE, { "Range", "bytes=0-9" }, S3_EMPTY },
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { "put object",
      "PUT",
      "/test%24file.text",
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "20130524T000000Z",
      { { NULL } },
      { S3_HOST,
        S3_DATE,
        { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
        { "x-amz-content-sha256",
          "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" } },
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { "get lifecycle",
      "GET",
      "/",
      EMPTY,
      "20130524T000000Z",
      { { "lifecycle", NULL } },
      { S3_HOST, S3_DATE, S3_EMPTY },
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { "list objects",
      "GET",
      "/",
      EMPTY,
      "20130524T000000Z",
      { { "prefix", "J" }, { "max-keys", "2" } },
      { S3_HOST, S3_DATE, S3_EMPTY },
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

#define HOST                                                                                       \
    {                                                                                              \
        "Host", "example.amazonaws.com"                                                            \
    }
#define DATE                                                                                       \
    {                                                                                              \
        "X-Amz-Date", "20150830T123600Z"                                                           \
    }

static const struct example suite_examples[] = {
    { "get-vanilla",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST, DATE },
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "post-vanilla",
      "POST",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST, DATE },
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "get-vanilla-empty-query-key",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { "Param1", "value1" } },
      { HOST, DATE },
      "host;x-amz-date",
      "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
    { "get-vanilla-query-order-key-case",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { "Param2", "value2" }, { "Param1", "value1" } },
      { HOST, DATE },
      "host;x-amz-date",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-unreserved",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
          "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" } },
      { HOST, DATE },
      "host;x-amz-date",
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-vanilla-utf8-query",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { "\xe1\x88\xb4", "bar" } },
      { HOST, DATE },
      "host;x-amz-date",
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
    { "get-utf8",
      "GET",
      UTF8_PATH,
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST, DATE },
      "host;x-amz-date",
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "get-header-key-duplicate",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST,
        { "My-Header1", "value2" },
        { "My-Header1", "value2" },
        { "My-Header1", "value1" },
        DATE },
      "host;my-header1;x-amz-date",
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-order",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST,
        { "My-Header1", "value4" },
        { "My-Header1", "value1" },
        { "My-Header1", "value3" },
        { "My-Header1", "value2" },
        DATE },
      "host;my-header1;x-amz-date",
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "get-header-value-trim",
      "GET",
      "/",
      EMPTY,
      "20150830T123600Z",
      { { NULL } },
      { HOST, { "My-Header1", " value1" }, { "My-Header2", " \"a   b   c\"" }, DATE },
      "host;my-header1;my-header2;x-amz-date",
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
};

static size_t
count_pairs(const struct hf_s3_pair *pairs, size_t most)
{
    size_t count = 0;

    while (count < most && pairs[count].name)
        count++;
    return count;
}

static void
check_example(const struct hf_sigv4_scope *scope, const struct example *example)
{
    struct hf_sigv4_key key = { .valid = false };
    struct hf_buf value = HF_BUF(8192);
    struct hf_sigv4_input input = {
        .method = example->method,
        .path = example->path,
        .query = example->query,
        .query_count = count_pairs(example->query, HF_COUNT(example->query)),
        .headers = example->headers,
        .header_count = count_pairs(example->headers, HF_COUNT(example->headers)),
        .payload_sha256 = example->payload,
    };
    char *expected = hf_asprintf(
        "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request,SignedHeaders=%s,Signature=%s",
        scope->access_key, example->date, scope->region, scope->service, example->signed_headers,
        example->signature);

    assert_true(hf_time_parse_compact(example->date, &input.time_s));
    assert_int_equal(hf_sigv4_authorization(scope, &key, &input, &value), HF_OK);
    if (strcmp(hf_buf_text(&value), expected) != 0)
        print_error("%s\n", example->name);
    assert_string_equal(hf_buf_text(&value), expected);
    hf_buf_done(&value);
    free(expected);
}

static void
the_s3_documentation_is_reproduced(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(s3_examples); i++)
        check_example(&s3_scope, &s3_examples[i]);
}

static void
the_general_suite_is_reproduced(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(suite_examples); i++)
        check_example(&suite_scope, &suite_examples[i]);
}

static void
check_query(const struct hf_s3_pair *query, size_t count, const char *expected)
{
    struct hf_buf text = HF_BUF(4096);

    assert_int_equal(hf_sigv4_query(query, count, &text), HF_OK);
    assert_string_equal(hf_buf_text(&text), expected);
    hf_buf_done(&text);
}

static void
a_query_is_encoded_and_sorted_by_name_then_value(void **state)
{
    (void)state;
    struct hf_s3_pair mixed[] = { { "versionId", "a+b/c=" },
                                  { "retention", NULL },
                                  { "a", "2" },
                                  { "a", "10" },
                                  { "a-b", "1" } };
    struct hf_s3_pair prefixes[] = { { "ab", "1" }, { "a", "z" }, { "a.", "1" } };

    check_query(mixed, HF_COUNT(mixed), "a=10&a=2&a-b=1&retention=&versionId=a%2Bb%2Fc%3D");
    check_query(prefixes, HF_COUNT(prefixes), "a=z&a.=1&ab=1");
    check_query(NULL, 0, "");
}

static void
a_path_keeps_its_slashes_and_nothing_else(void **state)
{
    (void)state;
    struct hf_buf text = HF_BUF(4096);

    assert_int_equal(hf_sigv4_encode("a//b/../c +=&:@$,'()!*~%41\xc3\xa9\x7f", true, &text), HF_OK);
    assert_string_equal(hf_buf_text(&text),
                        "a//b/../c%20%2B%3D%26%3A%40%24%2C%27%28%29%21%2A~%2541%C3%A9%7F");
    hf_buf_reset(&text);
    assert_int_equal(hf_sigv4_encode("a/b", false, &text), HF_OK);
    assert_string_equal(hf_buf_text(&text), "a%2Fb");
    hf_buf_done(&text);
}

/* Sorted as whole lines, ':' (0x3a) would come after '-' (0x2d): the customer key's headers would
 * change places. */
static void
header_names_are_sorted_as_names(void **state)
{
    (void)state;
    struct hf_s3_pair headers[] = {
        { "x-amz-server-side-encryption-customer-key-MD5", "m" },
        { "x-amz-server-side-encryption-customer-key", "k" },
        { "x-amz-meta-a-b", "2" },
        { "x-amz-meta-a", " 1\t " },
        { "Host", "h" },
    };
    struct hf_sigv4_input input = { .method = "PUT",
                                    .path = "/",
                                    .headers = headers,
                                    .header_count = HF_COUNT(headers),
                                    .payload_sha256 = "x" };
    struct hf_buf canonical = HF_BUF(8192), names = HF_BUF(8192);

    assert_int_equal(hf_sigv4_canonical(&input, &canonical, &names), HF_OK);
    assert_string_equal(
        hf_buf_text(&canonical),
        "PUT\n/"
        "\n\nhost:h\nx-amz-meta-a:1\nx-amz-meta-a-b:2\nx-amz-server-side-encryption-customer-key:"
        "k\n"
        "x-amz-server-side-encryption-customer-key-md5:m\n\n"
        "host;x-amz-meta-a;x-amz-meta-a-b;x-amz-server-side-encryption-customer-key;"
        "x-amz-server-side-encryption-customer-key-md5\nx");
    hf_buf_done(&canonical);
    hf_buf_done(&names);
}

static void
the_cached_key_changes_with_the_day(void **state)
{
    (void)state;
    struct hf_sigv4_key cached = { .valid = false }, fresh = { .valid = false };
    struct hf_s3_pair headers[] = { { "Host", "h" } };
    struct hf_sigv4_input input = {
        .method = "GET", .path = "/", .headers = headers, .header_count = 1, .payload_sha256 = EMPTY
    };
    struct hf_buf first = HF_BUF(4096), second = HF_BUF(4096), alone = HF_BUF(4096);

    input.time_s = 1440938160;
    assert_int_equal(hf_sigv4_authorization(&suite_scope, &cached, &input, &first), HF_OK);
    input.time_s += 86400;
    assert_int_equal(hf_sigv4_authorization(&suite_scope, &cached, &input, &second), HF_OK);
    assert_int_equal(hf_sigv4_authorization(&suite_scope, &fresh, &input, &alone), HF_OK);
    assert_string_not_equal(hf_buf_text(&first), hf_buf_text(&second));
    assert_string_equal(hf_buf_text(&second), hf_buf_text(&alone));
    hf_sigv4_key_forget(&cached);
    assert_false(cached.valid);
    hf_buf_done(&first);
    hf_buf_done(&second);
    hf_buf_done(&alone);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_s3_documentation_is_reproduced),
        cmocka_unit_test(the_general_suite_is_reproduced),
        cmocka_unit_test(a_query_is_encoded_and_sorted_by_name_then_value),
        cmocka_unit_test(a_path_keeps_its_slashes_and_nothing_else),
        cmocka_unit_test(header_names_are_sorted_as_names),
        cmocka_unit_test(the_cached_key_changes_with_the_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
