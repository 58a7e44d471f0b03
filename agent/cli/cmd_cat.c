/* holdfast cat */
#include "commands.h"
#include "keys.h"
#include "records.h"
#include "say.h"
#include "target.h"

#include <holdfast/verify.h>
#include <stdio.h>
#include <unistd.h>

struct cat {
    const struct options *options;
    const struct target *target;
    struct progress progress;
    uint64_t records;
};

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct cat *cat = context;
    if (finding == HF_VALID || finding == HF_ADVISORY || finding == HF_PENDING ||
        finding == HF_REPEATED)
        return;
    progress_end(&cat->progress);
    progress_begin(&cat->progress, "reading", !isatty(STDOUT_FILENO));
    char *name hf_owned(hf_freep) = hf_strdup(key ? key : "");
    hf_mask_controls(name);
    fprintf(stderr, "holdfast: cat: %s %s%s%s\n", hf_finding_text(finding), name,
            detail && *detail ? ": " : "", detail ? detail : "");
}

static void
on_progress(void *context, uint64_t digests, uint64_t objects, uint64_t objects_known)
{
    struct cat *cat = context;
    (void)digests;
    progress_show(&cat->progress, objects, objects_known, "objects");
}

static enum hf_status
open_another(void *context, struct hf_store **ret_store, struct hf_error *err)
{
    struct cat *cat = context;
    return target_open_another(cat->options, cat->target, ret_store, err);
}

static enum hf_status
on_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
           struct hf_error *err)
{
    struct cat *cat = context;
    enum hf_status status = records_write(json, stdout, isatty(STDOUT_FILENO), &cat->records, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "object '%s'", object->key);
}

static enum hf_status
print_records(const struct options *options, struct target *target, struct hf_opener *opener,
              struct hf_verify_result *ret_result, struct hf_error *err)
{
    struct cat cat = { .options = options, .target = target };
    struct hf_revoked_key revoked[KEYS_MAX];
    struct hf_verify_options verify = {
        .store = target->store,
        .layout = target->layout,
        .verifiers = (const struct hf_verifier *const *)target->verifiers,
        .verifier_count = target->verifier_count,
        .fingerprints = target->fingerprints,
        .fingerprint_count = target->fingerprint_count,
        .revoked = revoked,
        .revoked_count = revoked_keys(target, revoked),
        .original_bucket = options->reading.original_bucket,
        .allow_gone_after_term = options->reading.allow_gone_after_term,
        .strict = options->reading.strict,
        .start_s = options->start_s,
        .end_s = options->end_s,
        .check_objects = true,
        .check_locks = options->reading.strict,
        .open_store = open_another,
        .workers = (unsigned)target->own_store.connections,
        .finding = on_finding,
        .progress = on_progress,
        .content = on_content,
        .opener = opener,
        .context = &cat,
    };
    progress_begin(&cat.progress, "reading", !isatty(STDOUT_FILENO));
    enum hf_status status = hf_verify(&verify, ret_result, err);
    progress_end(&cat.progress);
    return status;
}

static enum hf_status
load_opener(const struct options *options, const struct target *target,
            struct hf_opener **ret_opener, struct hf_error *err)
{
    if (options->key)
        return hf_opener_load(options->key, ret_opener, err);
    if (target->trail && target->trail->encryption == HF_ENCRYPT_CMS)
        return hf_fail(
            err, HF_EUSAGE,
            "trail '%s' encrypts to certificates: --key names the private key of one of them",
            target->trail->name);
    return HF_OK;
}

static int
say_outcome(const struct options *options, const struct hf_verify_result *result)
{
    if (result->signatures_absent)
        return say_signatures_absent(options);
    uint64_t closed = result->findings[HF_ENVELOPE_ONLY];
    int code = say_done(result->intact && closed == 0   ? EXIT_WELL
                        : result->unseen && closed == 0 ? EXIT_LATER
                                                        : EXIT_NOT_WELL);
    if (result->unseen)
        fputs("holdfast: cat: not all of the evidence was seen: what is UNSEEN or DENIED above was "
              "not printed\n",
              stderr);
    else if (!result->intact)
        fprintf(stderr, "holdfast: cat: the evidence is NOT intact; %s\n",
                options->reading.strict
                    ? "of what is named above nothing was printed"
                    : "what was printed is what a digest lists that can be believed");
    if (closed > 0)
        fprintf(stderr,
                "holdfast: cat: %llu objects stayed closed: --key names a private key that opens "
                "them\n",
                (unsigned long long)closed);
    return code;
}

int
cmd_cat(const struct options *options)
{
    struct hf_error err = { 0 };
    struct target target;
    struct hf_opener *opener = NULL;
    struct hf_verify_result result = { 0 };
    int code;
    enum hf_status status = target_choose(options, &target, &err);
    if (status == HF_OK)
        status = load_opener(options, &target, &opener, &err);
    if (status == HF_OK)
        status = target_load_keys(options, &target, &err);
    if (status == HF_OK)
        status = target_open_store(&target, &err);
    if (status == HF_OK)
        status = target_load_sse_c(options, &target, &err);
    if (status == HF_OK)
        status = print_records(options, &target, opener, &result, &err);
    code = status == HF_OK ? say_outcome(options, &result) : say_failure(options, status, &err);
    hf_opener_free(opener);
    target_done(&target);
    return code;
}
