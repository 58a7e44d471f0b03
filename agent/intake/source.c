/* What every source has: its own copy of its configuration, and what is said about it. */
#include "agent/intake/intake_impl.h"

#include <string.h>

/* ---- a source's own copy of its configuration, so that nothing is borrowed from the file that was
 * read ---- */

void
hf_source_config_copy(struct hf_config_source *to, const struct hf_config_source *from)
{
    *to = *from;
    to->name = hf_strdup(from->name);
    to->path = hf_strdup(from->path);
    to->event_name = hf_strdup(from->event_name);
    to->mode = hf_strdup(from->mode);
    to->group = hf_strdup(from->group);
    to->exclude.items = from->exclude.count ? hf_alloc(from->exclude.count * sizeof(char *)) : NULL;
    for (size_t i = 0; i < from->exclude.count; i++)
        to->exclude.items[i] = hf_strdup(from->exclude.items[i]);
}

void
hf_source_config_free(struct hf_config_source *config)
{
    char **texts[] = { &config->name, &config->path, &config->event_name, &config->mode,
                       &config->group };
    for (size_t i = 0; i < HF_COUNT(texts); i++)
        hf_freep(texts[i]);
    for (size_t i = 0; i < config->exclude.count; i++)
        hf_freep(&config->exclude.items[i]);
    hf_freep(&config->exclude.items);
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool
hf_source_config_same(const struct hf_config_source *a, const struct hf_config_source *b)
{
    if (!same_text(a->name, b->name) || !same_text(a->path, b->path) ||
        !same_text(a->event_name, b->event_name) || !same_text(a->mode, b->mode) ||
        !same_text(a->group, b->group) || a->type != b->type || a->start != b->start ||
        a->max_event != b->max_event || a->exclude.count != b->exclude.count)
        return false;
    for (size_t i = 0; i < a->exclude.count; i++)
        if (!same_text(a->exclude.items[i], b->exclude.items[i]))
            return false;
    return true;
}

void
hf_source_ready(struct hf_source *source)
{
    if (source->ready)
        return;
    source->ready = true;
    hf_intake_wake(source->intake);
}

void
hf_problem_set(char problem[HF_PROBLEM_SIZE], const char *text)
{
    size_t size = HF_MIN(strlen(text), HF_PROBLEM_SIZE - 1);
    memcpy(problem, text, size);
    problem[size] = '\0';
}

void
hf_source_problem(struct hf_source *source, const struct hf_error *err)
{
    if (strncmp(source->problem, err->text, sizeof(source->problem) - 1) == 0)
        return;
    hf_problem_set(source->problem, err->text);
    source->problems[err->status]++;
    hf_log_warn("source.problem", HF_STR("source", source->config.name), HF_ERR(err));
}

void
hf_source_well(struct hf_source *source)
{
    if (!source->problem[0])
        return;
    source->problem[0] = '\0';
    hf_log_info("source.well", HF_STR("source", source->config.name));
}
