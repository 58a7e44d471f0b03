#include "tests/rig/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void
agent_init(struct agent *agent, struct stage *stage, struct faults *plan)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *agent = (struct agent){ .stage = stage, .plan = plan, .pid_fd = -1 };
    agent->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/notify", stage->folder);
    if (agent->notify_fd < 0 ||
        bind(agent->notify_fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        stage_die("binding '%s': %m", address.sun_path);
}

static void
be_agent(const struct agent *agent)
{
    char path[HF_PATH_MAX];
    struct hf_error err = { 0 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stage_path(agent->stage, "notify", path);
    setenv("NOTIFY_SOCKET", path, 1);
    stage_path(agent->stage, "agent.log", path);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    stage_path(agent->stage, "holdfast.yaml", path);
    if (agent->plan)
        fault_plan_begin(agent->plan);
    enum hf_status status = hf_daemon_run(path, &err);
    hf_fs_interpose(NULL, NULL);
    if (status != HF_OK)
        dprintf(STDERR_FILENO, "ended: %s\n", err.text);
    _exit(status == HF_OK ? 0 : 4);
}

static void
collect(struct agent *agent)
{
    while (waitpid(agent->pid, &agent->exit_status, 0) < 0 && errno == EINTR)
        ;
    close(agent->pid_fd);
    agent->pid = 0;
    agent->pid_fd = -1;
}

static bool
runs_after(struct agent *agent, int wait_ms)
{
    struct pollfd ended = { .fd = agent->pid_fd, .events = POLLIN };
    if (agent->pid && poll(&ended, 1, wait_ms) == 1)
        collect(agent);
    return agent->pid != 0;
}

bool
agent_runs(struct agent *agent)
{
    return runs_after(agent, 0);
}

/* The connections of a process that is killed close a little before it has ended. */
bool
agent_still_runs(struct agent *agent)
{
    return runs_after(agent, 200);
}

/* READY=1 on the socket, or the end of the process. Messages of an earlier agent may still lie
 * there. */
static bool
await_ready(struct agent *agent, int64_t most_ms)
{
    int64_t until_ms = (int64_t)hf_boot_ms() + most_ms;
    for (;;) {
        char text[256];
        int64_t left_ms = until_ms - (int64_t)hf_boot_ms();
        struct pollfd either[2] = { { .fd = agent->notify_fd, .events = POLLIN },
                                    { .fd = agent->pid_fd, .events = POLLIN } };
        if (left_ms <= 0 || (poll(either, 2, (int)left_ms) < 0 && errno != EINTR))
            return false;
        if (either[0].revents) {
            ssize_t size = recv(agent->notify_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
            text[size > 0 ? size : 0] = '\0';
            if (strstr(text, "READY=1"))
                return true;
        } else if (either[1].revents) {
            return false;
        }
    }
}

bool
agent_start(struct agent *agent, int64_t most_ms)
{
    char drop[256];
    while (recv(agent->notify_fd, drop, sizeof(drop), MSG_DONTWAIT) >= 0)
        ;
    int64_t began_ms = (int64_t)hf_boot_ms();
    agent->starts++;
    agent->pid = fork();
    if (agent->pid == 0)
        be_agent(agent);
    if (agent->pid < 0)
        stage_die("no process: %m");
    agent->pid_fd = (int)syscall(SYS_pidfd_open, agent->pid, 0);
    if (agent->pid_fd < 0)
        stage_die("no descriptor of a process: %m");
    bool ready = await_ready(agent, most_ms);
    int64_t took_ms = (int64_t)hf_boot_ms() - began_ms;
    agent->worst_start_ms = HF_MAX(agent->worst_start_ms, took_ms);
    if (!ready && agent_runs(agent))
        agent_kill(agent);
    return ready;
}

/* What stands in the log of calls was done: nobody is killed between the two. */
static void
freeze(const struct agent *agent)
{
    if (!agent->plan || agent->plan->log_fd < 0)
        return;
    atomic_store(&agent->plan->frozen, true);
    nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

void
agent_kill(struct agent *agent)
{
    if (!agent->pid)
        return;
    freeze(agent);
    kill(agent->pid, SIGKILL);
    collect(agent);
    if (agent->plan)
        atomic_store(&agent->plan->frozen, false);
}

bool
agent_stop(struct agent *agent, int64_t most_ms)
{
    struct pollfd ended = { .fd = agent->pid_fd, .events = POLLIN };
    if (!agent_runs(agent))
        return false;
    kill(agent->pid, SIGTERM);
    if (poll(&ended, 1, (int)most_ms) != 1) {
        agent_kill(agent);
        return false;
    }
    collect(agent);
    return WIFEXITED(agent->exit_status) && WEXITSTATUS(agent->exit_status) == 0;
}

int
agent_flush(struct agent *agent, int64_t most_ms)
{
    char path[HF_PATH_MAX];
    json_t *reply = NULL, *request = json_pack("{s:s, s:I}", "command", "flush", "timeout_ms",
                                               (json_int_t)most_ms);
    stage_path(agent->stage, "state/control.sock", path);
    enum hf_status status = hf_control_call(path, request, (uint64_t)most_ms + 2000, &reply, NULL);
    int result = status != HF_OK ? -1 : json_is_true(json_object_get(reply, "ok")) ? 0 : 1;
    json_decref(request);
    json_decref(reply);
    return result;
}

void
agent_reload(struct agent *agent)
{
    if (agent_runs(agent))
        kill(agent->pid, SIGHUP);
}

void
agent_done(struct agent *agent)
{
    agent_kill(agent);
    close(agent->notify_fd);
}
