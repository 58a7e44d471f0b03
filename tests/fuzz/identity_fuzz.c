/* Any bytes as state_dir/identity: refused, or an identity that can name objects. */
#include "tests/fuzz/scratch.h"

#include <holdfast/trail.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    struct hf_identity identity;

    scratch_put("identity", data, size);
    if (hf_identity_load(scratch_folder(), NULL, &identity, NULL) != HF_OK)
        return 0;
    must(strlen(identity.journal) == HF_ID_SIZE - 1 && strlen(identity.boot) == HF_ID_SIZE - 1,
         "an id that is none");
    must(strspn(identity.journal, "0123456789abcdef") == HF_ID_SIZE - 1, "an id in other digits");
    must(memchr(identity.machine, 0, sizeof(identity.machine)), "a machine without an end");
    must(*identity.host && *identity.host != '.' &&
             strspn(identity.host, safe) == strlen(identity.host),
         "a host that no key can have");
    return 0;
}
