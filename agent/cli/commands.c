/* The table of commands, in the order of `holdfast --help`. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#define KEYS(...) ((const int[]){ __VA_ARGS__, 0 })
#define BUCKET_ALONE                                                                               \
    OPT_STORE_HEAD, OPT_STORE, OPT_BUCKET, OPT_PREFIX, OPT_PUBLIC_KEY, OPT_FINGERPRINT,            \
        OPT_ACCOUNT, OPT_REGION, OPT_ORGANIZATION, OPT_STORE_REGION, OPT_ADDRESSING,               \
        OPT_CREDENTIALS, OPT_PROFILE, OPT_CA, OPT_SSE_KEY

#define AGENT    "The agent"
#define EVIDENCE "The evidence"
#define SETUP    "Setting up"

const struct command commands[] = {
    { "run", AGENT, NULL, "The agent, in the foreground.",
      "Takes events in, keeps them durably, puts them into locked objects and signs digests. Logs "
      "to standard error. SIGHUP reads the "
      "configuration again, SIGTERM stops within ten seconds; what is not delivered by then "
      "follows after the next start. What is wrong at a "
      "store holds that trail and is told by `holdfast status`; the agent ends only for faults of "
      "this host.",
      KEYS(OPT_CONFIG, OPT_CHECK_CONFIG), 0, 0, cmd_run },
    { "emit", AGENT, NULL, "Lines from standard input to a socket source.",
      "Prints the number of acknowledged lines. Exit code 0 only if every line is on stable "
      "storage. After 3 the command that resumes is "
      "printed; give it the same input again from its beginning. Empty lines are no events and are "
      "left out.",
      KEYS(OPT_CONFIG, OPT_SOCKET, OPT_STREAM, OPT_EMIT_TIMEOUT), 0, 0, cmd_emit },
    { "flush", AGENT, NULL, "Everything received so far into locked objects and a digest, now.",
      "Exit code 3 with a line for each trail that could not.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_FLUSH_TIMEOUT), 0, 0, cmd_flush },
    { "status", AGENT, NULL, "Backlog, last delivery, last digest, what is held and why.",
      "Exit code 0: all is well. 1: a trail is held, a limit is reached or a source has a problem. "
      "3: no "
      "agent answers. With --metrics the agent's state is told in numbers, and the exit code is 0 "
      "whenever it was: `holdfast_well` says what 0 and 1 say else. `agent.metrics` in the "
      "configuration gives the same over HTTP.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_METRICS), 0, 0, cmd_status },
    { "chain new", AGENT, NULL, "Begin a new chain in a trail that is held, on purpose.",
      "When the newest digest in the store is none that this state directory knows (it was lost, "
      "copied or rolled back, or another host writes there), the trail is held, so that no chain "
      "is forked by accident. So it is when a directory store's host comes back more than 30 days "
      "after the last time that it knows, and no time service keeps its clock. This begins a new "
      "chain on purpose: its first digest names the head that it came after. Needs a running "
      "agent.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_TRAIL), 0, 0, cmd_chain_new },
    { "check", AGENT, NULL, "May I run? Looks at everything that can be seen, changes nothing.",
      "Each line is `ok`, `note` or `FAIL`, the last with what mends it. Exit code 1 when anything "
      "fails. Whether the store takes and locks "
      "objects is only seen by putting one: `holdfast bucket probe`.",
      KEYS(OPT_CONFIG, OPT_JSON), 0, 0, cmd_check },

    { "validate", EVIDENCE, NULL, "Is the evidence intact?",
      "Walks the chain of digests from the newest to the oldest and checks signatures, hashes, "
      "objects and locks. Exit code 0: intact. 1: not. 3: "
      "could not be seen. Trusted are the keys given with --public-key and --fingerprint, and with "
      "a configuration the trail's own key and those "
      "that `holdfast key` keeps beside it; a key that was only found in the bucket itself is "
      "KEY_NOT_PINNED, and what it signed is not intact: pin it with --public-key or "
      "--fingerprint. "
      "Delete markers over the newest digests are seen where versions may be listed "
      "(VERSIONS_UNSEEN says where not); with a configuration the newest digest is also compared "
      "with what a running agent has delivered, with --state with what an earlier run has seen, "
      "and "
      "with --expect with what was seen elsewhere: TRUNCATED, FORK and ROLLED_BACK are seen "
      "against "
      "these only. What is gone after its term is EXPIRED where "
      "nobody "
      "could have lifted its lock and all that is older is gone as well, else GONE_AFTER_TERM.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_VERBOSE, OPT_TRAIL, OPT_START, OPT_END, OPT_NO_OBJECTS,
           OPT_NO_LOCKS, OPT_ORIGINAL_BUCKET, OPT_ALLOW_GONE, OPT_STATE, OPT_EXPECT,
           OPT_ACCEPT_HEAD, OPT_PRINT_AWS, OPT_AWS_DATA, OPT_API, BUCKET_ALONE),
      0, 0, cmd_validate },
    { "cat", EVIDENCE, NULL, "Records as JSON lines: verified, decrypted, unzipped.",
      "Printed is what a digest lists by hash that a trusted key signed, or such a digest names by "
      "hash; a revoked key vouches for nothing. What is found against place, lock or metadata goes "
      "to standard error, and the exit code is 1; --strict withholds it. The times are those of "
      "delivery, as in "
      "validate, not those in the records.",
      KEYS(OPT_CONFIG, OPT_TRAIL, OPT_START, OPT_END, OPT_KEY, OPT_ORIGINAL_BUCKET, OPT_ALLOW_GONE,
           OPT_STRICT, BUCKET_ALONE),
      0, 0, cmd_cat },
    { "head", EVIDENCE, NULL, "The newest digest as one line, to be kept elsewhere.",
      "CHAIN:NUMBER:SHA256, then trail and time, as the running agent has delivered it. Mail it, "
      "print it, put it into git: `holdfast validate --expect` takes it, and finds whatever was "
      "changed before it.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_TRAIL), 0, 0, cmd_head },
    { "api", EVIDENCE, NULL, "CloudTrail's API, for the AWS CLI.",
      "Answers DescribeTrails, GetTrailStatus and ListPublicKeys. Requests are not authenticated: "
      "it only reads, and what it tells is public "
      "(names of trails and buckets, times, public keys). Keep it on the loopback. The "
      "configuration is read once, at the start. SIGTERM ends it.",
      KEYS(OPT_CONFIG, OPT_LISTEN, OPT_ALLOW_REMOTE), 0, 0, cmd_api },

    { "key new", SETUP, "FILE", "Make a key that signs digests.",
      "Writes the private key to FILE, mode 0600, and the public one to FILE.pub, and prints the "
      "fingerprint. Keep fingerprint and public key "
      "elsewhere: whoever takes over this host can change both here.",
      KEYS(OPT_CONFIG, OPT_BITS), 1, 1, cmd_key_new },
    { "key list", SETUP, NULL, "The configured trails' keys, present and earlier.", NULL,
      KEYS(OPT_CONFIG, OPT_JSON), 0, 0, cmd_key_list },
    { "key rotate", SETUP, "FILE", "Put a new key in the place of FILE.",
      "The old key stays beside it as FILE.old-FINGERPRINT and goes on vouching for what it "
      "signed. The agent uses the new one after SIGHUP.",
      KEYS(OPT_CONFIG, OPT_BITS), 1, 1, cmd_key_rotate },
    { "key revoke", SETUP, "FINGERPRINT", "Stop trusting a key on this host.",
      "Written to STATE_DIR/keys.json and heeded by validate, cat and api with this configuration. "
      "Who checks elsewhere has to be told: a bucket "
      "under lock cannot take a signature back.",
      KEYS(OPT_CONFIG, OPT_FROM), 1, 1, cmd_key_revoke },
    { "bucket apply", SETUP, "[NAME...]",
      "Make and set up the buckets that the configuration names.",
      "Makes a missing bucket with Object Lock and puts the documents of its `policy` folder on "
      "it: default lock, lifecycle, default encryption, bucket policy, and the configured tags. "
      "The "
      "bucket's `retention` and `lifecycle` go before the folder's. A document that the store "
      "refuses is named, with what follows from it; the others are set all the same, and the exit "
      "code is 1. Of a lifecycle whose storage class the store does not have, the rest is set. "
      "Then it looks at what the store keeps: what it took and dropped without a word is named as "
      "`bucket diff` names it, exit code 1. "
      "Run it with the owner's credentials; the agent needs and has none of these rights.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_WRITER, OPT_WRITER_PREFIX, OPT_READER, OPT_BREAK_GLASS,
           OPT_ACCEPT, OPT_OWNER_CREDENTIALS, OPT_OWNER_PROFILE),
      0, 4, cmd_bucket_apply },
    { "bucket diff", SETUP, "[NAME...]",
      "How the buckets differ from the configuration, in plain words.",
      "Exit code 1 when anything differs. The bucket policy is compared for the roles that are "
      "named. Reading all of it back needs the owner's rights or a reader's.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_WRITER, OPT_WRITER_PREFIX, OPT_READER, OPT_BREAK_GLASS,
           OPT_OWNER_CREDENTIALS, OPT_OWNER_PROFILE),
      0, 4, cmd_bucket_diff },
    { "bucket probe", SETUP, "[NAME...]",
      "Is WORM real there? Puts one small object, locked for a day, and tries to get rid of it.",
      "Shortening its lock and deleting its version have to be refused. The object stays until its "
      "day is over. With the writer's credentials a "
      "refusal can be for want of rights; with the owner's (--credentials-file) it is the lock.",
      KEYS(OPT_CONFIG, OPT_JSON, OPT_OWNER_CREDENTIALS, OPT_OWNER_PROFILE), 0, 4,
      cmd_bucket_probe },
    { "config sample", SETUP, NULL, "Print a commented configuration to begin with.", NULL, NULL, 0,
      0, cmd_config_sample },
    { "config reference", SETUP, NULL, "Print every option of the configuration, as Markdown.",
      NULL, NULL, 0, 0, cmd_config_reference },
    { "config unit", SETUP, NULL,
      "Print what the systemd unit has to show the agent, as a drop-in for it.",
      "The unit hides all files but the system's programs and holdfast's own folders; this adds "
      "the "
      "folders of the configured sources, for reading, and of directory stores. systemd asks for "
      "it by itself whenever it loads its units (holdfast-generator), so after a change of paths: "
      "systemctl daemon-reload, systemctl restart holdfast.",
      KEYS(OPT_CONFIG), 0, 0, cmd_config_unit },
};
const size_t command_count = HF_COUNT(commands);

const struct command *
command_find(char *const *words, size_t count, size_t *ret_used)
{
    char two[64] = "";
    if (count >= 2)
        snprintf(two, sizeof(two), "%.30s %.30s", words[0], words[1]);
    for (size_t i = 0; i < command_count; i++) {
        size_t used = strchr(commands[i].name, ' ') ? 2 : 1;
        if (strcmp(commands[i].name, used == 2 ? two : words[0]) == 0) {
            *ret_used = used;
            return &commands[i];
        }
    }
    return NULL;
}

/* Levenshtein's distance, of words short enough for one row on the stack. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[33], width = strlen(b);
    if (width >= HF_COUNT(row) || strlen(a) >= HF_COUNT(row))
        return SIZE_MAX;
    for (size_t i = 0; i <= width; i++)
        row[i] = i;
    for (; *a; a++) {
        size_t diagonal = row[0]++;
        for (size_t i = 0; i < width; i++) {
            size_t replaced = diagonal + (*a != b[i]);
            diagonal = row[i + 1];
            row[i + 1] = HF_MIN(replaced, HF_MIN(row[i], row[i + 1]) + 1);
        }
    }
    return row[width];
}

const char *
nearest(const char *word, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t size = strlen(word), best_distance = size <= 3 ? 2 : HF_MAX(size / 3, 2u) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t away = distance(word, known[i]);
        if (away < best_distance) {
            best = known[i];
            best_distance = away;
        }
    }
    return best;
}

int
help_print(const char *prefix)
{
    const char *group = NULL;
    printf("Usage: holdfast %sCOMMAND [OPTION...]\n", prefix);
    for (size_t i = 0; i < command_count; i++) {
        if (!hf_starts_with(commands[i].name, prefix))
            continue;
        if (!group || strcmp(group, commands[i].group) != 0)
            printf("\n%s:\n", commands[i].group);
        group = commands[i].group;
        printf("  %-18s%s\n", commands[i].name, commands[i].help);
    }
    puts("\n`holdfast COMMAND --help` says more; so does the manual, holdfast(1).\n"
         "Exit codes: 0 all well, 1 what was checked is not well, 2 usage or configuration,\n"
         "            3 could not be done now, 4 internal error.");
    return EXIT_WELL;
}
