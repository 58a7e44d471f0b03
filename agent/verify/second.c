/* Second pass: from the oldest digest to the newest, over what they list. Each is read once more,
 * by the hash that the first pass found right. */
#include <holdfast/config.h>
#include <holdfast/seal.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"
#include "agent/verify/workers.h"

struct second {
    struct verify *v;
    struct workers *workers; /* NULL: objects are looked at here, one after the other */
    struct carry carry;
    bool any_lock;          /* something listed in this chain so far is locked, */
    int64_t latest_until_s; /* and until then: a digest is never locked for less */
};

static enum hf_status
get_again(struct verify *v, const struct entry *entry, struct hf_buf *stored,
          struct hf_object_info *ret_info, struct hf_error *err)
{
    enum hf_status status;
    unsigned attempt = 0;

    do
        status = hf_store_get(v->look.store, entry->key, entry->version_id, DIGEST_STORED_MAX,
                              stored, ret_info, err);
    while (status != HF_OK && unseen_try_again(status, attempt++));
    return status;
}

static enum hf_status
read_again(struct verify *v, const struct entry *entry, struct hf_digest *ret_digest,
           struct hf_object_info *ret_info, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf stored = HF_BUF(DIGEST_STORED_MAX),
                                        json = HF_BUF(HF_DIGEST_MAX);
    char hash[HF_SHA256_HEX_SIZE] = "";
    enum hf_status status = get_again(v, entry, &stored, ret_info, err);

    if (status == HF_OK)
        status = hf_gunzip(hf_buf_slice(&stored), &json, err);
    if (status == HF_OK)
        hf_sha256_hex(json.ptr, json.size, hash);
    if (status == HF_OK && strcmp(hash, entry->hash) != 0)
        status = hf_fail(err, HF_ECORRUPT, "it changed between two reads");
    if (status == HF_OK)
        status = hf_digest_parse(hf_buf_slice(&json), ret_digest, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "reading digest '%s' again", entry->key);
}

static void
know_keys(struct verify *v, const struct hf_digest *digest)
{
    for (size_t i = 0; i < digest->object_count; i++)
        extra_know(v, digest->objects[i].key);
    for (size_t i = 0; i < digest->pending_count; i++)
        extra_know(v, digest->pending[i].key);
    for (size_t i = 0; i < digest->foreign_count; i++)
        extra_know(v, digest->foreign[i]);
}

/* The time in which every object of this chain is known: all of it if the first digest was reached,
 * else from where we began, or a little later if nothing is known of what came before. */
static void
know_chain(struct verify *v, const struct hf_digest *digest, bool older_known)
{
    if (digest->number == 0)
        return;
    struct chain *chain = v->chain_count ? &v->chains[v->chain_count - 1] : NULL;
    if (!chain || strcmp(chain->id, digest->chain) != 0) {
        v->chains = hf_realloc(v->chains, (v->chain_count + 1) * sizeof(*v->chains));
        chain = &v->chains[v->chain_count++];
        *chain = (struct chain){ .id = hf_strdup(digest->chain), .to_s = digest->end_s };
        memcpy(chain->tag, digest->tag, sizeof(chain->tag));
        chain->from_s = digest->number == 1 ? INT64_MIN
                        : older_known       ? digest->start_s
                                            : digest->start_s + CUT_LAG_S;
    }
    chain->to_s = digest->end_s;
}

static void
add_blind(struct verify *v, int64_t from_s, int64_t to_s)
{
    v->blinds = hf_realloc(v->blinds, (v->blind_count + 1) * sizeof(*v->blinds));
    v->blinds[v->blind_count++] = (struct blind){ .from_s = from_s - 60, .to_s = to_s + CUT_LAG_S };
}

static void
blind_between(struct verify *v, const struct entry *older, const struct entry *newer)
{
    add_blind(v, older->end_s, newer->start_s);
}

/* What it lists was known in the first pass, and cannot be read now. */
static enum hf_status
pass_by(struct second *second, struct entry *entry, enum hf_status status,
        const struct hf_error *why, struct hf_error *err)
{
    carry_done(&second->carry);
    add_blind(second->v, entry->start_s, entry->end_s);
    entry->clean = false;
    if (status != HF_ENOTFOUND && !fetch_is_bad_object(status))
        return unseen_report(second->v, entry->key, status, why, err);
    verify_report(second->v, status == HF_ENOTFOUND ? HF_MISSING : HF_INVALID, entry->key, "%s",
                  why->text);
    return HF_OK;
}

static void
say_losses(struct verify *v, const struct hf_digest *digest)
{
    for (size_t i = 0; i < digest->loss_count; i++) {
        const struct hf_digest_loss *loss = &digest->losses[i];
        const char *reason = loss->reason ? loss->reason : "no reason is given";
        if (loss->first_seq)
            verify_report(v, HF_LOSS, digest->key, "sequences %" PRIu64 " to %" PRIu64 ": %s",
                          loss->first_seq, loss->last_seq, reason);
        else
            verify_report(v, HF_LOSS, digest->key, "of unknown extent: %s", reason);
    }
}

static void
say_pending(struct verify *v, const struct hf_digest *digest)
{
    for (size_t i = 0; i < digest->pending_count; i++)
        verify_report(v, HF_PENDING, digest->pending[i].key,
                      "sequences %" PRIu64 " to %" PRIu64 ", announced by '%s'",
                      digest->pending[i].first_seq, digest->pending[i].last_seq, digest->key);
}

static enum hf_status
check_holding(struct second *second, struct entry *entry, const struct hf_digest *digest,
              const struct hf_object_info *info, struct hf_error *err)
{
    struct verify *v = second->v;

    for (size_t i = 0; i < digest->object_count; i++) {
        const struct hf_digest_object *object = &digest->objects[i];
        second->any_lock = second->any_lock || object->retain_until_s;
        second->latest_until_s = HF_MAX(second->latest_until_s, object->retain_until_s);
    }
    if (look_is_free(&v->look, info))
        gone_left(v, entry->chain, entry->last_seq);
    if (!v->options->check_locks || entry->outside)
        return HF_OK;
    if (!lock_check(&v->look, entry->key, info,
                    second->any_lock ? HF_LOCK_GOVERNANCE : HF_LOCK_NONE, second->latest_until_s,
                    "the objects that it and those before it list"))
        entry->clean = false;
    enum hf_status status = HF_OK;
    if (!entry->version_id)
        status = versions_check(&v->look, entry->key, NULL, info->sha256, &entry->clean, err);
    verify_tell(v, &v->look.now.notes);
    return status;
}

static int
by_sequence(const void *a, const void *b)
{
    const struct hf_digest_object *one = a, *other = b;

    return (one->first_seq > other->first_seq) - (one->first_seq < other->first_seq);
}

/* The next object; *handed of the digest's objects, from there on as many as may be looked at ahead
 * of it, are with the workers. */
static enum hf_status
look_at_next(struct second *second, const struct hf_digest *digest,
             const struct hf_digest_object *object, size_t *handed, struct looked *ret_looked,
             struct hf_error *err)
{
    struct look *own = &second->v->look;

    if (!second->workers) {
        object_look(own, digest, object, ret_looked);
        return HF_OK;
    }
    while (*handed < digest->object_count && !workers_are_full(second->workers)) {
        enum hf_status status = workers_put(second->workers, digest, &digest->objects[(*handed)++],
                                            own->versions_refused, err);
        if (status != HF_OK)
            return status;
    }
    workers_take(second->workers, ret_looked);
    /* Which of them learns first that versions may not be listed, must make no difference. */
    if (ret_looked->too_large || (ret_looked->versions_seen && own->versions_refused)) {
        looked_done(ret_looked);
        object_look(own, digest, object, ret_looked);
    }
    return HF_OK;
}

static bool
notes_are_fine(const struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (!hf_finding_fine(notes->items[i].finding))
            return false;
    return true;
}

/* What was found out counts, and is said, in this order. */
static enum hf_status
take_looked(struct verify *v, const struct entry *entry, const struct hf_digest_object *object,
            struct looked *looked, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    bool withheld = v->options->strict &&
                    (!entry->clean || looked->status != HF_OK || !notes_are_fine(&looked->notes));

    v->look.versions_refused |= looked->versions_refused;
    if (looked->right) {
        v->result->objects++;
        v->result->records += looked->records;
        v->result->bytes += looked->bytes;
    }
    if (looked->gone)
        gone_add(v, entry->chain, object->key, object->first_seq, object->lock_mode);
    if (looked->is_free)
        gone_left(v, entry->chain, object->first_seq);
    if (looked->open && !withheld)
        status =
            v->options->content(v->options->context, object, hf_buf_slice(&looked->content), err);
    if (status != HF_OK)
        return status;
    verify_tell(v, &looked->notes);
    if (looked->status != HF_OK)
        return unseen_report(v, object->key, looked->status, &looked->err, err);
    unseen_none(v);
    return HF_OK;
}

static enum hf_status
check_listed(struct second *second, const struct entry *entry, struct hf_digest *digest,
             struct hf_error *err)
{
    struct verify *v = second->v;
    enum hf_status status = HF_OK;
    size_t handed = 0;

    if (digest->number > 0 &&
        digest->object_count > 0) /* they stand in the order of their receipts */
        qsort(digest->objects, digest->object_count, sizeof(*digest->objects), by_sequence);
    for (size_t i = 0; i < digest->object_count && status == HF_OK; i++) {
        struct looked looked;
        status = look_at_next(second, digest, &digest->objects[i], &handed, &looked, err);
        if (status != HF_OK)
            break;
        status = take_looked(v, entry, &digest->objects[i], &looked, err);
        looked_done(&looked);
        verify_progress(v);
    }
    if (status != HF_OK) { /* what is under way borrows the digest */
        workers_free(second->workers);
        second->workers = NULL;
    }
    return status;
}

static void
begin_chain(struct second *second)
{
    second->any_lock = false;
    second->latest_until_s = 0;
}

static enum hf_status
check_entry(struct second *second, size_t at, struct hf_digest *digest, struct hf_error *err)
{
    struct verify *v = second->v;
    struct entry *entry = &v->entries[at];
    const struct entry *older = at + 1 < v->entry_count ? &v->entries[at + 1] : NULL;
    struct hf_object_info info = { .size = 0 };
    uint64_t broken = v->result->findings[HF_BROKEN_CHAIN];
    struct hf_error why = { .status = HF_OK };
    enum hf_status status = read_again(v, entry, digest, &info, &why);

    if (status != HF_OK)
        return pass_by(second, entry, status, &why, err);
    unseen_none(v);
    if (!entry->linked)
        carry_done(&second->carry);
    if (entry->number <= 1)
        begin_chain(second);
    if (older && !entry->linked && entry->number > 1)
        blind_between(v, older, entry);
    know_keys(v, digest);
    if (!entry->outside)
        know_chain(v, digest, older && entry->linked);
    if (entry->outside)
        range_begin(digest, &second->carry);
    else
        range_check(v, digest, &second->carry);
    if (v->result->findings[HF_BROKEN_CHAIN] != broken)
        entry->clean = false;
    status = check_holding(second, entry, digest, &info, err);
    if (status != HF_OK || entry->outside)
        return status;
    say_losses(v, digest);
    if (entry->clean)
        verify_report(v, HF_VALID, entry->key, "number %" PRIu64 ", %zu objects", digest->number,
                      digest->object_count);
    return check_listed(second, entry, digest, err);
}

static bool
is_same_chain(const struct entry *one, const struct entry *other)
{
    if (!one->chain || !other->chain)
        return one->chain == other->chain;
    return strcmp(one->chain, other->chain) == 0;
}

static void
add_up(struct verify *v)
{
    struct hf_verify_result *result = v->result;
    const struct entry *head = NULL;

    for (size_t i = 0; i < v->entry_count; i++) {
        const struct entry *entry = &v->entries[i];
        if (entry->outside)
            continue;
        if (!head) {
            head = entry;
            result->to_s = entry->end_s;
            result->last_seq = entry->last_seq;
        }
        result->from_s = entry->start_s;
        if (is_same_chain(entry, head))
            result->first_seq = entry->first_seq;
    }
}

enum hf_status
second_pass(struct verify *v, struct hf_error *err)
{
    const struct hf_verify_options *options = v->options;
    struct second second = { .v = v };
    enum hf_status status = HF_OK;

    if (options->open_store && (options->check_objects || options->content || options->check_locks))
        second.workers = workers_new(options, WORKERS_ROOM);
    add_up(v);
    for (size_t i = v->entry_count; i > 0 && status == HF_OK; i--) {
        struct hf_digest digest = { 0 };
        status = check_entry(&second, i - 1, &digest, err);
        if (status == HF_OK && i == 1 && !v->entries[0].outside)
            say_pending(v, &digest);
        hf_digest_done(&digest);
    }
    workers_free(second.workers);
    carry_done(&second.carry);
    return status;
}
