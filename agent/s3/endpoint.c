/* Where requests go: a bare endpoint, bucket and key added by path or by host name.
 */
#include "agent/s3/s3_impl.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LINK_LOCAL_V4 0xa9fe0000u /* 169.254.0.0/16: clouds put metadata and credentials there */

static bool
is_link_local_v4(uint32_t address)
{
    return (ntohl(address) & 0xffff0000u) == LINK_LOCAL_V4;
}

bool
hf_s3_is_metadata_address(const char *host)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct in6_addr v6, metadata_v6;
    struct in_addr v4;
    uint32_t inner;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_link_local_v4(v4.s_addr);
    if (inet_pton(AF_INET6, host, &v6) != 1 ||
        inet_pton(AF_INET6, "fd00:ec2::254", &metadata_v6) != 1)
        return false;
    memcpy(&inner, v6.s6_addr + 12, sizeof(inner));
    return memcmp(&v6, &metadata_v6, sizeof(v6)) == 0 || IN6_IS_ADDR_LINKLOCAL(&v6) ||
           (memcmp(v6.s6_addr, mapped, sizeof(mapped)) == 0 && is_link_local_v4(inner));
}

static char *
url_part(CURLU *parsed, CURLUPart part)
{
    char *text = NULL, *copy;

    if (curl_url_get(parsed, part, &text, 0) != CURLUE_OK)
        return NULL;
    copy = hf_strdup(text);
    curl_free(text);
    return copy;
}

static bool
is_ip_literal(const char *host)
{
    struct in_addr v4;

    return host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

static enum hf_status
check_host(const struct hf_s3_endpoint *endpoint, char *host, struct hf_error *err)
{
    size_t size = strlen(host);
    bool bracketed = size > 2 && host[0] == '[';
    bool metadata;

    if (bracketed)
        host[size - 1] = 0;
    metadata = hf_s3_is_metadata_address(bracketed ? host + 1 : host);
    if (bracketed)
        host[size - 1] = ']';
    if (metadata)
        return hf_fail(err, HF_ECONFIG,
                       "url '%s' is link-local, as the metadata service of a cloud host is: no "
                       "store is to be asked there",
                       endpoint->url);
    if (endpoint->virtual_host && is_ip_literal(host))
        return hf_fail(err, HF_ECONFIG,
                       "url '%s' is an address, which cannot be addressed as BUCKET.HOST: set "
                       "addressing: path",
                       endpoint->url);
    return HF_OK;
}

static enum hf_status
take_parsed(struct hf_s3_endpoint *endpoint, CURLU *parsed, struct hf_error *err)
{
    static const CURLUPart refused[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                         CURLUPART_FRAGMENT, CURLUPART_ZONEID };
    char *scheme hf_owned(hf_freep) = url_part(parsed, CURLUPART_SCHEME);
    char *host hf_owned(hf_freep) = url_part(parsed, CURLUPART_HOST);
    char *port hf_owned(hf_freep) = url_part(parsed, CURLUPART_PORT);
    char *path hf_owned(hf_freep) = url_part(parsed, CURLUPART_PATH);
    enum hf_status status;

    if (!scheme || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) || !host || !*host)
        return hf_fail(err, HF_ECONFIG, "url '%s' is not https://HOST[:PORT] or http://HOST[:PORT]",
                       endpoint->url);
    if (path && strcmp(path, "/") != 0)
        return hf_fail(
            err, HF_ECONFIG,
            "url '%s' has a path: give the bare endpoint, the bucket stands under buckets",
            endpoint->url);
    for (size_t i = 0; i < HF_COUNT(refused); i++) {
        char *part hf_owned(hf_freep) = url_part(parsed, refused[i]);

        if (part)
            return hf_fail(err, HF_ECONFIG,
                           "the store's url holds more than https://HOST[:PORT]; credentials "
                           "belong in credentials_file");
    }
    endpoint->tls = strcmp(scheme, "https") == 0;
    status = check_host(endpoint, host, err);
    if (status != HF_OK)
        return status;
    if (port && strcmp(port, endpoint->tls ? "443" : "80") != 0)
        endpoint->host = hf_asprintf("%s:%s", host, port);
    else
        endpoint->host = hf_strdup(host);
    return HF_OK;
}

enum hf_status
hf_s3_endpoint_init(struct hf_s3_endpoint *endpoint, const char *url, int addressing,
                    struct hf_error *err)
{
    enum hf_status status;
    CURLU *parsed;

    if (!url || (!hf_starts_with(url, "https://") && !hf_starts_with(url, "http://")))
        return hf_fail(err, HF_ECONFIG,
                       "the store's url is not https://HOST[:PORT] or http://HOST[:PORT]");
    endpoint->url = hf_strdup(url);
    endpoint->virtual_host = addressing == HF_ADDRESSING_VIRTUAL;
    parsed = curl_url();
    hf_assert(parsed);
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
        status =
            hf_fail(err, HF_ECONFIG, "url '%s' cannot be parsed: give https://HOST[:PORT]", url);
    else
        status = take_parsed(endpoint, parsed, err);
    curl_url_cleanup(parsed);
    return status;
}

void
hf_s3_endpoint_done(struct hf_s3_endpoint *endpoint)
{
    free(endpoint->url);
    free(endpoint->host);
    memset(endpoint, 0, sizeof(*endpoint));
}

enum hf_status
hf_s3_endpoint_target(const struct hf_s3_endpoint *endpoint, const char *bucket, const char *key,
                      struct hf_buf *ret_host, struct hf_buf *ret_path)
{
    enum hf_status status = HF_OK;

    if (bucket && endpoint->virtual_host)
        status = hf_buf_addf(ret_host, "%s.", bucket);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_host, endpoint->host);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_path, "/");
    if (status == HF_OK && bucket && !endpoint->virtual_host)
        status = hf_buf_add_text(ret_path, bucket);
    if (status == HF_OK && key && bucket && !endpoint->virtual_host)
        status = hf_buf_add_text(ret_path, "/");
    if (status == HF_OK && key)
        status = hf_sigv4_encode(key, true, ret_path);
    return status;
}
