#include "bucket_test.h"

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

static const json_t *
at(const json_t *doc, const char *a, const char *b)
{
    return json_object_get(json_object_get(doc, a), b);
}

static void
retention_takes_the_documents_place(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    struct hf_config *config = configuration("", "retention: {mode: governance, days: 5}", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    (void)state;
    const json_t *lock = at(plan.documents[HF_PART_LOCK], "Rule", "DefaultRetention");
    assert_string_equal(hf_doc_text_or(lock, "Mode", ""), "GOVERNANCE");
    assert_int_equal(hf_doc_u64_or(lock, "Days", 0), 5);
    assert_null(json_object_get(lock, "Years"));
    assert_false(plan.irreversible);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: none", "");
    plan = plan_of(config, &given);
    assert_null(json_object_get(plan.documents[HF_PART_LOCK], "Rule"));
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
compliance_anywhere_is_irreversible(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration("", "retention: {mode: compliance, days: 1}", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_true(plan.irreversible);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: {mode: governance, days: 1}",
                           ", retention: {mode: compliance, days: 2}");
    plan = plan_of(config, &given);
    assert_true(plan.irreversible);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
own_lifecycle_takes_the_sets_place(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_string_equal(
        hf_doc_text_or(
            json_array_get(json_object_get(plan.documents[HF_PART_LIFECYCLE], "Rules"), 0), "ID",
            ""),
        "of the set");
    hf_bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: none, lifecycle: own.json", "");
    plan = plan_of(config, &given);
    assert_string_equal(
        hf_doc_text_or(
            json_array_get(json_object_get(plan.documents[HF_PART_LIFECYCLE], "Rules"), 0), "ID",
            ""),
        "our own");
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
each_prefix_gets_statements_of_its_own(void **state)
{
    struct hf_bucket_given given = { .host = HOST, WRITER("arn:aws:iam::1:user/\"w\"") };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    const json_t *list =
                     json_object_get(plan.documents[HF_PART_POLICY + HF_ROLE_WRITER], "Statement"),
                 *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "Resource"), 0)),
                        "arn:aws:s3:::logs/host1/*");
    assert_string_equal(hf_doc_text_or(json_object_get(first, "Condition"), "a", ""), "host1/*");
    assert_string_equal(json_string_value(json_array_get(json_object_get(second, "Resource"), 0)),
                        "arn:aws:s3:::logs/*"); /* the empty prefix */
    assert_string_equal(json_string_value(json_array_get(at(first, "Principal", "AWS"), 0)),
                        given.roles[HF_ROLE_WRITER].arns[0]);
    assert_string_not_equal(hf_doc_text_or(first, "Sid", ""), hf_doc_text_or(second, "Sid", ""));
    assert_int_equal(strlen(hf_doc_text_or(first, "Sid", "")), 1 + 8);
    hf_bucket_plan_done(&plan);

    given.writer_prefix = "elsewhere";
    plan = plan_of(config, &given);
    assert_int_equal(json_array_size(json_object_get(
                         plan.documents[HF_PART_POLICY + HF_ROLE_WRITER], "Statement")),
                     1);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
policy_is_that_of_the_confirmation(void **state)
{
    struct hf_bucket_given given = { .host = HOST, WRITER("w") }, nobody = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration(", confirm: put", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_int_equal(
        hf_doc_text_or(
            json_array_get(
                json_object_get(plan.documents[HF_PART_POLICY + HF_ROLE_WRITER], "Statement"), 0),
            "Sid", "?")[0],
        'P');
    hf_bucket_plan_done(&plan);
    plan = plan_of(config, &nobody);
    assert_null(plan.documents[HF_PART_POLICY + HF_ROLE_WRITER]);
    assert_true(plan.roles_unnamed[HF_ROLE_WRITER]);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
each_role_has_a_document_of_its_own(void **state)
{
    struct hf_bucket_given given = {
        .host = HOST,
        .roles[HF_ROLE_READER] = { NAMES("first", "second"), 2 },
        .roles[HF_ROLE_BREAK_GLASS] = { NAMES("glass"), 1 },
    };
    (void)state;
    write_file("bucket-policy-reader.json",
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"R\",\"Principal\":{"
               "\"AWS\":[\"${READER}\"]},\"Resource\":[\"arn:aws:s3:::${BUCKET}/*\"]}]}");
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    json_t *expected =
        json_loads("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"R\",\"Principal\":{"
                   "\"AWS\":[\"first\",\"second\"]},\"Resource\":[\"arn:aws:s3:::logs/*\"]}]}",
                   0, NULL);
    assert_true(json_equal(plan.documents[HF_PART_POLICY + HF_ROLE_READER], expected));
    assert_null(plan.documents[HF_PART_POLICY + HF_ROLE_WRITER]);
    assert_true(plan.roles_unnamed[HF_ROLE_WRITER]);
    assert_false(plan.roles_unnamed[HF_ROLE_READER]);
    assert_null(plan.documents[HF_PART_POLICY + HF_ROLE_BREAK_GLASS]);
    assert_true(plan.roles_unknown[HF_ROLE_BREAK_GLASS]); /* the folder has none */
    json_decref(expected);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
days_are_those_of_the_bucket(void **state)
{
    struct hf_bucket_given given = { .host = HOST, READER("r") };
    static const char *const retentions[] = { "retention: {mode: governance, days: 41}",
                                              "retention: none" },
                             *const expected[] = { "41", "0" };
    (void)state;
    write_file("bucket-policy-reader.json",
               "{\"Statement\":[{\"Sid\":\"R\",\"Days\":\"${DAYS}\"}]}");
    for (size_t i = 0; i < HF_COUNT(retentions); i++) {
        struct hf_config *config = configuration("", retentions[i], "");
        struct hf_bucket_plan plan = plan_of(config, &given);
        const json_t *list =
            json_object_get(plan.documents[HF_PART_POLICY + HF_ROLE_READER], "Statement");
        assert_string_equal(hf_doc_text_or(json_array_get(list, 0), "Days", ""), expected[i]);
        hf_bucket_plan_done(&plan);
        hf_config_free(config);
    }
}

static void
encryption_comes_from_the_set(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_null(plan.documents[HF_PART_ENCRYPTION]);
    hf_bucket_plan_done(&plan);
    write_file("encryption.json", "{\"Rules\":[]}");
    plan = plan_of(config, &given);
    assert_non_null(json_object_get(plan.documents[HF_PART_ENCRYPTION], "Rules"));
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
shortfall_is(const char *retention, struct hf_bucket_shortfall expected)
{
    struct hf_bucket_given given = { .host = HOST };
    struct hf_config *config = configuration("", retention, "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    struct hf_bucket_shortfall found = hf_bucket_shortfall(plan.bucket, &plan.term);
    assert_int_equal(found.nothing_locked, expected.nothing_locked);
    assert_int_equal(found.days, expected.days);
    assert_int_equal(found.weaker, expected.weaker);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
retention_below_the_sets_term_is_seen(void **state)
{
    (void)state; /* the set: COMPLIANCE, 7 years */
#define SHORT(...) ((struct hf_bucket_shortfall){ __VA_ARGS__ })
    shortfall_is("retention: {mode: compliance, days: 2555}", SHORT(.days = 0));
    shortfall_is("retention: {mode: compliance, days: 2554}", SHORT(.days = 1));
    shortfall_is("retention: {mode: governance, days: 3000}", SHORT(.weaker = true));
    shortfall_is("retention: {mode: governance, days: 30}", SHORT(.days = 2525, .weaker = true));
    shortfall_is("retention: none", SHORT(.nothing_locked = true));
}

static void
the_sets_term_is_read_alone(void **state)
{
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_term term = { 0 };
    struct hf_error err;
    (void)state;
    assert_int_equal(hf_bucket_term_read(config, &config->buckets[0], &term, &err), HF_OK);
    assert_int_equal(term.mode, HF_LOCK_COMPLIANCE);
    assert_int_equal(term.days, 7 * 365);
    hf_config_free(config);
}

static void
a_lock_is_missed_only_where_one_is_wanted(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration("", "retention: {mode: governance, days: 1}", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_true(hf_bucket_lacks_lock(&plan, HF_BUCKET_UNLOCKED));
    assert_false(hf_bucket_lacks_lock(&plan, HF_BUCKET_LOCKED));
    hf_bucket_plan_done(&plan);
    hf_config_free(config);

    config = configuration("", "retention: none", "");
    plan = plan_of(config, &given);
    assert_false(hf_bucket_lacks_lock(&plan, HF_BUCKET_UNLOCKED));
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
longest_lock_counts_the_trails(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config = configuration("", "retention: {mode: governance, days: 5}",
                                             ", retention: {mode: governance, days: 9}");
    struct hf_bucket_plan plan = plan_of(config, &given);
    assert_int_equal(plan.lock_days, 9);
    hf_bucket_plan_done(&plan);
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
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct hf_config *config =
        configuration("", "retention: none, tags: [team=audit, \"eq=a=b\"]", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    json_t *expected = json_loads(
        "{\"TagSet\":[{\"Key\":\"team\",\"Value\":\"audit\"},{\"Key\":\"eq\",\"Value\":\"a=b\"}]}",
        0, NULL);
    assert_true(json_equal(plan.documents[HF_PART_TAGS], expected));
    json_decref(expected);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

static void
a_broken_document_is_named(void **state)
{
    struct hf_bucket_given given = { .host = HOST };
    struct hf_bucket_plan plan;
    struct hf_error err = { 0 };
    (void)state;
    struct hf_config *config = configuration("", "retention: none, lifecycle: broken.json", "");
    assert_int_equal(hf_bucket_plan_make(config, &config->buckets[0], &given, &plan, &err),
                     HF_ECONFIG);
    assert_non_null(strstr(err.text, "broken.json")); /* not there */
    write_file("broken.json", "{");
    assert_int_not_equal(hf_bucket_plan_make(config, &config->buckets[0], &given, &plan, &err),
                         HF_OK);
    assert_non_null(strstr(err.text, "broken.json"));
    hf_config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_statements_stay),
        cmocka_unit_test(retention_takes_the_documents_place),
        cmocka_unit_test(compliance_anywhere_is_irreversible),
        cmocka_unit_test(own_lifecycle_takes_the_sets_place),
        cmocka_unit_test(each_prefix_gets_statements_of_its_own),
        cmocka_unit_test(policy_is_that_of_the_confirmation),
        cmocka_unit_test(each_role_has_a_document_of_its_own),
        cmocka_unit_test(days_are_those_of_the_bucket),
        cmocka_unit_test(encryption_comes_from_the_set),
        cmocka_unit_test(retention_below_the_sets_term_is_seen),
        cmocka_unit_test(the_sets_term_is_read_alone),
        cmocka_unit_test(a_lock_is_missed_only_where_one_is_wanted),
        cmocka_unit_test(longest_lock_counts_the_trails),
        cmocka_unit_test(installed_set_stands_in_for_one_that_is_not_there),
        cmocka_unit_test(tags_become_a_set),
        cmocka_unit_test(a_broken_document_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
