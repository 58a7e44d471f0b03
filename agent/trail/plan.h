/* What a trail's configuration says, and what is loaded for it. */
#ifndef HOLDFAST_TRAIL_PLAN_H
#define HOLDFAST_TRAIL_PLAN_H

#include "agent/trail/line.h"

#include <holdfast/config.h>
#include <holdfast/crypto.h>
#include <holdfast/layout.h>
#include <holdfast/seal.h>
#include <jansson.h>

#define SETTINGS_FORMAT        1 /* of trail.json */
#define COMPRESSION_LEVEL_MOST 12

/* What a trail's configuration says, as one JSON document (kept in trail.json, so that a trail
 * that left the configuration can drain), with its fields picked out. Texts live in `doc`. */
struct settings {
    json_t *doc;
    const char *name, *bucket, *store, *digest_key_file, *sse_c_key_file, *kms_key_id;
    struct hf_layout layout;
    json_t *sources, *recipients; /* arrays of texts; sources NULL for all */
    uint64_t window_s, window_max_bytes, digest_s, spool_max_bytes, lock_days, compression_level;
    int encryption, lock_mode;
    bool legal_hold, start_oldest;
};
enum hf_status settings_from_config(const struct hf_config *config,
                                    const struct hf_config_trail *trail, const char *host,
                                    struct settings *ret_settings,
                                    struct hf_error *err) hf_must_check;
enum hf_status settings_from_doc(json_t *doc, struct settings *ret_settings,
                                 struct hf_error *err) hf_must_check; /* takes the reference */
void settings_done(struct settings *settings);

/* Settings with everything loaded that sealing and signing need. Held by the trail it is in force
 * for, by a change that will bring it, by the window that is sealed and the check that runs under
 * it; freed with the last of these. All holders are on the trails' thread. */
struct plan {
    unsigned holders;
    struct settings settings;
    struct hf_signer *signer;
    struct hf_recipients *recipients;
    struct hf_selection selection;
    struct hf_seal_plan seal;
    char chain[HF_ID_SIZE];
};
struct hf_trails;
enum hf_status plan_new(struct hf_trails *trails, struct settings *settings, struct plan **ret_plan,
                        struct hf_error *err) hf_must_check; /* takes the settings; one holder */
struct plan *plan_hold(struct plan *plan);
void plan_let_go(struct plan *plan); /* frees it when nobody else holds it; NULL is fine */
struct rule plan_rule(const struct plan *plan);

#endif
