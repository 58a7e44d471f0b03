/* A unit: what goes to the journal together. Part of intake_impl.h, which includes it. */
#ifndef HOLDFAST_INTAKE_UNIT_H
#define HOLDFAST_INTAKE_UNIT_H

#include <holdfast/record.h>

struct hf_source;
struct hf_owner;
struct hf_long_line;

struct hf_unit {
    struct hf_source *source;
    struct hf_record_maker maker;
    struct hf_record_origin origin; /* of its lines */
    uint64_t offset;                /* of its input in the file */
    bool keeps_blank;               /* blank lines are records, too */
    int64_t arrival_s;
    uint64_t last_seq; /* of the last event added; 0 when none */
    uint64_t events, bytes, gaps, record_bytes;
    uint64_t state_bytes;   /* of keys and values */
    uint64_t own;           /* of the events: what the agent says itself */
    uint64_t held_bytes;    /* that it takes in the journal until they are released */
    struct hf_owner *owner; /* whose they are */
    bool owner_waits;       /* the budget refused him, and not the source */
    struct hf_record_counts counts;
};

/* After HF_EFULL and any other failure the intake is blocked: the caller leaves everything as it is
 * and waits for room(). */
enum hf_status hf_unit_begin(struct hf_unit *unit, struct hf_source *source) hf_must_check;
/* The same for an owner of its lines: when the budget refuses him `owner_waits` is set, and the
 * source goes on with the others. `name`: what is refused, or NULL. */
enum hf_status hf_unit_begin_for(struct hf_unit *unit, struct hf_source *source,
                                 struct hf_owner *owner, const char *name) hf_must_check;
/* Its lines are those of a file, from this offset on. */
void hf_unit_from_file(struct hf_unit *unit, const char *path, uint64_t offset);
enum hf_status hf_unit_set_state(struct hf_unit *unit, const char *key,
                                 struct hf_slice value) hf_must_check;

/* It holds as much as a segment of the journal should have to take at once: what is left goes into
 * another one. */
bool hf_unit_is_large(const struct hf_unit *unit);

/* A SourceGap event: bytes of `path` from `from` on were lost; `unread_seen` of them were there
 * when last looked at. */
enum hf_status hf_unit_gap(struct hf_unit *unit, const char *path, const char *reason,
                           uint64_t from, uint64_t unread_seen) hf_must_check;

/* An event of the agent's own; `details` is a JSON object. */
enum hf_status hf_unit_own(struct hf_unit *unit, const char *event_name,
                           const char *details) hf_must_check;

/* Many names that one event tells of: the first ones, how many there are, and a hash of all. */
#define HF_MERGED_NAMES 20
struct hf_merged {
    uint64_t count;
    struct hf_strings names;
    struct hf_hasher *hasher;
};
void hf_merged_add(struct hf_merged *merged, const char *path);
void hf_merged_done(struct hf_merged *merged); /* none are left in it */
/* A SourceGap of files of which nothing was read, or another event of the same form. One name makes
 * the same record as hf_unit_gap(). Leaves *merged as it is. */
enum hf_status hf_unit_gap_merged(struct hf_unit *unit, const struct hf_merged *merged,
                                  const char *reason) hf_must_check;
enum hf_status hf_unit_refusal(struct hf_unit *unit, const struct hf_merged *merged,
                               const char *reason) hf_must_check;

/* What hf_unit_lines() took. Becomes true only with the commit: then hf_cut_keep(). */
struct hf_cut {
    size_t consumed; /* bytes of the input */
    size_t left;     /* bytes behind them that are no whole piece yet */
    uint64_t lines;  /* that ended in them, without empty ones that are no events */
    uint64_t parts, bytes;
    uint32_t crc; /* of the long line, see hf_long_line */
    bool more;    /* the unit ended before the input did: it may hold more pieces */
};

enum hf_status hf_unit_lines(struct hf_unit *unit, struct hf_slice input, bool ended,
                             struct hf_long_line *line, struct hf_cut *ret_cut) hf_must_check;
void hf_cut_keep(const struct hf_cut *cut, struct hf_long_line *line);
void hf_unit_commit(struct hf_unit *unit);
void hf_unit_abandon(struct hf_unit *unit); /* there was nothing to add after all */

#endif
