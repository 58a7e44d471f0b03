#include "tests/rig/oracle.h"
#include "tests/rig/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct oracle *oracle;
    const char *trail;
    uint16_t seen[STAGE_WAYS][ORACLE_LINES_MAX];
};

static void __attribute__((format(printf, 2, 3)))
say(struct oracle *oracle, const char *format, ...)
{
    va_list args;
    if (*oracle->text)
        return;
    va_start(args, format);
    vsnprintf(oracle->text, sizeof(oracle->text), format, args);
    va_end(args);
}

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    struct reading *reading = context;
    const char *last = key ? strrchr(key, '/') : NULL;
    if (hf_finding_fine(finding) && finding != HF_PENDING && finding != HF_LOSS)
        return;
    reading->oracle->findings++;
    say(reading->oracle, "trail %s: %s %.120s: %s", reading->trail, hf_finding_text(finding),
        last ? last + 1 : "", detail ? detail : "");
}

/* The line that stands at a mark in the text: "hf#f000012#...#". The mark and its content say
 * everything of the line. */
static const uint8_t *
read_mark(struct reading *reading, const uint8_t *mark, const uint8_t *end)
{
    hf_owned(hf_buf_done) struct hf_buf line = HF_BUF(1u << 16);
    char digits[7] = "";
    int way = mark[3] == 'f' ? WAY_FILE : WAY_STREAM;
    memcpy(digits, mark + 4, 6);
    unsigned number = (unsigned)strtoul(digits, NULL, 10);
    if (end - mark < 12 || number >= reading->oracle->lines[way]) {
        reading->oracle->changed++;
        say(reading->oracle, "trail %s: a line that nobody sent: %.20s", reading->trail,
            (const char *)mark);
        return mark + 1;
    }
    stage_line(way, number, &line);
    const uint8_t *wanted = memmem(line.ptr, line.size, "hf#", 3);
    size_t size = (size_t)(line.ptr + line.size - wanted);
    while (wanted[size - 1] != '#')
        size--;
    if ((size_t)(end - mark) < size || memcmp(mark, wanted, size) != 0) {
        reading->oracle->changed++;
        say(reading->oracle, "trail %s: line %c%u was changed", reading->trail, mark[3], number);
    }
    reading->seen[way][number]++;
    return mark + 4;
}

static unsigned
count_of(struct hf_slice text, const char *word)
{
    unsigned count = 0;
    const uint8_t *at = text.ptr, *end = text.ptr + text.size;
    while ((at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static enum hf_status
on_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
           struct hf_error *err)
{
    struct reading *reading = context;
    const uint8_t *at = json.ptr, *end = json.ptr + json.size;
    (void)object, (void)err;
    while ((at = memmem(at, (size_t)(end - at), "hf#", 3)) != NULL)
        at = read_mark(reading, at, end);
    reading->oracle->gaps += count_of(json, "\"eventName\":\"SourceGap\"");
    return HF_OK;
}

static void
add_up(struct reading *reading)
{
    struct oracle *oracle = reading->oracle;
    for (int way = 0; way < STAGE_WAYS; way++) {
        for (unsigned i = 0; i < oracle->lines[way]; i++) {
            if (reading->seen[way][i] == 0) {
                oracle->lost++;
                say(oracle, "trail %s: line %c%u is lost", reading->trail, "fs"[way], i);
            } else if (reading->seen[way][i] > 1) {
                oracle->doubled += reading->seen[way][i] - 1u;
                say(oracle, "trail %s: line %c%u is there %u times", reading->trail, "fs"[way], i,
                    reading -> seen[way][i]);
            }
        }
    }
}

static void
ask_trail(struct oracle *oracle, const struct stage *stage, const char *trail)
{
    char wrong[300];
    struct reading *reading = hf_alloc(sizeof(*reading));
    *reading = (struct reading){ .oracle = oracle, .trail = trail };
    const struct evidence_visitor visitor = { .finding = on_finding,
                                              .content = on_content,
                                              .context = reading };
    evidence_walk(stage, trail, &visitor, wrong);
    add_up(reading);
    if (*wrong)
        say(oracle, "%s", wrong);
    hf_freep(&reading);
}

bool
oracle_ask(struct oracle *oracle, const struct stage *stage)
{
    for (size_t i = 0; i < HF_COUNT(stage_trails); i++)
        ask_trail(oracle, stage, stage_trails[i]);
    return !*oracle->text && oracle->lost == 0 && oracle->doubled == 0 && oracle->changed == 0 &&
           oracle->findings == 0 && oracle->gaps == 0;
}
