/* The signatures that digests may have. All that differs between them stands in one row here: a new
 * one is a row, and its word in agent/digest/FORMAT.md. A digest names the row that it was signed
 * by, and only a key of that row can say that it is right: else whoever writes to the bucket could
 * choose the check that his forgery has to pass. */
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "crypto_impl.h"

static bool
set_pkcs1_padding(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
}

static const struct hf_algorithm algorithms[] = {
    /* RSASSA-PKCS1-v1_5 with SHA-256: CloudTrail's. */
    {
        .name = "SHA256withRSA",
        .key_type = "RSA",
        .check_key = hf_rsa_check,
        .hash = hf_crypto_sha256,
        .set_up = set_pkcs1_padding,
    },
};

const struct hf_algorithm *
hf_algorithm_of(const EVP_PKEY *key, const char *what, struct hf_error *err)
{
    for (size_t i = 0; i < HF_COUNT(algorithms); i++)
        if (EVP_PKEY_is_a(key, algorithms[i].key_type))
            return algorithms[i].check_key(key, what, err) == HF_OK ? &algorithms[i] : NULL;

    char types[128] = "";
    for (size_t i = 0, used = 0; i < HF_COUNT(algorithms) && used < sizeof(types); i++)
        used += (size_t)snprintf(types + used, sizeof(types) - used, "%s%s", i ? " or " : "an ",
                                 algorithms[i].key_type);
    hf_fail(err, HF_ECRYPTO, "the key in %s is not %s key", what, types);
    return NULL;
}

const char *
hf_signature_algorithm(const char *name)
{
    for (size_t i = 0; i < HF_COUNT(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return algorithms[i].name;
    return NULL;
}
