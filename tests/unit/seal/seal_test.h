/* What the sealer's tests share: a journal in a folder of its own with records that carry their
 * sequence, windows cut from it by the real cutter, and objects opened by the tools that people
 * will open them with. */
#ifndef HOLDFAST_TESTS_SEAL_SEAL_TEST_H
#define HOLDFAST_TESTS_SEAL_SEAL_TEST_H

#include "agent/seal/seal_impl.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <holdfast/json.h>

#define KEY     "AWSLogs/000000000000/CloudTrail/local/2026/11/22/x.json.gz"
#define CMS_KEY KEY ".cms.gz"

struct fixture {
    char folder[256];
    char journal_folder[300];
    char path[300]; /* of the sealed file */
    struct hf_journal *journal;
    struct hf_selection all;
    struct hf_seal_plan plan;
    struct hf_seal_job job;
    struct hf_seal_memory memory;
};

static struct fixture *f; /* of the running test */

static inline void
open_journal(void)
{
    struct hf_journal_options options = { .directory = f->journal_folder,
                                          .max_bytes = 256u << 20,
                                          .segment_bytes = 1u << 20 };
    struct hf_journal_recovery recovery;
    struct hf_error err;
    if (hf_journal_open(&options, &f->journal, &recovery, &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_journal_recovery_done(&recovery);
}

static inline int
fixture_setup(void **state)
{
    (void)state;
    f = calloc(1, sizeof(*f));
    f->memory = hf_seal_memory();
    hf_test_tempdir(f->folder);
    snprintf(f->journal_folder, sizeof(f->journal_folder), "%s/journal", f->folder);
    snprintf(f->path, sizeof(f->path), "%s/sealed/w", f->folder);
    char sealed[300];
    snprintf(sealed, sizeof(sealed), "%s/sealed", f->folder);
    assert_int_equal(mkdir(sealed, 0700), 0);
    f->all.all = true;
    f->plan = (struct hf_seal_plan){
        .layout = { .prefix = "", .account = "000000000000", .region = "local", .trail = "audit" },
        .chain = "0123456789abcdef0123456789abcdef",
        .store = "main",
        .bucket = "archive",
        .encryption = HF_ENCRYPT_NONE,
        .kms_key_id = "alias/audit",
        .sse_c_key_file = "/etc/holdfast/sse.key",
        .lock_mode = HF_LOCK_COMPLIANCE,
        .lock_days = 30,
    };
    f->job = (struct hf_seal_job){ .plan = &f->plan,
                                   .selection = &f->all,
                                   .window = "1-9",
                                   .key = KEY,
                                   .path = f->path,
                                   .compression = HF_COMPRESSION_USUAL };
    open_journal();
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    (void)state;
    hf_fs_interpose(NULL, NULL);
    hf_seal_memory_done(&f->memory);
    hf_journal_close(f->journal);
    hf_test_tempdir_remove(f->folder);
    free(f);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* ---- records ---- */

static inline void
add_text(uint16_t source, int64_t time_s, const char *text, size_t size)
{
    struct hf_error err;
    assert_int_equal(
        hf_journal_append(f->journal, source, time_s, hf_slice(text, size), NULL, &err), HF_OK);
}

/* Text of a record: its sequence, a mark that can be found on the disk, and a length that differs
 * from the next one's. */
static inline void
add_record(uint64_t seq, uint16_t source)
{
    char text[512];
    int size =
        snprintf(text, sizeof(text), "{\"n\":%llu,\"mark\":\"mark-%06llu\",\"pad\":\"%.*s\"}",
                 (unsigned long long)seq, (unsigned long long)seq, (int)(seq * 37 % 101),
                 "0123456789 0123456789 0123456789 0123456789 0123456789 "
                 "0123456789 0123456789 0123456789 0123456789 0123456789 ");
    assert_int_equal(hf_journal_next_seq(f->journal), seq);
    add_text(source, 1800000000 + (int64_t)seq, text, (size_t)size);
}

/* One batch: records first to last from this source, or from `seq % -source` when it is negative.
 */
static inline void
add_batch(uint64_t first_seq, uint64_t last_seq, int source)
{
    struct hf_error err;
    assert_int_equal(hf_journal_begin(f->journal, true, &err), HF_OK);
    for (uint64_t seq = first_seq; seq <= last_seq; seq++)
        add_record(seq, (uint16_t)(source >= 0 ? source : (int)(seq % (uint64_t)-source)));
    hf_journal_commit(f->journal);
    assert_int_equal(hf_journal_sync(f->journal, 60000, &err), HF_OK);
}

/* The window from first to last, as the cutter makes it. */
static inline void
cut(uint64_t first_seq, uint64_t last_seq)
{
    struct hf_cutter *cutter;
    struct hf_journal_loss loss;
    struct hf_error err;
    enum hf_status status;
    assert_int_equal(hf_cutter_new(f->journal, f->job.selection, UINT32_MAX, 48u << 20, first_seq,
                                   &cutter, &err),
                     HF_OK);
    do {
        status = hf_cutter_close_at(cutter, last_seq, &f->job.range, &loss, &err);
    } while (status == HF_ECORRUPT);
    assert_int_equal(status, HF_OK);
    hf_cutter_free(cutter);
    assert_int_equal(f->job.range.last_seq, last_seq);
}

/* ---- damage ---- */

/* Flips a byte of the journal `before` bytes in front of this text. */
static inline void
damage(const char *text, size_t before)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(0);
    char **names, path[600];
    size_t count, hits = 0;
    assert_int_equal(hf_fs_list(f->journal_folder, 1000, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_path_join(path, sizeof(path), f->journal_folder, names[i]);
        assert_int_equal(hf_fs_read_file(path, 64u << 20, &bytes, NULL), HF_OK);
        uint8_t *hit = bytes.size ? memmem(bytes.ptr, bytes.size, text, strlen(text)) : NULL;
        if (!hit)
            continue;
        int fd = open(path, O_WRONLY);
        uint8_t flipped = *(hit - before) ^ 1;
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, &flipped, 1, hit - before - bytes.ptr), 1);
        close(fd);
        hits++;
    }
    hf_fs_names_free(names, count);
    assert_int_equal(hits, 1);
}

/* The record itself, so that its batch's payload does not verify. */
static inline void
damage_record(uint64_t seq)
{
    char mark[32];
    snprintf(mark, sizeof(mark), "mark-%06llu", (unsigned long long)seq);
    damage(mark, 0);
}

/* The entry table of the batch that begins with this record. */
static inline void
damage_table_before(uint64_t seq)
{
    char begin[32];
    snprintf(begin, sizeof(begin), "{\"n\":%llu,", (unsigned long long)seq);
    damage(begin, 1);
}

/* ---- sealing and opening ---- */

static inline struct hf_sealed *
seal(void)
{
    struct hf_sealed *sealed = NULL;
    struct hf_journal_loss loss;
    struct hf_error err = { 0 };
    if (hf_seal_window(f->journal, &f->job, &f->memory, &sealed, &loss, &err) != HF_OK)
        fail_msg("%s", err.text);
    return sealed;
}

static inline size_t
sealed_files(void)
{
    char folder[300], **names;
    size_t count;
    snprintf(folder, sizeof(folder), "%s/sealed", f->folder);
    assert_int_equal(hf_fs_list(folder, 1000, &names, &count, NULL), HF_OK);
    hf_fs_names_free(names, count);
    return count;
}

/* Runs a shell command in the fixture's folder. */
static inline void
run(const char *command)
{
    hf_owned(hf_freep) char *text = hf_asprintf("cd '%s' && %s", f->folder, command);
    if (system(text) != 0)
        fail_msg("%s", command);
}

static inline void
read_file(const char *name, struct hf_buf *ret_bytes)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(hf_fs_read_file(path, 256u << 20, ret_bytes, NULL), HF_OK);
}

static inline void
write_file(const char *name, struct hf_slice bytes)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(hf_fs_replace(path, bytes.ptr, bytes.size, 0600, NULL), HF_OK);
}

/* The body of the sealed file as file "body", after everything in it was checked. */
static inline void
extract_body(const struct hf_sealed *sealed)
{
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(256u << 20);
    hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
    struct hf_error err;
    if (hf_sealed_open(f->path, true, &again, &err) != HF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(again->size, sealed->size);
    assert_int_equal(again->body_offset, sealed->body_offset);
    assert_int_equal(hf_fs_read_file(f->path, 256u << 20, &file, NULL), HF_OK);
    assert_int_equal(file.size, sealed->body_offset + sealed->size);
    write_file("body", hf_slice(file.ptr + sealed->body_offset, sealed->size));
}

/* What the gzip tool makes of file "body", as a document; its size and hash are those that the
 * header tells. */
static inline json_t *
open_object(const struct hf_sealed *sealed)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(256u << 20);
    char hex[HF_SHA256_HEX_SIZE];
    json_t *doc;
    struct hf_error err;
    run(GZIP_TOOL " -dc < body > body.json");
    read_file("body.json", &json);
    assert_int_equal(json.size, sealed->plain_size);
    hf_sha256_hex(json.ptr, json.size, hex);
    assert_string_equal(hex, sealed->plain_sha256);
    if (hf_doc_parse(hf_buf_slice(&json), 256u << 20, "the object", &doc, &err) != HF_OK)
        fail_msg("%s", err.text);
    return doc;
}

/* The object has exactly the records `first` to `last` that `wanted` says yes to, in order. */
static inline void
assert_records(const json_t *doc, uint64_t first_seq, uint64_t last_seq,
               bool (*wanted)(uint64_t seq))
{
    json_t *records;
    size_t index = 0;
    assert_int_equal(json_object_size(doc), 1);
    assert_int_equal(hf_doc_array(doc, "Records", &records, NULL), HF_OK);
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        uint64_t n;
        if (wanted && !wanted(seq))
            continue;
        const json_t *record = json_array_get(records, index++);
        assert_int_equal(hf_doc_u64(record, "n", &n, NULL), HF_OK);
        assert_int_equal(n, seq);
        assert_int_equal(strlen(hf_doc_text_or(record, "pad", "")), seq * 37 % 101);
    }
    assert_int_equal(json_array_size(records), index);
}

static inline void
assert_object(const struct hf_sealed *sealed, uint64_t first_seq, uint64_t last_seq,
              bool (*wanted)(uint64_t seq))
{
    extract_body(sealed);
    hf_owned(hf_doc_freep) json_t *doc = open_object(sealed);
    assert_records(doc, first_seq, last_seq, wanted);
}

#endif
