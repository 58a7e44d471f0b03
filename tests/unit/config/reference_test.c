/* OPTIONS.md beside the code is what the table says today. With --write it is written instead. */
#include "config_test.h"

static const char *options_file;

static void
committed_reference_is_the_tables(void **state)
{
    (void)state;
    struct hf_buf made = HF_BUF(1 << 20), committed = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    assert_int_equal(hf_config_reference(&made), HF_OK);
    if (hf_fs_read_file(options_file, 1 << 20, &committed, &err) != HF_OK)
        fail_msg("%s", err.text);
    if (!hf_slice_equal(hf_buf_slice(&made), hf_buf_slice(&committed)))
        fail_msg("%s differs from options.def; run: ninja update_options", options_file);
    hf_buf_done(&made);
    hf_buf_done(&committed);
}

static void
reference_fails_where_it_does_not_fit(void **state)
{
    (void)state;
    for (size_t max = 0; max < 4000; max += 500) {
        struct hf_buf small = HF_BUF(max);
        assert_int_equal(hf_config_reference(&small), HF_ELIMIT);
        assert_true(small.size <= max);
        hf_buf_done(&small);
    }
}

static int
write_reference(void)
{
    struct hf_buf made = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    enum hf_status status = hf_config_reference(&made);
    if (status == HF_OK)
        status = hf_fs_replace(options_file, made.ptr, made.size, 0644, &err);
    hf_buf_done(&made);
    if (status != HF_OK)
        fprintf(stderr, "%s\n", err.text);
    return status != HF_OK;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s OPTIONS.md [--write]\n", argv[0]);
        return 2;
    }
    options_file = argv[1];
    if (argc == 3 && strcmp(argv[2], "--write") == 0)
        return write_reference();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_reference_is_the_tables),
        cmocka_unit_test(reference_fails_where_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
