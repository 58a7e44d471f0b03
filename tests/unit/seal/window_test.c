/* The sealed file of a window: what its header says, its bytes, and the envelope. */
#include "tests/unit/seal/seal_test.h"

static void
header_says_where_and_how_it_goes(void **state)
{
    (void)state;
    add_batch(1, 9, 1);
    cut(2, 8);
    f->job.generation = 3;
    f->plan.legal_hold = true;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    assert_int_equal(sealed->kind, HF_SEALED_OBJECT);
    assert_string_equal(sealed->path, f->path);
    assert_string_equal(sealed->trail, "audit");
    assert_string_equal(sealed->chain, f->plan.chain);
    assert_string_equal(sealed->window, "1-9");
    assert_string_equal(sealed->store, "main");
    assert_string_equal(sealed->bucket, "archive");
    assert_string_equal(sealed->key, KEY);
    assert_string_equal(sealed->content_type, "application/json");
    assert_string_equal(sealed->content_encoding, "gzip");
    assert_null(sealed->signature);
    assert_null(sealed->signature_algorithm);
    assert_int_equal(sealed->encryption, HF_ENCRYPT_NONE);
    assert_null(sealed->kms_key_id);
    assert_null(sealed->sse_c_key_file);
    assert_int_equal(sealed->lock_mode, HF_LOCK_COMPLIANCE);
    assert_int_equal(sealed->lock_days, 30);
    assert_true(sealed->legal_hold);
    assert_int_equal(sealed->first_seq, 2);
    assert_int_equal(sealed->last_seq, 8);
    assert_int_equal(sealed->count, 7);
    assert_int_equal(sealed->oldest_s, 1800000002);
    assert_int_equal(sealed->newest_s, 1800000008);
    assert_int_equal(sealed->generation, 3);
    assert_int_equal(sealed->plain_size, f->job.range.bytes);
    assert_string_equal(sealed->envelope_sha256, "");
    assert_int_equal(sealed_files(), 1);
}

static void
encryption_at_the_store_keeps_its_key_and_no_other(void **state)
{
    (void)state;
    add_batch(1, 3, 1);
    cut(1, 3);
    f->plan.encryption = HF_ENCRYPT_SSE_KMS;
    hf_owned(hf_sealed_freep) struct hf_sealed *kms = seal();
    assert_string_equal(kms->kms_key_id, "alias/audit");
    assert_null(kms->sse_c_key_file);
    f->plan.encryption = HF_ENCRYPT_SSE_C;
    hf_owned(hf_sealed_freep) struct hf_sealed *customer = seal();
    assert_null(customer->kms_key_id);
    assert_string_equal(customer->sse_c_key_file, "/etc/holdfast/sse.key");
    assert_string_equal(customer->sha256,
                        kms->sha256); /* the bytes are the same: the store encrypts */
    assert_object(customer, 1, 3, NULL);
}

static void
read_whole(struct hf_buf *file)
{
    assert_int_equal(hf_fs_read_file(f->path, 64u << 20, file, NULL), HF_OK);
}

/* After a crash a window is sealed again; what was sent before and what is sent now must be the
 * same bytes. */
static void
same_window_gives_the_same_bytes_also_after_a_restart(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf first = HF_BUF(0), second = HF_BUF(0);
    add_batch(1, 50, 1);
    add_batch(51, 90, 1);
    cut(3, 77);
    hf_owned(hf_sealed_freep) struct hf_sealed *before = seal();
    read_whole(&first);
    assert_int_equal(unlink(f->path), 0);
    hf_journal_close(f->journal);
    open_journal();
    cut(3, 77);
    hf_owned(hf_sealed_freep) struct hf_sealed *after = seal();
    read_whole(&second);
    assert_true(hf_slice_equal(hf_buf_slice(&first), hf_buf_slice(&second)));
    assert_string_equal(before->sha256, after->sha256);
}

static void
hashes_are_those_of_the_body(void **state)
{
    (void)state;
    char command[400], md5[HF_HEX_SIZE(HF_MD5_SIZE)];
    add_batch(1, 9, 1);
    cut(1, 9);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    extract_body(sealed);
    hf_hex(sealed->md5, sizeof(sealed->md5), md5);
    snprintf(command, sizeof(command),
             "echo '%s  body' | sha256sum -c --quiet && echo '%s  body' | md5sum -c --quiet",
             sealed->sha256, md5);
    run(command);
}

/* ---- cms ---- */

static struct hf_recipients *
make_recipients(void)
{
    struct hf_recipients *recipients = NULL;
    struct hf_error err;
    char rsa[300], ec[300];
    run("'" OPENSSL_TOOL "' req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj "
        "/CN=a -days 9 2>/dev/null");
    run("'" OPENSSL_TOOL "' req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
        "ec.key -out ec.pem -subj /CN=b "
        "-days 9 2>/dev/null");
    snprintf(rsa, sizeof(rsa), "%s/rsa.pem", f->folder);
    snprintf(ec, sizeof(ec), "%s/ec.pem", f->folder);
    const char *paths[] = { rsa, ec };
    if (hf_recipients_load(paths, 2, &recipients, &err) != HF_OK)
        fail_msg("%s", err.text);
    return recipients;
}

static void
envelope_is_opened_by_the_openssl_tool_with_either_key(void **state)
{
    (void)state;
    static const char *const keys[] = { "rsa", "ec" };
    char command[400];
    struct hf_recipients *recipients = make_recipients();
    f->plan.encryption = HF_ENCRYPT_CMS;
    f->plan.recipients = recipients;
    f->job.key = CMS_KEY;
    add_batch(1, 60, 1);
    cut(1, 60);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    hf_recipients_free(recipients);
    assert_string_equal(sealed->content_type, "application/octet-stream");
    assert_null(sealed->content_encoding);
    assert_int_equal(sealed->encryption, HF_ENCRYPT_CMS);
    extract_body(sealed);
    run(GZIP_TOOL " -dc < body > envelope.der && mv body whole");
    snprintf(command, sizeof(command), "echo '%s  envelope.der' | sha256sum -c --quiet",
             sealed->envelope_sha256);
    run(command);
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        snprintf(command, sizeof(command),
                 "'%s' cms -decrypt -binary -inform DER -in envelope.der -inkey %s.key -recip "
                 "%s.pem -out body",
                 OPENSSL_TOOL, keys[i], keys[i]);
        run(command);
        hf_owned(hf_doc_freep) json_t *doc = open_object(sealed);
        assert_records(doc, 1, 60, NULL);
    }
}

static void
envelope_lies_stored_in_one_gzip_member(void **state)
{
    (void)state;
    struct hf_recipients *recipients = make_recipients();
    hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(0), der = HF_BUF(1u << 20);
    f->plan.encryption = HF_ENCRYPT_CMS;
    f->plan.recipients = recipients;
    f->job.key = CMS_KEY;
    add_batch(1, 9, 1);
    cut(1, 9);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal();
    hf_recipients_free(recipients);
    extract_body(sealed);
    read_file("body", &body);
    assert_int_equal(hf_gunzip(hf_buf_slice(&body), &der, NULL), HF_OK);
    assert_non_null(memmem(body.ptr, body.size, der.ptr, der.size));
    assert_null(memmem(body.ptr, body.size, "mark-", 5));
}

static void
key_that_was_made_for_another_encryption_is_refused(void **state)
{
    (void)state;
    struct hf_sealed *sealed = NULL;
    struct hf_journal_loss loss;
    struct hf_error err;
    add_batch(1, 3, 1);
    cut(1, 3);
    f->job.key = CMS_KEY;
    assert_int_equal(hf_seal_window(f->journal, &f->job, &f->memory, &sealed, &loss, &err),
                     HF_EINTERNAL);
    f->job.key = KEY;
    f->plan.encryption = HF_ENCRYPT_CMS;
    assert_int_equal(hf_seal_window(f->journal, &f->job, &f->memory, &sealed, &loss, &err),
                     HF_EINTERNAL);
    assert_null(sealed);
    assert_int_equal(sealed_files(), 0);
}

static void
records_that_differ_from_the_cut_are_our_own_mistake(void **state)
{
    (void)state;
    struct hf_sealed *sealed = NULL;
    struct hf_journal_loss loss;
    struct hf_error err;
    add_batch(1, 9, 1);
    cut(1, 9);
    const struct hf_window range = f->job.range;
    const struct {
        uint64_t count, bytes;
    } wrong[] = { { range.count + 1, range.bytes },      { range.count - 1, range.bytes },
                  { range.count, range.bytes + 1 },      { range.count, range.bytes - 1 },
                  { range.count + 1, range.bytes + 99 }, { 0, HF_OBJECT_OVERHEAD } };
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        f->job.range.count = wrong[i].count;
        f->job.range.bytes = wrong[i].bytes;
        assert_int_equal(hf_seal_window(f->journal, &f->job, &f->memory, &sealed, &loss, &err),
                         HF_EINTERNAL);
        assert_int_equal(sealed_files(), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header_says_where_and_how_it_goes),
        TEST(encryption_at_the_store_keeps_its_key_and_no_other),
        TEST(same_window_gives_the_same_bytes_also_after_a_restart),
        TEST(hashes_are_those_of_the_body),
        TEST(envelope_is_opened_by_the_openssl_tool_with_either_key),
        TEST(envelope_lies_stored_in_one_gzip_member),
        TEST(key_that_was_made_for_another_encryption_is_refused),
        TEST(records_that_differ_from_the_cut_are_our_own_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
