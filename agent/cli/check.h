/* What `check` looks at, one thing after the other. */
#ifndef HOLDFAST_CLI_CHECK_H
#define HOLDFAST_CLI_CHECK_H

#include "lines.h"

#include <holdfast/config.h>

void check_host(const struct hf_config *config, struct lines *lines);
void check_sources(const struct hf_config *config, struct lines *lines);
void check_stores(const struct hf_config *config, const struct options *options,
                  struct lines *lines);
void check_trail(const struct hf_config_trail *trail, struct lines *lines);

#endif
