/* Cutting is a pure function of the journal and the rule: whenever the cutter runs, however often
 * it starts anew, the same windows come out. What they should be is told by a second, simpler
 * cutter that sees everything at once. */
#include "tests/unit/window/given_journal.h"

#define WINDOW_S 10
#define SLOT     1800000000
#define ROUNDS   4000
#define WINDOWS  (GIVEN_BATCHES * GIVEN_ENTRIES)
#define CUTS     64

struct list {
    struct hf_window items[WINDOWS];
    size_t count;
};

struct rule {
    struct hf_selection selection;
    uint64_t max_bytes;
    uint64_t cuts[CUTS]; /* closed at these sequences */
    size_t cut_count;
};

static uint64_t random_state;

static uint64_t
pick(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void
make_journal(struct hf_journal *journal)
{
    static const uint64_t steps[] = { 0, 0, 1, 3, 9, 11, 35 };
    uint64_t stamp_s = SLOT + pick(WINDOW_S), batches = 1 + pick(GIVEN_BATCHES - 1);
    bool steps_back = pick(4) == 0, loses = pick(3) == 0;
    *journal = (struct hf_journal){ 0 };
    for (uint64_t i = 0; i < batches; i++) {
        stamp_s += steps[pick(HF_COUNT(steps))];
        if (steps_back && pick(10) == 0)
            stamp_s -= pick(60);
        struct given_batch *batch =
            given_add(journal, stamp_s, (uint32_t)(1 + pick(GIVEN_ENTRIES)), 1, 1);
        batch->lost = loses && pick(8) == 0;
        for (uint32_t at = 0; at < batch->count; at++) {
            batch->entries[at].size = (uint32_t)(1 + pick(pick(9) == 0 ? 400 : 40));
            batch->entries[at].source = (uint16_t)pick(4);
            batch->entries[at].event_time_s = (int64_t)pick(1000) - 500;
        }
    }
}

static void
make_rule(struct rule *rule)
{
    *rule = (struct rule){ .max_bytes = HF_OBJECT_OVERHEAD + 1 + pick(400) };
    rule->selection.all = pick(3) == 0;
    for (uint16_t source = 1; source < 4; source++)
        if (pick(2))
            hf_selection_add(&rule->selection, source);
}

/* ---- the second cutter ---- */

static void
close_window(struct list *list, struct hf_window *open, enum hf_cut_reason reason)
{
    open->reason = reason;
    list->items[list->count++] = *open;
    *open = (struct hf_window){ 0 };
}

static bool
is_cut_between(const struct rule *rule, uint64_t last_seq, uint64_t seq)
{
    for (size_t i = 0; i < rule->cut_count; i++)
        if (rule->cuts[i] >= last_seq && rule->cuts[i] < seq)
            return true;
    return false;
}

static void
expect(const struct hf_journal *journal, const struct rule *rule, struct list *ret_list)
{
    struct hf_window open = { 0 };
    ret_list->count = 0;
    for (size_t b = 0; b < journal->count; b++) {
        const struct given_batch *batch = &journal->batches[b];
        int64_t slot_s = (int64_t)(batch->stamp_s / WINDOW_S * WINDOW_S);
        for (uint32_t i = 0; i < batch->count && !batch->lost; i++) {
            const struct hf_journal_entry *entry = &batch->entries[i];
            uint64_t seq = batch->first_seq + i;
            bool taken = hf_selection_has(&rule->selection, entry->source);
            if (open.first_seq && is_cut_between(rule, open.last_seq, seq))
                close_window(ret_list, &open, HF_CUT_NOW);
            else if (open.first_seq && open.slot_s != slot_s)
                close_window(ret_list, &open, HF_CUT_TIME);
            else if (taken && open.count > 0 && open.bytes + 1 + entry->size > rule->max_bytes)
                close_window(ret_list, &open, HF_CUT_SIZE);
            if (!open.first_seq)
                open = (struct hf_window){ .first_seq = seq,
                                           .slot_s = slot_s,
                                           .bytes = HF_OBJECT_OVERHEAD };
            open.last_seq = seq;
            if (!taken)
                continue;
            open.bytes += entry->size + (open.count > 0 ? 1 : 0);
            int64_t time_s = entry->event_time_s;
            open.oldest_s = open.count == 0 || time_s < open.oldest_s ? time_s : open.oldest_s;
            open.newest_s = open.count == 0 || time_s > open.newest_s ? time_s : open.newest_s;
            open.count++;
        }
    }
    if (open.first_seq)
        close_window(ret_list, &open,
                     is_cut_between(rule, open.last_seq, UINT64_MAX) ? HF_CUT_NOW : HF_CUT_TIME);
}

/* ---- the cutter under test, at whatever moments ---- */

static struct hf_cutter *
start(struct hf_journal *journal, const struct rule *rule, uint64_t from_seq)
{
    struct hf_cutter *cutter;
    assert_int_equal(hf_cutter_new(journal, &rule->selection, WINDOW_S, rule->max_bytes, from_seq,
                                   &cutter, NULL),
                     HF_OK);
    return cutter;
}

/* What the journal promises: no later batch has a stamp before it. */
static uint64_t
highest_floor_s(const struct hf_journal *journal)
{
    uint64_t floor_s = SLOT + 1000000;
    for (size_t b = journal->visible; b < journal->count; b++)
        floor_s = HF_MIN(floor_s, journal->batches[b].stamp_s);
    return floor_s;
}

static void
reveal(struct hf_journal *journal_now, uint64_t batches)
{
    journal_now->visible += HF_MIN(batches, journal_now->count - journal_now->visible);
    journal_now->floor_s = highest_floor_s(journal_now) - pick(20);
}

static void
drain(struct hf_cutter *cutter, uint64_t delay_s, struct list *list)
{
    struct hf_journal_loss loss;
    enum hf_status status;
    do {
        status = hf_cutter_next(cutter, delay_s, &list->items[list->count], &loss, NULL);
        list->count += status == HF_OK;
        assert_true(list->count < WINDOWS);
    } while (status == HF_OK || status == HF_ECORRUPT);
    assert_int_equal(status, HF_EFULL);
}

static void
close_at(struct hf_cutter *cutter, uint64_t last_seq, struct list *list)
{
    struct hf_journal_loss loss;
    enum hf_status status;
    do {
        status = hf_cutter_close_at(cutter, last_seq, &list->items[list->count], &loss, NULL);
        list->count += status == HF_OK;
        assert_true(list->count < WINDOWS);
    } while (status == HF_OK || status == HF_ECORRUPT);
    assert_int_equal(status, HF_EFULL);
}

static void
assert_same(const struct list *expected, const struct list *list, uint64_t seed)
{
    for (size_t i = 0; i < expected->count && i < list->count; i++) {
        const struct hf_window *a = &expected->items[i], *b = &list->items[i];
        if (a->first_seq != b->first_seq || a->last_seq != b->last_seq || a->count != b->count ||
            a->bytes != b->bytes || a->slot_s != b->slot_s || a->oldest_s != b->oldest_s ||
            a->newest_s != b->newest_s || a->reason != b->reason)
            fail_msg("seed %llu, window %zu: %llu-%llu expected, %llu-%llu cut",
                     (unsigned long long)seed, i, (unsigned long long)a->first_seq,
                     (unsigned long long)a->last_seq, (unsigned long long)b->first_seq,
                     (unsigned long long)b->last_seq);
    }
    assert_int_equal(expected->count, list->count);
}

static struct hf_journal journal;
static struct rule rule;
static struct list expected, list;

static void
late_cut_gives_the_expected_windows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15ull;
        make_journal(&journal);
        make_rule(&rule);
        journal.floor_s = SLOT + 1000000;
        list.count = 0;
        struct hf_cutter *cutter = start(&journal, &rule, 1);
        drain(cutter, pick(5), &list);
        hf_cutter_free(cutter);
        expect(&journal, &rule, &expected);
        assert_same(&expected, &list, seed);
        uint64_t losses = 0;
        for (size_t b = 0; b < journal.count; b++)
            losses += journal.batches[b].lost;
        assert_int_equal(journal.losses_reported, losses);
    }
}

static void
cutting_while_the_journal_grows_gives_the_same_windows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15ull;
        make_journal(&journal);
        make_rule(&rule);
        journal.visible = 0;
        list.count = 0;
        struct hf_cutter *cutter = start(&journal, &rule, 1);
        while (journal.visible < journal.count) {
            reveal(&journal, pick(3));
            drain(cutter, pick(5), &list);
        }
        journal.floor_s = SLOT + 1000000;
        drain(cutter, 3, &list);
        hf_cutter_free(cutter);
        expect(&journal, &rule, &expected);
        assert_same(&expected, &list, seed);
    }
}

/* A new start goes on behind the last window that was recorded; what was open then is read again.
 */
static void
starting_anew_gives_the_same_windows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15ull;
        make_journal(&journal);
        make_rule(&rule);
        journal.visible = 0;
        list.count = 0;
        struct hf_cutter *cutter = start(&journal, &rule, 1);
        while (journal.visible < journal.count) {
            reveal(&journal, pick(4));
            drain(cutter, pick(5), &list);
            if (pick(3))
                continue;
            uint64_t recorded = list.count ? list.items[list.count - 1].last_seq + 1 : 1;
            uint64_t from_seq = pick(2) ? recorded : hf_cutter_next_seq(cutter);
            assert_true(from_seq >= recorded);
            hf_cutter_free(cutter);
            cutter = start(&journal, &rule, from_seq);
        }
        journal.floor_s = SLOT + 1000000;
        drain(cutter, 0, &list);
        hf_cutter_free(cutter);
        expect(&journal, &rule, &expected);
        assert_same(&expected, &list, seed);
    }
}

/* A flush cuts where it is told to, and moves no other cut. */
static void
closing_in_between_cuts_there_and_nowhere_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15ull;
        make_journal(&journal);
        make_rule(&rule);
        journal.visible = 0;
        list.count = 0;
        struct hf_cutter *cutter = start(&journal, &rule, 1);
        while (journal.visible < journal.count) {
            uint64_t seen_seq = given_last_seq(&journal);
            reveal(&journal, 1 + pick(3));
            if (pick(3) > 0 || rule.cut_count == CUTS) {
                drain(cutter, pick(5), &list);
                continue;
            }
            uint64_t last_seq = seen_seq + 1 + pick(given_last_seq(&journal) - seen_seq);
            size_t before = list.count;
            close_at(cutter, last_seq, &list);
            assert_int_equal(hf_cutter_due_s(cutter, 0), 0); /* nothing is left open */
            assert_true(hf_cutter_next_seq(cutter) > last_seq);
            if (list.count > before && list.items[list.count - 1].reason == HF_CUT_NOW)
                rule.cuts[rule.cut_count++] = last_seq;
        }
        journal.floor_s = SLOT + 1000000;
        drain(cutter, 0, &list);
        hf_cutter_free(cutter);
        expect(&journal, &rule, &expected);
        assert_same(&expected, &list, seed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_cut_gives_the_expected_windows),
        cmocka_unit_test(cutting_while_the_journal_grows_gives_the_same_windows),
        cmocka_unit_test(starting_anew_gives_the_same_windows),
        cmocka_unit_test(closing_in_between_cuts_there_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
