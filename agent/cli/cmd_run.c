/* holdfast run */
#include "cli_impl.h"

#include <holdfast/daemon.h>
#include <stdio.h>
#include <unistd.h>

int
cmd_run(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    if (!options->check_config && hf_fs_access(options->config, F_OK, NULL) == HF_OK) {
        enum hf_status status = hf_daemon_run(options->config, &err);
        return status == HF_OK ? EXIT_WELL : say_failure(options, status, &err);
    }
    enum hf_status status = config_open(options, &config, &err);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    printf("%s: right; %zu sources, %zu stores, %zu buckets, %zu trails\n", config->path,
           config->source_count, config->store_count, config->bucket_count, config->trail_count);
    hf_config_free(config);
    return say_done(EXIT_WELL);
}
