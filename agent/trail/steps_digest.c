/* Ledger documents of digests: the cut with what it lists, and the receipt that makes it the
 * chain's head. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

void
digest_take_lists(struct trail *trail, struct digest_work *work)
{
    struct hf_digest *digest = &work->digest;
    digest->objects = hf_take(trail->objects);
    digest->object_count = trail->object_count;
    digest->losses = hf_take(trail->losses);
    digest->loss_count = trail->loss_count;
    digest->foreign = hf_take(trail->foreign);
    digest->foreign_count = trail->foreign_count;
    trail->object_count = trail->object_room = trail->loss_count = trail->foreign_count = 0;
    work->retain_most_s = trail->head.retain_until_s;
    for (size_t i = 0; i < digest->object_count; i++)
        work->retain_most_s = HF_MAX(work->retain_most_s, digest->objects[i].retain_until_s);
}

json_t *
step_digest_cut_doc(const struct digest_work *work)
{
    const struct hf_digest *digest = &work->digest;
    json_t *doc = json_object(), *pending = json_array();
    hf_doc_set_u64(doc, "number", digest->number);
    hf_doc_set_u64(doc, "start", (uint64_t)digest->start_s);
    hf_doc_set_u64(doc, "end", (uint64_t)digest->end_s);
    hf_doc_set_text(doc, "bucket", digest->bucket);
    hf_doc_set_text(doc, "key", digest->key);
    hf_doc_set_text(doc, "fingerprint", digest->fingerprint);
    hf_doc_set_text(doc, "boot", digest->boot);
    hf_doc_set_u64(doc, "first", digest->first_seq);
    hf_doc_set_u64(doc, "last", digest->last_seq);
    hf_doc_set_u64(doc, "objects", digest->object_count);
    for (size_t i = 0; i < digest->pending_count; i++) {
        const struct hf_digest_range *range = &digest->pending[i];
        json_array_append_new(pending,
                              json_pack("{s:I, s:I, s:s}", "first", (json_int_t)range->first_seq,
                                        "last", (json_int_t)range->last_seq, "key", range->key));
    }
    hf_doc_set(doc, "pending", pending);
    return doc;
}

static void
replay_pending(struct hf_digest *digest, const json_t *pending)
{
    digest->pending = hf_alloc((json_array_size(pending) + 1) * sizeof(*digest->pending));
    size_t index;
    json_t *range;
    json_array_foreach(pending, index, range)
    {
        digest->pending[digest->pending_count++] =
            (struct hf_digest_range){ .first_seq = hf_doc_u64_or(range, "first", 0),
                                      .last_seq = hf_doc_u64_or(range, "last", 0),
                                      .key = hf_strdup(hf_doc_text_or(range, "key", "")) };
    }
}

enum hf_status
replay_digest_cut(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    struct digest_work *work = hf_alloc(sizeof(*work));
    struct hf_digest *digest = &work->digest;
    uint64_t start_s = 0, end_s = 0;
    const char *bucket = NULL, *key = NULL, *fingerprint = NULL;
    enum hf_status status;
    if ((status = hf_doc_u64(doc, "number", &digest->number, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "start", &start_s, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "end", &end_s, err)) != HF_OK ||
        (status = hf_doc_text(doc, "bucket", &bucket, err)) != HF_OK ||
        (status = hf_doc_text(doc, "key", &key, err)) != HF_OK ||
        (status = hf_doc_text(doc, "fingerprint", &fingerprint, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "first", &digest->first_seq, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "last", &digest->last_seq, err)) != HF_OK) {
        digest_work_free(work);
        return status;
    }
    digest->start_s = (int64_t)start_s;
    digest->end_s = (int64_t)end_s;
    digest->bucket = hf_strdup(bucket);
    digest->key = hf_strdup(key);
    digest->fingerprint = hf_strdup(fingerprint);
    digest->boot = hf_strdup(hf_doc_text_or(doc, "boot", ""));
    replay_pending(digest, json_object_get(doc, "pending"));
    digest_take_lists(trail, work);
    work->out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
    digest_work_free(trail->digest);
    trail->digest = work;
    trail->digested_seq = digest->last_seq;
    trail->last_time_s = HF_MAX(trail->last_time_s, digest->end_s);
    if (hf_doc_u64_or(doc, "objects", 0) != digest->object_count)
        return hf_fail(err, HF_ECORRUPT,
                       "digest %llu lists %llu objects, but %zu receipts stand before it",
                       (unsigned long long)digest->number,
                       (unsigned long long)hf_doc_u64_or(doc, "objects", 0), digest->object_count);
    return HF_OK;
}

json_t *
step_digest_receipt_doc(const struct head *head)
{
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "number", head->number);
    hf_doc_set_text(doc, "bucket", head->bucket);
    hf_doc_set_text(doc, "key", head->key);
    hf_doc_set_text(doc, "hash", head->hash);
    hf_doc_set_text(doc, "signature", head->signature);
    hf_doc_set_u64(doc, "end", (uint64_t)head->end_s);
    hf_doc_set_u64(doc, "retain_until", (uint64_t)head->retain_until_s);
    return doc;
}

enum hf_status
replay_head(struct trail *trail, const json_t *doc, struct hf_error *err)
{
    struct head head = { 0 };
    const char *bucket, *key, *hash, *signature;
    uint64_t end_s;
    enum hf_status status;
    if ((status = hf_doc_u64(doc, "number", &head.number, err)) != HF_OK ||
        (status = hf_doc_text(doc, "bucket", &bucket, err)) != HF_OK ||
        (status = hf_doc_text(doc, "key", &key, err)) != HF_OK ||
        (status = hf_doc_text(doc, "hash", &hash, err)) != HF_OK ||
        (status = hf_doc_text(doc, "signature", &signature, err)) != HF_OK ||
        (status = hf_doc_u64(doc, "end", &end_s, err)) != HF_OK)
        return status;
    snprintf(head.bucket, sizeof(head.bucket), "%s", bucket);
    snprintf(head.key, sizeof(head.key), "%s", key);
    snprintf(head.hash, sizeof(head.hash), "%s", hash);
    head.signature = hf_strdup(signature);
    head.end_s = (int64_t)end_s;
    head.retain_until_s = (int64_t)hf_doc_u64_or(doc, "retain_until", 0);
    hf_freep(&trail->head.signature);
    trail->head = head;
    digest_work_free(hf_take(trail->digest));
    return HF_OK;
}
