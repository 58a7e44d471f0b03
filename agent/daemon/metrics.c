/* Prometheus' text format 0.0.4, from the table in metrics.def and the answer to `status`, and
 * the table as Markdown. */
#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

enum type { TYPE_COUNTER, TYPE_GAUGE };
enum scope { SCOPE_agent, SCOPE_source, SCOPE_trail, SCOPE_store, SCOPE_COUNT };
enum form {
    FORM_NUMBER,
    FORM_BOOL,
    FORM_PRESENT,
    FORM_TIME,
    FORM_NONZERO,
    FORM_CLASS,
    FORM_CLASSES,
    FORM_LABELS
};
enum moves { FIXED, MOVES };

struct metric {
    const char *name;
    enum type type;
    enum scope scope;
    const char *key;
    enum form form;
    enum moves moves;
    const char *help;
};

static const struct metric metrics[] = {
#define METRIC(name_, type_, scope_, key_, form_, moves_, help_)                                   \
    { #name_, TYPE_##type_, SCOPE_##scope_, key_, FORM_##form_, moves_, help_ },
#include "agent/daemon/metrics.def"
#undef METRIC
};

static const struct {
    const char *label, *list; /* NULL: the whole answer */
    const char *title;
} scopes[SCOPE_COUNT] = {
    [SCOPE_agent] = { NULL, NULL, "The agent" },
    [SCOPE_source] = { "source", "sources", "Each source" },
    [SCOPE_trail] = { "trail", "trails", "Each trail" },
    [SCOPE_store] = { "store", "stores", "Each store" },
};

static const char *
type_text(enum type type)
{
    return type == TYPE_COUNTER ? "counter" : "gauge";
}

/* ---- one sample ---- */

static enum hf_status
add_escaped(struct hf_buf *text, const char *value, bool quotes)
{
    enum hf_status status = HF_OK;
    for (; *value && status == HF_OK; value++) {
        if (*value == '\n')
            status = hf_buf_add_text(text, "\\n");
        else if (*value == '\\' || (quotes && *value == '"'))
            status = hf_buf_addf(text, "\\%c", *value);
        else
            status = hf_buf_add(text, value, 1);
    }
    return status;
}

struct sample {
    const struct metric *metric;
    const char *entity;   /* its name, or NULL */
    const char *class;    /* or NULL */
    const json_t *labels; /* the object in which FORM_LABELS finds its labels, or NULL */
    bool any_label;
};

static enum hf_status
add_label(struct hf_buf *text, struct sample *sample, const char *name, const char *value)
{
    enum hf_status status = hf_buf_addf(text, "%s%s=\"", sample->any_label ? "," : "{", name);
    sample->any_label = true;
    if (status == HF_OK)
        status = add_escaped(text, value, true);
    return status == HF_OK ? hf_buf_add_text(text, "\"") : status;
}

#define KEY_PART_SIZE 64

/* The next of "agent.version" or "store,bucket": where it stands, and its name. */
static bool
next_label(const char **at, char ret_outer[KEY_PART_SIZE], char ret_name[KEY_PART_SIZE])
{
    size_t size = strcspn(*at, ",");
    const char *dot = memchr(*at, '.', size), *name = dot ? dot + 1 : *at;
    snprintf(ret_outer, KEY_PART_SIZE, "%.*s", dot ? (int)(dot - *at) : 0, *at);
    snprintf(ret_name, KEY_PART_SIZE, "%.*s", (int)(*at + size - name), name);
    *at += size + ((*at)[size] == ',');
    return size > 0;
}

static enum hf_status
add_key_labels(struct hf_buf *text, struct sample *sample)
{
    char outer[KEY_PART_SIZE], name[KEY_PART_SIZE];
    enum hf_status status = HF_OK;
    for (const char *at = sample->metric->key; status == HF_OK && next_label(&at, outer, name);) {
        const json_t *doc = *outer ? json_object_get(sample->labels, outer) : sample->labels;
        status = add_label(text, sample, name, hf_doc_text_or(doc, name, ""));
    }
    return status;
}

static enum hf_status
add_sample(struct hf_buf *text, struct sample sample, json_int_t value)
{
    enum hf_status status = hf_buf_add_text(text, sample.metric->name);
    if (status == HF_OK && sample.entity)
        status = add_label(text, &sample, scopes[sample.metric->scope].label, sample.entity);
    if (status == HF_OK && sample.class)
        status = add_label(text, &sample, "class", sample.class);
    if (status == HF_OK && sample.labels)
        status = add_key_labels(text, &sample);
    return status == HF_OK
               ? hf_buf_addf(text, "%s %lld\n", sample.any_label ? "}" : "", (long long)value)
               : status;
}

/* ---- one metric of one thing ---- */

static const json_t *
value_at(const json_t *doc, const char *key, size_t size)
{
    while (size > 0) {
        char part[KEY_PART_SIZE];
        size_t part_size = 0;
        while (part_size < size && key[part_size] != '.')
            part_size++;
        snprintf(part, sizeof(part), "%.*s", (int)part_size, key);
        doc = json_object_get(doc, part);
        key += HF_MIN(part_size + 1, size);
        size -= HF_MIN(part_size + 1, size);
    }
    return doc;
}

static bool
sum_at(const json_t *doc, const char *key, json_int_t *ret_sum)
{
    json_int_t sum = 0;
    for (const char *at = key; *at;) {
        size_t size = strcspn(at, "+");
        const json_t *value = value_at(doc, at, size);
        if (!json_is_integer(value))
            return false;
        sum += json_integer_value(value);
        at += size + (at[size] == '+');
    }
    *ret_sum = sum;
    return true;
}

static enum hf_status
add_classes(struct hf_buf *text, struct sample sample, const json_t *classes)
{
    enum hf_status status = HF_OK;
    json_t *count;
    json_object_foreach((json_t *)classes, sample.class, count)
    {
        if (status == HF_OK)
            status = add_sample(text, sample, json_integer_value(count));
    }
    return status;
}

/* A member that is missing (the answer is another version's) makes no sample: nobody may take it
 * for 0. */
static enum hf_status
add_metric_of(struct hf_buf *text, struct sample sample, const json_t *doc)
{
    const struct metric *metric = sample.metric;
    const json_t *value = value_at(doc, metric->key, strlen(metric->key));
    json_int_t number;
    int64_t seconds;
    switch (metric->form) {
    case FORM_NUMBER:
    case FORM_NONZERO:
        return sum_at(doc, metric->key, &number) && (number || metric->form == FORM_NUMBER)
                   ? add_sample(text, sample, number)
                   : HF_OK;
    case FORM_BOOL:
        return json_is_boolean(value) ? add_sample(text, sample, json_is_true(value)) : HF_OK;
    case FORM_PRESENT: return value ? add_sample(text, sample, !json_is_null(value)) : HF_OK;
    case FORM_TIME:
        return json_is_string(value) && hf_time_parse_rfc3339(json_string_value(value), &seconds)
                   ? add_sample(text, sample, seconds)
                   : HF_OK;
    case FORM_CLASS:
        sample.class = json_string_value(value);
        return sample.class ? add_sample(text, sample, 1) : HF_OK;
    case FORM_CLASSES: return add_classes(text, sample, value);
    case FORM_LABELS:
        sample.labels = doc;
        return json_is_string(value_at(doc, metric->key, strcspn(metric->key, ",")))
                   ? add_sample(text, sample, 1)
                   : HF_OK;
    }
    return HF_OK;
}

static enum hf_status
add_samples(struct hf_buf *text, const struct metric *metric, const json_t *answer)
{
    struct sample sample = { .metric = metric };
    const char *list = scopes[metric->scope].list;
    const json_t *entities = list ? json_object_get(answer, list) : NULL;
    enum hf_status status = list ? HF_OK : add_metric_of(text, sample, answer);
    for (size_t i = 0; i < json_array_size(entities) && status == HF_OK; i++) {
        const json_t *entity = json_array_get(entities, i);
        sample.entity = hf_doc_text_or(entity, "name", "");
        status = add_metric_of(text, sample, entity);
    }
    return status;
}

/* ---- all of it ---- */

enum hf_status
hf_metrics_text(const json_t *answer, struct hf_buf *ret_text)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < HF_COUNT(metrics) && status == HF_OK; i++) {
        const struct metric *metric = &metrics[i];
        hf_owned(hf_buf_done) struct hf_buf samples = HF_BUF(HF_METRICS_MAX);
        status = add_samples(&samples, metric, answer);
        if (status != HF_OK || samples.size == 0)
            continue;
        status = hf_buf_addf(ret_text, "# HELP %s ", metric->name);
        if (status == HF_OK)
            status = add_escaped(ret_text, metric->help, false);
        if (status == HF_OK)
            status =
                hf_buf_addf(ret_text, "\n# TYPE %s %s\n", metric->name, type_text(metric->type));
        if (status == HF_OK)
            status = hf_buf_add(ret_text, samples.ptr, samples.size);
    }
    return status;
}

static enum hf_status
add_row(struct hf_buf *text, const struct metric *metric)
{
    char outer[KEY_PART_SIZE], name[KEY_PART_SIZE];
    const char *label = scopes[metric->scope].label, *comma = label ? ", " : "";
    bool has_class = metric->form == FORM_CLASS || metric->form == FORM_CLASSES;
    enum hf_status status = hf_buf_addf(text, "| `%s` | %s | %s", metric->name,
                                        type_text(metric->type), label ? label : "");
    if (status == HF_OK && has_class)
        status = hf_buf_addf(text, "%sclass", comma);
    for (const char *at = metric->key;
         metric->form == FORM_LABELS && status == HF_OK && next_label(&at, outer, name);
         comma = ", ")
        status = hf_buf_addf(text, "%s%s", comma, name);
    return status == HF_OK ? hf_buf_addf(text, " | %s | %s |\n",
                                         metric->moves == MOVES ? "moves" : "fixed", metric->help)
                           : status;
}

static const char head[] = "# Every metric\n"
                           "\n"
                           "Made from `metrics.def`; a test compares the two, and `ninja "
                           "update_metrics` writes this file anew.\n"
                           "\n"
                           "`holdfast status --metrics` prints them, and with `agent.metrics: "
                           "127.0.0.1:9187` the agent answers http://127.0.0.1:9187/metrics,\n"
                           "both in Prometheus' text exposition format 0.0.4. All of them are what "
                           "`holdfast status --json` says, taken at the same moment\n"
                           "(agent/cli/JSON.md). A counter counts from the agent's start "
                           "(`holdfast_start_time_seconds`). Times are seconds since the epoch,\n"
                           "and what has not happened has no sample. The label `class` has only "
                           "names of `HF_STATUS_TABLE` (include/holdfast/base.h), such as\n"
                           "`HF_EACCESS`; the other labels have what is configured. *fixed* says "
                           "the same for as long as the agent runs with its configuration.\n";

static const char tail[] =
    "\n## To begin with\n"
    "\n"
    "```yaml\n"
    "scrape_configs: # prometheus.yml, on the same host: the agent listens on the loopback only\n"
    "  - job_name: holdfast\n"
    "    static_configs: [{ targets: [\"127.0.0.1:9187\"] }]\n"
    "```\n"
    "\n"
    "| Worth an alert | means |\n"
    "|---|---|\n"
    "| `up{job=\"holdfast\"} == 0` | no agent runs |\n"
    "| `holdfast_trail_held == 1` for 10 minutes | nothing is delivered; "
    "`holdfast_trail_held_reason` and `holdfast status` say why |\n"
    "| `holdfast_trail_backlog_seconds > 900` | delivery is late: three windows of the default "
    "length |\n"
    "| `time() - holdfast_trail_last_digest_seconds > 7500` | two digests of the default period "
    "are missing: what came since is not proven |\n"
    "| `holdfast_journal_bytes / holdfast_journal_limit_bytes > 0.5` | room for as much again; "
    "past it intake is refused |\n"
    "| `holdfast_journal_full == 1` | it is refused |\n"
    "| `increase(holdfast_source_gaps_total[1h]) > 0` | something was lost before it was read |\n"
    "| `increase(holdfast_trail_lost_events_total[1h]) > 0`, `holdfast_trail_ledger_repairs > 0` | "
    "the disk does not give back what was written to it |\n"
    "| `holdfast_trail_strays > 0` | somebody else writes among the digests |\n"
    "| `increase(holdfast_trail_head_missing_total[1h]) > 0` | somebody removed or hid a digest |\n"
    "| `abs(holdfast_store_clock_skew_seconds) > 60` | one of the two clocks is wrong |\n";

enum hf_status
hf_metrics_reference(struct hf_buf *ret_markdown)
{
    enum hf_status status = hf_buf_add_text(ret_markdown, head);
    for (int scope = 0; scope < SCOPE_COUNT && status == HF_OK; scope++) {
        status = hf_buf_addf(
            ret_markdown,
            "\n## %s\n\n| Metric | Type | Labels | Value | Meaning |\n|---|---|---|---|---|\n",
            scopes[scope].title);
        for (size_t i = 0; i < HF_COUNT(metrics) && status == HF_OK; i++) {
            if ((int)metrics[i].scope == scope)
                status = add_row(ret_markdown, &metrics[i]);
        }
    }
    return status == HF_OK ? hf_buf_add_text(ret_markdown, tail) : status;
}
