/* Recovery, the directory's side: which files are segments, in which order they were used, and what
 * is missing between them. A file without a readable header is one that a crash caught while it was
 * made, unless it holds batches that are newer than all others: then those are lost.
 */
#include "agent/journal/recover_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_DIGITS 10

struct found {
    struct hf_segment *segment;
    uint64_t released_seq;
    unsigned copies; /* of the header that verify and are of this use */
};

struct files {
    struct found *items; /* with a header, by order */
    size_t count;
    struct hf_segment_list headless;
};

static bool
parse_name(const char *name, uint64_t *ret_number)
{
    char digits[NAME_DIGITS + 1];

    if (strlen(name) != NAME_DIGITS + 4 || strcmp(name + NAME_DIGITS, ".seg") != 0)
        return false;
    memcpy(digits, name, NAME_DIGITS);
    digits[NAME_DIGITS] = '\0';
    return hf_parse_u64(digits, 0, 9999999999ull, ret_number);
}

/* The newer of the two copies; they differ when a crash caught the header half written. */
static enum hf_status
read_head(struct hf_view *view, struct hf_segment_head *ret_head, unsigned *ret_copies,
          struct hf_error *err)
{
    *ret_copies = 0;
    for (uint64_t i = 0; i < 2; i++) {
        const uint8_t *bytes;
        struct hf_disk_segment disk;
        struct hf_segment_head head;
        enum hf_status status =
            hf_view_at(view, i * HF_SEGMENT_BLOCK, HF_SEGMENT_BLOCK, &bytes, err);
        if (status == HF_ECORRUPT)
            continue; /* shorter than a header */
        if (status != HF_OK)
            return status;
        memcpy(&disk, bytes, sizeof(disk));
        status = hf_segment_head_decode(&disk, &head);
        if (status == HF_EVERSION)
            return hf_fail(err, HF_EVERSION,
                           "it has version %u (flags %x): it was written by a later version of "
                           "holdfast, run that one",
                           le32toh(disk.version), le32toh(disk.incompatible));
        if (status != HF_OK || (*ret_copies > 0 && head.order < ret_head->order))
            continue;
        *ret_copies = *ret_copies > 0 && head.order == ret_head->order ? 2 : 1;
        *ret_head = head;
    }
    return HF_OK;
}

static void
add_found(struct files *files, struct hf_segment *segment, const struct hf_segment_head *head,
          unsigned copies)
{
    segment->generation = head->generation;
    segment->order = head->order;
    segment->first_seq = head->first_seq;
    segment->last_seq = head->first_seq - 1;
    segment->end = HF_SEGMENT_DATA;
    files->items = hf_realloc(files->items, (files->count + 1) * sizeof(*files->items));
    files->items[files->count++] = (struct found){ segment, head->released_seq, copies };
}

static enum hf_status
open_view(const struct hf_journal *journal, struct hf_segment *segment, struct hf_view *ret_view,
          struct hf_error *err)
{
    enum hf_status status = hf_segment_open(journal->directory, segment, err);

    if (status != HF_OK)
        return status;
    hf_view_init(ret_view, segment->fd, segment->bytes);
    ret_view->zero_bad = true;
    return HF_OK;
}

static enum hf_status
read_file(struct hf_journal *journal, struct files *files, uint64_t number, struct hf_error *err)
{
    hf_owned(hf_view_done) struct hf_view view = { .fd = -1 };
    struct hf_segment *segment = hf_segment_new(number, 0);
    struct hf_segment_head head;
    unsigned copies = 0;
    struct stat info;

    enum hf_status status = hf_segment_open(journal->directory, segment, err);
    if (status == HF_OK)
        status = hf_fs_fstat(segment->fd, &info, err);
    if (status == HF_OK) {
        segment->bytes = (uint64_t)info.st_size;
        hf_view_init(&view, segment->fd, segment->bytes);
        view.zero_bad = true;
        status = read_head(&view, &head, &copies, err);
    }
    hf_fs_close(&segment->fd);
    if (status != HF_OK) {
        hf_segment_free(segment);
        return hf_while(err, status, "reading journal segment %010llu.seg",
                        (unsigned long long)number);
    }
    if (copies > 0)
        add_found(files, segment, &head, copies);
    else
        hf_segment_list_add(&files->headless, segment);
    return HF_OK;
}

static int
by_order(const void *a, const void *b)
{
    const struct hf_segment *x = ((const struct found *)a)->segment,
                            *y = ((const struct found *)b)->segment;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Two files of the same order are a copy somebody made: one of them is none of the journal's. */
static void
drop_copies(struct files *files)
{
    size_t kept = 0;

    for (size_t i = 0; i < files->count; i++) {
        if (kept > 0 && files->items[kept - 1].segment->order == files->items[i].segment->order)
            hf_segment_list_add(&files->headless, files->items[i].segment);
        else
            files->items[kept++] = files->items[i];
    }
    files->count = kept;
}

static enum hf_status
read_directory(struct hf_journal *journal, struct files *files, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status =
        hf_fs_list(journal->directory, HF_JOURNAL_FILES_MAX, &names, &count, err);

    if (status != HF_OK)
        return status;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        uint64_t number;
        if (!parse_name(names[i], &number))
            continue;
        journal->files.next_number = HF_MAX(journal->files.next_number, number + 1);
        status = read_file(journal, files, number, err);
    }
    hf_fs_names_free(names, count);
    if (status == HF_OK && files->count > 0) {
        qsort(files->items, files->count, sizeof(*files->items), by_order);
        drop_copies(files);
        journal->files.next_order = files->items[files->count - 1].segment->order + 1;
    }
    return status;
}

/* A file that nothing is needed of: a spare if it has the right size, else the writer takes it
 * away. */
static void
reclaim(struct hf_journal *journal, struct hf_segment *segment)
{
    bool keep = hf_journal_fits_as_spare(journal, segment) &&
                journal->files.spares.count < HF_JOURNAL_SPARES;

    hf_fs_close(&segment->fd);
    segment->first_seq = 1;
    segment->last_seq = 0;
    hf_segment_list_add(keep ? &journal->files.spares : &journal->files.released, segment);
}

static enum hf_status
recover_segment(struct hf_recover *run, const struct found *found, struct hf_error *err)
{
    struct hf_segment *segment = found->segment;
    char what[96];

    if (segment->first_seq > run->expected)
        hf_recover_lose(run, run->expected, segment->first_seq - 1,
                        "the journal's files do not hold them");
    run->expected = segment->first_seq;
    enum hf_status status = open_view(run->journal, segment, &run->view, err);
    if (status == HF_OK)
        status = hf_recover_scan(run, segment, err);
    if (status == HF_OK && run->cap == UINT64_MAX)
        status = hf_recover_settle(run, segment, err);
    if (status == HF_OK && run->batches > 0 && found->copies < 2) {
        snprintf(what, sizeof(what), "a copy of the header of segment %010llu is damaged",
                 (unsigned long long)segment->number);
        hf_recover_lose(run, segment->first_seq, segment->first_seq - 1, what);
    }
    hf_view_done(&run->view);
    hf_fs_close(&segment->fd);
    return status;
}

/* The state of the journal begins with the newest snapshot there is. What stands before it is
 * only looked at for events that are still needed; what stands behind it is a segment that a
 * crash caught between its header and its snapshot. */
static enum hf_status
find_state(struct hf_recover *run, const struct files *files, size_t *ret_from,
           struct hf_error *err)
{
    bool has = false;
    enum hf_status status = HF_OK;

    *ret_from = files->count;
    while (status == HF_OK && !has && *ret_from > 0) {
        struct hf_segment *segment = files->items[--*ret_from].segment;
        status = open_view(run->journal, segment, &run->view, err);
        if (status == HF_OK)
            status = hf_recover_has_snapshot(run, segment, &has, err);
        hf_view_done(&run->view);
        hf_fs_close(&segment->fd);
    }
    return status;
}

static enum hf_status
recover_segments(struct hf_recover *run, struct files *files, struct hf_error *err)
{
    struct hf_journal *journal = run->journal;
    size_t state_from;
    enum hf_status found_state = find_state(run, files, &state_from, err);

    if (found_state != HF_OK)
        return found_state;
    for (size_t i = 0; i < files->count; i++)
        run->released_seq = HF_MAX(run->released_seq, files->items[i].released_seq);
    run->expected = run->released_seq + 1;
    bool first = true;
    for (size_t i = 0; i < files->count; i++) {
        struct found *found = &files->items[i];
        struct hf_segment *segment = found->segment;
        run->cap = UINT64_MAX;
        for (size_t k = i + 1; k < files->count; k++)
            run->cap = HF_MIN(run->cap, files->items[k].segment->first_seq);
        run->batches = 0;
        run->superseded = i < state_from;
        bool wanted =
            segment->first_seq <= run->cap && (run->cap - 1 > run->released_seq || i >= state_from);
        if (wanted) {
            if (first)
                run->expected = HF_MIN(run->expected, segment->first_seq);
            first = false;
            enum hf_status status = recover_segment(run, found, err);
            if (status != HF_OK)
                return status;
        }
        found->segment = NULL;
        if (run->batches > 0)
            hf_segment_list_add(&journal->files.held, segment);
        else
            reclaim(journal, segment);
    }
    return HF_OK;
}

/* The highest sequence in a file whose header is gone, 0 when there is none. */
static enum hf_status
highest_seq(const struct hf_journal *journal, struct hf_segment *segment, uint64_t *ret_seq,
            struct hf_error *err)
{
    hf_owned(hf_view_done) struct hf_view view = { .fd = -1 };
    struct hf_batch_head head;
    uint64_t offset = 0;
    enum hf_status status = open_view(journal, segment, &view, err);

    *ret_seq = 0;
    while (status == HF_OK) {
        status = hf_view_find(&view, offset, 0, 1, &offset, &head, err);
        if (status == HF_OK)
            *ret_seq = HF_MAX(*ret_seq, hf_batch_last_seq(&head));
        offset += 8;
    }
    hf_fs_close(&segment->fd);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

static enum hf_status
recover_headless(struct hf_recover *run, struct files *files, struct hf_error *err)
{
    uint64_t expected = run->expected;

    while (files->headless.count > 0) {
        struct hf_segment *segment = files->headless.items[0];
        uint64_t seq;
        enum hf_status status = highest_seq(run->journal, segment, &seq, err);
        if (status != HF_OK)
            return status;
        hf_segment_list_remove(&files->headless, 0);
        if (seq >= expected) {
            run->expected = HF_MAX(run->expected, seq + 1);
            segment->first_seq = 1;
            segment->last_seq = 0;
            hf_segment_list_add(&run->journal->files.released,
                                segment); /* goes when the fresh one says what is lost */
        } else {
            reclaim(run->journal, segment);
        }
    }
    if (run->expected > expected)
        hf_recover_lose(run, expected, run->expected - 1,
                        "the header of the segment that held them is damaged");
    return HF_OK;
}

static void
drop_old_losses(struct hf_journal_recovery *recovery, uint64_t released_seq)
{
    size_t kept = 0;

    for (size_t i = 0; i < recovery->loss_count; i++)
        if (HF_MAX(recovery->losses[i].first_seq, recovery->losses[i].last_seq) > released_seq)
            recovery->losses[kept++] = recovery->losses[i];
    recovery->loss_count = kept;
}

static void
files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        hf_segment_free(files->items[i].segment);
    hf_freep(&files->items);
    hf_segment_list_done(&files->headless);
}

static void
take_over(struct hf_recover *run)
{
    struct hf_journal *journal = run->journal;
    struct hf_journal_recovery *recovery = run->recovery;

    journal->next_seq = run->expected;
    journal->durable_seq = run->expected - 1;
    journal->released_seq = journal->recorded_seq = HF_MIN(run->released_seq, journal->durable_seq);
    journal->batch_number = 1;
    hf_builder_reset(journal->waiting, journal->batch_number, journal->next_seq);
    drop_old_losses(recovery, journal->released_seq);
    recovery->next_seq = journal->next_seq;
    recovery->oldest_seq = journal->next_seq;
    for (size_t i = journal->files.held.count; i > 0; i--)
        if (hf_segment_has_events(journal->files.held.items[i - 1]))
            recovery->oldest_seq = journal->files.held.items[i - 1]->first_seq;
    hf_journal_load_sources(journal);
}

enum hf_status
hf_journal_recover(struct hf_journal *journal, struct hf_journal_recovery *recovery,
                   struct hf_error *err)
{
    hf_owned(files_done) struct files files = { 0 };
    struct hf_recover run = { .journal = journal, .recovery = recovery, .view = { .fd = -1 } };

    journal->files.next_number = journal->files.next_order = 1;
    enum hf_status status = read_directory(journal, &files, err);
    if (status == HF_OK) /* a crash may have come before the names were durable */
        status = hf_fs_sync_dir(journal->directory, err);
    if (status == HF_OK)
        status = recover_segments(&run, &files, err);
    hf_view_done(&run.view);
    if (status == HF_OK)
        status = recover_headless(&run, &files, err);
    if (status == HF_OK)
        take_over(&run);
    return status;
}
