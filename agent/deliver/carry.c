/* One PUT to S3, from the first question to the receipt.
 *
 *   in            when                                                        next
 *   WAITING       a first attempt, under a clock that is known to be right    PUTTING
 *                 else                                                        LOOKING
 *   LOOKING       not there                                                   PUTTING
 *                 there, and ours: adopt                                      as from READING
 *                 403                                                         LISTING
 *   LISTING       not there                                                   PUTTING
 *   PUTTING       accepted, or 412 (adopt)                                    READING
 *                 the same, confirm: put                                      READING_LOCK
 *   READING       ours, and the lock is right                                 DONE
 *                 ours, and no lock is shown                                  READING_LOCK
 *                 ours, and the lock is too weak                              LOCKING
 *   READING_LOCK  the lock is right                                           DONE
 *                 it is not, for the first time                               LOCKING
 *   LOCKING       accepted                                                    READING_LOCK
 *   any           refused, failed, not ours                                   DONE
 *
 * Whatever ends it, delivery->unknown says whether the next attempt has to look first: whenever
 * something of ours may lie under the key. A job never puts twice. */
#include "agent/deliver/deliver_impl.h"

#include <string.h>

static const char *const state_names[] = {
    [CARRY_WAITING] = "WAITING", [CARRY_LOOKING] = "LOOKING", [CARRY_LISTING] = "LISTING",
    [CARRY_PUTTING] = "PUTTING", [CARRY_READING] = "READING", [CARRY_READING_LOCK] = "READING_LOCK",
    [CARRY_LOCKING] = "LOCKING", [CARRY_DONE] = "DONE",
};

static enum carry_state
end(struct work *work, enum hf_status status)
{
    work->status = status;
    return CARRY_DONE;
}

static bool
by_head(const struct work *work)
{
    return work->deliverer->store.confirm == HF_CONFIRM_HEAD;
}

/* ---- the lock ---- */

/* HEAD shows a legal hold only to who may read it, so the answer to our own PUT, which asked for
 * it, is believed. */
static enum carry_state
held(struct work *work)
{
    const struct hf_sealed *sealed = work->delivery->sealed;

    if (sealed->legal_hold && work->adopting && by_head(work) && !work->receipt.legal_hold) {
        hf_fail(&work->error, HF_ENOTHELD,
                "'%s' was there already and shows no legal hold: set it, or give these credentials"
                " GetObjectLegalHold to see it",
                sealed->key);
        return end(work, HF_ENOTHELD);
    }
    if (sealed->legal_hold && !work->adopting)
        work->receipt.legal_hold = true;
    return end(work, HF_OK);
}

static enum carry_state
not_locked(struct work *work)
{
    return work->lock_added ? end(work, judge_not_held(work, &work->error)) : CARRY_LOCKING;
}

static enum carry_state
on_lock(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status =
        judge_answer(reply, "asking for the lock", "GetObjectRetention", &work->error);

    work->receipt.lock_mode = HF_LOCK_NONE;
    work->receipt.retain_until_s = 0;
    if (status == HF_OK)
        status = hf_s3_parse_retention(hf_buf_slice(&reply->body), &work->receipt.lock_mode,
                                       &work->receipt.retain_until_s, &work->error);
    else if (status == HF_ENOTFOUND || status == HF_EREFUSED)
        return not_locked(work); /* "no retention configured", as each store says it */
    if (status != HF_OK)
        return end(work, status);
    return judge_lock(work->delivery, &work->receipt) ? held(work) : not_locked(work);
}

static enum carry_state
on_locked(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status =
        judge_answer(reply, "adding the lock it lacks", "PutObjectRetention", &work->error);
    bool refused = status == HF_EACCESS || status == HF_EREFUSED || status == HF_ENOTFOUND;

    work->lock_added = true;
    if (status == HF_OK)
        return CARRY_READING_LOCK;
    return end(work,
               hf_while(&work->error, refused ? HF_ENOTHELD : status,
                        "the store keeps '%s' without its lock", work->delivery->sealed->key));
}

/* ---- the bytes ---- */

/* An answer to HEAD that shows an object. */
static enum carry_state
on_object(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status = judge_bytes(work->delivery, reply, &work->error);
    bool is_other_version =
        work->read_current && strcmp(reply->version_id, work->receipt.version_id) != 0;

    if (is_other_version) {
        /* An earlier PUT of ours that landed late, or somebody else's: ours lies below, under its
         * own id. */
        work->read_current = false;
        work->receipt.repeated += status == HF_OK;
        return CARRY_READING;
    }
    if (status != HF_OK && work->adopting) {
        work->was_unknown = false;
        return end(work, hf_while(&work->error, HF_EFOREIGN, "it was not overwritten"));
    }
    if (status != HF_OK)
        return end(work, status);
    if (work->adopting) {
        memcpy(work->receipt.version_id, reply->version_id, sizeof(work->receipt.version_id));
        memcpy(work->receipt.etag, reply->etag, sizeof(work->receipt.etag));
    }
    work->receipt.lock_mode = reply->lock_mode;
    work->receipt.retain_until_s = reply->lock_mode == HF_LOCK_NONE ? 0 : reply->retain_until_s;
    work->receipt.legal_hold = reply->legal_hold;
    if (judge_lock(work->delivery, &work->receipt))
        return held(work);
    return reply->lock_mode == HF_LOCK_NONE ? CARRY_READING_LOCK : CARRY_LOCKING;
}

static enum carry_state
on_read(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status =
        judge_answer(reply, "reading it back", "GetObject or GetObjectVersion", &work->error);

    if (status == HF_OK)
        return on_object(work, reply);
    /* Accepted, or in the way, and yet it is not there: deleted, or not to be seen yet. */
    if (status == HF_ENOTFOUND)
        status =
            hf_while(&work->error, HF_EBUSYSTORE, "the store does not show what it says it has");
    return end(work, status);
}

/* ---- PUT ---- */

static enum carry_state
on_accepted(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status = judge_put(work->delivery, reply, &work->error);
    /* After an attempt of unknown outcome the current version shows whether that one landed on top
     * meanwhile. */
    bool look_on_top = work->delivery->maybe_there && reply->version_id[0];

    work->was_unknown = true;
    memcpy(work->receipt.version_id, reply->version_id, sizeof(work->receipt.version_id));
    memcpy(work->receipt.etag, reply->etag, sizeof(work->receipt.etag));
    if (status != HF_OK && !by_head(work)) {
        /* Nobody will ever read it back: what is said to be something else is not taken for ours.
         */
        return end(work, hf_while(&work->error, HF_EFOREIGN, "it may not be read back"));
    }
    if (status != HF_OK)
        return end(work, status);
    if (by_head(work)) {
        work->read_current = look_on_top;
        return CARRY_READING;
    }
    work->receipt.repeated += work->found;
    return work->delivery->sealed->lock_mode == HF_LOCK_NONE ? held(work) : CARRY_READING_LOCK;
}

/* 412. Without the right to read only an earlier attempt of ours can explain it. */
static enum carry_state
on_taken(struct work *work)
{
    work->adopting = true;
    if (by_head(work))
        return CARRY_READING;
    if (!work->delivery->maybe_there || work->delivery->foreign)
        return end(work, hf_while(&work->error, HF_EFOREIGN, "'%s' was never put by us",
                                  work->delivery->sealed->key));
    return work->delivery->sealed->lock_mode == HF_LOCK_NONE ? held(work) : CARRY_READING_LOCK;
}

static enum carry_state
on_put(struct work *work, struct hf_s3_reply *reply)
{
    const struct hf_sealed *sealed = work->delivery->sealed;
    enum hf_status status =
        judge_answer(reply, "putting it",
                     sealed->legal_hold ? "PutObject, PutObjectRetention or PutObjectLegalHold"
                                        : "PutObject or PutObjectRetention",
                     &work->error);
    bool answered = reply->outcome == HF_S3_ANSWERED;
    /* A 2xx that is not S3's may come from something that passed the request on. */
    bool doubtful = answered && (reply->http_status >= 500 || reply->http_status < 300);

    hf_fs_close(&work->body_fd);
    if (status == HF_OK)
        return on_accepted(work, reply);
    if (status == HF_EEXISTS)
        return on_taken(work);
    if (reply->outcome == HF_S3_UNKNOWN || doubtful)
        work->was_unknown = true;
    /* A PUT that was given up may still be on its way, behind a proxy or in the store's queue: a
     * HEAD that is sent at once says 404, and then it lands beside the second one, as another
     * version. So the next attempt waits the time-out once more. */
    if (reply->outcome == HF_S3_UNKNOWN && status == HF_ETIMEOUT)
        work->delivery->not_before_boot_ms =
            (int64_t)(hf_boot_ms() + work->deliverer->store.timeout_s * 1000);
    if (status == HF_ENOTHELD)
        hf_while(&work->error, status,
                 "bucket '%s' has no Object Lock: make a new one with `holdfast bucket apply`",
                 sealed->bucket);
    return end(work, status);
}

/* ---- before the PUT ---- */

static enum carry_state
may_put(struct work *work)
{
    enum hf_status status = clock_check(work->deliverer, 0, &work->error);

    return status == HF_OK ? CARRY_PUTTING : end(work, status);
}

static enum carry_state
not_there(struct work *work)
{
    work->was_unknown = false;
    return may_put(work);
}

/* To whom ListBucket is allowed under a prefix only, AWS and Ceph answer 403 for what is not there.
 * A listing of exactly this name is under the prefix. */
static enum carry_state
on_listed(struct work *work, struct hf_s3_reply *reply)
{
    struct hf_s3_list_page page = { .next_token = NULL };
    enum hf_status status =
        judge_answer(reply, "listing its name, after 403 for HeadObject",
                     "GetObject, or ListBucket to see that it is not there,", &work->error);
    bool is_listed = false;

    if (status == HF_OK)
        status = hf_s3_parse_list(hf_buf_slice(&reply->body), &page, &work->error);
    if (status != HF_OK)
        return end(work, status);
    for (size_t i = 0; i < page.keys.count; i++)
        is_listed = is_listed || strcmp(page.keys.items[i], work->delivery->sealed->key) == 0;
    hf_s3_list_page_done(&page);
    if (is_listed) {
        hf_fail(&work->error, HF_EACCESS,
                "it is there already and may not be read: give these credentials GetObject, or use"
                " `confirm: put`");
        return end(work, HF_EACCESS);
    }
    return not_there(work);
}

static enum carry_state
on_looked(struct work *work, struct hf_s3_reply *reply)
{
    enum hf_status status =
        hf_s3_status(reply, "looking whether it is there already", &work->error);

    if (by_head(work)) {
        work->adopting = status == HF_OK;
        if (status == HF_OK)
            return on_object(work, reply);
        if (status == HF_EACCESS)
            return CARRY_LISTING;
        return status == HF_ENOTFOUND ? not_there(work) : end(work, status);
    }
    /* Only the lock may be asked for. Any refusal leaves the question open, and the condition of
     * the PUT to answer it. */
    work->found = status == HF_OK;
    if (status == HF_OK || status == HF_ENOTFOUND || status == HF_EACCESS || status == HF_EREFUSED)
        return may_put(work);
    return end(work, status);
}

/* ---- the machine ---- */

static void
finish(struct work *work)
{
    struct hf_delivery *delivery = work->delivery;

    hf_fs_close(&work->body_fd);
    delivery->unknown = work->status != HF_OK && work->was_unknown;
    if (work->status == HF_OK) {
        const char *confirmed = !by_head(work) ? "put" : work->adopting ? "adopted" : "head";
        memcpy(work->receipt.confirmed, confirmed, strlen(confirmed) + 1);
        work->receipt.delivered_s = hf_deliverer_now_s(work->deliverer);
        delivery->receipt = work->receipt;
    } else {
        hf_while(&work->error, work->status, "delivering '%s'", delivery->sealed->key);
    }
    work_done(work);
}

/* Enters a state: the only writer of work->carry, and where requests go out. */
static void
move(struct work *work, enum carry_state next)
{
    enum hf_status status = HF_OK;

    hf_log_debug("delivery.state", HF_STR("key", work->delivery->sealed->key),
                 HF_STR("from", state_names[work->carry]), HF_STR("to", state_names[next]));
    work->carry = next;
    switch (next) {
    case CARRY_WAITING: break;
    case CARRY_LOOKING: status = request_look(work, &work->error); break;
    case CARRY_LISTING: status = request_list(work, &work->error); break;
    case CARRY_PUTTING: status = request_put(work, &work->error); break;
    case CARRY_READING:
        status =
            request_read(work, work->read_current ? "" : work->receipt.version_id, &work->error);
        break;
    case CARRY_READING_LOCK: status = request_read_lock(work, &work->error); break;
    case CARRY_LOCKING: status = request_lock(work, &work->error); break;
    case CARRY_DONE: finish(work); return;
    }
    if (status != HF_OK)
        move(work, end(work, status));
}

/* One answer, one step. */
static void
step(struct work *work, struct hf_s3_reply *reply)
{
    enum carry_state next = CARRY_DONE;

    switch (work->carry) {
    case CARRY_LOOKING: next = on_looked(work, reply); break;
    case CARRY_LISTING: next = on_listed(work, reply); break;
    case CARRY_PUTTING: next = on_put(work, reply); break;
    case CARRY_READING: next = on_read(work, reply); break;
    case CARRY_READING_LOCK: next = on_lock(work, reply); break;
    case CARRY_LOCKING: next = on_locked(work, reply); break;
    case CARRY_WAITING:
    case CARRY_DONE: hf_assert(!"an answer that nothing waited for");
    }
    move(work, next);
}

void
carry_begin(struct work *work)
{
    struct hf_error unused;
    bool clock_right =
        clock_known(work->deliverer) && clock_check(work->deliverer, 0, &unused) == HF_OK;

    work->answered = step;
    work->was_unknown = work->delivery->maybe_there;
    /* Looking changes nothing and brings the store's Date: without one, or with one that no longer
     * fits, it comes first. */
    move(work, work->delivery->maybe_there || !clock_right ? CARRY_LOOKING : CARRY_PUTTING);
}
