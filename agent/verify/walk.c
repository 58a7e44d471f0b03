/* First pass: from the newest digest to the oldest, along the links.
 *
 *   next ──▶ fetch ──▶ usable ──▶ remember ──▶ names the one before it ───────────▶ next, by link
 *    ▲          │                          └─▶ names an older chain's head ───────▶ next, as a head
 *    │          │                          └─▶ names none: the chain is complete ─▶ end
 *    │          └────▶ absent or bad: said; the next older in the listing ────────▶ next, by listing
 *    └────────────────────────────────────────────────────────────────────────────────┘
 *
 * A chain is followed to the prefix that it had before: a link names a key, and the key says which.
 * Where it leads to another bucket nothing is followed. That is ELSEWHERE, and not intact: what
 * lies there was looked at by nobody (object.c says the same of an object).
 *
 * It ends because each step goes to an older key than the last, or, at an old head, to a key that
 * was not visited yet. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

enum how { BY_LISTING, BY_LINK, AS_HEAD };

struct walk {
    struct verify *v;
    enum how how;
    char *next;             /* key; NULL: the walk is over */
    char *hash, *signature; /* BY_LINK: as the newer one names them */
    uint64_t skipped;       /* since the last entry: named and not there, or there and bad */
    bool outside;           /* `next` lies before what was asked for */
    bool after_term;        /* what was skipped since then was free to go */
    bool elsewhere;         /* since the last entry the chain led to another bucket */
};

void
entries_done(struct verify *v)
{
    for (size_t i = 0; i < v->entry_count; i++) {
        free(v->entries[i].key);
        free(v->entries[i].chain);
        free(v->entries[i].version_id);
        free(v->entries[i].previous_mode);
    }
    free(v->entries);
}

static struct entry *
last_entry(struct verify *v)
{
    return v->entry_count ? &v->entries[v->entry_count - 1] : NULL;
}

/* A digest of this trail under any prefix: it may have changed since. Then its end. */
static bool
digest_end(const struct verify *v, const char *key, int64_t *ret_end_s)
{
    static const char folder[] = "AWSLogs/";
    const char *at = key, *found = NULL;
    struct hf_layout layout = v->layout;

    while ((at = strstr(at, folder)) != NULL)
        found = at++;
    if (!found)
        return false;
    hf_owned(hf_freep) char *prefix = hf_strndup(key, found > key ? (size_t)(found - key - 1) : 0);
    layout.prefix = prefix;
    return hf_layout_is_digest(&layout, key, ret_end_s);
}

/* Takes `key`, `hash` and `signature` over. */
static void
set_next(struct walk *walk, enum how how, char *key, char *hash, char *signature)
{
    const struct verify *v = walk->v;
    int64_t end_s;

    free(walk->next);
    free(walk->hash);
    free(walk->signature);
    walk->how = how;
    walk->next = key;
    walk->hash = hash;
    walk->signature = signature;
    walk->outside =
        key && v->options->start_s && digest_end(v, key, &end_s) && end_s <= v->options->start_s;
}

/* The link led nowhere, or to nothing that could be believed. */
static void
go_on_in_listing(struct walk *walk)
{
    const char *older = listing_older(walk->v, walk->next);

    walk->skipped++;
    set_next(walk, BY_LISTING, hf_strdup(older), NULL, NULL);
}

static void
say_missing(struct walk *walk)
{
    struct verify *v = walk->v;
    const struct entry *newer = last_entry(v);
    if (newer && walk->how == BY_LINK && newer->previous_until_s &&
        newer->previous_until_s <= v->look.now_s) {
        gone_add(v, newer->chain, walk->next, newer->first_seq, newer->previous_mode);
        v->gone[v->gone_count - 1].is_digest = true;
        v->digest_is_gone = walk->after_term = true;
        return;
    }
    const char *older = listing_older(v, walk->next);

    if (!newer)
        verify_report(v, HF_MISSING, walk->next, "it was listed and then not there");
    else
        verify_report(
            v, HF_MISSING, walk->next, "'%s' names it as %s, and it is not there; %s%s", newer->key,
            walk->how == AS_HEAD ? "the head of the chain before" : "the digest before it",
            older ? "going on with " : "no older one is listed", older ? older : "");
}

/* Reached by listing: it may be of another chain, or come after a hole that is larger than what is
 * known. */
static bool
fits_after_break(struct walk *walk, const struct judged *judged)
{
    struct verify *v = walk->v;
    const struct entry *newer = last_entry(v);
    const struct hf_digest *digest = &judged->digest;

    if (!newer || newer->number == 0 || digest->number == 0)
        return true;
    uint64_t before = newer->number - 1; /* so many digests of the chain lie before the newer one */
    if (strcmp(digest->chain, newer->chain) != 0) {
        if (before <= walk->skipped)
            return true; /* what was skipped may have named it as an old head */
        verify_report(v, HF_EXTRA, walk->next, "it is of chain %s, which nothing in chain %s names",
                      digest->chain, newer->chain);
        return false;
    }
    if (digest->number >= newer->number) {
        verify_report(v, HF_BROKEN_CHAIN, walk->next,
                      "it is number %" PRIu64 ", and the newer '%s' number %" PRIu64,
                      digest->number, newer->key, newer->number);
        return false;
    }
    if (before - digest->number > walk->skipped && !walk->elsewhere)
        verify_report(v, walk->after_term ? HF_GONE_AFTER_TERM : HF_MISSING, walk->next,
                      "between it (number %" PRIu64 ") and '%s' (number %" PRIu64 ") %" PRIu64
                      " digests are not there",
                      digest->number, newer->key, newer->number,
                      before - digest->number - walk->skipped);
    return true;
}

static void
/* NOLINTNEXTLINE(readability-non-const-parameter): the entry takes version_id */
remember(struct walk *walk, const struct judged *judged, char *version_id)
{
    struct verify *v = walk->v;
    const struct hf_digest *digest = &judged->digest;
    struct entry *newer = last_entry(v);
    int64_t start_s = v->options->start_s, end_s = v->options->end_s;
    struct entry entry = {
        .key = hf_strdup(walk->next),
        .chain = hf_strdup(digest->chain),
        .version_id = version_id,
        .number = digest->number,
        .first_seq = digest->first_seq,
        .last_seq = digest->last_seq,
        .object_count = digest->object_count,
        .start_s = digest->start_s,
        .end_s = digest->end_s,
        .previous_until_s = digest->previous_retain_until_s,
        .previous_mode = hf_strdup(digest->previous_lock_mode),
        .clean = judged->finding == HF_VALID,
        .vouches = judged->vouches,
        .outside = (start_s && digest->end_s <= start_s) || (end_s && digest->start_s >= end_s),
    };

    memcpy(entry.hash, judged->outline.sha256, sizeof(entry.hash));
    if (newer)
        newer->linked = walk->how == BY_LINK && strcmp(entry.hash, walk->hash) == 0;
    if (v->entry_count % 256 == 0)
        v->entries = hf_realloc(v->entries, (v->entry_count + 256) * sizeof(*v->entries));
    v->entries[v->entry_count++] = entry;
    heads_meet(v, walk->next, judged);
    if (!entry.outside) {
        v->result->digests++;
        v->objects_known += entry.object_count;
    }
    walk->skipped = 0;
    walk->after_term = false;
}

static bool
was_visited(const struct verify *v, const char *key)
{
    for (size_t i = 0; i < v->entry_count; i++)
        if (strcmp(v->entries[i].key, key) == 0)
            return true;
    return false;
}

static bool
names_older(const struct walk *walk, const struct hf_digest *digest)
{
    int64_t end_s;

    if (digest_end(walk->v, digest->previous_key, &end_s))
        return end_s < digest->end_s;
    return strcmp(digest->previous_key, walk->next) < 0;
}

static void
follow(struct walk *walk, struct hf_digest *digest)
{
    struct verify *v = walk->v;

    walk->elsewhere = false;
    if (walk->outside) { /* NOLINT(bugprone-branch-clone): asked before the others */
        set_next(walk, BY_LISTING, NULL, NULL, NULL);
    } else if (digest->previous_key) {
        if (strcmp(digest->previous_bucket, v->bucket) != 0) {
            verify_report(v, HF_ELSEWHERE, walk->next,
                          "the digest before it is '%s/%s': validate that bucket as well",
                          digest->previous_bucket, digest->previous_key);
            walk->elsewhere = true;
            set_next(walk, BY_LISTING, hf_strdup(listing_older(v, walk->next)), NULL, NULL);
            return;
        }
        if (!names_older(walk, digest)) {
            verify_report(v, HF_BROKEN_CHAIN, walk->next,
                          "the digest before it is said to be '%s', which is not an older one",
                          digest->previous_key);
            v->entries[v->entry_count - 1].clean = false;
            set_next(walk, BY_LISTING, hf_strdup(listing_older(v, walk->next)), NULL, NULL);
            return;
        }
        set_next(walk, BY_LINK, hf_take(digest->previous_key), hf_take(digest->previous_hash),
                 hf_take(digest->previous_signature));
    } else if (digest->old_head && !was_visited(v, digest->old_head)) {
        set_next(walk, AS_HEAD, hf_take(digest->old_head), NULL, NULL);
    } else {
        set_next(walk, BY_LISTING, NULL, NULL, NULL);
    }
}

/* One that the store does not hand over is passed by, as a bad one is. */
static enum hf_status
fetch(struct walk *walk, const struct link *link, enum fetched *ret_fetched,
      struct judged *ret_judged, char **ret_version_id, struct hf_error *err)
{
    struct hf_error why = { .status = HF_OK };
    enum hf_status status;
    unsigned attempt = 0;

    do
        status =
            fetch_digest(walk->v, walk->next, link, ret_fetched, ret_judged, ret_version_id, &why);
    while (status != HF_OK && unseen_try_again(status, attempt++));
    if (status == HF_OK) {
        unseen_none(walk->v);
        return HF_OK;
    }
    *ret_fetched = FETCHED_BAD;
    return unseen_report(walk->v, walk->next, status, &why, err);
}

static enum hf_status
step(struct walk *walk, struct hf_error *err)
{
    struct verify *v = walk->v;
    struct link link = { .newer_key = v->entry_count ? last_entry(v)->key : NULL };
    struct judged judged = { .finding = HF_VALID };
    enum fetched fetched = FETCHED_ABSENT;
    char *version_id = NULL;
    enum hf_status status;

    if (walk->how == BY_LINK) {
        link.hash = walk->hash;
        link.signature = walk->signature;
        link.newer = last_entry(v);
    }
    listing_mark(v, walk->next);
    v->quiet = walk->outside;
    status = fetch(walk, &link, &fetched, &judged, &version_id, err);
    v->quiet = false;
    if (status != HF_OK)
        return status;
    if (fetched != FETCHED_USABLE && walk->outside) {
        free(version_id);
        set_next(walk, BY_LISTING, NULL, NULL, NULL); /* its time may be over */
    } else if (fetched != FETCHED_USABLE) {
        if (fetched == FETCHED_ABSENT)
            say_missing(walk);
        v->result->digests++;
        free(version_id);
        go_on_in_listing(walk);
    } else if (walk->how == BY_LISTING && !fits_after_break(walk, &judged)) {
        free(version_id);
        go_on_in_listing(walk);
        walk->skipped--; /* it was none of the chain's */
    } else {
        remember(walk, &judged, version_id);
        follow(walk, &judged.digest);
    }
    judged_done(&judged);
    verify_progress(v);
    return HF_OK;
}

/* The newest, or the one in which the time that was asked for ends. */
static const char *
where_to_begin(const struct verify *v)
{
    int64_t end_s = 0;

    for (size_t i = 0; v->options->end_s && i < v->listing.count; i++)
        if (hf_layout_is_digest(&v->layout, v->listing.items[i], &end_s) &&
            end_s >= v->options->end_s)
            return v->listing.items[i];
    return v->listing.items[v->listing.count - 1];
}

enum hf_status
walk_chain(struct verify *v, struct hf_error *err)
{
    struct walk walk = { .v = v };
    enum hf_status status = HF_OK;

    set_next(&walk, BY_LISTING, hf_strdup(where_to_begin(v)), NULL, NULL);
    if (walk.outside) /* all there is lies before it */
        set_next(&walk, BY_LISTING, NULL, NULL, NULL);
    while (walk.next && status == HF_OK)
        status = step(&walk, err);
    set_next(&walk, BY_LISTING, NULL, NULL, NULL);
    return status;
}
