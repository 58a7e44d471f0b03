/* Settings beside the ledger, in two files with a checksum. */
#ifndef HOLDFAST_TRAIL_SAVED_H
#define HOLDFAST_TRAIL_SAVED_H

#include "agent/trail/plan.h"

/* HF_ENOTFOUND; HF_ECORRUPT: both are damaged. */
enum hf_status settings_load(const char *folder, struct settings *ret_settings,
                             struct hf_error *err) hf_must_check;
enum hf_status settings_save(const char *folder, const struct settings *settings,
                             struct hf_error *err) hf_must_check;
/* Written when the ledger has its first step, and removed before it. */
enum hf_status settings_exist(const char *folder, bool *ret_exist,
                              struct hf_error *err) hf_must_check;
enum hf_status settings_remove(const char *folder, struct hf_error *err) hf_must_check;

#endif
