/* Envelopes: opened by every recipient and by the openssl tool, by nobody else, and never when a
 * bit has changed. */
#include "tests/unit/crypto/crypto_test.h"

static const char PLAIN[] = "{\"Records\":[{\"eventName\":\"Test\"}]}";

static int
setup(void **state)
{
    folder_setup(state);
    make_certificate("rsa", "rsa:2048");
    make_certificate("p256", EC_KEY("P-256"));
    make_certificate("p384", EC_KEY("P-384"));
    make_certificate("p521", EC_KEY("P-521"));
    make_certificate("stranger", "rsa:2048");
    make_certificate("strangerec", EC_KEY("P-256"));
    write_file("plain", PLAIN, sizeof(PLAIN) - 1, 0644);
    return 0;
}

static void
seal(const char *first, const char *second, struct hf_slice plain, struct hf_buf *der)
{
    struct hf_recipients *recipients = recipients_of(first, second);
    struct hf_error err;
    if (hf_cms_encrypt(recipients, plain, der, &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_recipients_free(recipients);
}

static enum hf_status
open_with(const char *key, struct hf_slice der, struct hf_buf *plain, struct hf_error *err)
{
    struct hf_opener *opener = opener_of(key);
    enum hf_status status = hf_cms_decrypt(opener, der, plain, err);
    hf_opener_free(opener);
    return status;
}

/* The status, and that nothing came out. */
static enum hf_status
refused_with(const char *key, struct hf_slice der)
{
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
    struct hf_error err = { .text = "" };
    assert_int_equal(hf_buf_add_text(&plain, "old"), HF_OK);
    enum hf_status status = open_with(key, der, &plain, &err);
    assert_int_not_equal(status, HF_OK);
    assert_string_not_equal(err.text, "");
    assert_string_equal(hf_buf_text(&plain), "old");
    assert_int_equal(plain.size, 3);
    return status;
}

static void
assert_opens(const char *key, struct hf_slice der)
{
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
    struct hf_error err;
    if (open_with(key, der, &plain, &err) != HF_OK)
        fail_msg("%s: %s", key, err.text);
    assert_string_equal(hf_buf_text(&plain), PLAIN);
}

static void
rsa_and_ec_recipients_each_open_it(void **state)
{
    (void)state;
    static const char *const pairs[][4] = {
        { "rsa.pem", "p256.pem", "rsa.key", "p256.key" },
        { "p384.pem", "rsa.pem", "p384.key", "rsa.key" },
        { "p521.pem", "p256.pem", "p521.key", "p256.key" },
        { "rsa.pem", NULL, "rsa.key", NULL },
        { "p256.pem", NULL, "p256.key", NULL },
    };
    for (size_t i = 0; i < HF_COUNT(pairs); i++) {
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
        seal(pairs[i][0], pairs[i][1], hf_slice_text(PLAIN), &der);
        assert_opens(pairs[i][2], hf_buf_slice(&der));
        if (pairs[i][3])
            assert_opens(pairs[i][3], hf_buf_slice(&der));
        assert_int_equal(refused_with("stranger.key", hf_buf_slice(&der)), HF_ECRYPTO);
        assert_int_equal(refused_with("strangerec.key", hf_buf_slice(&der)), HF_ECRYPTO);
    }
}

static void
openssl_tool_opens_what_we_seal(void **state)
{
    (void)state;
    static const char *const names[] = { "rsa", "p256" };
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    seal("rsa.pem", "p256.pem", hf_slice_text(PLAIN), &der);
    write_file("envelope", der.ptr, der.size, 0644);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        hf_owned(hf_freep) char *arguments = hf_asprintf(
            "cms -decrypt -inform DER -in envelope -inkey %s.key -recip %s.pem -binary -out opened",
            names[i], names[i]);
        hf_owned(hf_buf_done) struct hf_buf opened = HF_BUF(0);
        openssl_must(arguments);
        read_file("opened", &opened);
        assert_string_equal(hf_buf_text(&opened), PLAIN);
    }
    der.ptr[der.size - 40] ^= 1;
    write_file("flipped", der.ptr, der.size, 0644);
    assert_int_not_equal(
        openssl("cms -decrypt -inform DER -in flipped -inkey rsa.key -recip rsa.pem -binary"), 0);
}

/* The tool's own printout says which algorithms stand in the envelope. */
static void
envelope_names_the_strong_algorithms(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    seal("rsa.pem", "p256.pem", hf_slice_text(PLAIN), &der);
    write_file("printed", der.ptr, der.size, 0644);
    openssl_must("cms -cmsout -print -inform DER -in printed");
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(0);
    read_file("tool.out", &text);
    static const char *const names[] = { "authEnvelopedData", "rsaesOaep", "aes-256-gcm",
                                         "dhSinglePass-stdDH-sha256kdf-scheme", "id-aes256-wrap" };
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        if (!strstr(hf_buf_text(&text), names[i]))
            fail_msg("no %s in: %s", names[i], hf_buf_text(&text));
    }
    openssl_must("asn1parse -inform DER -in printed");
    read_file("tool.out", &text);
    assert_non_null(strstr(hf_buf_text(&text), "sha256"));
    assert_non_null(strstr(hf_buf_text(&text), "mgf1"));
    assert_null(strstr(hf_buf_text(&text), "sha1"));
    assert_null(strstr(hf_buf_text(&text), "l=inf"));
}

static void
we_open_what_the_openssl_tool_seals(void **state)
{
    (void)state;
    static const char *const ways[] = { "", "-stream" };
    for (size_t i = 0; i < HF_COUNT(ways); i++) {
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(0);
        hf_owned(hf_freep) char *arguments =
            hf_asprintf("cms -encrypt -binary -aes-256-gcm %s -in plain -outform DER -out theirs "
                        "-recip rsa.pem -keyopt "
                        "rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -recip p256.pem -keyopt "
                        "ecdh_kdf_md:sha256",
                        ways[i]);
        openssl_must(arguments);
        read_file("theirs", &der);
        assert_opens("rsa.key", hf_buf_slice(&der));
        assert_opens("p256.key", hf_buf_slice(&der));
    }
}

static void
weaker_envelopes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        enum hf_status status;
    } rows[] = {
        { "-aes-256-cbc -recip rsa.pem -keyopt rsa_padding_mode:oaep", HF_EFORMAT },
        { "-aes-128-gcm -recip rsa.pem -keyopt rsa_padding_mode:oaep", HF_EFORMAT },
        { "-aes-256-gcm -recip rsa.pem", HF_ECRYPTO }, /* PKCS#1 v1.5 padding */
        { "-aes-256-gcm -secretkey 00112233445566778899aabbccddeeff -secretkeyid 01", HF_ECRYPTO },
    };
    for (size_t i = 0; i < HF_COUNT(rows); i++) {
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(0);
        hf_owned(hf_freep) char *arguments = hf_asprintf(
            "cms -encrypt -binary -in plain -outform DER -out weak %s", rows[i].arguments);
        openssl_must(arguments);
        read_file("weak", &der);
        assert_int_equal(refused_with("rsa.key", hf_buf_slice(&der)), rows[i].status);
    }
}

static void
other_messages_are_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    openssl_must("cms -data_create -binary -in plain -outform DER -out data");
    read_file("data", &der);
    assert_int_equal(refused_with("rsa.key", hf_buf_slice(&der)), HF_EFORMAT);
    assert_int_equal(refused_with("rsa.key", S("")), HF_ELIMIT);
    assert_int_equal(refused_with("rsa.key", S("not an envelope")), HF_EFORMAT);
    hf_owned(hf_buf_done) struct hf_buf longer = HF_BUF(1u << 20);
    seal("rsa.pem", NULL, hf_slice_text(PLAIN), &longer);
    assert_int_equal(hf_buf_add(&longer, "x", 1), HF_OK);
    assert_int_equal(refused_with("rsa.key", hf_buf_slice(&longer)), HF_EFORMAT);
    assert_int_equal(refused_with("rsa.key", hf_slice(PLAIN, (64u << 20) + (1u << 20))), HF_ELIMIT);
}

/* A bit in a recipient's name is not covered by the tag, and not used by us: then the same text
 * comes out. */
static void
flipped_bits_give_an_error_or_the_same_text(void **state)
{
    (void)state;
    struct hf_opener *openers[] = { opener_of("rsa.key"), opener_of("p256.key") };
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    seal("rsa.pem", "p256.pem", hf_slice_text(PLAIN), &der);
    /* At the end stand the ciphertext, and the tag with its two bytes of header. */
    size_t covered = der.size - (sizeof(PLAIN) - 1) - 18;
    for (size_t at = 0; at < der.size; at++) {
        for (size_t i = 0; i < HF_COUNT(openers); i++) {
            hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
            der.ptr[at] ^= (uint8_t)(1u << at % 8);
            enum hf_status status = hf_cms_decrypt(openers[i], hf_buf_slice(&der), &plain, NULL);
            der.ptr[at] ^= (uint8_t)(1u << at % 8);
            if (status == HF_OK && at < covered)
                assert_string_equal(hf_buf_text(&plain), PLAIN);
            else if (status == HF_OK)
                fail_msg("opened with byte %zu of %zu changed", at, der.size);
            else
                assert_int_equal(plain.size, 0);
        }
    }
    hf_opener_free(openers[0]);
    hf_opener_free(openers[1]);
}

static void
cut_off_envelope_gives_an_error(void **state)
{
    (void)state;
    struct hf_opener *opener = opener_of("p256.key");
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    seal("p256.pem", NULL, hf_slice_text(PLAIN), &der);
    for (size_t size = 0; size < der.size; size++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
        uint8_t *exact = hf_alloc(size ? size : 1); /* AddressSanitizer watches its end */
        memcpy(exact, der.ptr, size);
        assert_int_not_equal(hf_cms_decrypt(opener, hf_slice(exact, size), &plain, NULL), HF_OK);
        assert_int_equal(plain.size, 0);
        free(exact);
    }
    hf_opener_free(opener);
}

static void
shortened_tag_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    struct hf_recipients *recipients = recipients_of("p256.pem", NULL);
    /* Content so long that all lengths around it are of four bytes and can be lowered in place. */
    static uint8_t plain[70000];
    assert_int_equal(hf_cms_encrypt(recipients, hf_slice(plain, sizeof(plain)), &der, NULL), HF_OK);
    hf_recipients_free(recipients);
    /* ContentInfo, [0], AuthEnvelopedData: 30 83 llllll, oid, a0 83 llllll, 30 83 llllll; 4 bytes
     * less in each. */
    size_t places[] = { 2, 20, 25 };
    for (size_t i = 0; i < HF_COUNT(places); i++) {
        assert_int_equal(der.ptr[places[i] - 1], 0x83);
        uint32_t size = (uint32_t)der.ptr[places[i]] << 16 | (uint32_t)der.ptr[places[i] + 1] << 8 |
                        der.ptr[places[i] + 2];
        size -= 4;
        der.ptr[places[i]] = (uint8_t)(size >> 16);
        der.ptr[places[i] + 1] = (uint8_t)(size >> 8);
        der.ptr[places[i] + 2] = (uint8_t)size;
    }
    assert_int_equal(der.ptr[der.size - 17], 16);
    der.ptr[der.size - 17] = 12;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf opened = HF_BUF(1u << 20);
    assert_int_equal(open_with("p256.key", hf_slice(der.ptr, der.size - 4), &opened, &err),
                     HF_EFORMAT);
    assert_non_null(strstr(err.text, "tag"));
    assert_int_equal(opened.size, 0);
}

static void
both_buffers_keep_what_they_held(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
    assert_int_equal(hf_buf_add_text(&der, "head"), HF_OK);
    assert_int_equal(hf_buf_add_text(&plain, "head"), HF_OK);
    seal("p256.pem", NULL, hf_slice_text(PLAIN), &der);
    assert_memory_equal(der.ptr, "head\x30", 5);
    assert_int_equal(open_with("p256.key", hf_slice(der.ptr + 4, der.size - 4), &plain, NULL),
                     HF_OK);
    assert_true(hf_starts_with(hf_buf_text(&plain), "head{"));
}

static void
limits_of_the_buffers_hold(void **state)
{
    (void)state;
    struct hf_recipients *recipients = recipients_of("p256.pem", NULL);
    hf_owned(hf_buf_done) struct hf_buf small = HF_BUF(100);
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    assert_int_equal(hf_cms_encrypt(recipients, hf_slice_text(PLAIN), &small, NULL), HF_ELIMIT);
    assert_int_equal(small.size, 0);
    assert_int_equal(hf_cms_encrypt(recipients, S(""), &der, NULL), HF_ELIMIT);
    assert_int_equal(hf_cms_encrypt(recipients, hf_slice(PLAIN, (64u << 20) + 1), &der, NULL),
                     HF_ELIMIT);
    assert_int_equal(hf_cms_encrypt(recipients, hf_slice_text(PLAIN), &der, NULL), HF_OK);
    hf_owned(hf_buf_done) struct hf_buf tight = HF_BUF(sizeof(PLAIN) - 2);
    assert_int_equal(open_with("p256.key", hf_buf_slice(&der), &tight, NULL), HF_ELIMIT);
    assert_int_equal(tight.size, 0);
    hf_owned(hf_buf_done) struct hf_buf exact = HF_BUF(sizeof(PLAIN) - 1);
    assert_int_equal(open_with("p256.key", hf_buf_slice(&der), &exact, NULL), HF_OK);
    hf_recipients_free(recipients);
}

static void
every_size_around_a_block_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1,
                                    15,
                                    16,
                                    17,
                                    31,
                                    4095,
                                    4096,
                                    4097,
                                    8192,
                                    65535,
                                    (1u << 20) - 1,
                                    1u << 20,
                                    (1u << 20) + 1,
                                    (3u << 20) + 5 };
    struct hf_recipients *recipients = recipients_of("p256.pem", NULL);
    struct hf_opener *opener = opener_of("p256.key");
    uint8_t *bytes = hf_alloc(4u << 20);
    for (size_t i = 0; i < 4u << 20; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 1021);
    for (size_t i = 0; i < HF_COUNT(sizes); i++) {
        hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(8u << 20);
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(8u << 20);
        assert_int_equal(hf_cms_encrypt(recipients, hf_slice(bytes, sizes[i]), &der, NULL), HF_OK);
        assert_in_range(der.size, sizes[i] + 1, sizes[i] + 1024);
        assert_int_equal(hf_cms_decrypt(opener, hf_buf_slice(&der), &plain, NULL), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&plain), hf_slice(bytes, sizes[i])));
    }
    free(bytes);
    hf_opener_free(opener);
    hf_recipients_free(recipients);
}

static void
opener_takes_only_keys_that_can_open(void **state)
{
    (void)state;
    struct hf_opener *opener = NULL;
    struct hf_error err;
    openssl_must("genpkey -algorithm ed25519 -out ed.key");
    assert_int_equal(chmod(in_folder("ed.key"), 0600), 0);
    assert_int_equal(hf_opener_load(in_folder("ed.key"), &opener, &err), HF_ECRYPTO);
    assert_non_null(strstr(err.text, "ed.key"));
    assert_int_equal(chmod(in_folder("stranger.key"), 0604), 0);
    assert_int_equal(hf_opener_load(in_folder("stranger.key"), &opener, &err), HF_ECONFIG);
    assert_int_equal(chmod(in_folder("stranger.key"), 0600), 0);
    assert_null(opener);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_and_ec_recipients_each_open_it),
        cmocka_unit_test(openssl_tool_opens_what_we_seal),
        cmocka_unit_test(envelope_names_the_strong_algorithms),
        cmocka_unit_test(we_open_what_the_openssl_tool_seals),
        cmocka_unit_test(weaker_envelopes_are_refused),
        cmocka_unit_test(other_messages_are_refused),
        cmocka_unit_test(flipped_bits_give_an_error_or_the_same_text),
        cmocka_unit_test(cut_off_envelope_gives_an_error),
        cmocka_unit_test(shortened_tag_is_refused),
        cmocka_unit_test(both_buffers_keep_what_they_held),
        cmocka_unit_test(limits_of_the_buffers_hold),
        cmocka_unit_test(every_size_around_a_block_comes_back),
        cmocka_unit_test(opener_takes_only_keys_that_can_open),
    };
    return cmocka_run_group_tests(tests, setup, folder_teardown);
}
