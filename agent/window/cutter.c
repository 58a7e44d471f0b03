/* The cutter reads only batch headers and entry tables. What decides are the append stamps of the
 * batches and the sizes of the selected records, never the moment at which it runs, so that a
 * restart cuts the same windows.
 *
 * Windows end between two events, also inside a batch when the size asks for it: `at` is the next
 * entry of the batch at hand.
 */
#include <holdfast/window.h>
#include <string.h>

struct hf_cutter {
    struct hf_journal *journal;
    struct hf_journal_reader *reader;
    struct hf_selection selection;
    uint64_t window_s, max_bytes;
    uint64_t next_seq;     /* first sequence not yet in a returned window or in the open one */
    struct hf_window open; /* first_seq 0: nothing in it yet */
    bool have_batch;
    struct hf_journal_batch batch;
    uint32_t at; /* next entry of the batch */
};

enum hf_status
hf_cutter_new(struct hf_journal *journal, const struct hf_selection *selection, uint64_t window_s,
              uint64_t max_bytes, uint64_t from_seq, struct hf_cutter **ret_cutter,
              struct hf_error *err)
{
    hf_assert(window_s > 0 && max_bytes > HF_OBJECT_OVERHEAD);
    struct hf_journal_reader *reader;
    enum hf_status status = hf_journal_reader_open(journal, from_seq, &reader, err);
    if (status != HF_OK)
        return status;
    struct hf_cutter *cutter = hf_alloc(sizeof(*cutter));
    *cutter = (struct hf_cutter){ .journal = journal,
                                  .reader = reader,
                                  .selection = *selection,
                                  .window_s = window_s,
                                  .max_bytes = max_bytes,
                                  .next_seq = from_seq };
    *ret_cutter = cutter;
    return HF_OK;
}

void
hf_cutter_free(struct hf_cutter *cutter)
{
    if (!cutter)
        return;
    hf_journal_reader_close(cutter->reader);
    hf_freep(&cutter);
}

uint64_t
hf_cutter_next_seq(const struct hf_cutter *cutter)
{
    return cutter->open.first_seq ? cutter->open.first_seq : cutter->next_seq;
}

const struct hf_window *
hf_cutter_open_window(const struct hf_cutter *cutter)
{
    return cutter->open.first_seq ? &cutter->open : NULL;
}

int64_t
hf_cutter_due_s(const struct hf_cutter *cutter, uint64_t delay_s)
{
    return cutter->open.first_seq ? cutter->open.slot_s + (int64_t)(cutter->window_s + delay_s) : 0;
}

static int64_t
slot_of(const struct hf_cutter *cutter, uint64_t stamp_ns)
{
    uint64_t stamp_s = stamp_ns / HF_NS_PER_S;
    return (int64_t)(stamp_s - stamp_s % cutter->window_s);
}

static void
take_open(struct hf_cutter *cutter, enum hf_cut_reason reason, struct hf_window *ret_window)
{
    hf_assert(cutter->open.first_seq && cutter->open.first_seq <= cutter->open.last_seq);
    *ret_window = cutter->open;
    ret_window->reason = reason;
    cutter->open = (struct hf_window){ 0 };
}

/* Puts the entry at hand into the open window, which has room for it. */
static void
take_entry(struct hf_cutter *cutter)
{
    const struct hf_journal_entry *entry = &cutter->batch.entries[cutter->at];
    struct hf_window *open = &cutter->open;
    uint64_t seq = cutter->batch.first_seq + cutter->at;
    if (!open->first_seq)
        *open = (struct hf_window){ .first_seq = seq,
                                    .slot_s = slot_of(cutter, cutter->batch.stamp_ns),
                                    .arrived_s = (int64_t)(cutter->batch.stamp_ns / HF_NS_PER_S),
                                    .bytes = HF_OBJECT_OVERHEAD };
    open->last_seq = seq;
    if (hf_selection_has(&cutter->selection, entry->source)) {
        open->bytes += entry->size + (open->count > 0); /* a comma between two */
        open->oldest_s =
            open->count ? HF_MIN(open->oldest_s, entry->event_time_s) : entry->event_time_s;
        open->newest_s =
            open->count ? HF_MAX(open->newest_s, entry->event_time_s) : entry->event_time_s;
        open->count++;
    }
    cutter->at++;
    cutter->next_seq = seq + 1;
}

static bool
entry_fits(const struct hf_cutter *cutter)
{
    const struct hf_journal_entry *entry = &cutter->batch.entries[cutter->at];
    /* A single record may be larger than max_bytes: it gets an object of its own. */
    if (!hf_selection_has(&cutter->selection, entry->source) || cutter->open.count == 0)
        return true;
    return cutter->open.bytes + 1 + entry->size <= cutter->max_bytes;
}

/* Makes the batch at hand one that has entries left; HF_EFULL at the durable end. */
static enum hf_status
need_batch(struct hf_cutter *cutter, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    while (!cutter->have_batch || cutter->at >= cutter->batch.count) {
        cutter->have_batch = false;
        enum hf_status status =
            hf_journal_reader_next(cutter->reader, &cutter->batch, ret_loss, err);
        if (status == HF_ECORRUPT && ret_loss->last_seq >= cutter->next_seq)
            cutter->next_seq = ret_loss->last_seq + 1;
        if (status != HF_OK)
            return status;
        cutter->have_batch = true;
        cutter->at = 0;
        uint64_t first_seq = cutter->batch.first_seq;
        if (cutter->next_seq > first_seq) /* begin inside it: the cut before ended there */
            cutter->at = (uint32_t)HF_MIN(cutter->next_seq - first_seq, cutter->batch.count);
        else /* what lies between was released */
            cutter->next_seq = first_seq;
    }
    return HF_OK;
}

/* Grows the open window up to `last_seq`; HF_OK: a window is complete. `delay_s` and `floor_s` hold
 * a window that is complete by time back until its host's turn, so that a fleet does not deliver in
 * the same second. */
static enum hf_status
advance(struct hf_cutter *cutter, uint64_t last_seq, uint64_t delay_s, int64_t floor_s,
        struct hf_window *ret_window, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    while (cutter->next_seq <= last_seq) {
        enum hf_status status = need_batch(cutter, ret_loss, err);
        if (status != HF_OK)
            return status;
        if (cutter->open.first_seq &&
            slot_of(cutter, cutter->batch.stamp_ns) != cutter->open.slot_s) {
            /* A clock that went back before the slot must not hold it for long. */
            if (floor_s < hf_cutter_due_s(cutter, delay_s) && floor_s >= cutter->open.slot_s)
                return HF_EFULL;
            take_open(cutter, HF_CUT_TIME, ret_window);
            return HF_OK;
        }
        while (cutter->at < cutter->batch.count &&
               cutter->batch.first_seq + cutter->at <= last_seq) {
            if (!entry_fits(cutter)) {
                take_open(cutter, HF_CUT_SIZE, ret_window);
                return HF_OK;
            }
            take_entry(cutter);
        }
    }
    return HF_EFULL;
}

enum hf_status
hf_cutter_next(struct hf_cutter *cutter, uint64_t delay_s, struct hf_window *ret_window,
               struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    /* The floor is read before the journal's end: whatever is appended between the two has a stamp
     * at or past it. */
    struct hf_journal_info info;
    hf_journal_info(cutter->journal, &info);
    int64_t floor_s = (int64_t)(info.floor_ns / HF_NS_PER_S);
    enum hf_status status =
        advance(cutter, UINT64_MAX, delay_s, floor_s, ret_window, ret_loss, err);
    if (status != HF_EFULL || !cutter->open.first_seq || floor_s < hf_cutter_due_s(cutter, delay_s))
        return status;
    take_open(cutter, HF_CUT_TIME, ret_window);
    return HF_OK;
}

enum hf_status
hf_cutter_close_at(struct hf_cutter *cutter, uint64_t last_seq, struct hf_window *ret_window,
                   struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    enum hf_status status = advance(cutter, last_seq, 0, INT64_MAX, ret_window, ret_loss, err);
    if (status != HF_EFULL || !cutter->open.first_seq)
        return status;
    take_open(cutter, HF_CUT_NOW, ret_window);
    return HF_OK;
}
