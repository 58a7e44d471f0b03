/* Two documents side by side. Both become lists of "path = text", in which the
 * order of lists and an element that is empty mean nothing; a rule is named by its ID, a statement
 * by its Sid, a tag by its Key, a move by its storage class. */
#include "bucket_impl.h"

#include <holdfast/json.h>
#include <holdfast/xml.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 20000
#define PATH_SIZE  512
#define NAME_SIZE  256 /* of one item in it: what is behind it is to be seen */

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

/* The old place of a rule's prefix, and the new ones; stores answer with any. A new string. */
static char *
plain_path(const char *path)
{
    static const char *const places[] = { ".Filter.Prefix", ".Filter.And.Prefix" };
    for (size_t i = 0; i < HF_COUNT(places); i++) {
        const char *at = strstr(path, places[i]);
        if (at && at[strlen(places[i])] == '\0')
            return hf_asprintf("%.*s.Prefix", (int)(at - path), path);
    }
    return hf_strdup(path);
}

static void
add_leaf(struct leaves *leaves, const char *path, char *text)
{
    if (!*text || leaves->count >= LEAVES_MAX) {
        free(text);
        return;
    }
    if (leaves->count % 64 == 0)
        leaves->items = hf_realloc(leaves->items, (leaves->count + 64) * sizeof(*leaves->items));
    leaves->items[leaves->count++] = (struct leaf){ .path = plain_path(path), .text = text };
}

static const char *
name_of(const json_t *item)
{
    /* A rule moves to one storage class once: the moves are a set. */
    static const char *const keys[] = { "ID", "Sid", "Key", "StorageClass" };
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

/* `named`: the member that names this item stands in the path already. */
static void flatten(struct leaves *leaves, const char *path, const json_t *value, bool named);

/* Takes the path. What is too long for one is cut, between two characters: it is shown to people
 * and put into JSON. */
static void
flatten_below(struct leaves *leaves, char *path, const json_t *value, bool named)
{
    char below[PATH_SIZE];
    hf_xml_copy_text(below, sizeof(below), path);
    free(path);
    flatten(leaves, below, value, named);
}

static void
flatten_item(struct leaves *leaves, const char *path, const char *name, const json_t *item)
{
    char shown[NAME_SIZE];
    hf_xml_copy_text(shown, sizeof(shown), name);
    flatten_below(leaves, hf_asprintf("%s '%s'", path, shown), item, true);
}

static void
flatten(struct leaves *leaves, const char *path, const json_t *value, bool named)
{
    const char *key;
    json_t *member;
    size_t index;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member)
        {
            if (!named || name_of(value) != json_string_value(member))
                flatten_below(leaves, hf_asprintf("%s%s%s", path, *path ? "." : "", key), member,
                              false);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, member)
        {
            const char *name = name_of(member);
            if (name)
                flatten_item(leaves, path, name, member);
            else if (json_is_object(member))
                flatten_below(leaves, hf_asprintf("%s[%zu]", path, index), member, false);
            else
                flatten(leaves, path, member, false); /* a list of words is a set */
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

/* Takes what is said out of the leaves. */
static void
add(struct hf_differences *list, enum hf_difference_kind kind, struct leaf *found,
    struct leaf *wanted)
{
    if (list->count % 16 == 0)
        list->items = hf_realloc(list->items, (list->count + 16) * sizeof(*list->items));
    list->items[list->count++] = (struct hf_difference){
        .kind = kind,
        .what = wanted ? hf_take(wanted->path) : hf_take(found->path),
        .found = found ? hf_take(found->text) : NULL,
        .wanted = wanted ? hf_take(wanted->text) : NULL,
    };
    if (found)
        found->matched = true;
    if (wanted)
        wanted->matched = true;
}

void
differences_find(const json_t *present, const json_t *wanted,
                 struct hf_differences *ret_differences)
{
    struct leaves have = { 0 }, want = { 0 };
    struct hf_differences list = { .items = NULL };
    flatten(&have, "", present ? present : json_null(), false);
    flatten(&want, "", wanted ? wanted : json_null(), false);
    for (size_t i = 0; i < want.count; i++) {
        struct leaf *same = find(&have, want.items[i].path, want.items[i].text);
        if (same)
            same->matched = want.items[i].matched = true;
    }
    for (size_t i = 0; i < want.count; i++) {
        struct leaf *leaf = &want.items[i];
        if (leaf->matched)
            continue;
        struct leaf *other = find(&have, leaf->path, NULL);
        add(&list, other ? HF_DIFFERENCE_OTHER : HF_DIFFERENCE_UNSET, other, leaf);
    }
    for (size_t i = 0; i < have.count; i++)
        if (!have.items[i].matched)
            add(&list, HF_DIFFERENCE_EXTRA, &have.items[i], NULL);
    leaves_done(&have);
    leaves_done(&want);
    *ret_differences = list;
}

void
differences_done(struct hf_differences *differences)
{
    for (size_t i = 0; i < differences->count; i++) {
        free(differences->items[i].what);
        free(differences->items[i].found);
        free(differences->items[i].wanted);
    }
    free(differences->items);
    *differences = (struct hf_differences){ .items = NULL };
}
