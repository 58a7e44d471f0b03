/* Any name that a listing can give: taken for an object or a digest of this layout only if it is
 * to the letter what the layout would call it. */
#include <holdfast/layout.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_layout layouts[] = {
        { .prefix = "", .account = "000000000000", .region = "local", .trail = "audit" },
        { .prefix = "p/q", .organization = "o-1", .account = "1", .region = "r", .trail = "t" },
    };
    char unique[HF_UNIQUE_SIZE], again[HF_KEY_MAX];
    int64_t time_s;
    bool cms;
    if (size == 0)
        return 0;
    /* Half of the inputs begin where our keys do: the fuzzer need not find that part. */
    const struct hf_layout *layout = &layouts[data[0] % 2];
    char begin[HF_KEY_MAX] = "";
    if (data[0] & 2)
        hf_layout_object_prefix(layout, begin);
    else if (data[0] & 4)
        hf_layout_digest_prefix(layout, begin);
    hf_owned(hf_freep) char *rest = hf_strndup((const char *)data + 1, size - 1);
    hf_owned(hf_freep) char *key = hf_asprintf("%s%s", begin, rest);

    if (hf_layout_is_object(layout, key, &time_s, unique, &cms)) {
        hf_layout_object_key(layout, time_s, unique, cms, again);
        hf_assert(strcmp(key, again) == 0);
    }
    if (hf_layout_is_digest(layout, key, &time_s)) {
        hf_layout_digest_key(layout, time_s, again);
        hf_assert(strcmp(key, again) == 0);
    }
    return 0;
}
