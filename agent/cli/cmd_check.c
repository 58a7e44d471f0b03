/* holdfast check: looks, changes nothing. */
#include "check.h"
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>

#define ANSWER_MS 2000

static void
check_agent(const struct hf_config *config, struct lines *lines)
{
    struct hf_error err = { 0 };
    json_t *reply = NULL, *request = json_pack("{s:s}", "command", "status");
    enum hf_status status =
        hf_control_call(config->agent.control, request, ANSWER_MS, &reply, &err);
    json_decref(request);
    if (status != HF_OK) {
        lines_add(lines, LINE_NOTE, "agent", NULL, "none answers at '%s'", config->agent.control);
        return;
    }
    bool well = json_is_true(json_object_get(reply, "ok"));
    const json_t *agent = json_object_get(reply, "agent");
    lines_add(lines, well ? LINE_OK : LINE_FAIL, "agent", well ? NULL : "holdfast status",
              "pid %llu answers%s", (unsigned long long)hf_doc_u64_or(agent, "pid", 0),
              well ? "" : ", and not all is well");
    json_decref(reply);
}

int
cmd_check(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    struct lines lines;
    enum hf_status status = config_open(options, &config, &err);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    lines_begin(&lines, options);
    lines_add(&lines, LINE_OK, "configuration", NULL, "%s", config->path);
    check_host(config, &lines);
    check_agent(config, &lines);
    check_sources(config, &lines);
    for (size_t i = 0; i < config->trail_count; i++)
        check_trail(&config->trails[i], &lines);
    check_stores(config, options, &lines);
    hf_config_free(config);
    /* What cannot be reached fails the check like anything else: nobody is to run on it. */
    lines.unreachable = false;
    return lines_end(&lines, "checks");
}
