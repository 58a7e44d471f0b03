/* The command line itself: the tables of commands (commands.c) and of options (opt.c), and what is made
 * from both: --help, the man page (man.c), completion for bash (completion.c).
 *
 *   cmd_*.c          one file for each command, or for each group of small ones
 *   say.c, lines.c   what is printed         target.c, keys.c   what a reading command works on
 *   head.c           a head, as text and JSON    known.c, memory.c  heads that validate compares with
 *   check_*.c        what `check` looks at   bucket.c           what the three `bucket` commands share
 *   emit*.c          protocol 1, the client's side */
#ifndef HOLDFAST_CLI_OPT_H
#define HOLDFAST_CLI_OPT_H

#include <argp.h>
#include <holdfast/base.h>
#include <holdfast/bucket.h>

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
    OPT_ORIGINAL_BUCKET,
    OPT_ALLOW_GONE,
    OPT_STRICT,
    OPT_STATE,
    OPT_EXPECT,
    OPT_ACCEPT_HEAD,
};

/* An option that may be repeated. */
struct named {
    const char *items[PINS_MAX];
    size_t count;
};

/* A bucket alone, without a configuration. */
struct alone_options {
    const char *store, *bucket, *prefix, *account, *region, *organization, *store_region;
    int addressing;
};

/* validate --print-aws */
struct aws_options {
    bool print;
    const char *data, *api;
};

/* bucket apply, diff */
struct bucket_options {
    struct named roles[HF_ROLE_COUNT];
    const char *writer_prefix;
    bool accept_irreversible;
};

/* api */
struct serve_options {
    const char *listen;
    bool allow_remote;
};

struct reading_options { /* of validate and cat */
    bool no_objects, no_locks, allow_gone_after_term, strict;
    const char *original_bucket;
};

struct memory_options { /* of validate */
    const char *state, *accept;
    struct named expect;
};

struct options {
    const struct command *command;
    const char *args[4];
    size_t arg_count;
    const char *config;
    bool config_given, json, metrics, verbose;
    const char *trail;
    int64_t start_s, end_s; /* 0: open */
    struct alone_options alone;
    const char *credentials_file, *profile, *ca_file; /* NULL: the store's own */
    struct named public_keys, fingerprints;
    const char *key, *sse_key_file;
    bool check_config;
    struct reading_options reading;
    struct memory_options memory;
    struct aws_options aws;
    const char *socket, *stream;
    uint64_t timeout_s;
    unsigned bits;
    int64_t from_s;
    struct bucket_options bucket;
    struct serve_options serve;
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

#endif
