#include "help.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the journal's commits come to the loop through a pipe ---- */

static void
on_commit(void *context, uint64_t durable_seq, bool room)
{
    struct rig *rig = context;
    pthread_mutex_lock(&rig->lock);
    rig->durable_seq = durable_seq;
    rig->room = room;
    pthread_mutex_unlock(&rig->lock);
    if (write(rig->wake[1], "", 1) < 0)
        return; /* full: it is awake */
}

static void
on_woken(evutil_socket_t fd, short what, void *context)
{
    struct rig *rig = context;
    char bytes[256];
    (void)what;
    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
    pthread_mutex_lock(&rig->lock);
    uint64_t durable_seq = rig->durable_seq;
    bool room = rig->room;
    pthread_mutex_unlock(&rig->lock);
    if (!rig->intake || rig->hold_commits)
        return;
    hf_intake_committed(rig->intake, durable_seq);
    if (room)
        hf_intake_room(rig->intake);
}

/* ---- the rig ---- */

struct rig *
rig_new(void)
{
    struct rig *rig = hf_alloc(sizeof(*rig));
    hf_log_setup(HF_LOG_ERROR, false);
    pthread_mutex_init(&rig->lock, NULL);
    hf_test_tempdir(rig->dir);
    assert_int_equal(mkdir(rig_path(rig, "files"), 0700), 0);
    assert_int_equal(evthread_use_pthreads(), 0);
    rig->loop = event_base_new();
    assert_int_equal(pipe2(rig->wake, O_NONBLOCK | O_CLOEXEC), 0);
    rig->woken = event_new(rig->loop, rig->wake[0], EV_READ | EV_PERSIST, on_woken, rig);
    event_add(rig->woken, NULL);
    rig->timing = (struct hf_intake_timing){ .quiet_ms = 60,
                                             .late_ms = 60,
                                             .rescan_ms = 100000,
                                             .unmatched_ms = 600000,
                                             .held_ms = 600000,
                                             .poll_ms = 20,
                                             .retry_ms = 20,
                                             .full_after_ms = 40,
                                             .hello_ms = 10000,
                                             .silent_ms = 2000,
                                             .hangs_ms = 5000,
                                             .sleep_ms = 600000,
                                             .files_max = 8192,
                                             .connections_max = 64 };
    rig->patience_ms = 20000;
    rig->journal_bytes = 64u << 20;
    rig->segment_bytes = 4u << 20;
    rig->config.sources = rig->sources;
    rig_start(rig);
    return rig;
}

void
rig_start(struct rig *rig)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_journal_recovery recovery;
    char directory[512];
    snprintf(directory, sizeof(directory), "%s/journal", rig->dir);
    struct hf_journal_options options = { .directory = directory,
                                          .max_bytes = rig->journal_bytes,
                                          .segment_bytes = rig->segment_bytes,
                                          .on_commit = on_commit,
                                          .context = rig };
    if (hf_journal_open(&options, &rig->journal, &recovery, &err) != HF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(recovery.loss_count, 0);
    hf_journal_recovery_done(&recovery);
    struct hf_intake_options intake = {
        .loop = rig->loop,
        .journal = rig->journal,
        .maker = { .host = "host1", .account = "000000000000", .region = "local" }
    };
    if (hf_intake_new(&intake, &rig->intake, &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_intake_set_timing(rig->intake, &rig->timing);
    if (rig->config.source_count > 0)
        rig_configure(rig);
}

void
rig_stop(struct rig *rig)
{
    hf_intake_free(hf_take(rig->intake));
    hf_journal_close(hf_take(rig->journal));
}

void
rig_restart(struct rig *rig)
{
    rig_stop(rig);
    rig_start(rig);
}

void
rig_configure(struct rig *rig)
{
    struct hf_error err = { .status = HF_OK };
    if (hf_intake_configure(rig->intake, &rig->config, &err) != HF_OK)
        fail_msg("%s", err.text);
    (void)hf_intake_begun(rig->intake, 1000); /* with a full journal it takes longer */
}

void
rig_free(struct rig *rig)
{
    if (rig->intake)
        rig_stop(rig);
    event_free(rig->woken);
    event_base_free(rig->loop);
    close(rig->wake[0]);
    close(rig->wake[1]);
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        struct hf_config_source *source = &rig->sources[i];
        for (size_t x = 0; x < source->exclude.count; x++)
            free(source->exclude.items[x]);
        free(source->exclude.items);
        for (size_t x = 0; x < source->follow_links_of.count; x++)
            free(source->follow_links_of.items[x]);
        free(source->follow_links_of.items);
        free(source->name);
        free(source->path);
        free(source->event_name);
        free(source->mode);
        free(source->group);
    }
    hf_test_tempdir_remove(rig->dir);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
}

struct rig *
rig_with_journal(uint64_t bytes, uint64_t segment_bytes)
{
    struct rig *rig = rig_new();
    rig_stop(rig);
    rig->journal_bytes = bytes;
    rig->segment_bytes = segment_bytes;
    rig_start(rig);
    return rig;
}

int
rig_set_up(void **state)
{
    *state = rig_new();
    return 0;
}

int
rig_set_up_quick(void **state)
{
    struct rig *rig = rig_new();
    rig->timing.rescan_ms = 30;
    hf_intake_set_timing(rig->intake, &rig->timing);
    *state = rig;
    return 0;
}

int
rig_tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

struct hf_config_source *
rig_source(struct rig *rig, const char *name, int type, const char *path)
{
    assert_true(rig->config.source_count < SOURCES_MAX);
    struct hf_config_source *source = &rig->sources[rig->config.source_count++];
    *source = (struct hf_config_source){ .name = strdup(name),
                                         .type = type,
                                         .path = path ? strdup(rig_path(rig, path)) : NULL,
                                         .event_name = strdup("LogLine"),
                                         .mode = strdup("0600"),
                                         .max_event = 1u << 20,
                                         .start = HF_START_BEGINNING };
    return source;
}

/* ---- files ---- */

const char *
rig_path(struct rig *rig, const char *name)
{
    static _Thread_local char paths[8][512]; /* a source's thread asks, too */
    static _Thread_local size_t next;
    char *path = paths[next++ % HF_COUNT(paths)];
    snprintf(path, sizeof(paths[0]), "%s/%s", rig->dir, name);
    return path;
}

static void
put(struct rig *rig, const char *name, int flags, const void *bytes, size_t size)
{
    int fd = open(rig_path(rig, name), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

void
rig_write(struct rig *rig, const char *name, const char *text)
{
    put(rig, name, O_TRUNC, text, strlen(text));
}

void
rig_append(struct rig *rig, const char *name, const char *text)
{
    put(rig, name, O_APPEND, text, strlen(text));
}

void
rig_append_bytes(struct rig *rig, const char *name, const void *bytes, size_t size)
{
    put(rig, name, O_APPEND, bytes, size);
}

void
rig_rename(struct rig *rig, const char *from, const char *to)
{
    assert_int_equal(rename(rig_path(rig, from), rig_path(rig, to)), 0);
}

void
rig_unlink(struct rig *rig, const char *name)
{
    assert_int_equal(unlink(rig_path(rig, name)), 0);
}

void
rig_append_numbered(struct rig *rig, const char *name, size_t from, size_t to)
{
    struct hf_buf text = HF_BUF(64u << 20);
    for (size_t i = from; i < to; i++)
        assert_int_equal(hf_buf_addf(&text, "line %zu\n", i), HF_OK);
    rig_append(rig, name, hf_buf_text(&text));
    hf_buf_done(&text);
}

/* ---- waiting ---- */

static void
one_turn(struct rig *rig, unsigned ms)
{
    struct timeval most = { 0, (suseconds_t)ms * 1000 };
    event_base_loopexit(rig->loop, &most);
    event_base_loop(rig->loop, EVLOOP_ONCE);
}

void
rig_until(struct rig *rig, bool (*is_so)(struct rig *rig, void *context), void *context)
{
    uint64_t end_ms = hf_boot_ms() + rig->patience_ms;
    while (!is_so(rig, context)) {
        if (hf_boot_ms() > end_ms)
            fail_msg("waited in vain: %zu events, %zu gaps", rig_count(rig), rig_gaps(rig));
        one_turn(rig, 10);
    }
}

void
rig_turn(struct rig *rig, unsigned ms)
{
    uint64_t end_ms = hf_boot_ms() + ms;
    while (hf_boot_ms() < end_ms)
        one_turn(rig, 5);
}

static void
do_nothing(void *context)
{
    (void)context;
}

void
rig_passes(struct rig *rig, size_t count)
{
    for (; count > 0; count--) {
        for (size_t i = 0; i < rig->intake->source_count; i++)
            if (rig->intake->sources[i]->thread)
                hf_thread_run(rig->intake->sources[i]->thread, do_nothing, NULL);
        one_turn(rig, 1);
    }
}

static void
set_true(void *context)
{
    *(bool *)context = true;
}

static bool
is_true(struct rig *rig, void *context)
{
    (void)rig;
    return *(bool *)context;
}

void
rig_drain(struct rig *rig)
{
    bool done = false;
    struct hf_error err = { .status = HF_OK };
    hf_intake_drain(rig->intake, set_true, &done);
    rig_until(rig, is_true, &done);
    if (hf_journal_sync(rig->journal, 10000, &err) != HF_OK)
        fail_msg("%s", err.text);
    rig_turn(rig, 1);
}

static void
wait_held(void *context)
{
    struct rig *rig = context;
    sem_post(&rig->held);
    while (sem_wait(&rig->let_go) != 0)
        continue;
}

void
rig_hold(struct rig *rig, size_t source)
{
    sem_init(&rig->held, 0, 0);
    sem_init(&rig->let_go, 0, 0);
    hf_thread_post(rig->intake->sources[source]->thread, wait_held, rig);
    while (sem_wait(&rig->held) != 0)
        continue;
}

void
rig_let_go(struct rig *rig)
{
    sem_post(&rig->let_go);
}

/* ---- what arrived ---- */

size_t
rig_count(struct rig *rig)
{
    struct hf_journal_info info;
    hf_journal_info(rig->journal, &info);
    return (size_t)info.durable_seq;
}

static bool
has_count(struct rig *rig, void *context)
{
    return rig_count(rig) >= *(size_t *)context;
}

void
rig_until_count(struct rig *rig, size_t count)
{
    rig_until(rig, has_count, &count);
}

json_t *
rig_events(struct rig *rig)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_buf all = HF_BUF(1u << 30);
    enum hf_status status = hf_journal_sync(rig->journal, 10000, &err);
    if (status != HF_OK && status != HF_EFULL) /* full: what waits for room is not there yet */
        fail_msg("%s", err.text);
    assert_int_equal(hf_buf_add_text(&all, "["), HF_OK);
    if (hf_journal_reader_open(rig->journal, 1, &reader, &err) != HF_OK)
        fail_msg("%s", err.text);
    while (hf_journal_reader_next(reader, &batch, &loss, &err) == HF_OK)
        if (hf_journal_reader_payload(reader, &all, &err) != HF_OK)
            fail_msg("%s", err.text);
    hf_journal_reader_close(reader);
    if (all.size > 1)
        all.size--; /* the last ',' */
    assert_int_equal(hf_buf_add_text(&all, "]"), HF_OK);
    json_t *events = json_loadb((const char *)all.ptr, all.size, 0, NULL);
    assert_non_null(events);
    hf_buf_done(&all);
    return events;
}

const char *
event_text(const json_t *event)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(event, "additionalEventData"), "text"));
    return text ? text : "";
}

const char *
event_name(const json_t *event)
{
    return json_string_value(json_object_get(event, "eventName"));
}

static void
add_one(void *context, const char *key, struct hf_slice value)
{
    (void)key, (void)value;
    ++*(size_t *)context;
}

size_t
rig_positions(struct rig *rig)
{
    size_t count = 0;
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    hf_journal_each_state(rig->journal, "file/app/", add_one, &count);
    return count;
}

size_t
rig_gaps(struct rig *rig)
{
    json_t *events = rig_events(rig), *event;
    size_t i, gaps = 0;
    json_array_foreach(events, i, event) gaps += strcmp(event_name(event), "SourceGap") == 0;
    json_decref(events);
    return gaps;
}

void
assert_texts(struct rig *rig, const char *const *texts, size_t count)
{
    json_t *events = rig_events(rig), *event;
    size_t i, seen = 0;
    json_array_foreach(events, i, event)
    {
        if (strcmp(event_name(event), "SourceGap") == 0)
            continue;
        if (seen >= count)
            fail_msg("one more than %zu: '%.200s'", count, event_text(event));
        assert_string_equal(event_text(event), texts[seen]);
        seen++;
    }
    assert_int_equal(seen, count);
    json_decref(events);
}

void
assert_numbered(struct rig *rig, size_t count)
{
    json_t *events = rig_events(rig), *event;
    uint8_t *times = hf_alloc(count);
    size_t i;
    json_array_foreach(events, i, event)
    {
        uint64_t number;
        if (strcmp(event_name(event), "SourceGap") == 0)
            continue;
        if (!hf_starts_with(event_text(event), "line "))
            fail_msg("event %zu is %s", i, json_dumps(event, 0));
        if (!hf_parse_u64(event_text(event) + 5, 0, count - 1, &number))
            fail_msg("'%s' is none of %zu lines", event_text(event), count);
        times[number]++;
    }
    for (i = 0; i < count; i++)
        if (times[i] != 1)
            fail_msg("line %zu arrived %u times", i, times[i]);
    free(times);
    json_decref(events);
}

struct hf_source_status
rig_status(struct rig *rig, size_t source)
{
    struct hf_source_status statuses[SOURCES_MAX];
    assert_true(hf_intake_status(rig->intake, statuses, SOURCES_MAX) > source);
    return statuses[source];
}
