/* PUT and CHECK for a directory: blocking, one at a time. link(2) says at once what S3 has to be
 * asked for, so there is nothing to look at before and nothing to confirm but what the file system
 * shows. */
#include "agent/deliver/deliver_impl.h"

#include <stdio.h>
#include <string.h>

#define PAGE 10000

static enum hf_status
open_dir(const struct hf_deliverer *deliverer, const char *bucket, struct hf_dir **ret_dir,
         struct hf_error *err)
{
    return hf_dir_open(hf_config_store_place(&deliverer->store), bucket, deliverer->store.worm,
                       ret_dir, err);
}

/* ---- PUT ---- */

static struct hf_dir_object
object_of(const struct hf_delivery *delivery)
{
    const struct hf_sealed *sealed = delivery->sealed;

    return (struct hf_dir_object){
        .key = sealed->key,
        .content_type = sealed->content_type,
        .content_encoding = sealed->content_encoding,
        .chain = sealed->chain,
        .window = sealed->window,
        .compression = sealed->compression,
        .signature = sealed->signature,
        .signature_algorithm = sealed->signature_algorithm,
        .path = sealed->path,
        .offset = sealed->body_offset,
        .size = sealed->size,
        .sha256 = sealed->sha256,
        .lock_mode = sealed->lock_mode,
        .retain_until_s = delivery->retain_until_s,
        .legal_hold = sealed->legal_hold,
    };
}

static enum hf_status
fill_receipt(struct hf_dir *dir, const struct work *work, const char *confirmed,
             struct hf_receipt *ret_receipt, struct hf_error *err)
{
    const struct hf_sealed *sealed = work->delivery->sealed;
    char text[HF_BASE64_SIZE(HF_SHA256_SIZE)];
    uint8_t sha256[HF_SHA256_SIZE];
    struct hf_dir_info info;
    enum hf_status status = hf_dir_head(dir, sealed->key, &info, err);

    if (status != HF_OK)
        return status;
    hf_assert(hf_unhex(sealed->sha256, strlen(sealed->sha256), sha256, sizeof(sha256)));
    hf_base64(sha256, sizeof(sha256), text);
    *ret_receipt = (struct hf_receipt){
        .lock_mode = info.lock_mode,
        .retain_until_s = info.retain_until_s,
        .legal_hold = info.legal_hold,
        .advisory = info.advisory,
        .delivered_s = hf_wall_s(),
    };
    snprintf(ret_receipt->checksum, sizeof(ret_receipt->checksum), "sha256:%s", text);
    snprintf(ret_receipt->confirmed, sizeof(ret_receipt->confirmed), "%s", confirmed);
    if (!judge_lock(work->delivery, ret_receipt))
        return hf_fail(err, HF_ENOTHELD, "'%s' lies there without its lock", sealed->key);
    return HF_OK;
}

static enum hf_status
put(struct work *work, struct hf_error *err)
{
    struct hf_delivery *delivery = work->delivery;
    struct hf_dir_object object = object_of(delivery);
    hf_owned(hf_dir_closep) struct hf_dir *dir = NULL;
    int encryption = delivery->sealed->encryption;
    const char *confirmed = "link";
    enum hf_status status = clock_check(work->deliverer, delivery->last_s, err);

    if (status != HF_OK)
        return status;
    if (encryption != HF_ENCRYPT_NONE && encryption != HF_ENCRYPT_CMS)
        return hf_fail(err, HF_ECONFIG, "a directory cannot do encryption %s; use cms or none",
                       hf_encryption_text(encryption));
    status = open_dir(work->deliverer, delivery->sealed->bucket, &dir, err);
    if (status != HF_OK)
        return status;
    status = hf_dir_put(dir, &object, err);
    if (status == HF_EEXISTS) {
        confirmed = "adopted";
        /* What an earlier attempt locked is right from its own date on; only what is less grows. */
        if (delivery->first_retain_until_s > 0)
            object.retain_until_s = delivery->first_retain_until_s;
        status = hf_dir_adopt(dir, &object, err);
    }
    /* What failed on the way may have got as far as the link. */
    work->was_unknown = status == HF_EIO || status == HF_ENOSPC || status == HF_ENOTHELD;
    return status == HF_OK ? fill_receipt(dir, work, confirmed, &delivery->receipt, err) : status;
}

/* ---- CHECK ---- */

static enum hf_status
find_newest(struct hf_dir *dir, struct work *work, struct hf_error *err)
{
    char prefix[HF_KEY_MAX], after[HF_KEY_MAX];
    int64_t now_s = hf_wall_s();
    enum hf_status status = HF_OK;

    work->newest.delivery = work->delivery;
    hf_layout_digest_prefix(work->delivery->layout, prefix);
    for (int span = 0; span < HF_NEWEST_SPANS && !work->newest.key[0]; span++) {
        size_t count = PAGE;
        newest_after(work->delivery->layout, span, now_s, after);
        while (count == PAGE && status == HF_OK) {
            struct hf_strings keys;
            status = hf_dir_list(dir, prefix, after, PAGE, &keys, err);
            if (status != HF_OK)
                return status;
            newest_take(&work->newest, &keys);
            count = keys.count;
            if (count > 0)
                snprintf(after, sizeof(after), "%s", keys.items[count - 1]);
            hf_strings_done(&keys);
        }
    }
    return HF_OK;
}

static enum hf_status
check_bucket(struct hf_dir *dir, struct hf_error *err)
{
    bool there = false, writable = false;
    enum hf_status status = hf_dir_bucket_state(dir, &there, &writable, err);

    if (status != HF_OK)
        return status;
    if (!there)
        return hf_fail(err, HF_ENOTFOUND,
                       "there is no folder '%s'; mount it, or make it with `holdfast bucket apply`",
                       hf_dir_path(dir));
    if (!writable)
        return hf_fail(err, HF_EACCESS,
                       "'%s' may not be written to; give the agent's user the right",
                       hf_dir_path(dir));
    return HF_OK;
}

/* What is too long for a digest comes back without a byte of it. */
static enum hf_status
read_newest(struct hf_dir *dir, struct work *work, struct hf_error *err)
{
    struct hf_delivery *delivery = work->delivery;
    struct hf_dir_info info;
    const char *key = work->newest.key;
    enum hf_status status =
        hf_dir_get(dir, key, HF_NEWEST_DIGEST_MAX, &delivery->newest_digest, NULL, err);

    if (status != HF_OK && status != HF_ELIMIT)
        return status;
    if (status == HF_OK && hf_dir_head(dir, key, &info, NULL) == HF_OK)
        delivery->newest_signature = hf_strdup(info.signature);
    memcpy(delivery->newest_digest_key, key, sizeof(delivery->newest_digest_key));
    return HF_OK;
}

static enum hf_status
check(struct work *work, struct hf_error *err)
{
    struct hf_delivery *delivery = work->delivery;
    hf_owned(hf_dir_closep) struct hf_dir *dir = NULL;
    enum hf_status status = clock_check(work->deliverer, delivery->last_s, err);

    if (status == HF_OK)
        status = open_dir(work->deliverer, delivery->bucket, &dir, err);
    if (status == HF_OK)
        status = check_bucket(dir, err);
    if (status == HF_OK)
        status = find_newest(dir, work, err);
    if (status != HF_OK || !work->newest.key[0])
        return status;
    return read_newest(dir, work, err);
}

void
dir_job_run(struct work *work)
{
    struct hf_delivery *delivery = work->delivery;

    if (delivery->kind == HF_JOB_PUT) {
        work->status = put(work, &work->error);
        delivery->unknown = work->status != HF_OK && work->was_unknown;
        if (work->status != HF_OK)
            hf_while(&work->error, work->status, "delivering '%s'", delivery->sealed->key);
    } else {
        work->status = check(work, &work->error);
        if (work->status != HF_OK)
            hf_while(&work->error, work->status, "checking bucket '%s'", delivery->bucket);
    }
    work_done(work);
}
