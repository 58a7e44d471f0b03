#include "tests/support/test.h"

#include "agent/cli/commands.h"
#include "agent/cli/keys.h"

#include <holdfast/json.h>

static char folder[256];
static struct hf_config *config;

static int
make_folder(void **state)
{
    struct hf_error err = { 0 };
    (void)state;
    hf_test_tempdir(folder);
    char *path = hf_asprintf("%s/h.yaml", folder), *key = hf_asprintf("%s/digest.key", folder);
    enum hf_status status = hf_config_parse(
        hf_slice_text("agent: {state_dir: ., host: host1}\nstores: [{name: s, url: "
                      "\"dir:///srv/b\"}]\nsources: [{name: app, type: file, path: /a}]\n"
                      "buckets: [{name: logs, store: s, retention: none}]\ntrails: [{name: audit, "
                      "bucket: logs, encryption: none, digest: {key_file: digest.key}},"
                      "{name: other, bucket: logs, prefix: x, encryption: none, digest: {key_file: "
                      "digest.key}}]\n"),
        path, &config, &err);
    if (status == HF_OK)
        status = hf_signer_create(key, 2048, &err);
    if (status != HF_OK)
        fprintf(stderr, "%s\n", err.text);
    free(path);
    free(key);
    return status == HF_OK ? 0 : -1;
}

static int
remove_folder(void **state)
{
    (void)state;
    hf_config_free(config);
    hf_test_tempdir_remove(folder);
    return 0;
}

static struct hf_verifier *
trail_key(void)
{
    struct hf_verifier *verifier = NULL;
    struct hf_error err = { 0 };
    if (public_half(config->trails[0].digest_key_file, &verifier, &err) != HF_OK)
        fail_msg("%s", err.text);
    return verifier;
}

static json_t *
registry_now(void)
{
    json_t *registry = NULL;
    struct hf_error err = { 0 };
    if (registry_load(config, &registry, &err) != HF_OK)
        fail_msg("%s", err.text);
    return registry;
}

static void
without_a_registry_the_files_time_counts(void **state)
{
    json_t *doc = NULL;
    struct hf_error err = { 0 };
    (void)state;
    assert_int_equal(keys_doc(config, &doc, &err), HF_OK);
    const json_t *keys = json_object_get(doc, "keys"), *key = json_array_get(keys, 0);
    assert_int_equal(json_array_size(keys), 1); /* two trails, one key */
    assert_int_equal(json_array_size(json_object_get(key, "trails")), 2);
    assert_true(json_is_false(json_object_get(key, "registered")));
    assert_true(json_is_null(json_object_get(key, "valid_to")));
    int64_t from_s;
    assert_true(hf_time_parse_rfc3339(hf_doc_text_or(key, "valid_from", ""), &from_s));
    assert_in_range(from_s, hf_wall_s() - 600, hf_wall_s());
    assert_int_equal(hf_doc_u64_or(doc, "schema", 0), 1);
    json_decref(doc);
}

static void
a_registered_key_is_the_same_key(void **state)
{
    struct hf_error err = { 0 };
    struct hf_verifier *verifier = trail_key(), *back = NULL;
    json_t *registry = registry_now(), *doc = NULL;
    (void)state;
    assert_int_equal(
        registry_note(registry, verifier, config->trails[0].digest_key_file, 1000000000, &err),
        HF_OK);
    assert_int_equal(
        registry_note(registry, verifier, config->trails[0].digest_key_file, 2000000000, &err),
        HF_OK); /* known: not twice */
    assert_int_equal(registry_save(config, registry, &err), HF_OK);
    json_decref(registry);

    registry = registry_now();
    json_t *entry = registry_find(registry, hf_verifier_fingerprint(verifier));
    assert_non_null(entry);
    assert_int_equal(json_array_size(json_object_get(registry, "keys")), 1);
    assert_string_equal(hf_doc_text_or(entry, "valid_from", ""), "2001-09-09T01:46:40Z");
    assert_int_equal(registry_verifier(entry, &back, &err), HF_OK);
    assert_string_equal(hf_verifier_fingerprint(back), hf_verifier_fingerprint(verifier));
    json_decref(registry);

    assert_int_equal(keys_doc(config, &doc, &err), HF_OK);
    const json_t *key = json_array_get(json_object_get(doc, "keys"), 0);
    assert_int_equal(json_array_size(json_object_get(doc, "keys")), 1);
    assert_true(json_is_true(json_object_get(key, "registered")));
    assert_string_equal(hf_doc_text_or(key, "valid_from", ""), "2001-09-09T01:46:40Z");
    json_decref(doc);
    hf_verifier_free(back);
    hf_verifier_free(verifier);
}

static void
a_key_under_another_fingerprint_is_refused(void **state)
{
    struct hf_error err = { 0 };
    struct hf_verifier *verifier = trail_key(), *back = NULL;
    json_t *registry = json_pack("{s:[]}", "keys");
    (void)state;
    assert_int_equal(registry_note(registry, verifier, "f", 0, &err), HF_OK);
    json_t *entry = json_array_get(json_object_get(registry, "keys"), 0);
    hf_doc_set_text(entry, "fingerprint",
                    "0000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(registry_verifier(entry, &back, &err), HF_ECORRUPT);
    hf_doc_set_text(entry, "public_key", "QQ==");
    assert_int_equal(registry_verifier(entry, &back, &err), HF_EFORMAT);
    assert_null(back);
    json_decref(registry);
    hf_verifier_free(verifier);
}

static void
the_public_file_stands_in_for_the_private_one(void **state)
{
    struct hf_error err = { 0 };
    struct hf_signer *signer = NULL;
    struct hf_verifier *verifier = NULL;
    struct hf_buf pem = HF_BUF(64 << 10);
    char *key = hf_asprintf("%s/digest.key", folder), *away = hf_asprintf("%s/away.key", folder),
         *beside = hf_asprintf("%s.pub", away);
    (void)state;
    assert_int_equal(public_half(away, &verifier, &err), HF_ENOTFOUND);
    assert_int_equal(hf_signer_load(key, &signer, &err), HF_OK);
    assert_int_equal(hf_signer_public_pem(signer, &pem), HF_OK);
    assert_int_equal(hf_fs_replace(beside, pem.ptr, pem.size, 0644, &err), HF_OK);
    assert_int_equal(public_half(away, &verifier, &err), HF_OK);
    assert_string_equal(hf_verifier_fingerprint(verifier), hf_signer_fingerprint(signer));
    hf_verifier_free(verifier);
    hf_signer_free(signer);
    hf_buf_done(&pem);
    free(key);
    free(away);
    free(beside);
}

static void
a_broken_registry_is_said(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "{\"schema\":2,\"keys\":[]}", "{\"schema\":1}", "{\"schema\":1,\"keys\":{}}"
    };
    char *path = hf_asprintf("%s/keys.json", folder);
    (void)state;
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        struct hf_error err = { 0 };
        json_t *registry = NULL;
        assert_int_equal(hf_fs_replace(path, texts[i], strlen(texts[i]), 0644, &err), HF_OK);
        assert_int_not_equal(registry_load(config, &registry, &err), HF_OK);
        assert_non_null(strstr(err.text, "registry"));
        assert_null(registry);
    }
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void
rotating_keeps_the_old_key_beside_the_new(void **state)
{
    char *words[] = { (char *)"key", (char *)"rotate" }, *key = hf_asprintf("%s/turn.key", folder);
    struct hf_verifier *old = NULL, *fresh = NULL, *earlier[PINS_MAX];
    struct hf_error err = { 0 };
    size_t used;
    (void)state;
    assert_int_equal(hf_signer_create(key, 2048, &err), HF_OK);
    assert_int_equal(public_half(key, &old, &err), HF_OK);
    assert_int_equal(earlier_keys(key, earlier, PINS_MAX), 0);
    struct options options = { .command = command_find(words, 2, &used),
                               .args = { key },
                               .arg_count = 1,
                               .bits = 2048,
                               .config = "/nowhere/h.yaml" };
    assert_int_equal(cmd_key_rotate(&options), EXIT_WELL);
    assert_int_equal(public_half(key, &fresh, &err), HF_OK);
    assert_string_not_equal(hf_verifier_fingerprint(fresh), hf_verifier_fingerprint(old));
    assert_int_equal(earlier_keys(key, earlier, PINS_MAX), 1);
    assert_string_equal(hf_verifier_fingerprint(earlier[0]), hf_verifier_fingerprint(old));
    hf_verifier_free(earlier[0]);
    assert_int_equal(cmd_key_rotate(&options), EXIT_WELL);
    assert_int_equal(earlier_keys(key, earlier, 1), 1); /* never more than there is room for */
    hf_verifier_free(earlier[0]);
    hf_verifier_free(old);
    hf_verifier_free(fresh);
    free(key);
}

static void
an_interrupted_rotation_is_said(void **state)
{
    char *words[] = { (char *)"key", (char *)"rotate" }, *key = hf_asprintf("%s/stuck.key", folder),
         *fresh = hf_asprintf("%s.new", key);
    struct hf_verifier *before = NULL, *after = NULL;
    struct hf_error err = { 0 };
    size_t used;
    (void)state;
    assert_int_equal(hf_signer_create(key, 2048, &err), HF_OK);
    assert_int_equal(hf_signer_create(fresh, 2048, &err),
                     HF_OK); /* as a crash before the rename leaves it */
    assert_int_equal(public_half(key, &before, &err), HF_OK);
    struct options options = { .command = command_find(words, 2, &used),
                               .args = { key },
                               .arg_count = 1,
                               .bits = 2048,
                               .config = "/nowhere/h.yaml" };
    assert_int_equal(cmd_key_rotate(&options), EXIT_NOT_WELL);
    assert_int_equal(public_half(key, &after, &err), HF_OK);
    assert_string_equal(hf_verifier_fingerprint(before), hf_verifier_fingerprint(after));
    hf_verifier_free(before);
    hf_verifier_free(after);
    free(key);
    free(fresh);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_registry_the_files_time_counts),
        cmocka_unit_test(a_registered_key_is_the_same_key),
        cmocka_unit_test(a_key_under_another_fingerprint_is_refused),
        cmocka_unit_test(the_public_file_stands_in_for_the_private_one),
        cmocka_unit_test(a_broken_registry_is_said),
        cmocka_unit_test(rotating_keeps_the_old_key_beside_the_new),
        cmocka_unit_test(an_interrupted_rotation_is_said),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
