/* Hashes, MACs and random bytes. Algorithms are fetched once: a fetch costs more than hashing a
 * short text. */
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto_impl.h"

static struct {
    pthread_once_t once;
    EVP_MD *sha256;
    EVP_MD *md5;           /* NULL where the machine's policy has none */
    EVP_MAC_CTX *template; /* HMAC-SHA-256 without a key; only ever copied */
} algorithms = { .once = PTHREAD_ONCE_INIT };

static void
fetch(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hf_assert(algorithms.sha256 != NULL);
    /* MD5 only ever guards against accidents in transport (Content-MD5), which a FIPS policy need
     * not forbid. */
    algorithms.md5 = EVP_MD_fetch(NULL, "MD5", "-fips");

    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hf_assert(hmac != NULL);
    algorithms.template = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    hf_assert(algorithms.template && EVP_MAC_CTX_set_params(algorithms.template, parameters) == 1);
}

static void
fetch_once(void)
{
    int failed = pthread_once(&algorithms.once, fetch);
    hf_assert(failed == 0);
}

const EVP_MD *
hf_crypto_sha256(void)
{
    fetch_once();
    return algorithms.sha256;
}

static const EVP_MD *
md5(void)
{
    fetch_once();
    return algorithms.md5;
}

void
hf_sha256(const void *bytes, size_t size, uint8_t ret_hash[HF_SHA256_SIZE])
{
    int worked = EVP_Digest(bytes, size, ret_hash, NULL, hf_crypto_sha256(), NULL);
    hf_assert(worked == 1);
}

void
hf_sha256_hex(const void *bytes, size_t size, char ret_hex[HF_SHA256_HEX_SIZE])
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(bytes, size, hash);
    hf_hex(hash, sizeof(hash), ret_hex);
}

void
hf_md5(const void *bytes, size_t size, uint8_t ret_hash[HF_MD5_SIZE])
{
    hf_assert(md5() != NULL); /* such a machine needs `checksum: sha256` */
    int worked = EVP_Digest(bytes, size, ret_hash, NULL, md5(), NULL);
    hf_assert(worked == 1);
}

void
hf_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
               uint8_t ret_mac[HF_SHA256_SIZE])
{
    fetch_once();
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(algorithms.template);
    size_t mac_size = 0;
    /* To OpenSSL a NULL key means the one from before, not an empty one. */
    int worked = context && EVP_MAC_init(context, key_size ? key : "", key_size, NULL) == 1 &&
                 EVP_MAC_update(context, bytes, size) == 1 &&
                 EVP_MAC_final(context, ret_mac, &mac_size, HF_SHA256_SIZE) == 1;
    EVP_MAC_CTX_free(context);
    hf_assert(worked && mac_size == HF_SHA256_SIZE);
}

void
hf_random(void *ret_bytes, size_t size)
{
    hf_assert(size <= INT_MAX);
    int worked = RAND_bytes(ret_bytes, (int)size);
    hf_assert(worked == 1);
}

struct hf_hasher {
    EVP_MD_CTX *sha256;
    EVP_MD_CTX *md5; /* NULL where there is none */
};

struct hf_hasher *
hf_hasher_new_sha256(void)
{
    struct hf_hasher *hasher = hf_alloc(sizeof(*hasher));
    *hasher = (struct hf_hasher){ .sha256 = EVP_MD_CTX_new() };
    hf_assert(hasher->sha256 && EVP_DigestInit_ex(hasher->sha256, hf_crypto_sha256(), NULL) == 1);
    return hasher;
}

struct hf_hasher *
hf_hasher_new(void)
{
    struct hf_hasher *hasher = hf_hasher_new_sha256();
    if (md5()) {
        hasher->md5 = EVP_MD_CTX_new();
        hf_assert(hasher->md5 && EVP_DigestInit_ex(hasher->md5, md5(), NULL) == 1);
    }
    return hasher;
}

struct hf_hasher *
hf_hasher_copy(const struct hf_hasher *hasher)
{
    struct hf_hasher *copy = hf_alloc(sizeof(*copy));
    *copy = (struct hf_hasher){ .sha256 = EVP_MD_CTX_new(),
                                .md5 = hasher->md5 ? EVP_MD_CTX_new() : NULL };
    hf_assert(copy->sha256 && EVP_MD_CTX_copy_ex(copy->sha256, hasher->sha256) == 1);
    hf_assert(!hasher->md5 || (copy->md5 && EVP_MD_CTX_copy_ex(copy->md5, hasher->md5) == 1));
    return copy;
}

void
hf_hasher_add(struct hf_hasher *hasher, const void *bytes, size_t size)
{
    int worked = EVP_DigestUpdate(hasher->sha256, bytes, size);
    hf_assert(worked == 1);
    if (hasher->md5) {
        worked = EVP_DigestUpdate(hasher->md5, bytes, size);
        hf_assert(worked == 1);
    }
}

void
hf_hasher_finish(struct hf_hasher *hasher, uint8_t ret_sha256[HF_SHA256_SIZE],
                 uint8_t ret_md5[HF_MD5_SIZE])
{
    int worked = EVP_DigestFinal_ex(hasher->sha256, ret_sha256, NULL);
    hf_assert(worked == 1);
    if (ret_md5) {
        hf_assert(hasher->md5 != NULL);
        worked = EVP_DigestFinal_ex(hasher->md5, ret_md5, NULL);
        hf_assert(worked == 1);
    }
    hf_hasher_free(hasher);
}

void
hf_hasher_free(struct hf_hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->sha256);
    EVP_MD_CTX_free(hasher->md5);
    free(hasher);
}
