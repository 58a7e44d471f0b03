/* What the three `bucket` commands share, and `check` with them. */
#ifndef HOLDFAST_CLI_BUCKET_LINES_H
#define HOLDFAST_CLI_BUCKET_LINES_H

#include "lines.h"

/* The buckets named by the command's arguments, or all: `run` for each, then the report; the exit
 * code. */
int each_bucket(const struct options *options,
                void (*run)(const struct options *options, const struct hf_config *config,
                            const struct hf_config_bucket *bucket, struct lines *lines));
/* The store with the options' credentials. */
enum hf_status bucket_open(const struct options *options, const struct hf_config *config,
                           const struct hf_config_bucket *bucket, struct hf_store **ret_store,
                           struct hf_error *err) hf_must_check;
/* The plan for whom the options name. When there is none: false, and the line is said. */
bool bucket_plan(const struct options *options, const struct hf_config *config,
                 const struct hf_config_bucket *bucket, struct hf_bucket_plan *ret_plan,
                 struct lines *lines);

/* Notes on the set as a whole: which folder, and whether the retention is less than its term. */
void say_plan(const struct hf_bucket_plan *plan, struct lines *lines);
/* A note where the bucket's retention is shorter or weaker than its policy set's. */
void say_shortfall(const struct hf_config_bucket *bucket, const struct hf_bucket_term *term,
                   const char *subject, struct lines *lines);
/* A note for each role whose document nobody is named for, or that has none. */
void say_roles(const struct hf_bucket_plan *plan, struct lines *lines, const char *left_alone);
/* A line for each: a failure, or a note on one that is harmless. */
void say_differences(const struct hf_differences *differences, const char *name, const char *what,
                     struct lines *lines);

#endif
