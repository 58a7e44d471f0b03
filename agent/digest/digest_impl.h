/* What making and reading a digest share; the document is drawn in FORMAT.md. */
#ifndef HOLDFAST_DIGEST_IMPL_H
#define HOLDFAST_DIGEST_IMPL_H

#include <holdfast/digest.h>
#include <holdfast/json.h>

#define DIGEST_FORMAT    1
#define DIGEST_HASHED_BY "SHA-256"

/* The four lines that are signed. */
enum hf_status digest_signed_text(const struct hf_digest *digest, struct hf_slice json,
                                  struct hf_buf *ret_text) hf_must_check;

/* Texts as digests have them: present (or, where `optional`, null), of at most DIGEST_TEXT_MAX
 * bytes and without control characters, which could shift the lines that are signed. */
#define DIGEST_TEXT_MAX 4096
enum hf_status digest_take_text(const json_t *doc, const char *key, bool optional, char **ret_text,
                                struct hf_error *err) hf_must_check;
enum hf_status digest_take_hash(const json_t *doc, const char *key,
                                char ret_hash[HF_SHA256_HEX_SIZE],
                                struct hf_error *err) hf_must_check;
bool digest_is_hex(const char *text, size_t least, size_t most);

/* parse_list.c: `logFiles`, and what stands in lists under `holdfast` (NULL where there is none).
 */
enum hf_status digest_parse_lists(const json_t *doc, const json_t *own,
                                  struct hf_digest *ret_digest, struct hf_error *err) hf_must_check;

#endif
