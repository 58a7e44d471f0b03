/* Canonicalisation is where clients fail: the order is that of lower-case names compared as bytes
 * (not of whole lines, where
 * ':' sorts after '-'), encoded query pairs are sorted after encoding, a parameter without value is
 * "name=", a path is encoded exactly once and never normalised ("a//b" and "." are keys like any
 * other).
 */
#include "agent/s3/sigv4.h"

#include <stdlib.h>
#include <string.h>

/* What can be told in a signature; every text here is far smaller than this. */
#define CANONICAL_MAX (256 * 1024)

static bool
is_unreserved(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

enum hf_status
hf_sigv4_encode(const char *text, bool keep_slash, struct hf_buf *ret_text)
{
    static const char digits[] = "0123456789ABCDEF";
    enum hf_status status = HF_OK;

    for (const unsigned char *at = (const unsigned char *)text; *at && status == HF_OK; at++) {
        if (is_unreserved(*at) || (keep_slash && *at == '/')) {
            status = hf_buf_add(ret_text, at, 1);
        } else {
            char escaped[3] = { '%', digits[*at >> 4], digits[*at & 15] };
            status = hf_buf_add(ret_text, escaped, sizeof(escaped));
        }
    }
    return status;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value", encoded. '=' sorts before every unreserved byte but '-' and '.', so pairs are not
 * sorted as whole texts: the name ends in byte 1 until the sorting is done. */
static enum hf_status
encode_pair(const struct hf_s3_pair *pair, char **ret_text)
{
    struct hf_buf text hf_owned(hf_buf_done) = HF_BUF(CANONICAL_MAX);
    enum hf_status status = hf_sigv4_encode(pair->name, false, &text);

    if (status == HF_OK)
        status = hf_buf_add(&text, "\x01", 1);
    if (status == HF_OK && pair->value)
        status = hf_sigv4_encode(pair->value, false, &text);
    if (status == HF_OK)
        *ret_text = hf_strdup(hf_buf_text(&text));
    return status;
}

enum hf_status
hf_sigv4_query(const struct hf_s3_pair *query, size_t count, struct hf_buf *ret_text)
{
    char **pairs = hf_alloc((count + 1) * sizeof(*pairs));
    enum hf_status status = HF_OK;

    for (size_t i = 0; i < count && status == HF_OK; i++)
        status = encode_pair(&query[i], &pairs[i]);
    if (status == HF_OK) {
        qsort(pairs, count, sizeof(*pairs), compare_texts);
        for (size_t i = 0; i < count && status == HF_OK; i++) {
            *strchr(pairs[i], '\x01') = '=';
            status = hf_buf_addf(ret_text, "%s%s", i ? "&" : "", pairs[i]);
        }
    }
    for (size_t i = 0; i < count; i++)
        free(pairs[i]);
    free(pairs);
    return status;
}

struct header {
    char *name;          /* lower case */
    struct hf_buf value; /* trimmed, runs of blanks made one */
    size_t position;     /* keeps repeated names in their order */
};

static int
compare_headers(const void *a, const void *b)
{
    const struct header *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    if (order)
        return order;
    return left->position < right->position ? -1 : left->position > right->position;
}

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static enum hf_status
canonical_value(const char *value, struct hf_buf *ret_value)
{
    enum hf_status status = HF_OK;
    bool gap = false;

    for (const char *at = value; *at && status == HF_OK; at++) {
        if (is_blank(*at)) {
            gap = ret_value->size > 0;
            continue;
        }
        if (gap)
            status = hf_buf_add(ret_value, " ", 1);
        gap = false;
        if (status == HF_OK)
            status = hf_buf_add(ret_value, at, 1);
    }
    return status;
}

static enum hf_status
collect_headers(const struct hf_sigv4_input *input, struct header *headers)
{
    enum hf_status status = HF_OK;

    for (size_t i = 0; i < input->header_count; i++) {
        headers[i].name = hf_strdup(input->headers[i].name);
        for (char *at = headers[i].name; *at; at++)
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
        headers[i].position = i;
        hf_buf_init(&headers[i].value, CANONICAL_MAX);
        if (status == HF_OK)
            status = canonical_value(input->headers[i].value, &headers[i].value);
    }
    qsort(headers, input->header_count, sizeof(*headers), compare_headers);
    return status;
}

/* A name that comes more than once stands once, its values joined by commas. */
static enum hf_status
write_headers(const struct header *headers, size_t count, struct hf_buf *ret_lines,
              struct hf_buf *ret_names)
{
    enum hf_status status = HF_OK;

    for (size_t i = 0; i < count && status == HF_OK; i++) {
        bool repeated = i && strcmp(headers[i - 1].name, headers[i].name) == 0;
        bool repeats = i + 1 < count && strcmp(headers[i + 1].name, headers[i].name) == 0;

        if (!repeated) {
            status = hf_buf_addf(ret_names, "%s%s", i ? ";" : "", headers[i].name);
            if (status == HF_OK)
                status = hf_buf_addf(ret_lines, "%s:", headers[i].name);
        }
        if (status == HF_OK)
            status = hf_buf_addf(ret_lines, "%s%s", hf_buf_text(&headers[i].value),
                                 repeats ? "," : "\n");
    }
    return status;
}

enum hf_status
hf_sigv4_canonical(const struct hf_sigv4_input *input, struct hf_buf *ret_canonical,
                   struct hf_buf *ret_signed_headers)
{
    struct header *headers = hf_alloc((input->header_count + 1) * sizeof(*headers));
    enum hf_status status = collect_headers(input, headers);

    if (status == HF_OK)
        status = hf_buf_addf(ret_canonical, "%s\n%s\n", input->method, input->path);
    if (status == HF_OK)
        status = hf_sigv4_query(input->query, input->query_count, ret_canonical);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_canonical, "\n");
    if (status == HF_OK)
        status = write_headers(headers, input->header_count, ret_canonical, ret_signed_headers);
    if (status == HF_OK)
        status = hf_buf_addf(ret_canonical, "\n%s\n%s", hf_buf_text(ret_signed_headers),
                             input->payload_sha256);
    for (size_t i = 0; i < input->header_count; i++) {
        free(headers[i].name);
        hf_wipe(headers[i].value.ptr,
                headers[i].value.size); /* may be a customer key or a session token */
        hf_buf_done(&headers[i].value);
    }
    free(headers);
    return status;
}

void
hf_sigv4_key_forget(struct hf_sigv4_key *cached)
{
    hf_wipe(cached, sizeof(*cached));
}

static void
derive_key(const struct hf_sigv4_scope *scope, const char *day, struct hf_sigv4_key *cached)
{
    char *seed = hf_asprintf("AWS4%s", scope->secret_key);
    uint8_t step[HF_SHA256_SIZE];

    hf_hmac_sha256(seed, strlen(seed), day, strlen(day), step);
    hf_wipe(seed, strlen(seed));
    free(seed);
    hf_hmac_sha256(step, sizeof(step), scope->region, strlen(scope->region), cached->key);
    hf_hmac_sha256(cached->key, sizeof(step), scope->service, strlen(scope->service), step);
    hf_hmac_sha256(step, sizeof(step), "aws4_request", 12, cached->key);
    hf_wipe(step, sizeof(step));
    memcpy(cached->day, day, sizeof(cached->day));
    cached->valid = true;
}

enum hf_status
hf_sigv4_authorization(const struct hf_sigv4_scope *scope, struct hf_sigv4_key *cached,
                       const struct hf_sigv4_input *input, struct hf_buf *ret_value)
{
    struct hf_buf canonical hf_owned(hf_buf_done) = HF_BUF(CANONICAL_MAX);
    struct hf_buf names hf_owned(hf_buf_done) = HF_BUF(CANONICAL_MAX);
    struct hf_buf to_sign hf_owned(hf_buf_done) = HF_BUF(1024);
    char stamp[HF_TIME_SIZE], day[9], hash[HF_SHA256_HEX_SIZE], signature[HF_SHA256_HEX_SIZE];
    uint8_t mac[HF_SHA256_SIZE];
    enum hf_status status;

    hf_time_compact(input->time_s, stamp);
    memcpy(day, stamp, 8);
    day[8] = 0;
    if (!cached->valid || memcmp(cached->day, day, sizeof(day)) != 0)
        derive_key(scope, day, cached);

    status = hf_sigv4_canonical(input, &canonical, &names);
    if (status != HF_OK)
        return status;
    hf_sha256_hex(canonical.ptr, canonical.size, hash);
    hf_wipe(canonical.ptr, canonical.size);
    status = hf_buf_addf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", stamp, day,
                         scope->region, scope->service, hash);
    if (status != HF_OK)
        return status;
    hf_hmac_sha256(cached->key, sizeof(cached->key), to_sign.ptr, to_sign.size, mac);
    hf_hex(mac, sizeof(mac), signature);
    return hf_buf_addf(
        ret_value,
        "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request,SignedHeaders=%s,Signature=%s",
        scope->access_key, day, scope->region, scope->service, hf_buf_text(&names), signature);
}
