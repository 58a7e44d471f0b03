/* Someone else's bytes among the digests. Whoever may put there could hold a trail for ever with a
 * file of a late date; so only what this agent's key has signed counts, or what this agent cannot
 * know better:
 *
 *   it is no digest at all (junk, too long, damaged)                      ──▶ stray
 *   it says that it lies under another key (a copy of an old one)         ──▶ stray
 *   this agent's key has signed it                                        ──▶ evidence: this state was copied or rolled back
 *   it did not, and this ledger has a head                                ──▶ stray, whatever journal it names: anybody can write that
 *   the same, and this ledger has none                                    ──▶ evidence: this state may be new in an old place
 *
 * A stray is told once and stepped over: the newest one before it is compared. */
#include "agent/trail/delivery.h"

#include <string.h>

bool
stray_is_signed_by_us(const struct trail *trail, const struct hf_digest_outline *newest)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64u << 10);
    struct hf_verifier *verifier;
    if (!trail->chain.check.newest_signature ||
        hf_signer_public_pem(trail->plan->signer, &pem) != HF_OK ||
        hf_verifier_parse(hf_buf_slice(&pem), "the digest key", &verifier, NULL) != HF_OK)
        return false;
    bool ours =
        hf_digest_verify(newest, trail->chain.check.newest_signature, verifier, NULL) == HF_OK;
    hf_verifier_free(verifier);
    return ours;
}

const char *
stray_reason(const struct trail *trail, const struct hf_digest_outline *newest, bool signed_by_us)
{
    if (strcmp(newest->key, trail->chain.check.newest_digest_key) != 0)
        return "it is the copy of a digest that lies elsewhere";
    if (signed_by_us || !trail->chain.head.number)
        return NULL;
    return strcmp(newest->journal, trail->chain.journal) == 0
               ? "it names this agent's journal, and is not signed by it"
               : "it is of another agent, and not signed by ours";
}

/* Too many hold a trail without a head, which does not know what lies below them; one with a head
 * goes on, and says that it cannot see it. */
enum hf_status
stray_step_over(struct trail *trail, const char *reason, enum head_problem *ret_problem,
                struct hf_error *err)
{
    const char *key = trail->chain.check.newest_digest_key;
    if (!chain_add_stray(&trail->chain, key)) {
        if (trail->chain.head.number) {
            *ret_problem = HEAD_BURIED;
            return HF_OK;
        }
        return hf_fail(err, HF_EFOREIGN,
                       "'%s' is the %dth key among the digests that is none of this chain (%s): "
                       "find out who puts them there, and take the right away. If they must stay, "
                       "`holdfast chain new --trail %s` starts a new chain",
                       key, STRAYS_MOST + 1, reason, trail->name);
    }
    hf_log_warn("chain.stray", HF_STR("trail", trail->name), HF_STR("key", key),
                HF_STR("reason", reason),
                HF_STR("hint", "it is stepped over; find out who put it there"));
    return HF_EFULL;
}
