/* holdfast flush */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 5000 /* the agent keeps the time; this is for its answer */

static int
report(const struct options *options, json_t *reply)
{
    const char *failed = hf_doc_text_or(reply, "failed", hf_doc_text_or(reply, "error", NULL));
    bool ok = json_is_true(json_object_get(reply, "ok"));
    int code = ok ? EXIT_WELL : EXIT_LATER;
    if (!ok) {
        fprintf(stderr, "holdfast: flush: not everything is delivered and signed: %s",
                failed ? failed : "the agent gave no reason");
        if (!failed || !hf_ends_with(failed, "\n"))
            fputc('\n', stderr);
        say_hint("`holdfast status` shows what waits; what is in the journal stays there");
    }
    if (options->json)
        return say_json(reply, code);
    if (ok)
        printf("everything up to sequence %llu is delivered and signed\n",
               (unsigned long long)hf_doc_u64_or(reply, "sequence", 0));
    json_decref(reply);
    return say_done(code);
}

int
cmd_flush(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    json_t *reply = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK) {
        uint64_t timeout_ms = options->timeout_s * 1000;
        hf_owned(hf_doc_freep) json_t *request =
            json_pack("{s:s, s:I}", "command", "flush", "timeout_ms", (json_int_t)timeout_ms);
        status =
            hf_control_call(config->agent.control, request, timeout_ms + ANSWER_MS, &reply, &err);
    }
    hf_config_free(config);
    return status == HF_OK ? report(options, reply) : say_failure(options, status, &err);
}
