/* What `holdfast status` shows of trails and stores; documented in agent/cli/JSON.md. */
#include "agent/trail/set.h"

#include <holdfast/json.h>

static void
set_time(json_t *doc, const char *key, int64_t seconds)
{
    char text[HF_TIME_SIZE];
    hf_time_rfc3339(seconds, text);
    hf_doc_set_text(doc, key, seconds ? text : NULL);
}

/* The trail whose place in the journal is the oldest: without it, more could be let go. */
static const struct trail *
pinning(const struct hf_trails *trails, const struct hf_journal_info *journal)
{
    const struct trail *pins = NULL;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        uint64_t sealed_seq = trail_sealed_seq(trail);
        if (!trail->line.rule.gone && sealed_seq < journal->durable_seq &&
            (!pins || sealed_seq < trail_sealed_seq(pins)))
            pins = trail;
    }
    return pins;
}

/* When the first event arrived that is in no window yet. Where the cutter may not read on (a
 * clock that cannot be right, too much that waits), the journal is asked for its batch. */
static int64_t
uncut_since_s(const struct trail *trail, const struct hf_journal_info *info)
{
    const struct hf_window *open =
        trail->line.cutter ? hf_cutter_open_window(trail->line.cutter) : NULL;
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    if (open)
        return open->arrived_s;
    if (trail->line.rule.gone || info->durable_seq <= trail->line.cut_seq ||
        hf_journal_reader_open(trail->trails->options.journal, trail->line.cut_seq + 1, &reader,
                               NULL) != HF_OK)
        return 0;
    enum hf_status status = hf_journal_reader_next(reader, &batch, &loss, NULL);
    int64_t since_s = status == HF_OK ? (int64_t)(batch.stamp_ns / HF_NS_PER_S) : 0;
    hf_journal_reader_close(reader);
    return since_s;
}

static void
set_backlog(json_t *doc, const struct trail *trail, const struct hf_journal_info *info)
{
    const struct hf_window *open =
        trail->line.cutter ? hf_cutter_open_window(trail->line.cutter) : NULL;
    uint64_t windows = 0, records = 0, bytes = open ? open->bytes : 0;
    int64_t since_s = 0, now_s = hf_wall_s();
    for (const struct window *window = trail->outbox.windows; window; window = window->next) {
        windows++;
        records += window->range.count;
        bytes += window->range.bytes;
        if (windows == 1)
            since_s = window->range.arrived_s ? window->range.arrived_s : window->range.slot_s;
    }
    if (!windows)
        since_s = uncut_since_s(trail, info);
    hf_doc_set_u64(doc, "windows_waiting", windows);
    hf_doc_set_u64(doc, "records_waiting", records);
    hf_doc_set_u64(doc, "uncut_events",
                   !trail->line.rule.gone && info->durable_seq > trail->line.cut_seq
                       ? info->durable_seq - trail->line.cut_seq
                       : 0);
    hf_doc_set_u64(doc, "backlog_bytes", bytes);
    hf_doc_set_u64(doc, "backlog_s", since_s && now_s > since_s ? (uint64_t)(now_s - since_s) : 0);
}

static void
set_counts(json_t *doc, const struct trail *trail)
{
    hf_doc_set_u64(doc, "objects_delivered", trail->counts.objects);
    hf_doc_set_u64(doc, "records_delivered", trail->counts.records);
    hf_doc_set_u64(doc, "records_locked", trail->counts.locked);
    hf_doc_set_u64(doc, "bytes_delivered", trail->counts.bytes);
    hf_doc_set_u64(doc, "digests_delivered", trail->counts.digests);
    hf_doc_set_u64(doc, "puts", trail->counts.puts);
    hf_doc_set_u64(doc, "puts_again", trail->counts.puts_again);
    hf_doc_set_u64(doc, "failures", trail->health.failed);
    hf_doc_set(doc, "errors", hf_doc_status_counts(trail->health.errors));
    hf_doc_set_u64(doc, "repeated", trail->counts.repeated);
    hf_doc_set_u64(doc, "events_lost", trail->counts.lost);
}

static json_t *
trail_doc(const struct trail *trail, const struct trail *pins,
          const struct hf_journal_info *journal)
{
    const struct settings *s = &trail->plan->settings;
    json_t *doc = json_object();
    hf_doc_set_text(doc, "name", trail->name);
    hf_doc_set_text(doc, "bucket", s->bucket);
    hf_doc_set_text(doc, "store", s->store);
    hf_doc_set_text(doc, "prefix", s->layout.prefix);
    hf_doc_set_text(doc, "state", health_text(trail->health.state));
    hf_doc_set_bool(doc, "draining", trail->draining);
    hf_doc_set_text(doc, "reason", *trail->health.why ? trail->health.why : NULL);
    hf_doc_set_text(doc, "class", *trail->health.why ? hf_status_name(trail->health.class) : NULL);
    set_time(doc, "since", *trail->health.why ? trail->health.since_s : 0);
    int64_t retry_ms = trail->health.retry_ms - (int64_t)hf_boot_ms();
    hf_doc_set_u64(doc, "retry_in_s",
                   *trail->health.why && retry_ms > 0 ? (uint64_t)(retry_ms + 999) / 1000 : 0);
    hf_doc_set_text(doc, "encryption", hf_encryption_text(s->encryption));
    char compression[HF_COMPRESSION_TEXT_MAX];
    hf_compression_text(trail->line.pace.compression, compression);
    hf_doc_set_text(doc, "compression", trail->line.pace.compression ? compression : NULL);
    hf_doc_set_text(doc, "lock_mode", hf_lock_mode_text(s->lock_mode));
    hf_doc_set_u64(doc, "lock_days", s->lock_days);
    hf_doc_set_text(doc, "chain", trail->chain.id);
    set_backlog(doc, trail, journal);
    hf_doc_set_u64(doc, "spool_bytes", trail->outbox.spool_bytes);
    hf_doc_set_u64(doc, "spool_max_bytes", s->spool_max_bytes);
    hf_doc_set_bool(doc, "spool_full", trail->outbox.spool_bytes >= s->spool_max_bytes);
    hf_doc_set_u64(doc, "cut_sequence", trail->line.cut_seq);
    hf_doc_set_u64(doc, "sealed_sequence", trail_sealed_seq(trail));
    hf_doc_set_bool(doc, "pins_journal", trail == pins);
    hf_doc_set_bool(doc, "chain_unseen", trail->chain.unseen);
    hf_doc_set_u64(doc, "strays", trail->chain.stray_count);
    hf_doc_set_text(doc, "digest_problem", *trail->chain.seal_why ? trail->chain.seal_why : NULL);
    hf_doc_set_text(doc, "head_problem", head_problem_text(trail->chain.head_problem));
    hf_doc_set_u64(doc, "head_problems", trail->chain.head_problems);
    set_counts(doc, trail);
    hf_doc_set_u64(doc, "ledger_repairs", trail->book.repairs);
    set_time(doc, "last_delivery", trail->counts.last_delivery_s);
    hf_doc_set_u64(doc, "objects_undigested",
                   trail->lists.object_count +
                       (trail->chain.digest ? trail->chain.digest->digest.object_count : 0));
    hf_doc_set_u64(doc, "digest_number", trail->chain.head.number);
    hf_doc_set_text(doc, "digest_key", trail->chain.head.number ? trail->chain.head.key : NULL);
    hf_doc_set_text(doc, "digest_bucket",
                    trail->chain.head.number ? trail->chain.head.bucket : NULL);
    hf_doc_set_text(doc, "digest_sha256", trail->chain.head.number ? trail->chain.head.hash : NULL);
    hf_doc_set_text(doc, "digest_signature",
                    trail->chain.head.number ? trail->chain.head.signature : NULL);
    set_time(doc, "last_digest", trail->chain.head.end_s);
    hf_doc_set_text(doc, "public_key", hf_signer_fingerprint(trail->plan->signer));
    return doc;
}

json_t *
status_doc(struct hf_trails *trails)
{
    struct hf_journal_info journal;
    hf_journal_info(trails->options.journal, &journal);
    json_t *doc = json_object(), *list = json_array(), *stores = json_array();
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        json_array_append_new(list, trail_doc(trail, pinning(trails, &journal), &journal));
    for (const struct store_slot *slot = trails->stores; slot; slot = slot->next) {
        json_t *store = json_object();
        hf_doc_set_text(store, "name", slot->config->name);
        hf_doc_set_text(store, "url", slot->config->url);
        hf_doc_set_bool(store, "advisory",
                        slot->config->kind == HF_STORE_DIR &&
                            slot->config->worm == HF_WORM_ADVISORY);
        hf_doc_set(store, "skew_s", json_integer(hf_deliverer_skew_s(slot->deliverer)));
        json_array_append_new(stores, store);
    }
    hf_doc_set(doc, "trails", list);
    hf_doc_set(doc, "stores", stores);
    hf_doc_set_u64(doc, "reserve_bytes", trails->reserve.have);
    return doc;
}
