/* From a window to its sealed file. Everything is in memory before the first byte is written, so
 * that the header can say all there is to say; each buffer is given back as soon as the next one
 * stands. */
#include "agent/seal/seal_impl.h"

#define CMS_SUFFIX    ".cms.gz"
#define WRAPPER_LEVEL 0 /* stored: an envelope does not compress */

static struct hf_sealed *
new_sealed(const struct hf_seal_job *job)
{
    const struct hf_seal_plan *plan = job->plan;
    bool cms = plan->encryption == HF_ENCRYPT_CMS;
    struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    *sealed = (struct hf_sealed){
        .kind = HF_SEALED_OBJECT,
        .trail = hf_strdup(plan->layout.trail),
        .chain = hf_strdup(plan->chain),
        .window = hf_strdup(job->window),
        .store = hf_strdup(plan->store),
        .bucket = hf_strdup(plan->bucket),
        .key = hf_strdup(job->key),
        .content_type = hf_strdup(cms ? "application/octet-stream" : "application/json"),
        .content_encoding = cms ? NULL : hf_strdup("gzip"),
        .encryption = plan->encryption,
        .kms_key_id = plan->encryption == HF_ENCRYPT_SSE_KMS ? hf_strdup(plan->kms_key_id) : NULL,
        .sse_c_key_file =
            plan->encryption == HF_ENCRYPT_SSE_C ? hf_strdup(plan->sse_c_key_file) : NULL,
        .lock_mode = plan->lock_mode,
        .lock_days = plan->lock_days,
        .legal_hold = plan->legal_hold,
        .first_seq = job->range.first_seq,
        .last_seq = job->range.last_seq,
        .generation = job->generation,
    };
    return sealed;
}

/* The one gzip member of the object's JSON; the plain text is gone when this returns. */
static enum hf_status
compress(struct hf_journal *journal, const struct hf_seal_job *job, struct hf_sealed *sealed,
         struct hf_buf *gzip, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    hf_owned(gather_done) struct gather gather = { 0 };
    enum hf_status status = gather_range(&gather, journal, job, err);
    if (status == HF_ECORRUPT)
        *ret_loss = gather.loss;
    if (status != HF_OK)
        return status;
    sealed->count = gather.count;
    sealed->oldest_s = gather.oldest_s;
    sealed->newest_s = gather.newest_s;
    sealed->gaps = hf_take(gather.gaps);
    sealed->gap_count = gather.gap_count;
    gather.gap_count = 0;
    sealed->plain_size = gather.bytes.size;
    hf_sha256_hex(gather.bytes.ptr, gather.bytes.size, sealed->plain_sha256);
    return hf_gzip(hf_buf_slice(&gather.bytes), job->plan->gzip_level, gzip, err);
}

/* The member becomes an envelope, and that becomes one stored member again: the stock validator
 * inflates each object once and compares the hash of what comes out, and needs no key to do it. */
static enum hf_status
envelop(const struct hf_recipients *recipients, struct hf_sealed *sealed, struct hf_buf *body,
        struct hf_error *err)
{
    hf_assert(recipients != NULL);
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(SEALED_BODY_MAX);
    enum hf_status status = hf_cms_encrypt(recipients, hf_buf_slice(body), &der, err);
    if (status != HF_OK)
        return status;
    hf_buf_done(body);
    hf_sha256_hex(der.ptr, der.size, sealed->envelope_sha256);
    return hf_gzip(hf_buf_slice(&der), WRAPPER_LEVEL, body, err);
}

enum hf_status
hf_seal_window(struct hf_journal *journal, const struct hf_seal_job *job,
               struct hf_sealed **ret_sealed, struct hf_journal_loss *ret_loss,
               struct hf_error *err)
{
    bool cms = job->plan->encryption == HF_ENCRYPT_CMS;
    if (cms != hf_ends_with(job->key, CMS_SUFFIX))
        return hf_fail(err, HF_EINTERNAL,
                       "sealing window %s: key '%s' was not made for encryption %s", job->window,
                       job->key, hf_encryption_text(job->plan->encryption));
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = new_sealed(job);
    hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(SEALED_BODY_MAX);
    enum hf_status status = compress(journal, job, sealed, &body, ret_loss, err);
    if (status == HF_OK && cms)
        status = envelop(job->plan->recipients, sealed, &body, err);
    if (status == HF_OK)
        status = hf_seal_bytes(sealed, job->path, hf_buf_slice(&body), err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing window %s of trail '%s'", job->window,
                        job->plan->layout.trail);
    *ret_sealed = hf_take(sealed);
    return HF_OK;
}
