/* Inside of the command line: what its commands share.
 *
 *   main.c       dispatch                 commands.c   the table of commands
 *   opt.c        the table of options     say.c        errors, hints, progress, replies as JSON
 *   target.c     what a reading command works on: a configured trail, or a bucket alone
 *   keys.c       the registry of digest keys
 *   document.c, policy.c, lifecycle.c, xml.c            bucket documents
 *   emit.c       protocol 1, the client's side
 */
#ifndef HOLDFAST_CLI_IMPL_H
#define HOLDFAST_CLI_IMPL_H

#include <argp.h>
#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/crypto.h>
#include <holdfast/layout.h>
#include <holdfast/store.h>
#include <jansson.h>
#include <stdio.h>

#define CONFIG_DEFAULT "/etc/holdfast/holdfast.yaml"
#define API_DEFAULT    "127.0.0.1:8099"
#define PINS_MAX       16

enum exit_code {
    EXIT_WELL = 0,
    EXIT_NOT_WELL = 1,
    EXIT_USAGE = 2,
    EXIT_LATER = 3,
    EXIT_INTERNAL = 4
};

/* ---- commands and options ---- */

struct options;

struct command {
    const char *name;     /* "validate", "key new" */
    const char *group;    /* heading in `holdfast --help` */
    const char *args_doc; /* "FILE", or NULL */
    const char *help;     /* one line */
    const char *doc;      /* the rest of --help and of the man page; may be NULL */
    const int *keys;      /* enum opt_key, 0 at the end */
    size_t args_min, args_max;
    int (*run)(const struct options *options); /* the exit code */
};
extern const struct command commands[];
extern const size_t command_count;

/* NULL when there is none. `ret_used` is how many words of `words` are its name. */
const struct command *command_find(char *const *words, size_t count, size_t *ret_used);
/* The known word nearest to `word`, or NULL when none is near. */
const char *nearest(const char *word, const char *const *known, size_t count);
int help_print(const char *prefix); /* commands whose name begins with it ("" for all), grouped */

enum opt_key {
    OPT_CONFIG = 'c',
    OPT_SOCKET = 's',
    OPT_VERBOSE = 'v',
    OPT_JSON = 1000,
    OPT_METRICS,
    OPT_TRAIL,
    OPT_START,
    OPT_END,
    OPT_STORE_HEAD,
    OPT_STORE,
    OPT_BUCKET,
    OPT_PREFIX,
    OPT_PUBLIC_KEY,
    OPT_FINGERPRINT,
    OPT_ACCOUNT,
    OPT_REGION,
    OPT_ORGANIZATION,
    OPT_STORE_REGION,
    OPT_ADDRESSING,
    OPT_CREDENTIALS,
    OPT_PROFILE,
    OPT_CA,
    OPT_OWNER_CREDENTIALS,
    OPT_OWNER_PROFILE,
    OPT_KEY,
    OPT_SSE_KEY,
    OPT_NO_OBJECTS,
    OPT_NO_LOCKS,
    OPT_PRINT_AWS,
    OPT_AWS_DATA,
    OPT_API,
    OPT_CHECK_CONFIG,
    OPT_STREAM,
    OPT_EMIT_TIMEOUT,
    OPT_FLUSH_TIMEOUT,
    OPT_BITS,
    OPT_FROM,
    OPT_WRITER,
    OPT_WRITER_PREFIX,
    OPT_READER,
    OPT_BREAK_GLASS,
    OPT_ACCEPT,
    OPT_LISTEN,
    OPT_ALLOW_REMOTE,
};

struct options {
    const struct command *command;
    const char *args[4];
    size_t arg_count;
    const char *config;
    bool config_given, json, metrics, verbose;
    const char *trail;
    int64_t start_s, end_s; /* 0: open */
    /* a bucket alone */
    const char *store, *bucket, *prefix, *account, *region, *organization, *store_region,
        *credentials_file, *profile, *ca_file;
    int addressing;
    const char *public_keys[PINS_MAX], *fingerprints[PINS_MAX];
    size_t public_key_count, fingerprint_count;
    const char *key, *sse_key_file;
    bool no_objects, no_locks, print_aws, check_config;
    const char *aws_data, *api;
    const char *socket, *stream;
    uint64_t timeout_s;
    unsigned bits;
    int64_t from_s;
    const char *writer, *writer_prefix;
    const char *readers[PINS_MAX], *break_glasses[PINS_MAX];
    size_t reader_count, break_glass_count;
    bool accept_irreversible;
    const char *listen;
    bool allow_remote;
};

/* Parses the words after the command's name. Ends the process at a wrong one (exit 2) and after
 * --help, unless `flags` has ARGP_NO_EXIT: then an errno value is returned. */
int options_parse(const struct command *command, int argc, char **argv, unsigned flags,
                  struct options *ret_options);
/* The rows of one command, for --help and the man page: argp's form, ended by an empty row. */
#define COMMAND_ROWS_MAX 40
void options_rows(const struct command *command, struct argp_option ret_rows[COMMAND_ROWS_MAX]);
enum hf_status man_page(struct hf_buf *ret_roff) hf_must_check;
/* Completion for bash: a shell function from the same tables. */
enum hf_status completion_script(struct hf_buf *ret_bash) hf_must_check;

/* RFC 3339, a date, "now", or a time ago: 90s, 5m, 2h, 1d. */
bool when_parse(const char *text, int64_t now_s, int64_t *ret_seconds);

/* ---- saying things ---- */

/* "holdfast: TEXT" and, where there is something to do, "  hint: ..."; with --json also
 * {"schema":1,"ok":false,...} on stdout. Exit code. */
int say_failure(const struct options *options, enum hf_status status, const struct hf_error *err);
void say_hint(const char *format, ...) hf_printf(1, 2);
void say_note(const char *format, ...) hf_printf(1, 2); /* to stderr: "holdfast: note: ..." */
/* Pretty JSON and a newline on stdout; takes the reference. HF_EIO when it could not be written. */
int say_json(json_t *doc, int exit_code);
/* Flushes stdout: EXIT_INTERNAL when what was printed did not arrive (a full disk behind a
 * redirection). */
int say_done(int exit_code);
void bytes_text(uint64_t bytes, char ret_text[32]);
void ago_text(const char *rfc3339, int64_t now_s,
              char ret_text[64]); /* "2026-...Z (3 m ago)", "never" for NULL */

/* What a looking command says: line by line as it goes, or as JSON at the end. */
enum line_kind { LINE_OK, LINE_NOTE, LINE_FAIL };
struct lines {
    bool json;
    json_t *list; /* [{"result", "subject", "text", "mend"}] */
    size_t failures;
    bool unreachable; /* something could not be seen at all: exit code 3 */
    bool usage;       /* an option or the configuration has to say otherwise first: exit code 2 */
};
void lines_begin(struct lines *lines, const struct options *options);
void lines_add(struct lines *lines, enum line_kind kind, const char *subject, const char *mend,
               const char *format, ...) hf_printf(5, 6);
/* A failed call: FAIL with the error's text. */
void lines_add_error(struct lines *lines, const char *subject, const char *mend,
                     const struct hf_error *err);
/* The exit code; with --json {"schema":1,"ok":...,NAME:[...]} is printed. */
int lines_end(struct lines *lines, const char *name);

struct progress {
    bool on;
    const char *what;
    uint64_t last_ms;
};
void progress_begin(struct progress *progress, const char *what, bool wanted);
void progress_show(struct progress *progress, uint64_t done, uint64_t of, const char *unit);
void progress_end(struct progress *progress); /* clears the line */

/* ---- what a command works on ---- */

struct hf_verify_options;

struct target {
    struct hf_config *config;            /* NULL for a bucket alone */
    const struct hf_config_trail *trail; /* NULL for a bucket alone */
    struct hf_config_store own_store;    /* the store as it is opened: the configured one with the
                                            options' changes, or the options' */
    const char *bucket;
    struct hf_store *store;
    struct hf_layout layout;
    char host[256];
    struct hf_verifier *verifiers[PINS_MAX * 2];
    size_t verifier_count;
    const char *fingerprints[PINS_MAX * 2];
    size_t fingerprint_count;
    json_t *registry; /* keys.json, or NULL */
};
/* Fills everything but store and keys. `trail` is chosen by name, or is the only one. */
enum hf_status target_choose(const struct options *options, struct target *target,
                             struct hf_error *err) hf_must_check;
enum hf_status target_open_store(struct target *target, struct hf_error *err) hf_must_check;
/* Pinned keys: options, the trail's key file, the registry of earlier ones. */
enum hf_status target_load_keys(const struct options *options, struct target *target,
                                struct hf_error *err) hf_must_check;
/* Digests that a revoked key signed after its revocation: each is reported as UNKNOWN_KEY, their
 * number is in `ret_count`. */
enum hf_status revoked_find(const struct target *target, const struct hf_verify_options *options,
                            uint64_t *ret_count, struct hf_error *err) hf_must_check;
/* SSE-C: the configured key file or --sse-key-file; nothing to do otherwise. */
enum hf_status target_load_sse_c(const struct options *options, struct target *target,
                                 struct hf_error *err) hf_must_check;
void target_done(struct target *target);

enum hf_status config_open(const struct options *options, struct hf_config **ret_config,
                           struct hf_error *err) hf_must_check;
/* The host's name as the agent's keys have it: the identity's, else the configuration's, else this
 * host's. */
void host_name(const struct hf_config *config, char ret_host[256]);
void layout_of(const struct hf_config *config, const struct hf_config_trail *trail,
               const char *host, struct hf_layout *ret_layout);
/* The configured store, with --credentials-file and --profile in place of its own. */
struct hf_config_store store_as(const struct hf_config_store *store, const struct options *options);

/* ---- digest keys ---- */

#define KEYS_MAX 256
/* {"schema":1,"keys":[{fingerprint, public_key, file, valid_from, valid_to, revoked_at}]}; an empty
 * one when there is no file. */
enum hf_status registry_load(const struct hf_config *config, json_t **ret_registry,
                             struct hf_error *err) hf_must_check;
enum hf_status registry_save(const struct hf_config *config, const json_t *registry,
                             struct hf_error *err) hf_must_check;
json_t *registry_find(const json_t *registry, const char *fingerprint); /* borrowed, or NULL */
/* Adds or completes the entry of a key. */
enum hf_status registry_note(json_t *registry, const struct hf_verifier *verifier, const char *file,
                             int64_t valid_from_s, struct hf_error *err) hf_must_check;
enum hf_status registry_verifier(const json_t *entry, struct hf_verifier **ret_verifier,
                                 struct hf_error *err) hf_must_check;
/* The public half of a private key file, else of FILE.pub. */
enum hf_status public_half(const char *key_file, struct hf_verifier **ret_verifier,
                           struct hf_error *err) hf_must_check;
/* Keys that `key rotate` left beside a key file, FILE.old-FINGERPRINT.pub: at most `max`, the
 * caller's. What cannot be read is left out. */
size_t earlier_keys(const char *key_file, struct hf_verifier **ret_verifiers, size_t max);
/* What `key list --json` prints: the configured trails' keys and the registry's. */
enum hf_status keys_doc(const struct hf_config *config, json_t **ret_doc,
                        struct hf_error *err) hf_must_check;

/* ---- bucket documents ---- */

#define DOCUMENT_MAX (256u << 10)
/* The AWS CLI's JSON to S3's XML. `root` is the XML's outermost element. */
enum hf_status xml_from_doc(const json_t *doc, const char *root, struct hf_buf *ret_xml,
                            struct hf_error *err) hf_must_check;
/* S3's XML to the AWS CLI's JSON: elements and text only; no DTD, no processing instruction but the
 * first. */
enum hf_status xml_to_doc(struct hf_slice xml, json_t **ret_doc,
                          struct hf_error *err) hf_must_check;

/* Whether the outermost element is `root`: a store that does not know a sub-resource may answer
 * with another document. */
bool xml_root_is(struct hf_slice xml, const char *root);

/* HF_OK and NULL when the folder has no such document. */
enum hf_status read_optional(const char *folder, const char *name, json_t **ret_doc,
                             struct hf_error *err) hf_must_check;

/* Who has rights from a bucket policy, each from a document of its own. */
enum role_name { ROLE_WRITER, ROLE_READER, ROLE_BREAK_GLASS, ROLE_COUNT };
struct role {
    const char *name, *option, *word; /* word: the placeholder */
    const char *file;
    const char *consequence; /* of its document being refused */
};
extern const struct role roles[ROLE_COUNT];

struct set_term {
    int mode; /* HF_LOCK_NONE: the set has no default lock */
    uint64_t days;
};

struct bucket_plan {
    const struct hf_config_bucket *bucket;
    char *folder; /* the policy set's; NULL: none */
    json_t *object_lock, *lifecycle, *encryption,
        *tagging;                   /* what the bucket should have; NULL: not asked for */
    json_t *policies[ROLE_COUNT];   /* the statements for each role that somebody has */
    bool roles_unnamed[ROLE_COUNT], /* the set has a document, and nobody is named for it */
        roles_unknown[ROLE_COUNT];  /* somebody is named, and the set has no document */
    struct set_term term;
    uint64_t lock_days; /* the longest lock, its trails' included; 0: none */
    bool irreversible;  /* COMPLIANCE, here or in a trail */
};
enum hf_status bucket_plan_make(const struct hf_config *config,
                                const struct hf_config_bucket *bucket,
                                const struct options *options, struct bucket_plan *ret_plan,
                                struct hf_error *err) hf_must_check;
void bucket_plan_done(struct bucket_plan *plan);
/* Notes on the set as a whole: which folder, and whether the retention is less than its term. */
void say_plan(const struct bucket_plan *plan, struct lines *lines);

/* The bucket's policy folder; where `policies/NAME` is not there beside the configuration, the
 * installation's set of that name. A new string. */
char *policy_folder(const char *config_path, const char *policy, const char *installed);
/* `bucket` has a policy folder. */
enum hf_status set_term_read(const struct hf_config *config, const struct hf_config_bucket *bucket,
                             struct set_term *ret_term, struct hf_error *err) hf_must_check;
/* A note where the bucket's retention is shorter or weaker than its policy set's. It is the
 * configuration's right to be so, and no failure. */
void say_shortfall(const struct hf_config_bucket *bucket, const struct set_term *term,
                   const char *subject, struct lines *lines);

/* Fills the plan's policies. */
enum hf_status policies_plan(const struct hf_config *config, const struct options *options,
                             struct bucket_plan *plan, struct hf_error *err) hf_must_check;
/* A note for each role whose document nobody is named for, or that has none. */
void say_roles(const struct bucket_plan *plan, struct lines *lines, const char *left_alone);

/* Without what moves versions to another storage class, and without rules that do nothing else. A
 * new reference. */
json_t *lifecycle_without_moves(const json_t *lifecycle);
/* "to storage class GLACIER after 90 days"; NULL when it moves nothing. A new string. */
char *lifecycle_moves(const json_t *lifecycle);
/* Why it may not be put: it hides current versions that are locked. NULL when it does not. A new
 * string. */
char *lifecycle_hides_locked(const json_t *lifecycle, uint64_t lock_days);

/* The buckets named by the command's arguments, or all: `run` for each, then the report; the exit
 * code. */
int each_bucket(const struct options *options,
                void (*run)(const struct options *options, const struct hf_config *config,
                            const struct hf_config_bucket *bucket, struct lines *lines));
/* Statements of `wanted` replace those with the same Sid in `present`, the others stay. A new
 * reference. */
json_t *policy_merge(const json_t *present, const json_t *wanted);
/* Those statements of a present policy that have a Sid of the wanted one. A new reference. */
json_t *policy_own(const json_t *present, const json_t *wanted);
/* What differs, in plain words: [{"path", "text": "Rule.DefaultRetention.Days is 30, wanted 1",
 * "wanted": bool}]; not wanted: the store has it and nobody asked for it. NULL stands for nothing
 * set. A new array. */
json_t *document_differences(const json_t *present, const json_t *wanted);

/* ---- cat ---- */

/* {"Records":[a,b]} as lines "a\nb\n" on `out`, byte for byte but for line ends between tokens,
 * which become blanks, and, on a terminal, control characters, which become \u00XX. */
enum hf_status records_write(struct hf_slice json, FILE *out, bool to_terminal, uint64_t *ret_count,
                             struct hf_error *err) hf_must_check;

/* ---- check ---- */

void check_host(const struct hf_config *config, struct lines *lines);
void check_sources(const struct hf_config *config, struct lines *lines);
void check_stores(const struct hf_config *config, const struct options *options,
                  struct lines *lines);
void check_trail(const struct hf_config_trail *trail, struct lines *lines);

/* ---- emit ---- */

struct emit_options {
    const char *socket, *stream; /* stream: given with --stream, or made */
    bool resumed;                /* lines that the agent has already are skipped */
    uint64_t timeout_ms;         /* without any progress */
    int input;                   /* descriptor of the lines */
    size_t window_bytes, window_lines;
};
#define EMIT_LINE_MAX (16u << 20)
/* `ret_acknowledged` is set in every case: how many lines of the stream are durable. HF_OK only if
 * all of the input is. */
enum hf_status emit_lines(const struct emit_options *options, uint64_t *ret_acknowledged,
                          struct hf_error *err) hf_must_check;
void emit_stream_new(char ret_uuid[37]); /* version 7 */
bool emit_stream_valid(const char *uuid);
void emit_stop(void); /* from a signal handler: ends as if the timeout were over */

/* ---- the commands ---- */

int cmd_run(const struct options *options);
int cmd_emit(const struct options *options);
int cmd_chain_new(const struct options *options);
int cmd_flush(const struct options *options);
int cmd_status(const struct options *options);
int cmd_check(const struct options *options);
int cmd_validate(const struct options *options);
int cmd_cat(const struct options *options);
int cmd_key_new(const struct options *options);
int cmd_key_list(const struct options *options);
int cmd_key_rotate(const struct options *options);
int cmd_key_revoke(const struct options *options);
int cmd_bucket_apply(const struct options *options);
int cmd_bucket_diff(const struct options *options);
int cmd_bucket_probe(const struct options *options);
int cmd_api(const struct options *options);
int cmd_config_sample(const struct options *options);
int cmd_config_reference(const struct options *options);
int cmd_config_unit(const struct options *options);
int print_aws(const struct options *options,
              const struct target *target); /* validate --print-aws */

#endif
