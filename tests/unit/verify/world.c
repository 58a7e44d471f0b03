#include "tests/unit/verify/world.h"

#include <inttypes.h>

static char shared_folder[256];
static struct hf_signer *shared_signer, *other_signer;
static struct hf_verifier *shared_verifier;

static struct hf_signer *
make_signer(const char *name)
{
    hf_owned(hf_freep) char *path = hf_asprintf("%s/%s", shared_folder, name);
    struct hf_signer *signer;

    assert_int_equal(hf_signer_create(path, 2048, NULL), HF_OK);
    assert_int_equal(hf_signer_load(path, &signer, NULL), HF_OK);
    return signer;
}

int
world_group_setup(void **state)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(65536);

    (void)state;
    hf_test_tempdir(shared_folder);
    shared_signer = make_signer("digest.key");
    assert_int_equal(hf_signer_public_pem(shared_signer, &pem), HF_OK);
    assert_int_equal(hf_verifier_parse(hf_buf_slice(&pem), "test", &shared_verifier, NULL), HF_OK);
    return 0;
}

int
world_group_teardown(void **state)
{
    (void)state;
    hf_signer_free(shared_signer);
    hf_signer_free(other_signer);
    hf_verifier_free(shared_verifier);
    hf_test_tempdir_remove(shared_folder);
    return 0;
}

struct hf_signer *
world_other_signer(void)
{
    if (!other_signer)
        other_signer = make_signer("other.key");
    return other_signer;
}

static void
finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct world *w = context;

    if (finding == HF_VALID || finding == HF_ADVISORY)
        return;
    assert_true(w->seen_count < HF_COUNT(w->seen));
    struct seen *seen = &w->seen[w->seen_count++];
    seen->finding = finding;
    snprintf(seen->key, sizeof(seen->key), "%s", key);
    snprintf(seen->detail, sizeof(seen->detail), "%s", detail);
}

void
world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    hf_test_tempdir(w->root);
    w->config = (struct hf_config_store){ .name = (char *)"here", .worm = HF_WORM_ADVISORY };
    w->config.url = hf_asprintf("dir://%s", w->root);
    hf_config_store_derive(&w->config);
    assert_int_equal(hf_store_open(&w->config, WORLD_BUCKET, &w->store, NULL), HF_OK);
    assert_int_equal(hf_dir_open(w->root, WORLD_BUCKET, HF_WORM_ADVISORY, &w->dir, NULL), HF_OK);
    assert_int_equal(hf_dir_bucket_create(w->dir, NULL), HF_OK);
    w->signer = shared_signer;
    w->verifier = shared_verifier;
    w->lock_mode = HF_LOCK_GOVERNANCE;
    w->layout = (struct hf_layout){
        .prefix = "host1", .account = "000000000000", .region = "local", .trail = WORLD_TRAIL
    };
    world_chain(w, WORLD_CHAIN, NULL);
    w->end_s = WORLD_BASE_S;
    w->options = (struct hf_verify_options){
        .store = w->store,
        .layout = w->layout,
        .verifiers = (const struct hf_verifier *const *)&w->verifier,
        .verifier_count = 1,
        .check_objects = true,
        .check_locks = true,
        .finding = finding,
        .context = w,
    };
}

void
world_done(struct world *w)
{
    for (size_t i = 0; i < w->made_count; i++) {
        free(w->made[i].bucket);
        free(w->made[i].key);
        free(w->made[i].lock_mode);
        free(w->made[i].encryption);
    }
    hf_store_close(w->store);
    hf_dir_close(w->dir);
    free(w->config.url);
    hf_test_tempdir_remove(w->root);
}

void
world_chain(struct world *w, const char *chain, const char *old_head)
{
    w->chain = chain;
    w->old_head = old_head;
    w->number = 0;
    hf_layout_chain_tag(WORLD_JOURNAL, WORLD_TRAIL, chain, w->tag);
}

void
world_object_key(struct world *w, struct range range, char ret_key[HF_KEY_MAX])
{
    char unique[HF_UNIQUE_SIZE];
    uint64_t hour = (range.first - 1) / WORLD_HOUR_SEQS,
             minute = (range.first - 1) % WORLD_HOUR_SEQS;
    int64_t time_s = WORLD_BASE_S + (int64_t)hour * 3600 + (int64_t)minute * 60 + 30;

    hf_layout_unique(w->tag, WORLD_JOURNAL, WORLD_TRAIL, range.first, range.last, 0, unique);
    hf_layout_object_key(&w->layout, time_s, unique, w->recipients != NULL, ret_key);
}

void
world_put(struct world *w, const char *key, struct hf_slice body, const char *signature)
{
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_error err;

    hf_sha256_hex(body.ptr, body.size, sha256);
    struct hf_dir_object object = {
        .key = key,
        .content_type = "application/json",
        .content_encoding = "gzip",
        .chain = w->chain,
        .window = "w",
        .signature = signature,
        .signature_algorithm = signature ? "SHA256withRSA" : NULL,
        .body = body,
        .size = body.size,
        .sha256 = sha256,
        .lock_mode = w->lock_mode,
        .retain_until_s = w->lock_mode == HF_LOCK_NONE ? 0 : WORLD_UNTIL_S,
    };
    if (hf_dir_put(w->dir, &object, &err) != HF_OK)
        fail_msg("%s", err.text);
}

static void
records_json(const struct world *w, struct range range, struct hf_buf *ret_json)
{
    enum hf_status status = hf_buf_add_text(ret_json, "{\"Records\":[");

    for (uint64_t seq = range.first; seq <= range.last && status == HF_OK; seq++)
        status = hf_buf_addf(ret_json,
                             "%s{\"eventID\":\"%" PRIu64 "\",\"note\":\"a \\\"b\\\" [,]{}\"%*s}",
                             seq > range.first ? "," : "", seq, (int)w->padding, "");
    if (status == HF_OK)
        status = hf_buf_add_text(ret_json, "]}");
    assert_int_equal(status, HF_OK);
}

void
world_put_object(struct world *w, struct range range)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(128 << 20), gzip = HF_BUF(1 << 20),
                                        der = HF_BUF(1 << 20);
    struct hf_digest_object *object = &w->made[w->made_count++];
    char key[HF_KEY_MAX];

    assert_true(w->made_count <= HF_COUNT(w->made));
    records_json(w, range, &json);
    assert_int_equal(hf_gzip(hf_buf_slice(&json), 6, &gzip, NULL), HF_OK);
    world_object_key(w, range, key);
    *object = (struct hf_digest_object){
        .bucket = hf_strdup(WORLD_BUCKET),
        .key = hf_strdup(key),
        .oldest_s = WORLD_BASE_S,
        .newest_s = WORLD_BASE_S + 1,
        .first_seq = range.first,
        .last_seq = range.last,
        .count = range.last - range.first + 1,
        .lock_mode = hf_strdup(hf_lock_mode_text(w->lock_mode)),
        .encryption = hf_strdup(w->recipients ? "cms" : "none"),
        .retain_until_s = w->lock_mode == HF_LOCK_NONE ? 0 : WORLD_UNTIL_S,
    };
    hf_sha256_hex(json.ptr, json.size, object->plain_sha256);
    memcpy(object->hash, object->plain_sha256, sizeof(object->hash));
    if (w->recipients) {
        assert_int_equal(hf_cms_encrypt(w->recipients, hf_buf_slice(&gzip), &der, NULL), HF_OK);
        hf_sha256_hex(der.ptr, der.size, object->hash);
        assert_int_equal(hf_gzip(hf_buf_slice(&der), 0, &gzip, NULL), HF_OK);
    }
    hf_sha256_hex(gzip.ptr, gzip.size, object->stored_sha256);
    world_put(w, key, hf_buf_slice(&gzip), NULL);
}

static const struct hf_digest_object *
made(struct world *w, struct range range)
{
    for (size_t i = 0; i < w->made_count; i++)
        if (w->made[i].first_seq == range.first && w->made[i].last_seq == range.last)
            return &w->made[i];
    world_put_object(w, range);
    return &w->made[w->made_count - 1];
}

static void
fill_lists(struct world *w, const struct plan *plan, struct hf_digest *digest)
{
    digest->objects = hf_alloc(HF_COUNT(plan->objects) * sizeof(*digest->objects));
    digest->pending = hf_alloc(HF_COUNT(plan->pending) * sizeof(*digest->pending));
    digest->losses = hf_alloc(2 * sizeof(*digest->losses));
    for (size_t i = 0; i < HF_COUNT(plan->objects) && plan->objects[i].first; i++) {
        struct hf_digest_object *object = &digest->objects[digest->object_count++];
        *object = *made(w, plan->objects[i]);
        object->bucket = hf_strdup(object->bucket);
        object->key = hf_strdup(object->key);
        object->lock_mode = hf_strdup(object->lock_mode);
        object->encryption = hf_strdup(object->encryption);
    }
    for (size_t i = 0; i < HF_COUNT(plan->pending) && plan->pending[i].first; i++) {
        char key[HF_KEY_MAX];
        world_object_key(w, plan->pending[i], key);
        digest->pending[digest->pending_count++] =
            (struct hf_digest_range){ plan->pending[i].first, plan->pending[i].last,
                                      hf_strdup(key) };
    }
    for (size_t i = 0; i < 2 && plan->losses[i].first; i++)
        digest->losses[digest->loss_count++] =
            (struct hf_digest_loss){ plan->losses[i].first, plan->losses[i].last,
                                     hf_strdup("bad sector") };
}

static void
fill_digest(struct world *w, const struct plan *plan, struct hf_digest *digest)
{
    char key[HF_KEY_MAX];
    size_t before = w->digest_count - 1;

    *digest = (struct hf_digest){
        .account = hf_strdup("000000000000"),
        .bucket = hf_strdup(WORLD_BUCKET),
        .start_s = w->end_s,
        .end_s = w->end_s + 3600,
        .fingerprint = hf_strdup(hf_signer_fingerprint(w->signer)),
        .host = hf_strdup("host1"),
        .journal = hf_strdup(WORLD_JOURNAL),
        .chain = hf_strdup(w->chain),
        .boot = hf_strdup("b0"),
        .tag = hf_strdup(w->tag),
        .number = ++w->number,
        .first_seq = plan->covers.first,
        .last_seq = plan->covers.last,
    };
    hf_layout_digest_key(&w->layout, digest->end_s, key);
    digest->key = hf_strdup(key);
    if (digest->number > 1) {
        digest->previous_bucket = hf_strdup(WORLD_BUCKET);
        digest->previous_key = hf_strdup(w->digest_keys[before]);
        digest->previous_hash = hf_strdup(w->hashes[before]);
        digest->previous_signature = hf_strdup(w->signatures[before]);
    } else {
        digest->old_head = hf_strdup(w->old_head);
    }
    fill_lists(w, plan, digest);
}

void
world_put_digest(struct world *w, const struct plan *plan)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX), signature = HF_BUF(4096);
    hf_owned(hf_buf_done) struct hf_buf gzip = HF_BUF(HF_DIGEST_MAX);
    struct hf_digest digest;
    size_t at = w->digest_count;

    assert_true(at < WORLD_MAX);
    fill_digest(w, plan, &digest);
    if (w->change)
        w->change(&digest);
    assert_int_equal(hf_digest_make(&digest, w->signer, &json, &signature, NULL), HF_OK);
    assert_int_equal(hf_gzip(hf_buf_slice(&json), 6, &gzip, NULL), HF_OK);
    memcpy(w->digest_keys[at], digest.key, strlen(digest.key) + 1);
    memcpy(w->signatures[at], signature.ptr, signature.size + 1);
    hf_sha256_hex(json.ptr, json.size, w->hashes[at]);
    world_put(w, w->digest_keys[at], hf_buf_slice(&gzip), w->signatures[at]);
    w->end_s = digest.end_s;
    w->digest_count++;
    hf_digest_done(&digest);
}

void
world_put_plain(struct world *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t first = w->digest_count * WORLD_HOUR_SEQS + 1, last = first + WORLD_HOUR_SEQS - 1;
        struct plan plan = {
            .covers = { first, last },
            .objects = { { first, first + 9 }, { first + 10, last } },
        };
        world_put_digest(w, &plan);
    }
}

/* ---- tampering: what root can do in a directory ---- */

char *
world_path(struct world *w, const char *key)
{
    return hf_asprintf("%s/" WORLD_BUCKET "/%s", w->root, key);
}

struct hf_buf
world_read(const char *path)
{
    struct hf_buf bytes = HF_BUF(1 << 20);

    assert_int_equal(hf_fs_read_file(path, 1 << 20, &bytes, NULL), HF_OK);
    return bytes;
}

void
world_write(const char *path, struct hf_slice bytes)
{
    FILE *file;

    assert_int_equal(chmod(path, 0600), 0);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

void
world_flip(struct world *w, const char *path, size_t bit)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(path);

    (void)w;
    assert_true(bit / 8 < bytes.size);
    bytes.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    world_write(path, hf_buf_slice(&bytes));
}

void
world_remove(struct world *w, const char *key)
{
    hf_owned(hf_freep) char *path = world_path(w, key);
    hf_owned(hf_freep) char *meta = hf_asprintf("%s.meta.json", path);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(meta), 0);
}

void
world_edit_meta(struct world *w, const char *key, const char *from, const char *to)
{
    hf_owned(hf_freep) char *path = world_path(w, key);
    hf_owned(hf_freep) char *meta = hf_asprintf("%s.meta.json", path);
    hf_owned(hf_buf_done) struct hf_buf before = world_read(meta), after = HF_BUF(1 << 20);
    const char *text = hf_buf_text(&before), *at = strstr(text, from);

    assert_non_null(at);
    assert_int_equal(hf_buf_addf(&after, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)),
                     HF_OK);
    world_write(meta, hf_buf_slice(&after));
}

/* ---- what is said of it ---- */

void
world_verify(struct world *w)
{
    struct hf_error err = { .status = HF_OK };

    w->seen_count = 0;
    if (hf_verify(&w->options, &w->result, &err) != HF_OK)
        fail_msg("%s", err.text);
}

bool
world_saw(const struct world *w, enum hf_finding wanted, const char *key)
{
    for (size_t i = 0; i < w->seen_count; i++)
        if (w->seen[i].finding == wanted && strcmp(w->seen[i].key, key) == 0)
            return true;
    return false;
}

static void
print(const struct world *w)
{
    for (size_t i = 0; i < w->seen_count; i++)
        print_message("%s %s: %s\n", hf_finding_text(w->seen[i].finding), w->seen[i].key,
                      w->seen[i].detail);
}

void
world_expect_intact(struct world *w)
{
    world_verify(w);
    if (w->seen_count || !w->result.intact)
        print(w);
    assert_int_equal(w->seen_count, 0);
    assert_true(w->result.intact);
}

void
world_expect_one(struct world *w, enum hf_finding wanted, const char *key)
{
    world_verify(w);
    if (w->seen_count != 1 || !world_saw(w, wanted, key)) {
        print(w);
        fail_msg("expected only %s %s", hf_finding_text(wanted), key);
    }
    assert_int_equal(w->result.intact, hf_finding_fine(wanted));
}

/* ---- envelopes ---- */

static void
openssl(const struct world *w, const char *arguments)
{
    hf_owned(hf_freep) char *command =
        hf_asprintf("cd '%s' && '%s' %s 2>/dev/null", w->root, OPENSSL_TOOL, arguments);

    assert_int_equal(system(command), 0);
}

void
world_envelopes(struct world *w, struct envelopes *ret)
{
    hf_owned(hf_freep) char *certificate = hf_asprintf("%s/r.crt", w->root);
    hf_owned(hf_freep) char *key = hf_asprintf("%s/r.key", w->root);
    hf_owned(hf_freep) char *strange = hf_asprintf("%s/s.key", w->root);
    const char *paths[] = { certificate };

    openssl(w, "req -x509 -newkey rsa:2048 -nodes -keyout r.key -out r.crt -subj /CN=r -days 2");
    openssl(w, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out s.key");
    assert_int_equal(chmod(key, 0600), 0);
    assert_int_equal(chmod(strange, 0600), 0);
    assert_int_equal(hf_recipients_load(paths, 1, &ret->recipients, NULL), HF_OK);
    assert_int_equal(hf_opener_load(key, &ret->opener, NULL), HF_OK);
    assert_int_equal(hf_opener_load(strange, &ret->stranger, NULL), HF_OK);
    w->recipients = ret->recipients;
}

void
envelopes_done(struct envelopes *envelopes)
{
    hf_recipients_free(envelopes->recipients);
    hf_opener_free(envelopes->opener);
    hf_opener_free(envelopes->stranger);
}
