/* What is sent in which order, and what is told of it. */
#include "bucket_test.h"
#include "tests/support/scripted_store.h"

#define DONE  XML("200 OK", "")
#define UNSET XML("404 Not Found", "<Error><Code>NoSuchBucketPolicy</Code></Error>")

struct told {
    struct hf_bucket_step steps[HF_PART_COUNT];
    bool moves[HF_PART_COUNT];
    size_t count;
};

static void
tell(void *context, const struct hf_bucket_step *step)
{
    struct told *told = context;
    assert_in_range(told->count, 0, HF_PART_COUNT - 1);
    told->moves[told->count] = step->moves != NULL;
    told->steps[told->count++] = *step;
}

static struct told
apply(const char *bucket, const struct hf_bucket_given *given, enum hf_lock_state state,
      const struct hf_script_step *steps, size_t count)
{
    struct told told = { .count = 0 };
    struct scripted_store scripted;
    struct hf_config *config = configuration("", bucket, "");
    struct hf_bucket_plan plan = plan_of(config, given);
    scripted_store_begin(&scripted, "logs", steps, count);
    hf_bucket_apply(scripted.store, &plan, state, tell, &told);
    scripted_store_end(&scripted, count);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
    return told;
}

static void
was_told(const struct told *told, size_t at, enum hf_bucket_part part, enum hf_outcome outcome)
{
    assert_in_range(at, 0, told->count - 1);
    assert_int_equal(told->steps[at].part, part);
    assert_int_equal(told->steps[at].outcome, outcome);
}

static void
documents_go_in_the_parts_order_whatever_is_refused(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?object-lock= ", .reply = DONE },
        { .expect = "PUT /logs?lifecycle= ", .reply = DONE },
        { .expect = "PUT /logs?encryption= ",
          .reply = XML("400 Bad Request", "<Error><Code>InvalidArgument</Code></Error>") },
        { .expect = "PUT /logs?tagging= ", .reply = DONE },
        { .expect = "GET /logs?policy= ", .reply = UNSET },
        { .expect = "PUT /logs?policy= ", .reply = DONE },
    };
    struct hf_bucket_given given = { .host = HOST, WRITER("w") };
    (void)state;
    write_file("encryption.json", "{\"Rules\":[]}");
    struct told told = apply("retention: {mode: governance, days: 5}, tags: [a=b]", &given,
                             HF_BUCKET_LOCKED, steps, HF_COUNT(steps));
    assert_int_equal(told.count, 5);
    was_told(&told, 0, HF_PART_LOCK, HF_OUTCOME_SET);
    was_told(&told, 1, HF_PART_LIFECYCLE, HF_OUTCOME_SET);
    was_told(&told, 2, HF_PART_ENCRYPTION, HF_OUTCOME_REFUSED);
    assert_string_equal(told.steps[2].err.store_code, "InvalidArgument");
    was_told(&told, 3, HF_PART_TAGS, HF_OUTCOME_SET);
    was_told(&told, 4, HF_PART_POLICY + HF_ROLE_WRITER, HF_OUTCOME_SET);
}

static void
without_object_lock_there_is_no_default_lock(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?lifecycle= ", .reply = DONE },
    };
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    struct told told = apply("retention: none", &given, HF_BUCKET_UNLOCKED, steps, HF_COUNT(steps));
    assert_int_equal(told.count, 1);
    was_told(&told, 0, HF_PART_LIFECYCLE, HF_OUTCOME_SET);
}

#define MOVES                                                                                      \
    "{\"Rules\":[{\"ID\":\"keep\",\"Expiration\":{\"Days\":900}},"                                 \
    "{\"ID\":\"move\",\"Transitions\":[{\"Days\":90,\"StorageClass\":\"COLD\"}]}]}"
#define REFUSED XML("400 Bad Request", "<Error><Code>InvalidStorageClass</Code></Error>")

static void
a_lifecycle_goes_without_the_moves_that_are_refused(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?lifecycle= ", .reply = REFUSED },
        { .expect = "PUT /logs?lifecycle= ", .reply = DONE },
    };
    static const struct hf_script_step twice[] = {
        { .expect = "PUT /logs?lifecycle= ", .reply = REFUSED },
        { .expect = "PUT /logs?lifecycle= ",
          .reply = XML("400 Bad Request", "<Error><Code>MalformedXML</Code></Error>") },
    };
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    write_file("lifecycle.json", MOVES);
    struct told told = apply("retention: none", &given, HF_BUCKET_UNLOCKED, steps, HF_COUNT(steps));
    assert_int_equal(told.count, 1);
    was_told(&told, 0, HF_PART_LIFECYCLE, HF_OUTCOME_PARTLY);
    assert_true(told.moves[0]);
    assert_string_equal(told.steps[0].err.store_code, "InvalidStorageClass");

    told = apply("retention: none", &given, HF_BUCKET_UNLOCKED, twice, HF_COUNT(twice));
    assert_int_equal(told.count, 1);
    was_told(&told, 0, HF_PART_LIFECYCLE, HF_OUTCOME_REFUSED);
    assert_string_equal(told.steps[0].err.store_code, "InvalidStorageClass"); /* of all of it */
}

static void
what_would_hide_locked_versions_is_not_sent(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?object-lock= ", .reply = DONE },
    };
    struct hf_bucket_given given = { .host = HOST };
    (void)state;
    write_file("lifecycle.json", "{\"Rules\":[{\"ID\":\"x\",\"Expiration\":{\"Days\":1}}]}");
    struct told told = apply("retention: {mode: governance, days: 5}", &given, HF_BUCKET_LOCKED,
                             steps, HF_COUNT(steps));
    assert_int_equal(told.count, 2);
    was_told(&told, 1, HF_PART_LIFECYCLE, HF_OUTCOME_WITHHELD);
    assert_non_null(strstr(told.steps[1].err.text, "rule 'x'"));
}

/* A role whose statements are refused takes nothing from the next one's; others' statements stay.
 * The script sees that the second policy holds the first one's reader no more, but theirs. */
static void
each_role_is_put_beside_what_is_there(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?lifecycle= ", .reply = DONE },
        { .expect = "GET /logs?policy= ",
          .reply = JSON("200 OK", "{\"Version\":\"x\",\"Statement\":[{\"Sid\":\"theirs\"}]}") },
        { .expect = "PUT /logs?policy= ",
          .reply = XML("400 Bad Request", "<Error><Code>MalformedPolicy</Code></Error>") },
        { .expect = "PUT /logs?policy= ", .reply = DONE },
    };
    struct hf_bucket_given given = { .host = HOST, WRITER("w"), READER("r") };
    struct told told = { .count = 0 };
    struct scripted_store scripted;
    (void)state;
    write_file("bucket-policy-reader.json", "{\"Statement\":[{\"Sid\":\"R\"}]}");
    struct hf_config *config = configuration("", "retention: none", "");
    struct hf_bucket_plan plan = plan_of(config, &given);
    scripted_store_begin(&scripted, "logs", steps, HF_COUNT(steps));
    hf_bucket_apply(scripted.store, &plan, HF_BUCKET_UNLOCKED, tell, &told);
    char *last = hf_script_last_request(scripted.server);
    assert_non_null(strstr(last, "\"Sid\":\"theirs\""));
    assert_non_null(strstr(last, "\"Sid\":\"R\""));
    assert_null(strstr(last, "\"Sid\":\"W")); /* refused, and so not there */
    free(last);
    scripted_store_end(&scripted, HF_COUNT(steps));
    assert_int_equal(told.count, 3);
    was_told(&told, 1, HF_PART_POLICY + HF_ROLE_WRITER, HF_OUTCOME_REFUSED);
    was_told(&told, 2, HF_PART_POLICY + HF_ROLE_READER, HF_OUTCOME_SET);
    hf_bucket_plan_done(&plan);
    hf_config_free(config);
}

/* What is there cannot be seen, so nothing is put in its place. */
static void
an_unread_policy_is_left_as_it_is(void **state)
{
    static const struct hf_script_step steps[] = {
        { .expect = "PUT /logs?lifecycle= ", .reply = DONE },
        { .expect = "GET /logs?policy= ",
          .reply = XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>") },
    };
    struct hf_bucket_given given = { .host = HOST, WRITER("w") };
    (void)state;
    struct told told = apply("retention: none", &given, HF_BUCKET_UNLOCKED, steps, HF_COUNT(steps));
    assert_int_equal(told.count, 2);
    was_told(&told, 1, HF_PART_POLICY + HF_ROLE_WRITER, HF_OUTCOME_REFUSED);
    assert_string_equal(told.steps[1].err.store_code, "AccessDenied");
}

static void
only_a_missing_bucket_is_made(void **state)
{
    static const struct hf_script_step missing[] = {
        { .reply = XML("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>") },
        { .expect = "x-amz-bucket-object-lock-enabled: true", .reply = DONE },
    };
    static const struct hf_script_step there[] = {
        { .reply = XML("200 OK", "<ObjectLockConfiguration/>") },
    };
    struct scripted_store scripted;
    enum hf_lock_state lock;
    struct hf_error err;
    bool made;
    (void)state;
    scripted_store_begin(&scripted, "logs", missing, HF_COUNT(missing));
    assert_int_equal(hf_bucket_make(scripted.store, &made, &lock, &err), HF_OK);
    assert_true(made);
    assert_int_equal(lock, HF_BUCKET_LOCKED);
    scripted_store_end(&scripted, HF_COUNT(missing));

    scripted_store_begin(&scripted, "logs", there, HF_COUNT(there));
    assert_int_equal(hf_bucket_make(scripted.store, &made, &lock, &err), HF_OK);
    assert_false(made);
    assert_int_equal(lock, HF_BUCKET_UNLOCKED);
    scripted_store_end(&scripted, HF_COUNT(there));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(documents_go_in_the_parts_order_whatever_is_refused),
        WITH_FOLDER(without_object_lock_there_is_no_default_lock),
        WITH_FOLDER(a_lifecycle_goes_without_the_moves_that_are_refused),
        WITH_FOLDER(what_would_hide_locked_versions_is_not_sent),
        WITH_FOLDER(each_role_is_put_beside_what_is_there),
        WITH_FOLDER(an_unread_policy_is_left_as_it_is),
        WITH_FOLDER(only_a_missing_bucket_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
