/* What the table cannot say of buckets and trails: references, retention that only grows,
 * encryption that fits its store (promise P8: no key goes over plain HTTP, nothing falls back to
 * less). */
#include "config_impl.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>

#define BUCKET_TAGS_MAX 50
#define FILE_NAME_MAX   255

/* "; the stores are a, b" or "" when there are none. */
static void
names_of(const struct hf_config *config, enum hf_section_id section, char *ret_text, size_t size)
{
    struct hf_slice names[HF_CONFIG_ITEMS_MAX];
    size_t count = 0;
    for (; section == HF_SECTION_store && count < config->store_count; count++)
        names[count] = hf_slice_text(config->stores[count].name);
    for (; section == HF_SECTION_bucket && count < config->bucket_count; count++)
        names[count] = hf_slice_text(config->buckets[count].name);
    for (; section == HF_SECTION_source && count < config->source_count; count++)
        names[count] = hf_slice_text(config->sources[count].name);
    hf_names_text(names, count, ret_text, size);
}

static enum hf_status
fail_no_such(struct hf_error *err, struct hf_checked entry, const char *key, const char *name,
             const struct hf_config *config, enum hf_section_id section)
{
    char shown[HF_SHOWN_SIZE], known[160];
    hf_show(name, shown, sizeof(shown));
    names_of(config, section, known, sizeof(known));
    const char *list = hf_sections[section].key;
    if (known[0] == '\0')
        return hf_check_fail(err, entry, key, "there is no '%s' under %s, which is empty", shown,
                             list);
    return hf_check_fail(err, entry, key, "there is no '%s' under %s; there is %s", shown, list,
                         known);
}

/* ---- buckets ---- */

static enum hf_status
check_tags(struct hf_checked entry, const struct hf_strings *tags, struct hf_error *err)
{
    if (tags->count > BUCKET_TAGS_MAX)
        return hf_check_fail(err, entry, "tags", "%zu tags; a bucket takes %d", tags->count,
                             BUCKET_TAGS_MAX);
    for (size_t i = 0; i < tags->count; i++) {
        const char *tag = tags->items[i];
        size_t key_size = strcspn(tag, "=");
        char shown[HF_SHOWN_SIZE];
        hf_show(tag, shown, sizeof(shown));
        if (key_size == 0 || tag[key_size] != '=')
            return hf_check_fail(err, entry, "tags", "'%s' is not KEY=VALUE", shown);
        if (key_size > 128 || strlen(tag + key_size + 1) > 256)
            return hf_check_fail(err, entry, "tags",
                                 "'%s' is too long; a key has up to 128 bytes, a value 256", shown);
        if (hf_starts_with(tag, "aws:"))
            return hf_check_fail(err, entry, "tags",
                                 "'%s' begins with aws:, which S3 keeps for itself", shown);
        for (size_t j = 0; j < i; j++)
            if (strncmp(tags->items[j], tag, key_size + 1) == 0)
                return hf_check_fail(err, entry, "tags", "the key of '%s' stands there twice",
                                     shown);
    }
    return HF_OK;
}

enum hf_status
hf_check_bucket(struct hf_checked entry, const struct hf_config *config,
                const struct hf_config_bucket *bucket, struct hf_error *err)
{
    const char *wrong = hf_rule_bucket(bucket->name);
    if (wrong)
        return hf_check_fail(err, entry, "name", "'%s' %s", bucket->name, wrong);
    if (!hf_config_store(config, bucket->store))
        return fail_no_such(err, entry, "store", bucket->store, config, HF_SECTION_store);
    if (bucket->retention_mode != HF_LOCK_NONE && bucket->retention_days == 0)
        return hf_check_fail(err, entry, "retention.days",
                             "missing; write how many days an object stays locked, "
                             "at least 1");
    if (bucket->retention_mode == HF_LOCK_NONE && bucket->retention_days > 0)
        return hf_check_fail(err, entry, "retention.days",
                             "mode none has no days; write mode: governance, or leave "
                             "the days out");
    return check_tags(entry, &bucket->tags, err);
}

/* ---- trails ---- */

static enum hf_status
check_sources(struct hf_checked entry, const struct hf_config *config,
              const struct hf_config_trail *trail, struct hf_error *err)
{
    /* An empty list cannot be told from an absent one later, and absent means all. */
    if (trail->sources.count == 0 && hf_node_child(entry.node, "sources"))
        return hf_check_fail(err, entry, "sources",
                             "an empty list; leave the key out for all sources");
    for (size_t i = 0; i < trail->sources.count; i++) {
        const char *name = trail->sources.items[i];
        if (!hf_config_source(config, name))
            return fail_no_such(err, entry, "sources", name, config, HF_SECTION_source);
        for (size_t j = 0; j < i; j++)
            if (strcmp(trail->sources.items[j], name) == 0)
                return hf_check_fail(err, entry, "sources", "'%s' stands there twice", name);
    }
    return HF_OK;
}

static enum hf_status
check_retention(struct hf_checked entry, const struct hf_config_bucket *bucket,
                const struct hf_config_trail *trail, struct hf_error *err)
{
    int mode = trail->retention_mode == HF_UNSET ? bucket->retention_mode : trail->retention_mode;
    bool days_written = hf_node_at(entry.section, entry.node, "retention.days") != NULL;
    if (mode < bucket->retention_mode)
        return hf_check_fail(err, entry, "retention.mode",
                             "%s is weaker than the %s of bucket '%s'; a trail can only "
                             "be stricter",
                             hf_lock_mode_text(mode), hf_lock_mode_text(bucket->retention_mode),
                             bucket->name);
    if (days_written && trail->retention_days < bucket->retention_days && trail->retention_days > 0)
        return hf_check_fail(err, entry, "retention.days",
                             "%llu is shorter than the %llu days of bucket '%s'; a trail "
                             "can only be longer",
                             (unsigned long long)trail->retention_days,
                             (unsigned long long)bucket->retention_days, bucket->name);
    if (mode == HF_LOCK_NONE && trail->retention_days > 0)
        return hf_check_fail(err, entry, "retention.days",
                             "neither the trail nor bucket '%s' has a mode; write mode: "
                             "governance as well",
                             bucket->name);
    if (mode != HF_LOCK_NONE && HF_MAX(trail->retention_days, bucket->retention_days) == 0)
        return hf_check_fail(err, entry, "retention.days",
                             "missing; bucket '%s' has no days, so write at least 1", bucket->name);
    return HF_OK;
}

static enum hf_status
check_encryption(struct hf_checked entry, const struct hf_config_store *store,
                 const struct hf_config_trail *trail, struct hf_error *err)
{
    const struct {
        const char *key,
            *missing; /* what to say when it is needed and absent; NULL: it may be absent */
        int for_type;
        bool present;
    } members[] = {
        { "encryption.recipients", "missing; cms needs a list of at least one certificate file",
          HF_ENCRYPT_CMS, trail->recipients.count > 0 },
        { "encryption.key_file", "missing; sse-c needs a file with the 256-bit key",
          HF_ENCRYPT_SSE_C, trail->sse_c_key_file != NULL },
        { "encryption.kms_key_id", NULL, HF_ENCRYPT_SSE_KMS, trail->kms_key_id != NULL },
    };
    int type = trail->encryption;
    for (size_t i = 0; i < HF_COUNT(members); i++) {
        bool written = hf_node_at(entry.section, entry.node, members[i].key) != NULL;
        if (type != members[i].for_type && written)
            return hf_check_fail(err, entry, members[i].key,
                                 "is for type %s only, and the type is %s",
                                 hf_encryption_text(members[i].for_type), hf_encryption_text(type));
        if (type == members[i].for_type && members[i].missing && !members[i].present)
            return hf_check_fail(err, entry, members[i].key, "%s", members[i].missing);
    }
    bool by_store =
        type == HF_ENCRYPT_SSE_S3 || type == HF_ENCRYPT_SSE_KMS || type == HF_ENCRYPT_SSE_C;
    if (by_store && store->kind == HF_STORE_DIR)
        return hf_check_fail(err, entry, "encryption.type",
                             "%s is done by an S3 store, and '%s' is a directory; write "
                             "cms or none",
                             hf_encryption_text(type), store->name);
    if ((type == HF_ENCRYPT_SSE_C || type == HF_ENCRYPT_SSE_KMS) && !store->tls)
        return hf_check_fail(err, entry, "encryption.type",
                             "%s is sent over https:// only, and store '%s' is %s",
                             hf_encryption_text(type), store->name, store->url);
    const char *wrong = trail->kms_key_id ? hf_rule_header(trail->kms_key_id) : NULL;
    return wrong ? hf_check_fail(err, entry, "encryption.kms_key_id", "%s", wrong) : HF_OK;
}

/* The longest file that a directory store makes is a digest's metadata:
 * ACCOUNT_CloudTrail-Digest_REGION_TRAIL_REGION_YYYYMMDDTHHMMSSZ.json.gz.meta.json */
static enum hf_status
check_file_name(struct hf_checked entry, const struct hf_config *config,
                const struct hf_config_store *store, const struct hf_config_trail *trail,
                struct hf_error *err)
{
    size_t length = strlen("000000000000_CloudTrail-Digest____YYYYMMDDTHHMMSSZ.json.gz.meta.json") +
                    2 * strlen(config->agent.region) + strlen(trail->name);
    if (store->kind != HF_STORE_DIR || length <= FILE_NAME_MAX)
        return HF_OK;
    return hf_check_fail(err, entry, "name",
                         "with this region its digests' file names have %zu bytes, and a directory "
                         "takes %d; write a shorter name",
                         length, FILE_NAME_MAX);
}

enum hf_status
hf_check_trail(struct hf_checked entry, const struct hf_config *config,
               const struct hf_config_trail *trail, struct hf_error *err)
{
    struct hf_error cause = { 0 };
    if (hf_trail_name_check(trail->name, config->agent.region, &cause) != HF_OK)
        return hf_check_fail(err, entry, "name", "'%.130s': %s", trail->name, cause.text);
    const struct hf_config_bucket *bucket = hf_config_bucket(config, trail->bucket);
    if (!bucket)
        return fail_no_such(err, entry, "bucket", trail->bucket, config, HF_SECTION_bucket);
    const struct hf_config_store *store = hf_config_store(config, bucket->store);
    const char *wrong = trail->prefix ? hf_rule_prefix(trail->prefix) : NULL;
    if (wrong)
        return hf_check_fail(err, entry, "prefix", "'%.200s' %s", trail->prefix, wrong);
    enum hf_status status = check_sources(entry, config, trail, err);
    if (status == HF_OK)
        status = check_retention(entry, bucket, trail, err);
    if (status == HF_OK)
        status = check_encryption(entry, store, trail, err);
    if (status == HF_OK)
        status = check_file_name(entry, config, store, trail, err);
    return status;
}
