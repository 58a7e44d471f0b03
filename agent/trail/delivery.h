/* From sealed files to locked objects and a signed chain: attempt.c, receipt.c, digest.c, key.c,
 * look.c, stray.c, chain_new.c. */
#ifndef HOLDFAST_TRAIL_DELIVERY_H
#define HOLDFAST_TRAIL_DELIVERY_H

#include "agent/trail/trail_impl.h"

/* ---- attempt.c: an ATTEMPT is durable before each PUT ---- */
void attempt_deliveries(struct trail *trail);
/* Whose step it is: a window's id, "digest" or "key". */
const char *attempt_what(const struct outgoing *out);

/* ---- receipt.c: how it ended ---- */
void delivery_returned(struct trail *trail, struct hf_delivery *delivery);

/* ---- digest.c: cut when its time has come ---- */
bool digest_due(struct trail *trail);
bool digest_may_cut(const struct trail *trail);
void digest_cut(struct trail *trail);
void digest_schedule(struct trail *trail);
/* What lies under its key is nobody's digest: it gets another one. */
void digest_move(struct trail *trail);
/* Signed and sealed, by the configuration in force, if it is not there. */
enum hf_status digest_seal(struct trail *trail, struct hf_error *err) hf_must_check;

/* ---- key.c: the public key lies in the bucket before the first digest that needs it ---- */
bool key_in_place(const struct trail *trail); /* the present one has its receipt */
enum hf_status key_prepare(struct trail *trail, struct hf_error *err) hf_must_check;
/* Is the one that waits for another place or of another signer than the configuration in force
 * asks for? */
bool key_moved(const struct trail *trail);
void key_begin_anew(struct trail *trail); /* trail_rewrite() has to follow */
/* What a digest and a key have in common: where and how they are sent. The caller's. */
struct hf_sealed *key_new_sealed(const struct trail *trail, enum hf_sealed_kind kind,
                                 const char *key, const char *content_type);

/* ---- look.c: may this trail deliver? ---- */
void look_begin(struct trail *trail); /* asks the store; not while it is asked */
void look_returned(struct trail *trail);
/* May the digest go? Asks the store when it has not been asked. */
bool look_digest_may_go(struct trail *trail);

/* ---- stray.c: what lies among the digests and is no evidence of anything ---- */
bool stray_is_signed_by_us(const struct trail *trail, const struct hf_digest_outline *newest);
/* Why it is no evidence; NULL: it is. */
const char *stray_reason(const struct trail *trail, const struct hf_digest_outline *newest,
                         bool signed_by_us);
/* HF_EFULL: done; HF_OK: too many, which is the problem then; HF_EFOREIGN: that, without a head. */
enum hf_status stray_step_over(struct trail *trail, const char *reason,
                               enum head_problem *ret_problem, struct hf_error *err) hf_must_check;

/* ---- chain_new.c ---- */
enum hf_status chain_new(struct trail *trail, struct hf_error *err) hf_must_check;

#endif
