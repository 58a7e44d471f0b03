/* What `validate --state FILE` remembers from one run to the next: of each trail the newest head that
 * it has seen, so that an end that is cut off or signed anew between two runs is seen.
 *
 *   {"schema":1, "trails": { "BUCKET/DIGEST-PREFIX TRAIL":
 *       { "head": {...}, "seen": TIME,
 *         "contradiction": null or { "finding", "head": {...}, "seen" },
 *         "accepted": [ { "sha256", "instead_of", "time" } ] } } }
 *
 *      new ──▶ SEEN ──▶ the chain goes on from it: the newer head ──▶ SEEN
 *                │
 *                └────▶ it does not: CONTRADICTED, both heads are kept, and each run says so until
 *                       one of them is accepted ──▶ SEEN
 *
 * The file is replaced as a whole, under a lock beside it. Whoever can write to it can make it forget:
 * it belongs on another machine than the agent. */
#ifndef HOLDFAST_CLI_MEMORY_H
#define HOLDFAST_CLI_MEMORY_H

#include <holdfast/layout.h>
#include <holdfast/verify.h>
#include <jansson.h>

struct memory {
    char *path;
    int lock;
    json_t *doc, *entry; /* entry: of this trail, borrowed; NULL: it was never seen */
    char *place;
};

/* HF_EBUSY: another run has it. HF_EUSAGE: what is there is no state; it is left as it is. */
enum hf_status memory_open(const char *path, const char *bucket, const struct hf_layout *layout,
                           struct memory *ret_memory, struct hf_error *err) hf_must_check;
/* HF_EUSAGE: there is no contradiction with this head. */
enum hf_status memory_accept(struct memory *memory, const char *sha256,
                             struct hf_error *err) hf_must_check;
/* false: nothing is remembered of this trail. `*ret_head`: as of hf_verify_options.known. */
bool memory_head(const struct memory *memory, struct hf_head *ret_head);
/* A contradiction that was not accepted: its finding's text, and what to say; or NULL. */
const char *memory_contradiction(const struct memory *memory, char *ret_detail, size_t size);
/* What this run has seen. `state`: of memory_head(); `finding`: what contradicts it. */
void memory_see(struct memory *memory, const struct hf_verify_result *result,
                enum hf_known_state state, const char *finding);
enum hf_status memory_save(const struct memory *memory, struct hf_error *err) hf_must_check;
void memory_close(struct memory *memory); /* one that was not opened is fine */

#endif
