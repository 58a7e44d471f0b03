#include "bucket_test.h"

static json_t *
parsed(const char *text)
{
    json_t *doc = text ? json_loads(text, 0, NULL) : NULL;
    assert_true(doc || !text);
    return doc;
}

/* Each difference as "what: found, not wanted", with "-" for what is not there; joined by "; ". */
static void
differ(const char *present, const char *wanted, const char *expected)
{
    json_t *have = parsed(present), *want = parsed(wanted);
    struct hf_differences list;
    struct hf_buf found = HF_BUF(4096);
    differences_find(have, want, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct hf_difference *one = &list.items[i];
        assert_int_equal(one->kind == HF_DIFFERENCE_UNSET, !one->found);
        assert_int_equal(one->kind == HF_DIFFERENCE_EXTRA, !one->wanted);
        assert_false(one->harmless);
        assert_int_equal(hf_buf_addf(&found, "%s%s: %s, not %s", i ? "; " : "", one->what,
                                     one->found ? one->found : "-",
                                     one->wanted ? one->wanted : "-"),
                         HF_OK);
    }
    assert_string_equal(hf_buf_text(&found), expected);
    hf_buf_done(&found);
    differences_done(&list);
    json_decref(have);
    json_decref(want);
}

static void
same_documents_do_not_differ(void **state)
{
    (void)state;
    differ("{\"Rule\":{\"Days\":\"1\"}}", "{\"Rule\":{\"Days\":1}}", "");
    differ(
        "{\"Rules\":[{\"ID\":\"b\",\"Status\":\"Enabled\"},{\"ID\":\"a\",\"Status\":\"Enabled\"}]}",
        "{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Enabled\"},{\"ID\":\"b\",\"Status\":\"Enabled\"}]}",
        "");
    differ("{\"Rules\":[{\"ID\":\"a\",\"Prefix\":\"\",\"X\":\"true\"}]}",
           "{\"Rules\":[{\"ID\":\"a\",\"Filter\":{\"Prefix\":\"\"},\"X\":true}]}", "");
    differ("{\"Rules\":[{\"ID\":\"a\",\"Prefix\":\"p/\"}]}",
           "{\"Rules\":[{\"ID\":\"a\",\"Filter\":{\"Prefix\":\"p/\"}}]}", "");
    differ("{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"b\",\"a\"],\"Resource\":\"r\"}]}",
           "{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"a\",\"b\"],\"Resource\":[\"r\"]}]}", "");
}

static void
differences_have_a_place_and_both_sides(void **state)
{
    (void)state;
    differ("{\"Rule\":{\"DefaultRetention\":{\"Days\":\"30\"}}}",
           "{\"Rule\":{\"DefaultRetention\":{\"Days\":1}}}",
           "Rule.DefaultRetention.Days: 30, not 1");
    differ(NULL, "{\"Rule\":{\"Days\":1}}", "Rule.Days: -, not 1");
    differ("{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Disabled\"}]}",
           "{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Enabled\"}]}",
           "Rules 'a'.Status: Disabled, not Enabled");
    differ("{\"Rules\":[{\"ID\":\"mine\",\"Days\":\"1\"}]}", "{\"Rules\":[]}",
           "Rules 'mine'.Days: 1, not -");
    differ("{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"a\",\"delete\"]}]}",
           "{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"a\",\"b\"]}]}",
           "Statement 's'.Action: delete, not b");
    differ("{\"TagSet\":[{\"Key\":\"k\",\"Value\":\"old\"}]}",
           "{\"TagSet\":[{\"Key\":\"k\",\"Value\":\"new\"}]}", "TagSet 'k'.Value: old, not new");
}

/* What a store sends may be longer than a place is shown, and of any character. */
static void
a_place_is_cut_between_characters(void **state)
{
    struct hf_buf text = HF_BUF(8192);
    struct hf_differences list;
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) { /* the cut falls on each byte of a character */
        hf_buf_reset(&text);
        assert_int_equal(hf_buf_addf(&text, "{\"Statement\":[{\"Sid\":\"%.*s", (int)shift, "ab"),
                         HF_OK);
        for (size_t i = 0; i < 400; i++)
            assert_int_equal(hf_buf_add_text(&text, "\u20ac"), HF_OK);
        assert_int_equal(hf_buf_add_text(&text, "\",\"Action\":\"a\"}]}"), HF_OK);
        json_t *present = parsed(hf_buf_text(&text));
        differences_find(present, NULL, &list);
        assert_int_equal(list.count, 1);
        json_t *shown = json_string(list.items[0].what); /* NULL where it is no UTF-8 */
        assert_non_null(shown);
        assert_in_range(strlen(list.items[0].what), 200, 511);
        assert_true(hf_ends_with(list.items[0].what, "'.Action"));
        json_decref(shown);
        differences_done(&list);
        json_decref(present);
    }
    hf_buf_done(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_documents_do_not_differ),
        cmocka_unit_test(differences_have_a_place_and_both_sides),
        cmocka_unit_test(a_place_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
