#include "tests/corruption/judge.h"
#include "tests/rig/evidence.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct scene *scene;
    struct judged *judged;
    struct judge_trail *trail;
    const char *name;
};

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct reading *reading = context;
    struct judge_trail *trail = reading->trail;
    unsigned long long first, last;
    const char *end = key ? strrchr(key, '/') : NULL;
    if (finding == HF_LOSS && detail &&
        sscanf(detail, "sequences %llu to %llu", &first, &last) == 2 &&
        trail->loss_count < JUDGE_LOSSES_MAX) {
        trail->losses[trail->loss_count].first = first;
        trail->losses[trail->loss_count++].last = last;
    } else if ((!hf_finding_fine(finding) || finding == HF_PENDING || finding == HF_REPEATED) &&
               !*reading->judged->wrong) {
        snprintf(reading->judged->wrong, sizeof(reading->judged->wrong), "%s: %s %.100s: %.150s",
                 reading->name, hf_finding_text(finding), end ? end + 1 : "", detail ? detail : "");
    }
}

/* The mark and what follows it up to the next '#' say everything of a line: see stage_line(). */
static void
read_record(struct reading *reading, const json_t *record, uint64_t seq)
{
    char *text = json_dumps(record, JSON_COMPACT), digits[7] = "";
    const char *mark = text ? strstr(text, "hf#") : NULL;
    if (!mark || strlen(mark) < 12) {
        free(text);
        return;
    }
    int way = mark[3] == 'f' ? WAY_FILE : WAY_STREAM;
    memcpy(digits, mark + 4, 6);
    unsigned number = (unsigned)strtoul(digits, NULL, 10);
    hf_owned(hf_buf_done) struct hf_buf line = HF_BUF(1u << 16);
    stage_line(way, number, &line);
    char *wanted = strstr(hf_buf_text(&line), "hf#");
    *(strrchr(wanted, '#') + 1) = '\0';
    if (number >= reading->scene->after[way] || strncmp(mark, wanted, strlen(wanted)) != 0) {
        snprintf(reading->judged->wrong, sizeof(reading->judged->wrong),
                 "%s: a line that nobody sent: %.60s", reading->name, mark);
    } else {
        reading->trail->seen[way][number]++;
        reading->trail->seq[way][number] = seq;
        snprintf(reading->trail->event[way][number], sizeof(reading->trail->event[way][number]),
                 "%s", hf_doc_text_or(record, "eventID", ""));
    }
    free(text);
}

static enum hf_status
on_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
           struct hf_error *err)
{
    struct reading *reading = context;
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    enum hf_status status = hf_doc_parse(json, 64u << 20, "object", &doc, err);
    const json_t *records = json_object_get(doc, "Records");
    size_t count = json_array_size(records);
    bool has_gap = object->last_seq - object->first_seq + 1 != count;
    for (size_t i = 0; i < count; i++)
        read_record(reading, json_array_get(records, i), has_gap ? 0 : object->first_seq + i);
    return status;
}

struct judged *
judge_read(const struct scene *scene, const struct stage *stage)
{
    struct judged *judged = hf_alloc(sizeof(*judged));
    for (size_t i = 0; i < HF_COUNT(stage_trails); i++) {
        char wrong[300];
        struct reading reading = {
            .scene = scene, .judged = judged, .trail = &judged->trails[i], .name = stage_trails[i]
        };
        const struct evidence_visitor visitor = { .finding = on_finding,
                                                  .content = on_content,
                                                  .context = &reading };
        evidence_walk(stage, stage_trails[i], &visitor, wrong);
        if (!*judged->wrong)
            snprintf(judged->wrong, sizeof(judged->wrong), "%s", wrong);
    }
    return judged;
}

/* ---- beside what should be there ---- */

static bool
is_lost(const struct judge_trail *trail, uint64_t seq)
{
    for (size_t i = 0; i < trail->loss_count; i++) {
        if (seq >= trail->losses[i].first && seq <= trail->losses[i].last)
            return true;
    }
    return false;
}

struct comparing {
    const struct judge_trail *right, *now;
    struct verdict *verdict;
    const char *name;
};

static void __attribute__((format(printf, 4, 5)))
say(const struct comparing *with, int way, unsigned number, const char *format, ...)
{
    va_list args;
    char text[160];
    if (*with->verdict->wrong)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(with->verdict->wrong, sizeof(with->verdict->wrong), "%s: line %c%u %s", with->name,
             "fs"[way], number, text);
}

static void
compare_line(const struct comparing *with, int way, unsigned number, bool is_known)
{
    struct verdict *verdict = with->verdict;
    unsigned seen = with->now->seen[way][number];
    uint64_t seq = with->right->seq[way][number];
    bool lost = is_known && is_lost(with->now, seq);
    verdict->delivered += seen > 0;
    if (seen > 1) {
        verdict->doubled += seen - 1;
        say(with, way, number, "is there %u times", seen);
    } else if (seen == 0 && lost) {
        verdict->in_losses++;
    } else if (seen == 0) {
        verdict->silent++;
        say(with, way, number, "(sequence %llu) is neither there nor called lost",
            (unsigned long long)seq);
    } else if (lost &&
               strcmp(with->now->event[way][number], with->right->event[way][number]) == 0) {
        say(with, way, number, "(sequence %llu) is there and called lost", (unsigned long long)seq);
    } else if (lost) {
        verdict->again++;
    }
}

void
judge_compare(const struct scene *scene, const struct judged *right, const struct judged *judged,
              bool drains, struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){ .delivered = 0 };
    snprintf(ret_verdict->wrong, sizeof(ret_verdict->wrong), "%s", judged->wrong);
    for (size_t t = 0; t < HF_COUNT(stage_trails); t++) {
        struct comparing with = { &right->trails[t], &judged->trails[t], ret_verdict,
                                  stage_trails[t] };
        for (int way = 0; way < STAGE_WAYS; way++) {
            unsigned end = drains && t == 1 ? scene->known[way] : scene->after[way];
            for (unsigned i = 0; i < end; i++)
                compare_line(&with, way, i, i < scene->known[way]);
        }
        if (judged->trails[t].loss_count > 1 && !*ret_verdict->wrong)
            snprintf(ret_verdict->wrong, sizeof(ret_verdict->wrong), "%s: %zu losses of one byte",
                     stage_trails[t], judged->trails[t].loss_count);
    }
}
