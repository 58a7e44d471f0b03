/* SIGHUP: sources and trails change, all or nothing; what the whole process stands on does not. */
#include "agent/daemon/daemon_impl.h"
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static enum hf_status
check_fixed(const struct hf_config *now, const struct hf_config *then, struct hf_error *err)
{
    const struct hf_config_agent *a = &now->agent, *b = &then->agent;
    const char *changed = NULL;
    if (!same_text(a->state_dir, b->state_dir))
        changed = "state_dir";
    else if (!same_text(a->account, b->account))
        changed = "account";
    else if (!same_text(a->region, b->region))
        changed = "region";
    else if (!same_text(a->control, b->control))
        changed = "control";
    else if (a->journal_max_bytes != b->journal_max_bytes ||
             a->journal_segment_bytes != b->journal_segment_bytes)
        changed = "journal";
    else if (a->sealers != b->sealers)
        changed = "sealers";
    return changed ? hf_fail(err, HF_ECONFIG, "agent.%s changes only with a restart", changed)
                   : HF_OK;
}

static enum hf_status
change_stages(struct hf_daemon *daemon, struct hf_config *config, struct hf_error *err)
{
    enum hf_status status = hf_intake_configure(daemon->intake, config, err);
    if (status != HF_OK)
        return status;
    status = hf_trails_configure(daemon->trails, config, err);
    if (status != HF_OK) {
        struct hf_error back;
        if (hf_intake_configure(daemon->intake, daemon->config, &back) != HF_OK)
            hf_log_error("reload.failed", HF_ERR(&back));
    }
    return status;
}

/* The new listener stands before anything else changes, the old one goes when nothing can fail
 * any more. */
static enum hf_status
apply(struct hf_daemon *daemon, struct hf_config *config, struct hf_error *err)
{
    struct metrics_listener *listener = NULL;
    bool moves = !same_text(daemon->config->agent.metrics, config->agent.metrics);
    enum hf_status status = check_fixed(daemon->config, config, err);
    if (status == HF_OK && moves)
        status = metrics_listen(daemon, config->agent.metrics, &listener, err);
    if (status == HF_OK)
        status = change_stages(daemon, config, err);
    if (status != HF_OK) {
        metrics_close(listener);
        return status;
    }
    if (moves) {
        metrics_close(daemon->metrics);
        daemon->metrics = listener;
    }
    daemon->config = config;
    daemon->config_loaded_s = hf_wall_s();
    return HF_OK;
}

void
daemon_reload(struct hf_daemon *daemon)
{
    struct hf_error err;
    struct hf_config *config;
    struct timespec now;
    char text[64];
    if (daemon->stopping)
        return;
    hf_deadline_in(0, &now);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    sd_notify(0, text);
    enum hf_status status = hf_config_load(daemon->config_path, &config, &err);
    if (status == HF_OK) {
        status = apply(daemon, config, &err);
        if (status != HF_OK)
            hf_config_free(config);
    }
    if (status == HF_OK) {
        hf_log_setup((enum hf_log_level)daemon->config->agent.log_level,
                     daemon->config->agent.log_format == 1);
        hf_log_info("agent.reloaded", HF_STR("config", daemon->config_path));
        own_event_soon(daemon, "AgentReload", json_pack("{s:s}", "config", daemon->config_path));
    } else {
        daemon->config_refused++;
        hf_log_error("reload.refused", HF_ERR(&err),
                     HF_STR("hint", "the agent goes on with the configuration it has"));
    }
    sd_notify(0, "READY=1");
}
