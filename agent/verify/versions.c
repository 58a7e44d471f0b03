/* What else lies under the same key. A lock protects a version, not a key: whoever may PUT can lay
 * a newer version over a locked one, and whoever may DELETE a marker. Both are found here, where
 * listing versions is allowed; where it is not, the right version is read all the same, and that
 * nothing else was seen is said of each key. */
#include <stdlib.h>
#include <string.h>

#include "agent/verify/look.h"

static void
note_unseen(struct look *look, const char *key)
{
    look_note(look, HF_VERSIONS_UNSEEN, key,
              "its versions may not be listed: what lies over or below it was not seen");
}

enum hf_status
versions_list(struct look *look, const char *key, struct hf_version_entry **ret_entries,
              size_t *ret_count, struct hf_error *err)
{
    struct hf_error why;
    enum hf_status status;

    *ret_entries = NULL;
    *ret_count = 0;
    if (hf_store_is_dir(look->store))
        return HF_OK;
    if (look->versions_refused) {
        note_unseen(look, key);
        return HF_OK;
    }
    status = hf_store_versions(look->store, key, ret_entries, ret_count, &why);
    if (status == HF_EREFUSED || status == HF_EACCESS) {
        look->versions_refused = look->now.versions_refused = true;
        note_unseen(look, key);
        return HF_OK;
    }
    look->now.versions_seen = true;
    if (status == HF_ENOTFOUND)
        return HF_OK;
    if (status == HF_ELIMIT) { /* somebody buries it; that must not end the run */
        look_note(look, HF_EXTRA, key, "%s", why.text);
        return HF_OK;
    }
    if (status != HF_OK && err)
        *err = why;
    return status;
}

void
versions_pick(const struct hf_version_entry *entries, size_t count,
              struct versions_below *ret_below)
{
    *ret_below = (struct versions_below){ .count = 0 };
    for (size_t i = count; i-- > 1;) { /* the current one was read */
        if (entries[i].is_delete_marker)
            continue;
        if (ret_below->count < VERSIONS_TRIED)
            ret_below->entries[ret_below->count++] = &entries[i];
        else
            ret_below->left_out++;
    }
}

void
versions_note_left_out(struct look *look, const char *key, const struct versions_below *below)
{
    if (below->left_out > 0)
        look_note(
            look, HF_EXTRA, key,
            "%zu versions lie here: the oldest %d are not what should, and the others were not "
            "looked at",
            below->count + below->left_out, VERSIONS_TRIED);
}

static enum hf_status
is_same(struct look *look, const char *key, const struct hf_version_entry *one,
        const struct hf_version_entry *other, const char *stored_sha256, bool *ret_same,
        struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf body =
        look_buf(look, OBJECT_STORED_MAX, look->now.content.capacity);
    char found[HF_SHA256_HEX_SIZE];
    enum hf_status status;

    *ret_same = one->size == other->size && one->etag[0] && strcmp(one->etag, other->etag) == 0;
    if (*ret_same || one->size != other->size || !*stored_sha256)
        return HF_OK;
    /* Where the store encrypts, the same bytes have another ETag each time. */
    status = hf_store_get(look->store, key, other->version_id, body.max, &body, NULL, err);
    look_see_room(look, status);
    if (status == HF_OK) {
        hf_sha256_hex(body.ptr, body.size, found);
        *ret_same = strcmp(found, stored_sha256) == 0;
    }
    return status;
}

static enum hf_status
judge_version(struct look *look, const char *key, const struct hf_version_entry *right,
              const struct hf_version_entry *other, bool newer, const char *stored_sha256,
              bool *ret_fine, struct hf_error *err)
{
    bool same = false;
    enum hf_status status;

    if (other->is_delete_marker) {
        if (newer) {
            *ret_fine = false;
            look_note(look, HF_HIDDEN, key, "delete marker %s lies over version %s",
                      other->version_id, right->version_id);
        }
        return HF_OK;
    }
    status = is_same(look, key, right, other, stored_sha256, &same, err);
    if (status != HF_OK)
        return status;
    if (same) {
        look_note(look, HF_REPEATED, key, "version %s has the same bytes as version %s",
                  other->version_id, right->version_id);
        return HF_OK;
    }
    *ret_fine = false;
    if (newer)
        look_note(look, HF_OVERWRITTEN, key, "version %s with other bytes lies over version %s",
                  other->version_id, right->version_id);
    else
        look_note(look, HF_EXTRA, key,
                  "version %s with other bytes lies below version %s, and no digest lists it",
                  other->version_id, right->version_id);
    return HF_OK;
}

enum hf_status
versions_check(struct look *look, const char *key, const char *version_id,
               const char *stored_sha256, bool *ret_fine, struct hf_error *err)
{
    struct hf_version_entry *entries = NULL;
    size_t count = 0, right = 0;
    enum hf_status status = versions_list(look, key, &entries, &count, err);

    if (status != HF_OK)
        return status;
    if (version_id && *version_id)
        while (right < count && strcmp(entries[right].version_id, version_id) != 0)
            right++;
    if (right < count) {
        for (size_t i = 0; i < count && status == HF_OK; i++)
            if (i != right)
                status = judge_version(look, key, &entries[right], &entries[i], i < right,
                                       stored_sha256, ret_fine, err);
    }
    hf_store_versions_free(entries, count);
    return status;
}
