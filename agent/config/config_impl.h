/* config_impl: what the files of this folder share.
 *
 *   option   the table of options.def, as rows to look up
 *   node     the YAML file as a small tree that knows its lines; libyaml is behind it
 *   value    one typed field: from a text, copied, compared, cleared
 *   section  the same for all fields of an entry
 *   store_url what a store is, by the scheme of its url
 *   read     tree into structs, by the table
 *   check    what the table cannot say: names that exist, values that fit each other
 *   rule     which characters a name may have (rule.h)
 */
#ifndef HOLDFAST_CONFIG_IMPL_H
#define HOLDFAST_CONFIG_IMPL_H

#include <holdfast/config.h>

#define HF_CONFIG_BYTES_MAX (1024 * 1024)
#define HF_CONFIG_DEPTH_MAX 8     /* trails, entry, group, list: the deepest real file has 4 */
#define HF_CONFIG_ITEMS_MAX 256   /* of one list or mapping */
#define HF_CONFIG_NODES_MAX 65536 /* of one file */
#define HF_REASON_SIZE      400

/* ---- option ---- */

enum hf_section_id {
    HF_SECTION_agent,
    HF_SECTION_store,
    HF_SECTION_source,
    HF_SECTION_bucket,
    HF_SECTION_trail,
    HF_SECTION_COUNT,
};

struct hf_section {
    const char *key;   /* at the top of the file */
    const char *about; /* for the reference and the sample */
    size_t size;       /* of one entry's struct */
    bool is_list;
    size_t items_offset; /* in struct hf_config: the entries ... */
    size_t count_offset; /* ... and how many */
};
extern const struct hf_section hf_sections[HF_SECTION_COUNT];

enum hf_option_type {
    HF_OPTION_STRING,
    HF_OPTION_PATH,
    HF_OPTION_U64,
    HF_OPTION_SIZE,
    HF_OPTION_SECONDS,
    HF_OPTION_BOOL,
    HF_OPTION_ENUM,
    HF_OPTION_STRINGS,
    HF_OPTION_PATHS,
};

enum hf_option_change { HF_CHANGE_ANEW, HF_CHANGE_KEEP };

struct hf_option {
    enum hf_section_id section;
    const char *key;
    enum hf_option_type type;
    const char *field; /* its member's name ... */
    size_t offset;     /* ... and place in the entry's struct */
    bool required;
    const char *preset; /* the default as it would be written, or NULL */
    const char *least;
    const char *most;
    enum hf_option_change change;
    const char *help;
};
extern const struct hf_option hf_options[];
extern const size_t hf_option_count;

bool hf_option_is_list(const struct hf_option *option);
/* "window" of "window.seconds", empty without a dot; and "seconds". */
struct hf_slice hf_option_group(const struct hf_option *option);
const char *hf_option_leaf(const struct hf_option *option);
/* The option `leaf` in `group` ("" for none), or NULL. A dotted `leaf` finds nothing. */
const struct hf_option *hf_option_find(enum hf_section_id section, const char *group,
                                       const char *leaf);
/* The first option of a group; NULL when the section has no such group. */
const struct hf_option *hf_option_group_first(enum hf_section_id section, const char *group);
/* That a plain word may stand for the whole group: its first key is mode or type. */
bool hf_option_group_takes_word(const struct hf_option *first);
/* What may be written at this level, in the table's order. */
#define HF_OPTION_NAMES_MAX 32
size_t hf_option_names(enum hf_section_id section, const char *group,
                       struct hf_slice ret_names[HF_OPTION_NAMES_MAX]);
/* ENUM: the allowed words. */
#define HF_OPTION_WORDS_MAX 16
size_t hf_option_words(const struct hf_option *option,
                       struct hf_slice ret_words[HF_OPTION_WORDS_MAX]);
/* "a, b, c", cut off where it does not fit. */
void hf_names_text(const struct hf_slice *names, size_t count, char *ret_text, size_t size);

/* ---- node ---- */

enum hf_node_kind { HF_NODE_SCALAR, HF_NODE_LIST, HF_NODE_MAP };

struct hf_node {
    enum hf_node_kind kind;
    bool plain; /* SCALAR: written without quotes */
    int line;
    const char *file; /* for messages; borrowed from the caller of hf_node_parse() */
    char *key;        /* in a mapping */
    size_t index;     /* in a list */
    char *text;       /* SCALAR; no NUL and no control character inside */
    size_t count;     /* of children */
    struct hf_node *parent;
    struct hf_node *first, *last, *next;
};

/* The one document of `text`, bounded in size, depth and counts; no anchors, aliases, tags or keys
 * written twice. The tree is NULL when the file holds nothing but comments. */
enum hf_status hf_node_parse(struct hf_slice text, const char *file, struct hf_node **ret_root,
                             struct hf_error *err) hf_must_check;
void hf_node_free(struct hf_node *node);
void hf_node_freep(struct hf_node **node);
/* The value written for `key` ("window.seconds") in an entry's mapping, or NULL. A word that stands
 * for its group is the value of the group's first key. */
const struct hf_node *hf_node_at(enum hf_section_id section, const struct hf_node *entry,
                                 const char *key);
const struct hf_node *hf_node_child(const struct hf_node *map, const char *key);
const struct hf_node *hf_node_item(const struct hf_node *list, size_t index);
/* Nothing was written there: an empty plain scalar, ~ or null. */
bool hf_node_is_null(const struct hf_node *node);
/* "FILE:LINE: trails[0].window.seconds: reason"; `member` (or NULL) is something that is missing in
 * the node. */
enum hf_status hf_node_fail(struct hf_error *err, const struct hf_node *node, const char *member,
                            const char *format, ...) hf_printf(4, 5);
/* Foreign text for a message: short, one line, printable. */
void hf_show(const char *text, char *ret_text, size_t size);
#define HF_SHOWN_SIZE 72

/* ---- value ---- */

/* false with a reason when the text is not what the option takes. Lists get one more item. Relative
 * paths are taken from `folder`. */
bool hf_value_set(const struct hf_option *option, void *entry, const char *text, bool plain,
                  const char *folder, char ret_reason[HF_REASON_SIZE]);
void hf_value_preset(const struct hf_option *option, void *entry);
void hf_value_clear(const struct hf_option *option, void *entry);
/* Makes what the field of `copy` holds, which is not freed first, its own. */
void hf_value_copy(const struct hf_option *option, const void *entry, void *copy);
bool hf_value_same(const struct hf_option *option, const void *a, const void *b);
/* The absolute form of `path`; NULL when it would be too long. */
char *hf_path_absolute(const char *folder, const char *path);

/* ---- section ---- */

void hf_section_clear(enum hf_section_id section, void *entry);

/* ---- read, check ---- */

enum hf_status hf_config_read(const struct hf_node *root, struct hf_config *config,
                              struct hf_error *err) hf_must_check;
enum hf_status hf_config_check(const struct hf_node *root, const struct hf_config *config,
                               struct hf_error *err) hf_must_check;

/* One entry under check: the struct's node, for lines and for what was written. */
struct hf_checked {
    enum hf_section_id section;
    const struct hf_node *node;
};
enum hf_status hf_check_fail(struct hf_error *err, struct hf_checked entry, const char *key,
                             const char *format, ...) hf_printf(4, 5);

enum hf_status hf_check_store(struct hf_checked entry, const struct hf_config_store *store,
                              struct hf_error *err) hf_must_check;
enum hf_status hf_check_source(struct hf_checked entry, const struct hf_config *config,
                               const struct hf_config_source *source,
                               struct hf_error *err) hf_must_check;
enum hf_status hf_check_bucket(struct hf_checked entry, const struct hf_config *config,
                               const struct hf_config_bucket *bucket,
                               struct hf_error *err) hf_must_check;
enum hf_status hf_check_trail(struct hf_checked entry, const struct hf_config *config,
                              const struct hf_config_trail *trail,
                              struct hf_error *err) hf_must_check;

#endif
