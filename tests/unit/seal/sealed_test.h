/* A sealed file's header with a different value in every field. */
#ifndef HOLDFAST_TESTS_SEAL_SEALED_TEST_H
#define HOLDFAST_TESTS_SEAL_SEALED_TEST_H

#include "tests/unit/seal/seal_test.h"

#define BODY "the bytes that are sent"

static inline struct hf_sealed *
make_sealed(bool optional)
{
    struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    *sealed = (struct hf_sealed){
        .kind = HF_SEALED_DIGEST,
        .trail = hf_strdup("audit"),
        .chain = hf_strdup("chain \"1\""),
        .window = hf_strdup("digest-3"),
        .store = hf_strdup("main"),
        .bucket = hf_strdup("archive"),
        .key = hf_strdup("AWSLogs/\xc3\xa4.json.gz"),
        .content_type = hf_strdup("application/json"),
        .content_encoding = optional ? hf_strdup("gzip") : NULL,
        .signature = optional ? hf_strdup("00ff") : NULL,
        .signature_algorithm = optional ? hf_strdup("SHA256withRSA") : NULL,
        .compression = optional ? hf_strdup("libdeflate-6") : NULL,
        .encryption = HF_ENCRYPT_SSE_KMS,
        .kms_key_id = optional ? hf_strdup("alias/a") : NULL,
        .sse_c_key_file = optional ? hf_strdup("/etc/k") : NULL,
        .lock_mode = HF_LOCK_GOVERNANCE,
        .lock_days = 3650,
        .legal_hold = optional,
        .lock_at_least_s = 1900000000,
        .first_seq = 11,
        .last_seq = INT64_MAX,
        .count = 13,
        .oldest_s = -14,
        .newest_s = 15,
        .generation = UINT32_MAX,
        .plain_size = 17,
    };
    hf_sha256_hex("plain", 5, sealed->plain_sha256);
    if (optional)
        hf_sha256_hex("envelope", 8, sealed->envelope_sha256);
    return sealed;
}

static inline void
assert_same_text(const char *a, const char *b)
{
    if (!a || !b)
        assert_true(a == b);
    else
        assert_string_equal(a, b);
}

static inline void
assert_same_sealed(const struct hf_sealed *a, const struct hf_sealed *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->trail, b->trail);
    assert_string_equal(a->chain, b->chain);
    assert_string_equal(a->window, b->window);
    assert_string_equal(a->store, b->store);
    assert_string_equal(a->bucket, b->bucket);
    assert_string_equal(a->key, b->key);
    assert_string_equal(a->content_type, b->content_type);
    assert_same_text(a->content_encoding, b->content_encoding);
    assert_same_text(a->signature, b->signature);
    assert_same_text(a->signature_algorithm, b->signature_algorithm);
    assert_same_text(a->compression, b->compression);
    assert_int_equal(a->encryption, b->encryption);
    assert_same_text(a->kms_key_id, b->kms_key_id);
    assert_same_text(a->sse_c_key_file, b->sse_c_key_file);
    assert_int_equal(a->lock_mode, b->lock_mode);
    assert_int_equal(a->lock_days, b->lock_days);
    assert_int_equal(a->legal_hold, b->legal_hold);
    assert_int_equal(a->lock_at_least_s, b->lock_at_least_s);
    assert_int_equal(a->first_seq, b->first_seq);
    assert_int_equal(a->last_seq, b->last_seq);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->oldest_s, b->oldest_s);
    assert_int_equal(a->newest_s, b->newest_s);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->plain_size, b->plain_size);
    assert_string_equal(a->plain_sha256, b->plain_sha256);
    assert_string_equal(a->envelope_sha256, b->envelope_sha256);
    assert_int_equal(a->size, b->size);
    assert_string_equal(a->sha256, b->sha256);
    assert_memory_equal(a->md5, b->md5, sizeof(a->md5));
    assert_int_equal(a->body_offset, b->body_offset);
}

/* Writes it to the fixture's path. */
static inline struct hf_sealed *
seal_body(bool optional)
{
    struct hf_sealed *sealed = make_sealed(optional);
    struct hf_error err;
    if (hf_seal_bytes(sealed, f->path, HF_SLICE_LITERAL(BODY), &err) != HF_OK)
        fail_msg("%s", err.text);
    return sealed;
}

#endif
