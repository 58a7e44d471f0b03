/* One digest from the store. A newer version or a delete marker over a digest hides it from readers
 * who do not ask for versions; where asking is allowed it is found below, named, and the walk goes
 * on. */
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

bool
fetch_is_bad_object(enum hf_status status)
{
    switch (status) {
    case HF_ELIMIT:
    case HF_ECORRUPT:
    case HF_EFORMAT:
    case HF_EREFUSED:
        return true; /* a link or worse in its place; encrypted with somebody's SSE-C key */
    default: return false;
    }
}

static enum hf_status
get_and_judge(struct verify *v, const char *key, const char *version_id, const struct link *link,
              bool *ret_absent, struct judged *ret_judged, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf stored = HF_BUF(DIGEST_STORED_MAX);
    struct hf_object_info info = { .size = 0 };
    struct hf_error wrong;
    enum hf_status status =
        hf_store_get(v->look.store, key, version_id, DIGEST_STORED_MAX, &stored, &info, &wrong);

    *ret_absent = status == HF_ENOTFOUND;
    if (status == HF_ENOTFOUND)
        return HF_OK;
    if (fetch_is_bad_object(status)) {
        *ret_judged = (struct judged){ .finding = HF_INVALID };
        memcpy(ret_judged->detail, wrong.text, sizeof(wrong.text));
        return HF_OK;
    }
    if (status != HF_OK) {
        if (err)
            *err = wrong;
        return hf_while(err, status, "reading digest '%s'", key);
    }
    return judge_digest(v, key, link, hf_buf_slice(&stored), &info, ret_judged, err);
}

/* A version that is right, below the current one. */
static enum hf_status
look_below(struct verify *v, const char *key, const struct link *link, bool *ret_hidden,
           char **ret_version_id, struct judged *ret_judged, struct hf_error *err)
{
    struct hf_version_entry *entries = NULL;
    size_t count = 0;
    struct versions_below below;
    enum hf_status status = versions_list(&v->look, key, &entries, &count, err);

    verify_tell(v, &v->look.now.notes);
    if (status != HF_OK)
        return status;
    *ret_hidden = count > 0 && entries[0].is_delete_marker;
    versions_pick(entries, count, &below);
    for (size_t i = 0; i < below.count && status == HF_OK && !*ret_version_id; i++) {
        struct judged judged = { .finding = HF_VALID };
        bool absent = false;
        status = get_and_judge(v, key, below.entries[i]->version_id, link, &absent, &judged, err);
        if (status != HF_OK || absent)
            continue;
        if (judged.authentic && judged.in_place) {
            *ret_version_id = hf_strdup(below.entries[i]->version_id);
            *ret_judged = judged;
        } else {
            judged_done(&judged);
        }
    }
    if (status == HF_OK && !*ret_version_id)
        versions_note_left_out(&v->look, key, &below);
    verify_tell(v, &v->look.now.notes);
    hf_store_versions_free(entries, count);
    return status;
}

static bool
is_usable(const struct judged *judged)
{
    return judged->authentic && judged->in_place;
}

enum hf_status
fetch_digest(struct verify *v, const char *key, const struct link *link, enum fetched *ret_fetched,
             struct judged *ret_judged, char **ret_version_id, struct hf_error *err)
{
    struct judged judged = { .finding = HF_VALID }, below = { .finding = HF_VALID };
    hf_owned(hf_freep) char *version_id = NULL;
    bool absent = false, hidden = false;
    enum hf_status status = get_and_judge(v, key, NULL, link, &absent, &judged, err);

    if (status == HF_OK && (absent || (judged.finding != HF_VALID && !is_usable(&judged))))
        status = look_below(v, key, link, &hidden, &version_id, &below, err);
    if (status != HF_OK) {
        judged_done(&judged);
        return status;
    }
    if (version_id) {
        verify_report(v, hidden ? HF_HIDDEN : HF_OVERWRITTEN, key,
                      "%s lies over the digest, which is version %s",
                      hidden ? "a delete marker" : "a newer version with other bytes", version_id);
        judged_done(&judged);
        judged = below;
        judged.finding = hidden ? HF_HIDDEN : HF_OVERWRITTEN;
    } else if (hidden) {
        verify_report(v, HF_HIDDEN, key,
                      "a delete marker lies here, and no version below it is the digest");
    } else if (!absent && judged.finding != HF_VALID) {
        verify_report(v, judged.finding, key, "%s", judged.detail);
    }
    *ret_fetched = absent && !version_id ? (hidden ? FETCHED_BAD : FETCHED_ABSENT)
                   : is_usable(&judged)  ? FETCHED_USABLE
                                         : FETCHED_BAD;
    *ret_judged = judged;
    *ret_version_id = hf_take(version_id);
    return HF_OK;
}
