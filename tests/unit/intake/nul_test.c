/* Files as they are made: with room that is not filled yet, with holes, in the place of others, and
 * thousands that are all alike. */
#include "help.h"

#include "agent/intake/file/file_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    rig->timing.rescan_ms = 20;
    rig->timing.late_ms = 100000;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log*");
    *state = rig;
    return 0;
}

static int
open_file(struct rig *rig, const char *name, int flags)
{
    int fd = open(rig_path(rig, name), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    return fd;
}

/* ---- NUL bytes ---- */

static bool
is_not_behind(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).behind_bytes == 0;
}

static void
a_mapped_log_is_read_as_it_is_filled(void **state)
{
    enum { ROOM = 3 << 20 };
    struct rig *rig = *state;
    for (int written = 0; written < 2; written++) { /* a hole, or zeros that were written */
        size_t size = 0;
        int fd = open_file(rig, written ? "files/b.log" : "files/a.log", 0);
        if (written) {
            hf_owned(hf_freep) uint8_t *zeros = hf_alloc(ROOM);
            assert_int_equal(write(fd, zeros, ROOM), ROOM);
        }
        assert_int_equal(ftruncate(fd, ROOM), 0);
        char *map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(map, MAP_FAILED);
        rig_configure(rig);
        rig_drain(rig);
        for (size_t i = 0; i < 5; i++) {
            size += (size_t)sprintf(map + size, "line %zu", 5 * (size_t)written + i);
            rig_turn(rig, 40);
            rig_drain(rig); /* what is not filled yet is not waited for */
            assert_int_equal(rig_count(rig), 5 * (size_t)written + i);
            map[size++] = '\n';
            rig_until_count(rig, 5 * (size_t)written + i + 1);
        }
        rig_until(rig, is_not_behind, NULL);
        assert_int_equal(munmap(map, ROOM), 0);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        close(fd);
        rig_turn(rig, 100);
    }
    assert_numbered(rig, 10);
    assert_int_equal(rig_count(rig), 10);
    rig_restart(rig);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 10);
}

static void
a_hole_is_skipped_and_what_is_behind_it_is_read(void **state)
{
    struct rig *rig = *state;
    static const off_t far = (off_t)1 << 40;
    int fd = open_file(rig, "files/a.log", 0);
    assert_int_equal(pwrite(fd, "one\nhalf", 8, 0), 8);
    assert_int_equal(pwrite(fd, "two\n", 4, far + 100), 4);
    rig_configure(rig);
    rig_until_count(rig, 3);
    assert_int_equal(ftruncate(fd, 2 * far), 0); /* and a tail of a terabyte */
    rig_drain(rig);
    assert_true(hf_file_source(rig->intake->sources[0])->sum.skipped >= (uint64_t)far);
    rig_restart(rig);
    assert_int_equal(pwrite(fd, "three\n", 6, far + 104), 6);
    rig_until_count(rig, 4);
    close(fd);
    ASSERT_TEXTS(rig, "one", "half", "two", "three");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
nul_bytes_that_were_written_are_kept(void **state)
{
    struct rig *rig = *state;
    rig_configure(rig);
    rig_append_bytes(rig, "files/a.log", "one\n\0\0\0two\n", 11);
    rig_until_count(rig, 2);
    assert_int_equal(rig_status(rig, 0).counts.base64, 1);
}

/* ---- in the place of another ---- */

static void
put_in_place(struct rig *rig, size_t from, size_t to)
{
    rig_append_numbered(rig, "source", from, to);
    struct hf_buf bytes = HF_BUF(64u << 20);
    assert_int_equal(hf_fs_read_file(rig_path(rig, "source"), 64u << 20, &bytes, NULL), HF_OK);
    rig_append_bytes(rig, "files/.temporary", bytes.ptr, bytes.size);
    rig_rename(rig, "files/.temporary", "files/a.log");
    hf_buf_done(&bytes);
}

static void
a_longer_one_in_its_place_is_read_on(void **state)
{
    struct rig *rig = *state;
    rig_configure(rig);
    static const size_t sizes[] = { 1, 2, 500, 500, 1200, 3000 };
    for (size_t i = 0; i < HF_COUNT(sizes); i++) {
        put_in_place(rig, i ? sizes[i - 1] : 0, sizes[i]);
        rig_until_count(rig, sizes[i]);
        rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
        if (i == 3)
            rig_restart(rig);
    }
    rig_restart(rig);
    rig_drain(rig);
    assert_numbered(rig, 3000);
    assert_int_equal(rig_count(rig), 3000);
}

static int
put_now(void *context, struct hf_fs_call *call)
{
    struct rig *rig = context;
    if (strcmp(call->name, "readdir") == 0 && hf_ends_with(call->path, "/files"))
        (void)rename(rig_path(rig, "files/.temporary"), rig_path(rig, "files/a.log"));
    return 0;
}

static bool
is_put(struct rig *rig, void *context)
{
    (void)context;
    return access(rig_path(rig, "files/.temporary"), F_OK) != 0;
}

static void
one_that_is_seen_in_its_place_before_it_is_told_is_read_on(void **state)
{
    struct rig *rig = *state;
    rig_configure(rig);
    rig_write(rig, "files/a.log", "line 0\n");
    rig_until_count(rig, 1);
    rig_write(rig, "files/.temporary", "line 0\nline 1\n");
    hf_fs_interpose(put_now, rig);
    rig_write(rig, "files/b.log", "line 2\n"); /* looked for by a scan */
    rig_until(rig, is_put, NULL);
    rig_until_count(rig, 3);
    hf_fs_interpose(NULL, NULL);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 3);
    assert_int_equal(rig_count(rig), 3);
}

/* It was not put there whole: a log that begins again, and equally. */
static void
one_that_is_made_anew_is_read_from_its_beginning(void **state)
{
    struct rig *rig = *state;
    rig_configure(rig);
    rig_write(rig, "files/a.log", "start\n");
    rig_until_count(rig, 1);
    rig_unlink(rig, "files/a.log");
    rig_write(rig, "files/a.log", "start\n");
    rig_append(rig, "files/a.log", "more\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "start", "start", "more");
}

static void
the_same_content_in_another_file_is_read_when_the_first_one_is_done(void **state)
{
    struct rig *rig = *state;
    rig->timing.late_ms = 60;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_configure(rig);
    assert_int_equal(mkdir(rig_path(rig, "away"), 0700), 0);
    rig_append_numbered(rig, "files/a.log", 0, 500);
    rig_until_count(rig, 500);
    rig_rename(rig, "files/a.log", "away/a.log");
    uint64_t end_ms = hf_boot_ms() + 20000;
    while (rig_status(rig, 0).files > 0 && hf_boot_ms() < end_ms)
        rig_turn(rig, 20);
    rig_stop(rig);
    rig_append_numbered(rig, "files/a.log", 0, 500);
    rig_start(rig);
    rig_until_count(rig, 1000);
    assert_int_equal(rig_gaps(rig), 0);
}

/* ---- all alike ---- */

static void
thousands_of_equal_files_are_all_read(void **state)
{
    enum { MANY = 2000 };
    struct rig *rig = *state;
    char name[64];
    rig->timing.rescan_ms = 100000;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_configure(rig);
    rig_drain(rig);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "files/%d.log", i);
        rig_write(rig, name, "the same in each\n");
    }
    rig_until_count(rig, MANY);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), MANY);
    assert_int_equal(rig_gaps(rig), 0);
    assert_true(hf_file_source(rig->intake->sources[0])->heads.compares < 3000u * MANY);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_mapped_log_is_read_as_it_is_filled),
        TEST(a_hole_is_skipped_and_what_is_behind_it_is_read),
        TEST(nul_bytes_that_were_written_are_kept),
        TEST(a_longer_one_in_its_place_is_read_on),
        TEST(one_that_is_seen_in_its_place_before_it_is_told_is_read_on),
        TEST(one_that_is_made_anew_is_read_from_its_beginning),
        TEST(the_same_content_in_another_file_is_read_when_the_first_one_is_done),
        TEST(thousands_of_equal_files_are_all_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
