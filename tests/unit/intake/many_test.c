/* Many files and streams: each is found at a cost that does not grow with their number. Counted are
 * the links and bytes that were looked at, not time; a walk over all for each of them would be
 * some hundred million. */
#include "help.h"

#include "agent/intake/file/orphans.h"
#include "agent/intake/stream.h"

#include <stdio.h>
#include <sys/resource.h>

#define SOURCES 2
#define STREAMS 20000

static size_t per_source = 5000;

static int
set_up(void **state)
{
    /* Each is open: where fewer may be, with as many as there can. */
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < SOURCES * per_source + 500)
        per_source = (limit.rlim_cur - 500) / SOURCES;
    struct rig *rig = rig_with_journal(512u << 20, 32u << 20); /* their positions need much room */
    rig->patience_ms = 200000; /* and so many files take a busy machine a while */
    *state = rig;
    return 0;
}

static struct hf_file_source *
file_source(struct rig *rig, size_t i)
{
    return hf_file_source(rig->intake->sources[i]);
}

struct cost {
    uint64_t looks, scans, compares;
};

struct ask {
    struct hf_file_source *source;
    struct cost cost;
};

/* On the source's thread. */
static void
ask_one(void *context)
{
    struct ask *ask = context;
    struct hf_file_source *source = ask->source;
    ask->cost = (struct cost){
        .looks = source->by.id.looks + source->by.name.looks + source->by.followed.looks +
                 hf_orphans_looks(source),
        .compares = source->heads.compares,
        .scans = source->scans,
    };
}

static struct cost
cost_now(struct rig *rig)
{
    struct cost cost = { 0 };
    for (size_t i = 0; i < SOURCES; i++) {
        struct ask ask = { .source = file_source(rig, i) };
        hf_thread_run(rig->intake->sources[i]->thread, ask_one, &ask);
        cost.looks += ask.cost.looks;
        cost.compares += ask.cost.compares;
        cost.scans += ask.cost.scans;
    }
    return cost;
}

/* Since `before`: at most so many links for each file and look at it, and what a binary search
 * takes for each time that a file is compared with those that begin like it. */
static void
assert_no_walk(struct rig *rig, struct cost before, const char *what)
{
    struct cost now = cost_now(rig);
    uint64_t looks = now.looks - before.looks, scans = now.scans - before.scans;
    uint64_t compares = now.compares - before.compares;
    print_message("%s: %zu files, %llu scans: %llu links, %llu heads\n", what, SOURCES * per_source,
                  (unsigned long long)scans, (unsigned long long)looks,
                  (unsigned long long)compares);
    assert_true(looks <= per_source * (4 * scans + SOURCES * 16));
    assert_true(compares <= per_source * SOURCES * 400);
}

static void
write_all(struct rig *rig, const char *suffix, const char *text)
{
    char name[64], line[96];
    for (size_t i = 0; i < SOURCES * per_source; i++) {
        snprintf(name, sizeof(name), "%s/%zu.log%s", i % SOURCES ? "odd" : "even", i, suffix);
        snprintf(line, sizeof(line), "%zu %s\n", i, text);
        rig_append(rig, name, line);
    }
}

static void
rename_all(struct rig *rig)
{
    char from[64], to[64];
    for (size_t i = 0; i < SOURCES * per_source; i++) {
        snprintf(from, sizeof(from), "%s/%zu.log", i % SOURCES ? "odd" : "even", i);
        snprintf(to, sizeof(to), "%s/%zu.log.1", i % SOURCES ? "odd" : "even", i);
        rig_rename(rig, from, to);
    }
}

static void
files_are_found_without_a_walk(void **state)
{
    struct rig *rig = *state;
    size_t all = SOURCES * per_source;
    assert_int_equal(mkdir(rig_path(rig, "even"), 0700), 0);
    assert_int_equal(mkdir(rig_path(rig, "odd"), 0700), 0);
    rig_source(rig, "even", HF_SOURCE_FILE, "even/*.log*");
    rig_source(rig, "odd", HF_SOURCE_FILE, "odd/*.log*");
    rig_configure(rig);

    struct cost before = cost_now(rig);
    write_all(rig, "", "is new, and compared with all that begin like it");
    rig_drain(rig);
    rig_until_count(rig, all);
    assert_no_walk(rig, before, "new");

    before = cost_now(rig);
    write_all(rig, "", "grew");
    rig_drain(rig);
    rig_until_count(rig, 2 * all);
    assert_no_walk(rig, before, "grown");

    rig_restart(rig);
    write_all(rig, "", "was found again");
    rig_drain(rig);
    rig_until_count(rig, 3 * all);
    assert_no_walk(rig, (struct cost){ 0 }, "after a restart");

    before = cost_now(rig);
    rename_all(rig);
    write_all(rig, ".1", "was renamed");
    rig_drain(rig);
    rig_until_count(rig, 4 * all);
    assert_no_walk(rig, before, "renamed");

    assert_int_equal(rig_count(rig), 4 * all);
    assert_int_equal(rig_status(rig, 0).files + rig_status(rig, 1).files, all);
}

static void
streams_are_found_without_a_walk(void **state)
{
    struct rig *rig = *state;
    struct hf_streams *streams = rig->intake->streams;
    struct hf_stream **all = hf_alloc(STREAMS * sizeof(struct hf_stream *));
    char uuid[HF_UUID_SIZE + 32];
    for (size_t i = 0; i < STREAMS; i++) {
        snprintf(uuid, sizeof(uuid), "1f0e3dad-9990-4a5c-8d1b-%012zx", i);
        all[i] = hf_stream_get(streams, uuid, NULL);
        all[i]->connection = rig; /* somebody's */
    }
    uint64_t before = streams->table.looks;
    for (size_t i = 0; i < STREAMS; i++) {
        snprintf(uuid, sizeof(uuid), "1f0e3dad-9990-4a5c-8d1b-%012zx", i);
        assert_ptr_equal(hf_stream_get(streams, uuid, NULL), all[i]);
    }
    for (size_t i = 0; i < STREAMS; i++)
        hf_stream_put(all[i]);
    assert_true(streams->table.looks - before <= 6 * STREAMS);
    assert_int_equal(streams->table.count, 0);
    free(all);
}

/* The index of beginnings finds the same files as a look at each of them. */
static void
alike_files_are_those_that_a_walk_would_find(void **state)
{
    enum { FILES = 300, ROUNDS = 3000 };
    struct hf_file_source *source = hf_alloc(sizeof(*source));
    struct hf_file *files = hf_alloc(FILES * sizeof(*files));
    uint64_t random = 88172645463325252;
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t head[12];
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct hf_file *file = &files[random % FILES];
        size_t size = random >> 20 & 7;
        for (size_t i = 0; i < size; i++) /* few letters: most begin like some other */
            head[i] = (uint8_t)('a' + (random >> (30 + 2 * i) & 1));
        file->source = source;
        hf_heads_remove(file);
        file->print.head_size = (uint32_t)size;
        memcpy(file->print.head, head, size);
        hf_heads_add(file);

        struct hf_file **found;
        size_t walked = 0, count = hf_heads_alike(source, head, size, SIZE_MAX, &found);
        for (size_t i = 0; i < FILES; i++) {
            size_t both = HF_MIN(size, (size_t)files[i].print.head_size);
            walked += both > 0 && memcmp(files[i].print.head, head, both) == 0;
        }
        assert_int_equal(count, walked);
        for (size_t i = 0; i < count; i++) {
            size_t both = HF_MIN(size, (size_t)found[i]->print.head_size);
            assert_true(both > 0 && memcmp(found[i]->print.head, head, both) == 0);
            for (size_t j = 0; j < i; j++)
                assert_ptr_not_equal(found[i], found[j]);
        }
        free(found);
    }
    free(source->heads.items);
    free(source);
    free(files);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_are_found_without_a_walk),
        TEST(streams_are_found_without_a_walk),
        cmocka_unit_test(alike_files_are_those_that_a_walk_would_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
