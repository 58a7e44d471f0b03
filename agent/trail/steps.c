/* The ledger's documents, both ways. A document says everything that replay needs: nothing is
 * looked up elsewhere. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

enum hf_status
step_record(struct trail *trail, enum hf_step step, json_t *doc)
{
    struct hf_error err;
    enum hf_status status = hf_ledger_add(trail->ledger, step, doc, &err);
    json_decref(doc);
    if (status != HF_OK && !trail->ledger_trouble) {
        hf_log_error("ledger.failed", HF_STR("trail", trail->name), HF_ERR(&err));
        trail->ledger_trouble = true;
    }
    return status;
}

bool
step_sync(struct trail *trail)
{
    if (!trail->ledger_trouble) {
        struct hf_error err;
        if (hf_ledger_sync(trail->ledger, &err) == HF_OK)
            return true;
        hf_log_error("ledger.failed", HF_STR("trail", trail->name), HF_ERR(&err));
        trail->ledger_trouble = true;
    }
    return snapshot_write(trail); /* memory is ahead of the file: write all of it anew */
}

/* ---- the whole trail ---- */

json_t *
step_state_doc(const struct trail *trail)
{
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "format", STATE_FORMAT);
    hf_doc_set_text(doc, "trail", trail->name);
    hf_doc_set_text(doc, "journal", trail->trails->options.identity->journal);
    hf_doc_set_text(doc, "chain", trail->chain);
    hf_doc_set_u64(doc, "created", (uint64_t)trail->created_s);
    hf_doc_set_u64(doc, "time", (uint64_t)trail->last_time_s);
    hf_doc_set_u64(doc, "cut_seq", trail->cut_seq);
    hf_doc_set_u64(doc, "digested_seq", trail->digested_seq);
    hf_doc_set_text(doc, "key_place", trail->key_in_bucket);
    hf_doc_set_text(doc, "old_head", trail->old_head);
    hf_doc_set(doc, "rules", rules_doc(trail));
    if (trail->noted_count)
        hf_doc_set(doc, "noted", lost_doc(trail->noted, trail->noted_count));
    if (trail->head.number)
        hf_doc_set(doc, "head", step_digest_receipt_doc(&trail->head));
    return doc;
}

static enum hf_status
replay_state(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    const char *journal, *chain;
    uint64_t format;
    enum hf_status status;
    if ((status = hf_doc_u64(doc, "format", &format, err)) != HF_OK ||
        (status = hf_doc_text(doc, "journal", &journal, err)) != HF_OK ||
        (status = hf_doc_text(doc, "chain", &chain, err)) != HF_OK)
        return status;
    if (format != STATE_FORMAT)
        return hf_fail(err, HF_EVERSION, "ledger format %llu: made by a newer holdfast",
                       (unsigned long long)format);
    if (strcmp(journal, trail->trails->options.identity->journal) != 0)
        return hf_fail(
            err, HF_EREFUSED,
            "the ledger belongs to journal %s: parts of two state directories were mixed", journal);
    snprintf(trail->chain, sizeof(trail->chain), "%s", chain);
    trail->created_s = (int64_t)hf_doc_u64_or(doc, "created", 0);
    trail->last_time_s = (int64_t)hf_doc_u64_or(doc, "time", 0);
    trail->cut_seq = hf_doc_u64_or(doc, "cut_seq", 0);
    trail->digested_seq = hf_doc_u64_or(doc, "digested_seq", 0);
    snprintf(trail->key_in_bucket, sizeof(trail->key_in_bucket), "%s",
             hf_doc_text_or(doc, "key_place", ""));
    hf_freep(&trail->old_head);
    trail->old_head = hf_strdup(hf_doc_text_or(doc, "old_head", NULL));
    hf_freep(&trail->noted);
    trail->noted_count = lost_from_doc(json_object_get(doc, "noted"), &trail->noted);
    status = rules_from_doc(trail, json_object_get(doc, "rules"), err);
    if (status != HF_OK)
        return status;
    json_t *head = json_object_get(doc, "head");
    return head ? replay_head(trail, head, err) : HF_OK;
}

enum hf_status
step_replay(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    struct trail *trail = context;
    switch (step) {
    case HF_STEP_STATE: return replay_state(trail, doc, err);
    case HF_STEP_CUT: return replay_cut(trail, doc, err);
    case HF_STEP_ATTEMPT: return replay_attempt(trail, doc, err);
    case HF_STEP_RECEIPT: return replay_receipt(trail, doc, err);
    case HF_STEP_DIGEST_CUT: return replay_digest_cut(trail, doc, err);
    case HF_STEP_DIGEST_RECEIPT: return replay_head(trail, doc, err);
    case HF_STEP_KEY_RECEIPT:
        snprintf(trail->key_in_bucket, sizeof(trail->key_in_bucket), "%s",
                 hf_doc_text_or(doc, "place", ""));
        trail->key_out.first_retain_s = trail->key_out.last_retain_s = -1;
        trail->key_out.maybe_there = false;
        return HF_OK;
    case HF_STEP_FOREIGN: return replay_foreign(trail, doc, err);
    case HF_STEP_LOSS:
        loss_add(trail, hf_doc_u64_or(doc, "first", 0), hf_doc_u64_or(doc, "last", 0),
                 hf_doc_text_or(doc, "reason", ""));
        trail->cut_seq = HF_MAX(trail->cut_seq, hf_doc_u64_or(doc, "cut_seq", 0));
        noted_add(trail, hf_doc_u64_or(doc, "first", 0), hf_doc_u64_or(doc, "last", 0));
        return HF_OK;
    case HF_STEP_DROPPED: replay_dropped(trail, hf_doc_text_or(doc, "window", "")); return HF_OK;
    }
    return hf_fail(err, HF_ECORRUPT, "unknown step %d", (int)step);
}
