/* A YAML file as a tree. libyaml reads it event by event, so that each bound holds before memory is
 * spent: the file is foreign until it has been read. What makes YAML surprising (anchors, aliases,
 * tags, merge keys, several documents) is refused; no option needs it.
 *
 * Not libcyaml, which fills structs by a schema: that would be a second list of all options beside
 * options.def, whose one table gives messages with the line, ranges, suggestions, the sample and
 * the reference as well. */
#include "config_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
    yaml_parser_t yaml;
    struct hf_slice text;
    const char *file;
    struct hf_node *root;
    struct hf_node *open; /* the innermost list or mapping, NULL outside of any */
    char *key;            /* read in `open`; its value comes next */
    int key_line;
    int depth;
    size_t node_count;
};

static int
event_line(const yaml_event_t *event)
{
    return (int)event->start_mark.line + 1; /* at most 1 Mi lines */
}

/* Puts a node where the event stands, so that messages about it can say where that is. */
static struct hf_node *
add_node(struct builder *builder, enum hf_node_kind kind, const yaml_event_t *event)
{
    struct hf_node *node = hf_alloc(sizeof(*node));
    struct hf_node *parent = builder->open;
    node->kind = kind;
    node->file = builder->file;
    node->line = builder->key ? builder->key_line : event_line(event);
    node->key = hf_take(builder->key);
    node->parent = parent;
    builder->node_count++;
    if (!parent) {
        builder->root = node;
        return node;
    }
    node->index = parent->count++;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static enum hf_status
check_node(const struct builder *builder, const struct hf_node *node, struct hf_error *err)
{
    const struct hf_node *parent = node->parent;
    if (builder->node_count > HF_CONFIG_NODES_MAX)
        return hf_node_fail(err, node, NULL, "the file has more than %d values",
                            HF_CONFIG_NODES_MAX);
    if (builder->depth > HF_CONFIG_DEPTH_MAX)
        return hf_node_fail(err, node, NULL, "nested more than %d deep", HF_CONFIG_DEPTH_MAX);
    if (!parent)
        return HF_OK;
    if (parent->count > HF_CONFIG_ITEMS_MAX)
        return hf_node_fail(err, node, NULL, "one too many; at most %d can stand here",
                            HF_CONFIG_ITEMS_MAX);
    if (parent->kind == HF_NODE_MAP) {
        const struct hf_node *same = hf_node_child(parent, node->key);
        if (same && same != node)
            return hf_node_fail(err, node, NULL, "written twice; the first is in line %d",
                                same->line);
    }
    return HF_OK;
}

static bool
is_key_next(const struct builder *builder)
{
    return builder->open && builder->open->kind == HF_NODE_MAP && !builder->key;
}

/* Control characters have no business in names and paths, and NUL would end a text early. */
static bool
is_clean_text(const yaml_char_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static enum hf_status
take_scalar(struct builder *builder, const yaml_event_t *event, struct hf_error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    bool clean = is_clean_text(event->data.scalar.value, size);
    bool odd = event->data.scalar.anchor || event->data.scalar.tag;
    if (is_key_next(builder)) {
        builder->key = hf_strndup(text, size);
        builder->key_line = event_line(event);
        if (clean && !odd)
            return HF_OK;
    }
    struct hf_node *node = add_node(builder, HF_NODE_SCALAR, event);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (odd)
        return hf_node_fail(err, node, NULL,
                            "anchors (&) and tags (!) are not understood; write the value itself");
    if (!clean)
        return hf_node_fail(err, node, NULL,
                            "a control character in the text; write it on one line without tabs");
    node->text = hf_strndup(text, size);
    return check_node(builder, node, err);
}

static enum hf_status
take_start(struct builder *builder, enum hf_node_kind kind, const yaml_event_t *event,
           struct hf_error *err)
{
    bool odd = kind == HF_NODE_LIST
                   ? event->data.sequence_start.anchor || event->data.sequence_start.tag
                   : event->data.mapping_start.anchor || event->data.mapping_start.tag;
    if (is_key_next(builder))
        return hf_node_fail(err, builder->open, NULL,
                            "a key is a list or a mapping; it has to be a single word");
    struct hf_node *node = add_node(builder, kind, event);
    builder->depth++;
    if (odd)
        return hf_node_fail(err, node, NULL,
                            "anchors (&) and tags (!) are not understood; write the value itself");
    builder->open = node;
    return check_node(builder, node, err);
}

static enum hf_status
take_event(struct builder *builder, const yaml_event_t *event, struct hf_error *err)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return HF_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (!builder->root)
            return HF_OK;
        return hf_fail(err, HF_ECONFIG,
                       "%s:%d: a second document begins here; a configuration is one document",
                       builder->file, event_line(event));
    case YAML_ALIAS_EVENT:
        return hf_node_fail(err, add_node(builder, HF_NODE_SCALAR, event), NULL,
                            "aliases (*) are not understood; write the value itself");
    case YAML_SCALAR_EVENT: return take_scalar(builder, event, err);
    case YAML_SEQUENCE_START_EVENT: return take_start(builder, HF_NODE_LIST, event, err);
    case YAML_MAPPING_START_EVENT: return take_start(builder, HF_NODE_MAP, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->open = builder->open->parent;
        builder->depth--;
        return HF_OK;
    }
    return HF_OK;
}

static enum hf_status
fail_yaml(const struct builder *builder, struct hf_error *err)
{
    const yaml_parser_t *yaml = &builder->yaml;
    size_t line = yaml->problem_mark.line + 1;
    if (yaml->error == YAML_MEMORY_ERROR)
        return hf_fail(err, HF_ENOMEM, "%s: no memory to read it", builder->file);
    if (yaml->error == YAML_READER_ERROR) {
        /* The reader knows an offset only. */
        line = 1;
        for (size_t i = 0; i < builder->text.size && i < yaml->problem_offset; i++)
            line += builder->text.ptr[i] == '\n';
    }
    return hf_fail(err, HF_ECONFIG, "%s:%zu: not YAML: %s%s%s", builder->file, line,
                   yaml->problem ? yaml->problem : "it cannot be read", yaml->context ? " " : "",
                   yaml->context ? yaml->context : "");
}

static enum hf_status
build(struct builder *builder, struct hf_error *err)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&builder->yaml, &event))
            return fail_yaml(builder, err);
        ended = event.type == YAML_STREAM_END_EVENT;
        enum hf_status status = take_event(builder, &event, err);
        yaml_event_delete(&event);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

enum hf_status
hf_node_parse(struct hf_slice text, const char *file, struct hf_node **ret_root,
              struct hf_error *err)
{
    if (text.size > HF_CONFIG_BYTES_MAX)
        return hf_fail(err, HF_ECONFIG, "%s: larger than %d bytes; a configuration is smaller",
                       file, HF_CONFIG_BYTES_MAX);
    struct builder builder = { .text = text, .file = file };
    if (!yaml_parser_initialize(&builder.yaml))
        return hf_fail(err, HF_ENOMEM, "%s: no memory to read it", file);
    yaml_parser_set_encoding(&builder.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.yaml, text.ptr, text.size);
    enum hf_status status = build(&builder, err);
    yaml_parser_delete(&builder.yaml);
    free(builder.key);
    if (status != HF_OK) {
        hf_node_free(builder.root);
        return status;
    }
    *ret_root = builder.root;
    return HF_OK;
}

/* As deep as check_node() let the tree become. */
void
hf_node_free(struct hf_node *node)
{
    if (!node)
        return;
    for (struct hf_node *child = node->first, *next; child; child = next) {
        next = child->next;
        hf_node_free(child);
    }
    free(node->key);
    free(node->text);
    free(node);
}

void
hf_node_freep(struct hf_node **node)
{
    hf_node_free(*node);
    *node = NULL;
}

const struct hf_node *
hf_node_child(const struct hf_node *map, const char *key)
{
    for (const struct hf_node *child = map->first; child; child = child->next)
        if (child->key && strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

const struct hf_node *
hf_node_item(const struct hf_node *list, size_t index)
{
    const struct hf_node *child = list->first;
    while (child && index-- > 0)
        child = child->next;
    return child;
}

const struct hf_node *
hf_node_at(enum hf_section_id section, const struct hf_node *entry, const char *key)
{
    const char *dot = strchr(key, '.');
    if (!dot)
        return hf_node_child(entry, key);
    char group[64];
    snprintf(group, sizeof(group), "%.*s", (int)(dot - key), key);
    const struct hf_node *node = hf_node_child(entry, group);
    if (!node || node->kind == HF_NODE_MAP)
        return node ? hf_node_child(node, dot + 1) : NULL;
    const struct hf_option *first = hf_option_group_first(section, group);
    return first && strcmp(first->key, key) == 0 ? node : NULL;
}

bool
hf_node_is_null(const struct hf_node *node)
{
    return node->kind == HF_NODE_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}
