/* Every byte of the state directory flipped in turn: see run.
 *
 * hf_corruption [--kind WORD]... [--most N | --long] [--at FILE:BYTE] [--seed N] [--workers N] [--keep FOLDER]
 */
#include "tests/corruption/judge.h"
#include "tests/corruption/places.h"
#include "tests/rig/cases.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    bool kinds[KINDS], all;
    size_t most;
    unsigned workers;
    unsigned long seed;
    const char *keep, *at;
};

struct sweep {
    const struct scene *scene;
    const struct judged *right;
    const struct place *places;
    enum place_kind kind;
    const char *keep;
};

/* An identity that is not what it was: the agent refuses, changes nothing, and runs once it is
 * put back. */
static void
after_refusal(const struct sweep *sweep, const struct place *place, struct stage *stage,
              struct scene_end *end)
{
    if (!strstr(end->refusal, "identity")) {
        snprintf(end->trouble, sizeof(end->trouble), "it ends, and does not say why: %.100s",
                 end->refusal);
        return;
    }
    place_damage(place, stage); /* the same bit again */
    scene_finish(sweep->scene, stage, end);
    end->told = true;
}

/* Of the trail whose file it is, this window and nothing else. */
static bool
loses_exactly(const struct judged *judged, const struct place_file *file)
{
    for (size_t t = 0; t < HF_COUNT(stage_trails); t++) {
        char folder[80];
        const struct judge_trail *trail = &judged->trails[t];
        snprintf(folder, sizeof(folder), "/trails/%s/", stage_trails[t]);
        bool its_own = strstr(file->name, folder);
        if (trail->loss_count != its_own ||
            (its_own && (trail->losses[0].first != file->first_seq ||
                         trail->losses[0].last != file->last_seq)))
            return false;
    }
    return true;
}

static void
run_case(void *context, size_t number, const char *folder, struct case_result *result)
{
    const struct sweep *sweep = context;
    const struct place *place = &sweep->places[number];
    bool drains = sweep->kind == KIND_SETTINGS;
    struct stage stage;
    struct scene_end end;
    struct verdict verdict;
    scene_copy(sweep->scene, folder, drains, &stage);
    place_damage(place, &stage);
    scene_finish(sweep->scene, &stage, &end);
    if (!end.started && sweep->kind == KIND_IDENTITY)
        after_refusal(sweep, place, &stage, &end);
    struct judged *judged = judge_read(sweep->scene, &stage);
    judge_compare(sweep->scene, sweep->right, judged, drains, &verdict);
    bool may_lose = sweep->kind == KIND_JOURNAL || sweep->kind == KIND_RELEASED;
    if (*end.trouble)
        snprintf(verdict.wrong, sizeof(verdict.wrong), "%.180s (%.100s)", end.trouble, end.refusal);
    else if (end.taken_back && !*verdict.wrong)
        snprintf(verdict.wrong, sizeof(verdict.wrong),
                 "%u acknowledged lines were not known any more", end.taken_back);
    else if (!may_lose && verdict.in_losses && !*verdict.wrong)
        snprintf(verdict.wrong, sizeof(verdict.wrong),
                 "%u lines are called lost that were still there", verdict.in_losses);
    else if (sweep->kind == KIND_RELEASED && !*verdict.wrong && !loses_exactly(judged, place->file))
        snprintf(verdict.wrong, sizeof(verdict.wrong), "the loss is not this window");
    result->well = !*verdict.wrong && !verdict.silent && !verdict.doubled;
    result->applies = end.told;
    result->lost = verdict.silent + end.taken_back;
    result->doubled = verdict.doubled;
    result->in_losses = verdict.in_losses;
    result->delivered = verdict.delivered;
    result->worst_start_ms = end.start_ms;
    snprintf(result->hit, sizeof(result->hit), "%s:%zu", place->file->name, place->at);
    snprintf(result->text, sizeof(result->text), "%s", verdict.wrong);
    hf_freep(&judged);
    if (!result->well && sweep->keep) {
        hf_owned(hf_freep) char *kept =
            hf_asprintf("%s/%s-%zu", sweep->keep, kind_word(sweep->kind), number);
        stage_copy_tree(folder, kept);
    }
}

static unsigned
show(enum place_kind kind, const struct case_result *results, size_t count)
{
    unsigned wrong = 0, told = 0, in_losses = 0, lost = 0, doubled = 0;
    unsigned long delivered = 0;
    int64_t worst_ms = 0;
    for (size_t i = 0; i < count; i++) {
        const struct case_result *result = &results[i];
        told += result->applies;
        delivered += result->delivered;
        in_losses += result->in_losses;
        lost += result->lost;
        doubled += result->doubled;
        worst_ms = HF_MAX(worst_ms, result->worst_start_ms);
        if (!result->well && wrong++ < 10)
            printf("WRONG: --at %s: %s\n", result->hit, result->text);
    }
    printf("%-42s %7zu %8u %10lu %8u %7u %8u %6u %9lld\n", kind_text(kind), count, told, delivered,
           in_losses, lost, doubled, wrong, (long long)worst_ms);
    fflush(stdout);
    return wrong;
}

/* How many places of a kind are tried when not each of them is. */
static size_t
most_of(const struct options *options, enum place_kind kind)
{
    static const size_t bounded[KINDS] = {
        [KIND_JOURNAL] = 90, [KIND_HELD] = 24, [KIND_RELEASED] = 24, [KIND_DIGEST] = 16,
        [KIND_LEDGER] = 24,  [KIND_COPY] = 24, [KIND_SETTINGS] = 16, [KIND_IDENTITY] = 24,
    };
    return options->all ? 0 : options->most ? options->most : bounded[kind];
}

static struct place *
one_place(const struct places *places, const char *at, enum place_kind *ret_kind)
{
    const char *colon = strrchr(at, ':');
    for (size_t i = 0; colon && i < places->count; i++) {
        const struct place_file *file = &places->files[i];
        if (strncmp(file->name, at, (size_t)(colon - at)) == 0 && file->name[colon - at] == '\0') {
            struct place *place = hf_alloc(sizeof(*place));
            *place = (struct place){ file, strtoul(colon + 1, NULL, 10) };
            *ret_kind = file->kind;
            return place;
        }
    }
    stage_die("hf_corruption: there is no place '%s'", at);
}

static unsigned
sweep_kind(const char *base, const struct scene *scene, const struct judged *right,
           const struct places *places, const struct options *options, enum place_kind kind)
{
    size_t count = 1;
    struct place *chosen =
        options->at ? one_place(places, options->at, &kind)
                    : places_choose(places, kind, most_of(options, kind), options->seed, &count);
    struct sweep sweep = {
        .scene = scene, .right = right, .places = chosen, .kind = kind, .keep = options->keep
    };
    const struct case_result *results =
        cases_run(base, count, options->workers, 0, run_case, &sweep);
    unsigned wrong = show(kind, results, count);
    hf_freep(&chosen);
    return wrong;
}

static void
parse(int argc, char **argv, struct options *options)
{
    static const struct option words[] = {
        { "kind", required_argument, NULL, 'k' }, { "at", required_argument, NULL, 'a' },
        { "most", required_argument, NULL, 'm' }, { "seed", required_argument, NULL, 's' },
        { "keep", required_argument, NULL, 'K' }, { "workers", required_argument, NULL, 'w' },
        { "long", no_argument, NULL, 'l' },       { NULL, 0, NULL, 0 },
    };
    bool any = false;
    *options = (struct options){ .workers = 6 };
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'k':
            for (int i = 0; i < KINDS; i++) {
                bool is_it = strcmp(optarg, kind_word((enum place_kind)i)) == 0;
                options->kinds[i] = options->kinds[i] || is_it;
                any = any || is_it;
            }
            break;
        case 'a': options->at = optarg; break;
        case 'm': options->most = strtoul(optarg, NULL, 10); break;
        case 'w': options->workers = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': options->seed = strtoul(optarg, NULL, 10); break;
        case 'K': options->keep = optarg; break;
        case 'l': options->all = true; break;
        default: exit(2);
        }
    }
    for (int i = 0; !any && i < KINDS; i++)
        options->kinds[i] = true;
}

/* What must come of it: everything, once, nothing called lost. */
static struct judged *
judge_undamaged(const char *base, struct scene *scene)
{
    char folder[128];
    struct stage stage;
    struct scene_end end;
    struct verdict verdict;
    snprintf(folder, sizeof(folder), "%.100s/right", base);
    scene_copy(scene, folder, false, &stage);
    scene_finish(scene, &stage, &end);
    struct judged *right = judge_read(scene, &stage);
    judge_compare(scene, right, right, false, &verdict);
    if (*end.trouble || end.taken_back || end.told || *verdict.wrong || verdict.in_losses)
        stage_die("without any damage: %s %s", end.trouble,
                  *verdict.wrong ? verdict.wrong : end.refusal);
    scene->oldest_seq = scene_oldest_seq(&stage);
    return right;
}

int
main(int argc, char **argv)
{
    char base[128], shared[128], folder[128];
    struct options options;
    struct scene *scene = hf_alloc(sizeof(*scene));
    struct places *places = hf_alloc(sizeof(*places));
    unsigned wrong = 0;
    parse(argc, argv, &options);
    stage_base(base);
    snprintf(shared, sizeof(shared), "%.100s/shared", base);
    snprintf(folder, sizeof(folder), "%.100s/scene", base);
    stage_share(shared);
    scene_make(scene, folder, shared);
    struct judged *right = judge_undamaged(base, scene);
    places_find(scene, places);
    printf("%u lines by file and %u by stream, to two trails; seed %lu\n\n", scene->known[WAY_FILE],
           scene->known[WAY_STREAM], options.seed);
    printf("%-42s %7s %8s %10s %8s %7s %8s %6s %9s\n", "a byte flipped in", "bytes", "detected",
           "delivered", "in loss", "lost", "doubled", "wrong", "worst ms");
    for (int kind = 0; kind < KINDS; kind++) {
        if (options.kinds[kind] && (!options.at || kind == 0))
            wrong += sweep_kind(base, scene, right, places, &options, (enum place_kind)kind);
    }
    stage_remove(base);
    hf_freep(&right);
    hf_freep(&places);
    hf_freep(&scene);
    return wrong ? 1 : 0;
}
