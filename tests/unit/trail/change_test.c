/* Trails come, change and go with a backlog, and with a crash before any of it is cut: what was
 * taken under a configuration is cut by that one. Prints a row per case: what is missing from
 * its trail, and what is twice or too much in it. */
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <sys/wait.h>

#define TEN_YEARS_S (INT64_C(10) * 365 * 86400)
#define TRAIL(sources, more)                                                                       \
    "  - { name: all, bucket: evidence, prefix: all, sources: [" sources                           \
    "], window: { seconds: 3600 }, encryption: none, digest: { key_file: digest.key }" more " }\n"

static const char only_one[] = TRAIL("one", ""), only_two[] = TRAIL("two", ""),
                  both[] = TRAIL("one, two", ""),
                  both_oldest[] = TRAIL("one, two", ", start: oldest");
/* A configuration has to have a trail: this one is somebody else's. */
static const char other[] =
    "  - { name: other, bucket: evidence, prefix: other, sources: [two], window: { seconds: 3600 "
    "}, encryption: none, digest: { key_file: digest.key } }\n";

static void
reload(struct world *world, const char *trails)
{
    struct hf_error err;
    if (hf_trails_configure(world->trails, world_config(world, trails), &err) != HF_OK)
        fail_msg("%s", err.text);
}

/* Nothing is cut while the clock cannot be right: a backlog. */
static void
hold_cutting(struct world *world)
{
    world_settle(world);
    world_set_wall(TEN_YEARS_S);
}

static void
append_both(struct world *world, unsigned first, unsigned count)
{
    world_append(world, "one", first, count);
    world_append(world, "two", first, count);
}

/* ---- what is in the trail ---- */

struct expected {
    const char *source;
    unsigned first, count;
};

static unsigned
times_in(const char *folder, const char *source, unsigned number)
{
    char needle[64];
    snprintf(needle, sizeof(needle), "\"eventID\":\"%s-%u\"", source, number);
    return bucket_in(folder, needle).found;
}

static bool
is_expected(const struct expected *expected, size_t count, const char *source, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(expected[i].source, source) == 0 && number >= expected[i].first &&
            number < expected[i].first + expected[i].count)
            return true;
    }
    return false;
}

/* Of both sources, numbers up to but not including `end`. */
static void
judge(const struct world *world, const char *what, unsigned end, const struct expected *expected,
      size_t count)
{
    static const char *const sources[] = { "one", "two" };
    unsigned lost = 0, doubled = 0, events = 0;
    char folder[HF_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/root/evidence/all", world->folder);
    for (size_t s = 0; s < HF_COUNT(sources); s++) {
        for (unsigned number = 0; number < end; number++) {
            unsigned times = times_in(folder, sources[s], number),
                     wanted = is_expected(expected, count, sources[s], number);
            events += wanted;
            lost += times < wanted;
            doubled += times > wanted;
        }
    }
    print_message("| %-66s | %6u | %4u | %7u |\n", what, events, lost, doubled);
    assert_int_equal(lost, 0);
    assert_int_equal(doubled, 0);
    struct bucket bucket = bucket_in(folder, "eventID");
    assert_int_equal(bucket.found, events);
    assert_int_equal(bucket.listed, events);
}
#define JUDGE(world, what, end, ...)                                                               \
    do {                                                                                           \
        const struct expected expected_[] = { __VA_ARGS__ };                                       \
        judge(world, what, end, expected_, HF_COUNT(expected_));                                   \
    } while (0)

/* ---- the script of a case, live or with a crash at its end ---- */

static void
run_until_crash(struct world *world, void (*script)(struct world *world))
{
    pid_t child = fork();
    if (child == 0) {
        script(world);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
finish(struct world *world)
{
    world_stop(world);
    world_remove(world);
}

static void
three_in_a_row(struct world *world)
{
    world_start(world, only_one);
    hold_cutting(world);
    append_both(world, 0, 10);
    reload(world, only_two);
    append_both(world, 10, 10);
    reload(world, both);
    append_both(world, 20, 10);
}

static void
each_change_holds_for_what_came_under_it(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    three_in_a_row(&world);
    world_set_wall(0);
    world_flush_well(&world);
    JUDGE(&world, "A, B, C by reload, with a backlog", 30, { "one", 0, 10 }, { "two", 10, 20 },
          { "one", 20, 10 });
    finish(&world);
}

static void
crash_before_any_of_it_is_cut_changes_nothing(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, three_in_a_row);
    world_start(&world, both);
    world_flush_well(&world);
    JUDGE(&world, "... and a crash before any of it is cut", 30, { "one", 0, 10 },
          { "two", 10, 20 }, { "one", 20, 10 });
    finish(&world);
}

static void
two_in_a_row(struct world *world)
{
    world_start(world, only_one);
    hold_cutting(world);
    append_both(world, 0, 10);
    reload(world, only_two);
    append_both(world, 10, 10);
}

static void
configuration_that_changed_while_it_was_down_is_for_what_comes_then(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, two_in_a_row);
    world_start(&world, both);
    append_both(&world, 20, 10);
    world_flush_well(&world);
    JUDGE(&world, "A, B by reload, a crash, started with C", 30, { "one", 0, 10 },
          { "two", 10, 20 }, { "one", 20, 10 });
    world_stop(&world);
    world_start(&world, only_one);
    append_both(&world, 30, 10);
    world_flush_well(&world);
    JUDGE(&world, "... stopped, started with A", 40, { "one", 0, 10 }, { "two", 10, 20 },
          { "one", 20, 20 });
    finish(&world);
}

static void
changed_and_removed(struct world *world)
{
    two_in_a_row(world);
    reload(world, other);
    append_both(world, 20, 10);
}

static void
removal_behind_a_change_drains_both(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    changed_and_removed(&world);
    world_set_wall(0);
    world_wait_until_gone(&world, "state/trails/all");
    JUDGE(&world, "A, B, removed, with a backlog: drained", 30, { "one", 0, 10 },
          { "two", 10, 10 });
    finish(&world);
}

static void
removal_outlives_a_crash(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, changed_and_removed);
    world_start(&world, other);
    append_both(&world, 30, 10);
    world_wait_until_gone(&world, "state/trails/all");
    JUDGE(&world, "... and a crash: drained by the next start", 40, { "one", 0, 10 },
          { "two", 10, 10 });
    finish(&world);
}

static void
removal_by_the_start_drains(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, two_in_a_row);
    world_start(&world, other);
    append_both(&world, 20, 10);
    world_wait_until_gone(&world, "state/trails/all");
    JUDGE(&world, "A, B, a crash, started without it: drained", 30, { "one", 0, 10 },
          { "two", 10, 10 });
    finish(&world);
}

static void
removed_and_back(struct world *world)
{
    world_start(world, both);
    hold_cutting(world);
    append_both(world, 0, 10);
    reload(world, other);
    append_both(world, 10, 10);
    reload(world, both);
    append_both(world, 20, 10);
}

static void
what_came_while_it_was_gone_is_not_its_own(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    removed_and_back(&world);
    world_set_wall(0);
    world_flush_well(&world);
    JUDGE(&world, "removed and back before it drained", 30, { "one", 0, 10 }, { "two", 0, 10 },
          { "one", 20, 10 }, { "two", 20, 10 });
    assert_int_equal(bucket_of(&world, "all", "eventID").old_heads, 0); /* the same chain */
    finish(&world);
}

static void
what_came_while_it_was_gone_is_not_its_own_after_a_crash(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, removed_and_back);
    world_start(&world, both);
    world_flush_well(&world);
    JUDGE(&world, "... and a crash", 30, { "one", 0, 10 }, { "two", 0, 10 }, { "one", 20, 10 },
          { "two", 20, 10 });
    finish(&world);
}

static void
only_removed(struct world *world)
{
    world_start(world, both);
    hold_cutting(world);
    append_both(world, 0, 10);
    reload(world, other);
    append_both(world, 10, 10);
}

static void
back_by_the_start_after_a_crash_begins_there(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, only_removed);
    world_start(&world, both);
    append_both(&world, 20, 10);
    world_flush_well(&world);
    JUDGE(&world, "removed, a crash before it drained, started with it", 30, { "one", 0, 10 },
          { "two", 0, 10 }, { "one", 20, 10 }, { "two", 20, 10 });
    finish(&world);
}

static void
back_from_the_oldest_takes_what_came_meanwhile(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    only_removed(&world);
    reload(&world, both_oldest);
    world_set_wall(0);
    world_flush_well(&world);
    JUDGE(&world, "removed and back with `start: oldest`", 20, { "one", 0, 20 }, { "two", 0, 20 });
    finish(&world);
}

/* A new chain, which says what it came after. */
static void
back_after_it_drained_is_a_new_trail(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, both);
    append_both(&world, 0, 10);
    reload(&world, other);
    world_wait_until_gone(&world, "state/trails/all");
    append_both(&world, 10, 10);
    reload(&world, both);
    append_both(&world, 20, 10);
    world_flush_well(&world);
    JUDGE(&world, "removed, drained, and back", 30, { "one", 0, 10 }, { "two", 0, 10 },
          { "one", 20, 10 }, { "two", 20, 10 });
    assert_int_equal(bucket_of(&world, "all", "eventID").old_heads, 1);
    finish(&world);
}

static int
fail_digests(void *context, struct hf_fs_call *call)
{
    (void)context;
    return strcmp(call->name, "link") == 0 && call->to && strstr(call->to, "/root/evidence/all/") &&
                   strstr(call->to, "CloudTrail-Digest") && hf_ends_with(call->to, ".json.gz")
               ? EIO
               : 0;
}

/* Its first digest is cut and cannot be delivered: it lies in the ledger only. */
static void
back_and_ended_before_its_first_digest(struct world *world)
{
    char failed[512];
    world_start(world, both);
    append_both(world, 0, 10);
    hf_fs_interpose(fail_digests, NULL);
    world_flush(world, 1500, failed);
    assert_non_null(strstr(failed, "the digest is not delivered yet"));
}

static void
crash_before_the_first_digest_of_a_trail_that_is_back(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, both);
    append_both(&world, 100, 1);
    reload(&world, other);
    world_wait_until_gone(&world, "state/trails/all");
    world_stop(&world);
    run_until_crash(&world, back_and_ended_before_its_first_digest);
    world_start(&world, both);
    world_flush_well(&world);
    JUDGE(&world, "... a crash before its first digest is delivered", 101, { "one", 0, 10 },
          { "two", 0, 10 }, { "one", 100, 1 }, { "two", 100, 1 });
    assert_int_equal(bucket_of(&world, "all", "eventID").old_heads, 1);
    finish(&world);
}

static void
new_trail_from_the_oldest_takes_what_the_journal_has(void **state)
{
    struct world world;
    char trails[2048];
    (void)state;
    world_new(&world);
    world_start(&world, other);
    append_both(&world, 0, 10);
    snprintf(trails, sizeof(trails), "%s%s", other, both_oldest);
    reload(&world, trails);
    append_both(&world, 10, 10);
    world_flush_well(&world);
    JUDGE(&world, "a new trail with `start: oldest`", 20, { "one", 0, 20 }, { "two", 0, 20 });
    finish(&world);
}

/* ---- the moment of the change ---- */

static void
window_ends_at_the_change(void **state)
{
    static const char half_an_hour[] =
        "  - { name: all, bucket: evidence, prefix: all, sources: [one, two], window: { seconds: "
        "1800 }, encryption: none, digest: { key_file: digest.key } }\n";
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, both);
    append_both(&world, 0, 5);
    reload(&world, half_an_hour);
    append_both(&world, 5, 5);
    world_flush_well(&world);
    JUDGE(&world, "another window length", 10, { "one", 0, 10 }, { "two", 0, 10 });
    assert_int_equal(bucket_of(&world, "all", "eventID").objects, 2);
    finish(&world);
}

/* The journal's disk stands still. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hold;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int
hold_journal(void *context, struct hf_fs_call *call)
{
    char link[64], path[512];
    (void)context;
    if (call->fd < 0 || strcmp(call->name, "pwrite") != 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[HF_MAX(size, 0)] = '\0';
    if (!strstr(path, "/state/journal/"))
        return 0;
    pthread_mutex_lock(&disk.lock);
    while (disk.hold)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
    return 0;
}

static void
set_hold(bool hold)
{
    pthread_mutex_lock(&disk.lock);
    disk.hold = hold;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

/* Handed over, and not durable. */
static void
hand_over(struct world *world, const char *source, unsigned first, unsigned count)
{
    uint16_t id;
    struct hf_error err;
    assert_int_equal(hf_journal_source(world->journal, source, &id, &err), HF_OK);
    set_hold(true);
    assert_int_equal(hf_journal_begin(world->journal, true, &err), HF_OK);
    for (unsigned i = first; i < first + count; i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"eventID\":\"%s-%u\",\"n\":%u}", source, i, i);
        assert_int_equal(
            hf_journal_append(world->journal, id, 1767225600, hf_slice_text(text), NULL, &err),
            HF_OK);
    }
    hf_journal_commit(world->journal);
}

static void
handed_over_before_the_change_is_under_the_settings_before_it(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    hf_fs_interpose(hold_journal, NULL);
    world_start(&world, only_one);
    append_both(&world, 0, 5);
    hand_over(&world, "one", 5, 5);
    reload(&world, only_two);
    set_hold(false);
    append_both(&world, 10, 5);
    world_flush_well(&world);
    JUDGE(&world, "on its way to the disk when its source leaves the trail", 15, { "one", 0, 10 },
          { "two", 10, 5 });
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_remove(&world);
}

static void
change_behind_what_never_became_durable(struct world *world)
{
    hf_fs_interpose(hold_journal, NULL);
    world_start(world, only_one);
    world_append(world, "one", 0, 5);
    world_append(world, "two", 0, 1);
    hand_over(world, "one", 5, 20);
    reload(world, only_two);
}

/* Their sequences are given to others after the restart. */
static void
sequences_that_are_given_again_are_under_the_settings_after_the_restart(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    run_until_crash(&world, change_behind_what_never_became_durable);
    world_start(&world, only_two);
    append_both(&world, 30, 5);
    world_flush_well(&world);
    JUDGE(&world, "never durable, a change behind it, a crash", 40, { "one", 0, 5 },
          { "two", 30, 5 });
    finish(&world);
}

/* ---- refused ---- */

static void
trail_that_cannot_be_opened_refuses_the_reload(void **state)
{
    static const char third[] =
        "  - { name: third, bucket: evidence, prefix: third, window: { seconds: 3600 }, "
        "encryption: none, digest: { key_file: digest.key } }\n";
    struct world world;
    struct hf_error err;
    char path[512], trails[2048];
    (void)state;
    world_new(&world);
    world_start(&world, both);
    append_both(&world, 0, 5);
    snprintf(path, sizeof(path), "%s/state/trails/third", world.folder);
    assert_int_equal(hf_fs_replace(path, "no folder", 9, 0600, &err), HF_OK);
    snprintf(trails, sizeof(trails), "%s%s%s", only_one, other, third);
    struct hf_config *config = world_config(&world, trails);
    assert_int_not_equal(hf_trails_configure(world.trails, config, &err), HF_OK);
    assert_non_null(strstr(err.text, "third"));
    hf_config_free(config);
    assert_false(world_has(&world, "state/trails/other")); /* which could be opened */
    append_both(&world, 5, 5);
    world_flush_well(&world);
    JUDGE(&world, "a reload with a trail that cannot be opened: as before", 10, { "one", 0, 10 },
          { "two", 0, 10 });
    assert_int_equal(hf_fs_unlink(path, &err), HF_OK);
    reload(&world, trails);
    append_both(&world, 10, 5);
    world_flush_well(&world);
    JUDGE(&world, "... and again, when it can", 15, { "one", 0, 15 }, { "two", 0, 10 });
    assert_int_equal(bucket_of(&world, "third", "eventID").found,
                     10); /* from then on, not from the first try */
    finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_holds_for_what_came_under_it),
        cmocka_unit_test(crash_before_any_of_it_is_cut_changes_nothing),
        cmocka_unit_test(configuration_that_changed_while_it_was_down_is_for_what_comes_then),
        cmocka_unit_test(removal_behind_a_change_drains_both),
        cmocka_unit_test(removal_outlives_a_crash),
        cmocka_unit_test(removal_by_the_start_drains),
        cmocka_unit_test(what_came_while_it_was_gone_is_not_its_own),
        cmocka_unit_test(what_came_while_it_was_gone_is_not_its_own_after_a_crash),
        cmocka_unit_test(back_by_the_start_after_a_crash_begins_there),
        cmocka_unit_test(back_from_the_oldest_takes_what_came_meanwhile),
        cmocka_unit_test(back_after_it_drained_is_a_new_trail),
        cmocka_unit_test(crash_before_the_first_digest_of_a_trail_that_is_back),
        cmocka_unit_test(new_trail_from_the_oldest_takes_what_the_journal_has),
        cmocka_unit_test(window_ends_at_the_change),
        cmocka_unit_test(handed_over_before_the_change_is_under_the_settings_before_it),
        cmocka_unit_test(sequences_that_are_given_again_are_under_the_settings_after_the_restart),
        cmocka_unit_test(trail_that_cannot_be_opened_refuses_the_reload),
    };
    print_message("| %-66s | events | lost | doubled |\n", "case");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
