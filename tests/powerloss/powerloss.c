/* Power loss: see run.
 *
 * hf_powerloss [--images N] [--seed N] [--workers N] [--at N [--count N]] [--forget TEXT] [--keep
 * FOLDER]
 */
#include "tests/powerloss/disk.h"
#include "tests/rig/cases.h"
#include "tests/rig/play.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDINGS 4

static const struct {
    const char *text;
    bool store_survives, again;
} kinds[] = {
    { "one disk for all, and it loses power", false, false },
    { "the host loses power, the store does not", true, false },
    { "the host loses power, and again while it recovers", true, true },
};
#define KINDS HF_COUNT(kinds)

struct recording { /* of one play */
    char stage[128], logs[140];
    struct call_log log;
    struct stream stream;
    uint64_t reloaded_ns;
    unsigned file_lines;
    char fault[240]; /* "": none */
};

struct experiment {
    char base[128], shared[128];
    struct recording recordings[RECORDINGS];
    size_t images;
    uint64_t seed;
    const char *keep, *forget;
    size_t first; /* of those that are tried */
};

/* ---- the plays that are recorded: one without a fault, the others each with one sync that
 * fails ---- */

static void
record(struct experiment *experiment, unsigned number)
{
    struct recording *recording = &experiment->recordings[number];
    struct stage stage;
    struct play play;
    struct faults *plan = fault_plan_new();
    struct random random = { experiment->seed + number };
    char path[200];
    hf_owned(hf_freep) char *folder = hf_asprintf("%.90s/rec-%u/s", experiment->base, number);
    snprintf(recording->stage, sizeof(recording->stage), "%s", folder);
    snprintf(path, sizeof(path), "%.90s/calls-%u", experiment->base, number);
    stage_make(&stage, recording->stage, experiment->shared, NULL);
    snprintf(plan->only, sizeof(plan->only), "sync ");
    fault_plan_set(plan, number ? FAULT_EIO : FAULT_NONE,
                   number ? 1 + (unsigned)random_next(&random, 250) : 0);
    plan->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    play_init(&play, &stage, plan);
    play_act(&play);
    play_done(&play);
    close(plan->log_fd);
    if (*play.trouble)
        stage_die("a play to record: %s", play.trouble);
    call_log_read(path, recording->stage, &recording->log);
    if (experiment->forget)
        call_log_forget_syncs(&recording->log, experiment->forget);
    snprintf(recording->logs, sizeof(recording->logs), "%s", stage.logs);
    snprintf(recording->fault, sizeof(recording->fault), "%s", plan->hit);
    recording->stream = play.stream;
    recording->reloaded_ns = play.reloaded_ns;
    recording->file_lines = play.file_lines;
    fault_plan_free(plan);
}

/* ---- one case ---- */

struct scene { /* the world after the power came back */
    const struct recording *recording;
    struct disk *disk;
    struct stage stage;
    struct call_log log; /* of the recovery that lost power, too */
    uint64_t now_ns;     /* when the power went */
    struct random random;
};

static void
set_stage(struct scene *scene, const char *folder, const char *shared)
{
    char path[HF_PATH_MAX];
    stage_make(&scene->stage, folder, shared, scene->recording->logs);
    if (scene->recording->reloaded_ns && scene->recording->reloaded_ns < scene->now_ns)
        stage_configure(&scene->stage, true);
    stage_path(&scene->stage, "state", path);
    stage_remove(path);
    stage_path(&scene->stage, "root", path);
    stage_remove(path);
    disk_write_out(scene->disk, folder);
}

static void
play_up_to(struct scene *scene, const struct call_log *log, size_t end, bool store_survives)
{
    for (size_t i = 0; i < end; i++)
        disk_apply(scene->disk, &log->calls[i], store_survives, &scene->random);
    disk_crash(scene->disk, &scene->random);
}

/* An agent recovers and delivers, and its calls are recorded; then the power goes at any of
 * them. */
static void
lose_power_again(struct scene *scene, const char *folder, const char *shared)
{
    struct faults *plan = fault_plan_new();
    struct agent agent;
    char path[200];
    snprintf(path, sizeof(path), "%.120s-calls", folder);
    plan->log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    agent_init(&agent, &scene->stage, plan);
    if (agent_start(&agent, 15000) && random_next(&scene->random, 2))
        (void)agent_flush(&agent, 4000);
    agent_done(&agent);
    close(plan->log_fd);
    call_log_read(path, folder, &scene->log);
    fault_plan_free(plan);
    play_up_to(scene, &scene->log, (size_t)random_next(&scene->random, scene->log.count + 1), true);
    set_stage(scene, folder, shared);
}

static unsigned
acknowledged_by(const struct stream *stream, uint64_t now_ns)
{
    unsigned count = 0;
    while (count < stream->acknowledged && stream->acknowledged_ns[count] < now_ns)
        count++;
    return count;
}

static void
ask(const struct scene *scene, struct case_result *result)
{
    struct play play;
    struct oracle oracle;
    struct stage stage = scene->stage;
    play_init(&play, &stage, NULL);
    memcpy(play.stream.uuid, scene->recording->stream.uuid, sizeof(play.stream.uuid));
    play.stream.acknowledged = acknowledged_by(&scene->recording->stream, scene->now_ns);
    play.file_lines = scene->recording->file_lines;
    play_finish(&play);
    result->well = play_ask(&play, &oracle);
    result->applies = true;
    result->lost = oracle.lost;
    result->doubled = oracle.doubled;
    result->worst_start_ms = play.agent.worst_start_ms;
    snprintf(result->text, sizeof(result->text), "%s", oracle.text);
    play_done(&play);
}

static const struct recording *
recording_of(const struct experiment *experiment, size_t number)
{
    return &experiment->recordings
                [number % 2
                     ? 0
                     : number / 2 % RECORDINGS]; /* more than half of them without a failed sync */
}

static void
run_case(void *context, size_t number, const char *folder, struct case_result *result)
{
    const struct experiment *experiment = context;
    number += experiment->first;
    size_t kind = number % KINDS;
    struct scene scene = {
        .recording = recording_of(experiment, number / KINDS),
        .disk = disk_new(),
        .random = { experiment->seed * 1000003u + number },
    };
    static const char *const there[] = { "state", "root", "root/evidence" };
    for (size_t i = 0; i < HF_COUNT(there); i++)
        disk_add_directory(scene.disk, there[i]);
    const struct call_log *log = &scene.recording->log;
    size_t end = (size_t)((random_next(&scene.random, 1000) + 1000 * number) * log->count /
                          (1000 * HF_MAX(experiment->images, number + 1)));
    scene.now_ns = end < log->count ? log->calls[end].record->at_ns : UINT64_MAX;
    play_up_to(&scene, log, end, kinds[kind].store_survives);
    set_stage(&scene, folder, experiment->shared);
    if (kinds[kind].again)
        lose_power_again(&scene, folder, experiment->shared);
    hf_owned(hf_freep) char *before = hf_asprintf("%.120s-before", folder);
    if (experiment->keep) {
        stage_remove(before);
        stage_copy_tree(folder, before);
    }
    ask(&scene, result);
    snprintf(result->hit, sizeof(result->hit), "call %zu of %zu%s%.120s", end, log->count,
             *scene.recording->fault ? ", failed: " : "", scene.recording->fault);
    if (!result->well && experiment->keep) {
        char kept[HF_PATH_MAX];
        snprintf(kept, sizeof(kept), "%s/image-%zu", experiment->keep, number);
        stage_copy_tree(before, kept);
        snprintf(kept, sizeof(kept), "%s/image-%zu-after", experiment->keep, number);
        stage_copy_tree(folder, kept);
    }
    disk_free(scene.disk);
    call_log_done(&scene.log);
}

/* ---- all of them ---- */

static unsigned
show(const struct case_result *results, size_t count, size_t first)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++)
        if (results[i].done && !results[i].well && wrong++ < 20)
            printf("WRONG: --at %zu (%s): lost %u, doubled %u: %s\n", first + i, results[i].hit,
                   results[i].lost, results[i].doubled, results[i].text);
    printf("%-50s %7s %6s %8s %6s %9s\n", "fault", "images", "lost", "doubled", "wrong",
           "worst ms");
    for (size_t kind = 0; kind < KINDS; kind++) {
        unsigned lost = 0, doubled = 0, bad = 0, images = 0;
        int64_t worst_ms = 0;
        for (size_t i = (kind + KINDS - first % KINDS) % KINDS; i < count; i += KINDS) {
            images += results[i].done;
            lost += results[i].lost;
            doubled += results[i].doubled;
            bad += results[i].done && !results[i].well;
            worst_ms = HF_MAX(worst_ms, results[i].worst_start_ms);
        }
        printf("%-50s %7u %6u %8u %6u %9lld\n", kinds[kind].text, images, lost, doubled, bad,
               (long long)worst_ms);
    }
    return wrong;
}

int
main(int argc, char **argv)
{
    static const struct option words[] = {
        { "images", required_argument, NULL, 'i' },  { "seed", required_argument, NULL, 's' },
        { "workers", required_argument, NULL, 'w' }, { "at", required_argument, NULL, 'a' },
        { "count", required_argument, NULL, 'c' },   { "keep", required_argument, NULL, 'K' },
        { "forget", required_argument, NULL, 'f' },  { NULL, 0, NULL, 0 },
    };
    static struct experiment experiment = { .images = 2000 };
    size_t count = 0; /* all */
    unsigned workers = 4;
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'i': experiment.images = (size_t)strtoul(optarg, NULL, 10); break;
        case 's': experiment.seed = strtoul(optarg, NULL, 10); break;
        case 'w': workers = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'a':
            experiment.first = (size_t)strtoul(optarg, NULL, 10);
            count = count ? count : 1;
            break;
        case 'c': count = (size_t)strtoul(optarg, NULL, 10); break;
        case 'K': experiment.keep = optarg; break;
        case 'f': experiment.forget = optarg; break;
        default: return 2;
        }
    }
    stage_base(experiment.base);
    hf_owned(hf_freep) char *shared = hf_asprintf("%.100s/shared", experiment.base);
    snprintf(experiment.shared, sizeof(experiment.shared), "%s", shared);
    stage_share(experiment.shared);
    for (unsigned i = 0; i < RECORDINGS; i++) {
        record(&experiment, i);
        printf("play %u: %zu calls that change something%s%s\n", i,
               experiment.recordings[i].log.count,
               *experiment.recordings[i].fault ? "; this one fails: " : "",
               experiment.recordings[i].fault);
    }
    printf("seed %llu\n\n", (unsigned long long)experiment.seed);
    count = count ? count : experiment.images;
    /* Losses are the point then, and each costs its time-outs: some are enough. */
    size_t enough = experiment.forget ? 3 : 0;
    unsigned wrong = show(cases_run(experiment.base, count, workers, enough, run_case, &experiment),
                          count, experiment.first);
    stage_remove(experiment.base);
    return wrong ? 1 : 0;
}
