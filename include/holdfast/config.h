/* config: the configuration file, as typed structs made from agent/config/options.def.
 *
 * The file is YAML, parsed strictly: an unknown key, a wrong type or a value out of range is
 * HF_ECONFIG with file, line, key and what was expected. PATH values are made absolute against the
 * file's folder.
 */
#ifndef HOLDFAST_CONFIG_H
#define HOLDFAST_CONFIG_H

#include <holdfast/base.h>
#include <stdatomic.h>

/* Enumerations, in the order of the words in options.def. UNSET stands where an optional ENUM
 * was not written. */
#define HF_UNSET (-1)
enum { HF_ADDRESSING_PATH, HF_ADDRESSING_VIRTUAL };
enum { HF_CONFIRM_HEAD, HF_CONFIRM_PUT };
enum { HF_CHECKSUM_MD5, HF_CHECKSUM_SHA256 };
enum { HF_WORM_ADVISORY, HF_WORM_FILER };
/* What a store is: follows from the scheme of its url. */
enum hf_store_kind { HF_STORE_S3, HF_STORE_DIR };
enum { HF_SOURCE_FILE, HF_SOURCE_SOCKET, HF_SOURCE_STDIN };
enum { HF_START_END, HF_START_BEGINNING };
enum { HF_PROVENANCE_FULL, HF_PROVENANCE_NONE };
enum { HF_BLANK_LINES_KEEP, HF_BLANK_LINES_DROP };
enum { HF_LOCK_NONE, HF_LOCK_GOVERNANCE, HF_LOCK_COMPLIANCE };
enum { HF_ENCRYPT_NONE, HF_ENCRYPT_SSE_S3, HF_ENCRYPT_SSE_KMS, HF_ENCRYPT_SSE_C, HF_ENCRYPT_CMS };
enum { HF_COMPRESSION_LEVEL_AUTO }; /* the others are libdeflate's levels, 1 to 12 */
enum { HF_TRAIL_START_END, HF_TRAIL_START_OLDEST };

#define HF_FIELD_STRING(field)  char *field;
#define HF_FIELD_PATH(field)    char *field;
#define HF_FIELD_U64(field)     uint64_t field;
#define HF_FIELD_SIZE(field)    uint64_t field;
#define HF_FIELD_SECONDS(field) uint64_t field;
#define HF_FIELD_BOOL(field)    bool field;
#define HF_FIELD_ENUM(field)    int field;
#define HF_FIELD_STRINGS(field) struct hf_strings field;
#define HF_FIELD_PATHS(field)   struct hf_strings field;

/* One struct per section of options.def; `line` is where the entry begins in the file, for
 * messages. */

struct hf_config_agent {
    int line;
#define OPTION(section, key, field, type, ...) HF_IN_##section(type, field)
#define HF_IN_agent(type, field)               HF_FIELD_##type(field)
#define HF_IN_store(type, field)
#define HF_IN_source(type, field)
#define HF_IN_bucket(type, field)
#define HF_IN_trail(type, field)
#include "agent/config/options.def"
#undef OPTION
#undef HF_IN_agent
#undef HF_IN_store
#undef HF_IN_source
#undef HF_IN_bucket
#undef HF_IN_trail
};

struct hf_config_store {
    int line;
    /* from the url: hf_config_store_derive() */
    enum hf_store_kind kind;
    bool tls;
#define OPTION(section, key, field, type, ...) HF_IN_##section(type, field)
#define HF_IN_agent(type, field)
#define HF_IN_store(type, field) HF_FIELD_##type(field)
#define HF_IN_source(type, field)
#define HF_IN_bucket(type, field)
#define HF_IN_trail(type, field)
#include "agent/config/options.def"
#undef OPTION
#undef HF_IN_agent
#undef HF_IN_store
#undef HF_IN_source
#undef HF_IN_bucket
#undef HF_IN_trail
};

struct hf_config_source {
    int line;
#define OPTION(section, key, field, type, ...) HF_IN_##section(type, field)
#define HF_IN_agent(type, field)
#define HF_IN_store(type, field)
#define HF_IN_source(type, field) HF_FIELD_##type(field)
#define HF_IN_bucket(type, field)
#define HF_IN_trail(type, field)
#include "agent/config/options.def"
#undef OPTION
#undef HF_IN_agent
#undef HF_IN_store
#undef HF_IN_source
#undef HF_IN_bucket
#undef HF_IN_trail
};

struct hf_config_bucket {
    int line;
#define OPTION(section, key, field, type, ...) HF_IN_##section(type, field)
#define HF_IN_agent(type, field)
#define HF_IN_store(type, field)
#define HF_IN_source(type, field)
#define HF_IN_bucket(type, field) HF_FIELD_##type(field)
#define HF_IN_trail(type, field)
#include "agent/config/options.def"
#undef OPTION
#undef HF_IN_agent
#undef HF_IN_store
#undef HF_IN_source
#undef HF_IN_bucket
#undef HF_IN_trail
};

struct hf_config_trail {
    int line;
#define OPTION(section, key, field, type, ...) HF_IN_##section(type, field)
#define HF_IN_agent(type, field)
#define HF_IN_store(type, field)
#define HF_IN_source(type, field)
#define HF_IN_bucket(type, field)
#define HF_IN_trail(type, field) HF_FIELD_##type(field)
#include "agent/config/options.def"
#undef OPTION
#undef HF_IN_agent
#undef HF_IN_store
#undef HF_IN_source
#undef HF_IN_bucket
#undef HF_IN_trail
};

struct hf_config {
    atomic_uint references;
    char *path; /* of the file, absolute */
    struct hf_config_agent agent;
    struct hf_config_store *stores;
    size_t store_count;
    struct hf_config_source *sources;
    size_t source_count;
    struct hf_config_bucket *buckets;
    size_t bucket_count;
    struct hf_config_trail *trails;
    size_t trail_count;
};

/* Reads and checks the file (at most 1 MiB): types, ranges, names that refer to each other, a
 * bucket without retention, a trail without encryption, a trail that asks for a shorter
 * retention than its bucket, sse-c over plain HTTP, names that break CloudTrail's rule. What
 * lies in other files (keys, certificates, credentials) is not opened here. */
enum hf_status hf_config_load(const char *path, struct hf_config **ret_config,
                              struct hf_error *err) hf_must_check;
/* The same from memory; `path` is only named in messages and for relative paths. */
enum hf_status hf_config_parse(struct hf_slice text, const char *path,
                               struct hf_config **ret_config, struct hf_error *err) hf_must_check;
/* Nothing changes in a configuration once it is loaded, and threads may share it: each holds a
 * reference, and with the last one it is freed. Loading gives the first. */
struct hf_config *hf_config_ref(struct hf_config *config);
void hf_config_unref(struct hf_config *config);
/* Gives back a reference that is known to be the only one: of who loads, looks and is done. */
void hf_config_free(struct hf_config *config);
void hf_config_freep(struct hf_config **config);

/* One entry by itself, all of it made from options.def:
 *
 *   copy      everything it holds is its own: done() frees it, and the configuration may go before
 *   done      frees what is in it, not the struct
 *   changed   the key of the first option that differs and whose change means that what was begun
 *             with the entry has to begin anew (the column `change` of options.def); NULL: none
 *   same      there is none
 */
#define HF_CONFIG_SECTION(name)                                                                    \
    void hf_config_##name##_copy(const struct hf_config_##name *entry,                             \
                                 struct hf_config_##name *ret_copy);                               \
    void hf_config_##name##_done(struct hf_config_##name *entry);                                  \
    const char *hf_config_##name##_changed(const struct hf_config_##name *a,                       \
                                           const struct hf_config_##name *b);                      \
    bool hf_config_##name##_same(const struct hf_config_##name *a, const struct hf_config_##name *b)
HF_CONFIG_SECTION(agent);
HF_CONFIG_SECTION(store);
HF_CONFIG_SECTION(source);
HF_CONFIG_SECTION(bucket);
HF_CONFIG_SECTION(trail);
#undef HF_CONFIG_SECTION

/* Sets each option of the trail in `doc`, a JSON object, under its member's name: numbers and
 * enumerations as numbers, what is unset as null. */
struct json_t;
void hf_config_trail_tell(const struct hf_config_trail *trail, struct json_t *doc);

/* NULL when there is none of that name. */
const struct hf_config_store *hf_config_store(const struct hf_config *config, const char *name);
const struct hf_config_source *hf_config_source(const struct hf_config *config, const char *name);
const struct hf_config_bucket *hf_config_bucket(const struct hf_config *config, const char *name);
const struct hf_config_trail *hf_config_trail(const struct hf_config *config, const char *name);

/* Sets what follows from the url. Loading does it for each store; who makes an entry by hand calls
 * it when `url` is set. A scheme that is none of https, http and dir makes an S3 store, whose
 * client refuses the url. */
void hf_config_store_derive(struct hf_config_store *store);
/* The url behind its scheme: HOST[:PORT] of an S3 store, the directory of a dir store. NULL: the
 * scheme is none of these. */
const char *hf_config_store_place(const struct hf_config_store *store);

/* What a trail asks of each object: the longer of the bucket's and its own. */
int hf_config_lock_mode(const struct hf_config *config, const struct hf_config_trail *trail);
uint64_t hf_config_lock_days(const struct hf_config *config, const struct hf_config_trail *trail);

const char *hf_lock_mode_text(int mode);  /* "NONE", "GOVERNANCE", "COMPLIANCE" */
int hf_lock_mode_parse(const char *text); /* upper case as in S3 headers; HF_UNSET when unknown */
const char *hf_encryption_text(int encryption); /* "none", "sse-s3", ... */

/* CloudTrail's rule for trail names, and no "_REGION_" look-alike: 3-128 of [A-Za-z0-9._-],
 * begins and ends with a letter or digit, no two of . _ - adjacent, not an IPv4 address, no '_'
 * + region + '_'. */
enum hf_status hf_trail_name_check(const char *name, const char *region,
                                   struct hf_error *err) hf_must_check;

/* ADDR:PORT or [ADDR]:PORT; "localhost" is 127.0.0.1. */
#define HF_LISTEN_SIZE 64
bool hf_listen_parse(const char *text, char ret_address[HF_LISTEN_SIZE], uint16_t *ret_port);
bool hf_is_loopback(const char *address);

/* agent/config/OPTIONS.md, and a commented sample file, from the table. */
enum hf_status hf_config_reference(struct hf_buf *ret_markdown) hf_must_check;
enum hf_status hf_config_sample(struct hf_buf *ret_yaml) hf_must_check;

#endif
