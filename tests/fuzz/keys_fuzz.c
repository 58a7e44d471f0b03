/* Key files. The first byte chooses the parser, and whether the rest is the file as it lies or the
 * DER inside a PEM file. A key that is taken has a fingerprint, and its public half, written, is
 * the same key. */
#include "tests/fuzz/scratch.h"

#include <holdfast/crypto.h>
#include <string.h>

#define DER_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = { "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
                                      "PUBLIC KEY",  "RSA PUBLIC KEY",  "CERTIFICATE" };

static void
same_key(struct hf_slice pem, const char *fingerprint)
{
    struct hf_verifier *verifier = NULL;

    must(hf_verifier_parse(pem, "its public half", &verifier, NULL) == HF_OK, "no public half");
    must(strcmp(hf_verifier_fingerprint(verifier), fingerprint) == 0, "another fingerprint");
    hf_verifier_free(verifier);
}

static void
try_verifier(struct hf_slice file)
{
    struct hf_verifier *verifier = NULL;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(DER_MAX), pem = HF_BUF(4 * DER_MAX);
    hf_owned(hf_freep) char *text = NULL;

    if (hf_verifier_parse(file, "file", &verifier, NULL) != HF_OK)
        return;
    must(hf_verifier_pkcs1(verifier, &der) == HF_OK, "no DER");
    text = hf_alloc(HF_BASE64_SIZE(der.size));
    hf_base64(der.ptr, der.size, text);
    must(hf_buf_addf(&pem, "-----BEGIN RSA PUBLIC KEY-----\n%s\n-----END RSA PUBLIC KEY-----\n",
                     text) == HF_OK,
         "no PEM");
    same_key(hf_buf_slice(&pem), hf_verifier_fingerprint(verifier));
    hf_verifier_free(verifier);
}

static void
try_signer(const char *path)
{
    struct hf_signer *signer = NULL;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(4 * DER_MAX);

    if (hf_signer_load(path, &signer, NULL) != HF_OK)
        return;
    must(hf_signer_public_pem(signer, &pem) == HF_OK, "no PEM");
    same_key(hf_buf_slice(&pem), hf_signer_fingerprint(signer));
    hf_signer_free(signer);
}

static void
try_others(const char *path)
{
    struct hf_recipients *recipients = NULL;
    struct hf_opener *opener = NULL;
    uint8_t key[32];

    if (hf_recipients_load(&path, 1, &recipients, NULL) == HF_OK) {
        must(strlen(hf_recipients_text(recipients)) == HF_FINGERPRINT_SIZE - 1, "no fingerprint");
        hf_recipients_free(recipients);
    }
    if (hf_opener_load(path, &opener, NULL) == HF_OK)
        hf_opener_free(opener);
    if (hf_key256_load(path, key, NULL) == HF_OK)
        hf_wipe(key, sizeof(key));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(4 * DER_MAX);

    if (size == 0 || size > DER_MAX)
        return 0;
    size_t kind = data[0] / 4;
    if (kind < HF_COUNT(labels)) {
        hf_owned(hf_freep) char *text = hf_alloc(HF_BASE64_SIZE(size));
        hf_base64(data + 1, size - 1, text);
        if (hf_buf_addf(&file, "-----BEGIN %s-----\n", labels[kind]) != HF_OK)
            return 0;
        for (size_t at = 0, length = strlen(text); at < length; at += 64)
            if (hf_buf_addf(&file, "%.64s\n", text + at) != HF_OK)
                return 0;
        if (hf_buf_addf(&file, "-----END %s-----\n", labels[kind]) != HF_OK)
            return 0;
    } else if (hf_buf_add(&file, data + 1, size - 1) != HF_OK) {
        return 0;
    }
    scratch_put("key", file.ptr, file.size);
    switch (data[0] % 4) {
    case 0: try_verifier(hf_buf_slice(&file)); break;
    case 1: try_signer(scratch_path("key")); break;
    default: try_others(scratch_path("key")); break;
    }
    return 0;
}
