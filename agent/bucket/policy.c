/* The bucket policy: one document per role, filled for whom it is, merged into what is there. */
#include "bucket_impl.h"

#include <holdfast/crypto.h>
#include <holdfast/json.h>
#include <stdlib.h>
#include <string.h>

#define PREFIXES_MAX 64

static const struct {
    const char *name, *word, *file; /* word: the placeholder */
} roles[HF_ROLE_COUNT] = {
    [HF_ROLE_WRITER] = { "writer", "${WRITER}", "bucket-policy.json" },
    [HF_ROLE_READER] = { "reader", "${READER}", "bucket-policy-reader.json" },
    [HF_ROLE_BREAK_GLASS] = { "break-glass", "${BREAK_GLASS}", "bucket-policy-break-glass.json" },
};

const char *
hf_bucket_role_text(enum hf_bucket_role role)
{
    return roles[role].name;
}

const char *
hf_bucket_role_file(enum hf_bucket_role role)
{
    return roles[role].file;
}

/* ---- placeholders ---- */

struct filling {
    const char *bucket, *prefix, *days, *word; /* word: the role's */
    const char *const *names;                  /* whom it stands for, at least one */
    size_t name_count;
};

static enum hf_status
replace_word(const char *text, const char *word, const char *value, char **ret_text)
{
    hf_owned(hf_buf_done) struct hf_buf out = HF_BUF(4 * DOCUMENT_MAX);
    enum hf_status status = HF_OK;
    for (const char *found; status == HF_OK && (found = strstr(text, word));
         text = found + strlen(word)) {
        status = hf_buf_add(&out, text, (size_t)(found - text));
        if (status == HF_OK)
            status = hf_buf_add_text(&out, value);
    }
    if (status == HF_OK)
        status = hf_buf_add_text(&out, text);
    if (status == HF_OK)
        *ret_text = hf_strdup(hf_buf_text(&out));
    return status;
}

static json_t *
filled_text(const char *from, const struct filling *filling)
{
    const struct {
        const char *word, *value;
    } words[] = { { "${BUCKET}", filling->bucket },
                  { "${PREFIX}/", *filling->prefix ? NULL : "" },
                  { "${PREFIX}", filling->prefix },
                  { "${DAYS}", filling->days },
                  { filling->word, filling->names[0] } };
    char *text hf_owned(hf_freep) = hf_strdup(from);
    for (size_t i = 0; i < HF_COUNT(words); i++) {
        char *next = NULL;
        if (words[i].value && replace_word(text, words[i].word, words[i].value, &next) == HF_OK) {
            free(text);
            text = next;
        }
    }
    return json_string(text);
}

static json_t *filled(const json_t *value, const struct filling *filling);

/* A list with the role's word in it names all who have the role. */
static json_t *
filled_list(const json_t *list, const struct filling *filling)
{
    json_t *array = json_array(), *member;
    size_t index;
    json_array_foreach(list, index, member)
    {
        bool is_word =
            json_is_string(member) && strcmp(json_string_value(member), filling->word) == 0;
        for (size_t i = 0; is_word && i < filling->name_count; i++)
            json_array_append_new(array, json_string(filling->names[i]));
        if (!is_word)
            json_array_append_new(array, filled(member, filling));
    }
    return array;
}

/* In the strings only, after parsing, so that no value can become part of the document's form. */
static json_t *
filled(const json_t *value, const struct filling *filling)
{
    const char *key;
    json_t *member, *object;
    if (json_is_string(value))
        return filled_text(json_string_value(value), filling);
    if (json_is_array(value))
        return filled_list(value, filling);
    if (!json_is_object(value))
        return json_deep_copy(value);
    object = json_object();
    json_object_foreach((json_t *)value, key, member)
        json_object_set_new(object, key, filled(member, filling));
    return object;
}

/* ---- the roles' statements ---- */

/* Several hosts write into one bucket, each below its prefix: each has statements of its own, told
 * apart by their Sid. Of the other roles there is one each, for all who are named. */
static void
add_statements(json_t *policy, const json_t *document, const struct filling *filling,
               bool per_prefix)
{
    char hash[HF_SHA256_HEX_SIZE];
    json_t *statement;
    size_t index;
    hf_sha256_hex(filling->prefix, strlen(filling->prefix), hash);
    json_array_foreach(json_object_get(document, "Statement"), index, statement)
    {
        json_t *own = filled(statement, filling);
        char *sid hf_owned(hf_freep) =
            hf_asprintf("%s%.*s", hf_doc_text_or(own, "Sid", "Holdfast"), per_prefix ? 8 : 0, hash);
        hf_doc_set_text(own, "Sid", sid);
        json_array_append_new(json_object_get(policy, "Statement"), own);
    }
}

static size_t
prefixes_of(const struct hf_config *config, const struct hf_config_bucket *bucket, const char *host,
            const char *ret_prefixes[PREFIXES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        const char *prefix = trail->prefix ? trail->prefix : host;
        bool known = strcmp(trail->bucket, bucket->name) != 0;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(ret_prefixes[j], prefix) == 0;
        if (!known && count < PREFIXES_MAX)
            ret_prefixes[count++] = prefix;
    }
    return count;
}

/* What a role may is said of the whole bucket, but for the writer's: of each prefix. */
static void
fill_role(const struct hf_config *config, const struct hf_bucket_given *given,
          struct hf_bucket_plan *plan, enum hf_bucket_role role, const json_t *document)
{
    const char *prefixes[PREFIXES_MAX] = { "" };
    bool locked = plan->bucket->retention_mode != HF_LOCK_NONE;
    char *days hf_owned(hf_freep) =
        hf_asprintf("%llu", locked ? (unsigned long long)plan->bucket->retention_days : 0ull);
    struct filling filling = { .bucket = plan->bucket->name,
                               .days = days,
                               .word = roles[role].word,
                               .names = given->roles[role].arns,
                               .name_count = given->roles[role].count };
    size_t count = 1;
    if (role == HF_ROLE_WRITER && given->writer_prefix)
        prefixes[0] = given->writer_prefix;
    else if (role == HF_ROLE_WRITER)
        count = prefixes_of(config, plan->bucket, given->host, prefixes);
    json_t *policy = json_pack("{s:s, s:[]}", "Version",
                               hf_doc_text_or(document, "Version", "2012-10-17"), "Statement");
    for (size_t i = 0; i < count; i++) {
        filling.prefix = prefixes[i];
        add_statements(policy, document, &filling, role == HF_ROLE_WRITER);
    }
    plan->documents[HF_PART_POLICY + role] = policy;
}

enum hf_status
policies_plan(const struct hf_config *config, const struct hf_bucket_given *given,
              struct hf_bucket_plan *plan, struct hf_error *err)
{
    const struct hf_config_store *store = hf_config_store(config, plan->bucket->store);
    for (enum hf_bucket_role role = 0; role < HF_ROLE_COUNT; role++) {
        const char *file = role == HF_ROLE_WRITER && store->confirm == HF_CONFIRM_PUT
                               ? "bucket-policy-put.json"
                               : roles[role].file;
        hf_owned(hf_doc_freep) json_t *document = NULL;
        enum hf_status status = read_optional(plan->folder, file, &document, err);
        if (status != HF_OK)
            return status;
        if (document && !json_is_array(json_object_get(document, "Statement")))
            return hf_fail(err, HF_ECONFIG, "'%s/%s' has no list of statements", plan->folder,
                           file);
        bool named = given->roles[role].count > 0;
        plan->roles_unnamed[role] = document && !named;
        plan->roles_unknown[role] = !document && named;
        if (document && named)
            fill_role(config, given, plan, role, document);
    }
    return HF_OK;
}

/* ---- beside what others have put there ---- */

/* The statements of `policy` that have, or have not, a Sid of `named`. */
static json_t *
statements(const json_t *policy, const json_t *named, bool with_sid)
{
    json_t *chosen = json_array(), *statement, *other;
    size_t i, j;
    json_array_foreach(json_object_get(policy, "Statement"), i, statement)
    {
        const char *sid = hf_doc_text_or(statement, "Sid", NULL);
        bool found = false;
        json_array_foreach(json_object_get(named, "Statement"), j, other) found =
            found || (sid && strcmp(sid, hf_doc_text_or(other, "Sid", "")) == 0);
        if (found == with_sid)
            json_array_append(chosen, statement);
    }
    return chosen;
}

json_t *
policy_merge(const json_t *present, const json_t *wanted)
{
    json_t *merged = json_deep_copy(wanted);
    json_t *others = statements(present, wanted, false);
    json_array_extend(json_object_get(merged, "Statement"), others);
    json_decref(others);
    return merged;
}

json_t *
policy_own(const json_t *present, const json_t *wanted)
{
    json_t *own = json_object();
    hf_doc_set_text(own, "Version", hf_doc_text_or(present, "Version", ""));
    hf_doc_set(own, "Statement", statements(present, wanted, true));
    return own;
}
