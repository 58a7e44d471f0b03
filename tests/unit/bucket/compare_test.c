/* What is found of each document, beside scripted answers. */
#include "bucket_test.h"
#include "tests/support/scripted_store.h"

#define LOCKED                                                                                     \
    XML("200 OK", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"        \
                  "</ObjectLockConfiguration>")
#define UNSET XML("404 Not Found", "<Error><Code>NoSuchThing</Code></Error>")

static struct hf_bucket_comparison
compare(struct scripted_store *scripted, const char *bucket, const struct hf_bucket_given *given,
        const struct hf_script_step *steps, size_t count)
{
    struct hf_bucket_comparison comparison;
    struct hf_error err;
    struct hf_config *config = configuration("", bucket, "");
    struct hf_bucket_plan plan = plan_of(config, given);
    scripted_store_begin(scripted, "logs", steps, count);
    if (hf_bucket_compare(scripted->store, &plan, &comparison, &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
    return comparison;
}

static void
every_part_has_a_verdict_of_its_own(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "GET /logs?object-lock= ", .reply = LOCKED },
        { .expect = "GET /logs?object-lock= ",
          .reply = XML("200 OK", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled"
                                 "</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE"
                                 "</Mode><Days>30</Days></DefaultRetention></Rule>"
                                 "</ObjectLockConfiguration>") },
        { .expect = "GET /logs?lifecycle= ", .reply = UNSET },
        { .expect = "GET /logs?encryption= ",
          .reply = XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>") },
        { .expect = "GET /logs?tagging= ",
          .reply = XML("200 OK", "<Tagging><TagSet><Tag><Key>team</Key><Value>audit</Value></Tag>"
                                 "</TagSet></Tagging>") },
        { .expect = "GET /logs?policy= ",
          .reply = JSON("200 OK", "{\"Version\":\"2012-10-17\",\"Statement\":["
                                  "{\"Sid\":\"R\",\"Principal\":{\"AWS\":\"r\"}},"
                                  "{\"Sid\":\"theirs\"}]}") },
    };
    struct hf_bucket_given given = { .host = HOST, READER("r") };
    struct scripted_store scripted;
    (void)state;
    write_file("encryption.json", "{\"Rules\":[]}");
    write_file("lifecycle.json", "{\"Rules\":[{\"ID\":\"a\",\"Status\":\"Enabled\"}]}");
    write_file("bucket-policy-reader.json",
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"R\",\"Principal\":{"
               "\"AWS\":[\"${READER}\"]}}]}");
    struct hf_bucket_comparison found =
        compare(&scripted, "retention: {mode: governance, days: 5}, tags: [team=audit]", &given,
                steps, HF_COUNT(steps));
    assert_int_equal(found.state, HF_BUCKET_LOCKED);

    const struct hf_bucket_finding *lock = &found.parts[HF_PART_LOCK];
    assert_int_equal(lock->verdict, HF_VERDICT_DIFFERENT);
    assert_int_equal(lock->differences.count, 1);
    assert_int_equal(lock->differences.items[0].kind, HF_DIFFERENCE_OTHER);
    assert_string_equal(lock->differences.items[0].what, "Rule.DefaultRetention.Days");
    assert_string_equal(lock->differences.items[0].found, "30");
    assert_string_equal(lock->differences.items[0].wanted, "5");

    assert_int_equal(found.parts[HF_PART_LIFECYCLE].verdict, HF_VERDICT_DIFFERENT);
    assert_int_equal(found.parts[HF_PART_ENCRYPTION].verdict, HF_VERDICT_UNKNOWN);
    assert_string_equal(found.parts[HF_PART_ENCRYPTION].err.store_code, "AccessDenied");
    assert_int_equal(found.parts[HF_PART_TAGS].verdict, HF_VERDICT_SAME);
    assert_int_equal(found.parts[HF_PART_POLICY + HF_ROLE_WRITER].verdict, HF_VERDICT_NONE);
    assert_int_equal(found.parts[HF_PART_POLICY + HF_ROLE_READER].verdict, HF_VERDICT_SAME);
    hf_bucket_comparison_done(&found);
    scripted_store_end(&scripted, HF_COUNT(steps));
}

static void
what_takes_nothing_away_is_harmless(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = LOCKED },
        { .reply = LOCKED },
        { .expect = "GET /logs?lifecycle= ",
          .reply = XML("200 OK", "<LifecycleConfiguration><Rule><ID>of the set</ID></Rule>"
                                 "</LifecycleConfiguration>") },
        { .expect = "GET /logs?encryption= ",
          .reply =
              XML("200 OK", "<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>true"
                            "</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>") },
    };
    struct hf_bucket_given given = { .host = HOST };
    struct scripted_store scripted;
    (void)state;
    write_file("lifecycle.json",
               "{\"Rules\":[{\"ID\":\"of the set\",\"AbortIncompleteMultipartUpload\":{"
               "\"DaysAfterInitiation\":1}}]}");
    write_file("encryption.json", "{\"Rules\":[]}");
    write_file("object-lock.json", "{\"ObjectLockEnabled\":\"Enabled\"}");
    struct hf_bucket_comparison found =
        compare(&scripted, "retention: none", &given, steps, HF_COUNT(steps));
    for (enum hf_bucket_part part = HF_PART_LIFECYCLE; part <= HF_PART_ENCRYPTION; part++) {
        assert_int_equal(found.parts[part].verdict, HF_VERDICT_SAME);
        assert_int_equal(found.parts[part].differences.count, 1);
        assert_true(found.parts[part].differences.items[0].harmless);
    }
    assert_int_equal(found.parts[HF_PART_LOCK].verdict, HF_VERDICT_SAME);
    hf_bucket_comparison_done(&found);
    scripted_store_end(&scripted, HF_COUNT(steps));
}

static void
what_apply_would_not_put_is_not_asked_for(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = XML("404 Not Found",
                       "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>") },
        { .expect = "HEAD /logs ", .reply = XML("200 OK", "") },
    };
    struct hf_bucket_given given = { .host = HOST };
    struct scripted_store scripted;
    (void)state;
    write_file("lifecycle.json", "{\"Rules\":[{\"ID\":\"x\",\"Expiration\":{\"Days\":1}}]}");
    struct hf_bucket_comparison found = compare(&scripted, "retention: {mode: governance, days: 5}",
                                                &given, steps, HF_COUNT(steps));
    assert_int_equal(found.state, HF_BUCKET_UNLOCKED);
    assert_int_equal(found.parts[HF_PART_LOCK].verdict, HF_VERDICT_NONE);
    assert_int_equal(found.parts[HF_PART_LIFECYCLE].verdict, HF_VERDICT_WITHHELD);
    assert_non_null(strstr(found.parts[HF_PART_LIFECYCLE].err.text, "rule 'x'"));
    hf_bucket_comparison_done(&found);
    scripted_store_end(&scripted, HF_COUNT(steps));
}

static void
an_unread_policy_leaves_every_named_role_unknown(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = LOCKED },
        { .reply = LOCKED },
        { .expect = "GET /logs?lifecycle= ", .reply = UNSET },
        { .expect = "GET /logs?policy= ", .reply = JSON("200 OK", "{\"Statement\":") },
    };
    struct hf_bucket_given given = { .host = HOST, WRITER("w"), READER("r") };
    struct scripted_store scripted;
    (void)state;
    write_file("bucket-policy-reader.json", "{\"Statement\":[{\"Sid\":\"R\"}]}");
    struct hf_bucket_comparison found =
        compare(&scripted, "retention: none", &given, steps, HF_COUNT(steps));
    for (size_t role = HF_ROLE_WRITER; role <= HF_ROLE_READER; role++) {
        assert_int_equal(found.parts[HF_PART_POLICY + role].verdict, HF_VERDICT_UNKNOWN);
        assert_non_null(strstr(found.parts[HF_PART_POLICY + role].err.text, "not valid JSON"));
    }
    assert_int_equal(found.parts[HF_PART_POLICY + HF_ROLE_BREAK_GLASS].verdict, HF_VERDICT_NONE);
    hf_bucket_comparison_done(&found);
    scripted_store_end(&scripted, HF_COUNT(steps));
}

static void
a_missing_bucket_is_a_finding(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = XML("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>") },
    };
    struct hf_bucket_given given = { .host = HOST };
    struct scripted_store scripted;
    (void)state;
    struct hf_bucket_comparison found =
        compare(&scripted, "retention: none", &given, steps, HF_COUNT(steps));
    assert_int_equal(found.state, HF_BUCKET_MISSING);
    hf_bucket_comparison_done(&found);
    scripted_store_end(&scripted, HF_COUNT(steps));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(every_part_has_a_verdict_of_its_own),
        WITH_FOLDER(what_takes_nothing_away_is_harmless),
        WITH_FOLDER(what_apply_would_not_put_is_not_asked_for),
        WITH_FOLDER(an_unread_policy_leaves_every_named_role_unknown),
        WITH_FOLDER(a_missing_bucket_is_a_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
