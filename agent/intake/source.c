/* What every source has: its turn on the loop, and what is said about it. */
#include "agent/intake/intake_impl.h"

#include <string.h>

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
