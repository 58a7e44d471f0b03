#include "tests/unit/trail/life.h"

#include <holdfast/json.h>
#include <string.h>

void
life_begin(struct life *life, const char *journal, const char *trail, const char *folder)
{
    memset(life, 0, sizeof(*life));
    life->chain.journal = journal;
    life->chain.trail = trail;
    life->chain.key = outgoing_none();
    life->outbox.folder = folder;
    life->line.rule =
        (struct rule){ .selection.all = true, .window_s = 60, .window_max_bytes = 1u << 20 };
    life->state = (struct state){
        .line = &life->line, .outbox = &life->outbox, .lists = &life->lists, .chain = &life->chain
    };
}

void
life_end(struct life *life)
{
    line_done(&life->line);
    outbox_done(&life->outbox);
    lists_done(&life->lists);
    chain_done(&life->chain);
}

/* ---- all of it as a text ---- */

static void
add(json_t *doc, const char *key, json_t *value)
{
    assert_int_equal(json_object_set_new(doc, key, value), 0);
}

static void
add_text(json_t *doc, const char *key, const char *text)
{
    add(doc, key, text ? json_string(text) : json_null());
}

static void
add_number(json_t *doc, const char *key, int64_t number)
{
    add(doc, key, json_integer(number));
}

static json_t *
selection_doc(const struct hf_selection *selection)
{
    if (selection->all)
        return json_string("all");
    json_t *ids = json_array();
    for (unsigned i = 0; i < sizeof(selection->bits); i++) {
        if (selection->bits[i])
            json_array_append_new(ids, json_pack("[i, i]", (int)i, (int)selection->bits[i]));
    }
    return ids;
}

static json_t *
ranges_doc(const struct hf_journal_loss *ranges, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("[I, I]", (json_int_t)ranges[i].first_seq,
                                               (json_int_t)ranges[i].last_seq));
    return array;
}

static json_t *
rule_doc(const struct rule *rule)
{
    json_t *doc = json_object();
    add(doc, "gone", json_boolean(rule->gone));
    add(doc, "selection", selection_doc(&rule->selection));
    add_number(doc, "window_s", (int64_t)rule->window_s);
    add_number(doc, "window_max_bytes", (int64_t)rule->window_max_bytes);
    return doc;
}

static json_t *
line_doc(const struct line *line)
{
    json_t *doc = json_object(), *changes = json_array();
    for (const struct change *change = line->changes; change; change = change->next) {
        json_t *one = rule_doc(&change->rule);
        add_number(one, "after_seq", (int64_t)change->after_seq);
        json_array_append_new(changes, one);
    }
    add_number(doc, "cut_seq", (int64_t)line->cut_seq);
    add(doc, "rule", rule_doc(&line->rule));
    add(doc, "changes", changes);
    add(doc, "noted", ranges_doc(line->noted, line->noted_count));
    return doc;
}

static json_t *
outgoing_doc(const struct outgoing *out)
{
    json_t *doc = json_object();
    add_number(doc, "first_retain_s", out->first_retain_s);
    add_number(doc, "last_retain_s", out->last_retain_s);
    add(doc, "foreign", json_boolean(out->foreign));
    return doc;
}

static json_t *
window_doc(const struct window *window)
{
    json_t *doc = json_object();
    const struct hf_window *range = &window->range;
    add_text(doc, "id", window->id);
    add_number(doc, "first", (int64_t)range->first_seq);
    add_number(doc, "last", (int64_t)range->last_seq);
    add_number(doc, "count", (int64_t)range->count);
    add_number(doc, "bytes", (int64_t)range->bytes);
    add_number(doc, "slot", range->slot_s);
    add_number(doc, "oldest", range->oldest_s);
    add_number(doc, "newest", range->newest_s);
    add_number(doc, "reason", range->reason);
    add_number(doc, "time", window->time_s);
    add_number(doc, "generation", window->generation);
    add_number(doc, "compression", window->compression);
    add_text(doc, "key", window->key);
    add(doc, "selection", selection_doc(&window->selection));
    add(doc, "lost", ranges_doc(window->lost, window->lost_count));
    add_text(doc, "path", window->out.path);
    add(doc, "out", outgoing_doc(&window->out));
    return doc;
}

static json_t *
object_doc(const struct hf_digest_object *object)
{
    json_t *doc = json_object();
    add_text(doc, "bucket", object->bucket);
    add_text(doc, "key", object->key);
    add_text(doc, "hash", object->hash);
    add_text(doc, "stored", object->stored_sha256);
    add_text(doc, "plain", object->plain_sha256);
    add_number(doc, "oldest", object->oldest_s);
    add_number(doc, "newest", object->newest_s);
    add_number(doc, "first", (int64_t)object->first_seq);
    add_number(doc, "last", (int64_t)object->last_seq);
    add_number(doc, "count", (int64_t)object->count);
    add_text(doc, "version", object->version_id);
    add_text(doc, "confirmed", object->confirmed);
    add_text(doc, "encryption", object->encryption);
    add_text(doc, "lock", object->lock_mode);
    add_number(doc, "retain", object->retain_until_s);
    add_number(doc, "repeated", (int64_t)object->repeated);
    return doc;
}

static void
add_lists(json_t *doc, const struct hf_digest *lists)
{
    json_t *objects = json_array(), *losses = json_array(), *foreign = json_array();
    for (size_t i = 0; i < lists->object_count; i++)
        json_array_append_new(objects, object_doc(&lists->objects[i]));
    for (size_t i = 0; i < lists->loss_count; i++)
        json_array_append_new(losses, json_pack("[I, I, s]", (json_int_t)lists->losses[i].first_seq,
                                                (json_int_t)lists->losses[i].last_seq,
                                                lists->losses[i].reason));
    for (size_t i = 0; i < lists->foreign_count; i++)
        json_array_append_new(foreign, json_string(lists->foreign[i]));
    add(doc, "objects", objects);
    add(doc, "losses", losses);
    add(doc, "foreign", foreign);
}

static json_t *
digest_doc(const struct digest_work *work)
{
    const struct hf_digest *digest = &work->digest;
    json_t *doc = json_object(), *pending = json_array();
    for (size_t i = 0; i < digest->pending_count; i++)
        json_array_append_new(
            pending, json_pack("[I, I, s]", (json_int_t)digest->pending[i].first_seq,
                               (json_int_t)digest->pending[i].last_seq, digest->pending[i].key));
    add_number(doc, "number", (int64_t)digest->number);
    add_number(doc, "start", digest->start_s);
    add_number(doc, "end", digest->end_s);
    add_text(doc, "bucket", digest->bucket);
    add_text(doc, "key", digest->key);
    add_text(doc, "fingerprint", digest->fingerprint);
    add_text(doc, "boot", digest->boot);
    add_number(doc, "first", (int64_t)digest->first_seq);
    add_number(doc, "last", (int64_t)digest->last_seq);
    add(doc, "pending", pending);
    add_lists(doc, digest);
    add_number(doc, "retain_most", work->retain_most_s);
    add_text(doc, "path", work->out.path);
    add(doc, "out", outgoing_doc(&work->out));
    return doc;
}

static json_t *
chain_doc(const struct chain *chain)
{
    json_t *doc = json_object(), *head = json_object();
    add_number(head, "number", (int64_t)chain->head.number);
    add_text(head, "bucket", chain->head.bucket);
    add_text(head, "key", chain->head.key);
    add_text(head, "hash", chain->head.hash);
    add_text(head, "signature", chain->head.signature);
    add_number(head, "end", chain->head.end_s);
    add_number(head, "retain", chain->head.retain_until_s);
    add_text(doc, "id", chain->id);
    add_text(doc, "tag", chain->tag);
    add_text(doc, "old_head", chain->old_head);
    add_number(doc, "created", chain->created_s);
    add_number(doc, "time", chain->time_s);
    add_number(doc, "digested_seq", (int64_t)chain->digested_seq);
    add(doc, "head", head);
    add(doc, "digest", chain->digest ? digest_doc(chain->digest) : json_null());
    add(doc, "public_key", outgoing_doc(&chain->key));
    add_text(doc, "key_place", chain->key_place);
    return doc;
}

char *
life_text(const struct state *state)
{
    const struct lists *lists = state->lists;
    const struct hf_digest open = { .objects = lists->objects,
                                    .object_count = lists->object_count,
                                    .losses = lists->losses,
                                    .loss_count = lists->loss_count,
                                    .foreign = lists->foreign,
                                    .foreign_count = lists->foreign_count };
    json_t *doc = json_object(), *windows = json_array();
    for (const struct window *window = state->outbox->windows; window; window = window->next)
        json_array_append_new(windows, window_doc(window));
    add(doc, "line", line_doc(state->line));
    add(doc, "windows", windows);
    add(doc, "chain", chain_doc(state->chain));
    add_lists(doc, &open);
    char *text = json_dumps(doc, JSON_COMPACT);
    assert_non_null(text);
    json_decref(doc);
    return text;
}

static void
copy_text(char **to, const char *from)
{
    hf_freep(to);
    *to = hf_strdup(from);
}

void
life_adopt_places(struct life *life, const struct state *from)
{
    const struct digest_work *there = from->chain->digest;
    struct digest_work *here = life->chain.digest;
    for (const struct window *window = from->outbox->windows; window; window = window->next) {
        struct window *own = outbox_find(&life->outbox, window->id);
        if (own)
            memcpy(own->key, window->key, sizeof(own->key));
    }
    if (!there || !here)
        return;
    copy_text(&here->digest.bucket, there->digest.bucket);
    copy_text(&here->digest.key, there->digest.key);
    copy_text(&here->digest.fingerprint, there->digest.fingerprint);
}

/* ---- steps ---- */

void
life_apply(struct life *life, const struct step *step)
{
    struct step said;
    struct hf_error err = { 0 };
    json_t *doc = step_write(step);
    if (step_read(step->kind, doc, &said, &err) != HF_OK ||
        step_apply(&life->state, &said, &err) != HF_OK)
        fail_msg("%s", err.text);
    step_done(&said);
    json_decref(doc);
}

enum hf_status
life_read(struct life *life, enum hf_step kind, const char *text, struct hf_error *err)
{
    struct step said;
    json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    enum hf_status status = step_read(kind, doc, &said, err);
    if (status == HF_OK) {
        status = step_apply(&life->state, &said, err);
        step_done(&said);
    }
    json_decref(doc);
    return status;
}
