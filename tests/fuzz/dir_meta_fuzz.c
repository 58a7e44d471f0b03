/* An even first byte: the rest as the meta file of an object, anybody's who can write in the
 * folder; what is read can be written, and reads as the same again. An odd one: the rest as a key;
 * one that is taken cannot leave the bucket. */
#include "agent/dir/dir_impl.h"
#include "tests/fuzz/scratch.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct hf_dir_info *a, const struct hf_dir_info *b)
{
    must(a->size == b->size && a->lock_mode == b->lock_mode && a->legal_hold == b->legal_hold &&
             a->retain_until_s == b->retain_until_s,
         "another number");
    must(strcmp(a->content_type, b->content_type) == 0 && strcmp(a->sha256, b->sha256) == 0 &&
             strcmp(a->content_encoding, b->content_encoding) == 0 &&
             strcmp(a->chain, b->chain) == 0 && strcmp(a->window, b->window) == 0 &&
             strcmp(a->compression, b->compression) == 0 &&
             strcmp(a->signature, b->signature) == 0 &&
             strcmp(a->signature_algorithm, b->signature_algorithm) == 0,
         "another text");
}

static void
try_meta(const uint8_t *bytes, size_t size)
{
    struct hf_dir_info info, again;
    struct hf_dir dir = { .path = (char *)scratch_folder(), .worm = HF_WORM_FILER };
    struct hf_dir_place place = { .body = "" };

    scratch_put("m", bytes, size);
    hf_path_join(place.meta, sizeof(place.meta), scratch_folder(), "m");
    hf_path_join(place.folder, sizeof(place.folder), scratch_folder(), "");
    if (hf_dir_meta_read(place.meta, &info, NULL) != HF_OK)
        return;
    must(info.lock_mode == 0 || info.lock_mode == HF_LOCK_NONE || info.retain_until_s > 0,
         "a lock without a date");
    enum hf_status status = hf_dir_meta_replace(&dir, &place, &info, NULL);
    must(status == HF_OK || status == HF_ELIMIT, "what was read cannot be written");
    if (status != HF_OK)
        return;
    must(hf_dir_meta_read(place.meta, &again, NULL) == HF_OK, "what was written cannot be read");
    check_same(&info, &again);
}

static void
try_key(const uint8_t *bytes, size_t size)
{
    hf_owned(hf_freep) char *key = hf_strndup((const char *)bytes, size);

    if (hf_dir_key_check(key, NULL) != HF_OK)
        return;
    must(key[0] != '/' && !strstr(key, "//") && !strstr(key, "/.") && key[0] != '.', "a way out");
    must(key[strlen(key) - 1] != '/' && !strstr(key, HF_DIR_META_SUFFIX "/"), "a meta file's name");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2)
        try_key(data + 1, size - 1);
    else
        try_meta(data + 1, size - 1);
    return 0;
}
