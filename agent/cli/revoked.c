/* Keys that were revoked: what they signed from then on does not count. A second, short walk over
 * the digests, without these keys, names every digest that only they vouch for. */
#include "keys.h"
#include "say.h"
#include "target.h"

#include <holdfast/json.h>
#include <holdfast/verify.h>
#include <string.h>

struct pass {
    const struct hf_verify_options *outer;
    uint64_t count;
};

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct pass *pass = context;
    char *text hf_owned(hf_freep) = hf_asprintf("%s; its key was revoked", detail ? detail : "");
    if (finding != HF_UNKNOWN_KEY)
        return;
    pass->count++;
    if (pass->outer->finding)
        pass->outer->finding(pass->outer->context, finding, key, text);
}

static const json_t *
revocation_of(const struct target *target, const char *fingerprint)
{
    const json_t *entry = target->registry ? registry_find(target->registry, fingerprint) : NULL;
    return hf_doc_text_or(entry, "revoked_at", NULL) ? entry : NULL;
}

static bool
has_verifier(const struct target *target, const char *fingerprint)
{
    for (size_t i = 0; i < target->verifier_count; i++)
        if (strcmp(hf_verifier_fingerprint(target->verifiers[i]), fingerprint) == 0)
            return true;
    return false;
}

/* One walk for each revoked key, for each has its own time. */
static enum hf_status
walk(const struct target *target, const json_t *revoked, struct pass *pass, struct hf_error *err)
{
    static const char nobody[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const struct hf_verifier *left[HF_COUNT(target->verifiers)];
    const char *left_fingerprints[HF_COUNT(target->fingerprints) + 1];
    const char *gone = hf_doc_text_or(revoked, "fingerprint", "");
    struct hf_verify_options options = *pass->outer;
    struct hf_verify_result result;
    int64_t from_s = 0;
    size_t count = 0, fingerprint_count = 0;
    for (size_t i = 0; i < target->verifier_count; i++)
        if (strcmp(hf_verifier_fingerprint(target->verifiers[i]), gone) != 0)
            left[count++] = target->verifiers[i];
    for (size_t i = 0; i < target->fingerprint_count; i++)
        if (strcmp(target->fingerprints[i], gone) != 0)
            left_fingerprints[fingerprint_count++] = target->fingerprints[i];
    left_fingerprints[fingerprint_count++] =
        nobody; /* without any pinned key the bucket's own would be taken */
    (void)hf_time_parse_rfc3339(hf_doc_text_or(revoked, "revoked_from", ""), &from_s);
    if (options.end_s && from_s >= options.end_s)
        return HF_OK;
    options.verifiers = left;
    options.verifier_count = count;
    options.fingerprints = left_fingerprints;
    options.fingerprint_count = fingerprint_count;
    options.start_s = HF_MAX(options.start_s, from_s);
    options.check_objects = options.check_locks = false;
    options.content = NULL;
    options.open_store = NULL; /* no object is looked at */
    options.progress = NULL;
    options.finding = on_finding;
    options.context = pass;
    enum hf_status status = hf_verify(&options, &result, err);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

enum hf_status
revoked_find(const struct target *target, const struct hf_verify_options *options,
             uint64_t *ret_count, struct hf_error *err)
{
    struct pass pass = { .outer = options };
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < target->verifier_count; i++) {
        const json_t *revoked =
            revocation_of(target, hf_verifier_fingerprint(target->verifiers[i]));
        if (revoked)
            status = walk(target, revoked, &pass, err);
    }
    for (size_t i = 0; status == HF_OK && i < target->fingerprint_count; i++) {
        const json_t *revoked = revocation_of(target, target->fingerprints[i]);
        if (revoked && !has_verifier(target, target->fingerprints[i]))
            status = walk(target, revoked, &pass, err);
    }
    *ret_count = pass.count;
    return status;
}
