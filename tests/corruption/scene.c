#include "tests/corruption/scene.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define START_MS 15000
#define STEP_MS  10000

/* The second trail stands last. */
static void
drop_second_trail(const struct stage *stage)
{
    char path[HF_PATH_MAX];
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 16);
    stage_path(stage, "holdfast.yaml", path);
    if (hf_fs_read_file(path, 1u << 16, &text, &err) != HF_OK)
        stage_die("%s", err.text);
    const char *second = strstr(hf_buf_text(&text), "  - { name: sealed");
    if (!second ||
        hf_fs_replace(path, text.ptr, (size_t)(second - hf_buf_text(&text)), 0600, &err) != HF_OK)
        stage_die("the second trail stays in '%s'", path);
}

/* ---- up to the kill ---- */

static void
start(struct agent *agent)
{
    if (!agent_start(agent, START_MS))
        stage_die("the agent does not start: see '%s/agent.log'", agent->stage->folder);
}

static void
send_lines(struct scene *scene, unsigned file_end, unsigned stream_end)
{
    stage_write_file(&scene->stage, scene->after[WAY_FILE], file_end);
    scene->after[WAY_FILE] = file_end;
    if (!stream_send(&scene->stream, stream_end, STEP_MS))
        stage_die("the stream does not get through");
    scene->after[WAY_STREAM] = stream_end;
}

static uint64_t
ask_number(const struct stage *stage, const char *list, size_t index, const char *key)
{
    char path[HF_PATH_MAX];
    json_t *reply = NULL;
    hf_owned(hf_doc_freep) json_t *request = json_pack("{s:s}", "command", "status");
    stage_path(stage, "state/control.sock", path);
    if (hf_control_call(path, request, STEP_MS, &reply, NULL) != HF_OK)
        stage_die("the agent gives no status");
    const json_t *object = list ? json_array_get(json_object_get(reply, list), index)
                                : json_object_get(reply, "journal");
    uint64_t number = hf_doc_u64_or(object, key, UINT64_MAX);
    json_decref(reply);
    return number;
}

/* Until the number is at least this. */
static void
await_number(const struct stage *stage, const char *list, size_t index, const char *key,
             uint64_t least)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t number = ask_number(stage, list, index, key);
        if (number != UINT64_MAX && number >= least)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    stage_die("'%s' of %s does not become %llu", key, list ? list : "the journal",
              (unsigned long long)least);
}

static void
await_read(const struct scene *scene)
{
    await_number(&scene->stage, "sources", 0, "events", 1);
    for (int i = 0; i < 1000 && ask_number(&scene->stage, "sources", 0, "behind_bytes") != 0; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static void
move_store(const struct stage *stage, const char *from, const char *to)
{
    char old_path[HF_PATH_MAX], new_path[HF_PATH_MAX];
    struct hf_error err;
    stage_path(stage, from, old_path);
    stage_path(stage, to, new_path);
    if (hf_fs_rename(old_path, new_path, &err) != HF_OK)
        stage_die("%s", err.text);
}

/* The encrypting trail's windows are smaller: it has sealed one whose events the other one has
 * not cut yet. */
static void
await_held_window(const struct stage *stage)
{
    uint64_t cut_seq = ask_number(stage, "trails", 0, "cut_sequence");
    await_number(stage, "trails", 1, "sealed_sequence", cut_seq + 1);
    if (ask_number(stage, "trails", 0, "cut_sequence") != cut_seq)
        stage_die("the first trail cuts, too: nothing keeps the journal");
}

void
scene_make(struct scene *scene, const char *folder, const char *shared)
{
    struct agent agent;
    *scene = (struct scene){ .oldest_seq = 0 };
    stage_make(&scene->stage, folder, shared, NULL);
    stage_configure(&scene->stage, true);
    stream_init(&scene->stream, &scene->stage);
    agent_init(&agent, &scene->stage, NULL);
    start(&agent);
    send_lines(scene, 40, 40);
    if (agent_flush(&agent, STEP_MS) != 0)
        stage_die("the first flush fails");
    send_lines(scene, 60, 300); /* some windows end by size */
    for (size_t t = 0; t < 2; t++)
        await_number(&scene->stage, "trails", t, "objects_undigested", 1);
    move_store(&scene->stage, "root/evidence", "root/away");
    send_lines(scene, 80, 400);
    await_read(scene);
    agent_stop(&agent, 20000); /* signs what was delivered, and cannot send it */
    start(&agent);
    send_lines(scene, 100, 500);
    await_read(scene);
    if (agent_flush(&agent, 1500) ==
        0) /* all is sealed, and a journal for a trail that encrypts lets it go */
        stage_die("a flush to a store that is away works");
    send_lines(scene, 115, 575);
    await_read(scene);
    await_held_window(&scene->stage);
    nanosleep(&(struct timespec){ .tv_nsec = 500000000 },
              NULL); /* the mark behind the last line is written */
    scene->known[WAY_FILE] = scene->after[WAY_FILE];
    scene->known[WAY_STREAM] = scene->stream.acknowledged;
    agent_kill(&agent);
    stage_write_file(&scene->stage, scene->after[WAY_FILE], scene->after[WAY_FILE] + 10);
    scene->after[WAY_FILE] += 10;
    scene->after[WAY_STREAM] += 20;
    move_store(&scene->stage, "root/away", "root/evidence");
    agent_done(&agent);
}

/* ---- a copy, and its end ---- */

void
scene_copy(const struct scene *scene, const char *folder, bool drains, struct stage *ret_stage)
{
    static const char *const parts[] = { "state", "root" };
    stage_make(ret_stage, folder, scene->stage.shared, scene->stage.logs);
    stage_configure(ret_stage, true);
    for (size_t i = 0; i < HF_COUNT(parts); i++) {
        char from[HF_PATH_MAX], to[HF_PATH_MAX];
        stage_path(&scene->stage, parts[i], from);
        stage_path(ret_stage, parts[i], to);
        char *part = strrchr(to, '/');
        *part = '\0';
        stage_copy_tree(from, to);
    }
    if (drains)
        drop_second_trail(ret_stage);
}

uint64_t
scene_oldest_seq(const struct stage *stage)
{
    char path[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(8u << 20);
    stage_path(stage, "agent.log", path);
    if (hf_fs_read_file(path, 8u << 20, &text, NULL) != HF_OK)
        return 0;
    const char *oldest = strstr(hf_buf_text(&text), "oldest=");
    return oldest ? strtoull(oldest + strlen("oldest="), NULL, 10) : 0;
}

/* What the log says in any of these was seen by whoever runs the agent. */
static bool
log_tells(const struct stage *stage, char ret_end[300])
{
    static const char *const words[] = { "journal.loss",     "ledger.repaired", "ledger.rebuilt",
                                         "ledger.torn",      "sealed.damaged",  "trail.held",
                                         "settings.damaged", "ended:" };
    char path[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(8u << 20);
    stage_path(stage, "agent.log", path);
    if (hf_fs_read_file(path, 8u << 20, &text, NULL) != HF_OK)
        return false;
    const char *all = hf_buf_text(&text), *end = strstr(all, "ended:");
    snprintf(ret_end, 300, "%.290s", end ? end : "");
    bool tells = false;
    for (size_t i = 0; i < HF_COUNT(words); i++)
        tells = tells || strstr(all, words[i]);
    for (const char *torn = all; !tells && (torn = strstr(torn, "torn_bytes=")) != NULL; torn++)
        tells = torn[strlen("torn_bytes=")] != '0';
    return tells;
}

void
scene_finish(const struct scene *scene, struct stage *stage, struct scene_end *ret_end)
{
    struct agent agent;
    struct stream stream = scene->stream;
    struct scene_end end = { .started = false };
    char notify[HF_PATH_MAX];
    stage_path(stage, "notify", notify);
    (void)unlink(notify);
    agent_init(&agent, stage, NULL);
    stream.stage = stage;
    end.started = agent_start(&agent, START_MS);
    end.start_ms = agent.worst_start_ms;
    if (end.started && !stream_send(&stream, scene->after[WAY_STREAM], STEP_MS))
        snprintf(end.trouble, sizeof(end.trouble), "the stream does not get through: %s",
                 stream.problem);
    else if (end.started && agent_flush(&agent, STEP_MS) != 0)
        snprintf(end.trouble, sizeof(end.trouble), "the flush fails");
    if (end.started && !agent_stop(&agent, 15000) && !*end.trouble)
        snprintf(end.trouble, sizeof(end.trouble), "the agent does not stop well");
    if (!end.started)
        snprintf(end.trouble, sizeof(end.trouble), "the agent does not start");
    end.taken_back = stream.taken_back;
    end.told = log_tells(stage, end.refusal);
    agent_done(&agent);
    *ret_end = end;
}
