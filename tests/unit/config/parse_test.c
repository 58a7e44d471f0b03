#include "config_test.h"

static const char design[] =
    "agent:\n"
    "  state_dir: /var/lib/holdfast\n"
    "  account: \"000000000000\"\n"
    "  region: local\n"
    "stores:\n"
    "  - { name: here, url: \"dir:///var/lib/holdfast/bucket\" }        # files at "
    "ROOT/BUCKET/KEY\n"
    "  - { name: main, url: \"https://minio.example:9000\", region: us-east-1, addressing: path,\n"
    "      ca_file: /etc/holdfast/ca.pem, credentials_file: /etc/holdfast/credentials }\n"
    "sources:\n"
    "  - { name: app, type: file, path: \"/var/log/app/*.jsonl\" }\n"
    "  - { name: local, type: socket, path: /run/holdfast/intake.sock }\n"
    "buckets:                                                 # lifecycle and retention are set "
    "per bucket\n"
    "  - name: audit-logs\n"
    "    store: main\n"
    "    policy: policies/starter\n"
    "    retention: { mode: governance, days: 1 }             # compliance cannot be undone by "
    "anyone\n"
    "trails:\n"
    "  - name: audit\n"
    "    bucket: audit-logs\n"
    "    window: { seconds: 300, max_bytes: 16MiB }\n"
    "    encryption: { type: cms, recipients: [/etc/holdfast/ops.pem, /etc/holdfast/escrow.pem] }\n"
    "    digest: { seconds: 3600, key_file: /etc/holdfast/digest.key }\n";

/* Everything but the agent's section and what stands under it. */
#define REST                                                                                       \
    "stores: [{ name: here, url: \"dir:///srv/bucket\" }]\n"                                       \
    "buckets: [{ name: logs, store: here, retention: none }]\n"                                    \
    "trails: [{ name: audit, bucket: logs, encryption: none, digest: { key_file: digest.key } "    \
    "}]\n"

static void
configuration_of_the_design_parses(void **state)
{
    (void)state;
    struct hf_config *config = parse_well(design);
    assert_string_equal(config->path, CONFIG_FILE);
    assert_int_equal(config->store_count, 2);
    assert_int_equal(config->source_count, 2);
    assert_int_equal(config->sources[1].type, HF_SOURCE_SOCKET);
    const struct hf_config_store *store = hf_config_store(config, "main");
    assert_non_null(store);
    assert_string_equal(store->ca_file, "/etc/holdfast/ca.pem");
    assert_int_equal(store->line, 7);
    const struct hf_config_bucket *bucket = hf_config_bucket(config, "audit-logs");
    assert_non_null(bucket);
    assert_string_equal(bucket->policy, "/etc/holdfast/policies/starter");
    assert_int_equal(bucket->retention_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(bucket->retention_days, 1);
    const struct hf_config_trail *trail = hf_config_trail(config, "audit");
    assert_non_null(trail);
    assert_int_equal(trail->line, 18);
    assert_int_equal(trail->encryption, HF_ENCRYPT_CMS);
    assert_int_equal(trail->recipients.count, 2);
    assert_string_equal(trail->recipients.items[1], "/etc/holdfast/escrow.pem");
    assert_int_equal(trail->window_max_bytes, 16 << 20);
    assert_null(hf_config_trail(config, "other"));
    hf_config_free(config);
}

static void
what_is_not_written_has_the_tables_default(void **state)
{
    (void)state;
    struct hf_config *config = parse_well(REST "sources: [{ name: app, type: file, path: /a }]\n");
    assert_string_equal(config->agent.state_dir, "/var/lib/holdfast");
    assert_string_equal(config->agent.control, "/var/lib/holdfast/control.sock");
    assert_string_equal(config->agent.account, "000000000000");
    assert_null(config->agent.host);
    assert_int_equal(config->agent.journal_max_bytes, 4ull << 30);
    assert_int_equal(config->agent.log_level, HF_LOG_INFO);
    assert_int_equal(config->stores[0].timeout_s, 60);
    assert_int_equal(config->stores[0].confirm, HF_CONFIRM_HEAD);
    assert_int_equal(config->sources[0].max_event, 1 << 20);
    assert_string_equal(config->sources[0].mode, "0660");
    assert_false(config->buckets[0].legal_hold);
    assert_int_equal(config->trails[0].retention_mode, HF_UNSET);
    assert_null(config->trails[0].prefix);
    assert_int_equal(config->trails[0].sources.count, 0);
    assert_string_equal(config->trails[0].digest_key_file, "/etc/holdfast/digest.key");
    hf_config_free(config);
}

static void
values_are_read_as_their_types(void **state)
{
    (void)state;
    struct hf_config *config = parse_well(
        "agent: { account: 123456789012, journal: { max_bytes: \"1GiB\", segment_bytes: 4194304 }, "
        "sealers: 3,\n"
        "         control: run/c.sock, log: { level: warn, format: json } }\n"
        "stores: [{ name: s, url: \"https://[::1]:9000\", timeout: 2m, checksum: 'sha256', "
        "connections: 64 }]\n"
        "sources: [{ name: s, type: socket, path: ../in.sock, mode: 0600, max_event: 8MiB }]\n"
        "buckets: [{ name: logs, store: s, retention: { days: 30, mode: compliance }, legal_hold: "
        "true,\n"
        "            tags: [a=b, \"c=d e\"] }]\n"
        "trails: [{ name: audit, bucket: logs, sources: [s], prefix: \"\", window: { seconds: 1 "
        "},\n"
        "           encryption: { type: sse-c, key_file: k }, digest: { key_file: d, seconds: 1h } "
        "}]\n");
    assert_string_equal(config->agent.account, "123456789012");
    assert_int_equal(config->agent.journal_max_bytes, 1 << 30);
    assert_int_equal(config->agent.journal_segment_bytes, 4 << 20);
    assert_int_equal(config->agent.sealers, 3);
    assert_string_equal(config->agent.control, "/etc/holdfast/run/c.sock");
    assert_int_equal(config->agent.log_level, HF_LOG_WARN);
    assert_int_equal(config->stores[0].timeout_s, 120);
    assert_int_equal(config->stores[0].checksum, HF_CHECKSUM_SHA256);
    assert_string_equal(config->sources[0].path, "/etc/holdfast/../in.sock");
    assert_string_equal(config->sources[0].mode, "0600");
    assert_true(config->buckets[0].legal_hold);
    assert_string_equal(config->buckets[0].tags.items[1], "c=d e");
    assert_string_equal(config->trails[0].prefix, "");
    assert_string_equal(config->trails[0].sse_c_key_file, "/etc/holdfast/k");
    assert_int_equal(config->trails[0].digest_s, 3600);
    hf_config_free(config);
}

static void
a_lone_word_stands_for_a_group_with_mode_or_type_first(void **state)
{
    (void)state;
    struct hf_config *config = parse_well("stores: [{ name: s, url: \"https://s3.example\" }]\n"
                                          "buckets: [{ name: logs, store: s, retention: none }]\n"
                                          "trails: [{ name: audit, bucket: logs, encryption: "
                                          "sse-s3, retention: { mode: governance, days: 2 },\n"
                                          "           digest: { key_file: d } }]\n");
    assert_int_equal(config->buckets[0].retention_mode, HF_LOCK_NONE);
    assert_int_equal(config->trails[0].encryption, HF_ENCRYPT_SSE_S3);
    assert_int_equal(hf_config_lock_mode(config, &config->trails[0]), HF_LOCK_GOVERNANCE);
    assert_int_equal(hf_config_lock_days(config, &config->trails[0]), 2);
    hf_config_free(config);
    expect_refused(REST "agent: { log: json }\n",
                   "4: agent.log: expected a mapping of level, format; found a single value");
}

static void
unknown_keys_are_named_with_what_was_meant(void **state)
{
    (void)state;
    expect_refused(
        REST "agent:\n  journal:\n    max_byte: 1GiB\n",
        "6: agent.journal.max_byte: unknown key; expected one of max_bytes, segment_bytes "
        "(did you mean 'max_bytes'?)");
    expect_refused(
        "stores:\n- { name: s, url: \"dir:///a\" }\nbuckets:\n- { name: logs, store: s, retention: "
        "none }\n"
        "trails:\n- name: audit\n  bucket: logs\n  encryption: none\n  window:\n    secods: 5\n",
        "10: trails[0].window.secods: unknown key; expected one of seconds, max_bytes "
        "(did you mean 'seconds'?)");
    expect_refused(
        REST "zebra: 1\n",
        "4: zebra: unknown key; expected one of agent, stores, sources, buckets, trails");
    expect_refused(REST "source: 1\n", "4: source: unknown key; expected one of agent, stores, "
                                       "sources, buckets, trails (did you mean "
                                       "'sources'?)");
    expect_refused(REST "agent: { journal.max_bytes: 1GiB }\n",
                   "4: agent.journal.max_bytes: unknown key; expected");
    expect_refused(REST "agent: { <<: { region: a } }\n", "4: agent.<<: unknown key");
    expect_refused(REST "agent: { \"a\\nb\": 1 }\n",
                   "4: agent.a?b: a control character in the text");
}

static void
wrong_types_are_errors(void **state)
{
    (void)state;
    expect_refused(REST "agent: { sealers: \"2\" }\n",
                   "4: agent.sealers: \"2\" in quotes is text; a number is written without them");
    expect_refused(REST "agent: { journal: { max_bytes: \"1073741824\" } }\n",
                   "4: agent.journal.max_bytes: \"1073741824\" in");
    expect_refused(REST "agent: { sealers: two }\n",
                   "4: agent.sealers: 'two' is not a whole number");
    expect_refused(REST "agent: { sealers: 65 }\n",
                   "4: agent.sealers: 65 is out of range; from 1 to 64");
    expect_refused(REST "agent: { sealers: -1 }\n", "4: agent.sealers: '-1' is not a whole number");
    expect_refused(REST "agent: { sealers: 99999999999999999999999 }\n", "4: agent.sealers: '9");
    expect_refused(REST "agent: { sealers: [1] }\n",
                   "4: agent.sealers: expected a single value, found a list");
    expect_refused(REST "agent: { sealers: }\n",
                   "4: agent.sealers: empty; write a value or leave the key out");
    expect_refused(REST "agent: { region: ~ }\n",
                   "4: agent.region: empty; write a value or leave the key out");
    expect_refused(REST "agent: { region: \"\" }\n",
                   "4: agent.region: '' has 0 characters; from 1 to 64 are possible");
    expect_refused(REST "agent: { account: \"123\" }\n",
                   "4: agent.account: '123' has 3 characters; it needs 12");
    expect_refused(REST "agent: { state_dir: \"\" }\n", "4: agent.state_dir: empty; write a path");
    expect_refused(REST "agent: { journal: { max_bytes: 4Gib } }\n",
                   "4: agent.journal.max_bytes: '4Gib' is not a size");
    expect_refused(REST "agent: { log: { level: loud } }\n",
                   "4: agent.log.level: 'loud' is not one of debug, info, warn, error");
    expect_refused(REST "agent: [region]\n", "4: agent: expected a mapping of state_dir, account");
    expect_refused(REST "sources: { name: app }\n",
                   "4: sources: expected a list of entries that begin with '- name:'");
    expect_refused(REST "sources: [app]\n", "4: sources[0]: expected a mapping of name, type");
    expect_refused(REST "sources: [{ name: a, type: file, path: /a, exclude: x }]\n",
                   "4: sources[0].exclude: expected a list, as in [a, b]; found a single value");
    expect_refused(REST "sources: [{ name: a, type: file, path: /a, exclude: [x, [y]] }]\n",
                   "4: sources[0].exclude[1]: expected a single value, found a list");
    expect_refused("stores: [{ name: s, url: \"dir:///a\" }]\n"
                   "buckets: [{ name: logs, store: s, retention: none, legal_hold: yes }]\n",
                   "2: buckets[0].legal_hold: 'yes' is not one of true, false");
    expect_refused(
        "- agent\n",
        "1: expected a mapping of agent, stores, sources, buckets, trails; found a list");
    expect_refused("agent\n", "1: expected a mapping of agent");
}

static void
what_has_to_be_written_is_asked_for(void **state)
{
    (void)state;
    expect_refused("stores:\n- name: s\n",
                   "2: stores[0].url: missing; it has to be written: https://HOST[:PORT]");
    expect_refused("sources:\n- name: s\n",
                   "2: sources[0].type: missing; write one of file, socket, stdin");
    expect_refused("buckets:\n- name: logs\n  store: s\n",
                   "2: buckets[0].retention: missing; write { mode: governance, days: 1 } or none");
    expect_refused(
        "buckets:\n- name: logs\n  store: s\n  retention: { days: 1 }\n",
        "2: buckets[0].retention.mode: missing; write one of none, governance, compliance");
    expect_refused("trails:\n- name: audit\n  bucket: logs\n",
                   "2: trails[0].encryption: missing; write { type: cms, recipients: [FILE] }, "
                   "another type, or none");
    expect_refused("trails:\n- name: audit\n  bucket: logs\n  encryption: none\n",
                   "2: trails[0].digest.key_file: missing; it has to be written: RSA private key");
    expect_refused("", "1: nothing is written here; `holdfast config sample` prints");
    expect_refused("# only a comment\n", "1: nothing is written here");
    expect_refused("agent: { region: here }\n",
                   "1: stores: missing; write at least one entry, as in - { name: here");
    expect_refused("stores: [{ name: s, url: \"dir:///a\" }]\nbuckets:\n",
                   "2: buckets: missing; write at least one entry");
    expect_refused("stores: [{ name: s, url: \"dir:///a\" }]\n"
                   "buckets: [{ name: logs, store: s, retention: none }]\ntrails: []\n",
                   "3: trails: missing; write at least one entry");
}

static void
surprising_yaml_is_refused(void **state)
{
    (void)state;
    expect_refused("agent: &a { region: x }\n",
                   "1: agent: anchors (&) and tags (!) are not understood");
    expect_refused("agent: { region: &a x }\n", "1: agent.region: anchors (&) and tags (!)");
    expect_refused("agent: { region: *a }\n", "1: agent.region: aliases (*) are not understood");
    expect_refused("agent: { sealers: !!int \"2\" }\n",
                   "1: agent.sealers: anchors (&) and tags (!)");
    expect_refused("agent: { !!str region: x }\n", "1: agent.region: anchors (&) and tags (!)");
    expect_refused("agent: { region: a }\nagent: { region: b }\n",
                   "2: agent: written twice; the first is in line 1");
    expect_refused("agent:\n  region: a\n  log: { level: info }\n  region: b\n",
                   "4: agent.region: written twice; the first is in line 2");
    expect_refused("agent: { region: \"a\\0b\" }\n",
                   "1: agent.region: a control character in the text");
    expect_refused("agent: { region: \"a\\x1b[2J\" }\n",
                   "1: agent.region: a control character in the text");
    expect_refused("agent: { region: a }\n---\nagent: { region: b }\n",
                   "2: a second document begins here");
    expect_refused("? [a]\n: b\n", "1: a key is a list or a mapping; it has to be a single word");
    expect_refused("agent: { *a : b }\n", "1: agent[0]: aliases (*) are not understood");
    expect_refused("agent: [\n", "2: not YAML: ");
    expect_refused("agent:\n  region: a\n bad\n", "3: not YAML: ");
    expect_refused("agent:\n  region: \xff\n", "2: not YAML: invalid leading UTF-8 octet");
}

static void
file_is_bounded(void **state)
{
    (void)state;
    expect_refused("agent: [[[[[[[[1]]]]]]]]\n",
                   "1: agent[0][0][0][0][0][0][0]: nested more than 8 deep");
    struct hf_buf text = HF_BUF(4 << 20);
    assert_int_equal(hf_buf_add_text(&text, "sources: ["), HF_OK);
    for (int i = 0; i < 257; i++)
        assert_int_equal(hf_buf_addf(&text, "\n{name: s%d},", i), HF_OK);
    assert_int_equal(hf_buf_add_text(&text, "]\n"), HF_OK);
    expect_refused(hf_buf_text(&text),
                   "258: sources[256]: one too many; at most 256 can stand here");
    hf_buf_reset(&text);
    assert_int_equal(hf_buf_add_text(&text, "agent: { region: x } #"), HF_OK);
    while (text.size <= 1 << 20)
        assert_int_equal(hf_buf_add_text(&text, "0123456789abcdef"), HF_OK);
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    assert_int_equal(hf_config_parse(hf_buf_slice(&text), CONFIG_FILE, &config, &err), HF_ECONFIG);
    assert_string_equal(err.text,
                        CONFIG_FILE ": larger than 1048576 bytes; a configuration is smaller");
    hf_buf_done(&text);
}

static void
number_of_values_is_bounded(void **state)
{
    (void)state;
    struct hf_buf text = HF_BUF(4 << 20);
    assert_int_equal(hf_buf_add_text(&text, "agent: ["), HF_OK);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(hf_buf_add_text(&text, i == 0 ? "[" : ",["), HF_OK);
        for (int j = 0; j < 256; j++)
            assert_int_equal(hf_buf_add_text(&text, "a,"), HF_OK);
        assert_int_equal(hf_buf_add_text(&text, "]\n"), HF_OK);
    }
    expect_refused(hf_buf_text(&text), "255: agent[254][255]: the file has more than 65536 values");
    hf_buf_done(&text);
}

static void
long_texts_do_not_hide_the_reason(void **state)
{
    (void)state;
    struct hf_buf text = HF_BUF(1 << 16);
    assert_int_equal(hf_buf_add_text(&text, "agent: { log: { level: "), HF_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(hf_buf_add_text(&text, "\xc3\xa4"), HF_OK);
    assert_int_equal(hf_buf_add_text(&text, " } }\n" REST), HF_OK);
    char path[600] = "/";
    memset(path + 1, 'p', sizeof(path) - 2);
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    assert_int_equal(hf_config_parse(hf_buf_slice(&text), path, &config, &err), HF_ECONFIG);
    assert_true(hf_starts_with(err.text, "...ppp"));
    assert_true(hf_ends_with(err.text, "...' is not one of debug, info, warn, error"));
    /* cut between characters, never inside one */
    assert_non_null(strstr(err.text, "\xc3\xa4...'"));
    hf_buf_done(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_of_the_design_parses),
        cmocka_unit_test(what_is_not_written_has_the_tables_default),
        cmocka_unit_test(values_are_read_as_their_types),
        cmocka_unit_test(a_lone_word_stands_for_a_group_with_mode_or_type_first),
        cmocka_unit_test(unknown_keys_are_named_with_what_was_meant),
        cmocka_unit_test(wrong_types_are_errors),
        cmocka_unit_test(what_has_to_be_written_is_asked_for),
        cmocka_unit_test(surprising_yaml_is_refused),
        cmocka_unit_test(file_is_bounded),
        cmocka_unit_test(number_of_values_is_bounded),
        cmocka_unit_test(long_texts_do_not_hide_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
