/* trail: the consumers of the journal. One thread owns every trail's ledger and takes each window
 * through the table of steps (agent/ledger/FORMAT.md): cut, sealed, attempt, delivered, receipt,
 * digest. Sealing and delivering run elsewhere and come back as messages. What a store says can
 * hold a trail, never stop the agent.
 */
#ifndef HOLDFAST_TRAIL_H
#define HOLDFAST_TRAIL_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/journal.h>
#include <holdfast/layout.h>
#include <jansson.h>

/* Who this agent is; fixed in state_dir/identity at the first start. A machine that was made from
 * an image of another one must not go on in its journal and its chains: it has another machine-id,
 * and is refused. */
struct hf_identity {
    char journal[HF_ID_SIZE]; /* 128 random bits */
    uint8_t journal_id[16];
    char host[256];
    char machine[HF_ID_SIZE]; /* machine-id, or "" */
    char boot[HF_ID_SIZE];    /* of this run: 128 random bits, not stored */
};
/* Reads or makes the identity. HF_EREFUSED when the machine-id says that the directory was
 * copied from another host. */
enum hf_status hf_identity_load(const char *state_dir, const char *host,
                                struct hf_identity *ret_identity,
                                struct hf_error *err) hf_must_check;

/* Before anything is opened: HF_EVERSION, naming the file, when something in state_dir/trails
 * was written by a later version. Changes nothing; what else is wrong there is for
 * hf_trails_start() to say. */
enum hf_status hf_trails_check_versions(const char *state_dir, struct hf_error *err) hf_must_check;
/* HF_ECONFIG when something sealed, or a trail that has to drain, still goes to a store that
 * `config` does not have. Changes nothing. */
enum hf_status hf_trails_check_stores(const struct hf_config *config,
                                      struct hf_error *err) hf_must_check;

struct hf_trails;

/* Adds one of holdfast's own events (JournalLoss, ...) to the journal and waits until it is
 * durable. On any thread but the loop's. HF_EFULL or HF_ENOSPC, at once, when the journal has no
 * room: it must not wait for what only the caller can release. */
typedef enum hf_status (*hf_own_event)(void *context, const char *event_name,
                                       const char *details_json, struct hf_error *err);

struct hf_trails_options {
    const char *state_dir;
    const struct hf_identity *identity; /* borrowed for life */
    struct hf_journal *journal;
    hf_own_event own_event;
    void *context;
};

/* Opens every trail of `config` and those that still drain; loads digest keys and certificates;
 * starts sealers, deliverers and the thread. Fails only for local faults (configuration, key
 * files, state directory). The caller's reference to `config` is the trails' from then on; on
 * failure it stays the caller's. */
enum hf_status hf_trails_start(const struct hf_trails_options *options, struct hf_config *config,
                               struct hf_trails **ret_trails, struct hf_error *err) hf_must_check;
/* Applies a changed configuration, likewise; waits until it is done. On failure everything stays
 * as it was. */
enum hf_status hf_trails_configure(struct hf_trails *trails, struct hf_config *config,
                                   struct hf_error *err) hf_must_check;
/* The journal moved on, or the wall clock was set, or the machine slept: waits for a time are
 * measured anew. Cheap; from any thread. */
void hf_trails_notify(struct hf_trails *trails);

/* Everything up to `last_seq` into locked objects and a digest. `done` runs on the trails'
 * thread, once: `failed` is NULL when every trail did, else one line per trail that did not
 * (borrowed). */
void hf_trails_flush(struct hf_trails *trails, uint64_t last_seq, uint64_t timeout_ms,
                     void (*done)(void *context, const char *failed), void *context);
/* Begins a new chain in a trail that is held because of a foreign one, or because nobody can tell
 * whether it is so late (hf_clock_is_far_after()): the caller says so. `done` runs on the trails'
 * thread: `failed` is NULL, or why not (borrowed). */
void hf_trails_chain_new(struct hf_trails *trails, const char *trail,
                         void (*done)(void *context, const char *failed), void *context);
/* `done` gets a new reference to {"trails":[...],"stores":[...]}; on the trails' thread. */
void hf_trails_status(struct hf_trails *trails, void (*done)(void *context, json_t *status),
                      void *context);
/* Waits for what is under way, at most `wait_ms`; frees everything. What is not done continues
 * after the next start. */
void hf_trails_stop(struct hf_trails *trails, int64_t wait_ms);

#endif
