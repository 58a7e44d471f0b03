#include "tests/support/test.h"

#include "agent/bucket/bucket_impl.h"

#include <holdfast/json.h>

#define KEEP "{\"ID\":\"keep\",\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":30}}"
#define MOVE                                                                                       \
    "{\"ID\":\"move\",\"Status\":\"Enabled\",\"Filter\":{\"Prefix\":\"\"},"                        \
    "\"Transitions\":[{\"Days\":90,\"StorageClass\":\"COLD\"}]}"
#define BOTH                                                                                       \
    "{\"ID\":\"both\",\"Expiration\":{\"ExpiredObjectDeleteMarker\":true},"                        \
    "\"NoncurrentVersionTransitions\":[{\"NoncurrentDays\":7,\"StorageClass\":\"ICE\"}]}"

static json_t *
parsed(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    return doc;
}

/* ---- moves ---- */

static void
rest_is(const char *lifecycle, const char *expected)
{
    json_t *doc = parsed(lifecycle), *wanted = parsed(expected), *before = json_deep_copy(doc);
    json_t *rest = lifecycle_without_moves(doc);
    if (!json_equal(rest, wanted))
        fail_msg("%s", json_dumps(rest, JSON_COMPACT));
    assert_true(json_equal(doc, before));
    json_decref(doc);
    json_decref(wanted);
    json_decref(before);
    json_decref(rest);
}

static void
what_is_no_move_stays(void **state)
{
    (void)state;
    rest_is("{\"Rules\":[" KEEP "," MOVE "]}", "{\"Rules\":[" KEEP "]}");
    rest_is("{\"Rules\":[" MOVE "," MOVE "," KEEP "]}", "{\"Rules\":[" KEEP "]}");
    rest_is("{\"Rules\":[" BOTH "]}",
            "{\"Rules\":[{\"ID\":\"both\",\"Expiration\":{\"ExpiredObjectDeleteMarker\":true}}]}");
    rest_is("{\"Rules\":[" MOVE "]}", "{\"Rules\":[]}");
    rest_is("{\"Rules\":\"?\"}", "{\"Rules\":\"?\"}");
}

static void
moves_are(const char *lifecycle, const char *expected)
{
    json_t *doc = parsed(lifecycle);
    char *found = lifecycle_moves(doc);
    if (expected)
        assert_string_equal(found ? found : "none", expected);
    else
        assert_null(found);
    free(found);
    json_decref(doc);
}

static void
moves_are_named_with_class_and_day(void **state)
{
    (void)state;
    moves_are("{\"Rules\":[" KEEP "]}", NULL);
    moves_are("{}", NULL);
    moves_are("{\"Rules\":[" KEEP "," MOVE "]}", "to storage class COLD after 90 days");
    moves_are(
        "{\"Rules\":[" MOVE "," BOTH "]}",
        "to storage class COLD after 90 days, noncurrent versions to storage class ICE after 7 "
        "days");
}

/* ---- what hides locked versions ---- */

static void
hides(const char *rule, uint64_t lock_days, const char *expected)
{
    char *text = hf_asprintf("{\"Rules\":[" KEEP ",%s]}", rule);
    json_t *doc = parsed(text);
    struct hf_error err = { 0 };
    enum hf_status status = lifecycle_check(doc, lock_days, &err);
    assert_int_equal(status, expected ? HF_EREFUSED : HF_OK);
    if (expected && !strstr(err.text, expected))
        fail_msg("'%s' does not say '%s'", err.text, expected);
    json_decref(doc);
    free(text);
}

static void
no_current_version_is_hidden_before_its_lock_ends(void **state)
{
    (void)state;
    hides("{\"ID\":\"x\",\"Status\":\"Enabled\",\"Expiration\":{\"Days\":30}}", 365,
          "rule 'x' would hide current versions after 30 days, and they are locked for 365");
    hides("{\"ID\":\"x\",\"Expiration\":{\"Days\":365}}", 365, "'x'");
    hides("{\"ID\":\"x\",\"Expiration\":{\"Days\":366}}", 365, NULL);
    hides("{\"ID\":\"x\",\"Status\":\"Disabled\",\"Expiration\":{\"Days\":30}}", 365, NULL);
    hides("{\"ID\":\"x\",\"Expiration\":{\"Days\":30}}", 0, NULL); /* nothing is locked */
    hides("{\"ID\":\"x\",\"Expiration\":{\"Date\":\"2040-01-01T00:00:00Z\"}}", 1, "at a date");
    hides("{\"ID\":\"x\",\"Expiration\":{\"ExpiredObjectDeleteMarker\":true}}", 365, NULL);
    hides(MOVE, 365, NULL);
}

/* What a store makes of a document: IDs of its own, moves in an order of its own, numbers as text. */
static void
what_a_store_adds_and_reorders_is_no_difference(void **state)
{
    json_t *wanted =
        parsed("{\"Rules\":[{\"Status\":\"Enabled\",\"Filter\":{},\"Expiration\":{\"Days\":9}},"
               "{\"Status\":\"Enabled\",\"Filter\":{\"And\":{\"Prefix\":\"b/\"}},\"Transitions\":["
               "{\"Days\":30,\"StorageClass\":\"IA\"},{\"Days\":60,\"StorageClass\":\"COLD\"}]}]}");
    json_t *present = parsed(
        "{\"Rules\":[{\"ID\":\"x1\",\"Status\":\"Enabled\",\"Prefix\":\"b/\",\"Transitions\":["
        "{\"Days\":\"60\",\"StorageClass\":\"COLD\"},{\"Days\":\"30\",\"StorageClass\":\"IA\"}]},"
        "{\"ID\":\"x2\",\"Status\":\"Enabled\",\"Filter\":\"\",\"Expiration\":{\"Days\":\"9\"}}]}");
    struct hf_differences differences;
    (void)state;
    json_t *named = lifecycle_named(wanted, present);
    differences_find(present, named, &differences);
    assert_int_equal(differences.count, 0);
    differences_done(&differences);
    json_decref(named);
    json_object_set_new(
        json_object_get(json_array_get(json_object_get(wanted, "Rules"), 0), "Expiration"), "Days",
        json_integer(10));
    named = lifecycle_named(wanted, present); /* still the rule for the same keys */
    differences_find(present, named, &differences);
    assert_int_equal(differences.count, 1);
    assert_string_equal(differences.items[0].what, "Rules 'x2'.Expiration.Days");
    differences_done(&differences);
    json_decref(named);
    json_decref(wanted);
    json_decref(present);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_move_stays),
        cmocka_unit_test(moves_are_named_with_class_and_day),
        cmocka_unit_test(what_a_store_adds_and_reorders_is_no_difference),
        cmocka_unit_test(no_current_version_is_hidden_before_its_lock_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
