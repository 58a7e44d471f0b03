/* Ledger documents of windows: cut, attempt, receipt, foreign, loss. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

/* ---- windows ---- */

json_t *
lost_doc(const struct hf_journal_loss *lost, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("[I, I]", (json_int_t)lost[i].first_seq,
                                               (json_int_t)lost[i].last_seq));
    return array;
}

size_t
lost_from_doc(const json_t *array, struct hf_journal_loss **ret_lost)
{
    size_t index, count = 0;
    json_t *pair;
    *ret_lost = hf_alloc((json_array_size(array) + 1) * sizeof(**ret_lost));
    json_array_foreach(array, index, pair)
    {
        json_int_t first = json_integer_value(json_array_get(pair, 0)),
                   last = json_integer_value(json_array_get(pair, 1));
        if (first > 0 && last >= first)
            (*ret_lost)[count++] = (struct hf_journal_loss){ .first_seq = (uint64_t)first,
                                                             .last_seq = (uint64_t)last };
    }
    return count;
}

json_t *
step_cut_doc(const struct window *window)
{
    json_t *doc = json_object();
    hf_doc_set_text(doc, "window", window->id);
    hf_doc_set_u64(doc, "first", window->range.first_seq);
    hf_doc_set_u64(doc, "last", window->range.last_seq);
    hf_doc_set_u64(doc, "count", window->range.count);
    hf_doc_set_u64(doc, "bytes", window->range.bytes);
    hf_doc_set_u64(doc, "slot", (uint64_t)window->range.slot_s);
    hf_doc_set(doc, "oldest",
               json_integer(window->range.oldest_s)); /* event times may lie before 1970 */
    hf_doc_set(doc, "newest", json_integer(window->range.newest_s));
    hf_doc_set_u64(doc, "reason", window->range.reason);
    hf_doc_set_u64(doc, "time", (uint64_t)window->time_s);
    hf_doc_set_u64(doc, "generation", window->generation);
    hf_doc_set_text(doc, "key", window->key);
    char compression[HF_COMPRESSION_TEXT_MAX];
    hf_compression_text(window->compression, compression);
    hf_doc_set_text(doc, "compression", compression);
    hf_doc_set_u64(doc, "cut_seq", window->trail->cut_seq);
    hf_doc_set(doc, "sources", selection_doc(&window->selection));
    if (window->lost_count)
        hf_doc_set(doc, "lost", lost_doc(window->lost, window->lost_count));
    return doc;
}

static int64_t
signed_or(const json_t *doc, const char *key, int64_t fallback)
{
    json_t *value = json_object_get(doc, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

enum hf_status
replay_cut(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    struct hf_window range = { 0 };
    uint64_t time_s, generation, reason;
    const char *key;
    enum hf_status status;
    if ((status = hf_doc_u64(doc, "first", &range.first_seq, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "last", &range.last_seq, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "count", &range.count, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "bytes", &range.bytes, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "time", &time_s, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "generation", &generation, err)) != HF_OK ||
        (status = hf_doc_text(doc, "key", &key, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "reason", &reason, err)) != HF_OK)
        return status;
    range.slot_s = signed_or(doc, "slot", 0);
    range.oldest_s = signed_or(doc, "oldest", 0);
    range.newest_s = signed_or(doc, "newest", 0);
    range.reason = (enum hf_cut_reason)reason;
    trail->last_time_s = HF_MAX(trail->last_time_s, (int64_t)time_s);
    trail->cut_seq =
        HF_MAX(trail->cut_seq, HF_MAX(range.last_seq, hf_doc_u64_or(doc, "cut_seq", 0)));
    noted_drop(trail, range.last_seq);
    if (range.count == 0)
        return HF_OK;
    struct window *window = window_new(trail, &range, (int64_t)time_s, (unsigned)generation, key);
    selection_from_doc(json_object_get(doc, "sources"), &window->selection);
    if (!hf_compression_parse(hf_doc_text_or(doc, "compression", NULL), &window->compression))
        window->compression = HF_COMPRESSION_USUAL; /* what an earlier version cut */
    window->lost_count = lost_from_doc(json_object_get(doc, "lost"), &window->lost);
    return HF_OK;
}

/* ---- attempts: `what` is a window's id, "digest" or "key" ---- */

json_t *
step_attempt_doc(const char *what, int64_t retain_until_s, bool foreign)
{
    json_t *doc = json_object();
    hf_doc_set_text(doc, "what", what);
    hf_doc_set_u64(doc, "retain_until", (uint64_t)retain_until_s);
    if (foreign)
        hf_doc_set_bool(doc, "foreign", true);
    return doc;
}

static struct outgoing *
find_outgoing(struct trail *trail, const char *what)
{
    if (strcmp(what, "key") == 0)
        return &trail->key_out;
    if (strcmp(what, "digest") == 0)
        return trail->digest ? &trail->digest->out : NULL;
    for (struct window *window = trail->windows; window; window = window->next) {
        if (strcmp(window->id, what) == 0)
            return &window->out;
    }
    return NULL;
}

enum hf_status
replay_attempt(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    const char *what;
    uint64_t retain_until_s;
    enum hf_status status = hf_doc_text(doc, "what", &what, err);
    if (status == HF_OK)
        status = hf_doc_u64(doc, "retain_until", &retain_until_s, err);
    struct outgoing *out = status == HF_OK ? find_outgoing(trail, what) : NULL;
    if (!out)
        return status;
    if (out->first_retain_s < 0)
        out->first_retain_s = (int64_t)retain_until_s;
    out->last_retain_s = (int64_t)retain_until_s;
    out->maybe_there = true; /* an ATTEMPT without a RECEIPT: how it ended is unknown */
    out->foreign = json_is_true(json_object_get(doc, "foreign"));
    return HF_OK;
}

/* ---- receipts ---- */

struct hf_digest_object *
object_add(struct trail *trail)
{
    if (trail->object_count == trail->object_room) {
        trail->object_room = trail->object_room ? 2 * trail->object_room : 16;
        trail->objects = hf_realloc(trail->objects, trail->object_room * sizeof(*trail->objects));
    }
    struct hf_digest_object *object = &trail->objects[trail->object_count++];
    memset(object, 0, sizeof(*object));
    return object;
}

void
object_done(struct hf_digest_object *object)
{
    hf_freep(&object->bucket);
    hf_freep(&object->key);
    hf_freep(&object->version_id);
    hf_freep(&object->confirmed);
    hf_freep(&object->encryption);
    hf_freep(&object->lock_mode);
}

json_t *
step_receipt_doc(const struct hf_digest_object *object, const char *window,
                 const struct hf_sealed *sealed)
{
    json_t *doc = json_object();
    hf_doc_set_text(doc, "window", window);
    hf_doc_set_text(doc, "bucket", object->bucket);
    hf_doc_set_text(doc, "key", object->key);
    hf_doc_set_text(doc, "hash", object->hash);
    hf_doc_set_text(doc, "stored_sha256", object->stored_sha256);
    hf_doc_set_text(doc, "plain_sha256", object->plain_sha256);
    hf_doc_set(doc, "oldest", json_integer(object->oldest_s));
    hf_doc_set(doc, "newest", json_integer(object->newest_s));
    hf_doc_set_u64(doc, "first", object->first_seq);
    hf_doc_set_u64(doc, "last", object->last_seq);
    hf_doc_set_u64(doc, "count", object->count);
    hf_doc_set_text(doc, "version_id", object->version_id);
    hf_doc_set_text(doc, "confirmed", object->confirmed);
    hf_doc_set_text(doc, "encryption", object->encryption);
    hf_doc_set_text(doc, "lock_mode", object->lock_mode);
    hf_doc_set_u64(doc, "retain_until", (uint64_t)object->retain_until_s);
    hf_doc_set_u64(doc, "repeated", object->repeated);
    if (sealed && sealed->gap_count) {
        json_t *gaps = json_array();
        for (size_t i = 0; i < sealed->gap_count; i++)
            json_array_append_new(gaps, json_string(sealed->gaps[i]));
        hf_doc_set(doc, "gaps", gaps);
    }
    return doc;
}

enum hf_status
replay_receipt(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    const char *bucket, *key, *hash, *stored, *plain, *window;
    uint64_t first, last, count;
    enum hf_status status;
    if ((status = hf_doc_text(doc, "bucket", &bucket, err)) != HF_OK ||
        (status = hf_doc_text(doc, "key", &key, err)) != HF_OK ||
        (status = hf_doc_text(doc, "hash", &hash, err)) != HF_OK ||
        (status = hf_doc_text(doc, "stored_sha256", &stored, err)) != HF_OK ||
        (status = hf_doc_text(doc, "plain_sha256", &plain, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "first", &first, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "last", &last, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "count", &count, err)) != HF_OK ||
        (status = hf_doc_text(doc, "window", &window, err)) != HF_OK)
        return status;
    if (strlen(hash) != 64 || strlen(stored) != 64 || strlen(plain) != 64)
        return hf_fail(err, HF_ECORRUPT, "a receipt's hash is not 64 digits");
    struct hf_digest_object *object = object_add(trail);
    memcpy(object->hash, hash, sizeof(object->hash));
    memcpy(object->stored_sha256, stored, sizeof(object->stored_sha256));
    memcpy(object->plain_sha256, plain, sizeof(object->plain_sha256));
    object->bucket = hf_strdup(bucket);
    object->key = hf_strdup(key);
    object->first_seq = first;
    object->last_seq = last;
    object->count = count;
    object->oldest_s = signed_or(doc, "oldest", 0);
    object->newest_s = signed_or(doc, "newest", 0);
    object->version_id = hf_strdup(hf_doc_text_or(doc, "version_id", NULL));
    object->confirmed = hf_strdup(hf_doc_text_or(doc, "confirmed", NULL));
    object->encryption = hf_strdup(hf_doc_text_or(doc, "encryption", NULL));
    object->lock_mode = hf_strdup(hf_doc_text_or(doc, "lock_mode", NULL));
    object->retain_until_s = (int64_t)hf_doc_u64_or(doc, "retain_until", 0);
    object->repeated = hf_doc_u64_or(doc, "repeated", 0);
    size_t index;
    json_t *gap;
    json_array_foreach(json_object_get(doc, "gaps"), index, gap)
    {
        if (json_is_string(gap))
            gap_add(trail, json_string_value(gap));
    }
    replay_dropped(trail, window);
    return HF_OK;
}

void
replay_dropped(struct trail *trail, const char *id)
{
    for (struct window *window = trail->windows; window; window = window->next) {
        if (strcmp(window->id, id) == 0) {
            window_remove(trail, window);
            return;
        }
    }
}

/* ---- losses and foreign keys ---- */

json_t *
step_loss_doc(const struct hf_digest_loss *loss, uint64_t cut_seq)
{
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "first", loss->first_seq);
    hf_doc_set_u64(doc, "last", loss->last_seq);
    hf_doc_set_text(doc, "reason", loss->reason);
    hf_doc_set_u64(doc, "cut_seq", cut_seq);
    return doc;
}

void
loss_add(struct trail *trail, uint64_t first_seq, uint64_t last_seq, const char *reason)
{
    trail->losses = hf_realloc(trail->losses, (trail->loss_count + 1) * sizeof(*trail->losses));
    trail->losses[trail->loss_count++] = (struct hf_digest_loss){ .first_seq = first_seq,
                                                                  .last_seq = last_seq,
                                                                  .reason = hf_strdup(reason) };
}

/* Their sequences are not known. What is too much for one digest stands in the records all the
 * same. */
void
gap_add(struct trail *trail, const char *reason)
{
    if (trail->loss_count == GAPS_MOST)
        reason = "further SourceGap records stand in the objects of this digest";
    if (trail->loss_count <= GAPS_MOST)
        loss_add(trail, 0, 0, reason);
}

/* Called lost, though no window covers it yet: the one that will leaves it out, also if it can
 * be read again by then. */
void
noted_add(struct trail *trail, uint64_t first_seq, uint64_t last_seq)
{
    if (last_seq <= trail->cut_seq)
        return; /* in a window or behind the trail's place: nobody reads it again */
    for (size_t i = 0; i < trail->noted_count; i++) {
        if (trail->noted[i].first_seq == first_seq && trail->noted[i].last_seq == last_seq)
            return;
    }
    trail->noted = hf_realloc(trail->noted, (trail->noted_count + 1) * sizeof(*trail->noted));
    trail->noted[trail->noted_count++] =
        (struct hf_journal_loss){ .first_seq = first_seq, .last_seq = last_seq };
}

/* Those up to here are the business of a window now. */
void
noted_drop(struct trail *trail, uint64_t last_seq)
{
    size_t kept = 0;
    for (size_t i = 0; i < trail->noted_count; i++) {
        if (trail->noted[i].first_seq > last_seq)
            trail->noted[kept++] = trail->noted[i];
    }
    trail->noted_count = kept;
}

enum hf_status
replay_foreign(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    const char *window, *key;
    enum hf_status status = hf_doc_text(doc, "window", &window, err);
    if (status == HF_OK)
        status = hf_doc_text(doc, "key", &key, err);
    if (status != HF_OK)
        return status;
    trail->foreign =
        hf_realloc(trail->foreign, (trail->foreign_count + 1) * sizeof(*trail->foreign));
    trail->foreign[trail->foreign_count++] = hf_strdup(key);
    struct outgoing *out = find_outgoing(trail, window);
    const char *new_key = hf_doc_text_or(doc, "new_key", NULL);
    if (!out || !new_key)
        return HF_OK;
    struct window *at = (struct window *)((char *)out - offsetof(struct window, out));
    at->generation = (unsigned)hf_doc_u64_or(doc, "generation", at->generation + 1);
    snprintf(at->key, sizeof(at->key), "%s", new_key);
    out->first_retain_s = out->last_retain_s = -1;
    out->maybe_there = out->foreign = false;
    window_set_path(at);
    return HF_OK;
}
