/* Making a digest key: the file appears whole or not at all, and never replaces another. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

/* PKCS#8, unencrypted. */
static enum hf_status
key_pem(const EVP_PKEY *key, struct hf_buf *ret_pem, struct hf_error *err)
{
    hf_owned(hf_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    hf_assert(bio != NULL);
    if (PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return hf_crypto_fail(err, HF_ECRYPTO, "encoding a private key");
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    enum hf_status status = hf_buf_add(ret_pem, text, (size_t)size);
    hf_wipe(text, (size_t)size);
    if (status != HF_OK)
        return hf_fail(err, status, "a private key has %ld bytes, more than %u", size, HF_PEM_MAX);
    return HF_OK;
}

/* Written and synced under `temporary`, which then gets its name by link(2): that fails where a
 * file is. */
static enum hf_status
place(const char *temporary, const char *path, struct hf_slice bytes, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status =
        hf_fs_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &fd, err);
    if (status != HF_OK)
        return status;
    status = hf_fs_write(fd, bytes.ptr, bytes.size, err);
    if (status == HF_OK)
        status = hf_fs_fsync(fd, err);
    if (status == HF_OK)
        status = hf_fs_link(temporary, path, err);
    if (status == HF_EEXISTS)
        hf_fail(err, status, "'%s' exists already: a key is never overwritten, choose another name",
                path);
    enum hf_status removed = hf_fs_unlink(temporary, status == HF_OK ? err : NULL);
    return status == HF_OK ? removed : status;
}

static enum hf_status
write_new(const char *path, struct hf_slice bytes, struct hf_error *err)
{
    uint8_t random[8];
    char suffix[HF_HEX_SIZE(sizeof(random))];
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), suffix);
    hf_owned(hf_freep) char *temporary = hf_asprintf("%s.new-%s", path, suffix);
    enum hf_status status = place(temporary, path, bytes, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_freep) char *directory = hf_strdup(path);
    char *slash = strrchr(directory, '/');
    if (!slash)
        return hf_fs_sync_dir(".", err);
    slash[slash == directory] = '\0'; /* "/key" lies in "/" */
    return hf_fs_sync_dir(directory, err);
}

enum hf_status
hf_signer_create(const char *path, unsigned bits, struct hf_error *err)
{
    if (bits < HF_RSA_BITS_MIN || bits > HF_RSA_BITS_MAX)
        return hf_fail(err, HF_EUSAGE, "an RSA key of %u bits: choose %d to %d, for example 3072",
                       bits, HF_RSA_BITS_MIN, HF_RSA_BITS_MAX);
    struct stat there;
    if (hf_fs_stat(path, &there, NULL) ==
        HF_OK) /* before the long search for primes; link(2) decides */
        return hf_fail(err, HF_EEXISTS,
                       "'%s' exists already: a key is never overwritten, choose another name",
                       path);

    hf_owned(hf_pkey_freep) EVP_PKEY *key = EVP_RSA_gen(bits);
    if (!key)
        return hf_crypto_fail(err, HF_ECRYPTO, "making an RSA key of %u bits", bits);
    hf_owned(hf_secret_done) struct hf_buf pem = HF_BUF(HF_PEM_MAX);
    /* One allocation, so that no copy is left behind unwiped. */
    enum hf_status status = hf_buf_reserve(&pem, HF_PEM_MAX / 2);
    hf_assert(status == HF_OK);
    status = key_pem(key, &pem, err);
    if (status == HF_OK)
        status = write_new(path, hf_buf_slice(&pem), err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "making key '%s'", path);
}
