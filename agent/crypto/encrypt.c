/* Sealing: CMS AuthEnvelopedData, definite-length DER. The plain text is read once, in place; the
 * ciphertext is written once into memory of the right size, and copied once, into the result. */
#include <limits.h>
#include <openssl/buffer.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto_impl.h"

/* OpenSSL's defaults are PKCS#1 v1.5 padding and a key derivation with SHA-1. */
static bool
harden(CMS_RecipientInfo *recipient)
{
    EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
    const EVP_MD *sha256 = hf_crypto_sha256();

    if (!context)
        return false;
    if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE)
        return EVP_PKEY_CTX_set_ecdh_kdf_md(context, sha256) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, sha256) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256) > 0;
}

/* The memory at the chain's end gets its size at once: growing it would copy it, and clear each old
 * copy. */
static bool
reserve(BIO *chain, size_t size)
{
    BIO *memory = BIO_find_type(chain, BIO_TYPE_MEM);
    BUF_MEM *bytes = NULL;
    if (!memory || BIO_get_mem_ptr(memory, &bytes) != 1 || !bytes ||
        BUF_MEM_grow(bytes, size) != size)
        return false;
    bytes->length = 0;
    return true;
}

static bool
fill(CMS_ContentInfo *cms, struct hf_slice plain)
{
    hf_owned(hf_bio_chain_freep) BIO *chain = CMS_dataInit(cms, NULL);
    if (!chain || !reserve(chain, plain.size + 64))
        return false;
    /* In steps of less than INT_MAX, the BIO interface's limit. */
    for (size_t done = 0; done < plain.size;) {
        size_t step = HF_MIN(plain.size - done, (size_t)1 << 20);
        int written = BIO_write(chain, plain.ptr + done, (int)step);
        if (written <= 0)
            return false;
        done += (size_t)written;
    }
    return BIO_flush(chain) > 0 && CMS_dataFinal(cms, chain) == 1;
}

static enum hf_status
write_der(CMS_ContentInfo *cms, struct hf_buf *ret_der, struct hf_error *err)
{
    int size = i2d_CMS_ContentInfo(cms, NULL);
    if (size <= 0)
        return hf_crypto_fail(err, HF_ECRYPTO, "encoding an envelope");
    enum hf_status status = hf_buf_reserve(ret_der, (size_t)size);
    if (status != HF_OK)
        return hf_fail(err, status, "an envelope of %d bytes is larger than the %zu allowed", size,
                       ret_der->max);
    uint8_t *at = ret_der->ptr + ret_der->size;
    int written = i2d_CMS_ContentInfo(cms, &at);
    hf_assert(written == size);
    ret_der->size += (size_t)size;
    ret_der->ptr[ret_der->size] = '\0';
    return HF_OK;
}

enum hf_status
hf_cms_encrypt(const struct hf_recipients *recipients, struct hf_slice plain,
               struct hf_buf *ret_der, struct hf_error *err)
{
    if (plain.size == 0 || plain.size > HF_CMS_MAX)
        return hf_fail(err, HF_ELIMIT, "sealing %zu bytes: an envelope holds 1 to %u", plain.size,
                       HF_CMS_MAX);
    hf_owned(hf_cms_freep) CMS_ContentInfo *cms =
        CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_PARTIAL | CMS_BINARY);
    if (!cms)
        return hf_crypto_fail(err, HF_ECRYPTO, "starting an envelope");
    for (size_t i = 0; i < recipients->count; i++) {
        CMS_RecipientInfo *recipient =
            CMS_add1_recipient_cert(cms, recipients->certificates[i], CMS_KEY_PARAM);
        if (!recipient || !harden(recipient))
            return hf_crypto_fail(err, HF_ECRYPTO, "adding recipient %zu of %zu to an envelope",
                                  i + 1, recipients->count);
    }
    if (!fill(cms, plain))
        return hf_crypto_fail(err, HF_ECRYPTO, "encrypting %zu bytes", plain.size);
    return write_der(cms, ret_der, err);
}
