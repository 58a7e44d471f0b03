#include "agent/daemon/daemon_impl.h"
#include <holdfast/json.h>

struct hf_record_maker
record_maker(const struct hf_daemon *daemon)
{
    struct hf_record_maker maker = {.host = daemon->identity.host, .account = daemon->config->agent.account, .region = daemon->config->agent.region};
    for (size_t i = 0; i < sizeof(maker.journal_id); i++)
        maker.journal_id[i] = daemon->identity.journal_id[i];
    return maker;
}

static enum hf_status
append(struct hf_daemon *daemon, bool wait, const char *event_name, const char *details_json, struct hf_error *err)
{
    struct hf_record_maker maker = record_maker(daemon);
    hf_owned(hf_buf_done) struct hf_buf record = HF_BUF(1u << 20);
    int64_t now_s = hf_wall_s();
    enum hf_status status = hf_journal_begin(daemon->journal, wait, err);
    if (status != HF_OK)
        return status;
    status = hf_record_make_own(&maker, event_name, hf_journal_next_seq(daemon->journal), now_s, details_json, &record);
    if (status == HF_OK)
        status = hf_journal_append(daemon->journal, HF_SOURCE_SELF, now_s, hf_buf_slice(&record), NULL, err);
    else
        hf_fail(err, status, "making the record of %s", event_name);
    if (status == HF_OK)
        hf_journal_commit(daemon->journal);
    else
        hf_journal_abandon(daemon->journal);
    return status;
}

enum hf_status
own_event(void *context, const char *event_name, const char *details_json, struct hf_error *err)
{
    struct hf_daemon *daemon = context;
    enum hf_status status = append(daemon, true, event_name, details_json, err);
    return status == HF_OK ? hf_journal_sync(daemon->journal, 60000, err) : status;
}

void
own_event_soon(struct hf_daemon *daemon, const char *event_name, json_t *details)
{
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(64u << 10);
    enum hf_status status = hf_doc_dump(details, &text);
    if (status == HF_OK)
        status = append(daemon, false, event_name, hf_buf_text(&text), &err);
    json_decref(details);
    if (status != HF_OK)
        hf_log_warn("event.lost", HF_STR("name", event_name), HF_STR("reason", hf_status_text(status)));
}
