/* No step of a source's loop is long: counted is what a step looks at, not time. */
#include "help.h"

#include "agent/intake/file/looking.h"
#include "agent/intake/file/scan.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MANY      3000
#define STEP_MOST 1024 /* names, or what costs as much */

static struct hf_file_source *
source_of(struct rig *rig)
{
    return hf_file_source(rig->intake->sources[0]);
}

struct count {
    struct hf_file_source *source;
    uint64_t steps, most, cost, scans;
};

/* On the source's thread: one scan, step by step. */
static void
scan_once(void *context)
{
    struct count *count = context;
    enum hf_scan_step step;
    while (count->source->timers.scan_is_on)
        (void)hf_scan_step(count->source);
    do {
        uint64_t before = count->steps ? count->source->timers.scan_cost : 0;
        step = hf_scan_step(count->source);
        count->cost = count->source->timers.scan_cost;
        count->most = HF_MAX(count->most, count->cost - before);
        count->steps++;
    } while (step != HF_SCAN_ENDED);
}

static void
a_scan_goes_on_where_it_left_off(void **state)
{
    struct rig *rig = *state;
    char name[64];
    rig_source(rig, "app", HF_SOURCE_FILE, "files/**/*.log");
    rig_configure(rig);
    assert_int_equal(mkdir(rig_path(rig, "files/below"), 0700), 0);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "files/%s%zu.%s", i % 2 ? "below/" : "", i,
                 i % 3 ? "log" : "txt");
        rig_append_numbered(rig, name, i, i + 1);
    }
    rig_drain(rig);
    assert_int_equal(rig_count(rig), MANY - MANY / 3);
    struct count count = { .source = source_of(rig) };
    hf_thread_run(rig->intake->sources[0]->thread, scan_once, &count);
    print_message("%d names: %llu steps, at most %llu in one\n", MANY,
                  (unsigned long long)count.steps, (unsigned long long)count.most);
    assert_true(count.most <= STEP_MOST);
    assert_in_range(count.steps, MANY / STEP_MOST, MANY / 100);
    assert_in_range(count.cost, MANY, 6 * MANY);
}

struct turns { /* of the source's loop, as a timer of its own sees them */
    struct hf_file_source *source;
    uint64_t (*value)(struct hf_file_source *source);
    struct event *timer;
    uint64_t count, last, most, first;
};

static uint64_t
buffers_read(struct hf_file_source *source)
{
    return source->watch ? hf_watch_reads(source->watch) : 0;
}

static uint64_t
bytes_rehashed(struct hf_file_source *source)
{
    return source->counted.rehashed;
}

static void
on_turn(evutil_socket_t fd, short what, void *context)
{
    struct turns *turns = context;
    static const struct timeval now = { 0, 0 };
    uint64_t value = turns->value(turns->source);
    (void)fd, (void)what;
    if (turns->count++ == 0)
        turns->first = turns->last = value;
    turns->most = HF_MAX(turns->most, value - turns->last);
    turns->last = value;
    evtimer_add(turns->timer, &now);
}

static void
begin_turns(void *context)
{
    struct turns *turns = context;
    turns->timer = evtimer_new(turns->source->source.loop, on_turn, turns);
    on_turn(-1, 0, turns);
}

static void
end_turns(void *context)
{
    event_free(((struct turns *)context)->timer);
}

/* Two foreign files that change without end held the loop for as long as that went on. */
static void
inotify_is_read_one_buffer_a_turn(void **state)
{
    struct rig *rig = *state;
    enum { EVENTS = 12000 };
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/foreign", "");
    rig_write(rig, "files/other", "");
    rig_configure(rig);
    rig_turn(rig, 20);
    struct turns turns = { .source = source_of(rig), .value = buffers_read };
    struct hf_thread *thread = rig->intake->sources[0]->thread;
    hf_thread_run(thread, begin_turns, &turns);
    rig_hold(rig, 0);
    int fds[] = { open(rig_path(rig, "files/foreign"), O_WRONLY | O_CLOEXEC),
                  open(rig_path(rig, "files/other"), O_WRONLY | O_CLOEXEC) };
    for (size_t i = 0; i < EVENTS; i++) /* one after the other, else they are one event */
        assert_int_equal(pwrite(fds[i % 2], "x", 1, 0), 1);
    close(fds[0]);
    close(fds[1]);
    rig_write(rig, "files/app.log", "heard\n");
    rig_let_go(rig);
    rig_until_count(rig, 1);
    hf_thread_run(thread, end_turns, &turns);
    print_message("%d events: %llu buffers in %llu turns, at most %llu in one\n", EVENTS,
                  (unsigned long long)(turns.last - turns.first), (unsigned long long)turns.count,
                  (unsigned long long)turns.most);
    assert_in_range(turns.most, 1, 2); /* its own turn, and that of a scan */
    assert_true(turns.last - turns.first >= 12);
}

static void
count_scans(void *context)
{
    struct count *count = context;
    count->scans = count->source->scans;
}

/* One line of 60 GB would hold the source for a minute after each restart. */
static void
a_long_line_is_hashed_again_in_steps(void **state)
{
    struct rig *rig = *state;
    enum { SIZE = 24 << 20, STEP = 2 << 20 };
    hf_owned(hf_freep) char *line = hf_alloc(SIZE);
    memset(line, 'x', SIZE);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_append_bytes(rig, "files/app.log", line, SIZE);
    rig_configure(rig);
    rig_until_count(rig, SIZE / (1 << 20) - 1);
    rig_restart(rig);
    struct turns turns = { .source = source_of(rig), .value = bytes_rehashed };
    struct hf_thread *thread = rig->intake->sources[0]->thread;
    hf_thread_run(thread, begin_turns, &turns);
    rig_append(rig, "files/app.log", "\nthe next\n");
    rig_until_count(rig, SIZE / (1 << 20) + 1);
    hf_thread_run(thread, end_turns, &turns);
    print_message("%llu bytes, at most %llu in one turn\n", (unsigned long long)turns.last,
                  (unsigned long long)turns.most);
    assert_in_range(turns.last, SIZE - STEP, SIZE); /* once */
    assert_in_range(turns.most, 0, STEP);
    assert_int_equal(rig_status(rig, 0).counts.parts, 1); /* of this start */
}

/* With many files a scan costs: what is told of names is not followed by one each time, and a new
 * name is looked at all the same. */
static void
new_files_among_many_are_read_without_a_scan(void **state)
{
    struct rig *rig = *state;
    enum { NEW = 50 };
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    char name[64];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "files/%zu.log", i);
        rig_append_numbered(rig, name, i, i + 1);
    }
    rig_drain(rig);
    struct count before = { .source = source_of(rig) }, now = before;
    struct hf_thread *thread = rig->intake->sources[0]->thread;
    hf_thread_run(thread, count_scans, &before);
    for (size_t i = MANY; i < MANY + NEW; i++) {
        snprintf(name, sizeof(name), "files/%zu.log", i);
        rig_append_numbered(rig, name, i, i + 1);
        rig_until_count(rig, i + 1);
    }
    hf_thread_run(thread, count_scans, &now);
    print_message("%d new files: %llu scans\n", NEW,
                  (unsigned long long)(now.scans - before.scans));
    assert_in_range(now.scans - before.scans, 0, NEW / 2);
    assert_numbered(rig, MANY + NEW);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_scan_goes_on_where_it_left_off),
        TEST(inotify_is_read_one_buffer_a_turn),
        TEST(a_long_line_is_hashed_again_in_steps),
        TEST(new_files_among_many_are_read_without_a_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
