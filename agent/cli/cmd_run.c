/* holdfast run */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/daemon.h>
#include <stdio.h>
#include <unistd.h>

/* What stops `run` is a fault of this host, never of a store: a start while the store is away takes
 * events in and delivers them later. It ends with 2 where someone has to change something (the
 * unit does not try again), with 3 where the same start may do better later, as on a full disk, else
 * with 4. */
static int
run_failed(const struct options *options, enum hf_status status, const struct hf_error *err)
{
    int code = say_failure(options, status, err);
    if (code != EXIT_NOT_WELL)
        return code;
    return hf_status_next(status) == HF_NEXT_CORRUPT ? EXIT_INTERNAL : EXIT_USAGE;
}

int
cmd_run(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    if (!options->check_config && hf_fs_access(options->config, F_OK, NULL) == HF_OK) {
        enum hf_status status = hf_daemon_run(options->config, &err);
        return status == HF_OK ? EXIT_WELL : run_failed(options, status, &err);
    }
    enum hf_status status = config_open(options, &config, &err);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    printf("%s: right; %zu sources, %zu stores, %zu buckets, %zu trails\n", config->path,
           config->source_count, config->store_count, config->bucket_count, config->trail_count);
    hf_config_free(config);
    return say_done(EXIT_WELL);
}
