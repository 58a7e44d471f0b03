/* From the configuration to settings, and from settings to a plan with keys and certificates
 * loaded. What is wrong here is a local fault: `run` exits, a reload is refused. */
#include "agent/trail/trail_impl.h"

#include <holdfast/json.h>
#include <string.h>

enum hf_status
settings_from_config(const struct hf_config *config, const struct hf_config_trail *trail,
                     const char *host, struct settings *ret_settings, struct hf_error *err)
{
    const struct hf_config_bucket *bucket = hf_config_bucket(config, trail->bucket);
    hf_assert(bucket); /* hf_config_load() checked the names */
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "format", SETTINGS_FORMAT);
    hf_config_trail_tell(trail, doc);
    /* what an option says only together with others, and what stands elsewhere */
    static const char *const otherwise[] = { "retention_mode", "retention_days", "start" };
    for (size_t i = 0; i < HF_COUNT(otherwise); i++)
        (void)json_object_del(doc, otherwise[i]);
    hf_doc_set_u64(doc, "lock_mode", (uint64_t)hf_config_lock_mode(config, trail));
    hf_doc_set_u64(doc, "lock_days", hf_config_lock_days(config, trail));
    hf_doc_set_bool(doc, "start_oldest", trail->start == HF_TRAIL_START_OLDEST);
    if (!trail->prefix)
        hf_doc_set_text(doc, "prefix", host);
    if (!trail->sources.count)
        hf_doc_set(doc, "sources", json_null());
    hf_doc_set_text(doc, "store", bucket->store);
    hf_doc_set_bool(doc, "legal_hold", bucket->legal_hold);
    hf_doc_set_text(doc, "organization", config->agent.organization);
    hf_doc_set_text(doc, "account", config->agent.account);
    hf_doc_set_text(doc, "region", config->agent.region);
    return settings_from_doc(doc, ret_settings, err);
}

static bool
all_texts(const json_t *array)
{
    const json_t *item;
    size_t index;
    json_array_foreach(array, index, item)
    {
        if (!json_is_string(item))
            return false;
    }
    return true;
}

static enum hf_status
pick_fields(struct settings *s, struct hf_error *err)
{
    uint64_t encryption, lock_mode;
    enum hf_status status;
#define NEED(call)                                                                                 \
    if ((status = (call)) != HF_OK)                                                                \
    return status
    NEED(hf_doc_text(s->doc, "name", &s->name, err));
    NEED(hf_doc_text(s->doc, "bucket", &s->bucket, err));
    NEED(hf_doc_text(s->doc, "store", &s->store, err));
    NEED(hf_doc_text(s->doc, "prefix", &s->layout.prefix, err));
    NEED(hf_doc_text(s->doc, "account", &s->layout.account, err));
    NEED(hf_doc_text(s->doc, "region", &s->layout.region, err));
    NEED(hf_doc_text(s->doc, "digest_key_file", &s->digest_key_file, err));
    NEED(hf_doc_u64(s->doc, "window_s", &s->window_s, err));
    NEED(hf_doc_u64(s->doc, "window_max_bytes", &s->window_max_bytes, err));
    NEED(hf_doc_u64(s->doc, "digest_s", &s->digest_s, err));
    NEED(hf_doc_u64(s->doc, "spool_max_bytes", &s->spool_max_bytes, err));
    NEED(hf_doc_u64(s->doc, "lock_days", &s->lock_days, err));
    NEED(hf_doc_u64(s->doc, "lock_mode", &lock_mode, err));
    NEED(hf_doc_u64(s->doc, "encryption", &encryption, err));
    NEED(hf_doc_bool(s->doc, "legal_hold", &s->legal_hold, err));
    NEED(hf_doc_bool(s->doc, "start_oldest", &s->start_oldest, err));
    NEED(hf_doc_array(s->doc, "recipients", &s->recipients, err));
#undef NEED
    s->compression_level = hf_doc_u64_or(s->doc, "compression_level",
                                         HF_COMPRESSION_USUAL); /* an earlier version wrote none */
    if (s->compression_level > COMPRESSION_LEVEL_MOST)
        return hf_fail(err, HF_EFORMAT, "unknown compression level");
    if (lock_mode > HF_LOCK_COMPLIANCE || encryption > HF_ENCRYPT_CMS)
        return hf_fail(err, HF_EFORMAT, "unknown lock mode or encryption");
    s->lock_mode = (int)lock_mode;
    s->encryption = (int)encryption;
    s->layout.trail = s->name;
    s->layout.organization = hf_doc_text_or(s->doc, "organization", NULL);
    s->sse_c_key_file = hf_doc_text_or(s->doc, "sse_c_key_file", NULL);
    s->kms_key_id = hf_doc_text_or(s->doc, "kms_key_id", NULL);
    json_t *sources = json_object_get(s->doc, "sources");
    s->sources = json_is_array(sources) ? sources : NULL;
    if (!all_texts(s->sources) || !all_texts(s->recipients))
        return hf_fail(err, HF_EFORMAT, "a source or a recipient that is no text");
    return HF_OK;
}

enum hf_status
settings_from_doc(json_t *doc, struct settings *ret_settings, struct hf_error *err)
{
    struct settings settings = { .doc = doc };
    enum hf_status status = pick_fields(&settings, err);
    if (status != HF_OK) {
        settings_done(&settings);
        return hf_while(err, status, "reading a trail's settings");
    }
    *ret_settings = settings;
    return HF_OK;
}

void
settings_done(struct settings *settings)
{
    json_decref(settings->doc);
    *settings = (struct settings){ 0 };
}

static enum hf_status
load_recipients(struct plan *plan, struct hf_error *err)
{
    if (plan->settings.encryption != HF_ENCRYPT_CMS)
        return HF_OK;
    const char *paths[64];
    size_t count = json_array_size(plan->settings.recipients);
    if (count > HF_COUNT(paths))
        return hf_fail(err, HF_ECONFIG, "more than %zu recipients", HF_COUNT(paths));
    for (size_t i = 0; i < count; i++)
        paths[i] = json_string_value(json_array_get(plan->settings.recipients, i));
    return hf_recipients_load(paths, count, &plan->recipients, err);
}

static enum hf_status
load_selection(struct hf_trails *trails, struct plan *plan, struct hf_error *err)
{
    plan->selection.all = !plan->settings.sources;
    size_t index;
    json_t *source;
    json_array_foreach(plan->settings.sources, index, source)
    {
        uint16_t id;
        enum hf_status status =
            hf_journal_source(trails->options.journal, json_string_value(source), &id, err);
        if (status != HF_OK)
            return status;
        hf_selection_add(&plan->selection, id);
    }
    return HF_OK;
}

/* The key is read for each sealed object's PUT; that it can be read at all is seen here, before
 * anything starts. */
static enum hf_status
try_sse_c_key(const struct settings *settings, struct hf_error *err)
{
    if (settings->encryption != HF_ENCRYPT_SSE_C)
        return HF_OK;
    uint8_t key[32];
    enum hf_status status = hf_key256_load(settings->sse_c_key_file, key, err);
    hf_wipe(key, sizeof(key));
    return status;
}

/* Whatever is wrong with a file that the configuration names is a fault of the configuration:
 * exit code 2. */
static enum hf_status
load_files(struct plan *plan, struct hf_error *err)
{
    const struct settings *s = &plan->settings;
    enum hf_status status = hf_signer_load(s->digest_key_file, &plan->signer, err);
    if (status == HF_ENOTFOUND)
        status = hf_fail(err, HF_ECONFIG,
                         "digest key '%s' does not exist: make it with `holdfast key new`",
                         s->digest_key_file);
    if (status == HF_OK)
        status = load_recipients(plan, err);
    if (status == HF_OK)
        status = try_sse_c_key(s, err);
    return status == HF_OK ? HF_OK : (err->status = HF_ECONFIG);
}

enum hf_status
plan_new(struct hf_trails *trails, struct settings *settings, struct plan **ret_plan,
         struct hf_error *err)
{
    struct plan *plan = hf_alloc(sizeof(*plan));
    plan->holders = 1;
    plan->settings = *settings;
    *settings = (struct settings){ 0 };
    const struct settings *s = &plan->settings;
    enum hf_status status = load_files(plan, err);
    if (status == HF_OK)
        status = load_selection(trails, plan, err);
    if (status != HF_OK) {
        hf_while(err, status, "trail '%s'", s->name);
        plan_let_go(plan);
        return status;
    }
    plan->seal = (struct hf_seal_plan){ .layout = s->layout,
                                        .chain = plan->chain,
                                        .store = s->store,
                                        .bucket = s->bucket,
                                        .encryption = s->encryption,
                                        .recipients = plan->recipients,
                                        .kms_key_id = s->kms_key_id,
                                        .sse_c_key_file = s->sse_c_key_file,
                                        .lock_mode = s->lock_mode,
                                        .lock_days = s->lock_days,
                                        .legal_hold = s->legal_hold };
    *ret_plan = plan;
    return HF_OK;
}

struct plan *
plan_hold(struct plan *plan)
{
    plan->holders++;
    return plan;
}

void
plan_let_go(struct plan *plan)
{
    if (!plan || --plan->holders > 0)
        return;
    hf_signer_free(plan->signer);
    hf_recipients_free(plan->recipients);
    settings_done(&plan->settings);
    hf_freep(&plan);
}
