/* The two passes, and what holds them together. */
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

static void
verify_done(struct verify *v)
{
    hf_strings_done(&v->listing);
    free(v->visited);
    keys_done(v);
    entries_done(v);
    for (size_t i = 0; i < v->chain_count; i++)
        free(v->chains[i].id);
    free(v->chains);
    free(v->blinds);
    free(v->known);
    gone_done(v);
    free(v->trail);
}

/* `as_seen`: what was not seen is no reason that it is not. */
static bool
is_intact(const struct verify *v, bool as_seen)
{
    bool any = false;

    for (size_t i = 0; i < v->entry_count; i++)
        any = any || !v->entries[i].outside;
    for (size_t i = 0; i < HF_COUNT(v->result->findings); i++)
        if (v->result->findings[i] && !hf_finding_fine((enum hf_finding)i) &&
            !(i == HF_GONE_AFTER_TERM && v->options->allow_gone_after_term) &&
            !(as_seen && (i == HF_UNSEEN || i == HF_DENIED)))
            return false;
    return any || (as_seen && v->result->findings[HF_UNSEEN] + v->result->findings[HF_DENIED] > 0);
}

static enum hf_status
look_for_extra(struct verify *v, struct hf_error *err)
{
    struct hf_error why = { .status = HF_OK };
    char prefix[HF_KEY_MAX];
    enum hf_status status = extra_objects(v, &why);

    hf_layout_object_prefix(&v->layout, prefix);
    return status == HF_OK ? HF_OK : unseen_report(v, prefix, status, &why, err);
}

static enum hf_status
verify(struct verify *v, struct hf_error *err)
{
    enum hf_status status = listing_read(v, err);

    if (status == HF_ENOTFOUND && heads_end(v))
        return HF_OK; /* there must be something */
    if (status == HF_OK && !listing_has_signature(v)) {
        v->result->signatures_absent = true;
        return HF_OK;
    }
    v->look.now_s = look_now_s(v->look.store);
    if (status == HF_OK)
        status = walk_chain(v, err);
    if (status != HF_OK)
        return status;
    if (v->result->digests == 0)
        return hf_fail(err, HF_ENOTFOUND,
                       "no digest of trail '%s' is of the time that was asked for",
                       v->layout.trail);
    (void)heads_end(v);
    status = second_pass(v, err);
    if (status == HF_OK)
        extra_digests(v);
    if (status == HF_OK && v->options->check_objects && !v->options->content)
        status = look_for_extra(v, err);
    if (status == HF_OK) {
        gone_add_listed(v);
        gone_tell(v);
    }
    v->result->intact = is_intact(v, false);
    v->result->unseen = !v->result->intact && is_intact(v, true);
    return status;
}

enum hf_status
hf_verify(const struct hf_verify_options *options, struct hf_verify_result *ret_result,
          struct hf_error *err)
{
    struct hf_verify_result result = { .digests = 0 };
    struct verify v = {
        .options = options,
        .look = { .options = options, .store = options->store },
        .bucket = verify_bucket(options),
        .layout = options->layout,
        .result = &result,
    };
    enum hf_status status = verify(&v, err);

    verify_done(&v);
    if (status == HF_OK)
        *ret_result = result;
    return status;
}
