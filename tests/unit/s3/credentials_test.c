#include "agent/s3/s3_impl.h"
#include "tests/support/test.h"

#include <fcntl.h>

static enum hf_status
parse(const char *text, const char *profile, struct hf_s3_credentials *credentials,
      struct hf_error *err)
{
    memset(credentials, 0, sizeof(*credentials));
    return hf_s3_credentials_parse(hf_slice_text(text), profile, credentials, err);
}

static void
the_named_section_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "# comment\r\n[default]\naws_access_key_id=AK\naws_secret_access_key = a/b+c==\n; more\n\n"
        "[ other ]\n aws_ignored = nested\nregion = x\naws_access_key_id = OTHER\n"
        "aws_secret_access_key = secret\naws_session_token = to/ken=\n";
    struct hf_s3_credentials credentials;

    assert_int_equal(parse(text, "default", &credentials, NULL), HF_OK);
    assert_string_equal(credentials.access_key, "AK");
    assert_string_equal(credentials.secret_key, "a/b+c==");
    assert_null(credentials.session_token);
    hf_s3_credentials_done(&credentials);
    assert_int_equal(parse(text, "other", &credentials, NULL), HF_OK);
    assert_string_equal(credentials.access_key, "OTHER");
    assert_string_equal(credentials.session_token, "to/ken=");
    hf_s3_credentials_done(&credentials);
}

static void
what_would_be_a_guess_is_refused_without_telling_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } table[] = {
        { "", "no section [default]" },
        { "[default]\naws_access_key_id = AK\n", "no secret access key" },
        { "[default]\naws_secret_access_key = hunter2\n", "no access key id" },
        { "[default]\naws_access_key_id = AK\naws_secret_access_key = "
          "hunter2\naws_secret_access_key = hunter2\n",
          "line 4" },
        { "[default]\naws_access_key_id = AK\naws_secret_access_key = hunter2\n[default]\n",
          "line 4" },
        { "[default\naws_access_key_id = AK\n", "line 1" },
        { "[default]\nhunter2\n", "line 2" },
        { "[default]\naws_access_key_id = A/K\naws_secret_access_key = hunter2\n", "characters" },
        { "[default]\naws_access_key_id = AK\naws_secret_access_key = hunter2 x\n", "characters" },
        { "[default]\naws_access_key_id = \naws_secret_access_key = hunter2\n", "characters" },
        { "[default]\naws_access_key_id = AK\naws_secret_access_key = hunter2\naws_session_token = "
          "a\tb\n",
          "token" },
    };

    for (size_t i = 0; i < HF_COUNT(table); i++) {
        struct hf_s3_credentials credentials;
        struct hf_error err;

        assert_int_equal(parse(table[i].text, "default", &credentials, &err), HF_ECREDENTIALS);
        if (!strstr(err.text, table[i].says))
            fail_msg("'%s' says '%s'", table[i].text, err.text);
        assert_null(strstr(err.text, "hunter2"));
        assert_null(credentials.access_key);
    }
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(hf_fs_replace(path, text, strlen(text), mode, NULL), HF_OK);
}

#define SECTION(key) "[default]\naws_access_key_id = " key "\naws_secret_access_key = s\n"

static void
a_changed_file_is_read_again_and_a_broken_one_is_not_believed(void **state)
{
    (void)state;
    char folder[256], path[300];
    struct hf_s3_credentials credentials = { .file = NULL };
    bool changed = true;

    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/credentials", folder);
    write_file(path, SECTION("ONE"), 0600);
    assert_int_equal(hf_s3_credentials_init(&credentials, path, NULL, NULL), HF_OK);
    assert_string_equal(credentials.access_key, "ONE");
    assert_int_equal(hf_s3_credentials_refresh(&credentials, &changed, NULL), HF_OK);
    assert_false(changed);

    write_file(path, SECTION("TWO"), 0600);
    assert_int_equal(hf_s3_credentials_refresh(&credentials, &changed, NULL), HF_OK);
    assert_true(changed);
    assert_string_equal(credentials.access_key, "TWO");

    write_file(path, "half", 0600);
    assert_int_equal(hf_s3_credentials_refresh(&credentials, &changed, NULL), HF_OK);
    assert_false(changed);
    assert_string_equal(credentials.access_key, "TWO");

    credentials.stale = true; /* refused by the store: now it matters */
    assert_int_equal(hf_s3_credentials_refresh(&credentials, &changed, NULL), HF_ECREDENTIALS);
    write_file(path, SECTION("THREE"), 0600);
    assert_int_equal(hf_s3_credentials_refresh(&credentials, &changed, NULL), HF_OK);
    assert_string_equal(credentials.access_key, "THREE");
    assert_false(credentials.stale);
    hf_s3_credentials_done(&credentials);
    hf_test_tempdir_remove(folder);
}

static void
a_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    char folder[256], path[300];
    struct hf_s3_credentials credentials = { .file = NULL };

    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/credentials", folder);
    write_file(path, SECTION("ONE"), 0644);
    assert_int_not_equal(hf_s3_credentials_init(&credentials, path, NULL, NULL), HF_OK);
    assert_null(credentials.access_key);
    hf_s3_credentials_done(&credentials);
    unlink(path);
    assert_int_equal(hf_s3_credentials_init(&credentials, path, NULL, NULL), HF_ECREDENTIALS);
    hf_s3_credentials_done(&credentials);
    hf_test_tempdir_remove(folder);
}

static void
the_environment_stands_in(void **state)
{
    (void)state;
    struct hf_s3_credentials credentials = { .file = NULL };

    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_SESSION_TOKEN", "", 1);
    assert_int_equal(hf_s3_credentials_init(&credentials, NULL, NULL, NULL), HF_OK);
    assert_string_equal(credentials.access_key, "ENV");
    assert_null(credentials.session_token);
    hf_s3_credentials_done(&credentials);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_int_equal(hf_s3_credentials_init(&credentials, NULL, NULL, NULL), HF_ECREDENTIALS);
    hf_s3_credentials_done(&credentials);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_named_section_is_read),
        cmocka_unit_test(what_would_be_a_guess_is_refused_without_telling_secrets),
        cmocka_unit_test(a_changed_file_is_read_again_and_a_broken_one_is_not_believed),
        cmocka_unit_test(a_file_that_others_can_read_is_refused),
        cmocka_unit_test(the_environment_stands_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
