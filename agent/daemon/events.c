/* holdfast's own events. On the loop nothing waits: what the journal has no room for now is
 * kept, in order, until it has. */
#include "agent/daemon/daemon_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <unistd.h>

#define BUSY_TRIES   500
#define BUSY_WAIT_US 10000
#define SETTLE_TRIES 100
#define KEPT_MAX     64

struct kept_event {
    struct kept_event *next;
    char *name, *details;
    char *key, *state; /* of the journal, set with the event; or NULL */
    int64_t time_s;
};

struct hf_record_maker
record_maker(const struct hf_daemon *daemon)
{
    struct hf_record_maker maker = { .host = daemon->identity.host,
                                     .account = daemon->agent.account,
                                     .region = daemon->agent.region,
                                     .provenance = atomic_load(&daemon->provenance) };
    for (size_t i = 0; i < sizeof(maker.journal_id); i++)
        maker.journal_id[i] = daemon->identity.journal_id[i];
    return maker;
}

/* `key`, `state`: of the journal's state, set with the event; or NULL. */
static enum hf_status
append(struct hf_daemon *daemon, bool wait, const char *event_name, const char *details_json,
       int64_t now_s, const char *key, const char *state, struct hf_error *err)
{
    struct hf_record_maker maker = record_maker(daemon);
    enum hf_status status = hf_journal_begin(daemon->journal, wait, err);
    if (status != HF_OK)
        return status;
    status = hf_own_event_append(daemon->journal, &maker, event_name, now_s, details_json, err);
    if (status == HF_OK && key)
        status = hf_journal_set_state(daemon->journal, key, hf_slice_text(state), err);
    if (status == HF_OK)
        hf_journal_commit(daemon->journal);
    else
        hf_journal_abandon(daemon->journal);
    return status;
}

/* A batch that waits to be written is gone in a moment; a journal without room is not. */
static bool
is_only_busy(struct hf_daemon *daemon)
{
    struct hf_journal_info info;
    hf_journal_info(daemon->journal, &info);
    return !info.full;
}

enum hf_status
own_event(void *context, const char *event_name, const char *details_json, struct hf_error *err)
{
    struct hf_daemon *daemon = context;
    enum hf_status status =
        append(daemon, false, event_name, details_json, hf_wall_s(), NULL, NULL, err);
    for (int i = 0; i < BUSY_TRIES && status == HF_EFULL && is_only_busy(daemon); i++) {
        usleep(BUSY_WAIT_US);
        status = append(daemon, false, event_name, details_json, hf_wall_s(), NULL, NULL, err);
    }
    return status == HF_OK ? hf_journal_sync(daemon->journal, 60000, err) : status;
}

/* Recovery finds the same loss at each start until its segment is released: the mark says that
 * it was reported. */
enum hf_status
own_loss(struct hf_daemon *daemon, const struct hf_journal_loss *loss, struct hf_error *err)
{
    char mark[64];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096), value = HF_BUF(64);
    snprintf(mark, sizeof(mark), "loss/%llu-%llu", (unsigned long long)loss->first_seq,
             (unsigned long long)loss->last_seq);
    if (hf_journal_get_state(daemon->journal, mark, &value) == HF_OK)
        return HF_OK;
    hf_log_error("journal.loss", HF_NUM("first", loss->first_seq), HF_NUM("last", loss->last_seq),
                 HF_STR("reason", loss->reason));
    if (loss->last_seq < loss->first_seq)
        return HF_OK; /* damage, but no event is gone */
    hf_owned(hf_doc_freep) json_t *details =
        json_pack("{s:I, s:I, s:s}", "firstSequence", (json_int_t)loss->first_seq, "lastSequence",
                  (json_int_t)loss->last_seq, "reason", loss->reason);
    enum hf_status status = hf_doc_dump(details, &text);
    if (status == HF_OK)
        status =
            append(daemon, true, "JournalLoss", hf_buf_text(&text), hf_wall_s(), mark, "1", err);
    return status == HF_OK ? hf_journal_sync(daemon->journal, 60000, err) : status;
}

static void
keep(struct hf_daemon *daemon, const char *event_name, const char *details_json, const char *key,
     const char *state)
{
    struct kept_event **end = &daemon->kept_events;
    size_t count = 0;
    for (; *end; end = &(*end)->next)
        count++;
    if (count >= KEPT_MAX) {
        hf_log_warn("event.lost", HF_STR("name", event_name),
                    HF_STR("reason", "the journal is full, and many wait already"));
        return;
    }
    *end = hf_alloc(sizeof(**end));
    **end = (struct kept_event){ .name = hf_strdup(event_name),
                                 .details = hf_strdup(details_json),
                                 .time_s = hf_wall_s(),
                                 .key = hf_strdup(key),
                                 .state = hf_strdup(state) };
}

static void
drop_first(struct hf_daemon *daemon)
{
    struct kept_event *event = daemon->kept_events;
    daemon->kept_events = event->next;
    hf_freep(&event->name);
    hf_freep(&event->details);
    hf_freep(&event->key);
    hf_freep(&event->state);
    hf_freep(&event);
}

void
own_events_retry(struct hf_daemon *daemon)
{
    struct hf_error err;
    while (daemon->kept_events) {
        const struct kept_event *event = daemon->kept_events;
        enum hf_status status = append(daemon, false, event->name, event->details, event->time_s,
                                       event->key, event->state, &err);
        if (status == HF_EFULL || status == HF_ENOSPC)
            return;
        if (status != HF_OK)
            hf_log_warn("event.lost", HF_STR("name", event->name), HF_ERR(&err));
        drop_first(daemon);
    }
}

void
own_events_settle(struct hf_daemon *daemon)
{
    for (int i = 0; i < SETTLE_TRIES && daemon->kept_events && is_only_busy(daemon); i++) {
        usleep(BUSY_WAIT_US);
        own_events_retry(daemon);
    }
}

void
own_events_free(struct hf_daemon *daemon)
{
    while (daemon->kept_events) {
        hf_log_warn("event.lost", HF_STR("name", daemon->kept_events->name),
                    HF_STR("reason", "the journal had no room to the end"));
        drop_first(daemon);
    }
}

void
own_event_soon(struct hf_daemon *daemon, const char *event_name, json_t *details)
{
    own_event_with_state(daemon, event_name, details, NULL, NULL);
}

void
own_event_with_state(struct hf_daemon *daemon, const char *event_name, json_t *details,
                     const char *key, const char *state)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(64u << 10);
    enum hf_status status = hf_doc_dump(details, &text);
    json_decref(details);
    if (status != HF_OK) {
        hf_log_warn("event.lost", HF_STR("name", event_name),
                    HF_STR("reason", hf_status_text(status)));
        return;
    }
    keep(daemon, event_name, hf_buf_text(&text), key, state);
    own_events_retry(daemon);
}
