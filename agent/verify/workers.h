/* Many objects looked at at once, each worker with a thread and a store handle of its own. One
 * thread, the caller's, hands objects in and takes what was found out about them in the order in
 * which it handed them in.
 *
 * How far workers run ahead of what is taken is bounded: by the number of objects that can be
 * handed in, and by bytes: `room` for each worker, and once more for what waits to be taken. A look
 * begins when there is room for a whole one; when it is over it keeps what its content takes, until
 * that is taken. An object that does not fit into its room comes back as too_large, and is for the
 * caller to look at: one at a time, as without workers.
 */
#ifndef HOLDFAST_VERIFY_WORKERS_H
#define HOLDFAST_VERIFY_WORKERS_H

#include "agent/verify/look.h"

#define WORKERS_AHEAD 2                  /* objects for each: one under way, one to go on with */
#define WORKERS_ROOM  ((size_t)64 << 20) /* the agent's largest object, 48 MiB, and its gzip */

struct workers;
/* Starts nobody yet. `options` are borrowed; they have open_store. */
struct workers *workers_new(const struct hf_verify_options *options, size_t room);
/* Stops: a request under way is waited for, nothing more is begun; what was not taken is dropped.
 * NULL is fine. */
void workers_free(struct workers *workers);

bool workers_are_full(const struct workers *workers); /* one has to be taken first */
/* Only while they are not full. `digest` and `object` are borrowed until it is taken. Starts one
 * worker more when all are busy. `versions_refused`: it is known by now that they may not be
 * listed. */
enum hf_status workers_put(struct workers *workers, const struct hf_digest *digest,
                           const struct hf_digest_object *object, bool versions_refused,
                           struct hf_error *err) hf_must_check;
/* The oldest that was put and not taken, which must be there; waits for it. */
void workers_take(struct workers *workers, struct looked *ret_looked);

#endif
