#include "tests/support/test.h"
#include <holdfast/trail.h>
#include <stdio.h>
#include <string.h>

static void
identity_is_fixed_at_the_first_start(void **state)
{
    char folder[256];
    struct hf_identity first, second;
    struct hf_error err;
    (void)state;
    hf_test_tempdir(folder);
    assert_int_equal(hf_identity_load(folder, "one.example", &first, &err), HF_OK);
    assert_int_equal(hf_identity_load(folder, "two.example", &second, &err), HF_OK);
    assert_string_equal(first.journal, second.journal);
    assert_string_equal(second.host, "one.example");
    assert_string_not_equal(first.boot, second.boot);
    assert_int_equal(strlen(first.journal), 32);
    hf_test_tempdir_remove(folder);
}

static void
host_name_becomes_a_safe_prefix(void **state)
{
    char folder[256];
    struct hf_identity identity;
    struct hf_error err;
    (void)state;
    hf_test_tempdir(folder);
    assert_int_equal(hf_identity_load(folder, "a/../b c", &identity, &err), HF_OK);
    assert_null(strchr(identity.host, '/'));
    assert_null(strchr(identity.host, ' '));
    hf_test_tempdir_remove(folder);
}

static void
write_identity(const char *folder, const char *text)
{
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), folder, "identity");
    assert_int_equal(hf_fs_replace(path, text, strlen(text), 0600, NULL), HF_OK);
}

static void
directory_of_another_machine_is_refused(void **state)
{
    char folder[256];
    struct hf_identity identity;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf machine = HF_BUF(4096);
    (void)state;
    if (hf_fs_read_file("/etc/machine-id", 4096, &machine, NULL) != HF_OK || machine.size < 32)
        skip(); /* without a machine-id nothing can be told apart */
    hf_test_tempdir(folder);
    write_identity(folder, "{\"format\":1,\"journal\":\"00112233445566778899aabbccddeeff\","
                           "\"host\":\"h\",\"machine\":\"ffffffffffffffffffffffffffffffff\"}");
    assert_int_equal(hf_identity_load(folder, NULL, &identity, &err), HF_EREFUSED);
    assert_non_null(strstr(err.text, "copied"));
    hf_test_tempdir_remove(folder);
}

static void
damaged_identity_is_not_replaced(void **state)
{
    static const char *const texts[] = { "", "{", "[]", "{\"journal\":\"xyz\",\"host\":\"h\"}",
                                         "{\"journal\":\"00112233445566778899aabbccddeeff\"}" };
    char folder[256];
    struct hf_identity identity;
    struct hf_error err;
    (void)state;
    hf_test_tempdir(folder);
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        write_identity(folder, texts[i]);
        assert_int_not_equal(hf_identity_load(folder, NULL, &identity, &err), HF_OK);
        assert_int_not_equal(hf_identity_load(folder, NULL, &identity, &err), HF_OK);
    }
    hf_test_tempdir_remove(folder);
}

static void
every_flipped_bit_is_refused_or_changes_nothing_that_counts(void **state)
{
    char folder[256], path[HF_PATH_MAX];
    struct hf_identity right, identity;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    (void)state;
    hf_test_tempdir(folder);
    assert_int_equal(hf_identity_load(folder, "one.example", &right, &err), HF_OK);
    hf_path_join(path, sizeof(path), folder, "identity");
    assert_int_equal(hf_fs_read_file(path, 4096, &text, NULL), HF_OK);
    for (size_t bit = 0; bit < 8 * text.size; bit++) {
        text.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(hf_fs_replace(path, text.ptr, text.size, 0600, NULL), HF_OK);
        text.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (hf_identity_load(folder, "two.example", &identity, &err) != HF_OK) {
            assert_non_null(strstr(err.text, "identity"));
            continue;
        }
        assert_string_equal(identity.journal, right.journal);
        assert_memory_equal(identity.journal_id, right.journal_id, sizeof(right.journal_id));
        assert_string_equal(identity.host, right.host);
    }
    hf_test_tempdir_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_fixed_at_the_first_start),
        cmocka_unit_test(host_name_becomes_a_safe_prefix),
        cmocka_unit_test(directory_of_another_machine_is_refused),
        cmocka_unit_test(damaged_identity_is_not_replaced),
        cmocka_unit_test(every_flipped_bit_is_refused_or_changes_nothing_that_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
