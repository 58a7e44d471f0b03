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

static void
print_head(const json_t *trail, const char *name)
{
    struct hf_head head;
    char text[HEAD_TEXT_SIZE];
    if (!head_of_status(trail, &head)) {
        say_note("trail '%s' has no digest yet", name);
        return;
    }
    head_text(&head, text);
    printf("%s  %s  %s\n", text, name, hf_doc_text_or(trail, "last_digest", ""));
}

static json_t *
doc_of(const json_t *trail, const char *name)
{
    struct hf_head head;
    json_t *doc = head_of_status(trail, &head) ? head_doc(&head) : json_pack("{s:i}", "number", 0);
    hf_doc_set_text(doc, "trail", name);
    json_object_set(doc, "bucket", json_object_get(trail, "digest_bucket"));
    json_object_set(doc, "time", json_object_get(trail, "last_digest"));
    return doc;
}

/* The trails that were asked for, as the agent knows them. */
static size_t
tell(const struct options *options, const json_t *reply, json_t *list)
{
    const json_t *trail;
    size_t index, count = 0;
    json_array_foreach(json_object_get(reply, "trails"), index, trail)
    {
        const char *name = hf_doc_text_or(trail, "name", "");
        if (options->trail && strcmp(options->trail, name) != 0)
            continue;
        count++;
        if (options->json)
            json_array_append_new(list, doc_of(trail, name));
        else
            print_head(trail, name);
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
    size_t count = tell(options, reply, list);
    if (options->json)
        return say_json(json_pack("{s:i, s:b, s:O}", "schema", 1, "ok", count > 0, "heads", list),
                        count > 0 ? EXIT_WELL : EXIT_NOT_WELL);
    return say_done(count > 0 ? EXIT_WELL : EXIT_NOT_WELL);
}
