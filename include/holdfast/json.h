/* json: the strict scanner of the hot path, and help around jansson for everything else.
 *
 * The scanner accepts exactly RFC 8259 texts whose top value is an object: UTF-8 without overlong
 * forms or surrogates, no NUL or other control character inside strings, at most HF_JSON_DEPTH
 * levels, numbers by the grammar (any size), duplicate keys allowed (as in the RFC; of those that
 * would deceive a reader it says so). It allocates nothing and copies nothing.
 */
#ifndef HOLDFAST_JSON_H
#define HOLDFAST_JSON_H

#include <holdfast/base.h>
#include <jansson.h>

#define HF_JSON_DEPTH 64

/* The top-level members that holdfast picks out: the raw text of the value as it stands in the
 * input, with quotes and escapes for a string; ptr NULL when the member is absent. Keys are
 * compared as what they say, whatever escapes they are written with. The last one wins if it is
 * repeated; but then there is a doubt. */
enum hf_json_member {
    HF_JSON_EVENT_VERSION,
    HF_JSON_USER_IDENTITY,
    HF_JSON_EVENT_TIME,
    HF_JSON_EVENT_SOURCE,
    HF_JSON_EVENT_NAME,
    HF_JSON_AWS_REGION,
    HF_JSON_SOURCE_IP_ADDRESS,
    HF_JSON_REQUEST_PARAMETERS,
    HF_JSON_RESPONSE_ELEMENTS,
    HF_JSON_EVENT_ID,
    HF_JSON_EVENT_TYPE,
    HF_JSON_RECIPIENT_ACCOUNT_ID,
    HF_JSON_EVENT_CATEGORY,
    HF_JSON_MEMBERS
};
extern const char *const hf_json_member_names[HF_JSON_MEMBERS]; /* "eventVersion", ... */

struct hf_json_scan {
    struct hf_slice member[HF_JSON_MEMBERS];
    struct hf_slice text; /* the object without white space around it */
    bool empty;           /* {} */
    uint64_t names;       /* of CloudTrail's members, which stand there; the scanner's own */
    /* Valid, but a reader may see another event in it than we do, or another one than the next
     * reader: a top-level key is "holdfast", one of CloudTrail's members stands twice, or one of
     * those above stands in another case; all of it in any case and with any escapes. Static text;
     * NULL: none. */
    const char *doubt;
    /* why it is not valid: "invalid UTF-8", "nested too deep", ...; static text */
    const char *reason;
    size_t where; /* and at which byte */
};

/* true: valid, and ret_scan points into `text`. */
bool hf_json_scan(struct hf_slice text, struct hf_json_scan *ret_scan);
bool hf_json_is_string(struct hf_slice value); /* a raw value that is a string */
/* A raw string that says "holdfast" or ends with ".holdfast", in any case and with any escapes. */
bool hf_json_names_holdfast(struct hf_slice string);
/* What a raw string says, when it is ASCII without control characters and fits with a NUL. */
bool hf_json_ascii(struct hf_slice string, char *ret_text, size_t size);
bool hf_utf8_valid(struct hf_slice text); /* strict, NUL allowed */

/* Adds `text` as a JSON string with its quotes. `text` must be valid UTF-8 without NUL. */
enum hf_status hf_json_add_string(struct hf_buf *buf, struct hf_slice text) hf_must_check;

/* ---- without a tree: item after item of what the scanner has found valid ---- */

/* Values are raw, as in a scan. Nothing is allocated, and no call calls itself. */
struct hf_json_items { /* private */
    const uint8_t *at, *end;
    bool has_keys;
};
/* `opening` is '{' or '['; false: the value is nothing of the kind. */
bool hf_json_items_begin(struct hf_slice value, char opening, struct hf_json_items *ret_items);
/* false: there are no more. The key is raw, too; of an array's items it is NULL. */
bool hf_json_items_next(struct hf_json_items *items, struct hf_slice *ret_key,
                        struct hf_slice *ret_value);
/* What a string stands for. false: it is none, has a NUL, or does not fit into `size` bytes. */
bool hf_json_decode(struct hf_slice string, char *ret_text, size_t size);
/* The members of these names, NULL where there is none; keys are compared decoded. false: it is no
 * object (*ret_twice is NULL), or one of them stands there twice (*ret_twice is its name). */
bool hf_json_pick(struct hf_slice object, const char *const *names, size_t count,
                  struct hf_slice *ret_values, const char **ret_twice);

/* ---- jansson: bounded parsing with an error to read, and typed access ---- */

/* Rejects duplicate keys. `what` is named in messages. The caller frees with json_decref(). */
enum hf_status hf_doc_parse(struct hf_slice text, size_t max, const char *what, json_t **ret_doc,
                            struct hf_error *err) hf_must_check;
void hf_doc_freep(json_t **doc); /* for hf_owned() */
enum hf_status hf_doc_dump(const json_t *doc, struct hf_buf *ret_text)
    hf_must_check; /* compact, keys in insertion order */
enum hf_status hf_doc_dump_pretty(const json_t *doc, struct hf_buf *ret_text) hf_must_check;
/* HF_EFORMAT naming the key when it is absent or of another type. Texts live as long as the
 * document. */
enum hf_status hf_doc_text(const json_t *doc, const char *key, const char **ret_text,
                           struct hf_error *err) hf_must_check;
enum hf_status hf_doc_u64(const json_t *doc, const char *key, uint64_t *ret_value,
                          struct hf_error *err) hf_must_check;
enum hf_status hf_doc_bool(const json_t *doc, const char *key, bool *ret_value,
                           struct hf_error *err) hf_must_check;
enum hf_status hf_doc_array(const json_t *doc, const char *key, json_t **ret_borrowed,
                            struct hf_error *err) hf_must_check;
/* Of documents of anyone's making. `optional`: absent and null leave `*ret_x` as it is. */
/* A copy of at most `max` bytes, without control characters; the caller's. */
enum hf_status hf_doc_take_text(const json_t *doc, const char *key, bool optional, size_t max,
                                char **ret_text, struct hf_error *err) hf_must_check;
/* Into `size` bytes, whole and with its NUL; any character but NUL. */
enum hf_status hf_doc_copy_text(const json_t *doc, const char *key, char *ret_text, size_t size,
                                struct hf_error *err) hf_must_check;
/* RFC 3339. */
enum hf_status hf_doc_time(const json_t *doc, const char *key, bool optional, int64_t *ret_seconds,
                           struct hf_error *err) hf_must_check;
/* The one text that it may be. */
enum hf_status hf_doc_word(const json_t *doc, const char *key, const char *wanted,
                           struct hf_error *err) hf_must_check;
const char *hf_doc_text_or(const json_t *doc, const char *key,
                           const char *fallback); /* also for null */
uint64_t hf_doc_u64_or(const json_t *doc, const char *key, uint64_t fallback);
/* json_object_set_new() that asserts; NULL text sets null. */
void hf_doc_set_text(json_t *doc, const char *key, const char *text);
void hf_doc_set_u64(json_t *doc, const char *key, uint64_t value);
/* An object of counts by the names of HF_STATUS_TABLE; those that are 0 are left out. The
 * caller's. */
json_t *hf_doc_status_counts(const uint64_t counts[HF_STATUS_COUNT]);
void hf_doc_set_bool(json_t *doc, const char *key, bool value);
void hf_doc_set(json_t *doc, const char *key, json_t *value); /* takes the reference */

#endif
