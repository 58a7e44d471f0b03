/* Keys that were revoked: what they signed from then on counts for nothing, whoever vouches for the
 * key. */
#include "keys.h"
#include "target.h"

#include <holdfast/json.h>
#include <holdfast/verify.h>

size_t
revoked_keys(const struct target *target, struct hf_revoked_key *ret_keys)
{
    json_t *entry;
    size_t index, count = 0;

    json_array_foreach(json_object_get(target->registry, "keys"), index, entry)
    {
        struct hf_revoked_key key = { .fingerprint = hf_doc_text_or(entry, "fingerprint", "") };
        if (!hf_doc_text_or(entry, "revoked_at", NULL) || count == KEYS_MAX)
            continue;
        (void)hf_time_parse_rfc3339(hf_doc_text_or(entry, "revoked_from", ""), &key.from_s);
        ret_keys[count++] = key;
    }
    return count;
}
