/* Addresses to listen on, as people write them. */
#include "config_impl.h"
#include "rule.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool
hf_listen_parse(const char *text, char ret_address[HF_LISTEN_SIZE], uint16_t *ret_port)
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
    if (size == 0 || size >= HF_LISTEN_SIZE)
        return false;
    char address[HF_LISTEN_SIZE];
    unsigned char bytes[sizeof(struct in6_addr)];
    memcpy(address, from, size);
    address[size] = '\0';
    if (strcmp(address, "localhost") == 0)
        snprintf(address, sizeof(address), "127.0.0.1");
    if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
        return false;
    snprintf(ret_address, HF_LISTEN_SIZE, "%s", address);
    *ret_port = (uint16_t)port;
    return true;
}

bool
hf_is_loopback(const char *address)
{
    struct in_addr four;
    if (inet_pton(AF_INET, address, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return strcmp(address, "::1") == 0;
}

const char *
hf_rule_loopback(const char *text)
{
    char address[HF_LISTEN_SIZE];
    uint16_t port;
    if (!hf_listen_parse(text, address, &port) || port == 0)
        return "is not ADDRESS:PORT; write 127.0.0.1:9187 or \"[::1]:9187\"";
    return hf_is_loopback(address)
               ? NULL
               : "is not of this host's loopback, and nobody who asks is authenticated; write "
                 "127.0.0.1:9187 or \"[::1]:9187\"";
}
