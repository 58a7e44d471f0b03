/* What the table cannot say of the agent and of the file as a whole: entries that must be there,
 * names that are unique. check_store.c and check_trail.c look at the entries. */
#include "config_impl.h"
#include "rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

enum hf_status
hf_check_fail(struct hf_error *err, struct hf_checked entry, const char *key, const char *format,
              ...)
{
    char reason[HF_REASON_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    const struct hf_node *node = hf_node_at(entry.section, entry.node, key);
    return hf_node_fail(err, node ? node : entry.node, node ? NULL : key, "%s", reason);
}

static enum hf_status
check_rule(struct hf_error *err, struct hf_checked entry, const char *key, const char *text,
           const char *(*rule)(const char *text))
{
    const char *wrong = text ? rule(text) : NULL;
    if (!wrong)
        return HF_OK;
    char shown[HF_SHOWN_SIZE];
    hf_show(text, shown, sizeof(shown));
    return hf_check_fail(err, entry, key, "'%s' %s", shown, wrong);
}

static enum hf_status
check_agent(struct hf_checked entry, const struct hf_config_agent *agent, struct hf_error *err)
{
    const struct {
        const char *key, *text;
        const char *(*rule)(const char *text);
    } texts[] = { { "account", agent->account, hf_rule_account },
                  { "region", agent->region, hf_rule_region },
                  { "organization", agent->organization, hf_rule_organization },
                  { "host", agent->host, hf_rule_name },
                  { "metrics", agent->metrics, hf_rule_loopback } };
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        enum hf_status status = check_rule(err, entry, texts[i].key, texts[i].text, texts[i].rule);
        if (status != HF_OK)
            return status;
    }
    if (agent->journal_max_bytes / 2 < agent->journal_segment_bytes)
        return hf_check_fail(err, entry, "journal.max_bytes",
                             "%llu bytes hold fewer than two segments of %llu; raise it or lower "
                             "journal.segment_bytes",
                             (unsigned long long)agent->journal_max_bytes,
                             (unsigned long long)agent->journal_segment_bytes);
    if (strlen(agent->control) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return hf_check_fail(err, entry, "control",
                             "'%.120s' is too long for a socket's path; write a shorter one",
                             agent->control);
    return HF_OK;
}

/* ---- what each section needs ---- */

static const char *
entry_name(const struct hf_config *config, enum hf_section_id section, size_t index)
{
    switch (section) {
    case HF_SECTION_store: return config->stores[index].name;
    case HF_SECTION_source: return config->sources[index].name;
    case HF_SECTION_bucket: return config->buckets[index].name;
    case HF_SECTION_trail: return config->trails[index].name;
    default: return "";
    }
}

static enum hf_status
check_entry(struct hf_checked entry, const struct hf_config *config, size_t index,
            struct hf_error *err)
{
    const char *name = entry_name(config, entry.section, index);
    for (size_t i = 0; i < index; i++)
        if (strcmp(entry_name(config, entry.section, i), name) == 0)
            return hf_check_fail(err, entry, "name", "'%s' is the name of %s[%zu] already", name,
                                 hf_sections[entry.section].key, i);
    switch (entry.section) {
    case HF_SECTION_store: return hf_check_store(entry, &config->stores[index], err);
    case HF_SECTION_source: return hf_check_source(entry, config, &config->sources[index], err);
    case HF_SECTION_bucket: return hf_check_bucket(entry, config, &config->buckets[index], err);
    case HF_SECTION_trail: return hf_check_trail(entry, config, &config->trails[index], err);
    default: return HF_OK;
    }
}

/* An agent without a trail would take events in for nobody. Sources may be added later. */
static enum hf_status
check_present(const struct hf_node *root, enum hf_section_id section, size_t count,
              struct hf_error *err)
{
    static const char *const examples[HF_SECTION_COUNT] = {
        [HF_SECTION_store] = "{ name: here, url: \"dir:///var/lib/holdfast/bucket\" }",
        [HF_SECTION_bucket] =
            "{ name: audit-logs, store: here, retention: { mode: governance, days: 1 } }",
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text in two lines */
        [HF_SECTION_trail] = "{ name: audit, bucket: audit-logs, encryption: none, digest: { "
                             "key_file: digest.key } }",
    };
    const char *key = hf_sections[section].key;
    const struct hf_node *node = hf_node_child(root, key);
    if (count > 0 || !examples[section])
        return HF_OK;
    return hf_node_fail(err, node ? node : root, node ? NULL : key,
                        "missing; write at least one entry, as in - %s", examples[section]);
}

static enum hf_status
check_section(const struct hf_node *root, const struct hf_config *config,
              enum hf_section_id section, struct hf_error *err)
{
    const struct hf_node *list = hf_node_child(root, hf_sections[section].key);
    size_t count = *(const size_t *)((const char *)config + hf_sections[section].count_offset);
    enum hf_status status = check_present(root, section, count, err);
    for (size_t i = 0; i < count && status == HF_OK; i++)
        status = check_entry((struct hf_checked){ section, hf_node_item(list, i) }, config, i, err);
    return status;
}

enum hf_status
hf_config_check(const struct hf_node *root, const struct hf_config *config, struct hf_error *err)
{
    const struct hf_node *agent = hf_node_child(root, "agent");
    const struct hf_node nothing = { .kind = HF_NODE_MAP, .file = root->file, .line = root->line };
    /* `agent:` with nothing behind it has no members to look up. */
    bool written = agent && agent->kind == HF_NODE_MAP;
    enum hf_status status = check_agent(
        (struct hf_checked){ HF_SECTION_agent, written ? agent : &nothing }, &config->agent, err);
    for (int section = HF_SECTION_store; section < HF_SECTION_COUNT && status == HF_OK; section++)
        status = check_section(root, config, (enum hf_section_id)section, err);
    return status;
}
