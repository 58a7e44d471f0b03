/* A unit: the events of one block and the position behind them, in the journal together or not at
 * all. */
#include "agent/intake/intake_impl.h"

#include <holdfast/json.h>
#include <string.h>

_Static_assert(HF_RECORD_APPENDED_MAX == HF_JOURNAL_APPENDED_MAX, "what is added fits an entry");

/* The journal's lock is held from begin to commit: whatever fails in between gives it back here. */
static enum hf_status
give_up(struct hf_unit *unit, enum hf_status status, struct hf_error *err)
{
    hf_journal_abandon(unit->source->intake->journal);
    hf_while(err, status, "adding to the journal");
    hf_source_problem(unit->source, err);
    hf_source_block(unit->source, false);
    hf_source_leave(unit->source);
    return status;
}

/* Once the budget has let it in. */
static enum hf_status
begin(struct hf_unit *unit)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_source *source = unit->source;
    hf_source_enter(source);
    unit->maker = hf_intake_maker(source->intake);
    hf_record_origin(&unit->origin, source->config.name, source->config.event_name);
    enum hf_status status = hf_journal_begin(source->intake->journal, false, &err);
    if (status == HF_OK)
        return HF_OK;
    if (status != HF_EFULL && status != HF_ENOSPC)
        hf_source_problem(source, &err);
    hf_source_block(source, status == HF_ENOSPC);
    hf_source_leave(source);
    return status;
}

enum hf_status
hf_unit_begin(struct hf_unit *unit, struct hf_source *source)
{
    struct hf_error err = { .status = HF_OK };
    *unit = (struct hf_unit){ .source = source, .owner = source->owner, .arrival_s = hf_wall_s() };
    if (hf_budget_ask(source->owner, NULL, &err) == HF_OK)
        return begin(unit);
    hf_source_block(source, true);
    return HF_EFULL;
}

enum hf_status
hf_unit_begin_for(struct hf_unit *unit, struct hf_source *source, struct hf_owner *owner,
                  const char *name)
{
    struct hf_error err = { .status = HF_OK };
    *unit = (struct hf_unit){ .source = source, .owner = owner, .arrival_s = hf_wall_s() };
    if (hf_budget_ask(owner, name, &err) == HF_OK)
        return begin(unit);
    unit->owner_waits = true;
    hf_source_owner_waits(source);
    return HF_EFULL;
}

enum hf_status
hf_unit_set_state(struct hf_unit *unit, const char *key, struct hf_slice value)
{
    struct hf_error err = { .status = HF_OK };
    unit->state_bytes += strlen(key) + value.size;
    enum hf_status status = hf_journal_set_state(unit->source->intake->journal, key, value, &err);
    unit->held_bytes += 2 * (strlen(key) + value.size); /* each change is written twice */
    return status == HF_OK ? HF_OK : give_up(unit, status, &err);
}

bool
hf_unit_is_large(const struct hf_unit *unit)
{
    return unit->record_bytes + unit->state_bytes >= HF_JOURNAL_BATCH_BYTES / 2;
}

static enum hf_status
append(struct hf_unit *unit, uint16_t source, const struct hf_record *record)
{
    struct hf_error err = { .status = HF_OK };
    const struct hf_journal_entry entry = { .source = source,
                                            .event_time_s = record->event_time_s,
                                            .appended = record->appended };
    enum hf_status status =
        hf_journal_append_entry(unit->source->intake->journal, &entry, record->parts,
                                HF_COUNT(record->parts), &unit->last_seq, &err);
    if (status != HF_OK)
        return give_up(unit, status, &err);
    unit->events++;
    unit->record_bytes += record->size;
    unit->held_bytes += record->size + HF_JOURNAL_RECORD_COST;
    return HF_OK;
}

void
hf_unit_from_file(struct hf_unit *unit, const char *path, uint64_t offset)
{
    hf_record_origin_file(&unit->origin, path);
    unit->offset = offset;
    unit->keeps_blank = unit->source->config.blank_lines == HF_BLANK_LINES_KEEP;
}

/* `at`: where in the input it begins. */
static enum hf_status
add_line(struct hf_unit *unit, const struct hf_piece *piece, size_t at,
         const struct hf_record_part *part)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_intake *intake = unit->source->intake;
    bool ended = piece->kind == HF_PIECE_PART || piece->consumed > piece->bytes.size;
    const struct hf_record_line line = { .bytes = piece->bytes,
                                         .unended = !ended,
                                         .seq = hf_journal_next_seq(intake->journal),
                                         .offset = unit->offset + at,
                                         .arrival_s = unit->arrival_s,
                                         .part = part };
    struct hf_record record;
    struct hf_buf *buf = &unit->source->record;
    hf_buf_reset(buf);
    enum hf_status status =
        hf_record_make(&unit->maker, &unit->origin, &line, buf, &record, &unit->counts);
    if (status != HF_OK)
        return give_up(
            unit,
            hf_fail(&err, status, "a line of %zu bytes makes too long a record", piece->bytes.size),
            &err);
    unit->bytes += piece->bytes.size;
    return append(unit, unit->source->id, &record);
}

static enum hf_status
gap_details(struct hf_buf *json, const struct hf_unit *unit, const char *path, const char *reason,
            uint64_t from, uint64_t unread_seen)
{
    enum hf_status status = hf_buf_add_text(json, "{\"source\":");
    if (status == HF_OK)
        status = hf_json_add_string(json, hf_slice_text(unit->source->config.name));
    if (status == HF_OK)
        status = hf_buf_add_text(json, ",\"path\":");
    if (status == HF_OK)
        status = hf_record_add_path(json, path);
    if (status == HF_OK)
        status = hf_buf_add_text(json, ",\"reason\":");
    if (status == HF_OK)
        status = hf_json_add_string(json, hf_slice_text(reason));
    if (status == HF_OK)
        status = hf_buf_addf(
            json, ",\"fromOffset\":%llu,\"toOffset\":\"unknown\",\"unreadBytesSeen\":%llu}",
            (unsigned long long)from, (unsigned long long)unread_seen);
    return status;
}

enum hf_status
hf_unit_own(struct hf_unit *unit, const char *event_name, const char *details)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_intake *intake = unit->source->intake;
    struct hf_record record;
    struct hf_buf *buf = &unit->source->record;
    hf_buf_reset(buf);
    enum hf_status status =
        hf_record_make_own(&unit->maker, event_name, hf_journal_next_seq(intake->journal),
                           unit->arrival_s, details, buf, &record);
    if (status != HF_OK)
        return give_up(unit, hf_fail(&err, status, "a %s record is too long", event_name), &err);
    unit->own++;
    return append(unit, HF_SOURCE_SELF, &record);
}

enum hf_status
hf_unit_gap(struct hf_unit *unit, const char *path, const char *reason, uint64_t from,
            uint64_t unread_seen)
{
    hf_owned(hf_buf_done) struct hf_buf details = HF_BUF(16 * HF_PATH_MAX);
    hf_assert(gap_details(&details, unit, path, reason, from, unread_seen) == HF_OK);
    unit->gaps++;
    return hf_unit_own(unit, "SourceGap", hf_buf_text(&details));
}

/* Makes no event, but in a file that is to be made again. */
static bool
is_empty(struct hf_slice line)
{
    return line.size == 0 || (line.size == 1 && line.ptr[0] == '\r');
}

static enum hf_status
add_piece(struct hf_unit *unit, const struct hf_piece *piece, struct hf_long_line *line,
          struct hf_cut *cut)
{
    enum hf_status status;
    if (piece->kind == HF_PIECE_LINE) {
        if (is_empty(piece->bytes) && !unit->keeps_blank)
            return HF_OK;
        status = add_line(unit, piece, cut->consumed, NULL);
        cut->lines += status == HF_OK;
        return status;
    }
    struct hf_record_part part = { .number = cut->parts + 1 };
    hf_long_line_add(line, cut->bytes, piece->bytes);
    cut->bytes += piece->bytes.size;
    if (piece->kind == HF_PIECE_LAST) {
        hf_long_line_finish(line);
        part.count_known = part.number;
        part.total_bytes = cut->bytes;
        part.sha256 = line->sha256;
    }
    status = add_line(unit, piece, cut->consumed, &part);
    if (status != HF_OK)
        return status;
    cut->parts++;
    cut->crc = hf_crc32c(cut->crc, piece->bytes.ptr, piece->bytes.size);
    if (piece->kind == HF_PIECE_LAST) {
        cut->lines++;
        cut->parts = cut->bytes = cut->crc = 0;
    }
    return HF_OK;
}

enum hf_status
hf_unit_lines(struct hf_unit *unit, struct hf_slice input, bool ended, struct hf_long_line *line,
              struct hf_cut *ret_cut)
{
    struct hf_cut cut = { .parts = line->parts, .bytes = line->bytes, .crc = line->crc };
    for (;;) {
        struct hf_slice rest = hf_slice(input.ptr + cut.consumed, input.size - cut.consumed);
        struct hf_piece piece = hf_piece_next(rest, unit->source->max_event, cut.parts > 0, ended);
        if (piece.kind == HF_PIECE_NONE)
            break;
        enum hf_status status = add_piece(unit, &piece, line, &cut);
        if (status != HF_OK)
            return status;
        cut.consumed += piece.consumed;
        /* The hash of a long line is kept until it is in the journal for good; and many short lines
         * make long records. */
        if (piece.kind == HF_PIECE_LAST || unit->record_bytes >= HF_JOURNAL_BATCH_BYTES) {
            cut.more = true;
            break;
        }
    }
    cut.left = cut.more ? 0 : input.size - cut.consumed;
    *ret_cut = cut;
    return HF_OK;
}

void
hf_cut_keep(const struct hf_cut *cut, struct hf_long_line *line)
{
    if (cut->parts == 0)
        hf_long_line_reset(line);
    line->parts = cut->parts;
    line->bytes = cut->bytes;
    line->crc = cut->crc;
}

void
hf_unit_commit(struct hf_unit *unit)
{
    struct hf_source *source = unit->source;
    struct hf_source_counters *counters = &source->counters;
    hf_journal_commit(source->intake->journal);
    if (unit->last_seq)
        hf_budget_charge(unit->owner, unit->held_bytes, unit->last_seq);
    hf_source_leave(source);
    pthread_mutex_lock(&source->lock);
    counters->events += unit->events - unit->own;
    counters->bytes += unit->bytes;
    counters->gaps += unit->gaps;
    counters->records.shaped += unit->counts.shaped;
    counters->records.flat_json += unit->counts.flat_json;
    counters->records.text += unit->counts.text;
    counters->records.base64 += unit->counts.base64;
    counters->records.parts += unit->counts.parts;
    pthread_mutex_unlock(&source->lock);
    hf_source_well(source);
}

void
hf_unit_abandon(struct hf_unit *unit)
{
    hf_journal_abandon(unit->source->intake->journal);
    hf_source_leave(unit->source);
}
