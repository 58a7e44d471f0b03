/* The digests of the trail as the store lists them. The chain is walked along its links, not along
 * this; it tells where to begin, where to go on when a link leads nowhere, and what no link
 * reaches. */
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

#define TRAILS_NAMED 8         /* in a message */
#define KEYS_MOST    10000000u /* looked at: one digest a minute for nineteen years */

size_t
listing_lower_bound(const struct verify *v, const char *key)
{
    size_t low = 0, high = v->listing.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(v->listing.items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
listing_mark(struct verify *v, const char *key)
{
    size_t at = listing_lower_bound(v, key);

    if (at < v->listing.count && strcmp(v->listing.items[at], key) == 0)
        v->visited[at] = true;
}

const char *
listing_older(const struct verify *v, const char *key)
{
    for (size_t at = listing_lower_bound(v, key); at > 0; at--)
        if (!v->visited[at - 1])
            return v->listing.items[at - 1];
    return NULL;
}

bool
listing_has_signature(const struct verify *v)
{
    struct hf_object_info info;
    bool any = false;

    for (size_t i = v->listing.count; i-- > 0;) {
        enum hf_status status =
            hf_store_head(v->look.store, v->listing.items[i], NULL, &info, NULL);
        if (status == HF_ENOTFOUND)
            continue; /* hidden */
        any = true;
        if (status != HF_OK || info.signature[0] || info.signature_algorithm[0] || info.sha256[0])
            return true; /* what is wrong is for the walk to say */
    }
    return !any;
}

/* The trail in the name of a digest: ACCOUNT_CloudTrail-Digest_REGION_TRAIL_REGION_STAMP.json.gz,
 * by the test that everyone else uses; NULL if it is not a digest of this layout. */
static char *
trail_of(const struct verify *v, const char *key)
{
    hf_owned(hf_freep) char *begin =
        hf_asprintf("%s_CloudTrail-Digest_%s_", v->layout.account, v->layout.region);
    hf_owned(hf_freep) char *end = hf_asprintf("_%s_", v->layout.region);
    const char *name = strrchr(key, '/');
    struct hf_layout layout = v->layout;
    int64_t end_s;

    name = name ? name + 1 : key;
    if (!hf_starts_with(name, begin))
        return NULL;
    name += strlen(begin);
    /* From behind: the stamp has a fixed size, a trail's name may hold anything. */
    size_t size = strlen(name), tail = strlen(end) + strlen("20261122T150405Z.json.gz");
    if (size <= tail)
        return NULL;
    hf_owned(hf_freep) char *trail = hf_strndup(name, size - tail);
    layout.trail = trail;
    return hf_layout_is_digest(&layout, key, &end_s) ? hf_take(trail) : NULL;
}

struct trails {
    char *names[TRAILS_NAMED];
    size_t count;
};

static void
add_trail(struct trails *trails, char *name)
{
    for (size_t i = 0; i < trails->count; i++) {
        if (strcmp(trails->names[i], name) == 0) {
            free(name);
            return;
        }
    }
    if (trails->count < TRAILS_NAMED)
        trails->names[trails->count++] = name;
    else
        free(name);
}

/* Nobody named the trail: there must be exactly one. Keeps all keys that are a digest of any. */
static enum hf_status
choose_trail(struct verify *v, struct trails *trails, const char *prefix, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf names = HF_BUF(8192);

    for (size_t i = 0; i < v->listing.count; i++) {
        char *name = trail_of(v, v->listing.items[i]);
        if (name)
            add_trail(trails, name);
    }
    if (trails->count == 0)
        return hf_fail(err, HF_ENOTFOUND, "there is no digest under '%s' in bucket '%s'", prefix,
                       hf_store_bucket(v->look.store));
    for (size_t i = 0; i < trails->count; i++) {
        enum hf_status status = hf_buf_addf(&names, "%s%s", i ? ", " : "", trails->names[i]);
        hf_assert(status == HF_OK);
    }
    if (trails->count > 1)
        return hf_fail(err, HF_EUSAGE,
                       "there are several trails under '%s' (%s): name one with --trail", prefix,
                       hf_buf_text(&names));
    v->trail = hf_strdup(trails->names[0]);
    v->layout.trail = v->trail;
    return HF_OK;
}

/* Takes the page's keys over, if `v` wants them; frees the page. */
static void
take_page(struct verify *v, struct hf_strings *page)
{
    for (size_t i = 0; i < page->count; i++) {
        int64_t end_s;
        if (v->layout.trail && !hf_layout_is_digest(&v->layout, page->items[i], &end_s))
            continue;
        hf_strings_take(&v->listing, hf_take(page->items[i]));
    }
    hf_strings_done(page);
}

static void
keep_own(struct verify *v)
{
    size_t kept = 0;
    int64_t end_s;

    for (size_t i = 0; i < v->listing.count; i++) {
        if (hf_layout_is_digest(&v->layout, v->listing.items[i], &end_s))
            v->listing.items[kept++] = v->listing.items[i];
        else
            free(v->listing.items[i]);
    }
    v->listing.count = kept;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A delete marker takes a digest out of the listing. In the middle of the chain a link still names
 * it; at its end nothing does. */
static enum hf_status
add_hidden(struct verify *v, const char *prefix, struct hf_error *err)
{
    struct hf_strings hidden = { 0 };
    struct hf_error why;
    enum hf_status status = hf_store_hidden(v->look.store, prefix, &hidden, &why);

    if (status == HF_EREFUSED || status == HF_EACCESS) {
        v->look.versions_refused = true;
        verify_report(
            v, HF_VERSIONS_UNSEEN, prefix,
            "listing versions is not allowed (%s): delete markers over the newest digests "
            "would not be seen",
            why.text);
        return HF_OK;
    }
    if (status != HF_OK) {
        if (err)
            *err = why;
        return hf_while(err, status, "looking for digests under delete markers");
    }
    take_page(v, &hidden);
    return HF_OK;
}

enum hf_status
listing_read(struct verify *v, struct hf_error *err)
{
    hf_owned(hf_freep) char *after = hf_strdup("");
    struct trails trails = { .count = 0 };
    char prefix[HF_KEY_MAX];
    size_t page_count, all = 0;
    enum hf_status status;

    hf_layout_digest_prefix(&v->layout, prefix);
    do { /* until nothing comes: a short page is not the last one everywhere */
        struct hf_strings page = { 0 };
        status = hf_store_list(v->look.store, prefix, after, LIST_PAGE, &page, err);
        if (status != HF_OK)
            return hf_while(err, status, "listing the digests");
        page_count = page.count;
        if (page_count > 0) {
            free(after);
            after = hf_strdup(page.items[page_count - 1]);
        }
        take_page(v, &page);
        if ((all += page_count) > KEYS_MOST)
            return hf_fail(err, HF_ELIMIT,
                           "the store lists more than %u keys under '%s', and goes on", KEYS_MOST,
                           prefix);
    } while (page_count > 0);
    status = add_hidden(v, prefix, err);
    if (status != HF_OK)
        return status;

    if (!v->layout.trail) {
        status = choose_trail(v, &trails, prefix, err);
        for (size_t i = 0; i < trails.count; i++)
            free(trails.names[i]);
        if (status != HF_OK)
            return status;
        keep_own(v);
    }
    if (v->listing.count == 0)
        return hf_fail(err, HF_ENOTFOUND,
                       "there is no digest of trail '%s' under '%s' in bucket '%s'",
                       v->layout.trail, prefix, hf_store_bucket(v->look.store));
    qsort(v->listing.items, v->listing.count, sizeof(char *), by_name);
    v->visited = hf_alloc(v->listing.count * sizeof(*v->visited));
    return HF_OK;
}
