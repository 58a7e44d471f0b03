/* layout: where things lie in a bucket. CloudTrail's layout, to the letter (AWS CloudTrail user
 * guide, "log file name format" and "digest file structure"), and the keys of holdfast's public
 * keys.
 *
 *   [prefix/]AWSLogs/[o-org/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_UNIQUE.json.gz[.cms.gz]
 *   [prefix/]AWSLogs/[o-org/]ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_REGION_YYYYMMDDTHHMMSSZ.json.gz
 *   [prefix/]AWSLogs/[o-org/]ACCOUNT/CloudTrail-Digest/REGION/keys/FINGERPRINT.pem
 */
#ifndef HOLDFAST_LAYOUT_H
#define HOLDFAST_LAYOUT_H

#include <holdfast/base.h>

#define HF_KEY_MAX        1024
#define HF_UNIQUE_SIZE    17
#define HF_CHAIN_TAG_SIZE 5
#define HF_ID_SIZE        33 /* 128 bits as lower-case hex, and NUL */

struct hf_layout {
    const char *prefix;       /* "" for none; no slash at either end */
    const char *organization; /* NULL for none */
    const char *account;
    const char *region;
    const char *trail;
};

/* 4 characters of SHA-256(journal id, trail, chain id): stands in every UNIQUE of the chain. */
void hf_layout_chain_tag(const char *journal_id, const char *trail, const char *chain_id,
                         char ret_tag[HF_CHAIN_TAG_SIZE]);
/* The tag + 12 characters of SHA-256(journal id, trail, first, last, generation). */
void hf_layout_unique(const char *tag, const char *journal_id, const char *trail,
                      uint64_t first_seq, uint64_t last_seq, unsigned generation,
                      char ret_unique[HF_UNIQUE_SIZE]);
void hf_layout_object_key(const struct hf_layout *layout, int64_t time_s, const char *unique,
                          bool cms, char ret_key[HF_KEY_MAX]);
void hf_layout_digest_key(const struct hf_layout *layout, int64_t end_s, char ret_key[HF_KEY_MAX]);
void hf_layout_public_key(const struct hf_layout *layout, const char *fingerprint,
                          char ret_key[HF_KEY_MAX]);
/* "[prefix/]AWSLogs/[org/]ACCOUNT/CloudTrail-Digest/REGION/" and ".../CloudTrail/REGION/": what
 * to list under. */
void hf_layout_digest_prefix(const struct hf_layout *layout, char ret_prefix[HF_KEY_MAX]);
void hf_layout_object_prefix(const struct hf_layout *layout, char ret_prefix[HF_KEY_MAX]);
/* Is this key a digest of this trail? Then its end time. */
bool hf_layout_is_digest(const struct hf_layout *layout, const char *key, int64_t *ret_end_s);
/* Is this key a log object of this layout (any trail)? Then its time, UNIQUE, and whether it is
 * a cms envelope. */
bool hf_layout_is_object(const struct hf_layout *layout, const char *key, int64_t *ret_time_s,
                         char ret_unique[HF_UNIQUE_SIZE], bool *ret_cms);

#endif
