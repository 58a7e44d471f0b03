/* daemon: the agent itself (`holdfast run`), the only place that knows all stages; and the way
 * other commands talk to it.
 *
 * Control socket (agent.control, default STATE_DIR/control.sock, mode 0600): the client sends one
 * line of JSON {"command":"status"} or {"command":"flush","timeout_ms":60000}, the agent answers
 * with one line of JSON and closes. Answers are described in agent/cli/JSON.md.
 */
#ifndef HOLDFAST_DAEMON_H
#define HOLDFAST_DAEMON_H

#include <holdfast/base.h>
#include <jansson.h>

#define HF_CONTROL_REQUEST_MAX 4096
#define HF_CONTROL_REPLY_MAX   (8u << 20)

/* Runs until SIGTERM or SIGINT (or the end of stdin, when that is the only source); then stops
 * cleanly within 10 s. Reads the configuration from `config_path` and again at SIGHUP.
 * HF_ECONFIG, HF_EBUSY, ... only for local faults: what is wrong at a store holds a trail. */
enum hf_status hf_daemon_run(const char *config_path, struct hf_error *err) hf_must_check;

/* May an agent with this configuration start on its state_dir? What can be seen of it without a
 * change. HF_EVERSION, HF_ECONFIG. */
struct hf_config;
enum hf_status hf_daemon_check_state(const struct hf_config *config,
                                     struct hf_error *err) hf_must_check;

/* One request to a running agent. HF_EUNREACHABLE when none listens. The reply is the caller's
 * (json_decref). */
enum hf_status hf_control_call(const char *socket_path, const json_t *request, uint64_t timeout_ms,
                               json_t **ret_reply, struct hf_error *err) hf_must_check;

/* Prometheus' text format 0.0.4 from the answer to `status`, and agent/daemon/METRICS.md.
 * HF_ELIMIT where it does not fit. */
#define HF_METRICS_MAX          (4u << 20)
#define HF_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
enum hf_status hf_metrics_text(const json_t *answer, struct hf_buf *ret_text) hf_must_check;
enum hf_status hf_metrics_reference(struct hf_buf *ret_markdown) hf_must_check;

#endif
