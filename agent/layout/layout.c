/* Keys are made from configuration that was checked against an allow-list, and from hashes: nothing
 * that came in with an event ever becomes part of one. */
#include <holdfast/crypto.h>
#include <holdfast/layout.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_FOLDER "CloudTrail"
#define DIGEST_FOLDER "CloudTrail-Digest"
#define CMS_SUFFIX    ".cms.gz"

/* `size` characters of [A-Za-z0-9] from a hash; the slight bias of % 62 does not matter for a name.
 */
static void
alphanumeric(const uint8_t *hash, size_t size, char *ret_text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < size; i++)
        ret_text[i] = letters[hash[i] % 62];
    ret_text[size] = '\0';
}

void
hf_layout_chain_tag(const char *journal_id, const char *trail, const char *chain_id,
                    char ret_tag[HF_CHAIN_TAG_SIZE])
{
    char text[512];
    int size = snprintf(text, sizeof(text), "chain\n%s\n%s\n%s", journal_id, trail, chain_id);
    hf_assert(size > 0 && (size_t)size < sizeof(text));
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(text, (size_t)size, hash);
    alphanumeric(hash, HF_CHAIN_TAG_SIZE - 1, ret_tag);
}

void
hf_layout_unique(const char *tag, const char *journal_id, const char *trail, uint64_t first_seq,
                 uint64_t last_seq, unsigned generation, char ret_unique[HF_UNIQUE_SIZE])
{
    char text[512];
    int size = snprintf(text, sizeof(text), "window\n%s\n%s\n%" PRIu64 "\n%" PRIu64 "\n%u",
                        journal_id, trail, first_seq, last_seq, generation);
    hf_assert(size > 0 && (size_t)size < sizeof(text));
    hf_assert(strlen(tag) == HF_CHAIN_TAG_SIZE - 1);
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(text, (size_t)size, hash);
    memcpy(ret_unique, tag, HF_CHAIN_TAG_SIZE - 1);
    alphanumeric(hash, HF_UNIQUE_SIZE - HF_CHAIN_TAG_SIZE, ret_unique + HF_CHAIN_TAG_SIZE - 1);
}

/* "[prefix/]AWSLogs/[o-org/]ACCOUNT/FOLDER/REGION/" */
static void
folder(const struct hf_layout *layout, const char *name, char ret_text[HF_KEY_MAX])
{
    const char *prefix = layout->prefix ? layout->prefix : "";
    const char *organization = layout->organization ? layout->organization : "";
    int size =
        snprintf(ret_text, HF_KEY_MAX, "%s%sAWSLogs/%s%s%s/%s/%s/", prefix, *prefix ? "/" : "",
                 organization, *organization ? "/" : "", layout->account, name, layout->region);
    hf_assert(size > 0 && size < HF_KEY_MAX);
}

static void append(char text[HF_KEY_MAX], const char *format, ...) hf_printf(2, 3);

static void
append(char text[HF_KEY_MAX], const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text + used, HF_KEY_MAX - used, format, args);
    va_end(args);
    hf_assert(size >= 0 && (size_t)size < HF_KEY_MAX - used);
}

void
hf_layout_object_prefix(const struct hf_layout *layout, char ret_prefix[HF_KEY_MAX])
{
    folder(layout, OBJECT_FOLDER, ret_prefix);
}

void
hf_layout_digest_prefix(const struct hf_layout *layout, char ret_prefix[HF_KEY_MAX])
{
    folder(layout, DIGEST_FOLDER, ret_prefix);
}

void
hf_layout_object_key(const struct hf_layout *layout, int64_t time_s, const char *unique, bool cms,
                     char ret_key[HF_KEY_MAX])
{
    char day[HF_TIME_SIZE], minute[HF_TIME_SIZE];
    hf_time_folder(time_s, day);
    hf_time_minute(time_s, minute);
    folder(layout, OBJECT_FOLDER, ret_key);
    append(ret_key, "%s/%s_" OBJECT_FOLDER "_%s_%s_%s.json.gz%s", day, layout->account,
           layout->region, minute, unique, cms ? CMS_SUFFIX : "");
}

void
hf_layout_digest_key(const struct hf_layout *layout, int64_t end_s, char ret_key[HF_KEY_MAX])
{
    char day[HF_TIME_SIZE], second[HF_TIME_SIZE];
    hf_time_folder(end_s, day);
    hf_time_compact(end_s, second);
    folder(layout, DIGEST_FOLDER, ret_key);
    append(ret_key, "%s/%s_" DIGEST_FOLDER "_%s_%s_%s_%s.json.gz", day, layout->account,
           layout->region, layout->trail, layout->region, second);
}

void
hf_layout_public_key(const struct hf_layout *layout, const char *fingerprint,
                     char ret_key[HF_KEY_MAX])
{
    folder(layout, DIGEST_FOLDER, ret_key);
    append(ret_key, "keys/%s.pem", fingerprint);
}

/* Where the time begins in a key of this kind: behind "YYYY/MM/DD/" and `name`. NULL when the key
 * is too short for it. What stands before it is not looked at yet: whoever asks makes the key anew
 * from what it found, and compares. */
static const char *
find_stamp(const struct hf_layout *layout, const char *kind, const char *name, const char *key)
{
    char before[HF_KEY_MAX];
    folder(layout, kind, before);
    size_t size = strlen(before) + strlen("YYYY/MM/DD/") + strlen(name);
    return strnlen(key, size + 1) > size ? key + size : NULL;
}

bool
hf_layout_is_digest(const struct hf_layout *layout, const char *key, int64_t *ret_end_s)
{
    char name[HF_KEY_MAX] = "", stamp[HF_TIME_SIZE], wanted[HF_KEY_MAX];
    int64_t end_s;
    append(name, "%s_" DIGEST_FOLDER "_%s_%s_%s_", layout->account, layout->region, layout->trail,
           layout->region);
    const char *at = find_stamp(layout, DIGEST_FOLDER, name, key);
    if (!at)
        return false;
    snprintf(stamp, sizeof(stamp), "%.16s", at);
    if (!hf_time_parse_compact(stamp, &end_s))
        return false;
    hf_layout_digest_key(layout, end_s, wanted);
    if (strcmp(key, wanted) != 0)
        return false;
    *ret_end_s = end_s;
    return true;
}

static bool
is_alphanumeric(const char *text)
{
    for (; *text; text++) {
        if (!((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
              (*text >= 'A' && *text <= 'Z')))
            return false;
    }
    return true;
}

bool
hf_layout_is_object(const struct hf_layout *layout, const char *key, int64_t *ret_time_s,
                    char ret_unique[HF_UNIQUE_SIZE], bool *ret_cms)
{
    char name[HF_KEY_MAX] = "", stamp[HF_TIME_SIZE], unique[HF_UNIQUE_SIZE], wanted[HF_KEY_MAX];
    int64_t time_s;
    append(name, "%s_" OBJECT_FOLDER "_%s_", layout->account, layout->region);
    const char *at = find_stamp(layout, OBJECT_FOLDER, name, key);
    if (!at || strlen(at) < strlen("YYYYMMDDTHHMMZ_") + HF_UNIQUE_SIZE - 1)
        return false;
    snprintf(stamp, sizeof(stamp), "%.13s00Z",
             at); /* a minute stamp is a second stamp without its seconds */
    snprintf(unique, sizeof(unique), "%s", at + strlen("YYYYMMDDTHHMMZ_"));
    bool cms = hf_ends_with(key, CMS_SUFFIX);
    if (!hf_time_parse_compact(stamp, &time_s) || !is_alphanumeric(unique))
        return false;
    hf_layout_object_key(layout, time_s, unique, cms, wanted);
    if (strcmp(key, wanted) != 0)
        return false;
    *ret_time_s = time_s;
    memcpy(ret_unique, unique, HF_UNIQUE_SIZE);
    *ret_cms = cms;
    return true;
}
