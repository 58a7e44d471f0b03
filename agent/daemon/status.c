/* What `holdfast status` and the metrics say, documented in agent/cli/JSON.md: the trails' part
 * from their thread, the rest from the loop. */
#include "agent/daemon/daemon_impl.h"
#include <holdfast/json.h>
#include <unistd.h>

static json_t *
sources_doc(struct hf_daemon *daemon, bool *ret_well)
{
    static const char *const types[] = { "file", "socket", "stdin" };
    struct hf_source_status statuses[256];
    json_t *sources = json_array();
    size_t count = daemon->intake ? hf_intake_status(daemon->intake, statuses, HF_COUNT(statuses))
                                  : 0; /* none any more while stopping */
    for (size_t i = 0; i < count; i++) {
        const struct hf_source_status *s = &statuses[i];
        json_t *source = json_object();
        hf_doc_set_text(source, "name", s->name);
        hf_doc_set_text(source, "type", types[s->type]);
        hf_doc_set_u64(source, "events", s->events);
        hf_doc_set_u64(source, "bytes", s->bytes);
        hf_doc_set_u64(source, "shaped", s->counts.shaped);
        hf_doc_set_u64(source, "flat_json", s->counts.flat_json);
        hf_doc_set_u64(source, "text", s->counts.text);
        hf_doc_set_u64(source, "base64", s->counts.base64);
        hf_doc_set_u64(source, "parts", s->counts.parts);
        hf_doc_set_u64(source, "files", s->files);
        hf_doc_set_u64(source, "connections", s->connections);
        hf_doc_set_u64(source, "behind_bytes", s->behind_bytes);
        hf_doc_set_u64(source, "nul_bytes", s->nul_bytes);
        hf_doc_set_u64(source, "skipped_bytes", s->skipped_bytes);
        hf_doc_set_u64(source, "held", s->held);
        hf_doc_set_u64(source, "matched", s->look.matched);
        hf_doc_set_u64(source, "unread", s->look.unread);
        hf_doc_set_u64(source, "others", s->look.others);
        hf_doc_set_text(source, "others_are", *s->look.others_text ? s->look.others_text : NULL);
        hf_doc_set_u64(source, "sparse", s->look.sparse);
        hf_doc_set_u64(source, "gaps", s->gaps);
        hf_doc_set_u64(source, "refusals", s->refusals);
        hf_doc_set_u64(source, "owners_refused", s->owners_refused);
        hf_doc_set_u64(source, "owner_refusals", s->budget_refusals);
        hf_doc_set(source, "errors", hf_doc_status_counts(s->problems));
        hf_doc_set_bool(source, "waiting", s->waiting);
        hf_doc_set_bool(source, "well", !*s->problem && s->look.unread == 0 && s->look.others == 0);
        hf_doc_set_text(source, "problem", *s->problem ? s->problem : NULL);
        json_array_append_new(sources, source);
        *ret_well = *ret_well && !*s->problem;
    }
    return sources;
}

static json_t *
left_doc(const struct hf_daemon *daemon)
{
    size_t count = 0;
    const struct hf_left *left = daemon->intake ? hf_intake_left(daemon->intake, &count) : NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        hf_doc_set_text(one, "source", left[i].source);
        hf_doc_set_u64(one, "positions", left[i].positions);
        json_array_append_new(list, one);
    }
    return list;
}

/* Until the journal would be full if nothing were sealed from now on, at the rate since the
 * start; 0: nothing comes in. */
static uint64_t
seconds_left(const struct hf_daemon *daemon, const struct hf_journal_info *info)
{
    uint64_t uptime_s = (uint64_t)HF_MAX(hf_wall_s() - daemon->started_s, 1);
    if (info->next_seq == info->oldest_seq || !info->events || info->bytes >= info->max_bytes)
        return 0;
    double bytes_per_s = (double)info->written_bytes / (double)uptime_s;
    double left_s = (double)(info->max_bytes - info->bytes) / HF_MAX(bytes_per_s, 1e-9);
    return left_s < 1e12 ? (uint64_t)left_s : 0;
}

static json_t *
journal_doc(struct hf_daemon *daemon, bool *ret_well)
{
    struct hf_journal_info info;
    hf_journal_info(daemon->journal, &info);
    bool kept = !info.full && daemon->intake && hf_intake_is_out_of_room(daemon->intake);
    const char *reason = kept ? "sources have their share of it, and the last eighth is kept for "
                                "those who are below theirs: deliver, or raise "
                                "agent.journal.max_bytes"
                              : info.reason;
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "next_sequence", info.next_seq);
    hf_doc_set_u64(doc, "durable_sequence", info.durable_seq);
    hf_doc_set_u64(doc, "oldest_sequence", info.oldest_seq);
    hf_doc_set_u64(doc, "bytes", info.bytes);
    hf_doc_set_u64(doc, "max_bytes", info.max_bytes);
    hf_doc_set_u64(doc, "commits", info.commits);
    hf_doc_set_u64(doc, "events", info.events);
    hf_doc_set_u64(doc, "seconds_left", kept ? 0 : seconds_left(daemon, &info));
    hf_doc_set_bool(doc, "full", info.full || kept);
    hf_doc_set_text(doc, "reason", *reason ? reason : NULL);
    *ret_well = *ret_well && !info.full && !kept;
    return doc;
}

static json_t *
agent_doc(const struct hf_daemon *daemon)
{
    char started[HF_TIME_SIZE], loaded[HF_TIME_SIZE];
    uint64_t free_bytes;
    hf_time_rfc3339(daemon->started_s, started);
    hf_time_rfc3339(daemon->config_loaded_s, loaded);
    json_t *doc = json_object();
    hf_doc_set_text(doc, "version", HF_VERSION);
    hf_doc_set_u64(doc, "pid", (uint64_t)getpid());
    hf_doc_set_text(doc, "host", daemon->identity.host);
    hf_doc_set_text(doc, "journal", daemon->identity.journal);
    hf_doc_set_text(doc, "boot", daemon->identity.boot);
    hf_doc_set_text(doc, "started", started);
    hf_doc_set_text(doc, "config", daemon->config_path);
    hf_doc_set_text(doc, "config_loaded", loaded);
    hf_doc_set_u64(doc, "config_refused", daemon->config_refused);
    if (hf_fs_free_bytes(daemon->config->agent.state_dir, &free_bytes, NULL) == HF_OK)
        hf_doc_set_u64(doc, "state_free_bytes", free_bytes);
    hf_doc_set_bool(doc, "stopping", daemon->stopping);
    return doc;
}

struct status_wait {
    struct hf_daemon *daemon;
    void (*done)(struct hf_daemon *daemon, void *argument, json_t *status);
    void *argument;
    json_t *doc;
};

static bool
trails_well(const json_t *doc)
{
    size_t index;
    json_t *trail;
    json_array_foreach(json_object_get(doc, "trails"), index, trail)
    {
        if (json_is_string(json_object_get(trail, "reason")) ||
            json_is_string(json_object_get(trail, "head_problem")) ||
            json_is_string(json_object_get(trail, "digest_problem")) ||
            json_is_true(json_object_get(trail, "spool_full")))
            return false;
    }
    return true;
}

static void
status_on_loop(struct hf_daemon *daemon, void *argument)
{
    struct status_wait *wait = argument;
    bool well = trails_well(wait->doc);
    json_t *reply = json_object(), *sources = sources_doc(daemon, &well),
           *journal = journal_doc(daemon, &well);
    hf_doc_set_u64(reply, "schema", 1);
    hf_doc_set_bool(reply, "ok", well);
    hf_doc_set(reply, "agent", agent_doc(daemon));
    hf_doc_set(reply, "journal", journal);
    hf_doc_set(reply, "sources", sources);
    hf_doc_set(reply, "positions_left", left_doc(daemon));
    json_object_update(reply, wait->doc);
    json_decref(wait->doc);
    wait->done(daemon, wait->argument, reply);
    hf_freep(&wait);
    quiet_begins(daemon);
}

static void
status_done(void *context, json_t *doc)
{
    struct status_wait *wait = context;
    wait->doc = doc;
    loop_post(wait->daemon, status_on_loop, wait);
}

void
status_begin(struct hf_daemon *daemon,
             void (*done)(struct hf_daemon *daemon, void *argument, json_t *status), void *argument)
{
    struct status_wait *wait = hf_alloc(sizeof(*wait));
    *wait = (struct status_wait){ .daemon = daemon, .done = done, .argument = argument };
    hf_trails_status(daemon->trails, status_done, wait);
}
