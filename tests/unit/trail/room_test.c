/* A disk without room, or that fails: what can be delivered is, with the room that was kept for it;
 * what the ledger cannot note does not happen. */
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <fcntl.h>

#define LEDGER_PART ((off_t)16 << 20) /* of the reserve: the sealers do not get it */

/* What fails, and how long: once the reserve has no more than `until_bytes`, nothing does. */
static struct {
    const struct world *world;
    bool (*fails)(const struct hf_fs_call *call, const char *path);
    int error;
    off_t until_bytes; /* -1: until the test says so */
    atomic_bool on;
    atomic_uint failed;
    _Atomic off_t given_down_to; /* the reserve's size when it was enough */
} disk;

static off_t
reserve_size(const struct world *world)
{
    char path[512];
    struct stat info;
    snprintf(path, sizeof(path), "%s/state/reserve", world->folder);
    return stat(path, &info) == 0 ? info.st_size : 0;
}

static int
fail_call(void *context, struct hf_fs_call *call)
{
    char link[64], path[HF_PATH_MAX];
    (void)context;
    if (!atomic_load(&disk.on))
        return 0;
    if (call->path) {
        snprintf(path, sizeof(path), "%s", call->path);
    } else {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
        ssize_t size = readlink(link, path, sizeof(path) - 1);
        path[HF_MAX(size, 0)] = '\0';
    }
    if (!hf_starts_with(path, disk.world->folder) || !disk.fails(call, path))
        return 0;
    if (disk.until_bytes >= 0 && reserve_size(disk.world) <= disk.until_bytes) {
        atomic_store(&disk.given_down_to, reserve_size(disk.world));
        atomic_store(&disk.on, false);
        return 0;
    }
    atomic_fetch_add(&disk.failed, 1);
    return disk.error;
}

static void
disk_fails(const struct world *world, bool (*fails)(const struct hf_fs_call *, const char *),
           int error, off_t until_bytes)
{
    disk.world = world;
    disk.fails = fails;
    disk.error = error;
    disk.until_bytes = until_bytes;
    atomic_store(&disk.failed, 0);
    atomic_store(&disk.given_down_to, -1);
    atomic_store(&disk.on, true);
    hf_fs_interpose(fail_call, NULL);
}

static void
disk_is_well(void)
{
    assert_true(atomic_load(&disk.failed) > 0);
    atomic_store(&disk.on, false);
}

static bool
makes_file(const struct hf_fs_call *call)
{
    return strcmp(call->name, "open") == 0 && (call->flags & O_CREAT);
}

static bool
of_ledger(const struct hf_fs_call *call, const char *path)
{
    return strstr(path, "/trails/all/") && strstr(path, "ledger") &&
           (makes_file(call) || strcmp(call->name, "pwrite") == 0 ||
            strcmp(call->name, "fallocate") == 0);
}

static bool
of_window(const struct hf_fs_call *call, const char *path)
{
    return makes_file(call) && strstr(path, "/sealed/.w");
}

static bool
of_public_key(const struct hf_fs_call *call, const char *path)
{
    return makes_file(call) && strstr(path, "/sealed/.k");
}

static bool
of_window_or_shrinking(const struct hf_fs_call *call, const char *path)
{
    return of_window(call, path) ||
           (hf_ends_with(path, "/reserve") && strcmp(call->name, "ftruncate") == 0);
}

static bool
of_reserve(const struct hf_fs_call *call, const char *path)
{
    return hf_ends_with(path, "/reserve") && strcmp(call->name, "fallocate") == 0;
}

static void
expect_all(const struct world *world, unsigned events)
{
    struct bucket bucket = bucket_of(world, "all", "\"eventID\":\"one-");
    assert_int_equal(bucket.found, events);
    assert_int_equal(bucket.listed, events);
    assert_int_equal(bucket.lost, 0);
    assert_int_equal(bucket.highest_number, bucket.digests);
}

static void
expect_reserve_taken_back(struct world *world, off_t whole)
{
    world_sleep(3);
    for (int i = 0; i < 1000 && reserve_size(world) < whole; i++) {
        hf_trails_notify(world->trails);
        usleep(2000);
    }
    assert_int_equal(reserve_size(world), whole);
}

/* One event is through, and its trail ready. */
static off_t
begin(struct world *world)
{
    world_new(world);
    world_start(world, all_trail);
    world_append(world, "one", 0, 1);
    world_flush_well(world);
    assert_true(reserve_size(world) > LEDGER_PART);
    return reserve_size(world);
}

/* After a restart, too. */
static void
end(struct world *world, unsigned events)
{
    world_stop(world);
    hf_fs_interpose(NULL, NULL);
    world_start(world, all_trail);
    world_append(world, "one", events, 1);
    world_flush_well(world);
    expect_all(world, events + 1);
    world_stop(world);
    world_remove(world);
}

static void
window_without_room_is_sealed_with_the_sealers_part_of_the_reserve(void **state)
{
    struct world world;
    (void)state;
    off_t whole = begin(&world);
    disk_fails(&world, of_window, ENOSPC, LEDGER_PART);
    world_append(&world, "one", 1, 3);
    world_flush_well(&world);
    disk_is_well();
    assert_int_equal(disk.given_down_to, LEDGER_PART); /* and no more */
    expect_all(&world, 4);
    expect_reserve_taken_back(&world, whole);
    end(&world, 4);
}

static void
ledger_without_room_gets_all_of_the_reserve(void **state)
{
    struct world world;
    (void)state;
    off_t whole = begin(&world);
    disk_fails(&world, of_ledger, ENOSPC, 0);
    world_append(&world, "one", 1, 3);
    world_flush_well(&world);
    disk_is_well();
    assert_int_equal(disk.given_down_to, 0);
    expect_all(&world, 4);
    expect_reserve_taken_back(&world, whole);
    end(&world, 4);
}

static void
public_key_without_room_gets_the_reserve(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    disk_fails(&world, of_public_key, ENOSPC, 0);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    disk_is_well();
    assert_int_equal(disk.given_down_to, 0);
    assert_int_equal(bucket_of(&world, "all", "eventID").keys, 1);
    expect_all(&world, 3);
    end(&world, 3);
}

static void
reserve_that_cannot_be_shrunk_delays_and_loses_nothing(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    off_t whole = begin(&world);
    disk_fails(&world, of_window_or_shrinking, ENOSPC, -1);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 3000, failed);
    assert_non_null(strstr(failed, "windows are not delivered yet"));
    assert_int_equal(reserve_size(&world), whole);
    expect_all(&world, 1);
    disk_is_well();
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world, 4);
}

/* The trail has no reserve, and delivers: one window after the other, and the journal makes no new
 * file meanwhile. */
static void
reserve_that_never_was_holds_up_no_delivery(void **state)
{
    struct world world;
    char path[512];
    (void)state;
    off_t whole = begin(&world);
    world_stop(&world);
    snprintf(path, sizeof(path), "%s/state/reserve", world.folder);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    disk_fails(&world, of_reserve, ENOSPC, -1);
    world_start(&world, all_trail);
    for (unsigned i = 1; i < 4; i++) {
        world_append(&world, "one", i, 1);
        world_flush_well(&world);
    }
    expect_all(&world, 4);
    assert_int_equal(reserve_size(&world), 0);
    disk_is_well();
    expect_reserve_taken_back(&world, whole);
    end(&world, 4);
}

static void
nothing_leaves_while_the_ledger_cannot_be_written(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    (void)begin(&world);
    disk_fails(&world, of_ledger, EIO, -1);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 3000, failed);
    assert_non_null(strstr(failed, "trail 'all'"));
    expect_all(&world, 1);
    struct hf_journal_info info;
    hf_journal_info(world.journal, &info);
    assert_true(info.released_seq <= 1);
    disk_is_well();
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world, 4);
}

static bool
of_attempt(const struct hf_fs_call *call, const char *path)
{
    static atomic_bool began; /* the rewrite that is to mend it fails as well */
    if (!of_ledger(call, path))
        return false;
    if (call->bytes && memmem(call->bytes, call->size, "\"what\"", 6))
        atomic_store(&began, true);
    return atomic_load(&began);
}

static void
attempt_that_cannot_be_noted_is_not_made(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    (void)begin(&world);
    disk_fails(&world, of_attempt, EIO, -1);
    uint64_t puts = world_number(&world, "puts");
    world_append(&world, "one", 1, 3);
    world_flush(&world, 3000, failed);
    assert_non_null(strstr(failed, "windows are not delivered yet"));
    assert_int_equal(world_number(&world, "puts"), puts);
    expect_all(&world, 1);
    disk_is_well();
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "eventID").objects, 2);
    expect_all(&world, 4);
    end(&world, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_without_room_is_sealed_with_the_sealers_part_of_the_reserve),
        cmocka_unit_test(ledger_without_room_gets_all_of_the_reserve),
        cmocka_unit_test(public_key_without_room_gets_the_reserve),
        cmocka_unit_test(reserve_that_cannot_be_shrunk_delays_and_loses_nothing),
        cmocka_unit_test(reserve_that_never_was_holds_up_no_delivery),
        cmocka_unit_test(nothing_leaves_while_the_ledger_cannot_be_written),
        cmocka_unit_test(attempt_that_cannot_be_noted_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
