/* What the table of commands runs: cmd_GROUP_NAME stands in cmd_GROUP.c or cmd_GROUP_NAME.c. Each
 * returns the exit code. */
#ifndef HOLDFAST_CLI_COMMANDS_H
#define HOLDFAST_CLI_COMMANDS_H

#include "opt.h"

struct target;

int cmd_run(const struct options *options);
int cmd_emit(const struct options *options);
int cmd_chain_new(const struct options *options);
int cmd_flush(const struct options *options);
int cmd_status(const struct options *options);
int cmd_check(const struct options *options);
int cmd_validate(const struct options *options);
int cmd_head(const struct options *options);
int cmd_cat(const struct options *options);
int cmd_key_new(const struct options *options);
int cmd_key_list(const struct options *options);
int cmd_key_rotate(const struct options *options);
int cmd_key_revoke(const struct options *options);
int cmd_bucket_apply(const struct options *options);
int cmd_bucket_diff(const struct options *options);
int cmd_bucket_probe(const struct options *options);
int cmd_api(const struct options *options);
int cmd_config_sample(const struct options *options);
int cmd_config_reference(const struct options *options);
int cmd_config_unit(const struct options *options);
int print_aws(const struct options *options,
              const struct target *target); /* validate --print-aws */

#endif
