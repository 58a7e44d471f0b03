/* Any bytes as STATE_DIR/keys.json: refused, or a list whose entries are looked at as they are; and
 * what was read can be written and reads as the same again. */
#include "agent/cli/keys.h"
#include "tests/fuzz/scratch.h"

#include <holdfast/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_config config = { .agent = { .state_dir = (char *)scratch_folder() } };
    hf_owned(hf_doc_freep) json_t *registry = NULL, *again = NULL;
    const json_t *entry;
    size_t i;

    scratch_put("keys.json", data, size);
    if (registry_load(&config, &registry, NULL) != HF_OK)
        return 0;
    json_array_foreach(json_object_get(registry, "keys"), i, entry)
    {
        struct hf_verifier *verifier = NULL;
        if (registry_verifier(entry, &verifier, NULL) == HF_OK)
            hf_verifier_free(verifier);
        const json_t *found = registry_find(registry, hf_doc_text_or(entry, "fingerprint", "none"));
        must(!json_object_get(entry, "fingerprint") ||
                 !json_is_string(json_object_get(entry, "fingerprint")) || found,
             "an entry that is not found");
    }
    must(registry_save(&config, registry, NULL) == HF_OK, "what was read cannot be written");
    must(registry_load(&config, &again, NULL) == HF_OK, "what was written cannot be read");
    must(json_equal(registry, again), "what was written reads as something else");
    return 0;
}
