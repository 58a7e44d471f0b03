/* The engine with one thing going wrong, at every place where it can: see run.
 *
 * hf_torture [--kind WORD]... [--at N | --most N | --long] [--only TEXT] [--seed N] [--workers N] [--keep FOLDER]
 */
#include "tests/rig/cases.h"
#include "tests/rig/play.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep {
    const char *shared, *keep, *only;
    enum fault_kind kind;
    unsigned first, step;
};

struct options {
    bool kinds[FAULT_KINDS], all;
    unsigned at, most, workers;
    unsigned long seed;
    const char *keep, *only;
};

static void
run_case(void *context, size_t number, const char *folder, struct case_result *result)
{
    const struct sweep *sweep = context;
    struct stage stage;
    struct play play;
    struct oracle oracle;
    struct faults *plan = fault_plan_new();
    stage_make(&stage, folder, sweep->shared, NULL);
    fault_plan_set(plan, sweep->kind, sweep->first + (unsigned)number * sweep->step);
    snprintf(plan->only, sizeof(plan->only), "%s", sweep->only);
    play_init(&play, &stage, plan);
    play_act(&play);
    play_finish(&play);
    result->well = play_ask(&play, &oracle);
    result->applies = atomic_load(&plan->fired);
    result->lost = oracle.lost;
    result->doubled = oracle.doubled;
    result->deaths = play.deaths;
    result->worst_start_ms = play.agent.worst_start_ms;
    snprintf(result->hit, sizeof(result->hit), "%s", plan->hit);
    snprintf(result->text, sizeof(result->text), "%s", oracle.text);
    play_done(&play);
    if (!result->well && sweep->keep) {
        char kept[HF_PATH_MAX];
        snprintf(kept, sizeof(kept), "%s/%s-%u", sweep->keep, fault_word(sweep->kind), plan->at);
        stage_copy_tree(folder, kept);
    }
    fault_plan_free(plan);
}

/* How many places there are: one play without a fault. */
static void
count_places(const char *base, const char *shared, const char *only, unsigned *ret_calls,
             unsigned long *ret_allocations)
{
    char folder[128];
    struct stage stage;
    struct play play;
    struct oracle oracle;
    struct faults *plan = fault_plan_new();
    snprintf(folder, sizeof(folder), "%.100s/0/s", base);
    stage_make(&stage, folder, shared, NULL);
    fault_plan_set(plan, FAULT_NONE, 0);
    snprintf(plan->only, sizeof(plan->only), "%s", only);
    play_init(&play, &stage, plan);
    play_act(&play);
    play_finish(&play);
    if (!play_ask(&play, &oracle))
        stage_die("without any fault: %s", oracle.text);
    play_done(&play);
    *ret_calls = atomic_load(&plan->calls);
    *ret_allocations = atomic_load(&plan->allocations);
    fault_plan_free(plan);
}

/* What the engine was at when it was killed: the steps of the table in agent/journal/FORMAT.md
 * by the files they are made of. */
static void
show_places(const struct case_result *results, size_t count)
{
    static const struct {
        const char *in, *text;
    } places[] = {
        { "state/journal/", "the journal" },
        { "/ledger", "a ledger: CUT, ATTEMPT, RECEIPT, DIGEST-CUT, DIGEST-RECEIPT" },
        { "/sealed/", "a sealed file or digest: made, read, removed" },
        { "root/", "the store: PUT, look, receipt" },
        { "log/", "a followed file" },
        { "", "configuration, identity, sockets, reserve" },
    };
    unsigned kills[HF_COUNT(places)] = { 0 };
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (!strstr(results[i].hit, places[at].in))
            at++;
        kills[at] += results[i].applies;
    }
    for (size_t i = 0; i < HF_COUNT(places); i++)
        printf("    %6u at %s\n", kills[i], places[i].text);
}

static unsigned
show(enum fault_kind kind, const struct case_result *results, size_t count,
     const struct sweep *sweep)
{
    unsigned lost = 0, doubled = 0, wrong = 0, tried = 0, ended = 0;
    int64_t worst_ms = 0;
    for (size_t i = 0; i < count; i++) {
        const struct case_result *result = &results[i];
        tried += result->applies;
        ended += result->applies && result->deaths > 0;
        lost += result->lost;
        doubled += result->doubled;
        worst_ms = HF_MAX(worst_ms, result->worst_start_ms);
        if (!result->well && wrong++ < 20)
            printf("WRONG: --kind %s --at %zu (%s): lost %u, doubled %u: %s\n", fault_word(kind),
                   sweep->first + i * sweep->step, result->hit, result->lost, result->doubled,
                   result->text);
    }
    printf("%-46s %6u %6u %6u %8u %6u %9lld\n", fault_text(kind), tried, ended, lost, doubled,
           wrong, (long long)worst_ms);
    if (kind == FAULT_KILL)
        show_places(results, count);
    fflush(stdout);
    return wrong;
}

/* How many places of a kind are tried, evenly spread, when not each of them is. */
static unsigned
most_of(const struct options *options, enum fault_kind kind)
{
    static const unsigned bounded[FAULT_KINDS] = {
        [FAULT_KILL] = 200, [FAULT_EIO] = 150, [FAULT_ENOSPC] = 80, [FAULT_EINTR] = 50,
        [FAULT_SHORT] = 50, [FAULT_FULL] = 50, [FAULT_DELAY] = 20,  [FAULT_ALLOC] = 100,
    };
    if (options->most)
        return options->most;
    if (options->all)
        return kind == FAULT_ALLOC ? 4000 : UINT_MAX;
    return bounded[kind];
}

static unsigned
sweep_kind(const char *base, const char *shared, const struct options *options,
           enum fault_kind kind, unsigned long places)
{
    size_t count = options->at ? 1 : HF_MIN(places, most_of(options, kind));
    struct sweep sweep = {
        .shared = shared, .keep = options->keep, .only = options->only, .kind = kind
    };
    sweep.step = options->at ? 1 : (unsigned)((places + count - 1) / count);
    count = options->at ? 1 : (places + sweep.step - 1) / sweep.step;
    sweep.first = options->at ? options->at : 1 + (unsigned)(options->seed % sweep.step);
    const struct case_result *results =
        cases_run(base, count, options->workers, 0, run_case, &sweep);
    return show(kind, results, count, &sweep);
}

static enum fault_kind
kind_called(const char *word)
{
    enum fault_kind kind;
    if (!fault_parse(word, &kind) || kind == FAULT_NONE)
        stage_die("hf_torture: there is no kind '%s'", word);
    return kind;
}

static void
parse(int argc, char **argv, struct options *options)
{
    static const struct option words[] = {
        { "kind", required_argument, NULL, 'k' },
        { "at", required_argument, NULL, 'a' },
        { "most", required_argument, NULL, 'm' },
        { "workers", required_argument, NULL, 'w' },
        { "seed", required_argument, NULL, 's' },
        { "only", required_argument, NULL, 'o' },
        { "keep", required_argument, NULL, 'K' },
        { "long", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    bool any = false;
    *options = (struct options){ .workers = 6, .only = "" };
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'k': options->kinds[kind_called(optarg)] = any = true; break;
        case 'a': options->at = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'm': options->most = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': options->workers = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': options->seed = strtoul(optarg, NULL, 10); break;
        case 'o': options->only = optarg; break;
        case 'K': options->keep = optarg; break;
        case 'l': options->all = true; break;
        default: exit(2);
        }
    }
    for (int i = FAULT_KILL; !any && i < FAULT_KINDS; i++)
        options->kinds[i] = true;
}

int
main(int argc, char **argv)
{
    char base[128], shared[128];
    struct options options;
    unsigned calls, wrong = 0;
    unsigned long allocations;
    parse(argc, argv, &options);
    stage_base(base);
    snprintf(shared, sizeof(shared), "%.100s/shared", base);
    stage_share(shared);
    count_places(base, shared, options.only, &calls, &allocations);
    printf("one play: %u file-system calls, %lu allocations; seed %lu\n\n", calls, allocations,
           options.seed);
    printf("%-46s %6s %6s %6s %8s %6s %9s\n", "fault", "cases", "ended", "lost", "doubled", "wrong",
           "worst ms");
    for (int kind = FAULT_KILL; kind < FAULT_KINDS; kind++) {
        if (options.kinds[kind] && (kind != FAULT_ALLOC || memory_can_fail()))
            wrong += sweep_kind(base, shared, &options, (enum fault_kind)kind,
                                kind == FAULT_ALLOC ? allocations : calls);
    }
    stage_remove(base);
    return wrong ? 1 : 0;
}
