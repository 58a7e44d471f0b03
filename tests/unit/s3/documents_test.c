#include "agent/s3/xml.h"
#include "tests/support/test.h"

#define NS          " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* ---- errors ---- */

static void
an_error_is_read_with_or_without_message(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *code, *message, *region;
    } table[] = {
        { DECLARATION
          "<Error><Code>NoSuchKey</Code><Message>gone</Message><RequestId>1</RequestId></Error>",
          "NoSuchKey", "gone", "" },
        { "<Error><Code>AccessDenied</Code><RequestId>1</RequestId></Error>", "AccessDenied", "",
          "" },
        { "<Error><Code>A</Code><Message/></Error>", "A", "", "" },
        { "<Error" NS "><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>",
          "PermanentRedirect", "", "eu-west-1" },
        { "<Error><Code>A</Code><Message>a &lt;b&gt; &amp;\n<![CDATA[c]]> &#233;</Message></Error>",
          "A", "a <b> & c \xc3\xa9", "" },
    };

    for (size_t i = 0; i < HF_COUNT(table); i++) {
        struct hf_xml_error error;

        assert_int_equal(hf_xml_parse_error(hf_slice_text(table[i].xml), &error), HF_OK);
        assert_string_equal(error.code, table[i].code);
        assert_string_equal(error.message, table[i].message);
        assert_string_equal(error.region, table[i].region);
    }
}

static void
what_is_no_error_document_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        " ",
        "<html><body>login</body></html>",
        "<!DOCTYPE html><html></html>",
        "{\"code\": 1}",
        "<Error><Message>m</Message></Error>",
        "<Error><Code>A</Code>",
        "<Error><Code>&undefined;</Code></Error>",
        "<Errors><Error><Code>A</Code></Error></Errors>",
        "<!DOCTYPE Error [<!ENTITY e \"x\">]><Error><Code>&e;</Code></Error>",
        "<!DOCTYPE Error SYSTEM \"file:///etc/passwd\"><Error><Code>A</Code></Error>",
        "<Error><Code>A</Code></Error><Error/>",
        ("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></"
         "a></a></a></a></a></a></a></a></a></a>"),
    };

    for (size_t i = 0; i < HF_COUNT(table); i++) {
        struct hf_xml_error error;

        if (hf_xml_parse_error(hf_slice_text(table[i]), &error) != HF_EFORMAT)
            fail_msg("taken: %s", table[i]);
    }
}

static void
a_document_over_the_limit_is_refused_unread(void **state)
{
    (void)state;
    size_t size = HF_XML_MAX + 1;
    char *text = hf_alloc(size + 1);
    struct hf_xml_error xml_error;

    memset(text, 'x', size);
    memcpy(text, "<Error><Code>A</Code><!--", 25);
    memcpy(text + size - 11, "--></Error>", 11);
    assert_int_equal(hf_xml_parse_error(hf_slice(text, size), &xml_error), HF_EFORMAT);
    memmove(text + 30, text + 31, size - 30);
    assert_int_equal(hf_xml_parse_error(hf_slice(text, size - 1), &xml_error), HF_OK);
    free(text);
}

static void
texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[5];

    hf_xml_copy_text(text, sizeof(text), "abc\xc3\xa9");
    assert_string_equal(text, "abc");
    hf_xml_copy_text(text, sizeof(text), "a\nb\x7f");
    assert_string_equal(text, "a b ");
}

/* ---- retention and lock ---- */

static void
a_retention_is_read_and_written(void **state)
{
    (void)state;
    struct hf_buf xml = HF_BUF(1024);
    int mode = 99;
    int64_t until_s = 1;

    assert_int_equal(hf_s3_retention_document(HF_LOCK_GOVERNANCE, 1795359600, &xml), HF_OK);
    assert_int_equal(hf_s3_parse_retention(hf_buf_slice(&xml), &mode, &until_s, NULL), HF_OK);
    assert_int_equal(mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(until_s, 1795359600);
    hf_buf_reset(&xml);
    assert_int_equal(hf_s3_retention_document(HF_LOCK_NONE, 0, &xml), HF_OK);
    assert_int_equal(hf_s3_parse_retention(hf_buf_slice(&xml), &mode, &until_s, NULL), HF_OK);
    assert_int_equal(mode, HF_LOCK_NONE);
    assert_int_equal(until_s, 0);
    hf_buf_done(&xml);
}

/* Ceph writes nine digits. */
static void
fractions_of_a_second_are_taken(void **state)
{
    (void)state;
    int mode;
    int64_t until_s;

    assert_int_equal(
        hf_s3_parse_retention(
            hf_slice_text(
                "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-11-22T15:07:27.000000000Z"
                "</RetainUntilDate></Retention>"),
            &mode, &until_s, NULL),
        HF_OK);
    assert_int_equal(mode, HF_LOCK_COMPLIANCE);
    assert_int_equal(until_s, 1795360047);
}

static void
a_retention_that_cannot_be_relied_on_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "<Retention><Mode>governance</Mode></Retention>",
        "<Retention><Mode>FOREVER</Mode></Retention>",
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>tomorrow</RetainUntilDate></Retention>",
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>9999-12-31T23:59:59-23:59"
        "</RetainUntilDate></Retention>",
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>1969-12-31T23:59:59Z"
        "</RetainUntilDate></Retention>",
        "<LegalHold><Status>ON</Status></LegalHold>",
    };
    int mode = 99;
    int64_t until_s = 77;

    for (size_t i = 0; i < HF_COUNT(table); i++)
        assert_int_equal(hf_s3_parse_retention(hf_slice_text(table[i]), &mode, &until_s, NULL),
                         HF_EFORMAT);
    assert_int_equal(mode, 99);
    assert_int_equal(until_s, 77);
}

static void
a_lock_configuration_is_read(void **state)
{
    (void)state;
    struct hf_s3_lock_config config;

    assert_int_equal(
        hf_s3_parse_lock_config(
            hf_slice_text(
                "<ObjectLockConfiguration" NS
                "><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                "<DefaultRetention><Mode>GOVERNANCE</Mode><Days>7</Days></DefaultRetention></Rule>"
                "</ObjectLockConfiguration>"),
            &config, NULL),
        HF_OK);
    assert_true(config.enabled);
    assert_int_equal(config.default_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(config.days, 7);
    assert_int_equal(config.years, 0);
    assert_int_equal(
        hf_s3_parse_lock_config(hf_slice_text("<ObjectLockConfiguration/>"), &config, NULL), HF_OK);
    assert_false(config.enabled);
    assert_int_equal(
        hf_s3_parse_lock_config(
            hf_slice_text("<ObjectLockConfiguration><Rule><DefaultRetention><Days>x</Days>"
                          "</DefaultRetention></Rule></ObjectLockConfiguration>"),
            &config, NULL),
        HF_EFORMAT);
}

/* ---- listings ---- */

static void
keys_are_decoded_when_the_listing_says_so(void **state)
{
    (void)state;
    struct hf_s3_list_page page;

    assert_int_equal(
        hf_s3_parse_list(
            hf_slice_text(DECLARATION
                          "<ListBucketResult" NS
                          "><IsTruncated>true</IsTruncated><Contents><Key>a+b%2Bc%2f%C3%A9</Key>"
                          "<Owner><ID>Key</ID></Owner></Contents><Contents><Key>d</Key></Contents>"
                          "<NextContinuationToken>t+%2B=</NextContinuationToken><EncodingType>url</"
                          "EncodingType></ListBucketResult>"),
            &page, NULL),
        HF_OK);
    assert_int_equal(page.keys.count, 2);
    assert_string_equal(page.keys.items[0], "a b+c/\xc3\xa9");
    assert_string_equal(page.keys.items[1], "d");
    assert_string_equal(page.next_token, "t+%2B=");
    hf_s3_list_page_done(&page);

    assert_int_equal(
        hf_s3_parse_list(
            hf_slice_text("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+%41</"
                          "Key></Contents>"
                          "<NextContinuationToken>x</NextContinuationToken></ListBucketResult>"),
            &page, NULL),
        HF_OK);
    assert_string_equal(page.keys.items[0], "a+%41");
    assert_null(page.next_token);
    hf_s3_list_page_done(&page);
}

static void
a_listing_that_cannot_be_followed_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%4</Key></Contents></"
        "ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%00</Key></Contents></"
        "ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></"
        "ListBucketResult>",
        "<ListAllMyBucketsResult/>",
    };
    struct hf_s3_list_page page;

    for (size_t i = 0; i < HF_COUNT(table); i++)
        assert_int_equal(hf_s3_parse_list(hf_slice_text(table[i]), &page, NULL), HF_EFORMAT);
}

static void
versions_and_delete_markers_keep_their_order(void **state)
{
    (void)state;
    struct hf_s3_versions_page page;

    assert_int_equal(
        hf_s3_parse_versions(
            hf_slice_text(
                "<ListVersionsResult" NS
                "><IsTruncated>true</IsTruncated><NextKeyMarker>k%2F</NextKeyMarker>"
                "<NextVersionIdMarker>v2</NextVersionIdMarker><EncodingType>url</EncodingType>"
                "<DeleteMarker><Key>k%2F1</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest></"
                "DeleteMarker>"
                "<Version><Key>k%2F1</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest>"
                "<ETag>&quot;abc&quot;</ETag><Size>42</Size></Version></ListVersionsResult>"),
            &page, NULL),
        HF_OK);
    assert_int_equal(page.count, 2);
    assert_true(page.items[0].is_delete_marker);
    assert_true(page.items[0].is_latest);
    assert_string_equal(page.items[0].version_id, "v3");
    assert_false(page.items[1].is_delete_marker);
    assert_string_equal(page.items[1].key, "k/1");
    assert_string_equal(page.items[1].etag, "abc");
    assert_int_equal(page.items[1].size, 42);
    assert_string_equal(page.next_key, "k/");
    assert_string_equal(page.next_version_id, "v2");
    hf_s3_versions_page_done(&page);
}

static void
a_version_without_key_or_with_a_wrong_size_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "<ListVersionsResult><Version><VersionId>v</VersionId></Version></ListVersionsResult>",
        "<ListVersionsResult><Version><Key>k</Key><Size>-1</Size></Version></ListVersionsResult>",
        "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>",
        "<ListBucketResult/>",
    };
    struct hf_s3_versions_page page;

    for (size_t i = 0; i < HF_COUNT(table); i++)
        assert_int_equal(hf_s3_parse_versions(hf_slice_text(table[i]), &page, NULL), HF_EFORMAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_read_with_or_without_message),
        cmocka_unit_test(what_is_no_error_document_is_refused),
        cmocka_unit_test(a_document_over_the_limit_is_refused_unread),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(a_retention_is_read_and_written),
        cmocka_unit_test(fractions_of_a_second_are_taken),
        cmocka_unit_test(a_retention_that_cannot_be_relied_on_is_refused),
        cmocka_unit_test(a_lock_configuration_is_read),
        cmocka_unit_test(keys_are_decoded_when_the_listing_says_so),
        cmocka_unit_test(a_listing_that_cannot_be_followed_is_refused),
        cmocka_unit_test(versions_and_delete_markers_keep_their_order),
        cmocka_unit_test(a_version_without_key_or_with_a_wrong_size_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
