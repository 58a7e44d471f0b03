/* Many names in one event. Whoever can make names makes as many as he likes: an event for each would
 * fill the journal, and a unit with one for each would be larger than it takes. */
#include "agent/intake/intake_impl.h"

#include <holdfast/crypto.h>
#include <holdfast/json.h>
#include <string.h>

#define NAMES_ROOM  (128u << 10) /* names of some KiB each: not all of the first ones */
#define DETAILS_MAX (NAMES_ROOM + 32u * HF_PATH_MAX)

void
hf_merged_add(struct hf_merged *merged, const char *path)
{
    if (!merged->hasher)
        merged->hasher = hf_hasher_new_sha256();
    hf_hasher_add(merged->hasher, path, strlen(path) + 1);
    if (merged->names.count < HF_MERGED_NAMES)
        hf_strings_add(&merged->names, path);
    merged->count++;
}

void
hf_merged_done(struct hf_merged *merged)
{
    hf_strings_done(&merged->names);
    hf_hasher_free(merged->hasher);
    *merged = (struct hf_merged){ .count = 0 };
}

static enum hf_status
add_text(struct hf_buf *json, const char *before, const char *text)
{
    enum hf_status status = hf_buf_add_text(json, before);
    return status == HF_OK ? hf_json_add_string(json, hf_slice_text(text)) : status;
}

/* pathsSha256: of all of them in the order in which they were met, each with a zero byte behind. */
static enum hf_status
add_names(struct hf_buf *json, const struct hf_merged *merged)
{
    uint8_t hash[HF_SHA256_SIZE];
    char hex[HF_HEX_SIZE(HF_SHA256_SIZE)];
    struct hf_hasher *copy = hf_hasher_copy(merged->hasher);
    hf_hasher_finish(copy, hash, NULL);
    hf_hex(hash, sizeof(hash), hex);
    enum hf_status status = hf_buf_addf(json, ",\"files\":%llu,\"pathsSha256\":\"%s\",\"paths\":[",
                                        (unsigned long long)merged->count, hex);
    for (size_t i = 0; i < merged->names.count && status == HF_OK && json->size < NAMES_ROOM; i++) {
        status = i > 0 ? hf_buf_add_text(json, ",") : HF_OK;
        if (status == HF_OK)
            status = hf_record_add_path(json, merged->names.items[i]);
    }
    return status == HF_OK ? hf_buf_add_text(json, "]") : status;
}

/* `behind`: further members. */
static enum hf_status
tell(struct hf_unit *unit, const char *event_name, const struct hf_merged *merged,
     const char *reason, const char *behind)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(DETAILS_MAX);
    hf_assert(merged->count > 0);
    enum hf_status status = add_text(&json, "{\"source\":", unit->source->config.name);
    if (status == HF_OK)
        status = hf_buf_add_text(&json, ",\"path\":");
    if (status == HF_OK)
        status = hf_record_add_path(&json, merged->names.items[0]);
    if (status == HF_OK)
        status = add_text(&json, ",\"reason\":", reason);
    if (status == HF_OK && merged->count > 1)
        status = add_names(&json, merged);
    if (status == HF_OK)
        status = hf_buf_addf(&json, "%s}", behind);
    hf_assert(status == HF_OK);
    return hf_unit_own(unit, event_name, hf_buf_text(&json));
}

enum hf_status
hf_unit_gap_merged(struct hf_unit *unit, const struct hf_merged *merged, const char *reason)
{
    unit->gaps++;
    return tell(unit, "SourceGap", merged, reason,
                ",\"fromOffset\":0,\"toOffset\":\"unknown\",\"unreadBytesSeen\":0");
}

enum hf_status
hf_unit_refusal(struct hf_unit *unit, const struct hf_merged *merged, const char *reason)
{
    return tell(unit, "SourceRefusal", merged, reason, "");
}
