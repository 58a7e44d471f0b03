/* holdfast chain new */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>

#define ANSWER_MS 30000

static int
report(const struct options *options, const char *trail, json_t *reply)
{
    bool ok = json_is_true(json_object_get(reply, "ok"));
    int code = ok ? EXIT_WELL : EXIT_NOT_WELL;
    if (!ok)
        fprintf(stderr, "holdfast: chain new: %s\n",
                hf_doc_text_or(reply, "failed", hf_doc_text_or(reply, "error", "no reason given")));
    if (options->json)
        return say_json(reply, code);
    if (ok)
        printf("trail '%s' begins a new chain; its first digest names the one it came after\n",
               trail);
    json_decref(reply);
    return say_done(code);
}

/* The trail of that name, or the only one there is. */
static enum hf_status
trail_name(const struct options *options, const struct hf_config *config, const char **ret_name,
           struct hf_error *err)
{
    if (!options->trail && config->trail_count != 1)
        return hf_fail(err, HF_EUSAGE, "which trail? name it with --trail");
    *ret_name = options->trail ? options->trail : config->trails[0].name;
    if (!hf_config_trail(config, *ret_name))
        return hf_fail(err, HF_EUSAGE, "'%s' has no trail '%s'", options->config, *ret_name);
    return HF_OK;
}

int
cmd_chain_new(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    const char *name = NULL;
    json_t *reply = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK)
        status = trail_name(options, config, &name, &err);
    if (status == HF_OK) {
        hf_owned(hf_doc_freep) json_t *request =
            json_pack("{s:s, s:s}", "command", "chain-new", "trail", name);
        status = hf_control_call(config->agent.control, request, ANSWER_MS, &reply, &err);
    }
    int code = status == HF_OK ? report(options, name, reply) : say_failure(options, status, &err);
    hf_config_free(config);
    return code;
}
