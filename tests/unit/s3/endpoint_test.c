#include "agent/s3/s3_impl.h"
#include "tests/support/test.h"

static void
only_a_bare_endpoint_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int addressing;
        const char *host; /* NULL: refused */
    } table[] = {
        { "https://s3.example", HF_ADDRESSING_PATH, "s3.example" },
        { "https://s3.example/", HF_ADDRESSING_VIRTUAL, "s3.example" },
        { "https://s3.example:443", HF_ADDRESSING_PATH, "s3.example" },
        { "https://s3.example:9000", HF_ADDRESSING_PATH, "s3.example:9000" },
        { "http://127.0.0.1:7480", HF_ADDRESSING_PATH, "127.0.0.1:7480" },
        { "http://[::1]:80", HF_ADDRESSING_PATH, "[::1]" },
        { "http://s3.example:443", HF_ADDRESSING_PATH, "s3.example:443" },
        { "http://127.0.0.1:7480", HF_ADDRESSING_VIRTUAL, NULL },
        { "http://[::1]", HF_ADDRESSING_VIRTUAL, NULL },
        { "https://s3.example/path", HF_ADDRESSING_PATH, NULL },
        { "https://s3.example/?q", HF_ADDRESSING_PATH, NULL },
        { "https://user:password@s3.example", HF_ADDRESSING_PATH, NULL },
        { "https://s3.example/#f", HF_ADDRESSING_PATH, NULL },
        { "ftp://s3.example", HF_ADDRESSING_PATH, NULL },
        { "file:///etc/passwd", HF_ADDRESSING_PATH, NULL },
        { "s3.example", HF_ADDRESSING_PATH, NULL },
        { "https://", HF_ADDRESSING_PATH, NULL },
        { "https://s3 example", HF_ADDRESSING_PATH, NULL },
        { "http://169.254.169.254", HF_ADDRESSING_PATH, NULL },
        { "http://0xA9FEA9FE", HF_ADDRESSING_PATH, NULL },
        { "http://2852039166/", HF_ADDRESSING_PATH, NULL },
        { "http://169.254.170.2", HF_ADDRESSING_PATH, NULL }, /* a container's credentials */
        { "http://169.255.0.1", HF_ADDRESSING_PATH, "169.255.0.1" },
        { "http://[::ffff:169.254.169.254]", HF_ADDRESSING_PATH, NULL },
        { "http://[::ffff:169.254.170.2]", HF_ADDRESSING_PATH, NULL },
        { "http://[fe80::a9fe:a9fe]", HF_ADDRESSING_PATH, NULL },
        { "http://[febf::1]", HF_ADDRESSING_PATH, NULL },
        { "http://[fd00:ec2::254]", HF_ADDRESSING_PATH, NULL },
    };

    for (size_t i = 0; i < HF_COUNT(table); i++) {
        struct hf_s3_endpoint endpoint = { .url = NULL };
        struct hf_error err = { .text = "" };
        enum hf_status status =
            hf_s3_endpoint_init(&endpoint, table[i].url, table[i].addressing, &err);

        if (status != (table[i].host ? HF_OK : HF_ECONFIG))
            fail_msg("%s: %s %s", table[i].url, hf_status_name(status), err.text);
        if (table[i].host)
            assert_string_equal(endpoint.host, table[i].host);
        assert_null(strstr(err.text, "password"));
        hf_s3_endpoint_done(&endpoint);
    }
}

static void
check_target(int addressing, const char *bucket, const char *key, const char *host,
             const char *path)
{
    struct hf_s3_endpoint endpoint = { .url = NULL };
    struct hf_buf made_host = HF_BUF(4096), made_path = HF_BUF(4096);

    assert_int_equal(hf_s3_endpoint_init(&endpoint, "https://s3.example:9000", addressing, NULL),
                     HF_OK);
    assert_int_equal(hf_s3_endpoint_target(&endpoint, bucket, key, &made_host, &made_path), HF_OK);
    assert_string_equal(hf_buf_text(&made_host), host);
    assert_string_equal(hf_buf_text(&made_path), path);
    hf_buf_done(&made_host);
    hf_buf_done(&made_path);
    hf_s3_endpoint_done(&endpoint);
}

static void
a_bucket_stands_in_the_path_or_in_the_host(void **state)
{
    (void)state;
    check_target(HF_ADDRESSING_PATH, NULL, NULL, "s3.example:9000", "/");
    check_target(HF_ADDRESSING_PATH, "b", NULL, "s3.example:9000", "/b");
    check_target(HF_ADDRESSING_PATH, "b", "a//../c d", "s3.example:9000", "/b/a//../c%20d");
    check_target(HF_ADDRESSING_PATH, "b", "/x", "s3.example:9000", "/b//x");
    check_target(HF_ADDRESSING_VIRTUAL, "b", NULL, "b.s3.example:9000", "/");
    check_target(HF_ADDRESSING_VIRTUAL, "b", "a/c", "b.s3.example:9000", "/a/c");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_bare_endpoint_is_taken),
        cmocka_unit_test(a_bucket_stands_in_the_path_or_in_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
