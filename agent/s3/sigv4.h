/* AWS Signature Version 4, the Authorization-header form, as a pure function of its input.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
#ifndef HOLDFAST_S3_SIGV4_H
#define HOLDFAST_S3_SIGV4_H

#include <holdfast/crypto.h>
#include <holdfast/s3.h>

struct hf_sigv4_scope {
    const char *region;
    const char *service; /* "s3" */
    const char *access_key;
    const char *secret_key;
};

/* The derived key, good for a day, a region, a service and a secret. Zeroed to begin with; wipe it
 * at the end. */
struct hf_sigv4_key {
    char day[9];
    uint8_t key[HF_SHA256_SIZE];
    bool valid;
};
void hf_sigv4_key_forget(struct hf_sigv4_key *cached); /* when the credentials change */

struct hf_sigv4_input {
    const char *method;
    /* as it goes over the wire: encoded once with hf_sigv4_encode(), begins with '/' */
    const char *path;
    const struct hf_s3_pair *query;
    size_t query_count;
    /* all that are signed, Host and X-Amz-Date among them; any case, any order */
    const struct hf_s3_pair *headers;
    size_t header_count;
    const char *payload_sha256;
    int64_t time_s;
};

/* RFC 3986 percent-encoding, everything but A-Z a-z 0-9 - . _ ~, and '/' where keep_slash. */
enum hf_status hf_sigv4_encode(const char *text, bool keep_slash,
                               struct hf_buf *ret_text) hf_must_check;
/* "a=1&b=&c=x%2Fy": encoded, then sorted by name and value; also what goes over the wire. */
enum hf_status hf_sigv4_query(const struct hf_s3_pair *query, size_t count,
                              struct hf_buf *ret_text) hf_must_check;
/* "host;x-amz-date". */
enum hf_status hf_sigv4_canonical(const struct hf_sigv4_input *input, struct hf_buf *ret_canonical,
                                  struct hf_buf *ret_signed_headers) hf_must_check;
/* The value of the Authorization header. */
enum hf_status hf_sigv4_authorization(const struct hf_sigv4_scope *scope,
                                      struct hf_sigv4_key *cached,
                                      const struct hf_sigv4_input *input,
                                      struct hf_buf *ret_value) hf_must_check;

#endif
