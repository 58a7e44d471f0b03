/* The header of a sealed file: one table says what stands in it, for writing and for reading. Drawn
 * in FORMAT.md. */
#include "agent/seal/seal_impl.h"

#include <holdfast/json.h>
#include <string.h>

#define HEADER_FORMAT 1

enum field_type {
    TEXT,     /* char *, always there */
    OPTIONAL, /* char *, null for none */
    LATER,    /* the same; what an earlier version wrote does not have it */
    U64,
    I64,
    UINT,
    BOOL,
    SHA256, /* char[65] */
    SHA256_OR_NONE,
    MD5, /* uint8_t[16] */
    KIND,
    ENCRYPTION,
    LOCK,
};

static const struct field {
    const char *key;
    enum field_type type;
    size_t at;
} fields[] = {
#define FIELD(key, type, member)                                                                   \
    {                                                                                              \
        key, type, offsetof(struct hf_sealed, member)                                              \
    }
    FIELD("kind", KIND, kind),
    FIELD("trail", TEXT, trail),
    FIELD("chain", TEXT, chain),
    FIELD("window", TEXT, window),
    FIELD("store", TEXT, store),
    FIELD("bucket", TEXT, bucket),
    FIELD("key", TEXT, key),
    FIELD("contentType", TEXT, content_type),
    FIELD("contentEncoding", OPTIONAL, content_encoding),
    FIELD("signature", OPTIONAL, signature),
    FIELD("signatureAlgorithm", OPTIONAL, signature_algorithm),
    FIELD("encryption", ENCRYPTION, encryption),
    FIELD("kmsKeyId", OPTIONAL, kms_key_id),
    FIELD("sseCKeyFile", OPTIONAL, sse_c_key_file),
    FIELD("lockMode", LOCK, lock_mode),
    FIELD("lockDays", U64, lock_days),
    FIELD("legalHold", BOOL, legal_hold),
    FIELD("lockAtLeast", I64, lock_at_least_s),
    FIELD("firstSequence", U64, first_seq),
    FIELD("lastSequence", U64, last_seq),
    FIELD("count", U64, count),
    FIELD("oldest", I64, oldest_s),
    FIELD("newest", I64, newest_s),
    FIELD("generation", UINT, generation),
    FIELD("compression", LATER, compression),
    FIELD("plainSize", U64, plain_size),
    FIELD("plainSha256", SHA256, plain_sha256),
    FIELD("envelopeSha256", SHA256_OR_NONE, envelope_sha256),
    FIELD("size", U64, size),
    FIELD("sha256", SHA256, sha256),
    FIELD("md5", MD5, md5),
#undef FIELD
};

static const char *const kind_texts[] = {
    [HF_SEALED_OBJECT] = "object",
    [HF_SEALED_DIGEST] = "digest",
    [HF_SEALED_KEY] = "key",
};

static json_t *
value_of(const struct field *field, const struct hf_sealed *sealed)
{
    const void *at = (const char *)sealed + field->at;
    const char *text;
    char hex[HF_HEX_SIZE(HF_MD5_SIZE)];
    switch (field->type) {
    case TEXT:
    case OPTIONAL:
    case LATER:
        text = *(char *const *)at;
        hf_assert(text || field->type != TEXT);
        return text ? json_string(text) : json_null();
    case U64:
        hf_assert(*(const uint64_t *)at <= INT64_MAX);
        return json_integer((json_int_t) * (const uint64_t *)at);
    case I64: return json_integer(*(const int64_t *)at);
    case UINT: return json_integer(*(const unsigned *)at);
    case BOOL: return json_boolean(*(const bool *)at);
    case SHA256:
    case SHA256_OR_NONE: return json_string(at);
    case MD5: hf_hex(at, HF_MD5_SIZE, hex); return json_string(hex);
    case KIND: return json_string(kind_texts[sealed->kind]);
    case ENCRYPTION: return json_string(hf_encryption_text(*(const int *)at));
    case LOCK: return json_string(hf_lock_mode_text(*(const int *)at));
    }
    hf_assert_failed("a field has a type", __FILE__, __LINE__);
}

static json_t *
gaps_of(const struct hf_sealed *sealed)
{
    json_t *gaps = json_array();
    for (size_t i = 0; i < sealed->gap_count; i++)
        json_array_append_new(gaps, json_string(sealed->gaps[i]));
    return gaps;
}

enum hf_status
sealed_frame_encode(const struct hf_sealed *sealed, struct hf_buf *ret_frame, struct hf_error *err)
{
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(SEALED_HEADER_MAX);
    hf_doc_set_u64(doc, "format", HEADER_FORMAT);
    for (size_t i = 0; i < HF_COUNT(fields); i++)
        hf_doc_set(doc, fields[i].key, value_of(&fields[i], sealed));
    if (sealed->gap_count)
        hf_doc_set(doc, "gaps", gaps_of(sealed));
    uint8_t number[4];
    enum hf_status status = hf_doc_dump(doc, &text);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_frame, SEALED_MAGIC);
    hf_put_le32(number, (uint32_t)text.size);
    if (status == HF_OK)
        status = hf_buf_add(ret_frame, number, sizeof(number));
    if (status == HF_OK)
        status = hf_buf_add(ret_frame, text.ptr, text.size);
    if (status == HF_OK) {
        hf_put_le32(number, hf_crc32c(0, ret_frame->ptr, ret_frame->size));
        status = hf_buf_add(ret_frame, number, sizeof(number));
    }
    return status == HF_OK
               ? HF_OK
               : hf_fail(err, status, "its header needs more than %u bytes", SEALED_HEADER_MAX);
}

/* ---- reading: everything has been checked against its checksum; types and ranges are, too ---- */

static bool
parse_word(const char *text, const char *(*word)(int value), int least, int most, int *ret_value)
{
    for (int value = least; text && value <= most; value++) {
        if (strcmp(text, word(value)) == 0) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static const char *
kind_word(int kind)
{
    return kind_texts[kind];
}

static bool
is_sha256(const char *text)
{
    uint8_t bytes[HF_SHA256_SIZE];
    return text && strlen(text) == HF_SHA256_HEX_SIZE - 1 &&
           hf_unhex(text, strlen(text), bytes, sizeof(bytes));
}

static bool
set_text(const json_t *value, bool optional, char **ret_text)
{
    if (!json_is_string(value))
        return optional && json_is_null(value);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return false;
    *ret_text = hf_strdup(json_string_value(value));
    return true;
}

static bool
set_number(const json_t *value, int64_t least, int64_t most, int64_t *ret_number)
{
    *ret_number = json_integer_value(value);
    return json_is_integer(value) && *ret_number >= least && *ret_number <= most;
}

static bool
set_field(const struct field *field, const json_t *value, struct hf_sealed *sealed)
{
    void *at = (char *)sealed + field->at;
    const char *text = json_string_value(value);
    int64_t number = 0;
    int word = 0;
    bool good;
    switch (field->type) {
    case TEXT: return set_text(value, false, at);
    case OPTIONAL: return set_text(value, true, at);
    case LATER: return !value || set_text(value, true, at);
    case U64:
        good = set_number(value, 0, INT64_MAX, &number);
        *(uint64_t *)at = (uint64_t)number;
        return good;
    case I64: return set_number(value, INT64_MIN, INT64_MAX, at);
    case UINT:
        good = set_number(value, 0, UINT32_MAX, &number);
        *(unsigned *)at = (unsigned)number;
        return good;
    case BOOL: *(bool *)at = json_is_true(value); return json_is_boolean(value);
    case SHA256_OR_NONE:
        if (text && *text == '\0')
            return true;
        /* fall through */
    case SHA256:
        if (!is_sha256(text))
            return false;
        memcpy(at, text, HF_SHA256_HEX_SIZE);
        return true;
    case MD5: return text && hf_unhex(text, strlen(text), at, HF_MD5_SIZE);
    case KIND:
        good = parse_word(text, kind_word, HF_SEALED_OBJECT, HF_SEALED_KEY, &word);
        sealed->kind = (enum hf_sealed_kind)word;
        return good;
    case ENCRYPTION:
        return parse_word(text, hf_encryption_text, HF_ENCRYPT_NONE, HF_ENCRYPT_CMS, at);
    case LOCK: return parse_word(text, hf_lock_mode_text, HF_LOCK_NONE, HF_LOCK_COMPLIANCE, at);
    }
    return false;
}

/* Not there: none. */
static bool
set_gaps(const json_t *gaps, struct hf_sealed *sealed)
{
    size_t count = json_array_size(gaps);
    if (gaps && (!json_is_array(gaps) || count > SEALED_HEADER_MAX))
        return false;
    sealed->gaps = count ? hf_alloc(count * sizeof(*sealed->gaps)) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (!set_text(json_array_get(gaps, i), false, &sealed->gaps[i]))
            return false;
        sealed->gap_count++;
    }
    return true;
}

static enum hf_status
parse_header(struct hf_slice text, struct hf_sealed *sealed, struct hf_error *err)
{
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    enum hf_status status = hf_doc_parse(text, SEALED_HEADER_MAX, "its header", &doc, err);
    if (status != HF_OK)
        return hf_while(err, HF_ECORRUPT, "reading a sealed file");
    if (hf_doc_u64_or(doc, "format", 0) != HEADER_FORMAT)
        return hf_fail(err, HF_EVERSION, "its header has an unknown format");
    for (size_t i = 0; i < HF_COUNT(fields); i++) {
        if (!set_field(&fields[i], json_object_get(doc, fields[i].key), sealed))
            return hf_fail(err, HF_ECORRUPT,
                           "'%s' in its header is missing or not what it has to be", fields[i].key);
    }
    if (!set_gaps(json_object_get(doc, "gaps"), sealed))
        return hf_fail(err, HF_ECORRUPT, "'gaps' in its header is not what it has to be");
    return HF_OK;
}

/* Finds the JSON between magic and checksum. Every version has its checksum there: another
 * version's number counts only where the checksum covers it, else it is this version's, damaged. */
static enum hf_status
open_frame(struct hf_slice file, struct hf_slice *ret_json, struct hf_error *err)
{
    size_t before = SEALED_MAGIC_SIZE + 4;
    if (file.size < before + 4)
        return hf_fail(err, HF_ECORRUPT, "it ends in its header");
    if (memcmp(file.ptr, SEALED_MAGIC, SEALED_MAGIC_SIZE - 2) != 0)
        return hf_fail(err, HF_ECORRUPT, "it does not begin like a sealed file");
    size_t size = hf_get_le32(file.ptr + SEALED_MAGIC_SIZE);
    if (size > SEALED_HEADER_MAX || size > file.size - before - 4)
        return hf_fail(err, HF_ECORRUPT, "its header of %zu bytes does not fit", size);
    if (hf_get_le32(file.ptr + before + size) != hf_crc32c(0, file.ptr, before + size))
        return hf_fail(err, HF_ECORRUPT, "its header does not have its checksum");
    if (memcmp(file.ptr, SEALED_MAGIC, SEALED_MAGIC_SIZE) != 0)
        return hf_fail(err, HF_EVERSION, "it has version %.2s, and this program knows %s",
                       (const char *)file.ptr + SEALED_MAGIC_SIZE - 2,
                       &SEALED_MAGIC[SEALED_MAGIC_SIZE - 2]);
    *ret_json = hf_slice(file.ptr + before, size);
    return HF_OK;
}

enum hf_status
sealed_frame_decode(struct hf_slice file, struct hf_sealed **ret_sealed, struct hf_error *err)
{
    struct hf_slice json;
    enum hf_status status = open_frame(file, &json, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    status = parse_header(json, sealed, err);
    if (status != HF_OK)
        return status;
    sealed->body_offset = SEALED_MAGIC_SIZE + 4 + json.size + 4;
    *ret_sealed = hf_take(sealed);
    return HF_OK;
}
