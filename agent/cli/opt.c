/* The one table of options, in argp's form: --help, the man page and the parser come from it. A
 * command names those it takes. */
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct argp_option rows[] = {
    { "config", OPT_CONFIG, "FILE", 0, "Configuration file. Default: " CONFIG_DEFAULT ".", 1 },
    { "json", OPT_JSON, NULL, 0, "Answer as JSON, for programs.", 1 },
    { "metrics", OPT_METRICS, NULL, 0, "Answer as metrics, in Prometheus' text format 0.0.4.", 1 },
    { "verbose", OPT_VERBOSE, NULL, 0, "Name also what is well.", 1 },
    { "trail", OPT_TRAIL, "NAME", 0, "The trail. Default: the only one configured.", 1 },
    { "start", OPT_START, "TIME", 0,
      "From this time of delivery on: RFC 3339, a date, or a time ago such as 90s, 2h, 1d.", 1 },
    { "end", OPT_END, "TIME", 0, "Up to this time of delivery.", 1 },
    { "key", OPT_KEY, "FILE", 0,
      "Private key (PEM) of a recipient: opens what was encrypted to certificates (cms).", 1 },
    { "no-objects", OPT_NO_OBJECTS, NULL, 0, "Check the chain of digests only, fetch no objects.",
      1 },
    { "no-locks", OPT_NO_LOCKS, NULL, 0, "Do not ask for each object's lock.", 1 },
    { "original-bucket", OPT_ORIGINAL_BUCKET, "NAME", 0,
      "This is a copy: the digests are of the bucket of this name.", 1 },
    { "allow-gone-after-term", OPT_ALLOW_GONE, NULL, 0,
      "What is gone after its term (GONE_AFTER_TERM) is said, and is no failure.", 1 },
    { "strict", OPT_STRICT, NULL, 0,
      "Look at locks and versions, too, and print no record of an object that something was found "
      "against, or whose digest something was found against.",
      1 },
    { "state", OPT_STATE, "FILE", 0,
      "Remember the head of the trail there, and compare it with the one of the run before: an end "
      "that was cut off or signed anew in between is named. Keep it on another machine than the "
      "agent.",
      1 },
    { "expect", OPT_EXPECT, "HEAD", 0,
      "A head that was seen elsewhere, as `holdfast head` prints it: the chain must have it. May "
      "be "
      "repeated.",
      1 },
    { "accept", OPT_ACCEPT_HEAD, "SHA256", 0,
      "With --state: of the two heads that contradict each other this is the right one.", 1 },
    { "print-aws", OPT_PRINT_AWS, NULL, 0,
      "Check nothing; print the shell lines with which the AWS CLI checks the same trail, while "
      "`holdfast api` runs.",
      1 },
    { "aws-data", OPT_AWS_DATA, "DIR", 0,
      "With --print-aws: write endpoint rules below DIR, which also AWS CLIs older than 2.13 read, "
      "such as Debian 12's 2.9.",
      1 },
    { "api", OPT_API, "ADDR:PORT", 0,
      "With --print-aws: where `holdfast api` listens. Default: " API_DEFAULT ".", 1 },
    { "check-config", OPT_CHECK_CONFIG, NULL, 0,
      "Read the configuration, say whether it is right, and end.", 1 },
    { "socket", OPT_SOCKET, "PATH", 0,
      "Socket of the agent. Default: that of the only socket source configured.", 1 },
    { "stream", OPT_STREAM, "UUID", 0,
      "Resume this stream: lines of the input that the agent has already are skipped.", 1 },
    { "timeout", OPT_EMIT_TIMEOUT, "TIME", 0,
      "Give up after this long without progress. Default: 60s.", 1 },
    { "timeout", OPT_FLUSH_TIMEOUT, "TIME", 0, "Give up after this long. Default: 60s.", 1 },
    { "bits", OPT_BITS, "N", 0, "Size of the RSA key, 2048 to 8192. Default: 3072.", 1 },
    { "from", OPT_FROM, "TIME", 0,
      "Nothing signed from this time on counts. Default: nothing signed at any time counts.", 1 },
    { "writer", OPT_WRITER, "ARN", 0,
      "Who may write, for the bucket policy: arn:aws:iam::ACCOUNT:user/NAME. Without it the bucket "
      "policy is left alone.",
      1 },
    { "writer-prefix", OPT_WRITER_PREFIX, "PREFIX", 0,
      "Prefix that the writer may write. Default: those of this host's trails in the bucket.", 1 },
    { "reader", OPT_READER, "ARN", 0,
      "Who may read everything in the bucket, with its versions, locks and settings, and change "
      "nothing. May be repeated; takes the place of the readers named before.",
      1 },
    { "break-glass", OPT_BREAK_GLASS, "ARN", 0,
      "Who may do in an emergency what the policy set's document for it says, such as lifting "
      "GOVERNANCE. May be repeated; takes the place of those named before.",
      1 },
    { "accept-irreversible", OPT_ACCEPT, NULL, 0,
      "Go on where COMPLIANCE is configured: nobody can shorten or lift such a lock, whoever pays "
      "for the storage.",
      1 },
    { "listen", OPT_LISTEN, "ADDR:PORT", 0,
      "Where to listen. Port 0 takes a free one. Default: " API_DEFAULT ".", 1 },
    { "allow-remote", OPT_ALLOW_REMOTE, NULL, 0,
      "Listen also on an address that is not of this host's loopback. Nobody who asks is "
      "authenticated.",
      1 },
    { "credentials-file", OPT_OWNER_CREDENTIALS, "FILE", 0,
      "Credentials used instead of the store's: the bucket's owner's, not the writer's.", 1 },
    { "profile", OPT_OWNER_PROFILE, "NAME", 0, "Section of the credentials file.", 1 },

    { NULL, OPT_STORE_HEAD, NULL, 0, "A bucket alone, without a configuration:", 2 },
    { "store", OPT_STORE, "URL", 0, "https://HOST[:PORT], http://HOST[:PORT] or dir:///DIRECTORY.",
      2 },
    { "bucket", OPT_BUCKET, "NAME", 0, "The bucket.", 2 },
    { "prefix", OPT_PREFIX, "PREFIX", 0, "What the keys begin with. Default: nothing.", 2 },
    { "public-key", OPT_PUBLIC_KEY, "FILE", 0,
      "Public key (PEM) that signed the digests. May be repeated.", 2 },
    { "fingerprint", OPT_FINGERPRINT, "HEX", 0,
      "Fingerprint of a key to trust, which is then taken from the bucket. May be repeated.", 2 },
    { "account", OPT_ACCOUNT, "ID", 0, "12 digits, as in the keys. Default: 000000000000.", 2 },
    { "region", OPT_REGION, "NAME", 0, "The region in the keys. Default: local.", 2 },
    { "organization", OPT_ORGANIZATION, "ID", 0, "The organization in the keys.", 2 },
    { "store-region", OPT_STORE_REGION, "NAME", 0,
      "The region that requests are signed for. Default: us-east-1.", 2 },
    { "addressing", OPT_ADDRESSING, "HOW", 0, "path or virtual. Default: path.", 2 },
    { "credentials-file", OPT_CREDENTIALS, "FILE", 0,
      "Shared credentials file, mode 0600. Default: AWS_ACCESS_KEY_ID and so on from the "
      "environment.",
      2 },
    { "profile", OPT_PROFILE, "NAME", 0, "Its section. Default: default.", 2 },
    { "ca-file", OPT_CA, "FILE", 0, "PEM certificates that may sign the store's.", 2 },
    { "sse-c-key", OPT_SSE_KEY, "FILE", 0,
      "256-bit key of objects stored with SSE-C: 32 bytes or 64 hex digits.", 2 },
};

static const struct argp_option *
row_of(int key)
{
    for (size_t i = 0; i < HF_COUNT(rows); i++)
        if (rows[i].key == key)
            return &rows[i];
    hf_assert(!"an option has no row");
    return NULL;
}

void
options_rows(const struct command *command, struct argp_option ret_rows[COMMAND_ROWS_MAX])
{
    size_t count = 0;
    for (const int *key = command->keys; key && *key; key++) {
        hf_assert(count + 1 < COMMAND_ROWS_MAX);
        ret_rows[count] = *row_of(*key);
        if (!ret_rows[count].name)
            ret_rows[count].key = 0; /* a heading */
        count++;
    }
    ret_rows[count] = (struct argp_option){ 0 };
}

/* ---- single values ---- */

static error_t
set_time(struct argp_state *state, const char *name, const char *text, int64_t *ret_seconds)
{
    if (when_parse(text, hf_wall_s(), ret_seconds))
        return 0;
    argp_error(state,
               "--%s: '%s' is no time: write 2026-11-22T15:04:05Z, 2026-11-22, or a time ago such "
               "as 2h or 1d",
               name, text);
    return EINVAL;
}

static error_t
add_text(struct argp_state *state, const char *name, const char *text, struct named *named)
{
    if (named->count < PINS_MAX) {
        named->items[named->count++] = text;
        return 0;
    }
    argp_error(state, "--%s: at most %d of them", name, PINS_MAX);
    return EINVAL;
}

static error_t
set_number(struct options *o, int key, const char *text, struct argp_state *state)
{
    uint64_t number = 0;
    switch (key) {
    case OPT_EMIT_TIMEOUT:
    case OPT_FLUSH_TIMEOUT:
        if (hf_parse_duration(text, &o->timeout_s) && o->timeout_s >= 1 && o->timeout_s <= 86400)
            return 0;
        argp_error(state, "--timeout: '%s' is no time between 1s and 1d: write 60s or 5m", text);
        return EINVAL;
    case OPT_BITS:
        if (!hf_parse_u64(text, 2048, 8192, &number)) {
            argp_error(state, "--bits: '%s' is no number between 2048 and 8192", text);
            return EINVAL;
        }
        o->bits = (unsigned)number;
        return 0;
    case OPT_ADDRESSING:
        o->alone.addressing =
            strcmp(text, "virtual") == 0 ? HF_ADDRESSING_VIRTUAL : HF_ADDRESSING_PATH;
        if (strcmp(text, "virtual") == 0 || strcmp(text, "path") == 0)
            return 0;
        argp_error(state, "--addressing: '%s' is neither path nor virtual", text);
        return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t
set_flag(struct options *o, int key)
{
    switch (key) {
    case OPT_JSON: o->json = true; return 0;
    case OPT_METRICS: o->metrics = true; return 0;
    case OPT_VERBOSE: o->verbose = true; return 0;
    case OPT_NO_OBJECTS: o->reading.no_objects = true; return 0;
    case OPT_NO_LOCKS: o->reading.no_locks = true; return 0;
    case OPT_ALLOW_GONE: o->reading.allow_gone_after_term = true; return 0;
    case OPT_STRICT: o->reading.strict = true; return 0;
    case OPT_PRINT_AWS: o->aws.print = true; return 0;
    case OPT_CHECK_CONFIG: o->check_config = true; return 0;
    case OPT_ACCEPT: o->bucket.accept_irreversible = true; return 0;
    case OPT_ALLOW_REMOTE: o->serve.allow_remote = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t
set_text(struct options *o, int key, const char *text)
{
    switch (key) {
    case OPT_CONFIG:
        o->config = text;
        o->config_given = true;
        return 0;
    case OPT_TRAIL: o->trail = text; return 0;
    case OPT_STATE: o->memory.state = text; return 0;
    case OPT_ACCEPT_HEAD: o->memory.accept = text; return 0;
    case OPT_ORIGINAL_BUCKET: o->reading.original_bucket = text; return 0;
    case OPT_KEY: o->key = text; return 0;
    case OPT_SSE_KEY: o->sse_key_file = text; return 0;
    case OPT_AWS_DATA: o->aws.data = text; return 0;
    case OPT_API: o->aws.api = text; return 0;
    case OPT_SOCKET: o->socket = text; return 0;
    case OPT_STREAM: o->stream = text; return 0;
    case OPT_WRITER: o->bucket.roles[HF_ROLE_WRITER] = (struct named){ { text }, 1 }; return 0;
    case OPT_WRITER_PREFIX: o->bucket.writer_prefix = text; return 0;
    case OPT_LISTEN: o->serve.listen = text; return 0;
    case OPT_STORE: o->alone.store = text; return 0;
    case OPT_BUCKET: o->alone.bucket = text; return 0;
    case OPT_PREFIX: o->alone.prefix = text; return 0;
    case OPT_ACCOUNT: o->alone.account = text; return 0;
    case OPT_REGION: o->alone.region = text; return 0;
    case OPT_ORGANIZATION: o->alone.organization = text; return 0;
    case OPT_STORE_REGION: o->alone.store_region = text; return 0;
    case OPT_CREDENTIALS:
    case OPT_OWNER_CREDENTIALS: o->credentials_file = text; return 0;
    case OPT_PROFILE:
    case OPT_OWNER_PROFILE: o->profile = text; return 0;
    case OPT_CA: o->ca_file = text; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t
check_end(struct argp_state *state, const struct options *o)
{
    const struct command *command = o->command;
    if (o->arg_count < command->args_min)
        argp_error(state, "%s is missing", command->args_doc);
    else if (o->json && o->metrics)
        argp_error(state, "--json and --metrics are two answers: choose one");
    else if (o->memory.accept && !o->memory.state)
        argp_error(state, "--accept is for a state: name its file with --state");
    else if (o->start_s && o->end_s && o->start_s >= o->end_s)
        argp_error(state, "--start is not before --end");
    else
        return 0;
    return EINVAL;
}

static error_t
parse_one(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    error_t error;
    switch (key) {
    case ARGP_KEY_ARG:
        if (o->arg_count >= HF_COUNT(o->args) || o->arg_count >= o->command->args_max) {
            argp_error(state, "'%s' is one word too many", text);
            return EINVAL;
        }
        o->args[o->arg_count++] = text;
        return 0;
    case ARGP_KEY_END: return check_end(state, o);
    case OPT_START: return set_time(state, "start", text, &o->start_s);
    case OPT_END: return set_time(state, "end", text, &o->end_s);
    case OPT_FROM: return set_time(state, "from", text, &o->from_s);
    case OPT_PUBLIC_KEY: return add_text(state, "public-key", text, &o->public_keys);
    case OPT_FINGERPRINT: return add_text(state, "fingerprint", text, &o->fingerprints);
    case OPT_EXPECT: return add_text(state, "expect", text, &o->memory.expect);
    case OPT_READER: return add_text(state, "reader", text, &o->bucket.roles[HF_ROLE_READER]);
    case OPT_BREAK_GLASS:
        return add_text(state, "break-glass", text, &o->bucket.roles[HF_ROLE_BREAK_GLASS]);
    default: break;
    }
    error = text ? set_number(o, key, text, state) : set_flag(o, key);
    return error == ARGP_ERR_UNKNOWN && text ? set_text(o, key, text) : error;
}

/* ---- unknown options, seen before argp sees them, so that the nearest one can be named ---- */

static const struct argp_option *
long_row(const struct argp_option *of, const char *name, size_t size)
{
    const struct argp_option *found = NULL;
    for (const struct argp_option *row = of; row->name || row->key || row->doc; row++) {
        if (!row->name || strncmp(row->name, name, size) != 0)
            continue;
        if (strlen(row->name) == size)
            return row;
        found = row;
    }
    return found; /* an abbreviation; whether it is the only one is argp's to say */
}

static const struct argp_option *
short_row(const struct argp_option *of, char letter)
{
    for (const struct argp_option *row = of; row->name || row->key || row->doc; row++)
        if (row->key == letter)
            return row;
    return NULL;
}

static int
unknown_option(const struct argp_option *of, const struct command *command, const char *word,
               size_t size, unsigned flags)
{
    const char *names[COMMAND_ROWS_MAX];
    char name[64];
    size_t count = 0;
    for (const struct argp_option *row = of; row->name || row->key || row->doc; row++)
        if (row->name)
            names[count++] = row->name;
    snprintf(name, sizeof(name), "%.*s", (int)HF_MIN(size, sizeof(name) - 1), word);
    const char *near = nearest(name, names, count);
    if (!(flags & ARGP_NO_ERRS)) {
        fprintf(stderr, "holdfast: %s: there is no option --%s", command->name, name);
        fprintf(stderr, near ? "; did you mean --%s?\n" : "\n", near);
        say_hint("`holdfast %s --help` lists its options", command->name);
    }
    return EINVAL;
}

static int
find_unknown(const struct argp_option *of, const struct command *command, int argc, char **argv,
             unsigned flags)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        if (hf_starts_with(word, "--")) {
            size_t size = strcspn(word + 2, "=");
            const struct argp_option *row = long_row(of, word + 2, size);
            bool argps_own =
                strncmp("help", word + 2, size) == 0 || strncmp("usage", word + 2, size) == 0;
            if (!row && !argps_own)
                return unknown_option(of, command, word + 2, size, flags);
            if (row && row->arg && word[2 + size] != '=')
                i++;
        } else if (word[0] == '-' && word[1]) {
            const struct argp_option *row = short_row(of, word[1]);
            if (row && row->arg && !word[2])
                i++;
        }
    }
    return 0;
}

int
options_parse(const struct command *command, int argc, char **argv, unsigned flags,
              struct options *ret_options)
{
    struct argp_option of[COMMAND_ROWS_MAX];
    struct options options = { .command = command,
                               .config = CONFIG_DEFAULT,
                               .timeout_s = 60,
                               .bits = 3072,
                               .aws = { .api = API_DEFAULT },
                               .serve = { .listen = API_DEFAULT } };
    char *doc hf_owned(hf_freep) =
        hf_asprintf("%s\v%s", command->help, command->doc ? command->doc : "");
    char *name hf_owned(hf_freep) = hf_asprintf("holdfast %s", command->name);
    struct argp argp = {
        .options = of, .parser = parse_one, .args_doc = command->args_doc, .doc = doc
    };
    options_rows(command, of);
    int error = find_unknown(of, command, argc, argv, flags);
    if (error) {
        if (!(flags & ARGP_NO_EXIT))
            exit(EXIT_USAGE);
        return error;
    }
    char *first = argv[0];
    argv[0] = name;
    argp_err_exit_status = EXIT_USAGE;
    error = argp_parse(&argp, argc, argv, flags, NULL, &options);
    argv[0] = first;
    if (error == 0)
        *ret_options = options;
    return error;
}
