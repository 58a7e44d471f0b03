/* holdfast emit */
#include "commands.h"
#include "emit_impl.h"
#include "say.h"
#include "target.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define WINDOW_BYTES (4u << 20)
#define WINDOW_LINES 100000u

static enum hf_status
only_socket(const struct options *options, const struct hf_config *config, const char **ret_path,
            struct hf_error *err)
{
    const char *path = NULL;
    hf_assert(config);
    for (size_t i = 0; i < config->source_count; i++) {
        if (config->sources[i].type != HF_SOURCE_SOCKET)
            continue;
        if (path)
            return hf_fail(err, HF_EUSAGE,
                           "'%s' has more than one socket source: name one's path with -s",
                           options->config);
        path = config->sources[i].path;
    }
    if (!path)
        return hf_fail(err, HF_EUSAGE, "'%s' has no source of type socket", options->config);
    *ret_path = path;
    return HF_OK;
}

static void
on_signal(int number)
{
    (void)number;
    emit_stop();
}

static void
catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int
run(const struct options *options, const char *path)
{
    char made[37];
    uint64_t acknowledged = 0;
    struct hf_error err = { 0 };
    struct emit_options emit = {
        .socket = path,
        .stream = options->stream ? options->stream : made,
        .resumed = options->stream != NULL,
        .timeout_ms = options->timeout_s * 1000,
        .input = STDIN_FILENO,
        .window_bytes = WINDOW_BYTES,
        .window_lines = WINDOW_LINES,
    };
    emit_stream_new(made);
    catch_signals();
    enum hf_status status = emit_lines(&emit, &acknowledged, &err);
    printf("%llu\n", (unsigned long long)acknowledged);
    if (status == HF_OK)
        return say_done(EXIT_WELL);
    int code = say_failure(options, status, &err);
    if (code != EXIT_USAGE && status != HF_EREFUSED && status != HF_EFOREIGN &&
        status != HF_ECORRUPT)
        say_hint("`holdfast emit -s %s --stream %s`, with the same input from its beginning, goes "
                 "on after line %llu",
                 path, emit.stream, (unsigned long long)acknowledged);
    code = code == EXIT_USAGE || code == EXIT_INTERNAL ? code : EXIT_LATER;
    return say_done(code);
}

int
cmd_emit(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    const char *path = options->socket;
    enum hf_status status = HF_OK;
    if (options->stream && !emit_stream_valid(options->stream))
        status = hf_fail(&err, HF_EUSAGE, "--stream: '%s' is no UUID of lower-case hex digits",
                         options->stream);
    if (status == HF_OK && !path)
        status = config_open(options, &config, &err);
    if (status == HF_OK && !path)
        status = only_socket(options, config, &path, &err);
    int code = status == HF_OK ? run(options, path) : say_failure(options, status, &err);
    hf_config_free(config);
    return code;
}
