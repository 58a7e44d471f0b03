/* Calls on a descriptor, with the kernel's real answers and with made-up ones. */
#include "tests/unit/base/fs_fixture.h"

#include <errno.h>

static void
open_closes_on_exec_and_names_what_is_missing(void **state)
{
    struct fixture *fixture = *state;
    int fd = -7;

    assert_true(fcntl(fixture->fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(hf_fs_open("/nowhere/x", O_RDONLY, 0, &fd, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(fd, -7);
    assert_string_equal(fixture->err.text, "opening '/nowhere/x': No such file or directory");
    assert_int_equal(fixture->err.sys_errno, ENOENT);
    assert_int_equal(hf_fs_open(fixture->path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd, NULL),
                     HF_EEXISTS);
}

static void
close_forgets_the_descriptor_and_keeps_errno(void **state)
{
    struct fixture *fixture = *state;

    errno = EDOM;
    hf_fs_close(&fixture->fd);
    assert_int_equal(fixture->fd, -1);
    hf_fs_close(&fixture->fd);
    assert_int_equal(errno, EDOM);
}

static void
reads_and_writes_are_whole_however_the_kernel_cuts_them(void **state)
{
    struct fixture *fixture = *state;
    char back[32] = "";
    size_t size;

    fixture->faults = (struct faults){ .longest = 3 };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_write(fixture->fd, "0123456789", 10, NULL), HF_OK);
    assert_int_equal(hf_fs_pwrite(fixture->fd, "abcdefgh", 8, 8, NULL), HF_OK);
    assert_int_equal(hf_fs_pread(fixture->fd, back, sizeof(back), 0, &size, NULL), HF_OK);
    assert_int_equal(size, 16);
    assert_string_equal(back, "01234567abcdefgh");
    assert_int_equal(hf_fs_pread(fixture->fd, back, 4, 6, &size, NULL), HF_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(back, "67ab", 4);
    assert_int_equal(hf_fs_pread(fixture->fd, back, 4, 100, &size, NULL), HF_OK);
    assert_int_equal(size, 0);
    assert_true(fixture->faults.count > 12);
}

static void
interrupted_calls_are_repeated(void **state)
{
    struct fixture *fixture = *state;
    char back[8] = "";
    size_t size;
    int fd = -1;

    /* Each of these meets EINTR once. */
#define INTERRUPTED(call)                                                                          \
    do {                                                                                           \
        fixture->faults = (struct faults){ .fail_at = 1, .failure = EINTR };                       \
        faults_begin(&fixture->faults);                                                            \
        assert_int_equal((call), HF_OK);                                                           \
        assert_true(fixture->faults.count >= 2);                                                   \
    } while (0)
    INTERRUPTED(hf_fs_open(fixture->path, O_RDONLY, 0, &fd, NULL));
    INTERRUPTED(hf_fs_write(fixture->fd, "abc", 3, NULL));
    INTERRUPTED(hf_fs_pwrite(fixture->fd, "def", 3, 3, NULL));
    INTERRUPTED(hf_fs_read(fd, back, 4, &size, NULL));
    INTERRUPTED(hf_fs_pread(fixture->fd, back, 6, 0, &size, NULL));
    assert_string_equal(back, "abcdef");
    INTERRUPTED(hf_fs_fdatasync(fixture->fd, NULL));
    INTERRUPTED(hf_fs_fsync(fixture->fd, NULL));
    INTERRUPTED(hf_fs_truncate(fixture->fd, 2, NULL));
    INTERRUPTED(hf_fs_allocate(fixture->fd, 0, 100, NULL));
    INTERRUPTED(hf_fs_punch(fixture->fd, 0, 100, NULL));
    uint64_t bytes;
    INTERRUPTED(hf_fs_free_bytes(fixture->path, &bytes, NULL));
    hf_fs_close(&fd);
}

static void
a_failed_sync_is_not_repeated(void **state)
{
    struct fixture *fixture = *state;

    fixture->faults = (struct faults){ .fail_at = 1, .failure = EIO };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_fdatasync(fixture->fd, &fixture->err), HF_EIO);
    assert_int_equal(fixture->faults.count, 1);
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_fsync(fixture->fd, &fixture->err), HF_EIO);
    assert_int_equal(fixture->faults.count, 1);
}

static int
write_nothing(void *context, struct hf_fs_call *call)
{
    (void)context;
    call->size = 0;
    return 0;
}

static void
a_write_that_writes_nothing_is_a_failure(void **state)
{
    struct fixture *fixture = *state;

    hf_fs_interpose(write_nothing, NULL);
    assert_int_equal(hf_fs_pwrite(fixture->fd, "x", 1, 0, &fixture->err), HF_EIO);
}

static void
read_gives_what_is_there_and_says_when_nothing_is(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    char bytes[8];
    size_t size = 99;

    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_int_equal(hf_fs_read(ends[0], bytes, sizeof(bytes), &size, &fixture->err), HF_EFULL);
    assert_int_equal(size, 99);
    assert_int_equal(hf_fs_write(ends[1], "abc", 3, NULL), HF_OK);
    assert_int_equal(hf_fs_read(ends[0], bytes, sizeof(bytes), &size, NULL), HF_OK);
    assert_int_equal(size, 3);
    hf_fs_close(&ends[1]);
    assert_int_equal(hf_fs_read(ends[0], bytes, sizeof(bytes), &size, NULL), HF_OK);
    assert_int_equal(size, 0);
    hf_fs_close(&ends[0]);
    assert_int_equal(hf_fs_read(-1, bytes, sizeof(bytes), &size, &fixture->err), HF_EIO);
    assert_string_equal(fixture->err.text, "reading 'descriptor -1': Bad file descriptor");
}

static void
a_failure_names_the_file_the_reason_and_the_remedy(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int failure;
        enum hf_status status;
        const char *remedy;
    } cases[] = {
        { ENOSPC, HF_ENOSPC, "No space left on device; free space on that file system" },
        { EDQUOT, HF_ENOSPC, "raise the quota" },
        { EROFS, HF_EIO, "remount that file system writable" },
        { EMFILE, HF_EIO, "process's limit of open files" },
        { ENFILE, HF_EIO, "system's limit of open files" },
        { EIO, HF_EIO, "kernel's log" },
        { EACCES, HF_EIO, "give uid " },
        { EFBIG, HF_EIO, "File too large" },
    };

    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        fixture->faults = (struct faults){ .fail_at = 1, .failure = cases[i].failure };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_pwrite(fixture->fd, "x", 1, 0, &fixture->err), cases[i].status);
        assert_int_equal(fixture->err.status, cases[i].status);
        assert_int_equal(fixture->err.sys_errno, cases[i].failure);
        assert_non_null(strstr(fixture->err.text, fixture->path));
        assert_non_null(strstr(fixture->err.text, cases[i].remedy));
    }
}

static void
truncate_sets_the_size(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;

    assert_int_equal(hf_fs_truncate(fixture->fd, 1000, NULL), HF_OK);
    assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
    assert_int_equal(info.st_size, 1000);
    assert_int_equal(hf_fs_truncate(fixture->fd, 0, NULL), HF_OK);
    assert_int_equal(hf_fs_stat(fixture->path, &info, NULL), HF_OK);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(hf_fs_truncate(-1, 0, &fixture->err), HF_EIO);
}

/* With the kernel's fallocate and with the way round it. */
static void
allocate_takes_the_blocks_and_keeps_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char back[9001];
    size_t size;

    for (int way = 0; way < 2; way++) {
        assert_int_equal(hf_fs_truncate(fixture->fd, 0, NULL), HF_OK);
        assert_int_equal(hf_fs_truncate(fixture->fd, 9000, NULL), HF_OK);
        assert_int_equal(hf_fs_pwrite(fixture->fd, "kept", 4, 8990, NULL), HF_OK);
        fixture->faults =
            (struct faults){ .only = "fallocate", .fail_at = way, .failure = EOPNOTSUPP };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_allocate(fixture->fd, 100, 100000, &fixture->err), HF_OK);
        assert_int_equal(fixture->faults.count, 1);
        assert_int_equal(hf_fs_fsync(fixture->fd, NULL), HF_OK);
        assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
        assert_int_equal(info.st_size, 100100);
        assert_true(info.st_blocks * 512 >= 100100);
        assert_int_equal(hf_fs_pread(fixture->fd, back, 9001, 0, &size, NULL), HF_OK);
        assert_memory_equal(back + 8989, "\0kept\0", 6);
    }
}

static void
blocks_behind_the_end_leave_the_size(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;

    assert_int_equal(hf_fs_pwrite(fixture->fd, "end", 3, 0, NULL), HF_OK);
    enum hf_status status = hf_fs_allocate_behind(fixture->fd, 3, 100000, &fixture->err);
    if (status != HF_OK)
        skip(); /* not on every file system */
    assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
    assert_int_equal(info.st_size, 3);
    assert_true(info.st_blocks * 512 >= 100000);
    fixture->faults = (struct faults){ .only = "fallocate", .fail_at = 1, .failure = ENOSPC };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_allocate_behind(fixture->fd, 3, 4096, &fixture->err), HF_ENOSPC);
}

static void
allocate_of_nothing_does_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;

    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 0, NULL), HF_OK);
    assert_int_equal(hf_fs_punch(fixture->fd, 0, 0, NULL), HF_OK);
    assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
    assert_int_equal(info.st_size, 0);
}

static void
allocate_on_a_full_disk_says_so(void **state)
{
    struct fixture *fixture = *state;

    fixture->faults = (struct faults){ .fail_at = 1, .failure = ENOSPC };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 4096, &fixture->err), HF_ENOSPC);
}

static int
refuse_allocation_and(void *context, struct hf_fs_call *call)
{
    if (strcmp(call->name, "fallocate") == 0)
        return EOPNOTSUPP;
    return strcmp(call->name, context) == 0 ? ENOSPC : 0;
}

static void
the_way_round_allocation_reports_its_own_failures(void **state)
{
    struct fixture *fixture = *state;

    hf_fs_interpose(refuse_allocation_and, (char[]){ "pread" });
    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 4096, &fixture->err), HF_ENOSPC);
    hf_fs_interpose(refuse_allocation_and, (char[]){ "pwrite" });
    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 4096, &fixture->err), HF_ENOSPC);
    hf_fs_interpose(refuse_allocation_and, (char[]){ "neither" });
    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 4096, &fixture->err), HF_OK);
}

static void
punch_removes_the_bytes_and_keeps_the_size(void **state)
{
    struct fixture *fixture = *state;
    static char bytes[20000];
    static char back[20001];
    struct stat info;
    size_t size;

    memset(bytes, 'x', sizeof(bytes));
    for (int way = 0; way < 2; way++) {
        assert_int_equal(hf_fs_pwrite(fixture->fd, bytes, sizeof(bytes), 0, NULL), HF_OK);
        fixture->faults = (struct faults){ .only = "punch", .fail_at = way, .failure = EOPNOTSUPP };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_punch(fixture->fd, 10, 100000, &fixture->err), HF_OK);
        assert_int_equal(fixture->faults.count, 1);
        assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
        assert_int_equal(info.st_size, sizeof(bytes));
        assert_int_equal(hf_fs_pread(fixture->fd, back, sizeof(back), 0, &size, NULL), HF_OK);
        assert_int_equal(size, sizeof(bytes));
        assert_memory_equal(back, "xxxxxxxxxx", 10);
        for (size_t i = 10; i < size; i++)
            assert_int_equal(back[i], 0);
    }
    fixture->faults = (struct faults){ .fail_at = 1, .failure = EIO };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_punch(fixture->fd, 0, 1, &fixture->err), HF_EIO);
}

/* Every function passes the interposer, and fails with what the interposer says. */
static void
no_call_slips_past_the_interposer(void **state)
{
    struct fixture *fixture = *state;
    struct faults *faults = &fixture->faults;
    struct hf_error *err = &fixture->err;
    struct hf_fs_identity identity;
    struct stat info;
    char real[HF_PATH_MAX];
    uint64_t bytes;
    size_t size;
    char byte;
    int fd;
    char **names;

    *faults = (struct faults){ .fail_at = 1, .for_ever = true, .failure = ENOSPC };
    faults_begin(faults);
    assert_int_equal(hf_fs_open(fixture->path, O_RDONLY, 0, &fd, err), HF_ENOSPC);
    assert_int_equal(hf_fs_pread(fixture->fd, &byte, 1, 0, &size, err), HF_ENOSPC);
    assert_int_equal(hf_fs_read(fixture->fd, &byte, 1, &size, err), HF_ENOSPC);
    assert_int_equal(hf_fs_pwrite(fixture->fd, "x", 1, 0, err), HF_ENOSPC);
    assert_int_equal(hf_fs_write(fixture->fd, "x", 1, err), HF_ENOSPC);
    assert_int_equal(hf_fs_fdatasync(fixture->fd, err), HF_ENOSPC);
    assert_int_equal(hf_fs_fsync(fixture->fd, err), HF_ENOSPC);
    assert_int_equal(hf_fs_sync_dir(fixture->directory, err), HF_ENOSPC);
    assert_int_equal(hf_fs_truncate(fixture->fd, 1, err), HF_ENOSPC);
    assert_int_equal(hf_fs_allocate(fixture->fd, 0, 1, err), HF_ENOSPC);
    assert_int_equal(hf_fs_punch(fixture->fd, 0, 1, err), HF_ENOSPC);
    assert_int_equal(hf_fs_rename(fixture->path, fixture->path, err), HF_ENOSPC);
    assert_int_equal(hf_fs_link(fixture->path, "x", err), HF_ENOSPC);
    assert_int_equal(hf_fs_unlink(fixture->path, err), HF_ENOSPC);
    assert_int_equal(hf_fs_chmod(fixture->path, 0600, err), HF_ENOSPC);
    assert_int_equal(hf_fs_stat(fixture->path, &info, err), HF_ENOSPC);
    assert_int_equal(hf_fs_fstat(fixture->fd, &info, err), HF_ENOSPC);
    assert_int_equal(hf_fs_mkdirs("x/y", 0700, err), HF_ENOSPC);
    assert_int_equal(hf_fs_rmdir("x", err), HF_ENOSPC);
    assert_int_equal(hf_fs_access("/", R_OK, err), HF_ENOSPC);
    assert_int_equal(hf_fs_set_atime(fixture->path, 1, err), HF_ENOSPC);
    assert_int_equal(hf_fs_lstat(fixture->path, &info, err), HF_ENOSPC);
    assert_int_equal(hf_fs_identify(fixture->fd, NULL, &identity, err), HF_ENOSPC);
    assert_int_equal(hf_fs_real_path("/", real, err), HF_ENOSPC);
    assert_int_equal(hf_fs_set_group(fixture->path, getegid(), err), HF_ENOSPC);
    assert_int_equal(hf_fs_list(fixture->directory, 9, &names, &size, err), HF_ENOSPC);
    assert_int_equal(hf_fs_free_bytes(fixture->directory, &bytes, err), HF_ENOSPC);
    assert_int_equal(hf_fs_lock(fixture->path, &fd, err), HF_ENOSPC);
    assert_int_equal(hf_fs_replace(fixture->path, "x", 1, 0600, err), HF_ENOSPC);
    faults_end();
    assert_int_equal(hf_fs_fstat(fixture->fd, &info, NULL), HF_OK);
    assert_int_equal(info.st_size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_open, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_closes_on_exec_and_names_what_is_missing),
        TEST(close_forgets_the_descriptor_and_keeps_errno),
        TEST(reads_and_writes_are_whole_however_the_kernel_cuts_them),
        TEST(interrupted_calls_are_repeated),
        TEST(a_failed_sync_is_not_repeated),
        TEST(a_write_that_writes_nothing_is_a_failure),
        TEST(read_gives_what_is_there_and_says_when_nothing_is),
        TEST(a_failure_names_the_file_the_reason_and_the_remedy),
        TEST(truncate_sets_the_size),
        TEST(allocate_takes_the_blocks_and_keeps_what_is_there),
        TEST(blocks_behind_the_end_leave_the_size),
        TEST(allocate_of_nothing_does_nothing),
        TEST(allocate_on_a_full_disk_says_so),
        TEST(the_way_round_allocation_reports_its_own_failures),
        TEST(punch_removes_the_bytes_and_keeps_the_size),
        TEST(no_call_slips_past_the_interposer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
