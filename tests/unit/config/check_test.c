#include "config_test.h"

/* One configuration that is right, in which a test replaces a section. */
struct parts {
    const char *agent, *stores, *sources, *buckets, *trails;
};

static char *
text_of(struct parts parts)
{
    return hf_asprintf(
        "agent: {%s}\nstores: [%s]\nsources: [%s]\nbuckets: [%s]\ntrails: [%s]\n",
        parts.agent ? parts.agent : "",
        parts.stores
            ? parts.stores
            : "{name: dir, url: \"dir:///srv/b\"}, {name: s3, url: \"https://s3.example\"}, "
              "{name: plain, url: \"http://s3.example:80\"}",
        parts.sources ? parts.sources : "{name: app, type: file, path: /a}",
        parts.buckets ? parts.buckets
                      : "{name: logs, store: dir, retention: none}, "
                        "{name: held, store: s3, retention: {mode: governance, days: 7}}, "
                        "{name: open, store: plain, retention: none}",
        parts.trails ? parts.trails
                     : "{name: audit, bucket: logs, encryption: none, digest: {key_file: d}}");
}

static void
refused(struct parts parts, const char *expected)
{
    char *text = text_of(parts);
    expect_refused(text, expected);
    free(text);
}

static void
accepted(struct parts parts)
{
    char *text = text_of(parts);
    hf_config_free(parse_well(text));
    free(text);
}

#define TRAIL(members) .trails = "{name: audit, digest: {key_file: d}, " members "}"
#define STORE(members)                                                                             \
    .stores = "{name: dir, url: \"dir:///srv/b\"}, {name: plain, url: \"http://h\"}, {name: "      \
              "s3, " members "}"
#define BUCKET(members) .buckets = "{name: logs, store: dir, " members "}"
#define SOURCE(members) .sources = "{name: app, " members "}"

static void
agent_names_have_an_allow_list(void **state)
{
    (void)state;
    refused((struct parts){ .agent = "account: \"12345678901a\"" },
            "1: agent.account: '12345678901a' has to be 12 digits");
    refused((struct parts){ .agent = "region: eu/1" },
            "1: agent.region: 'eu/1' may have letters, digits and '-' only");
    refused((struct parts){ .agent = "region: -eu" },
            "1: agent.region: '-eu' has to begin and end");
    refused((struct parts){ .agent = "organization: x-abc" },
            "1: agent.organization: 'x-abc' has to be 'o-'");
    refused((struct parts){ .agent = "organization: o-AB" },
            "1: agent.organization: 'o-AB' has to be 'o-'");
    refused((struct parts){ .agent = "host: a/b" }, "1: agent.host: 'a/b' may have letters");
    refused((struct parts){ .agent = "host: .." },
            "1: agent.host: '..' has to begin with a letter or a digit");
    refused((struct parts){ .agent = "journal: {max_bytes: 64MiB}" },
            "1: agent.journal.max_bytes: 67108864 bytes hold fewer than two segments of 67108864");
    refused(
        (struct parts){
            .agent = "state_dir: "
                     "/0123456789012345678901234567890123456789012345678901234567890123456789/"
                     "0123456789012345678901234567890123456789" },
        "1: agent.control: '/0123");
    accepted((struct parts){
        .agent =
            "account: 123456789012, region: eu-west-1, organization: o-a1b2c3d4e5, host: h-1.x" });
}

static void
metrics_are_on_the_loopback_only(void **state)
{
    (void)state;
    refused((struct parts){ .agent = "metrics: 0.0.0.0:9187" },
            "1: agent.metrics: '0.0.0.0:9187' is not of this host's loopback");
    refused((struct parts){ .agent = "metrics: \"[::]:9187\"" },
            "1: agent.metrics: '[::]:9187' is not of this host's loopback");
    refused((struct parts){ .agent = "metrics: 127.0.0.1" },
            "1: agent.metrics: '127.0.0.1' is not ADDRESS:PORT; write 127.0.0.1:9187");
    refused((struct parts){ .agent = "metrics: 127.0.0.1:0" },
            "1: agent.metrics: '127.0.0.1:0' is not ADDRESS:PORT");
    refused((struct parts){ .agent = "metrics: a.example:9187" },
            "1: agent.metrics: 'a.example:9187' is not ADDRESS:PORT");
    accepted((struct parts){ .agent = "metrics: 127.0.0.1:9187" });
    accepted((struct parts){ .agent = "metrics: \"[::1]:9187\"" });
    accepted((struct parts){ .agent = "metrics: localhost:9187" });
}

static void
names_are_unique_and_plain(void **state)
{
    (void)state;
    refused(
        (struct parts){ .stores = "{name: s, url: \"dir:///a\"}, {name: s, url: \"dir:///b\"}" },
        "2: stores[1].name: 's' is the name of stores[0] already");
    refused((struct parts){ .stores = "{name: a/b, url: \"dir:///a\"}" },
            "2: stores[0].name: 'a/b' may have");
    refused(
        (struct parts){ .sources =
                            "{name: s, type: file, path: /a}, {name: s, type: file, path: /b}" },
        "3: sources[1].name: 's' is the name of sources[0] already");
    refused((struct parts){ .sources = "{name: holdfast, type: stdin}" },
            "3: sources[0].name: 'holdfast' is the source of the agent's own events");
    refused((struct parts){ .buckets = "{name: logs, store: dir, retention: none}, {name: logs, "
                                       "store: s3, retention: none}" },
            "4: buckets[1].name: 'logs' is the name of buckets[0] already");
    refused(
        (struct parts){ .trails =
                            "{name: a.b, bucket: logs, encryption: none, digest: {key_file: d}}, "
                            "{name: a.b, bucket: logs, encryption: none, digest: {key_file: d}}" },
        "5: trails[1].name: 'a.b' is the name of trails[0] already");
    refused(
        (struct parts){
            .trails = "{name: a_local_b, bucket: logs, encryption: none, digest: {key_file: d}}" },
        "5: trails[0].name: 'a_local_b': Trail name must not contain '_local_'");
}

static void
references_exist(void **state)
{
    (void)state;
    refused((struct parts){ .buckets = "{name: logs, store: none, retention: none}" },
            "4: buckets[0].store: there is no 'none' under stores; there is dir, s3, plain");
    refused((struct parts){ TRAIL("bucket: other, encryption: none") },
            "5: trails[0].bucket: there is no 'other' under buckets; there is logs, held, open");
    refused((struct parts){ TRAIL("bucket: logs, encryption: none, sources: [app, web]") },
            "5: trails[0].sources: there is no 'web' under sources; there is app");
    refused(
        (struct parts){ .sources = " ", TRAIL("bucket: logs, encryption: none, sources: [web]") },
        "5: trails[0].sources: there is no 'web' under sources, which is empty");
    refused((struct parts){ TRAIL("bucket: logs, encryption: none, sources: [app, app]") },
            "5: trails[0].sources: 'app' stands there twice");
    refused((struct parts){ TRAIL("bucket: logs, encryption: none, sources: []") },
            "5: trails[0].sources: an empty list; leave the key out for all sources");
    accepted((struct parts){ .sources = " " });
}

static void
store_urls_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://h",          "http://h:1",       "https://a-b.c_d:65535",
        "https://[::1]:9000", "https://10.0.0.1", "dir:///a/b.c/..d"
    };
    for (size_t i = 0; i < HF_COUNT(good); i++) {
        char *store = hf_asprintf("{name: dir, url: \"%s\"}", good[i]);
        accepted((struct parts){ .stores = store,
                                 .buckets = "{name: logs, store: dir, retention: none}" });
        free(store);
    }
    static const struct {
        const char *url, *why;
    } bad[] = {
        { "s3://bucket/", "is not https://HOST" },
        { "https://u:p@h", "has credentials in it" },
        { "https://h/", "has something after the host" },
        { "https://h/bucket", "has something after the host" },
        { "https://h?x=1", "has something after the host" },
        { "https://:9000", "has no valid host" },
        { "https://[::1", "has no valid host" },
        { "https://h h", "has no valid host" },
        { "https://h:0", "has no valid port" },
        { "https://h:65536", "has no valid port" },
        { "https://h:", "has no valid port" },
        { "https://h:9x", "has no valid port" },
        { "dir://srv/b", "is no absolute directory" },
        { "dir:////a", "begins with '//'" },
        { "dir:///a/../b", "has '.' or '..'" },
        { "dir:///a/.", "has '.' or '..'" },
    };
    for (size_t i = 0; i < HF_COUNT(bad); i++) {
        char *store = hf_asprintf("{name: dir, url: \"%s\"}", bad[i].url);
        char *expected = hf_asprintf("2: stores[0].url: '%s' %s", bad[i].url, bad[i].why);
        refused((struct parts){ .stores = store }, expected);
        free(store);
        free(expected);
    }
}

static void
store_options_fit_the_kind_of_store(void **state)
{
    (void)state;
    static const char *const s3_only[][2] = {
        { "region", "x" },     { "addressing", "path" },
        { "ca_file", "x" },    { "credentials_file", "x" },
        { "profile", "x" },    { "confirm", "put" },
        { "checksum", "md5" }, { "proxy", "\"http://p:1\"" },
        { "timeout", "5s" },   { "connections", "1" },
    };
    for (size_t i = 0; i < HF_COUNT(s3_only); i++) {
        char *store =
            hf_asprintf("{name: dir, url: \"dir:///b\", %s: %s}", s3_only[i][0], s3_only[i][1]);
        char *expected =
            hf_asprintf("2: stores[0].%s: is for https:// and http:// stores only", s3_only[i][0]);
        refused((struct parts){ .stores = store }, expected);
        free(store);
        free(expected);
    }
    refused((struct parts){ STORE("url: \"https://h\", worm: filer") },
            "2: stores[2].worm: is for dir:// stores only");
    refused((struct parts){ STORE("url: \"http://h\", ca_file: x") },
            "2: stores[2].ca_file: plain http:// has no");
    refused((struct parts){ STORE("url: \"https://1.2.3.4:9000\", addressing: virtual") },
            "2: stores[2].addressing: virtual puts the bucket before a host name");
    refused((struct parts){ STORE("url: \"https://[::1]\", addressing: virtual") },
            "2: stores[2].addressing: virtual");
    refused((struct parts){ STORE("url: \"https://h\", proxy: \"socks5://p:1\"") },
            "2: stores[2].proxy: 'socks5://p:1' is");
    refused((struct parts){ STORE("url: \"https://h\", proxy: \"http://u:p@p\"") },
            "2: stores[2].proxy: 'http://u:p@p' has");
    refused((struct parts){ STORE("url: \"https://h\", region: \"a b\"") },
            "2: stores[2].region: 'a b' may have");
    refused((struct parts){ STORE("url: \"https://h\", profile: \"a]\"") },
            "2: stores[2].profile: 'a]' may not");
    refused((struct parts){ STORE("url: \"https://h\", confirm: maybe") },
            "2: stores[2].confirm: 'maybe' is not one of head, put");
    accepted((struct parts){ .stores = "{name: dir, url: \"dir:///srv/b\", worm: filer}",
                             .buckets = "{name: logs, store: dir, retention: none}" });
}

static void
sources_have_what_their_type_needs(void **state)
{
    (void)state;
    refused((struct parts){ SOURCE("type: file") },
            "3: sources[0].path: missing; write the file's path, or a glob");
    refused((struct parts){ SOURCE("type: socket") },
            "3: sources[0].path: missing; write where the socket is made");
    refused((struct parts){ SOURCE("type: stdin, path: /a") },
            "3: sources[0].path: is for file and socket sources only");
    refused((struct parts){ SOURCE("type: file, path: /a, mode: \"0600\"") },
            "3: sources[0].mode: is for socket sources only");
    refused((struct parts){ SOURCE("type: file, path: /a, group: adm") },
            "3: sources[0].group: is for socket sources only");
    refused((struct parts){ SOURCE("type: file, path: '/a/*.{log,txt}'") },
            "3: sources[0].path: '/a/*.{log,txt}' has braces");
    refused((struct parts){ SOURCE("type: file, path: /a, exclude: ['*.gz', '*.{xz,zst}']") },
            "3: sources[0].exclude: '*.{xz,zst}' has braces");
    refused((struct parts){ SOURCE("type: socket, path: /a, exclude: [b]") },
            "3: sources[0].exclude: is for file sources only");
    refused((struct parts){ SOURCE("type: stdin, start: end") },
            "3: sources[0].start: is for file sources only");
    refused((struct parts){ SOURCE("type: socket, path: /a, mode: \"0888\"") },
            "3: sources[0].mode: '0888' is not octal");
    refused((struct parts){ SOURCE("type: socket, path: /a, mode: 4755") },
            "3: sources[0].mode: '4755' is not octal");
    refused((struct parts){ SOURCE("type: socket, path: /a, group: \"a b\"") },
            "3: sources[0].group: 'a b' may have");
    refused((struct parts){ SOURCE("type: socket, path: /var/lib/holdfast/control.sock") },
            "3: sources[0].path: '/var/lib/holdfast/control.sock' is the agent's control socket");
    refused((struct parts){ SOURCE(
                "type: socket, path: /012345678901234567890123456789012345678901234567890123456789"
                "01234567890123456789012345678901234567890123456789") },
            "3: sources[0].path: '/0123456789");
    refused((struct parts){ .sources = "{name: a, type: stdin}, {name: b, type: stdin}" },
            "3: sources[1].type: stdin is read by source 'a' already");
    refused(
        (struct parts){ .sources =
                            "{name: a, type: file, path: /x}, {name: b, type: file, path: /x}" },
        "3: sources[1].path: '/x' is the path of source 'a' already");
    accepted((struct parts){
        .sources =
            "{name: a, type: stdin}, {name: b, type: socket, path: /s, mode: 660, group: adm}" });
}

static void
bucket_names_follow_s3s_rules(void **state)
{
    (void)state;
    static const char *const bad[] = { "Logs",    "a_b",     "-ab",       "ab-",     "a..b",
                                       "1.2.3.4", "xn--abc", "a-s3alias", "sthree-a" };
    for (size_t i = 0; i < HF_COUNT(bad); i++) {
        char *bucket = hf_asprintf("{name: %s, store: dir, retention: none}", bad[i]);
        char *expected = hf_asprintf("4: buckets[0].name: '%s' ", bad[i]);
        refused((struct parts){ .buckets = bucket }, expected);
        free(bucket);
        free(expected);
    }
    refused((struct parts){ .buckets = "{name: ab, store: dir, retention: none}" },
            "4: buckets[0].name: 'ab' has 2 characters; from 3 to 63 are possible");
}

static void
bucket_retention_is_whole_or_none(void **state)
{
    (void)state;
    refused((struct parts){ BUCKET("retention: governance") },
            "4: buckets[0].retention.days: missing; write how many days");
    refused((struct parts){ BUCKET("retention: {mode: compliance, days: 0}") },
            "4: buckets[0].retention.days: missing");
    refused((struct parts){ BUCKET("retention: {mode: none, days: 3}") },
            "4: buckets[0].retention.days: mode none has no days");
    refused((struct parts){ BUCKET("retention: {mode: governance, days: 36501}") },
            "4: buckets[0].retention.days: 36501 is out");
    refused((struct parts){ BUCKET("retention: forever") },
            "4: buckets[0].retention: 'forever' is not one of none, governance, compliance");
}

static void
bucket_tags_are_key_and_value(void **state)
{
    (void)state;
    refused((struct parts){ BUCKET("retention: none, tags: [team]") },
            "4: buckets[0].tags: 'team' is not KEY=VALUE");
    refused((struct parts){ BUCKET("retention: none, tags: [=x]") },
            "4: buckets[0].tags: '=x' is not KEY=VALUE");
    refused((struct parts){ BUCKET("retention: none, tags: [a=1, a=2]") },
            "4: buckets[0].tags: the key of 'a=2' stands");
    refused((struct parts){ BUCKET("retention: none, tags: [\"aws:a=1\"]") },
            "4: buckets[0].tags: 'aws:a=1' begins with");
    accepted((struct parts){ BUCKET("retention: none, tags: [a=1, ab=2, b=]") });
}

static void
trail_prefix_cannot_leave_its_place(void **state)
{
    (void)state;
    static const char *const bad[] = { "/a",     "a/",  "a//b",      "..",
                                       "a/../b", "./a", "a\xc3\xa4", "a'\\'b" };
    for (size_t i = 0; i < HF_COUNT(bad); i++) {
        char *trail = hf_asprintf(
            "{name: audit, bucket: logs, encryption: none, digest: {key_file: d}, prefix: %s}",
            bad[i]);
        refused((struct parts){ .trails = trail }, "5: trails[0].prefix: '");
        free(trail);
    }
    accepted((struct parts){ TRAIL("bucket: logs, encryption: none, prefix: a/..b/c.d") });
}

static void
trail_retention_only_grows(void **state)
{
    (void)state;
    refused((struct parts){ TRAIL("bucket: held, encryption: none, retention: none") },
            "5: trails[0].retention: NONE is weaker than the GOVERNANCE of bucket 'held'");
    refused((struct parts){ TRAIL("bucket: held, encryption: none, retention: {days: 6}") },
            "5: trails[0].retention.days: 6 is shorter than the 7 days of bucket 'held'");
    refused((struct parts){ TRAIL("bucket: logs, encryption: none, retention: {days: 6}") },
            "5: trails[0].retention.days: neither the trail nor bucket 'logs' has a mode");
    refused((struct parts){ TRAIL("bucket: logs, encryption: none, retention: governance") },
            "5: trails[0].retention.days: missing; bucket 'logs' has no days");
    accepted(
        (struct parts){ TRAIL("bucket: held, encryption: none, retention: {mode: compliance}") });
    accepted((struct parts){
        TRAIL("bucket: held, encryption: none, retention: {mode: governance, days: 7}") });
    accepted((struct parts){ TRAIL("bucket: logs, encryption: none, retention: none") });
}

static void
lock_is_the_longer_of_bucket_and_trail(void **state)
{
    (void)state;
    char *text = text_of((struct parts){
        .trails = "{name: one, bucket: held, encryption: none, digest: {key_file: d}}, "
                  "{name: two, bucket: held, encryption: none, digest: {key_file: d}, retention: "
                  "{days: 30}}, "
                  "{name: three, bucket: held, encryption: none, digest: {key_file: d}, retention: "
                  "compliance}" });
    struct hf_config *config = parse_well(text);
    assert_int_equal(hf_config_lock_mode(config, hf_config_trail(config, "one")),
                     HF_LOCK_GOVERNANCE);
    assert_int_equal(hf_config_lock_days(config, hf_config_trail(config, "one")), 7);
    assert_int_equal(hf_config_lock_days(config, hf_config_trail(config, "two")), 30);
    assert_int_equal(hf_config_lock_mode(config, hf_config_trail(config, "two")),
                     HF_LOCK_GOVERNANCE);
    assert_int_equal(hf_config_lock_mode(config, hf_config_trail(config, "three")),
                     HF_LOCK_COMPLIANCE);
    assert_int_equal(hf_config_lock_days(config, hf_config_trail(config, "three")), 7);
    hf_config_free(config);
    free(text);
}

static void
encryption_fits_its_store_and_has_its_keys(void **state)
{
    (void)state;
    refused((struct parts){ TRAIL("bucket: held, encryption: cms") },
            "5: trails[0].encryption.recipients: missing; cms needs a list");
    refused((struct parts){ TRAIL("bucket: held, encryption: {type: cms, recipients: []}") },
            "5: trails[0].encryption.recipients: missing; cms needs a list");
    refused((struct parts){ TRAIL("bucket: held, encryption: sse-c") },
            "5: trails[0].encryption.key_file: missing; sse-c");
    refused((struct parts){ TRAIL("bucket: held, encryption: {type: none, recipients: [a]}") },
            "5: trails[0].encryption.recipients: is for type cms only, and the type is none");
    refused((struct parts){ TRAIL(
                "bucket: held, encryption: {type: cms, recipients: [a], key_file: k}") },
            "5: trails[0].encryption.key_file: is for type sse-c only, and the type is cms");
    refused((struct parts){ TRAIL("bucket: held, encryption: {type: sse-s3, kms_key_id: k}") },
            "5: trails[0].encryption.kms_key_id: is for type sse-kms only, and the type is sse-s3");
    refused(
        (struct parts){ TRAIL("bucket: held, encryption: {type: sse-kms, kms_key_id: \"a b\"}") },
        "5: trails[0].encryption.kms_key_id: may have printable ASCII");
    refused((struct parts){ TRAIL("bucket: logs, encryption: sse-s3") },
            "5: trails[0].encryption: sse-s3 is done by an S3 store, and 'dir' is a directory");
    refused((struct parts){ TRAIL("bucket: open, encryption: {type: sse-c, key_file: k}") },
            "5: trails[0].encryption.type: sse-c is sent over https:// only, and store 'plain' is "
            "http://s3.example:80");
    refused((struct parts){ TRAIL("bucket: open, encryption: sse-kms") },
            "5: trails[0].encryption: sse-kms is sent over");
    accepted((struct parts){ TRAIL("bucket: logs, encryption: {type: cms, recipients: [a.pem]}") });
    accepted((struct parts){ TRAIL("bucket: open, encryption: {type: cms, recipients: [a.pem]}") });
    accepted((struct parts){ TRAIL("bucket: held, encryption: {type: sse-c, key_file: k}") });
    accepted((struct parts){ TRAIL("bucket: held, encryption: sse-kms") });
    accepted((struct parts){ TRAIL("bucket: open, encryption: sse-s3") });
}

static void
names_fit_into_a_directorys_file_names(void **state)
{
    (void)state;
    char name[129];
    memset(name, 'n', 128);
    name[128] = '\0';
    char *on_dir =
        hf_asprintf("{name: %s, bucket: logs, encryption: none, digest: {key_file: d}}", name);
    char *on_s3 =
        hf_asprintf("{name: %s, bucket: held, encryption: none, digest: {key_file: d}}", name);
    const char *agent = "region: r12345678901234567890123456789012345678901234567890";
    refused((struct parts){ .agent = agent, .trails = on_dir },
            "5: trails[0].name: with this region its digests' file names");
    accepted((struct parts){ .agent = agent, .trails = on_s3 });
    accepted((struct parts){ .trails = on_dir });
    free(on_dir);
    free(on_s3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agent_names_have_an_allow_list),
        cmocka_unit_test(metrics_are_on_the_loopback_only),
        cmocka_unit_test(names_are_unique_and_plain),
        cmocka_unit_test(references_exist),
        cmocka_unit_test(store_urls_are_checked),
        cmocka_unit_test(store_options_fit_the_kind_of_store),
        cmocka_unit_test(sources_have_what_their_type_needs),
        cmocka_unit_test(bucket_names_follow_s3s_rules),
        cmocka_unit_test(bucket_retention_is_whole_or_none),
        cmocka_unit_test(bucket_tags_are_key_and_value),
        cmocka_unit_test(trail_prefix_cannot_leave_its_place),
        cmocka_unit_test(trail_retention_only_grows),
        cmocka_unit_test(lock_is_the_longer_of_bucket_and_trail),
        cmocka_unit_test(encryption_fits_its_store_and_has_its_keys),
        cmocka_unit_test(names_fit_into_a_directorys_file_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
