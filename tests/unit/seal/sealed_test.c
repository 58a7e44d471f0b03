/* The file: whole or not there, and no damage goes unseen. */
#include "tests/unit/seal/sealed_test.h"

static void
every_flipped_bit_is_detected(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal_body(true);
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(0);
    assert_int_equal(hf_fs_read_file(f->path, 1u << 20, &file, NULL), HF_OK);
    int fd = open(f->path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
        struct hf_error err;
        uint8_t flipped = file.ptr[bit / 8] ^ (uint8_t)(1u << bit % 8);
        bool in_body = bit / 8 >= sealed->body_offset;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(bit / 8)), 1);
        assert_int_equal(hf_sealed_open(f->path, true, &again, &err), HF_ECORRUPT);
        assert_non_null(strstr(err.text, f->path));
        assert_null(again);
        enum hf_status status = hf_sealed_open(f->path, false, &again, &err);
        assert_int_equal(status == HF_OK, in_body);
        assert_int_equal(pwrite(fd, &file.ptr[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    close(fd);
}

static void
shorter_and_longer_files_are_detected_without_reading_the_body(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = seal_body(true);
    size_t size = sealed->body_offset + sealed->size;
    assert_int_equal(truncate(f->path, (off_t)size + 1), 0);
    for (size_t now = size + 1;; now--) {
        hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
        assert_int_equal(truncate(f->path, (off_t)now), 0);
        if (now != size)
            assert_int_equal(hf_sealed_open(f->path, false, &again, NULL), HF_ECORRUPT);
        if (now == 0)
            break;
    }
}

static void
only_a_regular_file_is_opened(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
    hf_sealed_free(seal_body(true));
    char path[600];
    run("ln -s w sealed/link && mkfifo sealed/fifo || true");
    snprintf(path, sizeof(path), "%s/sealed/absent", f->folder);
    assert_int_equal(hf_sealed_open(path, true, &again, NULL), HF_ENOTFOUND);
    snprintf(path, sizeof(path), "%s/sealed/link", f->folder);
    assert_int_not_equal(hf_sealed_open(path, true, &again, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/sealed", f->folder);
    assert_int_not_equal(hf_sealed_open(path, true, &again, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/sealed/fifo", f->folder);
    assert_int_not_equal(hf_sealed_open(path, true, &again, NULL), HF_OK);
    assert_null(again);
}

static void
file_is_private_and_alone(void **state)
{
    (void)state;
    struct stat info;
    mode_t mask = umask(0);
    hf_sealed_free(seal_body(true));
    umask(mask);
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(sealed_files(), 1);
}

static void
temporary_of_a_crash_is_written_over(void **state)
{
    (void)state;
    run("yes leftover | head -c 100000 > sealed/.w.tmp");
    hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
    hf_sealed_free(seal_body(true));
    assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_OK);
    assert_int_equal(sealed_files(), 1);
}

static void
sealing_again_replaces_the_whole_file(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *second = make_sealed(false), *again = NULL;
    hf_sealed_free(seal_body(true));
    assert_int_equal(hf_seal_bytes(second, f->path, HF_SLICE_LITERAL("x"), NULL), HF_OK);
    assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_OK);
    assert_same_sealed(second, again);
    /* A struct that has a path already keeps no trace of it. */
    assert_int_equal(hf_seal_bytes(second, second->path, HF_SLICE_LITERAL("xy"), NULL), HF_OK);
    assert_string_equal(second->path, f->path);
}

static void
path_without_a_folder_is_in_the_present_one(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = make_sealed(true), *again = NULL;
    char before[HF_PATH_MAX];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(f->folder), 0);
    enum hf_status written = hf_seal_bytes(sealed, "here", HF_SLICE_LITERAL(BODY), NULL);
    enum hf_status opened = hf_sealed_open("here", true, &again, NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(written, HF_OK);
    assert_int_equal(opened, HF_OK);
}

static void
path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = make_sealed(true);
    hf_owned(hf_freep) char *path = hf_alloc(HF_PATH_MAX + 10);
    memset(path, 'x', HF_PATH_MAX + 5);
    path[0] = '/';
    assert_int_equal(hf_seal_bytes(sealed, path, HF_SLICE_LITERAL(BODY), NULL), HF_ELIMIT);
    memset(path + 1, '/', HF_PATH_MAX - 3);
    path[HF_PATH_MAX - 1] = '\0';
    assert_int_equal(hf_seal_bytes(sealed, path, HF_SLICE_LITERAL(BODY), NULL), HF_ELIMIT);
}

static void
same_body_under_another_key_is_a_file_of_its_own(void **state)
{
    (void)state;
    char path[600];
    hf_owned(hf_sealed_freep) struct hf_sealed *old = seal_body(true), *left = NULL, *new = NULL,
                                               *again = NULL;
    snprintf(path, sizeof(path), "%s/sealed/w.1", f->folder);
    assert_int_equal(hf_sealed_rekey(f->path, "other/key.json.gz", 7, path, &new, NULL), HF_OK);
    assert_int_equal(hf_sealed_open(f->path, true, &left, NULL), HF_OK);
    assert_same_sealed(old, left);
    assert_int_equal(hf_sealed_open(path, true, &again, NULL), HF_OK);
    assert_same_sealed(new, again);
    assert_string_equal(new->key, "other/key.json.gz");
    assert_int_equal(new->generation, 7);
    assert_string_equal(new->sha256, old->sha256);
    assert_string_equal(new->envelope_sha256, old->envelope_sha256);
    assert_int_equal(new->count, old->count);
}

static void
damaged_body_is_not_sealed_under_another_key(void **state)
{
    (void)state;
    char path[600];
    hf_owned(hf_sealed_freep) struct hf_sealed *old = seal_body(true), *new = NULL;
    int fd = open(f->path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, (off_t)old->body_offset), 1);
    close(fd);
    snprintf(path, sizeof(path), "%s/sealed/w.1", f->folder);
    assert_int_equal(hf_sealed_rekey(f->path, "other/key", 1, path, &new, NULL), HF_ECORRUPT);
    assert_int_equal(truncate(f->path, (off_t)(old->body_offset + old->size - 1)), 0);
    assert_int_equal(hf_sealed_rekey(f->path, "other/key", 1, path, &new, NULL), HF_ECORRUPT);
    assert_int_equal(truncate(f->path, 3), 0);
    assert_int_equal(hf_sealed_rekey(f->path, "other/key", 1, path, &new, NULL), HF_ECORRUPT);
    assert_int_equal(sealed_files(), 1);
}

static void
freeing_nothing_is_fine(void **state)
{
    (void)state;
    struct hf_sealed *sealed = NULL;
    hf_sealed_free(NULL);
    hf_sealed_freep(&sealed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_flipped_bit_is_detected),
        TEST(shorter_and_longer_files_are_detected_without_reading_the_body),
        TEST(only_a_regular_file_is_opened),
        TEST(file_is_private_and_alone),
        TEST(temporary_of_a_crash_is_written_over),
        TEST(sealing_again_replaces_the_whole_file),
        TEST(path_without_a_folder_is_in_the_present_one),
        TEST(path_that_is_too_long_is_refused),
        TEST(same_body_under_another_key_is_a_file_of_its_own),
        TEST(damaged_body_is_not_sealed_under_another_key),
        TEST(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
