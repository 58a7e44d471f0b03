/* The heads that `validate` compares with: the running agent's, those of --expect, and that of the
 * state. */
#ifndef HOLDFAST_CLI_KNOWN_H
#define HOLDFAST_CLI_KNOWN_H

#include "memory.h"
#include "target.h"

struct known {
    struct hf_known_head heads[HF_KNOWN_MAX];
    size_t count;
    struct memory memory;      /* open if there is a state */
    size_t of_agent, of_state; /* which of the heads is whose; HF_KNOWN_MAX: none */
};

/* Asked before the store is: what the agent signs meanwhile is not missed. */
enum hf_status known_open(const struct options *options, const struct target *target,
                          struct known *ret_known, struct hf_error *err) hf_must_check;
/* After a run, into the state. `*ret_finding`: a contradiction of an earlier run that was not accepted,
 * with its detail; NULL: none. */
enum hf_status known_keep(struct known *known, const struct options *options,
                          const struct hf_verify_result *result, const char **ret_finding,
                          char *ret_detail, size_t size, struct hf_error *err) hf_must_check;
void known_close(struct known *known);

#endif
