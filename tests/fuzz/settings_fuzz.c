/* The settings of a trail beside its ledger, in two files. The first byte: where the input parts
 * into the two, in 255ths. Each may be anything; what is taken holds together. */
#include "agent/trail/saved.h"
#include "tests/fuzz/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_texts(const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) must(json_is_string(item), "a list of texts with another");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings = { .doc = NULL };
    struct hf_error err;

    if (size == 0)
        return 0;
    /* Above all levels: what is damaged would be said each time. */
    hf_log_setup((enum hf_log_level)(HF_LOG_ERROR + 1), false);
    size_t part = (size - 1) * data[0] / 255;
    scratch_put("trail.json", data + 1, part);
    scratch_put("trail.json.copy", data + 1 + part, size - 1 - part);
    if (settings_load(scratch_folder(), &settings, &err) == HF_OK) {
        must(settings.name && settings.bucket && settings.store, "a trail without a place");
        check_texts(settings.sources);
        check_texts(settings.recipients);
        settings_done(&settings);
    }
    return 0;
}
