/* The chain's state: what is written in one step or looked up in it. */
#include "agent/trail/chain.h"

#include <stdio.h>
#include <string.h>

#define FOREIGN_AHEAD_MOST_S 3600
#define SEAL_RETRY_MS        1000
#define SEAL_RETRY_MOST_MS   30000

static void
digest_free(struct digest_work *work)
{
    if (!work)
        return;
    hf_digest_done(&work->digest);
    outgoing_done(&work->out);
    hf_freep(&work);
}

void
chain_done(struct chain *chain)
{
    digest_free(hf_take(chain->digest));
    outgoing_done(&chain->key);
    hf_freep(&chain->head.signature);
    hf_freep(&chain->old_head);
    hf_buf_done(&chain->check.newest_digest);
    hf_freep(&chain->check.newest_signature);
    chain_forget_strays(chain, NULL, INT64_MAX);
}

void
chain_seal_failed(struct chain *chain, const struct hf_error *err, int64_t now_ms)
{
    chain->seal_retry_ms =
        now_ms + HF_MIN(SEAL_RETRY_MS << HF_MIN(chain->seal_failures, 10u), SEAL_RETRY_MOST_MS);
    chain->seal_failures++;
    snprintf(chain->seal_why, sizeof(chain->seal_why), "%s", err->text);
}

void
chain_sealed(struct chain *chain)
{
    chain->seal_retry_ms = 0;
    chain->seal_failures = 0;
    chain->seal_why[0] = '\0';
}

void
chain_set_id(struct chain *chain, const char *id)
{
    snprintf(chain->id, sizeof(chain->id), "%s", id);
    hf_layout_chain_tag(chain->journal, chain->trail, chain->id, chain->tag);
}

void
chain_set_head(struct chain *chain, const struct head *head)
{
    hf_freep(&chain->head.signature);
    chain->head = *head;
}

void
chain_set_digest(struct chain *chain, struct digest_work *work)
{
    digest_free(chain->digest);
    chain->digest = work;
}

int64_t
chain_start_s(const struct chain *chain)
{
    return chain->head.number ? chain->head.end_s : chain->created_s;
}

bool
chain_head_is_in(const struct chain *chain, const char *bucket, const struct hf_layout *layout)
{
    int64_t end_s;

    return chain->head.number && strcmp(chain->head.bucket, bucket) == 0 &&
           hf_layout_is_digest(layout, chain->head.key, &end_s);
}

const char *
head_problem_text(enum head_problem problem)
{
    switch (problem) {
    case HEAD_MISSING: return "the newest digest that the store confirmed is gone or hidden";
    case HEAD_BURIED:
        return "so many keys that are none of this chain lie over its digests that the newest is "
               "not to be seen";
    case HEAD_FINE: break;
    }
    return NULL;
}

bool
chain_owes_digest(const struct chain *chain, const struct lists *lists, uint64_t cut_seq)
{
    return lists->object_count || lists->loss_count || chain->digested_seq < cut_seq;
}

void
chain_key_place(const char *store, const char *bucket, const char *key,
                char ret_place[HF_SHA256_HEX_SIZE])
{
    hf_owned(hf_freep) char *text = hf_asprintf("%s\n%s\n%s", store, bucket, key);
    hf_sha256_hex(text, strlen(text), ret_place);
}

/* ---- changes without a step ---- */

void
chain_follow(struct chain *chain, const char *old_head, int64_t now_s)
{
    hf_freep(&chain->old_head);
    chain->old_head = hf_strdup(old_head);
    chain->time_s = HF_MAX(chain->time_s, now_s);
    if (chain->foreign_end_s < chain->time_s + FOREIGN_AHEAD_MOST_S)
        chain->time_s = HF_MAX(chain->time_s, chain->foreign_end_s);
    chain->created_s = chain->time_s;
}

void
chain_begin_now(struct chain *chain, int64_t now_s)
{
    chain->created_s = chain->time_s = now_s;
}

void
chain_begin_anew(struct chain *chain, struct lists *lists, const char *id)
{
    if (chain->digest) {
        lists_take_back(lists, &chain->digest->digest);
        chain->digested_seq = chain->digest->digest.first_seq - 1;
        chain_set_digest(chain, NULL);
    }
    chain_set_id(chain, id);
    chain_set_head(chain, &(struct head){ 0 });
}

void
chain_move_digest(struct chain *chain)
{
    struct digest_work *work = chain->digest;
    struct hf_digest *digest = &work->digest;
    digest->foreign =
        hf_realloc(digest->foreign, (digest->foreign_count + 1) * sizeof(*digest->foreign));
    digest->foreign[digest->foreign_count++] = hf_strdup(digest->key);
    outgoing_forget_attempts(&work->out);
    chain->time_s = digest->end_s = HF_MAX(chain->time_s, digest->end_s + 1);
}

/* ---- strays ---- */

bool
chain_knows_stray(const struct chain *chain, const char *key)
{
    for (size_t i = 0; i < chain->stray_count; i++) {
        if (strcmp(chain->strays[i], key) == 0)
            return true;
    }
    return false;
}

bool
chain_add_stray(struct chain *chain, const char *key)
{
    if (chain->stray_count >= STRAYS_MOST)
        return false;
    chain->strays = hf_realloc(chain->strays, (chain->stray_count + 1) * sizeof(*chain->strays));
    chain->strays[chain->stray_count++] = hf_strdup(key);
    return true;
}

void
chain_forget_strays(struct chain *chain, const struct hf_layout *layout, int64_t until_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < chain->stray_count; i++) {
        int64_t end_s;
        if (layout && hf_layout_is_digest(layout, chain->strays[i], &end_s) && end_s >= until_s)
            chain->strays[kept++] = chain->strays[i];
        else
            hf_freep(&chain->strays[i]);
    }
    chain->stray_count = kept;
    if (!kept)
        hf_freep(&chain->strays);
}
