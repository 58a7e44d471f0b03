/* Everything that rename rotation can do, in random order: each line arrives exactly once. The seed
 * is printed. */
#include "help.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES 4

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 11;
}

/* Nothing that was deleted is open any more: it was read to its end, and its state says so. */
static bool
deleted_is_closed(struct rig *rig, void *context)
{
    char **names, link[64], path[512];
    size_t count;
    bool open = false;
    (void)context;
    assert_int_equal(hf_fs_list("/proc/self/fd", 4096, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%s", names[i]);
        ssize_t size = readlink(link, path, sizeof(path) - 1);
        path[HF_MAX(size, 0)] = '\0';
        open |= hf_starts_with(path, rig->dir) && hf_ends_with(path, " (deleted)");
    }
    hf_fs_names_free(names, count);
    return !open;
}

/* As logrotate does: the oldest goes, when all of it was read. */
static void
rotate(struct rig *rig, size_t *kept, size_t whole_lines)
{
    char from[64], to[64];
    if (*kept == FILES) {
        rig_until_count(rig, whole_lines);
        snprintf(from, sizeof(from), "files/app.log.%d", FILES);
        rig_unlink(rig, from);
        rig_until(rig, deleted_is_closed, NULL); /* gone while we are stopped would be a gap */
        --*kept;
    }
    for (size_t i = *kept; i > 0; i--) {
        snprintf(from, sizeof(from), "files/app.log.%zu", i);
        snprintf(to, sizeof(to), "files/app.log.%zu", i + 1);
        rig_rename(rig, from, to);
    }
    rig_rename(rig, "files/app.log", "files/app.log.1");
    ++*kept;
}

static void
assert_no_gaps(struct rig *rig)
{
    json_t *events = rig_events(rig), *event;
    size_t i;
    json_array_foreach(events, i, event) if (strcmp(event_name(event), "SourceGap") == 0)
    {
        json_dumpf(json_object_get(event, "serviceEventDetails"), stderr, JSON_COMPACT);
        fail_msg("a gap");
    }
    json_decref(events);
}

static void
run(const char *pattern, uint64_t seed, size_t steps)
{
    struct rig *rig = rig_new();
    size_t line = 0, kept = 0;
    bool there = false, partial = false;
    print_message("%s, seed %llu\n", pattern, (unsigned long long)seed);
    rig_source(rig, "app", HF_SOURCE_FILE, pattern)->max_event = 1u << 16;
    rig_configure(rig);
    rig_turn(rig, 5);
    for (size_t i = 0; i < steps; i++) {
        char text[64];
        uint64_t what = next_random(&seed) % 16;
        if (what < 6) {
            size_t more = next_random(&seed) % 300 + 1;
            rig_append(rig, "files/app.log", partial ? "\n" : "");
            rig_append_numbered(rig, "files/app.log", line, line + more);
            line += more;
            there = true;
            partial = false;
        } else if (what < 8) {
            snprintf(text, sizeof(text), "%sline %zu", partial ? "\n" : "", line++);
            rig_append(rig, "files/app.log", text);
            there = partial = true;
        } else if (what < 11 && there) {
            rotate(rig, &kept, line - partial);
            there = partial = false;
        } else if (what < 13) {
            rig_turn(rig, (unsigned)(next_random(&seed) % 100));
        } else if (what < 15) {
            /* A file that is made and renamed out of the pattern between two looks cannot be known.
             */
            rig_passes(rig, 6);
            rig_restart(rig);
        }
    }
    if (partial)
        rig_append(rig, "files/app.log", "\n");
    rig_drain(rig);
    rig_until_count(rig, line);
    rig_turn(rig, 2 * (unsigned)rig->timing.quiet_ms);
    rig_drain(rig);
    assert_numbered(rig, line);
    assert_no_gaps(rig);
    rig_free(rig);
}

static uint64_t
first_seed(void)
{
    const char *text = getenv("HOLDFAST_SEED");
    return text ? strtoull(text, NULL, 10) : hf_wall_ns();
}

static void
rotation_inside_the_pattern(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++)
        run("files/app.log*", first_seed() + i, 40);
}

static void
rotation_out_of_the_pattern(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++)
        run("files/app.log", first_seed() + i, 40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotation_inside_the_pattern),
        cmocka_unit_test(rotation_out_of_the_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
