/* Times and addresses as people write them. */
#include "cli_impl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool
when_parse(const char *text, int64_t now_s, int64_t *ret_seconds)
{
    char full[HF_TIME_SIZE];
    uint64_t ago_s;
    if (strcmp(text, "now") == 0) {
        *ret_seconds = now_s;
        return true;
    }
    if (hf_time_parse_rfc3339(text, ret_seconds))
        return true;
    if (strlen(text) == strlen("2026-11-22") &&
        snprintf(full, sizeof(full), "%sT00:00:00Z", text) > 0 &&
        hf_time_parse_rfc3339(full, ret_seconds))
        return true;
    /* A bare number could be seconds ago or since the epoch: neither is guessed. */
    if (strspn(text, "0123456789") == strlen(text) || !hf_parse_duration(text, &ago_s) ||
        ago_s > (uint64_t)INT64_MAX / 2)
        return false;
    *ret_seconds = now_s - (int64_t)ago_s;
    return true;
}

bool
listen_parse(const char *text, char ret_address[64], uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !hf_parse_u64(colon + 1, 0, 65535, &port))
        return false;
    const char *from = text;
    size_t size = (size_t)(colon - text);
    if (size >= 2 && from[0] == '[' && from[size - 1] == ']') {
        from++;
        size -= 2;
    } else if (memchr(from, ':', size)) {
        return false; /* IPv6 is written in brackets */
    }
    if (size == 0 || size >= 64)
        return false;
    char address[64];
    unsigned char bytes[sizeof(struct in6_addr)];
    memcpy(address, from, size);
    address[size] = '\0';
    if (strcmp(address, "localhost") == 0)
        snprintf(address, sizeof(address), "127.0.0.1");
    if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
        return false;
    snprintf(ret_address, 64, "%s", address);
    *ret_port = (uint16_t)port;
    return true;
}

bool
is_loopback(const char *address)
{
    struct in_addr four;
    if (inet_pton(AF_INET, address, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return strcmp(address, "::1") == 0;
}
