/* Sequences. With each digest everything in it is either within the range that it adds or was
 * announced as pending by the one before, and no two overlap: so no event stands in two objects of
 * the chain, by induction, with one digest in memory. And what was announced must come: as an
 * object, as a loss, or announced again. */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/verify/verify_impl.h"

struct span {
    uint64_t first_seq, last_seq;
    const char *key;
};

static int
by_first(const void *a, const void *b)
{
    const struct span *one = a, *other = b;

    return (one->first_seq > other->first_seq) - (one->first_seq < other->first_seq);
}

/* Objects and what is pending, in order of their sequences. */
static struct span *
spans_of(const struct hf_digest *digest, size_t *ret_count)
{
    struct span *spans =
        hf_alloc((digest->object_count + digest->pending_count + 1) * sizeof(*spans));
    size_t count = 0;

    for (size_t i = 0; i < digest->object_count; i++)
        spans[count++] = (struct span){ digest->objects[i].first_seq, digest->objects[i].last_seq,
                                        digest->objects[i].key };
    for (size_t i = 0; i < digest->pending_count; i++)
        spans[count++] = (struct span){ digest->pending[i].first_seq, digest->pending[i].last_seq,
                                        digest->pending[i].key };
    qsort(spans, count, sizeof(*spans), by_first);
    *ret_count = count;
    return spans;
}

static int
by_first_carried(const void *a, const void *b)
{
    const struct carried *one = a, *other = b;

    return (one->first_seq > other->first_seq) - (one->first_seq < other->first_seq);
}

static struct carried *
find_carried(const struct carry *carry, const struct span *span)
{
    struct carried wanted = { .first_seq = span->first_seq };
    struct carried *found = carry->count ? bsearch(&wanted, carry->items, carry->count,
                                                   sizeof(wanted), by_first_carried)
                                         : NULL;

    return found && found->last_seq == span->last_seq ? found : NULL;
}

static void
check_span(struct verify *v, const struct hf_digest *digest, const struct carry *carry,
           const struct span *span)
{
    bool fresh = span->first_seq >= digest->first_seq;

    if (span->last_seq > digest->last_seq)
        verify_report(v, HF_BROKEN_CHAIN, digest->key,
                      "it covers sequences %" PRIu64 " to %" PRIu64 " and has '%s' with %" PRIu64
                      " to %" PRIu64,
                      digest->first_seq, digest->last_seq, span->key, span->first_seq,
                      span->last_seq);
    else if (!fresh && (carry->known || digest->number == 1) && !find_carried(carry, span))
        verify_report(v, HF_BROKEN_CHAIN, digest->key,
                      "'%s' has sequences %" PRIu64 " to %" PRIu64
                      ", which belong to an older digest that did not announce them",
                      span->key, span->first_seq, span->last_seq);
}

static void
check_spans(struct verify *v, const struct hf_digest *digest, const struct carry *carry,
            const struct span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && spans[i].first_seq <= spans[i - 1].last_seq)
            verify_report(v, HF_BROKEN_CHAIN, digest->key,
                          "'%s' (sequences %" PRIu64 " to %" PRIu64 ") and '%s' (%" PRIu64
                          " to %" PRIu64 ") overlap",
                          spans[i - 1].key, spans[i - 1].first_seq, spans[i - 1].last_seq,
                          spans[i].key, spans[i].first_seq, spans[i].last_seq);
        else
            check_span(v, digest, carry, &spans[i]);
    }
}

static bool
is_lost(const struct hf_digest *digest, uint64_t first_seq, uint64_t last_seq)
{
    for (size_t i = 0; i < digest->loss_count; i++)
        if (digest->losses[i].first_seq && digest->losses[i].first_seq <= first_seq &&
            digest->losses[i].last_seq >= last_seq)
            return true;
    return false;
}

static void
check_carried(struct verify *v, const struct hf_digest *digest, const struct carry *carry,
              const struct span *spans, size_t count)
{
    for (size_t i = 0; i < carry->count; i++) {
        const struct carried *carried = &carry->items[i];
        struct span wanted = { .first_seq = carried->first_seq };
        const struct span *found =
            count ? bsearch(&wanted, spans, count, sizeof(wanted), by_first) : NULL;
        if (found && found->last_seq == carried->last_seq)
            continue;
        if (carried->lost || is_lost(digest, carried->first_seq, carried->last_seq))
            continue;
        verify_report(v, HF_MISSING, carried->key,
                      "'%s' announced it (sequences %" PRIu64 " to %" PRIu64
                      "), and '%s' neither lists it nor announces it again nor calls it lost",
                      carry->digest_key, carried->first_seq, carried->last_seq, digest->key);
    }
}

void
carry_done(struct carry *carry)
{
    for (size_t i = 0; i < carry->count; i++)
        free(carry->items[i].key);
    free(carry->items);
    free(carry->digest_key);
    *carry = (struct carry){ .known = false };
}

void
range_begin(const struct hf_digest *digest, struct carry *carry)
{
    if (digest->number == 0) { /* AWS's have no sequences */
        carry_done(carry);
        return;
    }
    struct carry taken = { .known = true, .digest_key = hf_strdup(digest->key) };

    taken.items = hf_alloc((digest->pending_count + 1) * sizeof(*taken.items));
    for (size_t i = 0; i < digest->pending_count; i++) {
        const struct hf_digest_range *range = &digest->pending[i];
        struct span span = { range->first_seq, range->last_seq, range->key };
        const struct carried *before = find_carried(carry, &span);
        taken.items[taken.count++] = (struct carried){
            .first_seq = range->first_seq,
            .last_seq = range->last_seq,
            .key = hf_strdup(range->key),
            .lost = (before && before->lost) || is_lost(digest, range->first_seq, range->last_seq),
        };
    }
    qsort(taken.items, taken.count, sizeof(*taken.items), by_first_carried);
    carry_done(carry);
    *carry = taken;
}

void
range_check(struct verify *v, const struct hf_digest *digest, struct carry *carry)
{
    size_t count = 0;

    hf_owned(hf_freep) struct span *spans = digest->number ? spans_of(digest, &count) : NULL;
    check_spans(v, digest, carry, spans, count);
    check_carried(v, digest, carry, spans, count);
    range_begin(digest, carry);
}
