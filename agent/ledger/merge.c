/* Two files of the same steps, of which a crash or a bad disk may have left anything, become one.
 * Nothing is written here.
 *
 * A step is taken when either file has it whole. The first number that neither has is the end; if
 * any frame behind it says that it was durable, it was damaged, else this is the torn tail: of
 * frames that were written and never synced a power loss may leave any, not only the first ones. */
#include "agent/ledger/ledger_impl.h"
#include <holdfast/json.h>
#include <string.h>

/* The next whole frame at or behind *at, which then points to it. Frames begin at multiples of 8. A
 * document cannot hold one: JSON has no zero bytes, and without them a frame would be too large. */
static bool
find_frame(struct hf_slice file, size_t *at, struct frame *ret_frame)
{
    for (; *at + FRAME_PREFIX <= file.size; *at = (*at / FRAME_ALIGN + 1) * FRAME_ALIGN) {
        if (frame_decode(file, *at, ret_frame))
            return true;
    }
    return false;
}

static enum hf_status
check_known(const struct frame *frame, struct hf_error *err)
{
    enum hf_step step = (enum hf_step)frame->step;
    if (frame->version > FRAME_VERSION)
        return hf_fail(err, HF_EVERSION,
                       "step %llu has version %u, which only a later holdfast knows: use that one",
                       (unsigned long long)frame->number, frame->version);
    if (strcmp(hf_step_name(step), "unknown") == 0)
        return hf_fail(err, HF_EVERSION,
                       "step %llu is of kind %u, which only a later holdfast knows: use that one",
                       (unsigned long long)frame->number, frame->step);
    return HF_OK;
}

/* Which epoch counts, and what is durable in it. Anything of a later version, wherever it stands,
 * ends it here: nobody may cut off what he does not know. */
static enum hf_status
survey(const struct hf_slice files[LEDGER_FILES], struct merged *merged, struct hf_error *err)
{
    bool has_frames[LEDGER_FILES] = { false };
    uint64_t newest_of[LEDGER_FILES] = { 0 };
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        struct frame frame;
        for (size_t at = 0; find_frame(files[i], &at, &frame); at += frame.size) {
            enum hf_status status = check_known(&frame, err);
            if (status != HF_OK)
                return status;
            if (frame.epoch > merged->epoch)
                merged->durable = 0;
            merged->epoch = HF_MAX(merged->epoch, frame.epoch);
            if (frame.epoch == merged->epoch)
                merged->durable = HF_MAX(merged->durable, frame.durable);
            newest_of[i] = HF_MAX(newest_of[i], frame.epoch);
            has_frames[i] = true;
        }
    }
    for (size_t i = 0; i < LEDGER_FILES; i++)
        merged->is_stale[i] = has_frames[i] && newest_of[i] < merged->epoch;
    return HF_OK;
}

struct cursor {
    struct hf_slice file;
    size_t at;
};

/* The first step that is not before `number`. */
static bool
find_number(struct cursor *cursor, uint64_t epoch, uint64_t number, struct frame *ret_frame)
{
    while (find_frame(cursor->file, &cursor->at, ret_frame)) {
        if (ret_frame->epoch == epoch && ret_frame->number >= number)
            return true;
        cursor->at += ret_frame->size;
    }
    return false;
}

/* The bytes of a step from whoever has it; empty: nobody. */
static enum hf_status
take_step(struct cursor cursors[LEDGER_FILES], struct merged *merged, struct hf_slice *ret_bytes,
          struct hf_error *err)
{
    struct hf_slice bytes = hf_slice(NULL, 0);
    merged->has_hole = false;
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        struct frame frame;
        if (!find_number(&cursors[i], merged->epoch, merged->count + 1, &frame))
            continue;
        if (frame.number != merged->count + 1) {
            merged->has_hole = true;
            continue;
        }
        struct hf_slice found = hf_slice(cursors[i].file.ptr + cursors[i].at, frame.used);
        if (bytes.size && !hf_slice_equal(bytes, found))
            return hf_fail(err, HF_ECORRUPT, "its two files differ in step %llu, at byte %zu",
                           (unsigned long long)merged->count + 1, merged->bytes.size);
        bytes = found;
    }
    *ret_bytes = bytes;
    return HF_OK;
}

static enum hf_status
append_step(struct merged *merged, struct hf_slice step, struct hf_error *err)
{
    static const uint8_t zeros[FRAME_ALIGN];
    size_t padding = (FRAME_ALIGN - step.size % FRAME_ALIGN) % FRAME_ALIGN;
    if (hf_buf_add(&merged->bytes, step.ptr, step.size) != HF_OK ||
        hf_buf_add(&merged->bytes, zeros, padding) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "the ledger is larger than %u bytes", LEDGER_MAX);
    merged->count++;
    if (merged->count <= merged->durable)
        merged->unsynced_from = merged->bytes.size;
    return HF_OK;
}

void
merged_done(struct merged *merged)
{
    hf_buf_done(&merged->bytes);
}

enum hf_status
ledger_merge(const struct hf_slice files[LEDGER_FILES], struct merged *ret_merged,
             struct hf_error *err)
{
    hf_owned(merged_done) struct merged merged = { .bytes = HF_BUF(LEDGER_MAX) };
    struct cursor cursors[LEDGER_FILES] = { { .file = files[0] }, { .file = files[1] } };
    enum hf_status status = survey(files, &merged, err);
    while (status == HF_OK) {
        struct hf_slice step;
        status = take_step(cursors, &merged, &step, err);
        if (status != HF_OK || step.size == 0)
            break;
        status = append_step(&merged, step, err);
    }
    if (status == HF_OK && merged.count < merged.durable)
        return hf_fail(err, HF_ECORRUPT,
                       "step %llu, which was durable, is damaged or missing at byte %zu of both "
                       "files, with later steps behind it",
                       (unsigned long long)merged.count + 1, merged.bytes.size);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < LEDGER_FILES; i++)
        merged.is_whole[i] =
            files[i].size >= merged.bytes.size &&
            hf_slice_equal(hf_slice(files[i].ptr, merged.bytes.size), hf_buf_slice(&merged.bytes));
    *ret_merged = merged;
    merged.bytes = HF_BUF(0);
    return HF_OK;
}

enum hf_status
ledger_visit(struct hf_slice whole, hf_ledger_visitor visit, void *context, struct hf_error *err)
{
    struct frame frame;
    for (size_t at = 0; frame_decode(whole, at, &frame); at += frame.size) {
        hf_owned(hf_doc_freep) json_t *doc = NULL;
        enum hf_step step = (enum hf_step)frame.step;
        enum hf_status status = hf_doc_parse(frame.doc, FRAME_DOC_MAX, "ledger step", &doc, err);
        if (status != HF_OK)
            return hf_while(err, HF_ECORRUPT, "step %llu", (unsigned long long)frame.number);
        status = visit(context, step, doc, err);
        if (status != HF_OK)
            return hf_while(err, status, "step %llu (%s)", (unsigned long long)frame.number,
                            hf_step_name(step));
    }
    return HF_OK;
}

/* A step that ends early is damage only where it was durable: a crash leaves such a tail. */
void
ledger_compare(const struct merged *merged, struct hf_slice file,
               struct hf_ledger_file_recovery *ret_recovery)
{
    struct hf_slice whole = hf_buf_slice(&merged->bytes);
    struct frame frame;
    for (size_t at = 0; frame_decode(whole, at, &frame); at += frame.size) {
        size_t there = at < file.size ? HF_MIN(file.size - at, frame.size) : 0, same = 0;
        while (same < there && file.ptr[at + same] == whole.ptr[at + same])
            same++;
        if (same == frame.size || (same == there && frame.number > merged->durable))
            continue;
        if (ret_recovery->repaired_steps++ == 0)
            ret_recovery->repaired_byte = at + same;
    }
}
