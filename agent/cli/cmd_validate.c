/* holdfast validate */
#include "commands.h"
#include "head.h"
#include "keys.h"
#include "known.h"
#include "say.h"
#include "target.h"

#include <holdfast/json.h>
#include <holdfast/verify.h>
#include <stdio.h>
#include <string.h>

#define FINDINGS_MAX 10000 /* in the JSON; the counts are of all */

struct validation {
    const struct options *options;
    const struct target *target;
    struct progress progress;
    json_t *findings;
    uint64_t omitted;
    struct known known;
};

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct validation *v = context;
    if (finding == HF_VALID && !v->options->verbose)
        return;
    if (!v->options->json) {
        progress_end(&v->progress);
        progress_begin(&v->progress, "checking", true);
        char *name hf_owned(hf_freep) = hf_strdup(key ? key : "");
        hf_mask_controls(name);
        printf("%-14s %s%s%s\n", hf_finding_text(finding), name, detail && *detail ? ": " : "",
               detail ? detail : "");
        return;
    }
    if (json_array_size(v->findings) >= FINDINGS_MAX) {
        v->omitted++;
        return;
    }
    json_t *doc = json_object(), *key_text = key ? json_string(key) : NULL,
           *detail_text = detail ? json_string(detail) : NULL;
    hf_doc_set_text(doc, "finding", hf_finding_text(finding));
    hf_doc_set_bool(doc, "fine", hf_finding_fine(finding));
    hf_doc_set(doc, "key", key_text ? key_text : json_null());
    hf_doc_set(doc, "detail", detail_text ? detail_text : json_null());
    json_array_append_new(v->findings, doc);
}

static void
on_progress(void *context, uint64_t digests, uint64_t objects, uint64_t objects_known)
{
    struct validation *v = context;
    (void)digests;
    progress_show(&v->progress, objects, objects_known, "objects");
}

static enum hf_status
open_another(void *context, struct hf_store **ret_store, struct hf_error *err)
{
    struct validation *v = context;
    return target_open_another(v->options, v->target, ret_store, err);
}

static void
set_time(json_t *doc, const char *key, int64_t seconds)
{
    char text[HF_TIME_SIZE];
    hf_time_rfc3339(seconds, text);
    hf_doc_set_text(doc, key, text);
}

static json_t *
head_digest(const struct hf_verify_result *result)
{
    json_t *doc = head_doc(&result->head), *host = json_string(result->head_host);
    hf_doc_set_text(doc, "journal", result->head_journal);
    hf_doc_set(doc, "host", host ? host : json_null());
    hf_doc_set_text(doc, "fingerprint", result->head_fingerprint);
    return doc;
}

static const char *
known_text(enum hf_known_state state)
{
    static const char *const texts[] = { [HF_KNOWN_UNSEEN] = "unseen",
                                         [HF_KNOWN_FOUND] = "found",
                                         [HF_KNOWN_CONTRADICTED] = "contradicted" };
    return texts[state];
}

static json_t *
known_heads(const struct known *known, const struct hf_verify_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < known->count; i++) {
        json_t *doc = head_doc(&known->heads[i].head);
        hf_doc_set_text(doc, "seen_by", known->heads[i].seen_by);
        hf_doc_set_text(doc, "result", known_text(result->known[i].state));
        json_array_append_new(list, doc);
    }
    return list;
}

static json_t *
result_doc(const struct target *target, const struct hf_verify_result *result, struct validation *v)
{
    json_t *doc = json_object(), *counts = json_object();
    hf_doc_set_u64(doc, "schema", 1);
    hf_doc_set_bool(doc, "ok", result->intact);
    hf_doc_set_bool(doc, "intact", result->intact);
    hf_doc_set_bool(doc, "unseen", result->unseen);
    hf_doc_set_text(doc, "trail", target->layout.trail);
    hf_doc_set_text(doc, "store", target->own_store.url);
    hf_doc_set_text(doc, "bucket", target->bucket);
    hf_doc_set_text(doc, "prefix", target->layout.prefix);
    hf_doc_set_text(doc, "head", result->head.key);
    hf_doc_set(doc, "head_digest", head_digest(result));
    hf_doc_set(doc, "known", known_heads(&v->known, result));
    set_time(doc, "from", result->from_s);
    set_time(doc, "to", result->to_s);
    hf_doc_set_u64(doc, "digests", result->digests);
    hf_doc_set_u64(doc, "objects", result->objects);
    hf_doc_set_u64(doc, "records", result->records);
    hf_doc_set_u64(doc, "bytes", result->bytes);
    hf_doc_set_u64(doc, "first_sequence", result->first_seq);
    hf_doc_set_u64(doc, "last_sequence", result->last_seq);
    for (size_t i = 0; i < HF_COUNT(result->findings); i++)
        hf_doc_set_u64(counts, hf_finding_text((enum hf_finding)i), result->findings[i]);
    hf_doc_set(doc, "counts", counts);
    hf_doc_set(doc, "findings", hf_take(v->findings));
    hf_doc_set_u64(doc, "findings_omitted", v->omitted);
    return doc;
}

static void
print_heads(const struct known *known, const struct hf_verify_result *result)
{
    char text[HEAD_TEXT_SIZE];
    if (result->head.number) {
        head_text(&result->head, text);
        printf("head: %s, signed by %s\n", text, result->head_fingerprint);
    }
    for (size_t i = 0; i < known->count; i++) {
        const struct hf_known_head *head = &known->heads[i];
        printf("%s: number %llu of chain %s: %s\n", head->seen_by,
               (unsigned long long)head->head.number, head->head.chain,
               known_text(result->known[i].state));
    }
    if (known->count == 0)
        puts("nobody said which head is the newest: that the end was cut off would not be seen; "
             "--state or --expect");
}

static void
print_result(const struct hf_verify_result *result, const struct known *known)
{
    char from[HF_TIME_SIZE], to[HF_TIME_SIZE], bytes[32];
    hf_time_rfc3339(result->from_s, from);
    hf_time_rfc3339(result->to_s, to);
    bytes_text(result->bytes, bytes);
    printf("%s: %llu digests, %llu objects, %llu records, %s",
           result->intact   ? "intact"
           : result->unseen ? "NOT ALL SEEN"
                            : "NOT INTACT",
           (unsigned long long)result->digests, (unsigned long long)result->objects,
           (unsigned long long)result->records, bytes);
    if (result->to_s)
        printf(", sequences %llu to %llu, from %s to %s", (unsigned long long)result->first_seq,
               (unsigned long long)result->last_seq, from, to);
    putchar('\n');
    const char *separator = "found: ";
    for (size_t i = 0; i < HF_COUNT(result->findings); i++) {
        if (i == HF_VALID || result->findings[i] == 0)
            continue;
        printf("%s%llu %s", separator, (unsigned long long)result->findings[i],
               hf_finding_text((enum hf_finding)i));
        separator = ", ";
    }
    puts(*separator == ',' ? "" : "what came after the last digest is not covered yet");
    print_heads(known, result);
}

/* Where its end is not there, the newest digest that was is named by its key as well. */
static void
say_what_agent_misses(struct validation *v, struct hf_verify_result *result)
{
    size_t at = v->known.of_agent;
    if (at == HF_KNOWN_MAX ||
        (result->known[at].finding != HF_TRUNCATED && result->known[at].finding != HF_ROLLED_BACK))
        return;
    result->findings[HF_MISSING]++;
    on_finding(v, HF_MISSING, v->known.heads[at].head.key,
               "the agent delivered this digest, and it is not there any more; the end of the "
               "chain was cut off");
}

static enum hf_finding
finding_of(const char *text)
{
    for (size_t i = 0; i < HF_FINDINGS; i++)
        if (strcmp(hf_finding_text((enum hf_finding)i), text) == 0)
            return (enum hf_finding)i;
    return HF_FORK;
}

static enum hf_status
remember(const struct options *options, struct validation *v, struct hf_verify_result *result,
         struct hf_error *err)
{
    char detail[512];
    const char *earlier = NULL;
    enum hf_status status =
        known_keep(&v->known, options, result, &earlier, detail, sizeof(detail), err);
    if (!earlier)
        return status;
    result->findings[finding_of(earlier)]++;
    result->intact = result->unseen = false;
    on_finding(v, finding_of(earlier), NULL, detail);
    return status;
}

static enum hf_status
validate(const struct options *options, struct target *target, struct validation *v,
         struct hf_verify_result *result, struct hf_error *err)
{
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
        .start_s = options->start_s,
        .end_s = options->end_s,
        .check_objects = !options->reading.no_objects,
        .check_locks = !options->reading.no_locks,
        .open_store = open_another,
        .workers = (unsigned)target->own_store.connections,
        .finding = on_finding,
        .progress = on_progress,
        .context = v,
    };
    enum hf_status status = known_open(options, target, &v->known, err);
    if (status != HF_OK)
        return status;
    verify.known = v->known.heads;
    verify.known_count = v->known.count;
    progress_begin(&v->progress, "checking", true);
    status = hf_verify(&verify, result, err);
    if (status == HF_OK && !result->signatures_absent) {
        say_what_agent_misses(v, result);
        status = remember(options, v, result, err);
    }
    progress_end(&v->progress);
    return status;
}

static int
exit_code_of(const struct hf_verify_result *result)
{
    if (result->intact)
        return EXIT_WELL;
    return result->unseen ? EXIT_LATER : EXIT_NOT_WELL;
}

int
cmd_validate(const struct options *options)
{
    struct hf_error err = { 0 };
    struct target target;
    struct hf_verify_result result = { 0 };
    struct validation v = { .options = options, .target = &target, .findings = json_array() };
    int code;
    enum hf_status status = target_choose(options, &target, &err);
    if (status == HF_OK && options->aws.print) {
        code = print_aws(options, &target);
        json_decref(v.findings);
        target_done(&target);
        return code;
    }
    if (status == HF_OK)
        status = target_load_keys(options, &target, &err);
    if (status == HF_OK)
        status = target_open_store(&target, &err);
    if (status == HF_OK)
        status = target_load_sse_c(options, &target, &err);
    if (status == HF_OK)
        status = validate(options, &target, &v, &result, &err);
    if (status != HF_OK) {
        code = say_failure(options, status, &err);
    } else if (result.signatures_absent) {
        code = say_signatures_absent(options);
    } else if (options->json) {
        code = say_json(result_doc(&target, &result, &v), exit_code_of(&result));
    } else {
        print_result(&result, &v.known);
        code = say_done(exit_code_of(&result));
    }
    known_close(&v.known);
    json_decref(v.findings);
    target_done(&target);
    return code;
}
