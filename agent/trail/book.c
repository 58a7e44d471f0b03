/* The ledger of one trail. */
#include "agent/trail/book.h"

#include "agent/trail/saved.h"

#include <holdfast/json.h>

void
book_say(struct book *book, const char *event, const char *window, const struct hf_error *err)
{
    if (book->trouble != err->status)
        hf_log_error(event, HF_STR("trail", book->trail), HF_STR("window", window ? window : "-"),
                     HF_ERR(err));
    book->trouble = err->status;
}

/* ---- at the start ---- */

static enum hf_status
replay(void *context, enum hf_step kind, const json_t *doc, struct hf_error *err)
{
    struct step step;
    enum hf_status status = step_read(kind, doc, &step, err);
    if (status != HF_OK)
        return status;
    status = step_apply(context, &step, err);
    step_done(&step);
    return status;
}

/* One of its two files was damaged, and was made whole from the other: nothing is lost, but the
 * disk has to be looked at. */
static void
tell_repair(struct book *book, const char *file, const struct hf_ledger_file_recovery *recovery)
{
    if (recovery->missing || recovery->unreadable)
        hf_log_warn(
            "ledger.rebuilt", HF_STR("trail", book->trail), HF_STR("file", file),
            HF_STR("reason", recovery->missing ? "it was not there" : "the disk gave an error"));
    else if (recovery->repaired_steps)
        hf_log_error("ledger.repaired", HF_STR("trail", book->trail), HF_STR("file", file),
                     HF_NUM("byte", recovery->repaired_byte),
                     HF_NUM("steps", recovery->repaired_steps));
    book->repairs += recovery->repaired_steps + recovery->unreadable;
}

enum hf_status
book_open(struct book *book, const struct state *state, const char *folder, struct hf_error *err)
{
    struct hf_ledger_recovery recovery;
    struct state replayed = *state;
    char path[HF_PATH_MAX];
    bool begun;
    hf_path_join(path, sizeof(path), folder, "ledger");
    enum hf_status status = settings_exist(folder, &begun, err);
    if (status == HF_OK)
        status = hf_ledger_open(path, begun, replay, &replayed, &book->ledger, &recovery, err);
    if (status != HF_OK)
        return status;
    tell_repair(book, "ledger", &recovery.file);
    tell_repair(book, "ledger.copy", &recovery.copy);
    if (recovery.torn_bytes)
        hf_log_info("ledger.torn", HF_STR("trail", book->trail),
                    HF_NUM("bytes", recovery.torn_bytes));
    return HF_OK;
}

void
book_close(struct book *book)
{
    hf_ledger_close(hf_take(book->ledger));
}

/* ---- steps ---- */

static void
fall_behind(struct book *book, const struct hf_error *err)
{
    if (!book->behind)
        hf_log_error("ledger.failed", HF_STR("trail", book->trail), HF_ERR(err));
    book->behind = true;
}

void
book_take(struct book *book, const struct state *state, const struct step *step)
{
    struct hf_error err;
    struct step said;
    hf_owned(hf_doc_freep) json_t *doc = step_write(step);
    /* Nothing is written that could not be read again, and nothing applied that a restart would
     * not find. */
    hf_assert(step_read(step->kind, doc, &said, &err) == HF_OK);
    if (hf_ledger_add(book->ledger, step->kind, doc, &err) != HF_OK)
        fall_behind(book, &err);
    hf_assert(step_apply(state, &said, &err) == HF_OK);
    step_done(&said);
}

bool
book_sync(struct book *book)
{
    struct hf_error err;
    if (!book->behind && hf_ledger_sync(book->ledger, &err) != HF_OK)
        fall_behind(book, &err);
    return !book->behind;
}

/* ---- all of it ---- */

struct collected {
    enum hf_step *kinds;
    json_t **docs;
    size_t count, room;
};

static void
collect(void *context, const struct step *step)
{
    struct collected *all = context;
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 64;
        all->kinds = hf_realloc(all->kinds, all->room * sizeof(*all->kinds));
        all->docs = hf_realloc(all->docs, all->room * sizeof(*all->docs));
    }
    all->kinds[all->count] = step->kind;
    all->docs[all->count++] = step_write(step);
}

static struct collected
collected_of(const struct state *state)
{
    struct collected all = { 0 };
    state_steps(state, collect, &all);
    return all;
}

static void
collected_done(struct collected *all)
{
    for (size_t i = 0; i < all->count; i++)
        json_decref(all->docs[i]);
    hf_freep(&all->kinds);
    hf_freep(&all->docs);
}

enum hf_status
book_begin(struct book *book, const struct state *state, struct hf_error *err)
{
    hf_owned(collected_done) struct collected all = collected_of(state);
    hf_assert(all.count == 1);
    enum hf_status status = hf_ledger_add(book->ledger, all.kinds[0], all.docs[0], err);
    return status == HF_OK ? hf_ledger_sync(book->ledger, err) : status;
}

enum hf_status
book_rewrite(struct book *book, const struct state *state, struct hf_error *err)
{
    hf_owned(collected_done) struct collected all = collected_of(state);
    enum hf_status status = hf_ledger_rewrite(book->ledger, all.kinds, all.docs, all.count, err);
    book->compact_bytes = hf_ledger_bytes(book->ledger);
    if (status == HF_OK)
        book->behind = false;
    return status;
}

/* After a failure the old file is as good, only longer: it is tried again when it has grown to
 * twice its size. */
bool
book_is_long(const struct book *book)
{
    return hf_ledger_bytes(book->ledger) > LEDGER_COMPACT_BYTES + 2 * book->compact_bytes;
}
