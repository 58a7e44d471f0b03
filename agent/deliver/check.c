/* CHECK for S3: may this trail deliver, and which digest is its newest?
 *
 *   LOCK --> LISTING (each page, each span) --> FETCHING --> DONE
 *      \________ confirm: put _________________________________^
 *
 * What a writer has no right to see is not held against it: the PUT will tell. */
#include "agent/deliver/deliver_impl.h"

#include <stdlib.h>
#include <string.h>

/* 1000 keys each. */
#define PAGES_MAX       10000
#define EMPTY_PAGES_MAX 100 /* in a row: S3 may send a page without keys that goes on */

static enum check_state
end(struct work *work, enum hf_status status)
{
    work->status = status;
    return CHECK_DONE;
}

static enum hf_status
no_lock(struct work *work)
{
    return hf_fail(&work->error, HF_ENOTHELD,
                   "bucket '%s' has no Object Lock: make a new one with `holdfast bucket apply`",
                   work->delivery->bucket);
}

static enum hf_status
no_bucket(struct work *work)
{
    return hf_fail(&work->error, HF_ENOTFOUND,
                   "there is no bucket '%s'; make it with `holdfast bucket apply`",
                   work->delivery->bucket);
}

static bool
says_no_bucket(const struct hf_s3_reply *reply)
{
    return strcmp(reply->code, "NoSuchBucket") == 0;
}

/* ---- requests ---- */

static enum hf_status
ask_lock(struct work *work, struct hf_error *err)
{
    struct hf_s3_pair query = { "object-lock", NULL };
    struct hf_s3_request request = {
        .method = "GET",
        .bucket = work->delivery->bucket,
        .query = &query,
        .query_count = 1,
        .expect = HF_S3_EXPECT_XML,
    };
    return work_send(work, &request, err);
}

static enum hf_status
ask_page(struct work *work, struct hf_error *err)
{
    char prefix[HF_KEY_MAX], after[HF_KEY_MAX];
    struct hf_s3_pair query[5] = { { "list-type", "2" },
                                   { "encoding-type", "url" },
                                   { "prefix", prefix } };
    size_t count = 3;

    if (++work->pages > PAGES_MAX)
        return hf_fail(err, HF_ELIMIT,
                       "more than %d pages of keys under the digests of bucket '%s'", PAGES_MAX,
                       work->delivery->bucket);
    hf_layout_digest_prefix(work->delivery->layout, prefix);
    newest_after(work->delivery->layout, work->span, hf_deliverer_now_s(work->deliverer), after);
    if (after[0])
        query[count++] = (struct hf_s3_pair){ "start-after", after };
    if (work->page_token)
        query[count++] = (struct hf_s3_pair){ "continuation-token", work->page_token };
    struct hf_s3_request request = {
        .method = "GET",
        .bucket = work->delivery->bucket,
        .query = query,
        .query_count = count,
        .max_reply = 8u << 20,
        .expect = HF_S3_EXPECT_XML,
    };
    return work_send(work, &request, err);
}

static enum hf_status
fetch(struct work *work, struct hf_error *err)
{
    struct hf_s3_request request = {
        .method = "GET",
        .bucket = work->delivery->bucket,
        .key = work->newest.key,
        .max_reply = HF_NEWEST_DIGEST_MAX,
        .expect = HF_S3_EXPECT_OBJECT,
    };
    return work_send_with_key(work, &request, work->delivery->sse_c_key_file, err);
}

/* ---- answers ---- */

static enum check_state
after_lock(struct work *work)
{
    enum hf_status status = clock_check(work->deliverer, 0, &work->error);

    if (status != HF_OK)
        return end(work, status);
    if (!clock_known(work->deliverer))
        return end(work, hf_fail(&work->error, HF_ESKEW,
                                 "the store's answers tell no time: they have no Date. Is there a"
                                 " proxy that takes it away? Nothing is locked by a guess"));
    if (work->deliverer->store.confirm == HF_CONFIRM_HEAD)
        return CHECK_LISTING;
    /* confirm: put has no right to list or read: the chain is not compared with the newest digest,
     * and a second agent on a copy of this state directory is not noticed. The status says so. */
    work->delivery->chain_unseen = true;
    return end(work, HF_OK);
}

static enum check_state
on_lock(struct work *work, struct hf_s3_reply *reply)
{
    struct hf_s3_lock_config config;
    enum hf_status status = hf_s3_status(reply, "asking for its Object Lock", &work->error);
    struct hf_error unused;

    /* Signed by a clock that has been set since. By now the right time is known. */
    if (status == HF_ESKEW && !work->asked_again &&
        clock_check(work->deliverer, 0, &unused) == HF_OK) {
        work->asked_again = true;
        return CHECK_LOCK;
    }
    if (status == HF_OK)
        status = hf_s3_parse_lock_config(hf_buf_slice(&reply->body), &config, &work->error);
    else if (status == HF_EACCESS || status == HF_EREFUSED)
        return after_lock(work);
    else if (status == HF_ENOTFOUND && says_no_bucket(reply))
        return end(work, no_bucket(work));
    if (status != HF_OK && status != HF_ENOTFOUND)
        return end(work, status);
    if ((status == HF_OK && config.enabled) || !work->delivery->needs_lock)
        return after_lock(work);
    /* MinIO says so, too, of a bucket that is not there: the listing tells. */
    work->lacks_lock = true;
    return work->deliverer->store.confirm == HF_CONFIRM_HEAD ? CHECK_LISTING
                                                             : end(work, no_lock(work));
}

/* Each page begins after the one before. One that does not would be followed for ever. */
static enum hf_status
goes_on(struct work *work, const struct hf_s3_list_page *page)
{
    const struct hf_strings *keys = &page->keys;
    bool same_token =
        work->page_token && page->next_token && strcmp(work->page_token, page->next_token) == 0;
    bool goes_back = keys->count && work->last_key && strcmp(keys->items[0], work->last_key) <= 0;

    work->empty_pages = keys->count ? 0 : work->empty_pages + 1;
    if (same_token || goes_back || work->empty_pages > EMPTY_PAGES_MAX)
        return hf_fail(&work->error, HF_EFORMAT,
                       "the listing of its digests does not get anywhere after page %u",
                       work->pages);
    if (keys->count) {
        free(work->last_key);
        work->last_key = hf_strdup(keys->items[keys->count - 1]);
    }
    return HF_OK;
}

static enum check_state
on_page(struct work *work, struct hf_s3_reply *reply)
{
    struct hf_s3_list_page page = { .next_token = NULL };
    enum hf_status status = judge_answer(reply, "listing its digests", "ListBucket", &work->error);

    if (status == HF_ENOTFOUND && says_no_bucket(reply))
        return end(work, no_bucket(work));
    if (work->lacks_lock)
        return end(work, no_lock(work));
    if (status == HF_OK)
        status = hf_s3_parse_list(hf_buf_slice(&reply->body), &page, &work->error);
    if (status == HF_OK)
        status = goes_on(work, &page);
    if (status == HF_OK) {
        newest_take(&work->newest, &page.keys);
        free(work->page_token);
        work->page_token = hf_take(page.next_token);
    }
    hf_s3_list_page_done(&page);
    if (status != HF_OK)
        return end(work, status);
    if (work->page_token)
        return CHECK_LISTING;
    hf_freep(&work->last_key); /* a wider span begins further back */
    work->empty_pages = 0;
    if (work->newest.key[0])
        return CHECK_FETCHING;
    return ++work->span < HF_NEWEST_SPANS ? CHECK_LISTING : end(work, HF_OK);
}

static enum check_state
on_digest(struct work *work, struct hf_s3_reply *reply)
{
    struct hf_delivery *delivery = work->delivery;
    enum hf_status status =
        judge_answer(reply, "reading the newest digest", "GetObject", &work->error);

    if (status != HF_OK && status != HF_ELIMIT)
        return end(work, status);
    memcpy(delivery->newest_digest_key, work->newest.key, sizeof(delivery->newest_digest_key));
    hf_buf_done(&delivery->newest_digest);
    if (status == HF_OK) { /* else it is too long for a digest: not one byte of it */
        const char *signature = hf_s3_reply_header(reply, "x-amz-meta-signature");
        delivery->newest_signature = hf_strdup(signature);
        delivery->newest_digest = reply->body;
        reply->body = HF_BUF(0);
    }
    return end(work, HF_OK);
}

/* ---- the machine ---- */

/* Enters a state: the only writer of work->check, and where requests go out. */
static void
move(struct work *work, enum check_state next)
{
    enum hf_status status = HF_OK;

    work->check = next;
    switch (next) {
    case CHECK_LOCK: status = ask_lock(work, &work->error); break;
    case CHECK_LISTING: status = ask_page(work, &work->error); break;
    case CHECK_FETCHING: status = fetch(work, &work->error); break;
    case CHECK_DONE:
        hf_freep(&work->page_token);
        hf_freep(&work->last_key);
        if (work->status != HF_OK)
            hf_while(&work->error, work->status, "checking bucket '%s'", work->delivery->bucket);
        work_done(work);
        return;
    }
    if (status != HF_OK)
        move(work, end(work, status));
}

static void
step(struct work *work, struct hf_s3_reply *reply)
{
    enum check_state next = CHECK_DONE;

    switch (work->check) {
    case CHECK_LOCK: next = on_lock(work, reply); break;
    case CHECK_LISTING: next = on_page(work, reply); break;
    case CHECK_FETCHING: next = on_digest(work, reply); break;
    case CHECK_DONE: hf_assert(!"an answer that nothing waited for");
    }
    move(work, next);
}

void
check_begin(struct work *work)
{
    work->answered = step;
    work->newest.delivery = work->delivery;
    move(work, CHECK_LOCK);
}
