/* Whichever file-system call fails: no file, or a whole one; nothing else is left, and the next
 * attempt works. */
#include "tests/unit/seal/sealed_test.h"

#include <pthread.h>

struct fault {
    pthread_t thread; /* the journal's writer works beside us */
    int fail_at, failure;
    int count;
    size_t longest; /* of a write; 0 for any */
    char calls[1000];
};

static int
interpose(void *context, struct hf_fs_call *call)
{
    struct fault *fault = context;
    if (!pthread_equal(pthread_self(), fault->thread))
        return 0;
    if (strstr(call->name, "write") && fault->longest && call->size > fault->longest)
        call->size = fault->longest;
    bool harmless = strcmp(call->name, "close") == 0 || strcmp(call->name, "pread") == 0;
    if (!harmless && ++fault->count == fault->fail_at)
        return fault->failure;
    size_t used = strlen(fault->calls);
    if (!harmless)
        snprintf(fault->calls + used, sizeof(fault->calls) - used, "%s ", call->name);
    return 0;
}

static int
open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void
failing_call_leaves_no_file_or_a_whole_one(void **state)
{
    (void)state;
    const int failures[] = { EIO, ENOSPC, EACCES };
    add_batch(1, 9, 1);
    cut(1, 9);
    for (size_t i = 0; i < HF_COUNT(failures); i++) {
        enum hf_status status = HF_EIO;
        for (int n = 1; status != HF_OK; n++) {
            struct fault fault = { .thread = pthread_self(), .fail_at = n, .failure = failures[i] };
            hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL, *left = NULL;
            struct hf_journal_loss loss;
            struct hf_error err;
            int descriptors = open_descriptors();
            assert_true(n < 50);
            (void)unlink(f->path);
            hf_fs_interpose(interpose, &fault);
            status = hf_seal_window(f->journal, &f->job, &f->memory, &sealed, &loss, &err);
            hf_fs_interpose(NULL, NULL);
            assert_int_equal(open_descriptors(), descriptors);
            assert_true((status == HF_OK) == (sealed != NULL));
            if (failures[i] == ENOSPC && status != HF_OK)
                assert_int_equal(status, HF_ENOSPC);
            enum hf_status opened = hf_sealed_open(f->path, true, &left, &err);
            assert_true(opened == HF_OK || (opened == HF_ENOTFOUND && status != HF_OK));
            assert_int_equal(sealed_files(), opened == HF_OK);
        }
    }
}

static void
name_appears_after_the_bytes_are_on_the_disk_and_is_made_durable(void **state)
{
    (void)state;
    struct fault fault = { .thread = pthread_self() };
    hf_fs_interpose(interpose, &fault);
    hf_sealed_free(seal_body(true));
    hf_fs_interpose(NULL, NULL);
    if (strncmp(fault.calls, "open pwrite pwrite fsync rename ", 32) != 0)
        fail_msg("%s", fault.calls);
    assert_non_null(strstr(fault.calls + 32, "sync"));
}

static void
short_writes_make_no_difference(void **state)
{
    (void)state;
    struct fault fault = { .thread = pthread_self(), .longest = 7 };
    hf_fs_interpose(interpose, &fault);
    hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
    hf_sealed_free(seal_body(true));
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_OK);
}

static void
failed_attempt_leaves_the_old_file(void **state)
{
    (void)state;
    hf_owned(hf_sealed_freep) struct hf_sealed *old = seal_body(true);
    for (int n = 1; n <= 5; n++) {
        struct fault fault = { .thread = pthread_self(), .fail_at = n, .failure = EIO };
        hf_owned(hf_sealed_freep) struct hf_sealed *new = make_sealed(false), *left = NULL;
        hf_fs_interpose(interpose, &fault);
        assert_int_equal(hf_seal_bytes(new, f->path, HF_SLICE_LITERAL("new"), NULL), HF_EIO);
        hf_fs_interpose(NULL, NULL);
        assert_int_equal(hf_sealed_open(f->path, true, &left, NULL), HF_OK);
        assert_same_sealed(old, left);
    }
}

static void
opening_fails_or_works_whichever_call_fails(void **state)
{
    (void)state;
    hf_sealed_free(seal_body(true));
    enum hf_status status = HF_EIO;
    for (int n = 1; status != HF_OK; n++) {
        struct fault fault = { .thread = pthread_self(), .fail_at = n, .failure = EIO };
        hf_owned(hf_sealed_freep) struct hf_sealed *again = NULL;
        int descriptors = open_descriptors();
        assert_true(n < 20);
        hf_fs_interpose(interpose, &fault);
        status = hf_sealed_open(f->path, true, &again, NULL);
        hf_fs_interpose(NULL, NULL);
        assert_int_equal(open_descriptors(), descriptors);
        assert_true(status == HF_OK ||
                    status == HF_EIO); /* never HF_ECORRUPT: nothing is wrong with the file */
    }
}

static int
fail_pread(void *context, struct hf_fs_call *call)
{
    int *at = context;
    return strcmp(call->name, "pread") == 0 && --*at == 0 ? EIO : 0;
}

static void
read_error_is_not_taken_for_damage(void **state)
{
    (void)state;
    hf_sealed_free(seal_body(true));
    for (int n = 1; n <= 2; n++) { /* of the header, of the body */
        int at = n;
        struct hf_sealed *again = NULL;
        hf_fs_interpose(fail_pread, &at);
        assert_int_equal(hf_sealed_open(f->path, true, &again, NULL), HF_EIO);
        hf_fs_interpose(NULL, NULL);
        assert_int_equal(at, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failing_call_leaves_no_file_or_a_whole_one),
        TEST(name_appears_after_the_bytes_are_on_the_disk_and_is_made_durable),
        TEST(short_writes_make_no_difference),
        TEST(failed_attempt_leaves_the_old_file),
        TEST(opening_fails_or_works_whichever_call_fails),
        TEST(read_error_is_not_taken_for_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
