/* The agent in a child of this process, on a stage, with a plan of faults. */
#ifndef HOLDFAST_TESTS_RIG_AGENT_H
#define HOLDFAST_TESTS_RIG_AGENT_H

#include "tests/rig/faults.h"
#include "tests/rig/stage.h"

#include <sys/types.h>

struct agent {
    struct stage *stage;
    struct faults *plan; /* NULL: none */
    pid_t pid;           /* 0: does not run */
    int notify_fd, pid_fd;
    int exit_status; /* as waitpid() gave it, of the last one */
    unsigned starts;
    int64_t worst_start_ms;
};

void agent_init(struct agent *agent, struct stage *stage, struct faults *plan);
/* Starts it and waits until it is ready. False: it ended instead, or did not get there in time
 * (then it was killed). */
bool agent_start(struct agent *agent, int64_t most_ms);
bool agent_runs(struct agent *agent); /* looks; an agent that ended is collected */
bool agent_still_runs(
    struct agent
        *agent); /* the same after something failed: gives it the moment that dying takes */
void agent_kill(struct agent *agent);
/* TERM, and waits. False: it had to be killed, or ended otherwise than with 0. */
bool agent_stop(struct agent *agent, int64_t most_ms);
/* One flush: 0 all delivered and signed, 1 not all, -1 no answer. */
int agent_flush(struct agent *agent, int64_t most_ms);
void agent_reload(struct agent *agent);
void agent_done(struct agent *agent);

#endif
