/* Opening an envelope with a private key alone. Nothing is handed out before the tag has been
 * checked. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

/* the parser lets an envelope name a shorter one, which would be easier to forge */
#define GCM_TAG_SIZE 16

enum hf_status
hf_opener_load(const char *key_path, struct hf_opener **ret_opener, struct hf_error *err)
{
    hf_owned(hf_pkey_freep) EVP_PKEY *key = NULL;
    enum hf_status status = hf_private_key_load(key_path, &key, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_freep) char *what = hf_asprintf("'%s'", key_path);
    status = hf_recipient_key_check(key, what, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading a recipient's key");
    struct hf_opener *opener = hf_alloc(sizeof(*opener));
    opener->key = hf_take(key);
    *ret_opener = opener;
    return HF_OK;
}

void
hf_opener_free(struct hf_opener *opener)
{
    if (!opener)
        return;
    EVP_PKEY_free(opener->key);
    free(opener);
}

static bool
try_transport(CMS_ContentInfo *cms, CMS_RecipientInfo *recipient, EVP_PKEY *key)
{
    X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *name = NULL;

    if (!EVP_PKEY_is_a(key, "RSA") ||
        CMS_RecipientInfo_ktri_get0_algs(recipient, NULL, NULL, &algorithm) != 1)
        return false;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    if (OBJ_obj2nid(name) != NID_rsaesOaep) /* we make nothing weaker, and open nothing weaker */
        return false;
    EVP_PKEY_up_ref(key); /* the next call takes a reference */
    if (CMS_RecipientInfo_set0_pkey(recipient, key) != 1) {
        EVP_PKEY_free(key);
        return false;
    }
    return CMS_RecipientInfo_decrypt(cms, recipient) == 1;
}

/* One ephemeral key, and a wrapped content key for each recipient of it: without a certificate,
 * each is tried. */
static bool
try_agreement(CMS_ContentInfo *cms, CMS_RecipientInfo *recipient, EVP_PKEY *key, size_t *tries_left)
{
    STACK_OF(CMS_RecipientEncryptedKey) *wrapped = CMS_RecipientInfo_kari_get0_reks(recipient);
    bool opened = false;

    if (!EVP_PKEY_is_a(key, "EC") || !wrapped)
        return false;
    for (int i = 0; !opened && i < sk_CMS_RecipientEncryptedKey_num(wrapped) && *tries_left > 0;
         i++) {
        --*tries_left;
        CMS_RecipientEncryptedKey *one = sk_CMS_RecipientEncryptedKey_value(wrapped, i);
        opened = CMS_RecipientInfo_kari_set0_pkey(recipient, key) == 1 &&
                 CMS_RecipientInfo_kari_decrypt(cms, recipient, one) == 1;
        CMS_RecipientInfo_kari_set0_pkey(recipient, NULL);
    }
    return opened;
}

/* Leaves the content key in `cms`. */
static enum hf_status
unwrap(CMS_ContentInfo *cms, EVP_PKEY *key, struct hf_error *err)
{
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
    int count = recipients ? sk_CMS_RecipientInfo_num(recipients) : 0;
    size_t tries_left = HF_CMS_RECIPIENTS_MAX;

    for (int i = 0; i < count && tries_left > 0; i++) {
        CMS_RecipientInfo *recipient = sk_CMS_RecipientInfo_value(recipients, i);
        bool opened = false;
        if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_TRANS) {
            tries_left--;
            opened = try_transport(cms, recipient, key);
        } else if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE) {
            opened = try_agreement(cms, recipient, key, &tries_left);
        }
        ERR_clear_error();
        if (opened)
            return HF_OK;
    }
    return hf_fail(err, HF_ECRYPTO, "none of the envelope's %d recipients has this key", count);
}

static enum hf_status
check_cipher(BIO *chain, struct hf_error *err)
{
    BIO *filter = BIO_find_type(chain, BIO_TYPE_CIPHER);
    EVP_CIPHER_CTX *context = NULL;
    if (!filter || BIO_get_cipher_ctx(filter, &context) != 1 || !context ||
        !EVP_CIPHER_is_a(EVP_CIPHER_CTX_get0_cipher(context), "AES-256-GCM"))
        return hf_crypto_fail(err, HF_EFORMAT,
                              "the envelope's content is not encrypted with AES-256-GCM");
    if (EVP_CIPHER_CTX_get_tag_length(context) != GCM_TAG_SIZE)
        return hf_fail(err, HF_EFORMAT, "the envelope's authentication tag has not %d bytes",
                       GCM_TAG_SIZE);
    return HF_OK;
}

/* Reads into the room behind `ret_plain`'s size and counts it in only when the tag was right. */
static enum hf_status
read_content(BIO *chain, size_t room, struct hf_buf *ret_plain, struct hf_error *err)
{
    uint8_t *start = ret_plain->ptr + ret_plain->size;
    size_t got = 0;
    int step = 1;

    while (got < room && step > 0) {
        step = BIO_read(chain, start + got, (int)HF_MIN(room - got, (size_t)1 << 20));
        got += step > 0 ? (size_t)step : 0;
    }
    uint8_t beyond;
    bool ended = step <= 0 || BIO_read(chain, &beyond, 1) <= 0;
    if (!ended || BIO_get_cipher_status(chain) <= 0) {
        hf_wipe(start, room);
        return hf_crypto_fail(err, HF_ECORRUPT,
                              "the envelope's content does not match its authentication tag");
    }
    ret_plain->size += got;
    ret_plain->ptr[ret_plain->size] = '\0';
    return HF_OK;
}

static enum hf_status
parse(struct hf_slice der, CMS_ContentInfo **ret_cms, struct hf_error *err)
{
    if (der.size == 0 || der.size > HF_CMS_MAX + HF_PEM_MAX)
        return hf_fail(err, HF_ELIMIT, "an envelope of %zu bytes: at most %u are opened", der.size,
                       HF_CMS_MAX + HF_PEM_MAX);
    const uint8_t *at = der.ptr;
    hf_owned(hf_cms_freep) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.size);
    if (!cms)
        return hf_crypto_fail(err, HF_EFORMAT, "not a CMS message");
    if (at != der.ptr + der.size)
        return hf_fail(err, HF_EFORMAT, "%zu bytes follow the envelope",
                       (size_t)(der.ptr + der.size - at));
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)
        return hf_fail(err, HF_EFORMAT, "the CMS message is not AuthEnvelopedData");
    *ret_cms = hf_take(cms);
    return HF_OK;
}

enum hf_status
hf_cms_decrypt(struct hf_opener *opener, struct hf_slice der, struct hf_buf *ret_plain,
               struct hf_error *err)
{
    hf_owned(hf_cms_freep) CMS_ContentInfo *cms = NULL;
    enum hf_status status = parse(der, &cms, err);
    if (status != HF_OK)
        return status;
    status = unwrap(cms, opener->key, err);
    if (status != HF_OK)
        return status;
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    if (!content || !*content || ASN1_STRING_length(*content) == 0)
        return hf_fail(err, HF_EFORMAT, "the envelope has no content");
    hf_owned(hf_bio_chain_freep) BIO *chain = CMS_dataInit(cms, NULL);
    if (!chain)
        return hf_crypto_fail(err, HF_EFORMAT, "the envelope's content cannot be decrypted");
    status = check_cipher(chain, err);
    if (status != HF_OK)
        return status;
    size_t room =
        (size_t)ASN1_STRING_length(*content); /* GCM: plain text is as long as ciphertext */
    status = hf_buf_reserve(ret_plain, room);
    if (status != HF_OK)
        return hf_fail(err, status, "the envelope holds %zu bytes, more than the %zu allowed", room,
                       ret_plain->max);
    return read_content(chain, room, ret_plain, err);
}
