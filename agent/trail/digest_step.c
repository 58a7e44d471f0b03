/* Digests: cut when their time has come, sealed and signed, delivered one after the other. Also
 * the public key's own object. */
#include "agent/trail/trail_impl.h"
#include <stdio.h>
#include <string.h>

void
digest_work_free(struct digest_work *work)
{
    if (!work)
        return;
    hf_digest_done(&work->digest);
    outgoing_done(&work->out);
    hf_freep(&work);
}

/* The first boundary after what the last digest covers. One that passed while the agent was down
 * is made up for at once: else an agent that ends before every boundary never signs. Timers run
 * on boot time: a step of the wall clock neither hurries nor delays a digest. */
void
digest_schedule(struct trail *trail)
{
    int64_t period_s = (int64_t)trail->plan->settings.digest_s,
            now_s = HF_MAX(trail->last_time_s, hf_wall_s());
    int64_t covered_s = trail->digest        ? trail->digest->digest.end_s
                        : trail->head.number ? trail->head.end_s
                                             : trail->created_s;
    int64_t due_s = covered_s - covered_s % period_s + period_s;
    trail->digest_due_ms = (int64_t)hf_boot_ms() + HF_MAX(due_s - now_s, 0) * 1000;
}

/* A chain's first digest waits until the store was seen: it names what it follows. */
bool
digest_may_cut(struct trail *trail)
{
    return !trail->digest && (trail->head.number || trail->chain_known) && trail_may_cut(trail);
}

bool
digest_due(struct trail *trail)
{
    if (trail->object_count >= DIGEST_OBJECTS_MOST ||
        trail->loss_count >= GAPS_MOST) /* so that a digest always fits: early, as a flush's is */
        trail->digest_now = true;
    return digest_may_cut(trail) &&
           (trail->digest_now || (int64_t)hf_boot_ms() >= trail->digest_due_ms);
}

/* On the boundary that has just passed; for a flush, now. Always later than the one before. */
static int64_t
end_time_s(const struct trail *trail, int64_t time_s)
{
    int64_t start_s = trail->head.number ? trail->head.end_s : trail->created_s;
    if (!trail->digest_now)
        time_s -= time_s % (int64_t)trail->plan->settings.digest_s;
    return HF_MAX(time_s, start_s + 1);
}

static void
list_pending(struct trail *trail, struct hf_digest *digest)
{
    size_t count = 0;
    for (const struct window *window = trail->windows; window; window = window->next)
        count++;
    digest->pending = hf_alloc((count + 1) * sizeof(*digest->pending));
    for (const struct window *window = trail->windows; window; window = window->next)
        digest->pending[digest->pending_count++] =
            (struct hf_digest_range){ .first_seq = window->range.first_seq,
                                      .last_seq = window->range.last_seq,
                                      .key = hf_strdup(window->key) };
}

static void
set_text(char **text, const char *value)
{
    hf_freep(text);
    *text = hf_strdup(value);
}

/* By the configuration in force, like a window's key: it may have changed since the cut. */
static void
fill_place(const struct trail *trail, struct hf_digest *digest)
{
    char key[HF_KEY_MAX];
    hf_layout_digest_key(&trail->plan->settings.layout, digest->end_s, key);
    set_text(&digest->bucket, trail->plan->settings.bucket);
    set_text(&digest->key, key);
    set_text(&digest->fingerprint, hf_signer_fingerprint(trail->plan->signer));
}

/* What a digest says about its chain; the same after a restart. */
static void
fill_chain(struct trail *trail, struct hf_digest *digest)
{
    const struct hf_identity *identity = trail->trails->options.identity;
    const struct settings *s = &trail->plan->settings;
    digest->account = hf_strdup(s->layout.account);
    digest->host = hf_strdup(identity->host);
    digest->journal = hf_strdup(identity->journal);
    digest->chain = hf_strdup(trail->chain);
    digest->tag = hf_strdup(trail->tag);
    if (trail->head.number) {
        digest->previous_bucket = hf_strdup(trail->head.bucket);
        digest->previous_key = hf_strdup(trail->head.key);
        digest->previous_hash = hf_strdup(trail->head.hash);
        digest->previous_signature = hf_strdup(trail->head.signature);
    } else {
        digest->old_head = hf_strdup(trail->old_head);
    }
}

void
digest_cut(struct trail *trail)
{
    int64_t time_s;
    if (!trail_take_time(trail, &time_s))
        return;
    struct digest_work *work = hf_alloc(sizeof(*work));
    struct hf_digest *digest = &work->digest;
    digest->number = trail->head.number + 1;
    digest->start_s = trail->head.number ? trail->head.end_s : trail->created_s;
    digest->end_s = end_time_s(trail, time_s);
    fill_place(trail, digest);
    digest->boot = hf_strdup(trail->trails->options.identity->boot);
    digest->first_seq = trail->digested_seq + 1;
    digest->last_seq = trail->cut_seq;
    list_pending(trail, digest);
    digest_take_lists(trail, work);
    work->out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
    work->out.path =
        hf_asprintf("%s/sealed/d%llu", trail->folder, (unsigned long long)digest->number);
    trail->digest = work;
    trail->digested_seq = digest->last_seq;
    trail->last_time_s = HF_MAX(trail->last_time_s, digest->end_s);
    trail->digest_now = false;
    digest_schedule(trail);
    (void)step_record(trail, HF_STEP_DIGEST_CUT, step_digest_cut_doc(work));
    (void)step_sync(trail);
}

/* Later by a second at least, and so under another key; the one it leaves is named in it. */
void
digest_move(struct trail *trail)
{
    struct digest_work *work = trail->digest;
    struct hf_digest *digest = &work->digest;
    struct hf_error err;
    digest->foreign =
        hf_realloc(digest->foreign, (digest->foreign_count + 1) * sizeof(*digest->foreign));
    digest->foreign[digest->foreign_count++] = hf_strdup(digest->key);
    enum hf_status status = hf_fs_unlink(work->out.path, &err);
    if (status != HF_OK && status != HF_ENOTFOUND)
        hf_log_warn("sealed.leftover", HF_STR("trail", trail->name), HF_ERR(&err));
    if (work->out.sealed)
        trail->spool_bytes -= HF_MIN(trail->spool_bytes, work->out.sealed->size);
    hf_sealed_free(hf_take(work->out.sealed));
    work->out.first_retain_s = work->out.last_retain_s = -1;
    work->out.maybe_there = work->out.foreign = false;
    trail->last_time_s = digest->end_s = HF_MAX(trail->last_time_s, digest->end_s + 1);
    fill_place(trail, digest);
    hf_log_error("digest.foreign", HF_STR("trail", trail->name),
                 HF_STR("key", digest->foreign[digest->foreign_count - 1]),
                 HF_STR("new_key", digest->key));
    (void)snapshot_write(trail); /* its cut stands in the ledger: all of it is written anew */
}

/* Where and how digest and key are sent: under the trail's lock, encrypted at the store as its
 * objects are where the store does it; never as an envelope, since anyone must be able to check
 * without a key. */
static struct hf_sealed *
new_sealed(const struct trail *trail, enum hf_sealed_kind kind, const char *key,
           const char *content_type, bool gzipped)
{
    const struct settings *s = &trail->plan->settings;
    bool at_store = s->encryption == HF_ENCRYPT_SSE_S3 || s->encryption == HF_ENCRYPT_SSE_KMS ||
                    s->encryption == HF_ENCRYPT_SSE_C;
    struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    sealed->kind = kind;
    sealed->trail = hf_strdup(trail->name);
    sealed->chain = hf_strdup(trail->chain);
    sealed->store = hf_strdup(s->store);
    sealed->bucket = hf_strdup(s->bucket);
    sealed->key = hf_strdup(key);
    sealed->content_type = hf_strdup(content_type);
    sealed->content_encoding = gzipped ? hf_strdup("gzip") : NULL;
    sealed->encryption = at_store ? s->encryption : HF_ENCRYPT_NONE;
    sealed->kms_key_id = at_store ? hf_strdup(s->kms_key_id) : NULL;
    sealed->sse_c_key_file =
        s->encryption == HF_ENCRYPT_SSE_C ? hf_strdup(s->sse_c_key_file) : NULL;
    sealed->lock_mode = s->lock_mode;
    sealed->lock_days = s->lock_days;
    sealed->legal_hold = s->legal_hold;
    return sealed;
}

static enum hf_status
seal_digest(struct trail *trail, struct hf_sealed *sealed, struct hf_error *err)
{
    struct digest_work *work = trail->digest;
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX),
                                        signature = HF_BUF(2 * HF_SIGNATURE_MAX + 1),
                                        gzip = HF_BUF(HF_DIGEST_MAX);
    enum hf_status status =
        hf_digest_make(&work->digest, trail->plan->signer, &json, &signature, err);
    if (status == HF_OK)
        status = hf_gzip(hf_buf_slice(&json), 6, &gzip, err);
    if (status != HF_OK)
        return status;
    char number[32];
    snprintf(number, sizeof(number), "digest-%llu", (unsigned long long)work->digest.number);
    sealed->window = hf_strdup(number);
    sealed->signature = hf_strdup(hf_buf_text(&signature));
    sealed->signature_algorithm = hf_strdup(hf_signer_algorithm(trail->plan->signer));
    sealed->lock_at_least_s = work->retain_most_s;
    sealed->first_seq = work->digest.first_seq;
    sealed->last_seq = work->digest.last_seq;
    sealed->count = work->digest.object_count;
    sealed->plain_size = json.size;
    hf_sha256_hex(json.ptr, json.size, sealed->plain_sha256);
    return hf_seal_bytes(sealed, work->out.path, hf_buf_slice(&gzip), err);
}

enum hf_status
digest_seal(struct trail *trail, struct hf_error *err)
{
    struct digest_work *work = trail->digest;
    if (!work || work->out.sealed || trail->ledger_trouble)
        return HF_OK;
    fill_place(trail, &work->digest);
    if (!work->digest.journal)
        fill_chain(trail, &work->digest);
    hf_freep(
        &work->digest.fingerprint); /* the key may have been rotated between the cut and this */
    work->digest.fingerprint = hf_strdup(hf_signer_fingerprint(trail->plan->signer));
    struct hf_sealed *sealed =
        new_sealed(trail, HF_SEALED_DIGEST, work->digest.key, "application/json", true);
    enum hf_status status = seal_digest(trail, sealed, err);
    if (status != HF_OK) {
        hf_sealed_free(sealed);
        return hf_while(err, status, "sealing digest %llu",
                        (unsigned long long)work->digest.number);
    }
    work->out.sealed = sealed;
    trail->spool_bytes += sealed->size;
    return HF_OK;
}

/* One place in one bucket: the key names the fingerprint. */
void
key_place(const char *store, const char *bucket, const char *key,
          char ret_place[HF_SHA256_HEX_SIZE])
{
    hf_owned(hf_freep) char *text = hf_asprintf("%s\n%s\n%s", store, bucket, key);
    hf_sha256_hex(text, strlen(text), ret_place);
}

static void
public_key_key(const struct trail *trail, char ret_key[HF_KEY_MAX])
{
    hf_layout_public_key(&trail->plan->settings.layout, hf_signer_fingerprint(trail->plan->signer),
                         ret_key);
}

bool
key_in_place(const struct trail *trail)
{
    char key[HF_KEY_MAX], place[HF_SHA256_HEX_SIZE];
    public_key_key(trail, key);
    key_place(trail->plan->settings.store, trail->plan->settings.bucket, key, place);
    return strcmp(trail->key_in_bucket, place) == 0;
}

/* Is the key that waits one for another place or of another signer than the configuration in
 * force asks for? */
bool
key_moved(const struct trail *trail)
{
    char key[HF_KEY_MAX];
    const struct hf_sealed *sealed = trail->key_out.sealed;
    public_key_key(trail, key);
    return sealed && (strcmp(sealed->key, key) != 0 ||
                      strcmp(sealed->bucket, trail->plan->settings.bucket) != 0 ||
                      strcmp(sealed->store, trail->plan->settings.store) != 0);
}

/* A digest that is sealed already needs the key it was signed with in its bucket first. */
void
key_begin_anew(struct trail *trail)
{
    if (!trail->key_out.sealed || trail->key_out.in_flight ||
        (trail->digest && trail->digest->out.sealed))
        return;
    outgoing_done(&trail->key_out);
    trail->key_out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
}

/* The public key lies in the bucket, locked, before the first digest that needs it. */
enum hf_status
key_prepare(struct trail *trail, struct hf_error *err)
{
    if (trail->key_out.sealed || key_in_place(trail))
        return HF_OK;
    char key[HF_KEY_MAX];
    public_key_key(trail, key);
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64u << 10);
    enum hf_status status = hf_signer_public_pem(trail->plan->signer, &pem);
    if (status != HF_OK)
        return hf_fail(err, status, "writing the public key");
    struct hf_sealed *sealed =
        new_sealed(trail, HF_SEALED_KEY, key, "application/x-pem-file", false);
    sealed->window = hf_strdup("key");
    sealed->plain_size = pem.size;
    hf_sha256_hex(pem.ptr, pem.size, sealed->plain_sha256);
    hf_freep(&trail->key_out.path);
    trail->key_out.path = hf_asprintf("%s/sealed/key", trail->folder);
    status = hf_seal_bytes(sealed, trail->key_out.path, hf_buf_slice(&pem), err);
    if (status != HF_OK) {
        hf_sealed_free(sealed);
        return hf_while(err, status, "sealing the public key");
    }
    trail->key_out.sealed = sealed;
    trail->key_out.maybe_there =
        true; /* another trail, or an earlier life of this one, may have put the same key */
    return HF_OK;
}
