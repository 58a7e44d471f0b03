/* From a window to its sealed file. Everything is in memory before the first byte is written, so
 * that the header can say all there is to say. */
#include "agent/seal/seal_impl.h"

#include <string.h>

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

/* The one gzip member of the object's JSON, in memory->body. */
static enum hf_status
compress(struct hf_journal *journal, const struct hf_seal_job *job, struct hf_sealed *sealed,
         struct hf_seal_memory *memory, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    hf_owned(gather_done) struct gather gather = { 0 };
    enum hf_status status = gather_range(&gather, journal, job, &memory->plain, err);
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
    sealed->plain_size = memory->plain.size;
    memcpy(sealed->plain_sha256, gather.sha256, sizeof(sealed->plain_sha256));
    int compression =
        hf_compression_available(job->compression) ? job->compression : HF_COMPRESSION_QUICK;
    char text[HF_COMPRESSION_TEXT_MAX];
    hf_compression_text(compression, text);
    sealed->compression = hf_strdup(text);
    return gzip_window(memory, compression, err);
}

/* The member becomes an envelope, and that becomes one stored member again: the stock validator
 * inflates each object once and compares the hash of what comes out, and needs no key to do it. */
static enum hf_status
envelop(const struct hf_recipients *recipients, struct hf_sealed *sealed,
        struct hf_seal_memory *memory, struct hf_error *err)
{
    hf_assert(recipients != NULL);
    memory_trim(memory); /* encrypting needs as much again as the member has */
    struct hf_buf *der = &memory->plain;
    hf_buf_reset(der);
    der->max = HF_MAX(der->max, SEALED_BODY_MAX);
    enum hf_status status = hf_cms_encrypt(recipients, hf_buf_slice(&memory->body), der, err);
    if (status != HF_OK)
        return status;
    hf_sha256_hex(der->ptr, der->size, sealed->envelope_sha256);
    return hf_gzip(hf_buf_slice(der), WRAPPER_LEVEL, &memory->body, err);
}

enum hf_status
hf_seal_window(struct hf_journal *journal, const struct hf_seal_job *job,
               struct hf_seal_memory *memory, struct hf_sealed **ret_sealed,
               struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    bool cms = job->plan->encryption == HF_ENCRYPT_CMS;
    if (cms != hf_ends_with(job->key, CMS_SUFFIX))
        return hf_fail(err, HF_EINTERNAL,
                       "sealing window %s: key '%s' was not made for encryption %s", job->window,
                       job->key, hf_encryption_text(job->plan->encryption));
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = new_sealed(job);
    enum hf_status status = compress(journal, job, sealed, memory, ret_loss, err);
    if (status == HF_OK && cms)
        status = envelop(job->plan->recipients, sealed, memory, err);
    if (status == HF_OK)
        status = hf_seal_bytes(sealed, job->path, hf_buf_slice(&memory->body), err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing window %s of trail '%s'", job->window,
                        job->plan->layout.trail);
    *ret_sealed = hf_take(sealed);
    return HF_OK;
}
