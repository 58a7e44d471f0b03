#include "config_test.h"

#include <sys/stat.h>
#include <unistd.h>

static const char small[] =
    "stores: [{ name: here, url: \"dir:///srv/bucket\" }]\n"
    "buckets: [{ name: logs, store: here, policy: p/starter, retention: none }]\n"
    "trails: [{ name: audit, bucket: logs, encryption: none, digest: { key_file: d.key } }]\n";

struct place {
    char folder[64];
    char file[96];
    char *before;
};

static int
make_place(void **state)
{
    struct place *place = hf_alloc(sizeof(*place));
    const char *tmp = getenv("TMPDIR");
    snprintf(place->folder, sizeof(place->folder), "%.40s/hf-config-XXXXXX", tmp ? tmp : "/tmp");
    place->before = getcwd(NULL, 0);
    if (!mkdtemp(place->folder) || !place->before)
        return -1;
    snprintf(place->file, sizeof(place->file), "%s/holdfast.yaml", place->folder);
    *state = place;
    return hf_fs_replace(place->file, small, sizeof(small) - 1, 0644, NULL) == HF_OK ? 0 : -1;
}

static int
remove_place(void **state)
{
    struct place *place = *state;
    int failed = chdir(place->before);
    unlink(place->file);
    rmdir(place->folder);
    free(place->before);
    free(place);
    return failed;
}

static void
paths_are_relative_to_the_file_not_to_the_process(void **state)
{
    struct place *place = *state;
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    char expected[128];
    assert_int_equal(hf_config_load(place->file, &config, &err), HF_OK);
    snprintf(expected, sizeof(expected), "%s/p/starter", place->folder);
    assert_string_equal(config->buckets[0].policy, expected);
    hf_config_freep(&config);
    assert_null(config);

    assert_int_equal(chdir(place->folder), 0);
    assert_int_equal(hf_config_load("holdfast.yaml", &config, &err), HF_OK);
    assert_string_equal(config->path, place->file);
    snprintf(expected, sizeof(expected), "%s/d.key", place->folder);
    assert_string_equal(config->trails[0].digest_key_file, expected);
    hf_config_free(config);
}

static void
a_file_in_the_root_folder_works(void **state)
{
    (void)state;
    struct hf_config *config = NULL;
    assert_int_equal(hf_config_parse(hf_slice_text(small), "/holdfast.yaml", &config, NULL), HF_OK);
    assert_string_equal(config->trails[0].digest_key_file, "/d.key");
    hf_config_free(config);
}

static void
an_unreadable_file_is_a_configuration_error(void **state)
{
    struct place *place = *state;
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    assert_int_equal(hf_config_load("/nowhere/holdfast.yaml", &config, &err), HF_ECONFIG);
    assert_int_equal(err.status, HF_ECONFIG);
    assert_non_null(strstr(err.text, "reading the configuration: "));
    assert_non_null(strstr(err.text, "/nowhere/holdfast.yaml"));
    assert_int_equal(hf_config_load(place->folder, &config, &err), HF_ECONFIG);
    assert_int_equal(hf_config_load("/nowhere/holdfast.yaml", &config, NULL), HF_ECONFIG);
    assert_null(config);
}

static void
a_large_file_is_refused(void **state)
{
    struct place *place = *state;
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    assert_int_equal(truncate(place->file, (1 << 20) + 1), 0);
    assert_int_equal(hf_config_load(place->file, &config, &err), HF_ECONFIG);
    assert_null(config);
}

static void
lock_words_go_both_ways(void **state)
{
    (void)state;
    for (int mode = HF_LOCK_NONE; mode <= HF_LOCK_COMPLIANCE; mode++)
        assert_int_equal(hf_lock_mode_parse(hf_lock_mode_text(mode)), mode);
    assert_int_equal(hf_lock_mode_parse("governance"), HF_UNSET);
    assert_int_equal(hf_lock_mode_parse(NULL), HF_UNSET);
    assert_string_equal(hf_encryption_text(HF_ENCRYPT_SSE_KMS), "sse-kms");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_are_relative_to_the_file_not_to_the_process,
                                        make_place, remove_place),
        cmocka_unit_test(a_file_in_the_root_folder_works),
        cmocka_unit_test_setup_teardown(an_unreadable_file_is_a_configuration_error, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_large_file_is_refused, make_place, remove_place),
        cmocka_unit_test(lock_words_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
