/* Where memory and ledger once told different stories: each has its test. */
#include "tests/unit/trail/life.h"

#include <string.h>

static void
visit(void *context, const struct step *step)
{
    life_apply(context, step);
}

static void
assert_same_when_written_anew(const struct life *life)
{
    struct life anew;
    life_begin(&anew, LIFE_JOURNAL, "all", "sealed");
    state_steps(&life->state, visit, &anew);
    char *before = life_text(&life->state), *after = life_text(&anew.state);
    assert_string_equal(after, before);
    free(before);
    free(after);
    life_end(&anew);
}

static void
begin(struct life *life)
{
    life_begin(life, LIFE_JOURNAL, "all", "sealed");
    chain_set_id(&life->chain, "c");
}

static void
attempt(struct life *life, const char *what, int64_t retain_s, bool foreign)
{
    life_apply(life,
               &(struct step){ .kind = HF_STEP_ATTEMPT, .attempt = { what, retain_s, foreign } });
}

static void
cut(struct life *life, uint64_t first_seq, uint64_t last_seq)
{
    life_apply(life,
               &(struct step){
                   .kind = HF_STEP_CUT,
                   .cut = { .range = { .first_seq = first_seq, .last_seq = last_seq, .count = 1 },
                            .time_s = 1000,
                            .key = "key",
                            .selection.all = true } });
}

/* A start that replayed the receipt kept the mark, and showed an old reason in `status` for ever. */
static void
key_receipt_forgets_that_its_place_was_taken(void **state)
{
    struct life life;
    (void)state;
    begin(&life);
    attempt(&life, "key", 86400, true);
    life_apply(&life, &(struct step){ .kind = HF_STEP_KEY_RECEIPT, .key_receipt = { "p", "k" } });
    assert_false(life.chain.key.foreign);
    assert_int_equal(life.chain.key.first_retain_s, -1);
    assert_string_equal(life.chain.key_place, "p");
    assert_same_when_written_anew(&life);
    life_end(&life);
}

/* A ledger that was written anew between a start and the key's sealing knew nothing of its attempts:
 * with confirm: put what lay there was adopted, whosever it was, and its date could go back. */
static void
attempts_of_a_key_that_is_not_sealed_yet_stay_known(void **state)
{
    struct life life;
    (void)state;
    begin(&life);
    attempt(&life, "key", 86400, false);
    attempt(&life, "key", 2 * 86400, true);
    assert_null(life.chain.key.sealed);
    assert_same_when_written_anew(&life);
    life_end(&life);
}

/* They were looked for among all that goes out, and written to as if they were windows. */
static void
foreign_step_moves_windows_only(void **state)
{
    static const char *const names[] = { "key", "digest", "" };
    struct life life;
    (void)state;
    begin(&life);
    attempt(&life, "key", 86400, false);
    life_apply(
        &life,
        &(struct step){
            .kind = HF_STEP_DIGEST_CUT,
            .digest_cut = {
                .number = 1, .bucket = "b", .key = "k", .fingerprint = "f", .first_seq = 1 } });
    attempt(&life, "digest", 86400, false);
    for (size_t i = 0; i < HF_COUNT(names); i++)
        life_apply(&life,
                   &(struct step){ .kind = HF_STEP_FOREIGN, .foreign = { names[i], "k", 1, "n" } });
    assert_int_equal(life.lists.foreign_count, HF_COUNT(names));
    assert_int_equal(life.chain.key.last_retain_s, 86400);
    assert_int_equal(life.chain.digest->out.last_retain_s, 86400);
    life_end(&life);
}

/* T in memory was the time at which a digest was cut, T in the ledger the end that it has. */
static void
time_is_what_the_steps_say(void **state)
{
    struct life life;
    (void)state;
    begin(&life);
    cut(&life, 1, 9);
    assert_int_equal(life.chain.time_s, 1000);
    life_apply(&life, &(struct step){ .kind = HF_STEP_DIGEST_CUT,
                                      .digest_cut = { .number = 1,
                                                      .end_s = 1060,
                                                      .bucket = "b",
                                                      .key = "k",
                                                      .fingerprint = "f",
                                                      .first_seq = 1,
                                                      .last_seq = 9 } });
    assert_int_equal(life.chain.time_s, 1060);
    cut(&life, 10, 19); /* by a clock that was set back: not earlier than that */
    assert_int_equal(life.chain.time_s, 1060);
    life_end(&life);
}

/* What a digest that nobody has seen would have listed comes first again, losses and foreign keys
 * as well as objects. */
static void
lists_that_are_taken_back_come_first(void **state)
{
    struct life life;
    (void)state;
    begin(&life);
    life_apply(&life, &(struct step){ .kind = HF_STEP_LOSS, .loss = { 1, 2, "first", 0 } });
    life_apply(&life, &(struct step){ .kind = HF_STEP_FOREIGN,
                                      .foreign = { .window = "", .key = "first" } });
    life_apply(&life, &(struct step){ .kind = HF_STEP_DIGEST_CUT,
                                      .digest_cut = { .number = 1,
                                                      .bucket = "b",
                                                      .key = "k",
                                                      .fingerprint = "f",
                                                      .first_seq = 1,
                                                      .last_seq = 9 } });
    assert_int_equal(life.chain.digested_seq, 9);
    life_apply(&life, &(struct step){ .kind = HF_STEP_LOSS, .loss = { 20, 21, "second", 0 } });
    life_apply(&life, &(struct step){ .kind = HF_STEP_FOREIGN,
                                      .foreign = { .window = "", .key = "second" } });
    chain_begin_anew(&life.chain, &life.lists, "d");
    assert_null(life.chain.digest);
    assert_int_equal(life.chain.digested_seq, 0);
    assert_int_equal(life.lists.loss_count, 2);
    assert_string_equal(life.lists.losses[0].reason, "first");
    assert_string_equal(life.lists.foreign[1], "second");
    assert_same_when_written_anew(&life);
    life_end(&life);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_receipt_forgets_that_its_place_was_taken),
        cmocka_unit_test(attempts_of_a_key_that_is_not_sealed_yet_stay_known),
        cmocka_unit_test(foreign_step_moves_windows_only),
        cmocka_unit_test(time_is_what_the_steps_say),
        cmocka_unit_test(lists_that_are_taken_back_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
