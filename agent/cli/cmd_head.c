/* holdfast head */
#include "commands.h"
#include "head.h"
#include "say.h"
#include "target.h"

#include <holdfast/config.h>
#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 5000

/* The trails that were asked for, as the agent knows them. */
static size_t
print_heads(const struct options *options, const json_t *reply, json_t *list)
{
    const json_t *trail;
    size_t index, count = 0;
    json_array_foreach(json_object_get(reply, "trails"), index, trail)
    {
        const char *name = hf_doc_text_or(trail, "name", "");
        const char *sha256 = hf_doc_text_or(trail, "digest_sha256", NULL);
        if (options->trail && strcmp(options->trail, name) != 0)
            continue;
        count++;
        if (options->json) {
            json_array_append_new(list,
                                  json_pack("{s:s, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?}",
                                            "trail", name, "chain", json_object_get(trail, "chain"),
                                            "number", json_object_get(trail, "digest_number"),
                                            "sha256", json_object_get(trail, "digest_sha256"),
                                            "signature", json_object_get(trail, "digest_signature"),
                                            "bucket", json_object_get(trail, "digest_bucket"),
                                            "key", json_object_get(trail, "digest_key"), "time",
                                            json_object_get(trail, "last_digest")));
        } else if (sha256) {
            printf("%s:%llu:%s  %s  %s\n", hf_doc_text_or(trail, "chain", ""),
                   (unsigned long long)hf_doc_u64_or(trail, "digest_number", 0), sha256, name,
                   hf_doc_text_or(trail, "last_digest", ""));
        } else {
            say_note("trail '%s' has no digest yet", name);
        }
    }
    return count;
}

int
cmd_head(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    hf_owned(hf_doc_freep) json_t *request = json_pack("{s:s}", "command", "status"), *reply = NULL,
                                  *list = json_array();
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK && options->trail && !hf_config_trail(config, options->trail))
        status =
            hf_fail(&err, HF_EUSAGE, "'%s' has no trail '%s'", options->config, options->trail);
    if (status == HF_OK)
        status = hf_control_call(config->agent.control, request, ANSWER_MS, &reply, &err);
    hf_config_free(config);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    size_t count = print_heads(options, reply, list);
    if (options->json)
        return say_json(json_pack("{s:i, s:b, s:O}", "schema", 1, "ok", count > 0, "heads", list),
                        count > 0 ? EXIT_WELL : EXIT_NOT_WELL);
    return say_done(count > 0 ? EXIT_WELL : EXIT_NOT_WELL);
}
