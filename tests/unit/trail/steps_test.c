/* The documents of the steps: the bytes that every version has written are read, and written again
 * as they were; what an earlier one left out has its default; what cannot be is refused. */
#include "tests/unit/trail/life.h"

#include <holdfast/json.h>
#include <string.h>

#define SHA "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    enum hf_step kind;
    const char *text;
} documents[] = {
    { HF_STEP_STATE, "{\"format\":1,\"trail\":\"all\",\"journal\":\"" LIFE_JOURNAL
                     "\",\"chain\":\"c\",\"created\":1,\"time\":2,\"cut_seq\":3,"
                     "\"digested_seq\":4,\"key_place\":\"\",\"old_head\":null,\"rules\":["
                     "{\"sources\":null,\"window_s\":60,\"window_max_bytes\":1000}]}" },
    { HF_STEP_STATE,
      "{\"format\":1,\"trail\":\"all\",\"journal\":\"" LIFE_JOURNAL
      "\",\"chain\":\"c\",\"created\":1,\"time\":2,\"cut_seq\":3,"
      "\"digested_seq\":4,\"key_place\":\"p\",\"old_head\":\"h\",\"rules\":["
      "{\"sources\":[1,4095],\"window_s\":60,\"window_max_bytes\":1000,\"to\":0},"
      "{\"gone\":true,\"to\":9},"
      "{\"sources\":null,\"window_s\":1,\"window_max_bytes\":15}],"
      "\"noted\":[[4,5],[7,7]],\"head\":{\"number\":1,\"bucket\":\"b\","
      "\"key\":\"k\",\"hash\":\"" SHA "\",\"signature\":\"s\",\"end\":5,\"retain_until\":6}}" },
    { HF_STEP_CUT, "{\"window\":\"1-9\",\"first\":1,\"last\":9,\"count\":8,\"bytes\":7,"
                   "\"slot\":60,\"oldest\":-1,\"newest\":2,\"reason\":1,\"time\":61,"
                   "\"generation\":0,\"key\":\"k\",\"compression\":\"libdeflate-6\","
                   "\"cut_seq\":9,\"sources\":[2,3]}" },
    { HF_STEP_CUT, "{\"window\":\"1-9\",\"first\":1,\"last\":9,\"count\":0,\"bytes\":7,"
                   "\"slot\":60,\"oldest\":0,\"newest\":0,\"reason\":2,\"time\":61,"
                   "\"generation\":3,\"key\":\"\",\"compression\":\"isa-l-2\",\"cut_seq\":12,"
                   "\"sources\":null,\"lost\":[[4,5]]}" },
    { HF_STEP_ATTEMPT, "{\"what\":\"1-9\",\"retain_until\":0}" },
    { HF_STEP_ATTEMPT, "{\"what\":\"digest\",\"retain_until\":86400,\"foreign\":true}" },
    { HF_STEP_RECEIPT,
      "{\"window\":\"1-9\",\"bucket\":\"b\",\"key\":\"k\",\"hash\":\"" SHA
      "\",\"stored_sha256\":\"" SHA "\",\"plain_sha256\":\"" SHA
      "\",\"oldest\":-5,\"newest\":5,\"first\":1,\"last\":9,\"count\":8,\"version_id\":null,"
      "\"confirmed\":\"head\",\"encryption\":\"none\",\"lock_mode\":\"COMPLIANCE\","
      "\"retain_until\":86400,\"repeated\":0,\"gaps\":[\"a\",\"b\"]}" },
    { HF_STEP_DIGEST_CUT,
      "{\"number\":1,\"start\":0,\"end\":60,\"bucket\":\"b\",\"key\":\"k\",\"fingerprint\":\"f\","
      "\"boot\":\"b\",\"first\":1,\"last\":9,\"objects\":0,\"pending\":["
      "{\"first\":1,\"last\":9,\"key\":\"k\"}]}" },
    { HF_STEP_DIGEST_CUT,
      "{\"number\":1,\"start\":0,\"end\":60,\"bucket\":\"b\",\"key\":\"k\",\"fingerprint\":\"f\","
      "\"boot\":\"b\",\"first\":1,\"last\":9,\"objects\":0,\"pending\":[]}" },
    { HF_STEP_DIGEST_RECEIPT, "{\"number\":1,\"bucket\":\"b\",\"key\":\"k\",\"hash\":\"" SHA
                              "\",\"signature\":\"s\",\"end\":5,\"retain_until\":6}" },
    { HF_STEP_KEY_RECEIPT, "{\"place\":\"p\",\"key\":\"k\"}" },
    { HF_STEP_FOREIGN, "{\"window\":\"1-9\",\"key\":\"k\",\"generation\":1,\"new_key\":\"n\"}" },
    { HF_STEP_FOREIGN, "{\"window\":\"\",\"key\":\"k\"}" },
    { HF_STEP_DROPPED, "{\"window\":\"1-9\"}" },
    { HF_STEP_LOSS, "{\"first\":4,\"last\":5,\"reason\":\"r\",\"cut_seq\":3}" },
};

#define CUT(first, last)                                                                           \
    "{\"first\":" first ",\"last\":" last ",\"count\":8,\"bytes\":7,\"time\":61,"                  \
    "\"generation\":0,\"key\":\"k\",\"reason\":0}"
#define DIGEST(number, end, first, last)                                                           \
    "{\"number\":" number ",\"start\":0,\"end\":" end ",\"bucket\":\"b\",\"key\":\"k\","           \
    "\"fingerprint\":\"f\",\"first\":" first ",\"last\":" last "}"

/* ---- what is asked for in one piece: this program is linked with --wrap ---- */

static size_t largest;
void *__real_hf_alloc(size_t size);
void *__real_hf_realloc(void *pointer, size_t size);
void *__wrap_hf_alloc(size_t size);
void *__wrap_hf_realloc(void *pointer, size_t size);

void *
__wrap_hf_alloc(size_t size)
{
    largest = HF_MAX(largest, size);
    return __real_hf_alloc(size);
}

void *
__wrap_hf_realloc(void *pointer, size_t size)
{
    largest = HF_MAX(largest, size);
    return __real_hf_realloc(pointer, size);
}

static void
documents_keep_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(documents); i++) {
        struct step step;
        json_t *doc = json_loads(documents[i].text, 0, NULL);
        assert_int_equal(step_read(documents[i].kind, doc, &step, NULL), HF_OK);
        json_t *again = step_write(&step);
        char *text = json_dumps(again, JSON_COMPACT);
        assert_string_equal(text, documents[i].text);
        step_done(&step);
        json_decref(doc);
        json_decref(again);
        free(text);
    }
}

static void
what_earlier_versions_left_out_has_its_default(void **state)
{
    struct life life;
    (void)state;
    life_begin(&life, LIFE_JOURNAL, "all", "sealed");
    assert_int_equal(life_read(&life, HF_STEP_STATE,
                               "{\"format\":1,\"journal\":\"" LIFE_JOURNAL "\",\"chain\":\"c\"}",
                               NULL),
                     HF_OK);
    assert_int_equal(life.line.rule.window_s, 60); /* the configuration's */
    assert_int_equal(life_read(&life, HF_STEP_CUT,
                               "{\"first\":1,\"last\":9,\"count\":8,\"bytes\":7,\"time\":61,"
                               "\"generation\":0,\"key\":\"k\",\"reason\":0}",
                               NULL),
                     HF_OK);
    const struct window *window = life.outbox.windows;
    assert_string_equal(window->id, "1-9");
    assert_true(window->selection.all);
    assert_int_equal(window->compression, HF_COMPRESSION_USUAL);
    assert_int_equal(life.line.cut_seq, 9);
    assert_int_equal(life_read(&life, HF_STEP_FOREIGN,
                               "{\"window\":\"1-9\",\"key\":\"k\",\"new_key\":\"n\"}", NULL),
                     HF_OK);
    assert_int_equal(window->generation, 1);
    assert_int_equal(life_read(&life, HF_STEP_RECEIPT,
                               "{\"window\":\"1-9\",\"bucket\":\"b\",\"key\":\"n\",\"hash\":\"" SHA
                               "\",\"stored_sha256\":\"" SHA "\",\"plain_sha256\":\"" SHA
                               "\",\"first\":1,\"last\":9,\"count\":8}",
                               NULL),
                     HF_OK);
    assert_null(life.outbox.windows);
    assert_null(life.lists.objects[0].version_id);
    assert_int_equal(life_read(&life, HF_STEP_LOSS, "{}", NULL), HF_OK);
    assert_string_equal(life.lists.losses[0].reason, "");
    assert_int_equal(life_read(&life, HF_STEP_DIGEST_CUT,
                               "{\"number\":1,\"start\":0,\"end\":60,\"bucket\":\"b\",\"key\":"
                               "\"k\",\"fingerprint\":\"f\",\"first\":1,\"last\":9,"
                               "\"objects\":1}",
                               NULL),
                     HF_OK);
    assert_string_equal(life.chain.digest->digest.boot, "");
    assert_int_equal(life_read(&life, HF_STEP_KEY_RECEIPT, "{}", NULL), HF_OK);
    assert_string_equal(life.chain.key_place, "");
    life_end(&life);
}

static void
what_cannot_be_is_refused(void **state)
{
    static const struct {
        enum hf_step kind;
        enum hf_status status;
        const char *text, *word;
    } cases[] = {
        { HF_STEP_CUT, HF_EFORMAT, "{\"first\":-1}", "negative" },
        { HF_STEP_CUT, HF_EFORMAT, "{\"first\":1}", "'last'" },
        { HF_STEP_CUT, HF_ECORRUPT,
          "{\"first\":1,\"last\":9,\"count\":8,\"bytes\":7,\"time\":61,\"generation\":0,"
          "\"key\":\"k\",\"reason\":7}",
          "'reason'" },
        { HF_STEP_CUT, HF_ECORRUPT, CUT("0", "0"), "no range" },
        { HF_STEP_CUT, HF_ECORRUPT, CUT("9", "8"), "no range" },
        { HF_STEP_LOSS, HF_ECORRUPT, "{\"first\":5,\"last\":4}", "no range" },
        { HF_STEP_LOSS, HF_ECORRUPT, "{\"last\":4}", "no range" },
        { HF_STEP_RECEIPT, HF_ECORRUPT,
          "{\"window\":\"\",\"bucket\":\"b\",\"key\":\"n\",\"hash\":\"" SHA
          "\",\"stored_sha256\":\"" SHA "\",\"plain_sha256\":\"" SHA
          "\",\"first\":0,\"last\":9,\"count\":8}",
          "no range" },
        { HF_STEP_DIGEST_CUT, HF_ECORRUPT, DIGEST("0", "60", "1", "9"), "from 1" },
        { HF_STEP_DIGEST_CUT, HF_ECORRUPT, DIGEST("1", "60", "0", "0"), "no range" },
        { HF_STEP_DIGEST_CUT, HF_ECORRUPT, DIGEST("1", "60", "9", "7"), "no range" },
        { HF_STEP_DIGEST_CUT, HF_ECORRUPT, DIGEST("1", "253402300801", "1", "9"), "'end'" },
        { HF_STEP_DIGEST_RECEIPT, HF_ECORRUPT,
          "{\"number\":0,\"bucket\":\"b\",\"key\":\"k\",\"hash\":\"" SHA
          "\",\"signature\":\"s\",\"end\":5}",
          "from 1" },
        { HF_STEP_ATTEMPT, HF_EFORMAT, "{\"what\":7,\"retain_until\":0}", "'what'" },
        { HF_STEP_RECEIPT, HF_ECORRUPT,
          "{\"window\":\"\",\"bucket\":\"b\",\"key\":\"n\",\"hash\":\"0\"}", "64 digits" },
        { HF_STEP_DIGEST_CUT, HF_ECORRUPT,
          "{\"number\":1,\"start\":0,\"end\":60,\"bucket\":\"b\",\"key\":\"k\","
          "\"fingerprint\":\"f\",\"first\":1,\"last\":9,\"objects\":1}",
          "0 receipts" },
        { HF_STEP_STATE, HF_EVERSION,
          "{\"format\":2,\"journal\":\"" LIFE_JOURNAL "\",\"chain\":\"c\"}", "newer" },
        { HF_STEP_STATE, HF_EREFUSED, "{\"format\":1,\"journal\":\"other\",\"chain\":\"c\"}",
          "mixed" },
        { HF_STEP_STATE, HF_ECORRUPT,
          "{\"format\":1,\"journal\":\"" LIFE_JOURNAL "\",\"chain\":\"c\",\"rules\":[{}]}",
          "no window" },
        { HF_STEP_STATE, HF_ECORRUPT,
          "{\"format\":1,\"journal\":\"" LIFE_JOURNAL
          "\",\"chain\":\"c\",\"rules\":[{\"sources\":[0,4096],\"window_s\":60,"
          "\"window_max_bytes\":1000}]}",
          "selects nothing" },
        { HF_STEP_STATE, HF_ECORRUPT,
          "{\"format\":1,\"journal\":\"" LIFE_JOURNAL
          "\",\"chain\":\"c\",\"rules\":[{\"gone\":true,\"to\":9},{\"gone\":true,\"to\":8}]}",
          "order" },
        { HF_STEP_STATE, HF_ECORRUPT,
          "{\"format\":1,\"journal\":\"" LIFE_JOURNAL
          "\",\"chain\":\"0123456789abcdef0123456789abcdef0\"}",
          "key 'chain' has more than 32 characters" },
        { (enum hf_step)10, HF_ECORRUPT, "{}", "unknown step" },
        { (enum hf_step)(HF_STEP_LAST + 1), HF_ECORRUPT, "{}", "unknown step" },
    };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        struct life life;
        struct hf_error err = { 0 };
        life_begin(&life, LIFE_JOURNAL, "all", "sealed");
        if (cases[i].kind != HF_STEP_STATE)
            chain_set_id(&life.chain, "c");
        assert_int_equal(life_read(&life, cases[i].kind, cases[i].text, &err), cases[i].status);
        assert_non_null(strstr(err.text, cases[i].word));
        life_end(&life);
    }
}

/* From the first that is not sealed is seen how much of the journal may go: an earlier one behind
 * it would not be asked. */
static void
windows_that_are_not_in_order_are_refused(void **state)
{
    static const char *const second[] = { CUT("1", "9"), CUT("10", "19"), CUT("19", "30") };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(second); i++) {
        struct life life;
        struct hf_error err = { 0 };
        life_begin(&life, LIFE_JOURNAL, "all", "sealed");
        chain_set_id(&life.chain, "c");
        assert_int_equal(life_read(&life, HF_STEP_CUT, CUT("10", "19"), &err), HF_OK);
        assert_int_equal(life_read(&life, HF_STEP_CUT, second[i], &err), HF_ECORRUPT);
        assert_non_null(strstr(err.text, "10-19"));
        assert_null(life.outbox.windows->next);
        assert_int_equal(life.line.cut_seq, 19);
        life_end(&life);
    }
}

/* A ledger that names no chain was taken for a new one's, whatever else stood in it: the start ended
 * in an assertion. */
static void
ledger_begins_with_its_state_and_has_one(void **state)
{
    static const char whole[] = "{\"format\":1,\"journal\":\"" LIFE_JOURNAL "\",\"chain\":\"c\"}",
                      no_chain[] = "{\"format\":1,\"journal\":\"" LIFE_JOURNAL "\",\"chain\":\"\"}";
    struct life life;
    struct hf_error err = { 0 };
    (void)state;
    life_begin(&life, LIFE_JOURNAL, "all", "sealed");
    assert_int_equal(life_read(&life, HF_STEP_CUT, CUT("1", "9"), &err), HF_ECORRUPT);
    assert_non_null(strstr(err.text, "begin with its state"));
    assert_int_equal(life_read(&life, HF_STEP_STATE, no_chain, &err), HF_ECORRUPT);
    assert_int_equal(life_read(&life, HF_STEP_STATE, whole, &err), HF_OK);
    assert_int_equal(life_read(&life, HF_STEP_STATE, whole, &err), HF_ECORRUPT);
    assert_non_null(strstr(err.text, "second"));
    life_end(&life);
}

/* The step is as long as one may be in a ledger: two bytes of it must not take half a kilobyte. */
static void
list_of_what_is_nothing_takes_no_memory(void **state)
{
    struct step step;
    struct hf_error err = { 0 };
    json_t *nothing = json_array(),
           *doc = json_pack("{s:i, s:s, s:s}", "format", 1, "journal", LIFE_JOURNAL, "chain", "c");
    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(json_array_append_new(nothing, json_integer(0)), 0);
    assert_int_equal(json_object_set_new(doc, "rules", nothing), 0);
    largest = 0;
    assert_int_equal(step_read(HF_STEP_STATE, doc, &step, &err), HF_ECORRUPT);
    assert_in_range(largest, 1, 10000);
    json_decref(doc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_keep_every_byte),
        cmocka_unit_test(what_earlier_versions_left_out_has_its_default),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(windows_that_are_not_in_order_are_refused),
        cmocka_unit_test(ledger_begins_with_its_state_and_has_one),
        cmocka_unit_test(list_of_what_is_nothing_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
