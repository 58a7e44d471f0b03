/* Users whose links are followed, from the configuration. */
#include "agent/intake/file/looking.h"

#include <pwd.h>
#include <stdlib.h>

static bool
find_user(const char *name, uid_t *ret_uid)
{
    struct passwd user, *found = NULL;
    char buffer[16384];
    uint64_t number;
    if (getpwnam_r(name, &user, buffer, sizeof(buffer), &found) == 0 && found) {
        *ret_uid = found->pw_uid;
        return true;
    }
    if (!hf_parse_u64(name, 0, UINT32_MAX - 1, &number))
        return false;
    *ret_uid = (uid_t)number;
    return true;
}

enum hf_status
hf_trust_make(const struct hf_strings *users, struct hf_fs_trust *ret_trust, struct hf_error *err)
{
    uid_t *uids = hf_alloc((users->count + 1) * sizeof(*uids));
    for (size_t i = 0; i < users->count; i++) {
        if (find_user(users->items[i], &uids[i]))
            continue;
        hf_freep(&uids);
        return hf_fail(err, HF_ECONFIG, "follow_links_of: there is no user '%s'", users->items[i]);
    }
    *ret_trust = (struct hf_fs_trust){ .uids = uids, .count = users->count };
    return HF_OK;
}

void
hf_trust_done(struct hf_fs_trust *trust)
{
    free((void *)(uintptr_t)trust->uids);
    *trust = (struct hf_fs_trust){ .uids = NULL };
}
