/* A bucket in a directory with a chain in it, as an agent leaves it, and what verification said of
 * it. */
#ifndef HOLDFAST_TESTS_VERIFY_WORLD_H
#define HOLDFAST_TESTS_VERIFY_WORLD_H

#include "tests/support/test.h"

#include <holdfast/config.h>
#include <holdfast/dir.h>
#include <holdfast/seal.h>
#include <holdfast/verify.h>

#define WORLD_BUCKET    "audit-logs"
#define WORLD_JOURNAL   "000102030405060708090a0b0c0d0e0f"
#define WORLD_CHAIN     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define WORLD_TRAIL     "main"
#define WORLD_BASE_S    1795341600 /* 2026-11-22T10:00:00Z */
#define WORLD_HOUR_SEQS 20u        /* sequence n is of hour (n - 1) / 20 */
#define WORLD_UNTIL_S   (WORLD_BASE_S + 30 * 86400)
#define WORLD_MAX       16

struct range {
    uint64_t first, last;
};

/* One digest, by sequences; lists end with zeros. */
struct plan {
    struct range covers;
    struct range objects[20], pending[4], losses[2];
};

struct seen {
    enum hf_finding finding;
    char key[HF_KEY_MAX];
    char detail[600];
};

struct world {
    char root[256];
    struct hf_config_store config;
    struct hf_store *store;
    struct hf_dir *dir;
    struct hf_signer *signer;
    struct hf_verifier *verifier;
    struct hf_layout layout;
    const char *chain;
    char tag[HF_CHAIN_TAG_SIZE];
    int lock_mode;
    const struct hf_recipients *recipients;   /* cms when set */
    size_t padding;                           /* bytes more in each record */
    void (*change)(struct hf_digest *digest); /* before it is signed */
    const char *old_head;

    struct hf_digest_object made[256]; /* objects that were put */
    size_t made_count;
    char digest_keys[WORLD_MAX][HF_KEY_MAX];
    char signatures[WORLD_MAX][2 * HF_SIGNATURE_MAX + 1], hashes[WORLD_MAX][HF_SHA256_HEX_SIZE];
    size_t digest_count; /* put so far */
    uint64_t number;     /* in this chain */
    int64_t end_s;

    struct hf_verify_options options;
    struct hf_verify_result result;
    struct seen seen[64]; /* other than VALID and ADVISORY */
    size_t seen_count;
    char content[8192]; /* the keys handed out, a line each */
};

/* Makes the key once per program; `signer` and `verifier` are shared. */
int world_group_setup(void **state);
int world_group_teardown(void **state);

void world_init(struct world *w);
void world_done(struct world *w);
/* A new chain from here on. */
void world_chain(struct world *w, const char *chain, const char *old_head);
void world_object_key(struct world *w, struct range range, char ret_key[HF_KEY_MAX]);
/* Puts the object of this range, without listing it. */
void world_put_object(struct world *w, struct range range);
/* Puts the objects that are not there yet, and the digest. */
void world_put_digest(struct world *w, const struct plan *plan);
/* `count` digests of an hour each, two objects in each. */
void world_put_plain(struct world *w, size_t count);
void world_put(struct world *w, const char *key, struct hf_slice body, const char *signature);

char *world_path(struct world *w,
                 const char *key); /* of the body; append ".meta.json" for the other */
void world_flip(struct world *w, const char *path, size_t bit);
struct hf_buf world_read(const char *path);
void world_write(const char *path, struct hf_slice bytes);
void world_remove(struct world *w, const char *key);
/* The first `from` in the meta file becomes `to`. */
void world_edit_meta(struct world *w, const char *key, const char *from, const char *to);

void world_verify(struct world *w);
bool world_saw(const struct world *w, enum hf_finding finding, const char *key);
/* Verifies, and expects nothing but these. */
void world_expect_intact(struct world *w);
void world_expect_one(struct world *w, enum hf_finding finding, const char *key);

struct hf_signer *world_other_signer(void); /* another key */

/* From here on objects are envelopes, which `opener` opens and `stranger` does not. */
struct envelopes {
    struct hf_recipients *recipients;
    struct hf_opener *opener, *stranger;
};
void world_envelopes(struct world *w, struct envelopes *ret_envelopes);
void envelopes_done(struct envelopes *envelopes);

#endif
