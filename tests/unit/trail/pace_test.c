/* How windows are compressed: as configured, or quicker and quicker under a backlog; once it is
 * cut, nothing changes that. */
#include "tests/unit/trail/world.h"

#include <errno.h>

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)
#define TRAIL(level)                                                                               \
    "  - { name: all-events, bucket: evidence, prefix: here, window: { seconds: 3600, max_bytes: " \
    "64KiB }, encryption: none, "                                                                  \
    "compression: { level: " level " }, digest: { key_file: digest.key } }\n"

struct ways { /* the sealed files that were made in each way */
    unsigned usual, quick, isal, other;
};

static void
count_way(struct ways *ways, const char *path)
{
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    int compression;
    assert_int_equal(hf_sealed_open(path, true, &sealed, NULL), HF_OK);
    assert_true(hf_compression_parse(sealed->compression, &compression));
    unsigned *way = compression == HF_COMPRESSION_USUAL   ? &ways->usual
                    : compression == HF_COMPRESSION_QUICK ? &ways->quick
                    : compression == HF_COMPRESSION_ISAL  ? &ways->isal
                                                          : &ways->other;
    (*way)++;
}

static struct ways
ways_of(const struct world *world)
{
    struct ways ways = { .usual = 0 };
    char folder[512], path[HF_PATH_MAX], **names;
    size_t count;
    snprintf(folder, sizeof(folder), "%s/state/trails/all-events/sealed", world->folder);
    assert_int_equal(hf_fs_list(folder, 10000, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_path_join(path, sizeof(path), folder, names[i]);
        if (names[i][0] == 'w')
            count_way(&ways, path);
    }
    hf_fs_names_free(names, count);
    return ways;
}

/* What is sealed stays. */
static void
store_away(const struct world *world)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/root/evidence", world->folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK);
}

/* Nothing is cut while they come: then all of them are behind at once. */
static void
fall_behind(struct world *world, unsigned first, unsigned count)
{
    char failed[512];
    world_settle(world);
    world_set_wall(TEN_YEARS_S);
    for (unsigned i = 0; i < count; i += 1000)
        world_append(world, "one", first + i, 1000);
    world_set_wall(0);
    world_flush(world, 1500, failed);
    assert_true(*failed);
}

static void
level_of_the_configuration_is_used(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    store_away(&world);
    world_start(&world, TRAIL("9"));
    fall_behind(&world, 0, 10000);
    struct ways ways = ways_of(&world);
    assert_int_equal(ways.usual + ways.quick + ways.isal, 0);
    assert_in_range(ways.other, 5, 1000);
    world_stop(&world);
    world_remove(&world);
}

static void
backlog_makes_it_quicker_until_it_is_gone(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    store_away(&world);
    world_start(&world, TRAIL("auto"));
    world_append(&world, "one", 0, 10);
    world_flush(&world, 500, failed); /* longer than it takes until it looks again */
    struct ways ways = ways_of(&world);
    assert_int_equal(ways.usual, 1); /* nothing waits */
    assert_int_equal(ways.quick + ways.isal + ways.other, 0);

    fall_behind(&world, 10, 60000);
    ways = ways_of(&world);
    assert_in_range(ways.quick, 5, 1000);
    assert_int_equal(ways.isal + ways.other, 0); /* it did not grow again */

    world_append(&world, "one", 60010, 10);
    world_flush(&world, 200, failed);
    struct ways again = ways_of(&world);
    assert_true(again.usual > ways.usual);
    assert_int_equal(again.quick, ways.quick);
    world_stop(&world);
    world_remove(&world);
}

static void
backlog_that_grows_takes_the_quickest_way(void **state)
{
    struct world world;
    struct ways ways = { .usual = 0 };
    (void)state;
    world_new(&world);
    store_away(&world);
    world_start(&world, TRAIL("auto"));
    /* Each is more than what was left of the one before, whenever that was looked at. */
    for (unsigned round = 0, first = 0; round < 8 && ways.isal == 0; first += 4000 * ++round) {
        fall_behind(&world, first, 4000 * (round + 1));
        ways = ways_of(&world);
        assert_int_equal(ways.other, 0);
        if (!hf_compression_available(HF_COMPRESSION_ISAL))
            assert_int_equal(ways.isal, 0);
    }
    assert_true(ways.quick > 0);
    assert_true(ways.isal > 0 || !hf_compression_available(HF_COMPRESSION_ISAL));
    world_stop(&world);
    world_remove(&world);
}

static atomic_bool no_sealing;

static int
fail_sealing(void *context, struct hf_fs_call *call)
{
    (void)context;
    return atomic_load(&no_sealing) && strcmp(call->name, "open") == 0 &&
                   strstr(call->path, "/sealed/.w")
               ? EIO
               : 0;
}

/* Whatever the configuration says by then: what was sealed before a crash may have been sent. */
static void
window_is_sealed_as_it_was_cut(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    store_away(&world);
    hf_fs_interpose(fail_sealing, NULL);
    atomic_store(&no_sealing, true);
    world_start(&world, TRAIL("1"));
    fall_behind(&world, 0, 3000);
    assert_int_equal(ways_of(&world).quick, 0);
    world_stop(&world);
    atomic_store(&no_sealing, false);
    world_start(&world, TRAIL("9"));
    fall_behind(&world, 3000, 3000);
    struct ways ways = ways_of(&world);
    assert_in_range(ways.quick, 2, 1000);
    assert_in_range(ways.other, 2, 1000);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_of_the_configuration_is_used),
        cmocka_unit_test(backlog_makes_it_quicker_until_it_is_gone),
        cmocka_unit_test(backlog_that_grows_takes_the_quickest_way),
        cmocka_unit_test(window_is_sealed_as_it_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
