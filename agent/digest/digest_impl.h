/* What making and reading a digest share; the document is drawn in FORMAT.md.
 *
 *   make.c      from a struct to the document
 *   outline.c   what may be known of anyone's document before its signature holds
 *   parse.c, parse_list.c   the whole of it
 *   fields.c    members by their names, each checked for its form
 */
#ifndef HOLDFAST_DIGEST_IMPL_H
#define HOLDFAST_DIGEST_IMPL_H

#include <holdfast/digest.h>
#include <holdfast/json.h>

#define DIGEST_FORMAT    1
#define DIGEST_HASHED_BY "SHA-256"

/* ---- fields.c ---- */

/* Texts have at most DIGEST_TEXT_MAX bytes and no control characters, which could shift the lines
 * that are signed. */
#define DIGEST_TEXT_MAX 4096
#define FIELDS_MAX      16

/* Members of one object by an index into `names`; they point into the text. */
struct fields {
    const char *const *names;
    struct hf_slice values[FIELDS_MAX];
};
/* HF_EFORMAT: it is no object, or one of the members stands there twice. */
enum hf_status fields_pick(struct hf_slice object, const char *const *names, size_t count,
                           struct fields *ret_fields, struct hf_error *err) hf_must_check;
bool field_is_given(const struct fields *fields, size_t at); /* there, and not null */
/* Into `size` bytes. `optional`: absent and null are "". */
enum hf_status field_copy(const struct fields *fields, size_t at, bool optional, char *ret_text,
                          size_t size, struct hf_error *err) hf_must_check;
/* The caller's. `optional`: absent and null leave it as it is; the same for a time. */
enum hf_status field_text(const struct fields *fields, size_t at, bool optional, char **ret_text,
                          struct hf_error *err) hf_must_check;
enum hf_status field_time(const struct fields *fields, size_t at, bool optional,
                          int64_t *ret_seconds, struct hf_error *err) hf_must_check;
enum hf_status field_u64(const struct fields *fields, size_t at, uint64_t *ret_value,
                         struct hf_error *err) hf_must_check;
enum hf_status field_hash(const struct fields *fields, size_t at, char ret_hash[HF_SHA256_HEX_SIZE],
                          struct hf_error *err) hf_must_check;
enum hf_status field_word(const struct fields *fields, size_t at, const char *wanted,
                          struct hf_error *err) hf_must_check;
/* false: it is no array. */
bool field_items(const struct fields *fields, size_t at, struct hf_json_items *ret_items);
bool field_is_hex(const char *text, size_t least, size_t most);

/* ---- outline.c ---- */

/* The members of the outermost object. */
enum digest_member {
    DIGEST_ACCOUNT,
    DIGEST_START,
    DIGEST_END,
    DIGEST_BUCKET,
    DIGEST_KEY,
    DIGEST_FINGERPRINT,
    DIGEST_ALGORITHM,
    DIGEST_PREVIOUS_BUCKET,
    DIGEST_PREVIOUS_KEY,
    DIGEST_PREVIOUS_HASH,
    DIGEST_PREVIOUS_HASHED_BY,
    DIGEST_PREVIOUS_SIGNATURE,
    DIGEST_LOG_FILES,
    DIGEST_OWN,
    DIGEST_MEMBERS
};
/* Bounded, valid JSON, and its outermost members. */
enum hf_status digest_scan(struct hf_slice json, struct fields *ret_fields,
                           struct hf_error *err) hf_must_check;

/* The four lines that are signed. They always fit into the outline's own size. */
enum hf_status digest_signed_text(const struct hf_digest_outline *outline,
                                  struct hf_buf *ret_text) hf_must_check;

/* ---- parse_list.c ---- */

/* `logFiles`, and what stands in lists under `holdfast` (NULL: there is none). */
enum hf_status digest_parse_lists(const struct fields *fields, const struct hf_slice *own,
                                  struct hf_digest *ret_digest, struct hf_error *err) hf_must_check;

#endif
