/* Rules: which records a range of the journal gives to a trail, and where its windows end. In
 * the ledger's STATE they stand in the order in which they hold, each up to a sequence, the last
 * one without end. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <string.h>

struct rule
rule_of(const struct plan *plan)
{
    return (struct rule){ .selection = plan->selection,
                          .window_s = plan->settings.window_s,
                          .window_max_bytes = plan->settings.window_max_bytes };
}

bool
rule_same(const struct rule *a, const struct rule *b)
{
    if (a->gone || b->gone)
        return a->gone == b->gone;
    if (a->window_s != b->window_s || a->window_max_bytes != b->window_max_bytes ||
        a->selection.all != b->selection.all)
        return false;
    return a->selection.all ||
           memcmp(a->selection.bits, b->selection.bits, sizeof(a->selection.bits)) == 0;
}

/* ---- selections stand in the CUT, too: what was counted is what will be sealed, whatever the
 * configuration says by then ---- */

json_t *
selection_doc(const struct hf_selection *selection)
{
    if (selection->all)
        return json_null();
    json_t *ids = json_array();
    for (unsigned id = 1; id < HF_SOURCES_MAX; id++) {
        if (hf_selection_has(selection, (uint16_t)id))
            json_array_append_new(ids, json_integer(id));
    }
    return ids;
}

void
selection_from_doc(const json_t *ids, struct hf_selection *ret_selection)
{
    memset(ret_selection, 0, sizeof(*ret_selection));
    ret_selection->all = !json_is_array(ids);
    size_t index;
    json_t *id;
    json_array_foreach(ids, index, id)
    {
        json_int_t value = json_integer_value(id);
        if (value > 0 && value < HF_SOURCES_MAX)
            hf_selection_add(ret_selection, (uint16_t)value);
    }
}

/* ---- in the ledger ---- */

static json_t *
rule_doc(const struct rule *rule)
{
    json_t *doc = json_object();
    if (rule->gone) {
        hf_doc_set_bool(doc, "gone", true);
        return doc;
    }
    hf_doc_set(doc, "sources", selection_doc(&rule->selection));
    hf_doc_set_u64(doc, "window_s", rule->window_s);
    hf_doc_set_u64(doc, "window_max_bytes", rule->window_max_bytes);
    return doc;
}

json_t *
rules_doc(const struct trail *trail)
{
    json_t *array = json_array(), *doc = rule_doc(&trail->rule);
    json_array_append_new(array, doc);
    for (const struct change *change = trail->changes; change; change = change->next) {
        hf_doc_set_u64(doc, "to", change->after_seq);
        doc = rule_doc(&change->rule);
        json_array_append_new(array, doc);
    }
    return array;
}

static enum hf_status
rule_from_doc(const json_t *doc, struct rule *ret_rule, struct hf_error *err)
{
    struct rule rule = { .gone = json_is_true(json_object_get(doc, "gone")) };
    enum hf_status status = HF_OK;
    if (!rule.gone) {
        selection_from_doc(json_object_get(doc, "sources"), &rule.selection);
        status = hf_doc_u64(doc, "window_s", &rule.window_s, err);
        if (status == HF_OK)
            status = hf_doc_u64(doc, "window_max_bytes", &rule.window_max_bytes, err);
        if (status == HF_OK && (!rule.window_s || rule.window_max_bytes <= HF_OBJECT_OVERHEAD))
            status = hf_fail(err, HF_ECORRUPT, "a rule has no window");
    }
    *ret_rule = rule;
    return status;
}

enum hf_status
rules_from_doc(struct trail *trail, const json_t *array, struct hf_error *err)
{
    struct change **end = &trail->changes;
    size_t index;
    json_t *doc;
    if (!json_array_size(array))
        return HF_OK; /* from before rules stood here: the configuration's */
    change_free_all(trail);
    uint64_t to = 0;
    json_array_foreach(array, index, doc)
    {
        struct rule rule;
        enum hf_status status = rule_from_doc(doc, &rule, err);
        if (status != HF_OK)
            return status;
        if (index == 0) {
            trail->rule = rule;
        } else {
            *end = hf_alloc(sizeof(**end));
            **end = (struct change){ .after_seq = to, .rule = rule };
            end = &(*end)->next;
        }
        uint64_t before = to;
        to = hf_doc_u64_or(doc, "to", UINT64_MAX);
        if (to < before)
            return hf_fail(err, HF_ECORRUPT, "the rules are not in order");
    }
    return HF_OK;
}
