/* Trails that are behind share the sealers: none waits until another one has caught up. */
#include "tests/unit/trail/world.h"

#include <sys/stat.h>

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)
#define EVENTS      20000
#define OBJECTS_MAX 200
#define TRAIL(name)                                                                                \
    "  - { name: " name ", bucket: evidence, prefix: " name                                        \
    ", window: { seconds: 3600, max_bytes: 64KiB }, encryption: none, "                            \
    "digest: { key_file: digest.key } }\n"

static int
by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* When the sealed files of a trail came into being, in order. */
static size_t
sealed_times(const char *folder, int64_t *times, size_t count)
{
    char **names;
    size_t name_count;
    assert_int_equal(hf_fs_list(folder, 10000, &names, &name_count, NULL), HF_OK);
    for (size_t i = 0; i < name_count; i++) {
        char path[HF_PATH_MAX];
        struct stat stat;
        hf_path_join(path, sizeof(path), folder, names[i]);
        assert_int_equal(hf_fs_lstat(path, &stat, NULL), HF_OK);
        if (names[i][0] == 'w' && count < OBJECTS_MAX)
            times[count++] = (int64_t)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec;
    }
    hf_fs_names_free(names, name_count);
    return count;
}

static size_t
times_of(const struct world *world, const char *trail, int64_t times[OBJECTS_MAX])
{
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/state/trails/%s/sealed", world->folder, trail);
    size_t count = sealed_times(folder, times, 0);
    qsort(times, count, sizeof(*times), by_time);
    return count;
}

static void
trails_that_are_behind_share_the_sealers(void **state)
{
    static const char trails[] = TRAIL("first-one") TRAIL("second-one") TRAIL("third-one");
    static const char *const names[] = { "first-one", "second-one", "third-one" };
    struct world world;
    int64_t times[3][OBJECTS_MAX];
    size_t counts[3];
    char failed[512], path[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK); /* what is sealed stays */
    world_start(&world, trails);
    world_settle(&world);
    world_set_wall(TEN_YEARS_S); /* nothing is cut: all are behind by the same */
    for (unsigned first = 0; first < EVENTS; first += 1000)
        world_append(&world, "one", first, 1000);
    world_set_wall(0);
    world_flush(&world, 1500, failed);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        counts[i] = times_of(&world, names[i], times[i]);
        assert_true(counts[i] >= 8);
    }
    /* Before any of them has half of its windows, each of the others has some. */
    for (size_t i = 0; i < HF_COUNT(names); i++)
        for (size_t other = 0; other < HF_COUNT(names); other++)
            assert_true(times[other][1] < times[i][counts[i] / 2]);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trails_that_are_behind_share_the_sealers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
