#include "tests/support/test.h"

#include "agent/bucket/bucket_impl.h"

#include <holdfast/json.h>

#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static void
becomes(const char *json, const char *root, const char *expected)
{
    struct hf_buf xml = HF_BUF(1 << 16);
    struct hf_error err = { 0 };
    json_t *doc = json_loads(json, 0, NULL);
    assert_non_null(doc);
    if (xml_from_doc(doc, root, &xml, &err) != HF_OK)
        fail_msg("%s", err.text);
    assert_string_equal(hf_buf_text(&xml), expected);
    hf_buf_done(&xml);
    json_decref(doc);
}

static void
is_refused(const char *json, const char *expected)
{
    struct hf_buf xml = HF_BUF(512);
    struct hf_error err = { 0 };
    json_t *doc = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(doc);
    assert_int_equal(xml_from_doc(doc, "LifecycleConfiguration", &xml, &err), HF_ECONFIG);
    if (!strstr(err.text, expected))
        fail_msg("'%s' does not say '%s'", err.text, expected);
    hf_buf_done(&xml);
    json_decref(doc);
}

static void
lock_document_has_one_rule(void **state)
{
    (void)state;
    becomes("{\"ObjectLockEnabled\":\"Enabled\",\"Rule\":{\"DefaultRetention\":{\"Mode\":"
            "\"GOVERNANCE\",\"Days\":1}}}",
            "ObjectLockConfiguration",
            "<ObjectLockConfiguration" NS "><ObjectLockEnabled>Enabled</"
            "ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>"
            "<Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>");
}

#define AES256                                                                                     \
    "<ServerSideEncryptionConfiguration" NS "><Rule><ApplyServerSideEncryptionByDefault>"          \
    "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"              \
    "</ServerSideEncryptionConfiguration>"

static void
encryption_has_a_list_of_rules(void **state)
{
    static const char json[] = "{\"Rules\":[{\"ApplyServerSideEncryptionByDefault\":{"
                               "\"SSEAlgorithm\":\"AES256\"}}]}";
    struct hf_error err = { 0 };
    json_t *doc = NULL, *wanted = json_loads(json, 0, NULL);
    (void)state;
    becomes(json, "ServerSideEncryptionConfiguration", AES256);
    assert_int_equal(
        xml_to_doc(hf_slice_text(AES256), "ServerSideEncryptionConfiguration", &doc, &err), HF_OK);
    assert_true(json_equal(doc, wanted));
    json_decref(doc);
    json_decref(wanted);
}

static void
another_document_is_none(void **state)
{
    static const char listing[] = "<ListBucketResult" NS "><Name>b</Name></ListBucketResult>";
    struct hf_error err;
    json_t *doc = json_true();
    (void)state;
    assert_int_equal(
        xml_to_doc(hf_slice_text(listing), "ServerSideEncryptionConfiguration", &doc, &err), HF_OK);
    assert_null(doc);
    assert_int_equal(
        xml_to_doc(hf_slice_text("<?xml version='1.0'?>\n<s3:A xmlns:s3='x'/>"), "A", &doc, &err),
        HF_OK);
    assert_true(json_is_object(doc));
    json_decref(doc);
}

static void
lists_become_repeated_elements(void **state)
{
    (void)state;
    becomes("{\"Rules\":[{\"ID\":\"a\",\"Filter\":{\"And\":{\"Prefix\":\"p\",\"Tags\":[{\"Key\":"
            "\"k\",\"Value\":\"v\"}]}},\"Transitions\":[{\"Days\":3},{\"Days\":4}]},"
            "{\"ID\":\"b\",\"Expiration\":{\"ExpiredObjectDeleteMarker\":true}}]}",
            "LifecycleConfiguration",
            "<LifecycleConfiguration" NS
            "><Rule><ID>a</ID><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></"
            "Tag></And></Filter>"
            "<Transition><Days>3</Days></Transition><Transition><Days>4</Days></Transition></"
            "Rule><Rule><ID>b</ID><Expiration>"
            "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule></"
            "LifecycleConfiguration>");
    becomes("{\"TagSet\":[{\"Key\":\"a\",\"Value\":\"b\"}]}", "Tagging",
            "<Tagging" NS "><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>");
}

static void
text_is_escaped(void **state)
{
    (void)state;
    becomes("{\"Rules\":[{\"ID\":\"<a>&'\\\"\"}]}", "LifecycleConfiguration",
            "<LifecycleConfiguration" NS
            "><Rule><ID>&lt;a&gt;&amp;'\"</ID></Rule></LifecycleConfiguration>");
}

static void
what_s3_does_not_know_is_named(void **state)
{
    char deep[1024] = "{\"Rules\":[", *at = deep + strlen(deep);
    (void)state;
    is_refused("[]", "no JSON object");
    is_refused("{\"Regeln\":[]}", "'Regeln'");
    is_refused("{\"Rules\":[{\"Tags\":[]}]}", "'Tags' in 'Rule'");
    is_refused("{\"a><b\":1}", "'a><b'");
    is_refused("{\"ID\":1.5}", "'ID'");
    is_refused("{\"ID\":null}", "'ID'");
    is_refused("{\"ID\":\"\\u0001\"}", "'ID'");
    is_refused("{\"ID\":"
               "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
               "larger");
    for (int i = 0; i < 40; i++)
        at += sprintf(at, "{\"a\":");
    at += sprintf(at, "1");
    for (int i = 0; i < 40; i++)
        at += sprintf(at, "}");
    sprintf(at, "]}");
    is_refused(deep, "nested");
}

/* ---- reading ---- */

static void
reads(const char *xml, const char *root, const char *expected)
{
    struct hf_error err = { 0 };
    json_t *doc = NULL, *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    if (xml_to_doc(hf_slice_text(xml), root, &doc, &err) != HF_OK)
        fail_msg("%s: %s", xml, err.text);
    if (!json_equal(doc, wanted))
        fail_msg("%s became %s", xml, json_dumps(doc, JSON_COMPACT));
    json_decref(doc);
    json_decref(wanted);
}

static void
what_a_store_sends_becomes_json(void **state)
{
    (void)state;
    reads("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration" NS
          "><Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
          "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></"
          "NoncurrentVersionExpiration></Rule></LifecycleConfiguration>\n",
          "LifecycleConfiguration",
          "{\"Rules\":[{\"ID\":\"a\",\"Filter\":{\"Prefix\":\"\"},\"Status\":\"Enabled\","
          "\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":\"2\"}}]}");
    reads("<ObjectLockConfiguration><Rule>\n  "
          "<DefaultRetention><Days>1</Days></DefaultRetention>\n</Rule></ObjectLockConfiguration>",
          "ObjectLockConfiguration", "{\"Rule\":{\"DefaultRetention\":{\"Days\":\"1\"}}}");
    reads("<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag><Tag><Key>b</Key><Value>&lt;&amp;&gt;</"
          "Value></Tag></TagSet></Tagging>",
          "Tagging",
          "{\"TagSet\":[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"b\",\"Value\":\"<&>\"}]}");
    reads("<s3:A xmlns:s3='x>y'><!-- c --><s3:B a=\"/>\">t</s3:B></s3:A>", "A", "{\"B\":\"t\"}");
    reads("<A><B><![CDATA[x&y]]></B><?php ?></A>", "A", "{\"B\":\"x&y\"}");
    reads("<Tagging/>", "Tagging", "{}");
}

static void
what_goes_out_comes_back(void **state)
{
    static const char json[] = "{\"Rules\":[{\"ID\":\"<&>\",\"Transitions\":[{\"Days\":\"3\"}],"
                               "\"NoncurrentVersionTransitions\":[{\"NoncurrentDays\":\"1\"}]}]}";
    struct hf_buf xml = HF_BUF(1 << 16);
    struct hf_error err = { 0 };
    json_t *doc = json_loads(json, 0, NULL), *back = NULL;
    (void)state;
    assert_int_equal(xml_from_doc(doc, "LifecycleConfiguration", &xml, &err), HF_OK);
    assert_int_equal(xml_to_doc(hf_buf_slice(&xml), "LifecycleConfiguration", &back, &err), HF_OK);
    assert_true(json_equal(doc, back));
    json_decref(doc);
    json_decref(back);
    hf_buf_done(&xml);
}

static void
foreign_xml_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "  ",
                                         "text",
                                         "<",
                                         "<a",
                                         "<a>",
                                         "<a></b>",
                                         "<a></a",
                                         "<a><b></a></b>",
                                         "<a></a><b></b>",
                                         "<a></a>text",
                                         "</a>",
                                         "<>",
                                         "<a b=\"></a>",
                                         "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
                                         "<a>&x;</a>",
                                         "<a>&#0;</a>",
                                         "<a><!-- </a>",
                                         "<?xml",
                                         "<a-b></a-b>",
                                         "<html><body>Sign in<br></body></html>",
                                         "<a>\xff</a>" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        struct hf_error err = { 0 };
        json_t *doc = NULL;
        if (xml_to_doc(hf_slice_text(wrong[i]), "a", &doc, &err) == HF_OK)
            fail_msg("'%s' was taken", wrong[i]);
        assert_null(doc);
    }
}

static void
depth_and_size_are_bounded(void **state)
{
    struct hf_buf xml = HF_BUF(2 << 20);
    struct hf_error err = { 0 };
    json_t *doc = NULL;
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(hf_buf_add_text(&xml, "<a>"), HF_OK);
    assert_int_equal(xml_to_doc(hf_buf_slice(&xml), "a", &doc, &err), HF_EFORMAT);
    hf_buf_reset(&xml);
    assert_int_equal(hf_buf_add_text(&xml, "<a>"), HF_OK);
    while (xml.size < DOCUMENT_MAX)
        assert_int_equal(hf_buf_add_text(&xml, "<b/>"), HF_OK);
    assert_int_equal(hf_buf_add_text(&xml, "</a>"), HF_OK);
    assert_int_equal(xml_to_doc(hf_buf_slice(&xml), "a", &doc, &err), HF_EFORMAT);
    hf_buf_done(&xml);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_document_has_one_rule),
        cmocka_unit_test(encryption_has_a_list_of_rules),
        cmocka_unit_test(another_document_is_none),
        cmocka_unit_test(lists_become_repeated_elements),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(what_s3_does_not_know_is_named),
        cmocka_unit_test(what_a_store_sends_becomes_json),
        cmocka_unit_test(what_goes_out_comes_back),
        cmocka_unit_test(foreign_xml_is_refused),
        cmocka_unit_test(depth_and_size_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
