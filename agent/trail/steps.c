/* The table of each step. Names, order and what may be missing are those of every version that
 * has written a ledger. */
#include "agent/trail/steps.h"

#include "agent/trail/document.h"

#include <holdfast/json.h>
#include <holdfast/layout.h>

#define KEY_MOST         (HF_KEY_MAX - 1)
#define AT(type, member) .at = offsetof(struct type, member)
#define LIST_AT(type, member, number)                                                              \
    .at = offsetof(struct type, member), .count_at = offsetof(struct type, number)
#define TABLE(type, its_fields)                                                                    \
    {                                                                                              \
        .fields = (its_fields), .count = HF_COUNT(its_fields), .size = sizeof(struct type)         \
    }

static const struct field cut_fields[] = {
    { "window", TEXT, MAY, AT(step_cut, window) },
    { "first", U64, MUST, AT(step_cut, range.first_seq) },
    { "last", U64, MUST, AT(step_cut, range.last_seq) },
    { "count", U64, MUST, AT(step_cut, range.count) },
    { "bytes", U64, MUST, AT(step_cut, range.bytes) },
    { "slot", SIGNED, MAY, AT(step_cut, range.slot_s) },
    { "oldest", SIGNED, MAY, AT(step_cut, range.oldest_s) },
    { "newest", SIGNED, MAY, AT(step_cut, range.newest_s) },
    { "reason", UINT, MUST, AT(step_cut, range.reason), .most = HF_CUT_NOW },
    { "time", TIME, MUST, AT(step_cut, time_s) },
    { "generation", UINT, MUST, AT(step_cut, generation), .most = UINT32_MAX },
    { "key", TEXT, MUST, AT(step_cut, key), .most = KEY_MOST },
    { "compression", TEXT, MAY, AT(step_cut, compression) },
    { "cut_seq", U64, MAY, AT(step_cut, cut_seq) },
    { "sources", SELECTION, MAY, AT(step_cut, selection) },
    { "lost", RANGES, SPARSE, LIST_AT(step_cut, lost, lost_count) },
};

static const struct field attempt_fields[] = {
    { "what", TEXT, MUST, AT(step_attempt, what) },
    { "retain_until", TIME, MUST, AT(step_attempt, retain_until_s) },
    { "foreign", FLAG, SPARSE, AT(step_attempt, foreign) },
};

static const struct field receipt_fields[] = {
    { "window", TEXT, MUST, AT(step_receipt, window) },
    { "bucket", TEXT, MUST, AT(step_receipt, bucket) },
    { "key", TEXT, MUST, AT(step_receipt, key) },
    { "hash", HASH, MUST, AT(step_receipt, hash) },
    { "stored_sha256", HASH, MUST, AT(step_receipt, stored_sha256) },
    { "plain_sha256", HASH, MUST, AT(step_receipt, plain_sha256) },
    { "oldest", SIGNED, MAY, AT(step_receipt, oldest_s) },
    { "newest", SIGNED, MAY, AT(step_receipt, newest_s) },
    { "first", U64, MUST, AT(step_receipt, first_seq) },
    { "last", U64, MUST, AT(step_receipt, last_seq) },
    { "count", U64, MUST, AT(step_receipt, count) },
    { "version_id", TEXT, MAY, AT(step_receipt, version_id) },
    { "confirmed", TEXT, MAY, AT(step_receipt, confirmed) },
    { "encryption", TEXT, MAY, AT(step_receipt, encryption) },
    { "lock_mode", TEXT, MAY, AT(step_receipt, lock_mode) },
    { "retain_until", TIME, MAY, AT(step_receipt, retain_until_s) },
    { "repeated", U64, MAY, AT(step_receipt, repeated) },
    { "gaps", TEXTS, SPARSE, LIST_AT(step_receipt, gaps, gap_count) },
};

static const struct field pending_fields[] = {
    { "first", U64, MAY, AT(step_pending, first_seq) },
    { "last", U64, MAY, AT(step_pending, last_seq) },
    { "key", TEXT, MAY, AT(step_pending, key) },
};
static const struct table pending_table = TABLE(step_pending, pending_fields);

static const struct field digest_cut_fields[] = {
    { "number", U64, MUST, AT(step_digest_cut, number) },
    { "start", TIME, MUST, AT(step_digest_cut, start_s) },
    { "end", TIME, MUST, AT(step_digest_cut, end_s) },
    { "bucket", TEXT, MUST, AT(step_digest_cut, bucket) },
    { "key", TEXT, MUST, AT(step_digest_cut, key) },
    { "fingerprint", TEXT, MUST, AT(step_digest_cut, fingerprint) },
    { "boot", TEXT, MAY, AT(step_digest_cut, boot) },
    { "first", U64, MUST, AT(step_digest_cut, first_seq) },
    { "last", U64, MUST, AT(step_digest_cut, last_seq) },
    { "objects", U64, MAY, AT(step_digest_cut, object_count) },
    { "pending", LIST, MAY, LIST_AT(step_digest_cut, pending, pending_count),
      .of = &pending_table },
};

static const struct field digest_receipt_fields[] = {
    { "number", U64, MUST, AT(step_digest_receipt, number) },
    { "bucket", TEXT, MUST, AT(step_digest_receipt, bucket) },
    { "key", TEXT, MUST, AT(step_digest_receipt, key), .most = KEY_MOST },
    { "hash", TEXT, MUST, AT(step_digest_receipt, hash), .most = 64 },
    { "signature", TEXT, MUST, AT(step_digest_receipt, signature) },
    { "end", TIME, MUST, AT(step_digest_receipt, end_s) },
    { "retain_until", TIME, MAY, AT(step_digest_receipt, retain_until_s) },
    { "lock_mode", TEXT, SPARSE, AT(step_digest_receipt, lock_mode) },
};

static const struct field key_receipt_fields[] = {
    { "place", TEXT, MAY, AT(step_key_receipt, place) },
    { "key", TEXT, MAY, AT(step_key_receipt, key) },
};

static const struct field foreign_fields[] = {
    { "window", TEXT, MUST, AT(step_foreign, window) },
    { "key", TEXT, MUST, AT(step_foreign, key) },
    { "generation", UINT, SPARSE, AT(step_foreign, generation), .most = UINT32_MAX },
    { "new_key", TEXT, SPARSE, AT(step_foreign, new_key), .most = KEY_MOST },
};

static const struct field dropped_fields[] = {
    { "window", TEXT, MAY, AT(step_dropped, window) },
};

static const struct field loss_fields[] = {
    { "first", U64, MAY, AT(step_loss, first_seq) },
    { "last", U64, MAY, AT(step_loss, last_seq) },
    { "reason", TEXT, MAY, AT(step_loss, reason) },
    { "cut_seq", U64, MAY, AT(step_loss, cut_seq) },
};

/* One that is gone has nothing else in it; any other selects something. */
static const struct field rule_fields[] = {
    { "gone", FLAG, SPARSE, AT(step_rule, rule.gone) },
    { "sources", SELECTION, SPARSE, AT(step_rule, rule.selection) },
    { "window_s", U64, SPARSE, AT(step_rule, rule.window_s) },
    { "window_max_bytes", U64, SPARSE, AT(step_rule, rule.window_max_bytes) },
    { "to", U64_END, SPARSE, AT(step_rule, to_seq) },
};

/* One that is gone selects nothing, though a document without sources selects all. */
static enum hf_status
settle_rule(void *said, struct hf_error *err)
{
    struct rule *rule = &((struct step_rule *)said)->rule;
    if (rule->gone)
        *rule = (struct rule){ .gone = true };
    else if (!rule->window_s || rule->window_max_bytes <= HF_OBJECT_OVERHEAD)
        return hf_fail(err, HF_ECORRUPT, "a rule has no window");
    else if (selection_is_none(&rule->selection)) /* left out it would be all of them */
        return hf_fail(err, HF_ECORRUPT, "a rule selects nothing");
    return HF_OK;
}
static const struct table rule_table = { .fields = rule_fields,
                                         .count = HF_COUNT(rule_fields),
                                         .size = sizeof(struct step_rule),
                                         .settle = settle_rule };
static const struct table digest_receipt_table = TABLE(step_digest_receipt, digest_receipt_fields);

static const struct field state_fields[] = {
    { "format", UINT, MUST, AT(step_state, format), .most = UINT32_MAX },
    { "trail", TEXT, MAY, AT(step_state, trail) },
    { "journal", TEXT, MUST, AT(step_state, journal) },
    { "chain", TEXT, MUST, AT(step_state, chain), .most = HF_ID_SIZE - 1 },
    { "created", TIME, MAY, AT(step_state, created_s) },
    { "time", TIME, MAY, AT(step_state, time_s) },
    { "cut_seq", U64, MAY, AT(step_state, cut_seq) },
    { "digested_seq", U64, MAY, AT(step_state, digested_seq) },
    { "key_place", TEXT, MAY, AT(step_state, key_place) },
    { "old_head", TEXT, MAY, AT(step_state, old_head) },
    { "rules", LIST, MAY, LIST_AT(step_state, rules, rule_count), .of = &rule_table },
    { "noted", RANGES, SPARSE, LIST_AT(step_state, noted, noted_count) },
    { "head", PART, SPARSE, AT(step_state, head), .of = &digest_receipt_table },
};

static const struct table tables[HF_STEP_LAST + 1] = {
    [HF_STEP_STATE] = TABLE(step_state, state_fields),
    [HF_STEP_CUT] = TABLE(step_cut, cut_fields),
    [HF_STEP_ATTEMPT] = TABLE(step_attempt, attempt_fields),
    [HF_STEP_RECEIPT] = TABLE(step_receipt, receipt_fields),
    [HF_STEP_DIGEST_CUT] = TABLE(step_digest_cut, digest_cut_fields),
    [HF_STEP_DIGEST_RECEIPT] = TABLE(step_digest_receipt, digest_receipt_fields),
    [HF_STEP_KEY_RECEIPT] = TABLE(step_key_receipt, key_receipt_fields),
    [HF_STEP_FOREIGN] = TABLE(step_foreign, foreign_fields),
    [HF_STEP_DROPPED] = TABLE(step_dropped, dropped_fields),
    [HF_STEP_LOSS] = TABLE(step_loss, loss_fields),
};

json_t *
step_write(const struct step *step)
{
    return document_write(&tables[step->kind], &step->state);
}

/* ---- what the fields alone do not say ---- */

static enum hf_status
check_rules(const struct step_state *state, struct hf_error *err)
{
    uint64_t before = 0;
    for (size_t i = 0; i < state->rule_count; i++) {
        if (state->rules[i].to_seq < before)
            return hf_fail(err, HF_ECORRUPT, "the rules are not in order");
        before = state->rules[i].to_seq;
    }
    return HF_OK;
}

/* Sequences begin with 1. What may be empty ends just before it begins. */
static enum hf_status
check_range(uint64_t first_seq, uint64_t last_seq, bool may_be_empty, struct hf_error *err)
{
    if (first_seq && last_seq + may_be_empty >= first_seq)
        return HF_OK;
    return hf_fail(err, HF_ECORRUPT, "%llu to %llu is no range of sequences",
                   (unsigned long long)first_seq, (unsigned long long)last_seq);
}

static enum hf_status
check_number(uint64_t number, struct hf_error *err)
{
    return number ? HF_OK : hf_fail(err, HF_ECORRUPT, "digests are numbered from 1");
}

/* What is applied is counted on from: without this a window that begins nowhere would let go of
 * all of the journal. */
static enum hf_status
check(const struct step *step, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    switch (step->kind) {
    case HF_STEP_STATE: return check_rules(&step->state, err);
    case HF_STEP_CUT:
        return check_range(step->cut.range.first_seq, step->cut.range.last_seq, false, err);
    case HF_STEP_RECEIPT:
        return check_range(step->receipt.first_seq, step->receipt.last_seq, false, err);
    case HF_STEP_DIGEST_CUT:
        status = check_number(step->digest_cut.number, err);
        return status == HF_OK
                   ? check_range(step->digest_cut.first_seq, step->digest_cut.last_seq, true, err)
                   : status;
    case HF_STEP_DIGEST_RECEIPT: return check_number(step->digest_receipt.number, err);
    case HF_STEP_LOSS: /* or of sequences that nobody knows */
        if (step->loss.first_seq || step->loss.last_seq)
            status = check_range(step->loss.first_seq, step->loss.last_seq, false, err);
        return status;
    default: return HF_OK;
    }
}

enum hf_status
step_read(enum hf_step kind, const json_t *doc, struct step *ret_step, struct hf_error *err)
{
    if (kind <= 0 || kind > HF_STEP_LAST || !tables[kind].count)
        return hf_fail(err, HF_ECORRUPT, "unknown step %d", (int)kind);
    struct step step = { .kind = kind };
    enum hf_status status = document_read(&tables[kind], doc, &step.state, err);
    if (status != HF_OK)
        return status;
    if ((status = check(&step, err)) != HF_OK) {
        step_done(&step);
        return status;
    }
    *ret_step = step;
    return HF_OK;
}

void
step_done(struct step *step)
{
    document_done(&tables[step->kind], &step->state);
}
