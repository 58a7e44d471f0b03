/* The lifecycle: what is left of it on a store that has no other storage class, and whether it
 * hides what is still locked. */
#include "bucket_impl.h"

#include <holdfast/json.h>
#include <string.h>

static const char *const moves[] = { "Transitions", "NoncurrentVersionTransitions" };

/* Members of a rule that say which versions it is for, not what is done with them. */
static bool
is_about(const char *key)
{
    static const char *const about[] = { "ID", "Status", "Filter", "Prefix" };
    for (size_t i = 0; i < HF_COUNT(about); i++)
        if (strcmp(about[i], key) == 0)
            return true;
    return false;
}

static bool
does_something(const json_t *rule)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)rule, key, member) if (!is_about(key)) return true;
    return false;
}

json_t *
lifecycle_without_moves(const json_t *lifecycle)
{
    json_t *rest = json_deep_copy(lifecycle), *rules = json_object_get(rest, "Rules");
    for (size_t i = json_array_size(rules); i-- > 0;) {
        json_t *rule = json_array_get(rules, i);
        for (size_t j = 0; j < HF_COUNT(moves); j++)
            json_object_del(rule, moves[j]);
        if (!does_something(rule))
            json_array_remove(rules, i);
    }
    return rest;
}

static enum hf_status
add_move(struct hf_buf *text, const char *list, const json_t *move)
{
    bool noncurrent = strcmp(list, moves[1]) == 0;
    const json_t *days = json_object_get(move, noncurrent ? "NoncurrentDays" : "Days");
    enum hf_status status = hf_buf_addf(text, "%s%sto storage class %s", text->size ? ", " : "",
                                        noncurrent ? "noncurrent versions " : "",
                                        hf_doc_text_or(move, "StorageClass", "?"));
    return status == HF_OK && json_is_integer(days)
               ? hf_buf_addf(text, " after %lld days", (long long)json_integer_value(days))
               : status;
}

char *
lifecycle_moves(const json_t *lifecycle)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(512);
    json_t *rule, *move;
    size_t i, k;
    json_array_foreach(json_object_get(lifecycle, "Rules"), i, rule)
    {
        for (size_t j = 0; j < HF_COUNT(moves); j++)
            json_array_foreach(json_object_get(rule, moves[j]), k,
                               move) if (add_move(&text, moves[j], move) != HF_OK) break;
    }
    return text.size ? hf_strdup(hf_buf_text(&text)) : NULL;
}

enum hf_status
lifecycle_check(const json_t *lifecycle, uint64_t lock_days, struct hf_error *err)
{
    json_t *rule;
    size_t index;
    json_array_foreach(json_object_get(lifecycle, "Rules"), index, rule)
    {
        const json_t *expiration = json_object_get(rule, "Expiration");
        uint64_t days = hf_doc_u64_or(expiration, "Days", UINT64_MAX);
        const char *id = hf_doc_text_or(rule, "ID", "without ID");
        if (strcmp(hf_doc_text_or(rule, "Status", "Enabled"), "Enabled") != 0 || lock_days == 0)
            continue;
        if (days <= lock_days)
            return hf_fail(err, HF_EREFUSED,
                           "its rule '%s' would hide current versions after %llu days, and they "
                           "are locked for %llu",
                           id, (unsigned long long)days, (unsigned long long)lock_days);
        if (hf_doc_text_or(expiration, "Date", NULL))
            return hf_fail(err, HF_EREFUSED,
                           "its rule '%s' would hide current versions at a date, and they are "
                           "locked for %llu days each",
                           id, (unsigned long long)lock_days);
    }
    return HF_OK;
}

/* ---- rules without an ID: S3 gives them one ---- */

static bool
has_id(const json_t *rules, const char *id)
{
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i,
                       rule) if (strcmp(hf_doc_text_or(rule, "ID", ""), id) == 0) return true;
    return false;
}

static bool
says_the_same(const json_t *present, const json_t *wanted, bool exactly)
{
    hf_owned(hf_doc_freep) json_t *one = json_deep_copy(present), *other = json_deep_copy(wanted);
    struct hf_differences differences;
    const char *key;
    json_t *member;
    void *next;
    hf_doc_set_text(one, "ID", "rule");
    hf_doc_set_text(other, "ID", "rule");
    if (!exactly) {
        json_object_foreach_safe(one, next, key, member) if (!is_about(key))
            json_object_del(one, key);
        json_object_foreach_safe(other, next, key, member) if (!is_about(key))
            json_object_del(other, key);
    }
    hf_owned(hf_doc_freep) json_t *found = json_pack("{s:[O]}", "Rules", one),
                                  *asked = json_pack("{s:[O]}", "Rules", other);
    differences_find(found, asked, &differences);
    bool same = differences.count == 0;
    differences_done(&differences);
    return same;
}

/* The one that says the same takes precedence; else what differs is told of the one for the same
 * keys. */
static const char *
given_id(const json_t *rules, const json_t *present, const json_t *rule)
{
    size_t i;
    json_t *other;
    for (int exactly = 1; exactly >= 0; exactly--)
        json_array_foreach(present, i, other)
        {
            const char *id = hf_doc_text_or(other, "ID", NULL);
            if (id && !has_id(rules, id) && says_the_same(other, rule, exactly))
                return id;
        }
    return NULL;
}

json_t *
lifecycle_named(const json_t *wanted, const json_t *present)
{
    json_t *named = json_deep_copy(wanted), *rules = json_object_get(named, "Rules"), *rule;
    size_t i;
    json_array_foreach(rules, i, rule)
    {
        const char *id = hf_doc_text_or(rule, "ID", NULL);
        if (!id || !*id)
            id = given_id(rules, json_object_get(present, "Rules"), rule);
        if (id)
            hf_doc_set_text(rule, "ID", id);
    }
    return named;
}
