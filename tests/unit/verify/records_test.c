/* Counting records without a tree of them. */
#include "tests/support/test.h"

#include "agent/verify/verify_impl.h"

static void
counts(const char *json, uint64_t expected)
{
    uint64_t count = 999;

    if (!records_count(hf_slice_text(json), &count) || count != expected)
        fail_msg("%s: %d, expected %d", json, (int)count, (int)expected);
}

static void
records_are_counted_whatever_is_in_them(void **state)
{
    (void)state;
    counts("{\"Records\":[]}", 0);
    counts("{\"Records\":[ ]}", 0);
    counts(" { \"Records\" : [ { } ] } ", 1);
    counts("{\"Records\":[{},{}]}", 2);
    counts("{\"Records\":[{\"a\":[1,2,{\"b\":[3,4]}]},{\"c\":\"],}[{,\"},{}]}", 3);
    counts("{\"Records\":[{\"a\":\"\\\"],[\\\\\"},{}]}", 2);
    counts("{\"Records\":[\"a\",1,null]}", 3);
    counts("{\"other\":{\"Records\":[1,2]},\"x\":\"Records\",\"Records\":[1]}", 1);
}

static void
what_is_not_a_log_file_has_no_records(void **state)
{
    static const char *const texts[] = { "",
                                         "{}",
                                         "[]",
                                         "\"Records\"",
                                         "{\"Records\":{}}",
                                         "{\"Records\":3}",
                                         "{\"Records\"",
                                         "{\"Records\":",
                                         "{\"Records\":[",
                                         "{\"Records\":[{}",
                                         "{\"Records\":[\"a",
                                         "{\"Records",
                                         "{\"records\":[]}",
                                         "{\"a\":\"Records\",\"b\":[1]}",
                                         "[\"Records\",[1]]",
                                         "}}}}[\"Records\":[]" };
    uint64_t count = 0;

    (void)state;
    for (size_t i = 0; i < HF_COUNT(texts); i++)
        if (records_count(hf_slice_text(texts[i]), &count))
            fail_msg("%s", texts[i]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_counted_whatever_is_in_them),
        cmocka_unit_test(what_is_not_a_log_file_has_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
