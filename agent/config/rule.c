/* Which characters a name may have. Names become parts of keys, headers, file names and requests;
 * an allow-list here keeps escaping out of all of these. */
#include "rule.h"

#include <string.h>

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c);
}

const char *
hf_rule_name(const char *text)
{
    if (!is_alnum(text[0]))
        return "has to begin with a letter or a digit";
    for (const char *at = text; *at; at++)
        if (!is_alnum(*at) && !strchr("._-", *at))
            return "may have letters, digits, '.', '_' and '-' only";
    return NULL;
}

const char *
hf_rule_region(const char *text)
{
    if (!is_alnum(text[0]) || !is_alnum(text[strlen(text) - 1]))
        return "has to begin and end with a letter or a digit";
    for (const char *at = text; *at; at++)
        if (!is_alnum(*at) && *at != '-')
            return "may have letters, digits and '-' only";
    return NULL;
}

const char *
hf_rule_account(const char *text)
{
    size_t digits = 0;
    while (is_digit(text[digits]))
        digits++;
    return digits == 12 && text[12] == '\0' ? NULL : "has to be 12 digits, as in \"000000000000\"";
}

const char *
hf_rule_organization(const char *text)
{
    const char *wrong = "has to be 'o-' and lower-case letters or digits, as in o-exampleorg";
    if (!hf_starts_with(text, "o-") || text[2] == '\0')
        return wrong;
    for (const char *at = text + 2; *at; at++)
        if (!is_lower(*at) && !is_digit(*at))
            return wrong;
    return NULL;
}

bool
hf_is_ipv4(const char *text, size_t size)
{
    int groups = 0;
    for (size_t at = 0; at < size; groups++) {
        size_t digits = 0;
        while (at < size && digits < 4 && is_digit(text[at])) {
            digits++;
            at++;
        }
        if (digits == 0 || digits > 3)
            return false;
        if (at < size && (text[at++] != '.' || at == size))
            return false;
    }
    return groups == 4;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, general purpose
 * buckets. */
const char *
hf_rule_bucket(const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at; at++)
        if (!is_lower(*at) && !is_digit(*at) && *at != '.' && *at != '-')
            return "may have lower-case letters, digits, '.' and '-' only";
    if (!is_alnum(text[0]) || !is_alnum(text[length - 1]))
        return "has to begin and end with a letter or a digit";
    if (strstr(text, ".."))
        return "may not have two dots in a row";
    if (hf_is_ipv4(text, length))
        return "may not look like an IP address";
    if (hf_starts_with(text, "xn--") || hf_starts_with(text, "sthree-") ||
        hf_ends_with(text, "-s3alias") || hf_ends_with(text, "--ol-s3"))
        return "begins or ends as names that S3 keeps for itself (xn--, sthree-, -s3alias, "
               "--ol-s3)";
    return NULL;
}

const char *
hf_rule_prefix(const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at; at++)
        if (*at < 0x20 || *at > 0x7e || *at == '\\')
            return "may have printable ASCII without '\\' only";
    if (length > 0 && (text[0] == '/' || text[length - 1] == '/'))
        return "may not begin or end with '/'";
    for (const char *at = text; length > 0 && at;) {
        size_t size = strcspn(at, "/");
        if (size == 0)
            return "may not have '//'";
        if (strspn(at, ".") == size && size <= 2)
            return "may not have '.' or '..' between slashes";
        at = at[size] ? at + size + 1 : NULL;
    }
    return NULL;
}

const char *
hf_rule_header(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at <= 0x20 || *at > 0x7e)
            return "may have printable ASCII without blanks only";
    return NULL;
}

/* "[::1]" or a host name; the end of it, or NULL. */
static const char *
end_of_host(const char *at)
{
    const char *begin = at;
    if (*at == '[') {
        at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
        return *at == ']' && at > begin + 2 ? at + 1 : NULL;
    }
    while (is_alnum(*at) || *at == '-' || *at == '.' || *at == '_')
        at++;
    return at > begin && is_alnum(*begin) && at - begin <= 253 ? at : NULL;
}

const char *
hf_rule_origin(const char *text)
{
    const char *host = strstr(text, "://");
    if (!host)
        return "has no scheme; write https://HOST[:PORT]";
    host += 3;
    if (strchr(host, '@'))
        return "has credentials in it; they belong into credentials_file";
    if (strpbrk(host, "/?#"))
        return "has something after the host; write https://HOST[:PORT] and nothing behind it";
    const char *end = end_of_host(host);
    if (!end || (*end != '\0' && *end != ':'))
        return "has no valid host name or address";
    uint64_t port;
    if (*end == ':' && !hf_parse_u64(end + 1, 1, 65535, &port))
        return "has no valid port; it is a number from 1 to 65535";
    return NULL;
}

const char *
hf_rule_directory(const char *path)
{
    if (path[0] != '/' || path[1] == '\0')
        return "is no absolute directory; write dir:///DIRECTORY, with three slashes";
    if (path[1] == '/')
        return "begins with '//'; write dir:///DIRECTORY, with three slashes";
    for (const char *at = path; *at; at += strcspn(at, "/")) {
        at += strspn(at, "/");
        size_t size = strcspn(at, "/");
        if ((size == 1 || size == 2) && strspn(at, ".") == size)
            return "has '.' or '..' in its path";
    }
    return NULL;
}
