/* The header: every field comes back, and whatever is not what it has to be is refused by name. */
#include "tests/unit/seal/sealed_test.h"

static void
every_field_comes_back(void **state)
{
    (void)state;
    for (int optional = 0; optional < 2; optional++) {
        hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal_body(optional), *again = NULL;
        assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_OK);
        assert_same_sealed(sealed, again);
        assert_string_equal(sealed->path, f->path);
    }
}

static void
kinds_encryptions_and_locks_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 15; i++) {
        hf_owned(hf_sealed_freep) struct hf_sealed *sealed = make_sealed(true), *again = NULL;
        sealed->kind = (enum hf_sealed_kind)(i % 3);
        sealed->encryption = i % (HF_ENCRYPT_CMS + 1);
        sealed->lock_mode = i % (HF_LOCK_COMPLIANCE + 1);
        assert_int_equal(hf_seal_bytes(sealed, f->path, HF_SLICE_LITERAL(BODY), NULL), HF_OK);
        assert_int_equal(hf_sealed_open(f->path, false, &again, NULL), HF_OK);
        assert_same_sealed(sealed, again);
    }
}

static void
gaps_come_back(void **state)
{
    (void)state;
    static const char *const gaps[] = { "SourceGap, sequence 7", "\"\n" };
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = make_sealed(true), *again = NULL;
    sealed->gaps = hf_alloc(sizeof(gaps));
    for (sealed->gap_count = 0; sealed->gap_count < HF_COUNT(gaps); sealed->gap_count++)
        sealed->gaps[sealed->gap_count] = hf_strdup(gaps[sealed->gap_count]);
    assert_int_equal(hf_seal_bytes(sealed, f->path, HF_SLICE_LITERAL(BODY), NULL), HF_OK);
    assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_OK);
    assert_int_equal(again->gap_count, HF_COUNT(gaps));
    for (size_t i = 0; i < HF_COUNT(gaps); i++)
        assert_string_equal(again->gaps[i], gaps[i]);
}

/* The layout is a promise to files that exist. */
static void
bytes_are_those_of_the_drawing(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal_body(true);
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(0);
    assert_int_equal(hf_fs_read_file(f->path, 1u << 20, &file, NULL), HF_OK);
    uint32_t size = hf_get_le32(file.ptr + 8);
    assert_memory_equal(file.ptr, "HFSEAL01", 8);
    assert_memory_equal(file.ptr + 12, "{\"format\":1,\"kind\":\"digest\",", 28);
    assert_int_equal(file.ptr[12 + size - 1], '}');
    assert_int_equal(hf_get_le32(file.ptr + 12 + size), hf_crc32c(0, file.ptr, 12 + size));
    assert_int_equal(sealed->body_offset, 16 + size);
    assert_memory_equal(file.ptr + sealed->body_offset, BODY, strlen(BODY));
}

/* A file with this header, its checksum right. */
static enum hf_status
decode_as(const char *magic, const json_t *doc, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20), file = HF_BUF(1u << 20);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    uint8_t number[4];
    assert_int_equal(hf_doc_dump(doc, &text), HF_OK);
    hf_put_le32(number, (uint32_t)text.size);
    assert_int_equal(hf_buf_add_text(&file, magic), HF_OK);
    assert_int_equal(hf_buf_add(&file, number, 4), HF_OK);
    assert_int_equal(hf_buf_add(&file, text.ptr, text.size), HF_OK);
    hf_put_le32(number, hf_crc32c(0, file.ptr, file.size));
    assert_int_equal(hf_buf_add(&file, number, 4), HF_OK);
    return sealed_frame_decode(hf_buf_slice(&file), &sealed, err);
}

static enum hf_status
decode(const json_t *doc, struct hf_error *err)
{
    return decode_as(SEALED_MAGIC, doc, err);
}

static json_t *
header_of(void)
{
    hf_sealed_free(seal_body(true));
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(0);
    json_t *doc;
    assert_int_equal(hf_fs_read_file(f->path, 1u << 20, &file, NULL), HF_OK);
    struct hf_slice text = hf_slice(file.ptr + 12, hf_get_le32(file.ptr + 8));
    assert_int_equal(hf_doc_parse(text, 1u << 20, "header", &doc, NULL), HF_OK);
    return doc;
}

static void
missing_field_is_refused_by_name(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = header_of();
    const char *key;
    json_t *value;
    size_t fields = 0;
    json_object_foreach(doc, key, value)
    {
        struct hf_error err;
        hf_owned(hf_doc_freep) json_t *copy = json_copy(doc);
        json_object_del(copy, key);
        if (strcmp(key, "format") == 0) {
            assert_int_equal(decode(copy, &err), HF_EVERSION);
            continue;
        }
        if (strcmp(key, "compression") == 0) { /* an earlier version wrote none */
            assert_int_equal(decode(copy, &err), HF_OK);
            continue;
        }
        assert_int_equal(decode(copy, &err), HF_ECORRUPT);
        assert_non_null(strstr(err.text, key));
        fields++;
    }
    assert_int_equal(fields, 30);
}

static void
field_of_another_type_is_refused_by_name(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = header_of();
    const char *key;
    json_t *value;
    json_object_foreach(doc, key, value)
    {
        struct hf_error err;
        hf_owned(hf_doc_freep) json_t *copy = json_copy(doc);
        if (strcmp(key, "format") == 0)
            continue;
        json_object_set_new(copy, key, json_real(1.5));
        assert_int_equal(decode(copy, &err), HF_ECORRUPT);
        assert_non_null(strstr(err.text, key));
        json_object_set_new(copy, key, json_is_string(value) ? json_integer(1) : json_string("1"));
        assert_int_equal(decode(copy, &err), HF_ECORRUPT);
    }
}

static void
value_out_of_its_range_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = header_of();
    const struct {
        const char *key;
        json_t *value;
    } cases[] = {
        { "kind", json_string("objects") },
        { "encryption", json_string("rot13") },
        { "lockMode", json_string("governance") },
        { "size", json_integer(-1) },
        { "lockDays", json_integer(-1) },
        { "generation", json_integer(-1) },
        { "generation", json_integer(1ll << 32) },
        { "trail", json_null() },
        { "key", json_stringn("a\0b", 3) },
        { "kmsKeyId", json_stringn("a\0b", 3) },
        { "plainSha256", json_string("") },
        { "plainSha256", json_string("abc") },
        { "sha256",
          json_string("zz39f9e4f2e4d8ed2a1c0dff8aef1ce1d0ccb6e2ed2aa2d0de3b7ee3b1a6b0b2") },
        { "envelopeSha256", json_string("ab") },
        { "gaps", json_integer(1) },
        { "gaps", json_pack("[i]", 1) },
        { "md5", json_string("") },
        { "md5", json_string("00112233445566778899aabbccddeeff00") },
    };
    assert_int_equal(decode(doc, NULL), HF_OK);
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        struct hf_error err;
        hf_owned(hf_doc_freep) json_t *copy = json_copy(doc);
        json_object_set_new(copy, cases[i].key, cases[i].value);
        if (decode(copy, &err) != HF_ECORRUPT)
            fail_msg("%s, case %zu", cases[i].key, i);
        /* (A NUL is refused by the JSON parser, before anyone knows the field.) */
        if (json_string_length(cases[i].value) != 3 ||
            strlen(json_string_value(cases[i].value)) == 3)
            assert_non_null(strstr(err.text, cases[i].key));
    }
}

static void
later_format_and_later_magic_are_told_from_damage(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = header_of();
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(decode_as("HFSEAL02", doc, NULL), HF_EVERSION);
    assert_int_equal(decode_as("HFSEEL01", doc, NULL), HF_ECORRUPT);
    assert_int_equal(sealed_frame_decode(HF_SLICE_LITERAL("HFSEAL02 and more"), &sealed, NULL),
                     HF_ECORRUPT);
    json_object_set_new(doc, "format", json_integer(2));
    assert_int_equal(decode(doc, NULL), HF_EVERSION);
}

static void
header_that_is_no_object_is_corrupt(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *array = json_array();
    assert_int_not_equal(decode(array, NULL), HF_OK);
}

static void
header_over_the_limit_is_refused_both_ways(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = make_sealed(true);
    hf_owned(hf_doc_freep) json_t *doc = header_of();
    struct hf_error err;
    hf_freep(&sealed->kms_key_id);
    sealed->kms_key_id = hf_alloc(SEALED_HEADER_MAX + 1);
    memset(sealed->kms_key_id, 'x', SEALED_HEADER_MAX);
    run("rm sealed/w");
    assert_int_equal(hf_seal_bytes(sealed, f->path, HF_SLICE_LITERAL(BODY), &err), HF_ELIMIT);
    assert_int_equal(sealed_files(), 0);
    json_object_set_new(doc, "kmsKeyId", json_string(sealed->kms_key_id));
    assert_int_equal(decode(doc, &err), HF_ECORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),
        TEST(gaps_come_back),
        TEST(kinds_encryptions_and_locks_come_back),
        TEST(bytes_are_those_of_the_drawing),
        TEST(missing_field_is_refused_by_name),
        TEST(field_of_another_type_is_refused_by_name),
        TEST(value_out_of_its_range_is_refused),
        TEST(later_format_and_later_magic_are_told_from_damage),
        TEST(header_that_is_no_object_is_corrupt),
        TEST(header_over_the_limit_is_refused_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
