/* Several threads with the same recipients, signer and algorithms: the sealers' situation. */
#include "tests/unit/crypto/crypto_test.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  20

struct shared {
    struct hf_recipients *recipients;
    struct hf_signer *signer;
    struct hf_verifier *verifier;
};

/* cmocka's assertions belong to the main thread: a worker says NULL when all went well, else what
 * did not. */
static void *
work(void *context)
{
    struct shared *shared = context;
    struct hf_opener *rsa = NULL, *ec = NULL;
    uint8_t bytes[3000], opened_hash[HF_SHA256_SIZE], hash[HF_SHA256_SIZE], mac[HF_SHA256_SIZE];
    const char *problem = NULL;

    hf_random(bytes, sizeof(bytes));
    hf_sha256(bytes, sizeof(bytes), hash);
    hf_owned(hf_freep) char *rsa_path = hf_asprintf("%s/rsa.key", folder);
    hf_owned(hf_freep) char *ec_path = hf_asprintf("%s/p256.key", folder);
    if (hf_opener_load(rsa_path, &rsa, NULL) != HF_OK ||
        hf_opener_load(ec_path, &ec, NULL) != HF_OK)
        problem = "loading";
    for (int i = 0; i < ROUNDS && !problem; i++) {
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
        uint8_t signature[HF_SIGNATURE_MAX];
        size_t size;
        hf_hmac_sha256(hash, sizeof(hash), bytes, sizeof(bytes), mac);
        if (hf_cms_encrypt(shared->recipients, hf_slice(bytes, sizeof(bytes)), &der, NULL) != HF_OK)
            problem = "encrypting";
        else if (hf_cms_decrypt(i % 2 ? rsa : ec, hf_buf_slice(&der), &plain, NULL) != HF_OK)
            problem = "decrypting";
        else if (hf_signer_sign(shared->signer, hf_slice(mac, sizeof(mac)), signature, &size,
                                NULL) != HF_OK)
            problem = "signing";
        else if (hf_verifier_check(shared->verifier, hf_slice(mac, sizeof(mac)), signature, size,
                                   NULL) != HF_OK)
            problem = "verifying";
        hf_sha256(plain.ptr, plain.size, opened_hash);
        if (!problem && memcmp(opened_hash, hash, sizeof(hash)) != 0)
            problem = "comparing";
    }
    hf_opener_free(rsa);
    hf_opener_free(ec);
    return (void *)problem;
}

static void
threads_share_recipients_and_keys(void **state)
{
    (void)state;
    struct shared shared = { .recipients = NULL };
    pthread_t threads[THREADS];
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(4096);
    make_certificate("rsa", "rsa:2048");
    make_certificate("p256", EC_KEY("P-256"));
    shared.recipients = recipients_of("rsa.pem", "p256.pem");
    assert_int_equal(hf_signer_load(in_folder("rsa.key"), &shared.signer, NULL), HF_OK);
    assert_int_equal(hf_signer_public_pem(shared.signer, &pem), HF_OK);
    assert_int_equal(hf_verifier_parse(hf_buf_slice(&pem), "the key", &shared.verifier, NULL),
                     HF_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &shared), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *problem;
        assert_int_equal(pthread_join(threads[i], &problem), 0);
        if (problem)
            fail_msg("thread %zu failed at %s", i, (const char *)problem);
    }
    hf_verifier_free(shared.verifier);
    hf_signer_free(shared.signer);
    hf_recipients_free(shared.recipients);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_recipients_and_keys),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
