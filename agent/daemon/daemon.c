#include "agent/daemon/daemon_impl.h"
#include <stdlib.h>
#include <systemd/sd-daemon.h>

static void
announce(struct hf_daemon *daemon)
{
    hf_log_info("agent.started", HF_STR("version", HF_VERSION),
                HF_STR("host", daemon->identity.host), HF_STR("journal", daemon->identity.journal),
                HF_NUM("trails", daemon->config->trail_count),
                HF_NUM("sources", daemon->config->source_count));
    clock_watch_note(daemon, "AgentStart",
                     json_pack("{s:s, s:s, s:s}", "boot", daemon->identity.boot, "version",
                               HF_VERSION, "machine", daemon->identity.machine));
    sd_notify(0, "READY=1");
}

enum hf_status
hf_daemon_run(const char *config_path, struct hf_error *err)
{
    struct hf_daemon *daemon = hf_alloc(sizeof(*daemon));
    daemon->lock_fd = daemon->clock.fd = -1;
    daemon->started_s = hf_wall_s();
    char path[HF_PATH_MAX]; /* where the loader cannot find it, it says so itself */
    daemon->config_path =
        hf_strdup(hf_fs_real_path(config_path, path, NULL) == HF_OK ? path : config_path);
    enum hf_status status = daemon_open(daemon, err);
    if (status == HF_OK) {
        announce(daemon);
        loop_turns(daemon);
        hf_log_info("agent.stopped");
    }
    daemon_close(daemon);
    hf_freep(&daemon);
    return status;
}
