/* Records that say that something was lost before it was read: the digest that lists their
 * object lists them among its losses, too, so that a reader of digests alone knows of them.
 * Paths are left out: a digest is readable also where the objects are encrypted. */
#include "agent/seal/seal_impl.h"

#include <holdfast/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GAPS_MOST      32
#define GAP_RECORD_MAX (256u << 10)
#define GAP_NAME       "\"eventName\":\"SourceGap\""

static void
add(struct gather *gather, const char *text)
{
    if (gather->gap_count >= GAPS_MOST)
        text = "further SourceGap records stand in the same object";
    if (gather->gap_count > GAPS_MOST)
        return;
    gather->gaps = hf_realloc(gather->gaps, (gather->gap_count + 1) * sizeof(*gather->gaps));
    gather->gaps[gather->gap_count++] = hf_strdup(text);
}

/* In a record of ours these bytes stand for nothing else: inside a text their quotes are
 * escaped. */
static bool
is_gap(struct hf_slice record)
{
    return memmem(record.ptr, record.size, GAP_NAME, sizeof(GAP_NAME) - 1) != NULL;
}

void
gap_note(struct gather *gather, uint64_t seq, struct hf_slice record)
{
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    char text[384];
    if (!is_gap(record))
        return;
    const json_t *details = NULL;
    if (hf_doc_parse(record, GAP_RECORD_MAX, "a record", &doc, NULL) == HF_OK)
        details = json_object_get(doc, "serviceEventDetails");
    snprintf(text, sizeof(text),
             "SourceGap, sequence %" PRIu64 ": source '%.64s', %.160s; from byte %" PRIu64
             ", at least %" PRIu64 " bytes were not read",
             seq, hf_doc_text_or(details, "source", "unknown"),
             hf_doc_text_or(details, "reason", "unknown"), hf_doc_u64_or(details, "fromOffset", 0),
             hf_doc_u64_or(details, "unreadBytesSeen", 0));
    add(gather, text);
}
