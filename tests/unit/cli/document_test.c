#include "tests/support/test.h"

#include "agent/cli/cli_impl.h"

#include <holdfast/json.h>

/* ---- differences ---- */

/* The texts, joined by "; ". */
static void
differ(const char *present, const char *wanted, const char *expected)
{
    json_t *have = present ? json_loads(present, 0, NULL) : NULL,
           *want = json_loads(wanted, 0, NULL);
    assert_true(want && (have || !present));
    json_t *list = document_differences(have, want), *one;
    char found[2048] = "";
    size_t index;
    json_array_foreach(list, index, one)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", index ? "; " : "",
                 hf_doc_text_or(one, "text", "?"));
    if (strcmp(found, expected) != 0)
        fail_msg("found '%s', expected '%s'", found, expected);
    json_decref(list);
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
differences_are_said_in_words(void **state)
{
    (void)state;
    differ("{\"Rule\":{\"DefaultRetention\":{\"Days\":\"30\"}}}",
           "{\"Rule\":{\"DefaultRetention\":{\"Days\":1}}}",
           "Rule.DefaultRetention.Days is 30, wanted 1");
    differ(NULL, "{\"Rule\":{\"Days\":1}}", "Rule.Days is not set, wanted 1");
    differ("{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Disabled\"}]}",
           "{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Enabled\"}]}",
           "Rules 'a'.Status is Disabled, wanted Enabled");
    differ("{\"Rules\":[{\"ID\":\"mine\",\"Days\":\"1\"}]}", "{\"Rules\":[]}",
           "Rules 'mine'.Days is 1, not wanted");
    differ("{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"a\",\"delete\"]}]}",
           "{\"Statement\":[{\"Sid\":\"s\",\"Action\":[\"a\",\"b\"]}]}",
           "Statement 's'.Action is delete, wanted b");
    differ("{\"TagSet\":[{\"Key\":\"k\",\"Value\":\"old\"}]}",
           "{\"TagSet\":[{\"Key\":\"k\",\"Value\":\"new\"}]}",
           "TagSet 'k'.Value is old, wanted new");
}

/* ---- policies ---- */

static void
other_statements_stay(void **state)
{
    json_t *present =
        json_loads("{\"Version\":\"x\",\"Statement\":[{\"Sid\":\"theirs\",\"Action\":\"a\"},{"
                   "\"Sid\":\"ours\",\"Action\":\"old\"},{\"Action\":\"nameless\"}]}",
                   0, NULL);
    json_t *wanted = json_loads(
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"ours\",\"Action\":\"new\"}]}", 0,
        NULL);
    json_t *expected =
        json_loads("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"ours\",\"Action\":"
                   "\"new\"},{\"Sid\":\"theirs\",\"Action\":\"a\"},{\"Action\":\"nameless\"}]}",
                   0, NULL);
    json_t *merged = policy_merge(present, wanted), *alone = policy_merge(NULL, wanted),
           *own = policy_own(present, wanted);
    (void)state;
    assert_true(json_equal(merged, expected));
    assert_true(json_equal(alone, wanted));
    assert_int_equal(json_array_size(json_object_get(own, "Statement")), 1);
    json_decref(present);
    json_decref(wanted);
    json_decref(expected);
    json_decref(merged);
    json_decref(alone);
    json_decref(own);
}

/* ---- plans ---- */

static char folder[256];

static void
write_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static int
make_folder(void **state)
{
    (void)state;
    hf_test_tempdir(folder);
    write_file("object-lock.json", "{\"ObjectLockEnabled\":\"Enabled\",\"Rule\":{"
                                   "\"DefaultRetention\":{\"Mode\":\"COMPLIANCE\",\"Years\":7}}}");
    write_file("lifecycle.json", "{\"Rules\":[{\"ID\":\"of the set\"}]}");
    write_file("own.json", "{\"Rules\":[{\"ID\":\"our own\"}]}");
    write_file("bucket-policy.json", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"W\","
                                     "\"Principal\":{\"AWS\":[\"${WRITER}\"]},"
                                     "\"Resource\":[\"arn:aws:s3:::${BUCKET}/${PREFIX}/"
                                     "*\"],\"Condition\":{\"a\":\"${PREFIX}/*\"}}]}");
    write_file(
        "bucket-policy-put.json",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"P\",\"Resource\":\"${BUCKET}\"}]}");
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    hf_test_tempdir_remove(folder);
    return 0;
}

/* `bucket` is added to the entry, `confirm` to the store's, `trail` to the trail's. */
static struct hf_config *
configuration(const char *store, const char *bucket, const char *trail)
{
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    char *path = hf_asprintf("%s/h.yaml", folder);
    char *text = hf_asprintf(
        "agent: {state_dir: state, host: host1}\nstores: [{name: s, url: "
        "\"https://s3.example\"%s}]\n"
        "sources: [{name: app, type: file, path: /a}]\nbuckets: [{name: logs, store: s, policy: ., "
        "%s}]\n"
        "trails: [{name: audit, bucket: logs, encryption: none, digest: {key_file: d}%s},"
        "{name: second, bucket: logs, prefix: \"\", encryption: none, digest: {key_file: d}}]\n",
        store, bucket, trail);
    if (hf_config_parse(hf_slice_text(text), path, &config, &err) != HF_OK)
        fail_msg("%s", err.text);
    free(text);
    free(path);
    return config;
}

static struct bucket_plan
plan_of(const struct hf_config *config, const struct options *options)
{
    struct bucket_plan plan;
    struct hf_error err = { 0 };
    if (bucket_plan_make(config, &config->buckets[0], options, &plan, &err) != HF_OK)
        fail_msg("%s", err.text);
    return plan;
}

static const json_t *
at(const json_t *doc, const char *a, const char *b)
{
    return json_object_get(json_object_get(doc, a), b);
}

static void
retention_takes_the_documents_place(void **state)
{
    struct options options = { 0 };
    struct hf_config *config = configuration("", "retention: {mode: governance, days: 5}", "");
    struct bucket_plan plan = plan_of(config, &options);
    (void)state;
    const json_t *lock = at(plan.object_lock, "Rule", "DefaultRetention");
    assert_string_equal(hf_doc_text_or(lock, "Mode", ""), "GOVERNANCE");
    assert_int_equal(hf_doc_u64_or(lock, "Days", 0), 5);
    assert_null(json_object_get(lock, "Years"));
    assert_false(plan.irreversible);
    bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: none", "");
    plan = plan_of(config, &options);
    assert_null(json_object_get(plan.object_lock, "Rule"));
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
compliance_anywhere_is_irreversible(void **state)
{
    struct options options = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: {mode: compliance, days: 1}", "");
    struct bucket_plan plan = plan_of(config, &options);
    assert_true(plan.irreversible);
    bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: {mode: governance, days: 1}",
                           ", retention: {mode: compliance, days: 2}");
    plan = plan_of(config, &options);
    assert_true(plan.irreversible);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
own_lifecycle_takes_the_sets_place(void **state)
{
    struct options options = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct bucket_plan plan = plan_of(config, &options);
    assert_string_equal(
        hf_doc_text_or(json_array_get(json_object_get(plan.lifecycle, "Rules"), 0), "ID", ""),
        "of the set");
    bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: none, lifecycle: own.json", "");
    plan = plan_of(config, &options);
    assert_string_equal(
        hf_doc_text_or(json_array_get(json_object_get(plan.lifecycle, "Rules"), 0), "ID", ""),
        "our own");
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
each_prefix_gets_statements_of_its_own(void **state)
{
    struct options options = { .writer = "arn:aws:iam::1:user/\"w\"" };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct bucket_plan plan = plan_of(config, &options);
    const json_t *list = json_object_get(plan.policies[ROLE_WRITER], "Statement"),
                 *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "Resource"), 0)),
                        "arn:aws:s3:::logs/host1/*");
    assert_string_equal(hf_doc_text_or(json_object_get(first, "Condition"), "a", ""), "host1/*");
    assert_string_equal(json_string_value(json_array_get(json_object_get(second, "Resource"), 0)),
                        "arn:aws:s3:::logs/*"); /* the empty prefix */
    assert_string_equal(json_string_value(json_array_get(at(first, "Principal", "AWS"), 0)),
                        options.writer);
    assert_string_not_equal(hf_doc_text_or(first, "Sid", ""), hf_doc_text_or(second, "Sid", ""));
    assert_int_equal(strlen(hf_doc_text_or(first, "Sid", "")), 1 + 8);
    bucket_plan_done(&plan);

    options.writer_prefix = "elsewhere";
    plan = plan_of(config, &options);
    assert_int_equal(json_array_size(json_object_get(plan.policies[ROLE_WRITER], "Statement")), 1);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
policy_is_that_of_the_confirmation(void **state)
{
    struct options options = { .writer = "w" }, nobody = { 0 };
    (void)state;
    struct hf_config *config = configuration(", confirm: put", "retention: none", "");
    struct bucket_plan plan = plan_of(config, &options);
    assert_int_equal(
        hf_doc_text_or(json_array_get(json_object_get(plan.policies[ROLE_WRITER], "Statement"), 0),
                       "Sid", "?")[0],
        'P');
    bucket_plan_done(&plan);
    plan = plan_of(config, &nobody);
    assert_null(plan.policies[ROLE_WRITER]);
    assert_true(plan.roles_unnamed[ROLE_WRITER]);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
each_role_has_a_document_of_its_own(void **state)
{
    struct options options = { .readers = { "first", "second" },
                               .reader_count = 2,
                               .break_glasses = { "glass" },
                               .break_glass_count = 1 };
    (void)state;
    write_file("bucket-policy-reader.json",
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"R\",\"Principal\":{"
               "\"AWS\":[\"${READER}\"]},\"Resource\":[\"arn:aws:s3:::${BUCKET}/*\"]}]}");
    struct hf_config *config = configuration("", "retention: none", "");
    struct bucket_plan plan = plan_of(config, &options);
    json_t *expected =
        json_loads("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"R\",\"Principal\":{"
                   "\"AWS\":[\"first\",\"second\"]},\"Resource\":[\"arn:aws:s3:::logs/*\"]}]}",
                   0, NULL);
    assert_true(json_equal(plan.policies[ROLE_READER], expected));
    assert_null(plan.policies[ROLE_WRITER]);
    assert_true(plan.roles_unnamed[ROLE_WRITER]);
    assert_false(plan.roles_unnamed[ROLE_READER]);
    assert_null(plan.policies[ROLE_BREAK_GLASS]);
    assert_true(plan.roles_unknown[ROLE_BREAK_GLASS]); /* the folder has none */
    json_decref(expected);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
days_are_those_of_the_bucket(void **state)
{
    struct options options = { .readers = { "r" }, .reader_count = 1 };
    static const char *const retentions[] = { "retention: {mode: governance, days: 41}",
                                              "retention: none" },
                             *const expected[] = { "41", "0" };
    (void)state;
    write_file("bucket-policy-reader.json",
               "{\"Statement\":[{\"Sid\":\"R\",\"Days\":\"${DAYS}\"}]}");
    for (size_t i = 0; i < HF_COUNT(retentions); i++) {
        struct hf_config *config = configuration("", retentions[i], "");
        struct bucket_plan plan = plan_of(config, &options);
        const json_t *list = json_object_get(plan.policies[ROLE_READER], "Statement");
        assert_string_equal(hf_doc_text_or(json_array_get(list, 0), "Days", ""), expected[i]);
        bucket_plan_done(&plan);
        hf_config_free(config);
    }
}

static void
encryption_comes_from_the_set(void **state)
{
    struct options options = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct bucket_plan plan = plan_of(config, &options);
    assert_null(plan.encryption);
    bucket_plan_done(&plan);
    write_file("encryption.json", "{\"Rules\":[]}");
    plan = plan_of(config, &options);
    assert_non_null(json_object_get(plan.encryption, "Rules"));
    bucket_plan_done(&plan);
    hf_config_free(config);
}

/* The notes' texts, joined by "; ". */
static void
shortfall_is(const char *retention, const char *expected)
{
    struct options options = { .json = true };
    struct hf_config *config = configuration("", retention, "");
    struct bucket_plan plan = plan_of(config, &options);
    struct lines lines;
    char found[1024] = "";
    json_t *line;
    size_t index;
    lines_begin(&lines, &options);
    say_shortfall(plan.bucket, &plan.term, "logs", &lines);
    json_array_foreach(lines.list, index, line)
    {
        assert_string_equal(hf_doc_text_or(line, "result", "?"), "note");
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%.24s", index ? "; " : "",
                 hf_doc_text_or(line, "text", "?"));
    }
    assert_string_equal(found, expected);
    assert_int_equal(lines.failures, 0);
    json_decref(lines.list);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
retention_below_the_sets_term_is_said(void **state)
{
    (void)state; /* the set: COMPLIANCE, 7 years */
    shortfall_is("retention: {mode: compliance, days: 2555}", "");
    shortfall_is("retention: {mode: compliance, days: 2554}", "its retention of 2554 da");
    shortfall_is("retention: {mode: governance, days: 3000}", "its mode is GOVERNANCE, ");
    shortfall_is("retention: {mode: governance, days: 30}",
                 "its retention of 30 days; its mode is GOVERNANCE, ");
    shortfall_is("retention: none", "retention none: the poli");
}

static void
longest_lock_counts_the_trails(void **state)
{
    struct options options = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: {mode: governance, days: 5}",
                                             ", retention: {mode: governance, days: 9}");
    struct bucket_plan plan = plan_of(config, &options);
    assert_int_equal(plan.lock_days, 9);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
folder_is(const char *policy, const char *expected)
{
    char *config = hf_asprintf("%s/holdfast.yaml", folder);
    char *given = *policy == '/' ? hf_strdup(policy) : hf_asprintf("%s/%s", folder, policy);
    char *wanted = *expected == '/' ? hf_strdup(expected) : hf_asprintf("%s/%s", folder, expected);
    char *installed = hf_asprintf("%s/installed", folder);
    char *found = policy_folder(config, given, installed);
    assert_string_equal(found, wanted);
    free(config);
    free(given);
    free(wanted);
    free(installed);
    free(found);
}

static void
installed_set_stands_in_for_one_that_is_not_there(void **state)
{
    static const char *const made[] = { "installed", "installed/far", "installed/both", "policies",
                                        "policies/both" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(made); i++) {
        char *path = hf_asprintf("%s/%s", folder, made[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    folder_is("policies/far", "installed/far");
    folder_is("policies/both", "policies/both");
    folder_is("policies/nowhere", "policies/nowhere");
    folder_is("sets/far", "sets/far"); /* another folder is meant */
    folder_is("policies/..", "policies/..");
    folder_is("policies/far/x", "policies/far/x");
    folder_is("/policies/far", "/policies/far");
}

static void
tags_become_a_set(void **state)
{
    struct options options = { 0 };
    (void)state;
    struct hf_config *config =
        configuration("", "retention: none, tags: [team=audit, \"eq=a=b\"]", "");
    struct bucket_plan plan = plan_of(config, &options);
    json_t *expected = json_loads(
        "{\"TagSet\":[{\"Key\":\"team\",\"Value\":\"audit\"},{\"Key\":\"eq\",\"Value\":\"a=b\"}]}",
        0, NULL);
    assert_true(json_equal(plan.tagging, expected));
    json_decref(expected);
    bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
a_broken_document_is_named(void **state)
{
    struct options options = { 0 };
    struct bucket_plan plan;
    struct hf_error err = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: none, lifecycle: broken.json", "");
    assert_int_equal(bucket_plan_make(config, &config->buckets[0], &options, &plan, &err),
                     HF_ECONFIG);
    assert_non_null(strstr(err.text, "broken.json")); /* not there */
    write_file("broken.json", "{");
    assert_int_not_equal(bucket_plan_make(config, &config->buckets[0], &options, &plan, &err),
                         HF_OK);
    assert_non_null(strstr(err.text, "broken.json"));
    hf_config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_documents_do_not_differ),
        cmocka_unit_test(differences_are_said_in_words),
        cmocka_unit_test(other_statements_stay),
        cmocka_unit_test(retention_takes_the_documents_place),
        cmocka_unit_test(compliance_anywhere_is_irreversible),
        cmocka_unit_test(own_lifecycle_takes_the_sets_place),
        cmocka_unit_test(each_prefix_gets_statements_of_its_own),
        cmocka_unit_test(policy_is_that_of_the_confirmation),
        cmocka_unit_test(each_role_has_a_document_of_its_own),
        cmocka_unit_test(days_are_those_of_the_bucket),
        cmocka_unit_test(encryption_comes_from_the_set),
        cmocka_unit_test(retention_below_the_sets_term_is_said),
        cmocka_unit_test(longest_lock_counts_the_trails),
        cmocka_unit_test(installed_set_stands_in_for_one_that_is_not_there),
        cmocka_unit_test(tags_become_a_set),
        cmocka_unit_test(a_broken_document_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
