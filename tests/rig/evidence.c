#include "tests/rig/evidence.h"

#include <holdfast/config.h>
#include <holdfast/crypto.h>
#include <stdio.h>

struct reader {
    struct hf_config *config;
    struct hf_verifier *verifier;
    struct hf_opener *opener;
    struct hf_store *store;
};

static void
reader_open(struct reader *reader, const struct stage *stage)
{
    char path[HF_PATH_MAX];
    struct hf_error err;
    stage_path(stage, "holdfast.yaml", path);
    if (hf_config_load(path, &reader->config, &err) != HF_OK)
        stage_die("%s", err.text);
    hf_path_join(path, sizeof(path), stage->shared, "digest.key.pub");
    if (hf_verifier_load(path, &reader->verifier, &err) != HF_OK)
        stage_die("%s", err.text);
    hf_path_join(path, sizeof(path), stage->shared, "ops.key");
    if (hf_opener_load(path, &reader->opener, &err) != HF_OK)
        stage_die("%s", err.text);
    if (hf_store_open(&reader->config->stores[0], reader->config->buckets[0].name, &reader->store,
                      &err) != HF_OK)
        stage_die("%s", err.text);
}

static void
reader_close(struct reader *reader)
{
    hf_store_close(reader->store);
    hf_opener_free(reader->opener);
    hf_verifier_free(reader->verifier);
    hf_config_free(reader->config);
}

static void
walk(const struct hf_verify_options *options, const char *trail, char ret_wrong[300])
{
    struct hf_verify_result result;
    struct hf_error err;
    if (hf_verify(options, &result, &err) != HF_OK)
        snprintf(ret_wrong, 300, "trail %s cannot be validated: %.240s", trail, err.text);
    else if (!result.intact)
        snprintf(ret_wrong, 300, "trail %s is not intact%s", trail,
                 options->content ? "" : ": objects that nobody lists?");
}

void
evidence_walk(const struct stage *stage, const char *trail, const struct evidence_visitor *visitor,
              char ret_wrong[300])
{
    struct reader reader;
    reader_open(&reader, stage);
    const struct hf_verifier *verifier = reader.verifier;
    struct hf_verify_options options = {
        .store = reader.store,
        .layout = { .prefix = trail,
                    .account = reader.config->agent.account,
                    .region = reader.config->agent.region,
                    .trail = trail },
        .verifiers = &verifier,
        .verifier_count = 1,
        .check_objects = true,
        .check_locks = true,
        .finding = visitor->finding,
        .content = visitor->content,
        .opener = reader.opener,
        .context = visitor->context,
    };
    *ret_wrong = '\0';
    walk(&options, trail, ret_wrong);
    options.finding = NULL;
    options.content = NULL; /* only without it are objects looked for that nobody lists */
    if (!*ret_wrong)
        walk(&options, trail, ret_wrong);
    reader_close(&reader);
}
