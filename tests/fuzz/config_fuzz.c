/* Any bytes as a configuration: refused with a one-line reason that names the file, or a
 * configuration whose references all hold. */
#include <holdfast/config.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    enum hf_status status =
        hf_config_parse(hf_slice(data, size), "/etc/holdfast.yaml", &config, &err);
    if (status != HF_OK) {
        hf_assert(!config);
        hf_assert(status == HF_ECONFIG && err.status == HF_ECONFIG);
        hf_assert(hf_starts_with(err.text, "/etc/holdfast.yaml:") && !strchr(err.text, '\n'));
        return 0;
    }
    hf_assert(config->trail_count > 0);
    for (size_t i = 0; i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        const struct hf_config_bucket *bucket = hf_config_bucket(config, trail->bucket);
        hf_assert(bucket && hf_config_store(config, bucket->store));
        hf_assert((hf_config_lock_mode(config, trail) == HF_LOCK_NONE) ==
                  (hf_config_lock_days(config, trail) == 0));
    }
    hf_config_free(config);
    return 0;
}
