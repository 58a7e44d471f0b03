/* S3's bucket documents between the AWS CLI's JSON and XML. The two differ in one thing only: how
 * lists are written. What a store sends is read by the one walk over XML; elements and text become
 * objects and strings. */
#include "bucket_impl.h"

#include <holdfast/xml.h>
#include <string.h>

#define NAMESPACE     "http://s3.amazonaws.com/doc/2006-03-01/"
#define DEPTH_MAX     16
#define NAME_MAX_SIZE 64
#define ELEMENTS_MAX  20000

/* "Rules": [a, b] under the root is <Rule>a</Rule><Rule>b</Rule>; "TagSet": [a] is
 * <TagSet><Tag>a</Tag></TagSet>. */
static const struct list {
    const char *parent, *key, *element;
    bool wrapped;
} lists[] = {
    { "LifecycleConfiguration", "Rules", "Rule", false },
    { "Rule", "Transitions", "Transition", false },
    { "Rule", "NoncurrentVersionTransitions", "NoncurrentVersionTransition", false },
    { "And", "Tags", "Tag", false },
    { "Tagging", "TagSet", "Tag", true },
    { "ServerSideEncryptionConfiguration", "Rules", "Rule", false },
};

/* ---- writing ---- */

static enum hf_status
add_escaped(struct hf_buf *xml, const char *text)
{
    enum hf_status status = HF_OK;
    for (; status == HF_OK && *text; text++) {
        switch (*text) {
        case '&': status = hf_buf_add_text(xml, "&amp;"); break;
        case '<': status = hf_buf_add_text(xml, "&lt;"); break;
        case '>': status = hf_buf_add_text(xml, "&gt;"); break;
        default:
            status = (unsigned char)*text < 0x20 && *text != '\t' && *text != '\n'
                         ? HF_EFORMAT
                         : hf_buf_add(xml, text, 1);
        }
    }
    return status;
}

static enum hf_status
add_scalar(struct hf_buf *xml, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return add_escaped(xml, json_string_value(value));
    case JSON_INTEGER: return hf_buf_addf(xml, "%lld", (long long)json_integer_value(value));
    case JSON_TRUE: return hf_buf_add_text(xml, "true");
    case JSON_FALSE: return hf_buf_add_text(xml, "false");
    default: return HF_EFORMAT;
    }
}

static const struct list *
list_of(const char *parent, const char *key)
{
    for (size_t i = 0; i < HF_COUNT(lists); i++)
        if (strcmp(lists[i].parent, parent) == 0 && strcmp(lists[i].key, key) == 0)
            return &lists[i];
    return NULL;
}

/* A JSON key becomes an element's name: only what can be one. */
static bool
name_is_plain(const char *name)
{
    return *name && strlen(name) < NAME_MAX_SIZE &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
               strlen(name);
}

static enum hf_status add_element(struct hf_buf *xml, const char *name, const char *attributes,
                                  const json_t *value, size_t depth, struct hf_error *err);

static enum hf_status
add_list(struct hf_buf *xml, const struct list *list, const json_t *values, size_t depth,
         struct hf_error *err)
{
    enum hf_status status = list->wrapped ? hf_buf_addf(xml, "<%s>", list->key) : HF_OK;
    for (size_t i = 0; status == HF_OK && i < json_array_size(values); i++)
        status = add_element(xml, list->element, "", json_array_get(values, i), depth + 1, err);
    if (status == HF_OK && list->wrapped)
        status = hf_buf_addf(xml, "</%s>", list->key);
    return status;
}

static enum hf_status
add_members(struct hf_buf *xml, const char *parent, const json_t *object, size_t depth,
            struct hf_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const struct list *list = json_is_array(value) ? list_of(parent, key) : NULL;
        if (!name_is_plain(key) || (json_is_array(value) && !list))
            return hf_fail(err, HF_ECONFIG, "'%.60s' in '%.60s' is no %s that S3 knows", key,
                           parent, json_is_array(value) ? "list" : "element");
        enum hf_status status = list ? add_list(xml, list, value, depth, err)
                                     : add_element(xml, key, "", value, depth + 1, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

static enum hf_status
add_element(struct hf_buf *xml, const char *name, const char *attributes, const json_t *value,
            size_t depth, struct hf_error *err)
{
    if (depth > DEPTH_MAX)
        return hf_fail(err, HF_ECONFIG, "the document is nested deeper than %d", DEPTH_MAX);
    enum hf_status status = hf_buf_addf(xml, "<%s%s>", name, attributes);
    if (status == HF_OK)
        status = json_is_object(value) ? add_members(xml, name, value, depth, err)
                                       : add_scalar(xml, value);
    if (status == HF_EFORMAT)
        return hf_fail(err, HF_ECONFIG, "the value of '%.60s' is nothing that S3 takes", name);
    if (status == HF_OK)
        status = hf_buf_addf(xml, "</%s>", name);
    return status == HF_ELIMIT
               ? hf_fail(err, HF_ECONFIG, "the document is larger than %zu bytes", xml->max)
               : status;
}

enum hf_status
xml_from_doc(const json_t *doc, const char *root, struct hf_buf *ret_xml, struct hf_error *err)
{
    hf_buf_reset(ret_xml);
    if (!json_is_object(doc))
        return hf_fail(err, HF_ECONFIG, "the document is no JSON object");
    return add_element(ret_xml, root, " xmlns=\"" NAMESPACE "\"", doc, 0, err);
}

/* ---- reading ---- */

struct level {
    char name[NAME_MAX_SIZE];
    json_t *object; /* its elements so far */
};
struct reader {
    struct level levels[DEPTH_MAX]; /* the elements that are open */
    size_t depth, elements;
    char root[NAME_MAX_SIZE];
    json_t *doc; /* the outermost element, once it is closed */
};

static const struct list *
list_of_element(const char *parent, const char *element)
{
    for (size_t i = 0; i < HF_COUNT(lists); i++)
        if (strcmp(lists[i].wrapped ? lists[i].key : lists[i].parent, parent) == 0 &&
            strcmp(lists[i].element, element) == 0)
            return &lists[i];
    return NULL;
}

/* Takes the value. A wrapped list's own object holds its list under "", until its element is
 * closed. */
static void
put(const struct level *parent, const char *name, json_t *value)
{
    const struct list *list = list_of_element(parent->name, name);
    const char *key = !list ? name : list->wrapped ? "" : list->key;
    if (!list) {
        json_object_set_new(parent->object, key, value);
        return;
    }
    json_t *array = json_object_get(parent->object, key);
    if (!json_is_array(array)) {
        array = json_array();
        json_object_set_new(parent->object, key, array);
    }
    json_array_append_new(array, value);
}

static enum hf_status
open_element(struct reader *reader, const char *name, struct hf_error *err)
{
    if (!name_is_plain(name) || ++reader->elements > ELEMENTS_MAX || reader->depth == DEPTH_MAX)
        return hf_fail(err, HF_EFORMAT, "'%.60s' is no element that S3 knows, or one too many",
                       name);
    struct level *level = &reader->levels[reader->depth++];
    *level = (struct level){ .object = json_object() };
    memcpy(level->name, name, strlen(name));
    return HF_OK;
}

/* An object when there were elements, else the text. */
static enum hf_status
close_element(struct reader *reader, const char *text)
{
    struct level *level = &reader->levels[--reader->depth];
    json_t *list = json_object_get(level->object, ""), *value = NULL;
    if (list)
        value = json_incref(list);
    else if (json_object_size(level->object) > 0)
        value = json_incref(level->object);
    else if (reader->depth > 0)
        value = json_string(text);
    else
        value = json_object(); /* nothing is set in it */
    json_decref(level->object);
    hf_assert(value); /* libxml2 gives UTF-8 */
    if (reader->depth > 0) {
        put(level - 1, level->name, value);
        return HF_OK;
    }
    memcpy(reader->root, level->name, sizeof(reader->root));
    reader->doc = value;
    return HF_OK;
}

static enum hf_status
visit(void *context, const char *path, const char *text, struct hf_error *err)
{
    return text ? close_element(context, text) : open_element(context, strrchr(path, '/') + 1, err);
}

enum hf_status
xml_to_doc(struct hf_slice xml, const char *root, json_t **ret_doc, struct hf_error *err)
{
    struct reader reader = { .depth = 0 };
    enum hf_status status =
        xml.size > DOCUMENT_MAX
            ? hf_fail(err, HF_EFORMAT, "it is larger than %u bytes", DOCUMENT_MAX)
            : hf_xml_walk(xml, visit, &reader, err);
    if (status != HF_OK) {
        while (reader.depth > 0)
            json_decref(reader.levels[--reader.depth].object);
        json_decref(reader.doc);
        return hf_while(err, status, "the store's document is no XML of S3");
    }
    if (strcmp(reader.root, root) != 0) {
        json_decref(reader.doc);
        reader.doc = NULL;
    }
    *ret_doc = reader.doc;
    return HF_OK;
}
