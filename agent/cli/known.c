#include "known.h"
#include "head.h"

#include <holdfast/config.h>
#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 2000

/* What `holdfast status` says of the target's trail; NULL: no agent answers, we may not ask, or its
 * newest digest lies elsewhere. */
static json_t *
agent_trail(const struct target *target)
{
    hf_owned(hf_doc_freep) json_t *request = NULL, *reply = NULL;
    char prefix[HF_KEY_MAX];
    json_t *trail;
    size_t index;
    if (!target->trail)
        return NULL;
    request = json_pack("{s:s}", "command", "status");
    if (hf_control_call(target->config->agent.control, request, ANSWER_MS, &reply, NULL) != HF_OK)
        return NULL;
    hf_layout_digest_prefix(&target->layout, prefix);
    json_array_foreach(json_object_get(reply, "trails"), index, trail)
    {
        const char *head = hf_doc_text_or(trail, "digest_key", "");
        const char *bucket = /* after a move it is the old one, until there is a digest */
            hf_doc_text_or(trail, "digest_bucket", hf_doc_text_or(trail, "bucket", ""));
        if (strcmp(hf_doc_text_or(trail, "name", ""), target->trail->name) == 0 &&
            strcmp(bucket, target->bucket) == 0 && hf_starts_with(head, prefix))
            return json_incref(trail);
    }
    return NULL;
}

static void
add_agents(struct known *known, const struct target *target)
{
    struct hf_known_head *head = &known->heads[known->count];
    hf_owned(hf_doc_freep) json_t *trail = agent_trail(target);
    if (!trail || !head_of_status(trail, &head->head))
        return;
    head->seen_by = "the agent";
    known->of_agent = known->count++;
}

static enum hf_status
add_expected(struct known *known, const struct named *expect, struct hf_error *err)
{
    for (size_t i = 0; i < expect->count; i++) {
        struct hf_known_head *head = &known->heads[known->count];
        if (known->count + 1 >= HF_KNOWN_MAX) /* one is the state's */
            return hf_fail(err, HF_EUSAGE, "--expect: too many of them");
        if (!head_parse(expect->items[i], &head->head))
            return hf_fail(err, HF_EUSAGE,
                           "--expect: '%.120s' is no head: CHAIN:NUMBER:SHA256, as `holdfast head` "
                           "prints it",
                           expect->items[i]);
        head->seen_by = "--expect";
        known->count++;
    }
    return HF_OK;
}

static enum hf_status
add_remembered(struct known *known, const struct options *options, const struct target *target,
               struct hf_error *err)
{
    const char *bucket =
        options->reading.original_bucket ? options->reading.original_bucket : target->bucket;
    if (!target->layout.trail)
        return hf_fail(err, HF_EUSAGE, "--state keeps a head for each trail: name it with --trail");
    enum hf_status status =
        memory_open(options->memory.state, bucket, &target->layout, &known->memory, err);
    if (status == HF_OK && options->memory.accept)
        status = memory_accept(&known->memory, options->memory.accept, err);
    if (status == HF_OK && memory_head(&known->memory, &known->heads[known->count].head)) {
        known->heads[known->count].seen_by = "the state";
        known->of_state = known->count++;
    }
    return status;
}

enum hf_status
known_open(const struct options *options, const struct target *target, struct known *ret_known,
           struct hf_error *err)
{
    enum hf_status status = HF_OK;
    *ret_known = (struct known){ .of_agent = HF_KNOWN_MAX, .of_state = HF_KNOWN_MAX };
    if (!options->end_s)
        add_agents(ret_known, target);
    status = add_expected(ret_known, &options->memory.expect, err);
    if (status == HF_OK && options->memory.state)
        status = add_remembered(ret_known, options, target, err);
    return status;
}

enum hf_status
known_keep(struct known *known, const struct options *options,
           const struct hf_verify_result *result, const char **ret_finding, char *ret_detail,
           size_t size, struct hf_error *err)
{
    bool has = known->of_state < HF_KNOWN_MAX;
    enum hf_known_state state = has ? result->known[known->of_state].state : HF_KNOWN_UNSEEN;
    *ret_finding = NULL;
    if (!known->memory.doc)
        return HF_OK;
    if (state != HF_KNOWN_CONTRADICTED)
        *ret_finding = memory_contradiction(&known->memory, ret_detail, size);
    if (!options->end_s)
        memory_see(&known->memory, result, state,
                   has ? hf_finding_text(result->known[known->of_state].finding) : NULL);
    return memory_save(&known->memory, err);
}

void
known_close(struct known *known)
{
    memory_close(&known->memory);
}
