/* What every source has: its way to the journal, and what is said about it. */
#include "agent/intake/intake_impl.h"
#include "agent/intake/thread.h"

#include <string.h>

static void
thread_ended(void *intake)
{
    hf_intake_notice(intake);
}

enum hf_status
hf_source_open(struct hf_source *source, struct hf_error *err)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&source->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&source->lock, NULL);
    source->timing = source->intake->timing;
    hf_buf_init(&source->record, HF_JOURNAL_RECORD_MAX);
    source->account = hf_account_get(source->intake->budget, source->config.name);
    source->owner = hf_owner_get(source->account, "the source itself");
    enum hf_status status = HF_OK;
    if (source->kind->own_thread)
        status = hf_thread_new(source->kind->own_thread, thread_ended, source->intake,
                               &source->thread, err);
    if (status != HF_OK)
        return status;
    return hf_pressure_open(
        source, source->thread ? hf_thread_loop(source->thread) : source->intake->loop, err);
}

void
hf_source_close(struct hf_source *source)
{
    hf_pressure_close(source);
    hf_thread_free(hf_take(source->thread));
    hf_buf_done(&source->record);
    hf_owner_put(source->owner);
    hf_account_put(source->account);
    pthread_cond_destroy(&source->changed);
    pthread_mutex_destroy(&source->lock);
}

void
hf_source_enter(struct hf_source *source)
{
    if (source->thread)
        hf_thread_enter(source->thread);
    if (source->thread || !source->intake->held)
        hf_turnstile_enter(&source->intake->turnstile, !source->thread);
}

void
hf_source_leave(struct hf_source *source)
{
    if (source->thread || !source->intake->held)
        hf_turnstile_leave(&source->intake->turnstile);
    if (source->thread)
        hf_thread_leave(source->thread);
}

/* ---- what is said ---- */

void
hf_plain_text(char *text)
{
    for (uint8_t *at = (uint8_t *)text; *at; at++) {
        if (*at < 0x20 || *at == 0x7f)
            *at = '?';
        else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            at[0] = at[1] = '?';
    }
}

void
hf_problem_set(char problem[HF_PROBLEM_SIZE], const char *text)
{
    size_t size = HF_MIN(strlen(text), HF_PROBLEM_SIZE - 1);
    memcpy(problem, text, size);
    problem[size] = '\0';
    hf_plain_text(problem);
}

void
hf_source_problem(struct hf_source *source, const struct hf_error *err)
{
    pthread_mutex_lock(&source->lock);
    bool is_new = strncmp(source->problem, err->text, sizeof(source->problem) - 1) != 0;
    if (is_new) {
        hf_problem_set(source->problem, err->text);
        source->counters.problems[err->status]++;
    }
    pthread_mutex_unlock(&source->lock);
    if (is_new)
        hf_log_warn("source.problem", HF_STR("source", source->config.name), HF_ERR(err));
}

void
hf_source_well(struct hf_source *source)
{
    pthread_mutex_lock(&source->lock);
    bool was_ill = source->problem[0] != '\0';
    source->problem[0] = '\0';
    pthread_mutex_unlock(&source->lock);
    if (was_ill)
        hf_log_info("source.well", HF_STR("source", source->config.name));
}

void
hf_source_begun(struct hf_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->begun = true;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
}
