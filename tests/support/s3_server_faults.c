/* What can go wrong, and the plan of what does. */
#include "tests/support/s3_server.h"

#include <stdlib.h>
#include <string.h>

static const struct fault no_fault = { .name = "none" };
static const struct fault faults[] = {
    { "500", ACT_REFUSE, 500, "InternalError" },
    { "slow-down", ACT_REFUSE, 503, "SlowDown" },
    { "denied", ACT_REFUSE, 403, "AccessDenied" },
    { "expired", ACT_REFUSE, 403, "ExpiredToken" },
    { "skewed", ACT_REFUSE, 403, "RequestTimeTooSkewed" },
    { "lock-refused", ACT_REFUSE, 400, "InvalidRequest" },
    { "moved", ACT_REFUSE, 301, "PermanentRedirect" },
    { "redirect", ACT_REDIRECT, 307, NULL },
    { "html", ACT_HTML, 200, NULL },
    { "reset", ACT_RESET, 0, NULL },
    { "reset-upload", ACT_RESET_UPLOAD, 0, NULL },
    { "silent", ACT_SILENT, 0, NULL },
    { "interim", ACT_INTERIM, 0, NULL },
    { "no-reuse", ACT_NO_REUSE, 0, NULL },
    { "lost-reply", ACT_LOST_REPLY, 0, NULL },
    { "drip", ACT_DRIP, 0, NULL },
    { "endless-headers", ACT_ENDLESS_HEADERS, 0, NULL },
    { "long-header", ACT_LONG_HEADER, 0, NULL },
    { "endless-body", ACT_ENDLESS_BODY, 0, NULL },
    { "cut-body", ACT_CUT_BODY, 0, NULL },
    { "wrong-etag", ACT_WRONG_ETAG, 0, NULL },
    { "evil-etag", ACT_EVIL_ETAG, 0, NULL },
    { "evil-version", ACT_EVIL_VERSION, 0, NULL },
    { "evil-date", ACT_EVIL_DATE, 0, NULL },
    { "no-date", ACT_NO_DATE, 0, NULL },
    { "unlocked", ACT_UNLOCKED, 0, NULL },
    { "changed", ACT_CHANGED, 0, NULL },
    { "forgotten", ACT_FORGOTTEN, 0, NULL },
    { "foreign", ACT_FOREIGN, 0, NULL },
    { "late", ACT_LATE, 0, NULL },
    { "late-twin", ACT_LATE_TWIN, 0, NULL },
    { "list-cut", ACT_LIST_CUT, 0, NULL },
    { "list-big", ACT_LIST_BIG, 0, NULL },
    { "list-evil", ACT_LIST_EVIL, 0, NULL },
    { "list-loop", ACT_LIST_LOOP, 0, NULL },
    { "list-empty", ACT_LIST_EMPTY, 0, NULL },
    { "list-evil-key", ACT_LIST_EVIL_KEY, 0, NULL },
};

#define LINES_MAX 8
static struct line {
    const struct fault *fault;
    char target[16];
    unsigned left;
} lines[LINES_MAX];
static size_t line_count;
static unsigned hits;

static bool
fits(const struct line *line, const struct request *request)
{
    bool is_put = request->op == OP_PUT;
    bool is_digest = is_put && strstr(request->key, "/CloudTrail-Digest/");

    if (!line->left || line->fault->act == ACT_NO_REUSE)
        return false;
    if (strcmp(line->target, "any") == 0)
        return true;
    if (strcmp(line->target, "object") == 0)
        return is_put && !is_digest;
    if (strcmp(line->target, "digest") == 0)
        return is_digest;
    return strcmp(line->target, op_names[request->op]) == 0;
}

static void
use(struct line *line)
{
    hits++;
    if (line->left != UINT32_MAX)
        line->left--;
}

const struct fault *
plan_take(const struct request *request)
{
    for (size_t i = 0; i < line_count; i++) {
        if (fits(&lines[i], request)) {
            use(&lines[i]);
            return lines[i].fault;
        }
    }
    return &no_fault;
}

bool
plan_cuts_reuse(void)
{
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].left && lines[i].fault->act == ACT_NO_REUSE) {
            use(&lines[i]);
            return true;
        }
    }
    return false;
}

static bool
is_target(const char *word)
{
    bool known =
        strcmp(word, "any") == 0 || strcmp(word, "object") == 0 || strcmp(word, "digest") == 0;

    for (size_t i = 0; i < OP_COUNT; i++)
        known = known || strcmp(word, op_names[i]) == 0;
    return known;
}

const char *
plan_add(const char *fault, const char *target, const char *count)
{
    uint64_t left = UINT32_MAX;

    if (line_count == LINES_MAX)
        return "too many faults at once";
    if (!is_target(target))
        return "no such target";
    if (count && !hf_parse_u64(count, 1, 1000000, &left))
        return "no such count";
    for (size_t i = 0; i < HF_COUNT(faults); i++) {
        struct line *line = &lines[line_count];
        if (strcmp(faults[i].name, fault) != 0)
            continue;
        line_count++;
        line->fault = &faults[i];
        line->left = (uint32_t)left;
        memcpy(line->target, target, strlen(target) + 1);
        return NULL;
    }
    return "no such fault";
}

void
plan_clear(void)
{
    line_count = 0;
    hits = 0;
}

unsigned
plan_hits(void)
{
    return hits;
}
