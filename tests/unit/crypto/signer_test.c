/* Digest keys: made once and whole, interchangeable with the openssl tool, strict about signatures.
 */
#include "tests/unit/crypto/crypto_test.h"

#include <errno.h>

#define MESSAGE "2026-11-22T15:00:00Z\nbucket/key\nabcdef\nnull"

static int
setup(void **state)
{
    folder_setup(state);
    struct hf_error err;
    if (hf_signer_create(in_folder("digest.key"), 2048, &err) != HF_OK)
        fail_msg("%s", err.text);
    return 0;
}

static struct hf_signer *
signer(void)
{
    struct hf_signer *loaded = NULL;
    struct hf_error err;
    if (hf_signer_load(in_folder("digest.key"), &loaded, &err) != HF_OK)
        fail_msg("%s", err.text);
    return loaded;
}

static struct hf_verifier *
verifier_of(const struct hf_signer *from)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(4096);
    struct hf_verifier *verifier = NULL;
    assert_int_equal(hf_signer_public_pem(from, &pem), HF_OK);
    assert_int_equal(hf_verifier_parse(hf_buf_slice(&pem), "the key", &verifier, NULL), HF_OK);
    return verifier;
}

static void
new_key_is_pkcs8_for_its_owner_only(void **state)
{
    (void)state;
    struct stat info;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(0);
    assert_int_equal(stat(in_folder("digest.key"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_nlink, 1);
    read_file("digest.key", &pem);
    assert_true(hf_starts_with(hf_buf_text(&pem), "-----BEGIN PRIVATE KEY-----\n"));
    openssl_must("pkey -in digest.key -check -noout");
}

static void
key_is_never_overwritten(void **state)
{
    (void)state;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf before = HF_BUF(0);
    hf_owned(hf_buf_done) struct hf_buf after = HF_BUF(0);
    read_file("digest.key", &before);
    assert_int_equal(hf_signer_create(in_folder("digest.key"), 2048, &err), HF_EEXISTS);
    assert_non_null(strstr(err.text, "digest.key"));
    read_file("digest.key", &after);
    assert_true(hf_slice_equal(hf_buf_slice(&before), hf_buf_slice(&after)));
}

static void
key_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_int_equal(hf_signer_create(in_folder("small.key"), 1024, NULL), HF_EUSAGE);
    assert_int_equal(hf_signer_create(in_folder("large.key"), 16384, NULL), HF_EUSAGE);
    openssl_must("genrsa -out small.key 1024");
    assert_int_equal(chmod(in_folder("small.key"), 0600), 0);
    struct hf_signer *loaded = NULL;
    struct hf_error err;
    assert_int_equal(hf_signer_load(in_folder("small.key"), &loaded, &err), HF_ECRYPTO);
    assert_non_null(strstr(err.text, "1024 bits"));
    assert_null(loaded);
}

struct fault {
    int fail_at, count;
};

static int
fail_nth(void *context, struct hf_fs_call *call)
{
    struct fault *fault = context;
    (void)call;
    return ++fault->count == fault->fail_at ? EIO : 0;
}

static void
failing_call_leaves_no_key_or_a_whole_one(void **state)
{
    (void)state;
    const char *place = in_folder("torture");
    assert_int_equal(mkdir(place, 0700), 0);
    hf_owned(hf_freep) char *path = hf_asprintf("%s/new.key", place);
    enum hf_status status = HF_EIO;
    for (int n = 1; status != HF_OK; n++) {
        struct fault fault = { .fail_at = n };
        hf_fs_interpose(fail_nth, &fault);
        status = hf_signer_create(path, 2048, NULL);
        hf_fs_interpose(NULL, NULL);
        assert_in_range(n, 1, 40);
        struct stat info;
        if (stat(path, &info) == 0) {
            struct hf_signer *loaded = NULL;
            assert_int_equal(hf_signer_load(path, &loaded, NULL), HF_OK);
            hf_signer_free(loaded);
            assert_int_equal(unlink(path), 0);
        } else {
            assert_int_not_equal(status, HF_OK);
        }
    }
}

static void
signature_is_the_one_that_openssl_verifies(void **state)
{
    (void)state;
    struct hf_signer *key = signer();
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t size = 0;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(4096);
    assert_int_equal(hf_signer_sign(key, S(MESSAGE), signature, &size, NULL), HF_OK);
    assert_int_equal(size, 256);
    assert_int_equal(hf_signer_public_pem(key, &pem), HF_OK);
    write_file("public.pem", pem.ptr, pem.size, 0644);
    write_file("message", MESSAGE, sizeof(MESSAGE) - 1, 0644);
    write_file("signature", signature, size, 0644);
    openssl_must("dgst -sha256 -verify public.pem -signature signature message");
    hf_signer_free(key);
}

static void
signature_of_openssl_is_verified(void **state)
{
    (void)state;
    struct hf_signer *key = signer();
    struct hf_verifier *verifier = verifier_of(key);
    hf_owned(hf_buf_done) struct hf_buf signature = HF_BUF(0);
    write_file("message2", MESSAGE, sizeof(MESSAGE) - 1, 0644);
    openssl_must("dgst -sha256 -sign digest.key -out signature2 message2");
    read_file("signature2", &signature);
    assert_int_equal(hf_verifier_check(verifier, S(MESSAGE), signature.ptr, signature.size, NULL),
                     HF_OK);
    hf_verifier_free(verifier);
    hf_signer_free(key);
}

static void
any_changed_bit_or_length_fails_verification(void **state)
{
    (void)state;
    struct hf_signer *key = signer();
    struct hf_verifier *verifier = verifier_of(key);
    uint8_t signature[HF_SIGNATURE_MAX + 1] = { 0 };
    size_t size = 0;
    struct hf_error err;
    char message[] = MESSAGE;
    struct hf_slice text = hf_slice(message, sizeof(message) - 1);
    assert_int_equal(hf_signer_sign(key, text, signature, &size, NULL), HF_OK);
    for (size_t bit = 0; bit < size * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(hf_verifier_check(verifier, text, signature, size, &err), HF_ESIGNATURE);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_non_null(strstr(err.text, hf_verifier_fingerprint(verifier)));
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        message[bit / 8] ^= (char)(1u << bit % 8);
        assert_int_equal(hf_verifier_check(verifier, text, signature, size, &err), HF_ESIGNATURE);
        message[bit / 8] ^= (char)(1u << bit % 8);
    }
    assert_int_equal(hf_verifier_check(verifier, text, signature, 0, NULL), HF_ESIGNATURE);
    assert_int_equal(hf_verifier_check(verifier, text, signature, size - 1, NULL), HF_ESIGNATURE);
    assert_int_equal(hf_verifier_check(verifier, text, signature, size + 1, NULL), HF_ESIGNATURE);
    assert_int_equal(hf_verifier_check(verifier, text, signature, size, NULL), HF_OK);
    hf_verifier_free(verifier);
    hf_signer_free(key);
}

static void
fingerprint_is_the_hash_of_the_pkcs1_key(void **state)
{
    (void)state;
    struct hf_signer *key = signer();
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(0);
    hf_owned(hf_buf_done) struct hf_buf ours = HF_BUF(4096);
    char hex[HF_SHA256_HEX_SIZE];
    openssl_must("rsa -in digest.key -RSAPublicKey_out -outform DER -out public.der");
    read_file("public.der", &der);
    assert_int_equal(hf_signer_public_pkcs1(key, &ours), HF_OK);
    assert_true(hf_slice_equal(hf_buf_slice(&ours), hf_buf_slice(&der)));
    hf_sha256_hex(der.ptr, der.size, hex);
    assert_string_equal(hf_signer_fingerprint(key), hex);
    hf_signer_free(key);
}

static void
public_key_is_read_from_all_three_kinds_of_pem(void **state)
{
    (void)state;
    struct hf_signer *key = signer();
    static const char *const files[] = { "spki.pem", "pkcs1.pem", "certificate.pem" };
    openssl_must("pkey -in digest.key -pubout -out spki.pem");
    openssl_must("rsa -in digest.key -RSAPublicKey_out -out pkcs1.pem");
    openssl_must("req -x509 -key digest.key -subj /CN=digest -out certificate.pem");
    for (size_t i = 0; i < HF_COUNT(files); i++) {
        struct hf_verifier *verifier = NULL;
        hf_owned(hf_buf_done) struct hf_buf a = HF_BUF(4096);
        hf_owned(hf_buf_done) struct hf_buf b = HF_BUF(4096);
        assert_int_equal(hf_verifier_load(in_folder(files[i]), &verifier, NULL), HF_OK);
        assert_string_equal(hf_verifier_fingerprint(verifier), hf_signer_fingerprint(key));
        assert_int_equal(hf_verifier_pkcs1(verifier, &a), HF_OK);
        assert_int_equal(hf_signer_public_pkcs1(key, &b), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&a), hf_buf_slice(&b)));
        hf_verifier_free(verifier);
    }
    hf_signer_free(key);
}

static void
other_content_is_no_public_key(void **state)
{
    (void)state;
    openssl_must("ecparam -name prime256v1 -genkey -noout -out ec.key");
    openssl_must("pkey -in ec.key -pubout -out ec.pem");
    openssl_must("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key");
    openssl_must("pkey -in pss.key -pubout -out pss.pem");
    static const char *const files[] = { "ec.pem", "pss.pem", "digest.key" };
    struct hf_verifier *verifier = NULL;
    struct hf_error err;
    for (size_t i = 0; i < HF_COUNT(files); i++) {
        assert_int_not_equal(hf_verifier_load(in_folder(files[i]), &verifier, &err), HF_OK);
        assert_non_null(strstr(err.text, files[i]));
    }
    assert_int_equal(hf_verifier_parse(S("garbage"), "the answer", &verifier, &err), HF_EFORMAT);
    assert_non_null(strstr(err.text, "the answer"));
    assert_int_equal(hf_verifier_parse(S(""), "x", &verifier, NULL), HF_EFORMAT);
    assert_int_equal(
        hf_verifier_parse(S("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "x",
                          &verifier, NULL),
        HF_EFORMAT);
    assert_int_equal(hf_verifier_parse((struct hf_slice){ (const uint8_t *)MESSAGE, 65537 }, "x",
                                       &verifier, NULL),
                     HF_EFORMAT);
    assert_null(verifier);
}

static void
other_content_is_no_private_key(void **state)
{
    (void)state;
    struct hf_signer *loaded = NULL;
    struct hf_error err;
    openssl_must("pkey -in digest.key -aes256 -passout pass:secret -out locked.key");
    openssl_must("ecparam -name prime256v1 -genkey -noout -out ec2.key");
    assert_int_equal(chmod(in_folder("locked.key"), 0600), 0);
    assert_int_equal(chmod(in_folder("ec2.key"), 0600), 0);
    assert_int_equal(hf_signer_load(in_folder("locked.key"), &loaded, &err), HF_ECRYPTO);
    assert_non_null(strstr(err.text, "passphrase"));
    assert_int_equal(hf_signer_load(in_folder("ec2.key"), &loaded, &err), HF_ECRYPTO);
    assert_non_null(strstr(err.text, "not an RSA key"));
    write_file("empty.key", "", 0, 0600);
    assert_int_equal(hf_signer_load(in_folder("empty.key"), &loaded, &err), HF_ECRYPTO);
    write_file("public.key", "-----BEGIN PUBLIC KEY-----\n", 27, 0600);
    assert_int_equal(hf_signer_load(in_folder("public.key"), &loaded, &err), HF_ECRYPTO);
    assert_null(loaded);
}

static void
keys_name_the_algorithm_that_digests_name(void **state)
{
    (void)state;
    struct hf_signer *with = signer();
    struct hf_verifier *by = verifier_of(with);
    assert_string_equal(hf_signer_algorithm(with), "SHA256withRSA");
    assert_ptr_equal(hf_verifier_algorithm(by), hf_signer_algorithm(with));
    assert_ptr_equal(hf_signature_algorithm("SHA256withRSA"), hf_signer_algorithm(with));
    for (const char *const *other = (const char *const[]){ "", "SHA1withRSA", "sha256withrsa",
                                                           "SHA256withRSA ", "none", NULL };
         *other; other++)
        assert_null(hf_signature_algorithm(*other));
    hf_verifier_free(by);
    hf_signer_free(with);
}

static void
private_key_that_others_may_read_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(0);
    struct hf_signer *loaded = NULL;
    read_file("digest.key", &pem);
    write_file("open.key", pem.ptr, pem.size, 0644);
    assert_int_equal(hf_signer_load(in_folder("open.key"), &loaded, NULL), HF_ECONFIG);
    assert_null(loaded);
}

static void
relative_paths_work(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    struct hf_error err;
    if (hf_signer_create("here.key", 2048, &err) != HF_OK)
        fail_msg("%s", err.text);
    struct hf_signer *loaded = NULL;
    assert_int_equal(hf_signer_load("here.key", &loaded, NULL), HF_OK);
    hf_signer_free(loaded);
    assert_int_equal(chdir(before), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_key_is_pkcs8_for_its_owner_only),
        cmocka_unit_test(key_is_never_overwritten),
        cmocka_unit_test(key_sizes_out_of_range_are_refused),
        cmocka_unit_test(failing_call_leaves_no_key_or_a_whole_one),
        cmocka_unit_test(signature_is_the_one_that_openssl_verifies),
        cmocka_unit_test(signature_of_openssl_is_verified),
        cmocka_unit_test(any_changed_bit_or_length_fails_verification),
        cmocka_unit_test(fingerprint_is_the_hash_of_the_pkcs1_key),
        cmocka_unit_test(public_key_is_read_from_all_three_kinds_of_pem),
        cmocka_unit_test(other_content_is_no_public_key),
        cmocka_unit_test(other_content_is_no_private_key),
        cmocka_unit_test(keys_name_the_algorithm_that_digests_name),
        cmocka_unit_test(private_key_that_others_may_read_is_refused),
        cmocka_unit_test(relative_paths_work),
    };
    return cmocka_run_group_tests(tests, setup, folder_teardown);
}
