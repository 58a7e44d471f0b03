/* S3's bucket documents between the AWS CLI's JSON and XML. The two differ in one thing only: how
 * lists are written. The reader takes what a store sends: bounded, elements and text, no DTD and so
 * no entities of its own. Its scalars are all strings. */
#include "cli_impl.h"

#include <string.h>

#define NAMESPACE     "http://s3.amazonaws.com/doc/2006-03-01/"
#define DEPTH_MAX     16
#define NAME_MAX_SIZE 64
#define TEXT_MAX      4096
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

struct reader {
    const char *at, *end;
    size_t elements;
};

static void
skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
}

/* Behind the next `mark`, or false. */
static bool
skip_past(struct reader *r, const char *mark)
{
    const char *found = memmem(r->at, (size_t)(r->end - r->at), mark, strlen(mark));
    if (!found)
        return false;
    r->at = found + strlen(mark);
    return true;
}

static bool
at_text(const struct reader *r, const char *text)
{
    return (size_t)(r->end - r->at) >= strlen(text) && memcmp(r->at, text, strlen(text)) == 0;
}

/* A prefix ("s3:") is left out; attributes are of no interest here. */
static bool
read_tag(struct reader *r, char ret_name[NAME_MAX_SIZE], bool *ret_empty)
{
    size_t size = 0;
    while (r->at < r->end && !strchr(" \t\r\n/>", *r->at)) {
        if (*r->at == ':')
            size = 0;
        else if (size + 1 < NAME_MAX_SIZE)
            ret_name[size++] = *r->at;
        else
            return false;
        r->at++;
    }
    ret_name[size] = '\0';
    char quote = '\0';
    for (; r->at < r->end && (quote || *r->at != '>'); r->at++) {
        if (quote ? *r->at == quote : *r->at == '"' || *r->at == '\'')
            quote = quote ? '\0' : *r->at;
        else if (*r->at == '<' && !quote)
            return false;
    }
    if (r->at == r->end || !name_is_plain(ret_name))
        return false;
    *ret_empty = r->at[-1] == '/';
    r->at++;
    return true;
}

static bool
add_text(struct reader *r, struct hf_buf *text)
{
    static const struct {
        const char *entity;
        char byte;
    } known[] = { { "&amp;", '&' },   { "&lt;", '<' },  { "&gt;", '>' },   { "&quot;", '"' },
                  { "&apos;", '\'' }, { "&#34;", '"' }, { "&#39;", '\'' }, { "&#xA;", '\n' } };
    while (r->at < r->end && *r->at != '<') {
        size_t i = HF_COUNT(known), size = 1;
        char byte = *r->at;
        if (byte == '&') {
            for (i = 0; i < HF_COUNT(known) && !at_text(r, known[i].entity); i++)
                ;
            if (i == HF_COUNT(known))
                return false;
            byte = known[i].byte;
            size = strlen(known[i].entity);
        }
        if (hf_buf_add(text, &byte, 1) != HF_OK)
            return false;
        r->at += size;
    }
    return true;
}

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
put(json_t *object, const char *parent, const char *name, json_t *value)
{
    const struct list *list = list_of_element(parent, name);
    const char *key = !list ? name : list->wrapped ? "" : list->key;
    if (!list) {
        json_object_set_new(object, key, value);
        return;
    }
    json_t *array = json_object_get(object, key);
    if (!json_is_array(array)) {
        array = json_array();
        json_object_set_new(object, key, array);
    }
    json_array_append_new(array, value);
}

static json_t *read_content(struct reader *r, const char *name, size_t depth);

/* One child element, from behind its "<". */
static bool
read_child(struct reader *r, const char *parent, json_t *object, size_t depth)
{
    char name[NAME_MAX_SIZE];
    bool empty;
    if (!read_tag(r, name, &empty) || ++r->elements > ELEMENTS_MAX)
        return false;
    json_t *value = empty ? json_string("") : read_content(r, name, depth + 1);
    if (!value)
        return false;
    put(object, parent, name, value);
    return true;
}

static bool
read_closing(struct reader *r, const char *name)
{
    char closing[NAME_MAX_SIZE];
    bool empty;
    return read_tag(r, closing, &empty) && strcmp(closing, name) == 0;
}

/* Up to and with the closing tag: an object when there were elements, else the text. */
static json_t *
read_content(struct reader *r, const char *name, size_t depth)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(TEXT_MAX);
    json_t *object = json_object(), *value = NULL;
    bool fine = depth <= DEPTH_MAX, closed = false;
    while (fine && !closed && r->at < r->end) {
        if (*r->at != '<') {
            fine = add_text(r, &text);
        } else if (at_text(r, "<!--")) {
            fine = skip_past(r, "-->");
        } else if (at_text(r, "</")) {
            r->at += 2;
            closed = fine = read_closing(r, name);
        } else {
            r->at++;
            fine = !at_text(r, "!") && !at_text(r, "?") && read_child(r, name, object, depth);
        }
    }
    if (fine && closed && json_object_get(object, ""))
        value = json_incref(json_object_get(object, ""));
    else if (fine && closed && json_object_size(object) > 0)
        value = json_incref(object);
    else if (fine && closed)
        value = json_string(hf_buf_text(&text)); /* NULL when it is not UTF-8 */
    json_decref(object);
    return value;
}

/* Behind the outermost element's first tag. */
static bool
read_root(struct reader *r, char ret_name[NAME_MAX_SIZE], bool *ret_empty)
{
    skip_blanks(r);
    if (at_text(r, "<?xml") && !skip_past(r, "?>"))
        return false;
    skip_blanks(r);
    if (r->at == r->end || *r->at != '<')
        return false;
    r->at++;
    return !at_text(r, "!") && read_tag(r, ret_name, ret_empty);
}

bool
xml_root_is(struct hf_slice xml, const char *root)
{
    const char *begin = xml.size ? (const char *)xml.ptr : "";
    struct reader r = { .at = begin, .end = begin + xml.size };
    char name[NAME_MAX_SIZE];
    bool empty;
    return read_root(&r, name, &empty) && strcmp(name, root) == 0;
}

enum hf_status
xml_to_doc(struct hf_slice xml, json_t **ret_doc, struct hf_error *err)
{
    const char *begin = xml.size ? (const char *)xml.ptr : "";
    struct reader r = { .at = begin, .end = begin + xml.size };
    char name[NAME_MAX_SIZE];
    bool empty;
    json_t *doc = NULL;
    if (xml.size <= DOCUMENT_MAX && read_root(&r, name, &empty))
        doc = empty ? json_string("") : read_content(&r, name, 0);
    skip_blanks(&r);
    if (doc && r.at != r.end) {
        json_decref(doc);
        doc = NULL;
    }
    if (!doc)
        return hf_fail(err, HF_EFORMAT, "the store's document is no XML of S3: byte %zu",
                       (size_t)(r.at - begin));
    if (json_is_string(doc)) { /* an empty root */
        json_decref(doc);
        doc = json_object();
    }
    *ret_doc = doc;
    return HF_OK;
}
