/* Streams of protocol 1: how many lines of each are in the journal, whoever is connected.
 *
 *     lines of the stream    1 ............ durable ........ taken ....
 *                            acknowledged        in the journal,      still with
 *                            to the client       not yet synced       the client
 *
 * A stream is in memory while somebody is connected or lines are on their way; else only its state
 * is ("stream/UUID"). */
#ifndef HOLDFAST_STREAM_H
#define HOLDFAST_STREAM_H

#include "agent/intake/intake_impl.h"

#include <sys/queue.h>

#define HF_UUID_SIZE      37
#define HF_STREAM_S       (24 * 3600) /* a stream is forgotten this long after its last line */
#define HF_STREAMS_MAX    16384       /* and when there are more, of who has more than his share */
#define HF_STREAMS_GONE   16384       /* this many forgotten ones are remembered as such */
#define HF_STREAM_PENDING 256

struct hf_streams;

struct hf_stream {
    struct hf_table_link by_uuid;
    LIST_ENTRY(hf_stream) all, on_its_way;
    bool listed; /* as one with lines on their way */
    struct hf_streams *streams;
    char uuid[HF_UUID_SIZE];
    uint64_t taken, durable;   /* lines */
    struct hf_long_line begun; /* parts of line taken + 1 that are in the journal; without a hash */
    void *connection;          /* whose stream it is now; NULL */
    void (*on_durable)(void *connection);
    struct {
        uint64_t seq, lines;
    } pending[HF_STREAM_PENDING]; /* units on their way: durable up to `lines` when the journal is
                                     up to `seq` */
    size_t pending_count;
};

LIST_HEAD(hf_all_streams, hf_stream);

struct hf_streams {
    struct hf_intake *intake;
    struct hf_table table; /* those in memory, by their UUID */
    struct hf_all_streams all;
    struct hf_all_streams pending; /* those with units that are not durable yet */
    struct hf_gone *gone;
    struct hf_kept *kept; /* those with a state in the journal, whose they are */
    bool telling;         /* a connection that is told may end: its stream is freed afterwards */
};

struct hf_streams *hf_streams_new(struct hf_intake *intake);
void hf_streams_free(struct hf_streams *streams);

/* NULL: it was forgotten. A stream never heard of is a new one; when there are too many it is one of
 * the owner's that makes room for it, if he has his share of them. */
struct hf_stream *hf_stream_get(struct hf_streams *streams, const char *uuid,
                                struct hf_owner *owner);
void hf_stream_put(struct hf_stream *stream); /* nobody is connected any more */
/* In a unit: its position as it will be with this cut. */
enum hf_status hf_stream_write(struct hf_unit *unit, const struct hf_stream *stream,
                               const struct hf_cut *cut) hf_must_check;
/* After the commit. */
void hf_stream_taken(struct hf_stream *stream, const struct hf_unit *unit,
                     const struct hf_cut *cut);

void hf_streams_durable(struct hf_streams *streams, uint64_t durable_seq);

/* stream_expire.c: whose the streams with a state are, each owner's in the order of their last line.
 * The state does not say it: those from before the start are one owner's until they are used. */
struct hf_kept *hf_kept_load(struct hf_journal *journal);
void hf_kept_free(struct hf_kept *kept);
void hf_kept_use(struct hf_kept *kept, const char *uuid, struct hf_owner *owner, int64_t now_s);
size_t hf_kept_count(const struct hf_kept *kept);
void hf_streams_expire(struct hf_streams *streams); /* those that were quiet for a day */
void hf_streams_make_room(struct hf_streams *streams, struct hf_owner *owner);

/* What the journal keeps of one: "stream/UUID" is "1 LINES PARTS BYTES CRC LAST_S". */
#define HF_STREAM_PREFIX   "stream/"
#define HF_STREAM_KEY_SIZE (sizeof(HF_STREAM_PREFIX) + HF_UUID_SIZE)
struct hf_stored_stream {
    uint64_t lines, parts, bytes, crc, last_s;
};
void hf_stream_key(const char *uuid, char ret_key[HF_STREAM_KEY_SIZE]);
bool hf_stream_decode(struct hf_slice value, struct hf_stored_stream *ret_stored);
struct hf_stream *hf_stream_find(struct hf_streams *streams,
                                 const char *uuid); /* in memory; NULL */

/* stream_gone.c: hashes of forgotten streams, the oldest overwritten first; one state value,
 * "stream-gone". */
struct hf_gone;
struct hf_gone *hf_gone_load(struct hf_journal *journal);
void hf_gone_free(struct hf_gone *gone);
void hf_gone_add(struct hf_gone *gone, const char *uuid);
bool hf_gone_has(struct hf_gone *gone, const char *uuid);
struct hf_slice hf_gone_value(const struct hf_gone *gone);
bool hf_uuid_valid(struct hf_slice text); /* 36 characters, lower or upper case hex */
/* Seconds since the epoch at which a version 7 UUID was made; -1 for other versions. */
int64_t hf_uuid_made_s(const char *uuid);

#endif
