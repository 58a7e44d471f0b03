/* Two documents side by side, in plain words. Both become lists of "path = text", in which the
 * order of lists and an element that is empty mean nothing; a rule is named by its ID, a statement
 * by its Sid, a tag by its Key. */
#include "cli_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 20000
#define PATH_SIZE  512

struct leaf {
    char *path, *text;
    bool matched;
};

struct leaves {
    struct leaf *items;
    size_t count;
};

static void
leaves_done(struct leaves *leaves)
{
    for (size_t i = 0; i < leaves->count; i++) {
        free(leaves->items[i].path);
        free(leaves->items[i].text);
    }
    free(leaves->items);
}

static void
add_leaf(struct leaves *leaves, const char *path, char *text)
{
    /* The old and the new place of a rule's prefix; stores answer with either. */
    const char *in_filter = strstr(path, ".Filter.Prefix");
    if (!*text || leaves->count >= LEAVES_MAX) {
        free(text);
        return;
    }
    if (leaves->count % 64 == 0)
        leaves->items = hf_realloc(leaves->items, (leaves->count + 64) * sizeof(*leaves->items));
    char *plain =
        in_filter ? hf_asprintf("%.*s.Prefix", (int)(in_filter - path), path) : hf_strdup(path);
    leaves->items[leaves->count++] = (struct leaf){ .path = plain, .text = text };
}

static const char *
name_of(const json_t *item)
{
    static const char *const keys[] = { "ID", "Sid", "Key" };
    for (size_t i = 0; i < HF_COUNT(keys); i++)
        if (hf_doc_text_or(item, keys[i], NULL))
            return hf_doc_text_or(item, keys[i], NULL);
    return NULL;
}

static char *
scalar_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return hf_strdup(json_string_value(value));
    case JSON_INTEGER: return hf_asprintf("%lld", (long long)json_integer_value(value));
    case JSON_REAL: return hf_asprintf("%g", json_real_value(value));
    case JSON_TRUE: return hf_strdup("true");
    case JSON_FALSE: return hf_strdup("false");
    default: return hf_strdup("");
    }
}

/* The member that names an item stands in the path already. */
static bool
is_name(const json_t *object, const char *path, const json_t *member)
{
    const char *name = name_of(object);
    return name && name == json_string_value(member) && hf_ends_with(path, "'");
}

static void
flatten(struct leaves *leaves, const char *path, const json_t *value)
{
    char below[PATH_SIZE];
    const char *key;
    json_t *member;
    size_t index;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member)
        {
            snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
            if (!is_name(value, path, member))
                flatten(leaves, below, member);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, member)
        {
            const char *name = name_of(member);
            if (name)
                snprintf(below, sizeof(below), "%s '%s'", path, name);
            else if (json_is_object(member))
                snprintf(below, sizeof(below), "%s[%zu]", path, index);
            else
                snprintf(below, sizeof(below), "%s", path); /* a list of words is a set */
            flatten(leaves, below, member);
        }
    } else {
        add_leaf(leaves, path, scalar_text(value));
    }
}

static struct leaf *
find(struct leaves *leaves, const char *path, const char *text)
{
    for (size_t i = 0; i < leaves->count; i++) {
        struct leaf *leaf = &leaves->items[i];
        if (!leaf->matched && strcmp(leaf->path, path) == 0 &&
            (!text || strcmp(leaf->text, text) == 0))
            return leaf;
    }
    return NULL;
}

static void
say(json_t *list, const char *path, bool wanted, char *text)
{
    json_t *doc = json_object();
    json_t *said = json_string(text);
    hf_doc_set_text(doc, "path", path);
    hf_doc_set(doc, "text", said ? said : json_string(path));
    hf_doc_set_bool(doc, "wanted", wanted);
    json_array_append_new(list, doc);
    free(text);
}

json_t *
document_differences(const json_t *present, const json_t *wanted)
{
    struct leaves have = { 0 }, want = { 0 };
    json_t *list = json_array();
    flatten(&have, "", present ? present : json_null());
    flatten(&want, "", wanted ? wanted : json_null());
    for (size_t i = 0; i < want.count; i++) {
        struct leaf *same = find(&have, want.items[i].path, want.items[i].text);
        if (same)
            same->matched = want.items[i].matched = true;
    }
    for (size_t i = 0; i < want.count; i++) {
        const struct leaf *leaf = &want.items[i];
        if (leaf->matched)
            continue;
        struct leaf *other = find(&have, leaf->path, NULL);
        say(list, leaf->path, true,
            other ? hf_asprintf("%s is %s, wanted %s", leaf->path, other->text, leaf->text)
                  : hf_asprintf("%s is not set, wanted %s", leaf->path, leaf->text));
        if (other)
            other->matched = true;
    }
    for (size_t i = 0; i < have.count; i++)
        if (!have.items[i].matched)
            say(list, have.items[i].path, false,
                hf_asprintf("%s is %s, not wanted", have.items[i].path, have.items[i].text));
    leaves_done(&have);
    leaves_done(&want);
    return list;
}
