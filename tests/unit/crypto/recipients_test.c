/* Recipient certificates: what is taken, what is refused, and that the refusal names the file. */
#include "tests/unit/crypto/crypto_test.h"

static int
setup(void **state)
{
    folder_setup(state);
    make_certificate("rsa", "rsa:2048");
    make_certificate("p256", EC_KEY("P-256"));
    return 0;
}

static void
assert_refused(const char *name, const char *reason)
{
    struct hf_recipients *recipients = NULL;
    struct hf_error err = { .text = "" };
    const char *paths[] = { in_folder("rsa.pem"), in_folder(name) };
    assert_int_not_equal(hf_recipients_load(paths, 2, &recipients, &err), HF_OK);
    assert_null(recipients);
    if (!strstr(err.text, name) || !strstr(err.text, reason))
        fail_msg("'%s' does not name '%s' and '%s'", err.text, name, reason);
}

static void
text_is_the_fingerprints_in_order(void **state)
{
    (void)state;
    static const char *const files[] = { "rsa", "p256" };
    struct hf_recipients *recipients = recipients_of("rsa.pem", "p256.pem");
    const char *at = hf_recipients_text(recipients);
    for (size_t i = 0; i < HF_COUNT(files); i++) {
        hf_owned(hf_freep) char *arguments =
            hf_asprintf("x509 -in %s.pem -outform DER -out %s.der", files[i], files[i]);
        openssl_must(arguments);
        hf_owned(hf_freep) char *name = hf_asprintf("%s.der", files[i]);
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(0);
        read_file(name, &der);
        char hex[HF_SHA256_HEX_SIZE];
        hf_sha256_hex(der.ptr, der.size, hex);
        assert_true(hf_starts_with(at, hex));
        at += 64;
        assert_int_equal(*at++, i == 0 ? ',' : '\0');
    }
    hf_recipients_free(recipients);
}

static void
keys_too_weak_or_of_another_kind_are_refused(void **state)
{
    (void)state;
    make_certificate("rsa1024", "rsa:1024");
    assert_refused("rsa1024.pem", "1024 bits");
    make_certificate("k256", EC_KEY("secp256k1"));
    assert_refused("k256.pem", "secp256k1");
    make_certificate("ed", "ed25519");
    assert_refused("ed.pem", "neither RSA nor EC");
    make_certificate("p384", EC_KEY("P-384"));
    make_certificate("p521", EC_KEY("P-521"));
    hf_recipients_free(recipients_of("p384.pem", "p521.pem"));
}

static void
certificates_out_of_their_time_are_refused(void **state)
{
    (void)state;
    openssl_must("x509 -in rsa.pem -signkey rsa.key -days -1 -out expired.pem");
    assert_refused("expired.pem", "expired");

    static const char settings[] =
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n";
    write_file("ca.conf", settings, sizeof(settings) - 1, 0644);
    write_file("index", "", 0, 0644);
    write_file("serial", "01\n", 3, 0644);
    openssl_must("req -new -key rsa.key -subj /CN=later -out later.csr");
    openssl_must(
        "ca -batch -config ca.conf -selfsign -keyfile rsa.key -in later.csr -notext -out later.pem "
        "-startdate 20980101000000Z -enddate 20990101000000Z");
    assert_refused("later.pem", "not valid yet");
}

static void
what_is_no_single_certificate_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf one = HF_BUF(0);
    hf_owned(hf_buf_done) struct hf_buf two = HF_BUF(0);
    read_file("rsa.pem", &one);
    read_file("p256.pem", &two);
    two.max = 1u << 20;
    assert_int_equal(hf_buf_add(&two, one.ptr, one.size), HF_OK);
    write_file("both.pem", two.ptr, two.size, 0644);
    assert_refused("both.pem", "several certificates");
    write_file("empty.pem", "", 0, 0644);
    assert_refused("empty.pem", "no certificate");
    assert_refused("rsa.key", "no certificate");
    assert_refused("absent.pem", "");
}

static void
at_least_one_is_needed(void **state)
{
    (void)state;
    struct hf_recipients *recipients = NULL;
    assert_int_equal(hf_recipients_load(NULL, 0, &recipients, NULL), HF_ECONFIG);
    assert_null(recipients);
    hf_recipients_free(NULL);
    hf_opener_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_the_fingerprints_in_order),
        cmocka_unit_test(keys_too_weak_or_of_another_kind_are_refused),
        cmocka_unit_test(certificates_out_of_their_time_are_refused),
        cmocka_unit_test(what_is_no_single_certificate_is_refused),
        cmocka_unit_test(at_least_one_is_needed),
    };
    return cmocka_run_group_tests(tests, setup, folder_teardown);
}
