/* holdfast api */
#include "commands.h"
#include "keys.h"
#include "say.h"
#include "target.h"

#include <holdfast/api.h>
#include <holdfast/daemon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 2000

static json_t *
keys(void *context, struct hf_error *err)
{
    json_t *doc = NULL;
    return keys_doc(context, &doc, err) == HF_OK ? doc : NULL;
}

static json_t *
agent_status(void *context)
{
    const struct hf_config *config = context;
    json_t *reply = NULL, *request = json_pack("{s:s}", "command", "status");
    if (hf_control_call(config->agent.control, request, ANSWER_MS, &reply, NULL) != HF_OK)
        reply = NULL;
    json_decref(request);
    return reply;
}

static void
ready(void *context, const char *address, uint16_t port)
{
    (void)context;
    bool six = strchr(address, ':') != NULL;
    printf("listening on http://%s%s%s:%u\n", six ? "[" : "", address, six ? "]" : "", port);
    fflush(stdout);
}

static enum hf_status
serve(const struct options *options, struct hf_config *config, struct hf_error *err)
{
    char address[64], host[256];
    uint16_t port;
    if (!hf_listen_parse(options->serve.listen, address, &port))
        return hf_fail(err, HF_EUSAGE,
                       "--listen: '%s' is not ADDRESS:PORT, such as 127.0.0.1:8099 or [::1]:8099",
                       options->serve.listen);
    if (!hf_is_loopback(address) && !options->serve.allow_remote)
        return hf_fail(err, HF_EUSAGE,
                       "%s is not of this host's loopback, and nobody who asks is authenticated; "
                       "--allow-remote listens there all the same",
                       address);
    if (!hf_is_loopback(address))
        say_note("listening on %s: whoever reaches it learns the names of trails and buckets, "
                 "delivery times and public keys",
                 address);
    struct hf_api_trail *trails = hf_alloc(HF_MAX(config->trail_count, 1u) * sizeof(*trails));
    host_name(config, host);
    for (size_t i = 0; i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        trails[i] = (struct hf_api_trail){
            .name = trail->name,
            .bucket = trail->bucket,
            .prefix = trail->prefix ? trail->prefix : host,
            .organization = config->agent.organization,
            .kms_key_id = trail->encryption == HF_ENCRYPT_SSE_KMS ? trail->kms_key_id : NULL,
        };
    }
    struct hf_api_options api = {
        .account = config->agent.account,
        .region = config->agent.region,
        .trails = trails,
        .trail_count = config->trail_count,
        .any_host = options->serve.allow_remote,
        .keys = keys,
        .agent_status = agent_status,
        .context = config,
    };
    enum hf_status status = hf_api_serve(&api, address, port, ready, err);
    free(trails);
    return status;
}

int
cmd_api(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK)
        status = serve(options, config, &err);
    hf_config_free(config);
    return status == HF_OK ? say_done(EXIT_WELL) : say_failure(options, status, &err);
}
