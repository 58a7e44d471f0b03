/* Opening, closing, and what is asked about the whole journal. */
#include "agent/journal/journal_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The mutex checks for errors: a unit that calls back into the journal would wait for itself for
 * ever. */
void
hf_journal_lock(struct hf_journal *journal)
{
    int failure = pthread_mutex_lock(&journal->lock);
    hf_assert(failure == 0);
}

void
hf_journal_unlock(struct hf_journal *journal)
{
    int failure = pthread_mutex_unlock(&journal->lock);
    hf_assert(failure == 0);
}

void
hf_trouble_set(struct hf_trouble *trouble, enum hf_status status, const struct hf_error *err)
{
    trouble->status = status;
    snprintf(trouble->text, sizeof(trouble->text), "%.*s", (int)sizeof(trouble->text) - 1,
             status == HF_OK ? "" : err->text);
}

static void
init_locks(struct hf_journal *journal)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;

    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_settype(&mutex, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&journal->lock, &mutex);
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_init(&condition);
    pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
    pthread_cond_init(&journal->work, &condition);
    pthread_cond_init(&journal->progress, &condition);
    pthread_condattr_destroy(&condition);
}

static void
free_sources(struct hf_journal *journal)
{
    for (size_t i = 0; journal->sources && i < HF_SOURCES_MAX; i++)
        hf_freep(&journal->sources[i]);
    hf_freep(&journal->sources);
}

static void
free_journal(struct hf_journal *journal)
{
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->progress);
    pthread_mutex_destroy(&journal->lock);
    for (size_t i = 0; i < HF_COUNT(journal->builders); i++)
        hf_builder_done(&journal->builders[i]);
    hf_buf_done(&journal->repeat.changes);
    hf_state_map_done(&journal->state);
    hf_segment_list_done(&journal->files.held);
    hf_segment_list_done(&journal->files.released);
    hf_segment_list_done(&journal->files.spares);
    free_sources(journal);
    hf_freep(&journal);
}

static struct hf_journal *
new_journal(const struct hf_journal_options *options)
{
    struct hf_journal *journal = hf_alloc(sizeof(*journal));

    snprintf(journal->directory, sizeof(journal->directory), "%s", options->directory);
    journal->max_bytes = options->max_bytes;
    /* At least four segments, so that there is always one to release while another fills. */
    journal->segment_bytes =
        HF_MAX(HF_SEGMENT_MIN, HF_MIN(options->segment_bytes, options->max_bytes / 4));
    journal->segment_bytes -= journal->segment_bytes % HF_SEGMENT_BLOCK;
    journal->on_commit = options->on_commit;
    journal->context = options->context;
    for (size_t i = 0; i < HF_COUNT(journal->builders); i++)
        hf_builder_init(&journal->builders[i]);
    hf_repeat_init(&journal->repeat);
    journal->waiting = &journal->builders[0];
    journal->sources = hf_alloc(HF_SOURCES_MAX * sizeof(*journal->sources));
    init_locks(journal);
    return journal;
}

/* A recovered segment is never written again: the rest of its file is given back. What lay there
 * was cut. */
static void
trim_recovered(struct hf_journal *journal)
{
    for (size_t i = 0; i < journal->files.held.count; i++) {
        struct hf_segment *segment = journal->files.held.items[i];
        uint64_t bytes =
            (segment->end + HF_SEGMENT_BLOCK - 1) / HF_SEGMENT_BLOCK * HF_SEGMENT_BLOCK;
        struct hf_error ignored; /* it takes more room than it needs, that is all */
        if (segment == journal->files.current || bytes >= segment->bytes)
            continue;
        if (hf_segment_open(journal->directory, segment, &ignored) == HF_OK &&
            hf_fs_truncate(segment->fd, (off_t)bytes, &ignored) == HF_OK)
            segment->bytes = bytes;
        hf_fs_close(&segment->fd);
    }
}

/* A full disk does not keep the journal from opening: what is in it has to be delivered, then the
 * writer finds room. */
static enum hf_status
open_fresh_segment(struct hf_journal *journal, struct hf_error *err)
{
    hf_journal_lock(journal);
    enum hf_status status = hf_journal_rotate(journal, 0, err);
    if (status == HF_OK || status == HF_ENOSPC)
        trim_recovered(journal);
    if (status == HF_ENOSPC)
        status = hf_journal_rotate(journal, 0, err);
    if (status == HF_ENOSPC && journal->files.held.count > 0) {
        hf_trouble_set(&journal->space_trouble, status, err);
        status = HF_OK;
    }
    hf_journal_release_held(journal);
    hf_journal_unlock(journal);
    return status;
}

static enum hf_status
start(struct hf_journal *journal, struct hf_journal_recovery *recovery, struct hf_error *err)
{
    enum hf_status status = hf_fs_mkdirs(journal->directory, 0700, err);

    if (status == HF_OK)
        status = hf_journal_recover(journal, recovery, err);
    if (status == HF_OK)
        status = open_fresh_segment(journal, err);
    if (status != HF_OK)
        return hf_while(err, status, "opening the journal in '%s'", journal->directory);
    int failure = pthread_create(&journal->writer.thread, NULL, hf_journal_writer, journal);
    if (failure)
        return hf_fail(err, HF_EINTERNAL, "starting the journal's writer: %s",
                       hf_status_text(HF_ENOMEM));
    journal->writer.runs = true;
    return HF_OK;
}

enum hf_status
hf_journal_open(const struct hf_journal_options *options, struct hf_journal **ret_journal,
                struct hf_journal_recovery *ret_recovery, struct hf_error *err)
{
    struct hf_journal_recovery recovery = { 0 };

    if (strlen(options->directory) >= HF_PATH_MAX - 32)
        return hf_fail(err, HF_EUSAGE, "the journal's path is too long: '%.200s...'",
                       options->directory);
    struct hf_journal *journal = new_journal(options);
    enum hf_status status = start(journal, &recovery, err);
    if (status != HF_OK) {
        free_journal(journal);
        hf_journal_recovery_done(&recovery);
        return status;
    }
    *ret_journal = journal;
    *ret_recovery = recovery;
    return HF_OK;
}

void
hf_journal_recovery_done(struct hf_journal_recovery *recovery)
{
    hf_freep(&recovery->losses);
    *recovery = (struct hf_journal_recovery){ 0 };
}

void
hf_journal_close(struct hf_journal *journal)
{
    hf_journal_lock(journal);
    hf_assert(!journal->unit.open);
    journal->stopping = true;
    journal->writer.attempts = HF_MIN(
        journal->writer.attempts, 1); /* a batch that could not be written gets one more chance */
    pthread_cond_broadcast(&journal->work);
    pthread_cond_broadcast(&journal->progress);
    hf_journal_unlock(journal);
    pthread_join(journal->writer.thread, NULL);
    free_journal(journal);
}

void
hf_journal_release(struct hf_journal *journal, uint64_t seq)
{
    hf_journal_lock(journal);
    seq = HF_MIN(seq, journal->durable_seq);
    if (seq > journal->released_seq) {
        journal->released_seq = seq;
        hf_journal_release_held(journal);
        pthread_cond_signal(&journal->work);
    }
    hf_journal_unlock(journal);
}

void
hf_journal_set_wipe(struct hf_journal *journal, bool wipe)
{
    hf_journal_lock(journal);
    journal->wipe = wipe;
    pthread_cond_signal(&journal->work);
    hf_journal_unlock(journal);
}

void
hf_journal_hold_room(struct hf_journal *journal, bool hold)
{
    hf_journal_lock(journal);
    if (journal->hold_room && !hold)
        journal->writer.retry_ms = journal->writer.spare_retry_ms = 0;
    journal->hold_room = hold;
    pthread_cond_signal(&journal->work);
    hf_journal_unlock(journal);
}

static uint64_t
oldest_seq(const struct hf_journal *journal)
{
    for (size_t i = 0; i < journal->files.held.count; i++)
        if (hf_segment_has_events(journal->files.held.items[i]))
            return journal->files.held.items[i]->first_seq;
    return journal->durable_seq + 1;
}

void
hf_journal_info(struct hf_journal *journal, struct hf_journal_info *ret_info)
{
    struct hf_journal_info info = { .max_bytes = journal->max_bytes };

    hf_journal_lock(journal);
    info.next_seq = journal->next_seq;
    info.durable_seq = journal->durable_seq;
    info.oldest_seq = oldest_seq(journal);
    info.released_seq = journal->released_seq;
    /* What waits gets its stamp later, under this lock; what is in flight has it already and is not
     * to be read yet. */
    info.floor_ns = hf_wall_ns();
    if (journal->flight)
        info.floor_ns = HF_MIN(info.floor_ns, journal->flight->stamp_ns);
    for (size_t i = 0; i < journal->files.held.count; i++)
        info.bytes += journal->files.held.items[i]->bytes;
    info.state_bytes = journal->state.bytes;
    info.state_bytes_max = hf_journal_new_state_max(journal);
    info.record_bytes = hf_journal_record_bytes(journal);
    info.record_bytes_max = hf_journal_record_bytes_max(journal);
    info.commits = journal->writer.commits;
    info.events = journal->writer.events;
    info.written_bytes = journal->writer.bytes;
    bool trouble = journal->space_trouble.status != HF_OK || journal->write_trouble.status != HF_OK;
    info.full = trouble && !hf_journal_has_room(journal);
    if (journal->write_trouble.status != HF_OK)
        memcpy(info.reason, journal->write_trouble.text, sizeof(info.reason));
    else if (info.full)
        memcpy(info.reason, journal->space_trouble.text, sizeof(info.reason));
    hf_journal_unlock(journal);
    *ret_info = info;
}
