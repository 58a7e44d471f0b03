/* What lies there and no digest lists. Known keys are kept as 16 bytes of their SHA-256 each. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

#define OTHERS_MOST      10000000u /* keys that are none of ours: a listing must end */
#define OLDER_ASKED_MOST 1000      /* the oldest ones: one that is free is enough */

static struct key_hash
hash_of(const char *key)
{
    uint8_t sha256[HF_SHA256_SIZE];
    struct key_hash hash;

    hf_sha256(key, strlen(key), sha256);
    memcpy(hash.bytes, sha256, sizeof(hash.bytes));
    return hash;
}

void
extra_know(struct verify *v, const char *key)
{
    if (v->known_count % 4096 == 0)
        v->known = hf_realloc(v->known, (v->known_count + 4096) * sizeof(*v->known));
    v->known[v->known_count++] = hash_of(key);
}

static int
by_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct key_hash));
}

static void
sort_known(struct verify *v)
{
    if (v->known_count > 0)
        qsort(v->known, v->known_count, sizeof(*v->known), by_hash);
}

static bool
is_known(const struct verify *v, const char *key)
{
    struct key_hash hash = hash_of(key);

    return v->known_count && bsearch(&hash, v->known, v->known_count, sizeof(hash), by_hash);
}

/* Only between what was walked: older ones were not asked for, newer ones are beyond the end asked
 * for. What a digest names as somebody else's lay under a key that it was to have itself. */
void
extra_digests(struct verify *v)
{
    int64_t end_s;

    sort_known(v);
    for (size_t i = 0; i < v->listing.count; i++) {
        const char *key = v->listing.items[i];
        if (v->visited[i] || !hf_layout_is_digest(&v->layout, key, &end_s) || is_known(v, key))
            continue;
        if ((v->options->start_s && end_s <= v->options->start_s) ||
            (v->options->end_s && end_s >= v->options->end_s))
            continue;
        verify_report(v, HF_EXTRA, key, "no digest of the chain links to it");
    }
}

/* Its key has the minute of its cut: a whole minute must lie in the time in which all are known. */
static bool
should_be_known(const struct verify *v, const struct chain *chain, int64_t minute_s)
{
    if (minute_s < chain->from_s || minute_s + 60 > chain->to_s)
        return false;
    for (size_t i = 0; i < v->blind_count; i++)
        if (minute_s + 60 > v->blinds[i].from_s && minute_s < v->blinds[i].to_s)
            return false;
    return true;
}

/* A digest that is gone listed it: is it free to go, and still there? */
static void
see_older(struct verify *v, const struct chain *chain, const char *key)
{
    struct hf_object_info info;

    if (is_known(v, key))
        return;
    v->older_seen = true;
    if (v->older_asked++ >= OLDER_ASKED_MOST)
        return;
    if (hf_store_head(v->look.store, key, NULL, &info, NULL) != HF_OK ||
        look_is_free(&v->look, &info))
        gone_left(v, chain->id, 0);
}

static void
check_key(struct verify *v, const char *key)
{
    char unique[HF_UNIQUE_SIZE];
    int64_t minute_s;
    bool cms;

    if (!hf_layout_is_object(&v->layout, key, &minute_s, unique, &cms))
        return;
    for (size_t i = 0; i < v->chain_count; i++) {
        const struct chain *chain = &v->chains[i];
        if (v->digest_is_gone && hf_starts_with(unique, chain->tag) && minute_s < chain->from_s)
            see_older(v, chain, key);
        if (!hf_starts_with(unique, chain->tag) || !should_be_known(v, chain, minute_s))
            continue;
        if (!is_known(v, key))
            verify_report(v, HF_EXTRA, key,
                          "it has the tag of chain %s, and no digest lists or announces it",
                          chain->id);
        return;
    }
}

/* The folders of the days that matter; objects of any day before or after are not even listed. */
static void
days(const struct verify *v, const char *prefix, char **ret_after, char **ret_last)
{
    int64_t from_s = INT64_MAX, to_s = INT64_MIN;
    char day[HF_TIME_SIZE];

    for (size_t i = 0; i < v->chain_count; i++) {
        from_s = HF_MIN(from_s, v->chains[i].from_s);
        to_s = HF_MAX(to_s, v->chains[i].to_s);
    }
    if (v->digest_is_gone)
        from_s = INT64_MIN; /* what it listed may lie on any day before */
    hf_time_folder(from_s, day);
    *ret_after = from_s == INT64_MIN ? hf_strdup("") : hf_asprintf("%s%s", prefix, day);
    hf_time_folder(to_s, day);
    *ret_last = hf_asprintf("%s%s~", prefix, day); /* behind every name in that folder */
}

enum hf_status
extra_objects(struct verify *v, struct hf_error *err)
{
    hf_owned(hf_freep) char *after = NULL, *last = NULL;
    char prefix[HF_KEY_MAX];
    size_t all = 0;
    bool more = true;

    if (v->chain_count == 0)
        return HF_OK;
    sort_known(v);
    hf_layout_object_prefix(&v->layout, prefix);
    days(v, prefix, &after, &last);
    while (more) {
        struct hf_strings page = { 0 };
        enum hf_status status = hf_store_list(v->look.store, prefix, after, LIST_PAGE, &page, err);
        if (status != HF_OK)
            return hf_while(err, status, "listing the objects");
        for (size_t i = 0; i < page.count; i++)
            check_key(v, page.items[i]);
        if ((all += page.count) > OTHERS_MOST + 16 * v->known_count) {
            hf_strings_done(&page);
            return hf_fail(err, HF_ELIMIT,
                           "the store lists more than %zu keys under '%s', and "
                           "the digests %zu; it goes on",
                           all, prefix, v->known_count);
        }
        more = page.count > 0 && strcmp(page.items[page.count - 1], last) < 0;
        if (more) {
            free(after);
            after = hf_take(page.items[page.count - 1]);
        }
        hf_strings_done(&page);
    }
    return HF_OK;
}
