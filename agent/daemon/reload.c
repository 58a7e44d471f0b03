/* SIGHUP: sources and trails change, all or nothing; what the whole process stands on does not. */
#include "agent/daemon/daemon_impl.h"
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static enum hf_status
change_stages(struct hf_daemon *daemon, struct hf_config *config, struct hf_error *err)
{
    enum hf_status status = hf_intake_configure(daemon->intake, config, err);
    if (status != HF_OK)
        return status;
    status = hf_trails_configure(daemon->trails, hf_config_ref(config), err);
    if (status != HF_OK) {
        hf_config_unref(config);
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
    const char *fixed = hf_config_agent_changed(&daemon->agent, &config->agent),
               *now = daemon->config->agent.metrics, *then = config->agent.metrics;
    bool moves = !now != !then || (now && strcmp(now, then) != 0);
    if (fixed)
        return hf_fail(err, HF_ECONFIG, "agent.%s changes only with a restart", fixed);
    enum hf_status status = HF_OK;
    if (moves)
        status = metrics_listen(daemon, config->agent.metrics, &listener, err);
    if (status == HF_OK) {
        hf_intake_hold(daemon->intake);
        status = change_stages(daemon, config, err);
        hf_intake_let_go(daemon->intake);
    }
    if (status != HF_OK) {
        metrics_close(listener);
        return status;
    }
    if (moves) {
        metrics_close(daemon->metrics);
        daemon->metrics = listener;
    }
    hf_config_unref(daemon->config);
    daemon->config = hf_config_ref(config);
    atomic_store(&daemon->provenance, config->agent.provenance == HF_PROVENANCE_FULL);
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
        hf_config_unref(config);
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
