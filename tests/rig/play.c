#include "tests/rig/play.h"
#include "tests/rig/calls.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define STARTS_MOST 6
#define PATIENCE_MS 30000 /* what was refused once may be had again a second later */
#define START_MS    15000
#define STEP_MS     8000

static void
trouble(struct play *play, const char *what)
{
    int status = play->agent.exit_status;
    if (*play->trouble)
        return;
    snprintf(play->trouble, sizeof(play->trouble), "%s (the agent's last end: %s %d)", what,
             WIFSIGNALED(status) ? "signal" : "exit",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Starts it if it does not run: as a supervisor would, again and again, but without doing
 * anything else. */
static bool
have_agent(struct play *play)
{
    for (int i = 0; i < STARTS_MOST; i++) {
        if (agent_runs(&play->agent) || agent_start(&play->agent, START_MS))
            return true;
        play->deaths++;
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
    trouble(play, "the agent does not start");
    return false;
}

typedef bool (*play_step)(struct play *play, unsigned argument);

static void
act(struct play *play, const char *name, play_step step, unsigned argument)
{
    char text[100];
    uint64_t until_ms = hf_boot_ms() + PATIENCE_MS;
    while (hf_boot_ms() < until_ms && !*play->trouble && have_agent(play)) {
        if (step(play, argument))
            return;
        if (*play->stream.problem)
            trouble(play, play->stream.problem);
        if (!agent_still_runs(&play->agent))
            play->deaths++;
    }
    snprintf(text, sizeof(text), "step '%s' is never done", name);
    trouble(play, text);
}

static bool
send_lines(struct play *play, unsigned end)
{
    return stream_send(&play->stream, end, STEP_MS);
}

static bool
flush(struct play *play, unsigned unused)
{
    (void)unused;
    return agent_flush(&play->agent, STEP_MS) == 0;
}

static bool
reload(struct play *play, unsigned unused)
{
    (void)unused;
    if (!play->stage->changed)
        stage_configure(play->stage, true);
    play->reloaded_ns = calls_now_ns();
    agent_reload(&play->agent);
    return true;
}

static void
write_lines(struct play *play, unsigned end)
{
    stage_write_file(play->stage, play->file_lines, end);
    play->file_lines = end;
}

void
play_init(struct play *play, struct stage *stage, struct faults *plan)
{
    *play = (struct play){ .stage = stage };
    agent_init(&play->agent, stage, plan);
    stream_init(&play->stream, stage);
}

void
play_act(struct play *play)
{
    write_lines(play, 40);
    act(play, "stream 40", send_lines, 40);
    act(play, "flush", flush, 0);
    write_lines(play, 60);
    act(play, "stream 60", send_lines, 60);
    agent_kill(&play->agent);
    stage_rotate(play->stage);
    write_lines(play, 80);
    act(play, "stream 80", send_lines, 80);
    act(play, "flush", flush, 0);
    act(play, "reload", reload, 0);
    write_lines(play, 100);
    act(play, "stream 300", send_lines, 300); /* more than one window takes */
    if (have_agent(play) && !agent_stop(&play->agent, 12000))
        play->deaths++;
}

void
play_finish(struct play *play)
{
    play->agent.plan = NULL;
    act(play, "stream at the end", send_lines, HF_MAX(play->stream.acknowledged, 300));
    act(play, "flush at the end", flush, 0);
    if (!*play->trouble && !agent_stop(&play->agent, 12000))
        trouble(play, "the agent does not stop well");
}

bool
play_ask(struct play *play, struct oracle *oracle)
{
    *oracle = (struct oracle){ .lines = { play->file_lines, play->stream.acknowledged } };
    bool well = !*play->trouble && oracle_ask(oracle, play->stage);
    oracle->lost += play->stream.taken_back;
    if (*play->trouble)
        snprintf(oracle->text, sizeof(oracle->text), "%s", play->trouble);
    else if (play->stream.taken_back)
        snprintf(oracle->text, sizeof(oracle->text),
                 "%u acknowledged lines were not known any more", play->stream.taken_back);
    return well && play->stream.taken_back == 0;
}

void
play_done(struct play *play)
{
    agent_done(&play->agent);
}
