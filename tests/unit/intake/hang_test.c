/* A file system that does not answer: it holds its own source, and nothing else. */
#include "client.h"
#include "help.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hang {
    sem_t answer;
    atomic_uint waiting; /* calls that have no answer yet */
    atomic_bool on;
};
static struct hang hang; /* outlives a thread that was given up */

static int
do_not_answer(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (!atomic_load(&hang.on) || !call->path || !strstr(call->path, "/mount/"))
        return 0;
    atomic_fetch_add(&hang.waiting, 1);
    while (sem_wait(&hang.answer) != 0)
        continue;
    atomic_fetch_sub(&hang.waiting, 1);
    return 0;
}

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    *state = rig;
    rig->timing.hangs_ms = 200;
    rig->timing.rescan_ms = 20;
    assert_int_equal(mkdir(rig_path(rig, "mount"), 0700), 0);
    sem_init(&hang.answer, 0, 0);
    rig_source(rig, "hung", HF_SOURCE_FILE, "mount/*.log");
    rig_source(rig, "well", HF_SOURCE_FILE, "files/*.log");
    rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock");
    rig_write(rig, "mount/a.log", "before\n");
    hf_fs_interpose(do_not_answer, NULL);
    rig_stop(rig);
    rig_start(rig);
    rig_until_count(rig, 1);
    atomic_store(&hang.on, true);
    return 0;
}

static bool
hangs(struct rig *rig, void *context)
{
    (void)rig, (void)context;
    return atomic_load(&hang.waiting) > 0;
}

static bool
is_named(struct rig *rig, void *context)
{
    (void)context;
    return strstr(rig_status(rig, 0).problem, "from the file system at") != NULL;
}

static void
answer(void)
{
    atomic_store(&hang.on, false);
    for (int i = 0; i < 100; i++)
        sem_post(&hang.answer);
}

static int
tear_down(void **state)
{
    answer();
    hf_fs_interpose(NULL, NULL);
    rig_free(*state);
    return 0;
}

static void
others_go_on_and_status_names_it(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "mount/b.log", "behind\n");
    rig_until(rig, hangs, NULL);
    rig_write(rig, "files/a.log", "beside\n");
    rig_until_count(rig, 2);
    struct client client = client_new(rig);
    say(&client, "by a client\n");
    rig_until_count(rig, 3);
    rig_until(rig, is_named, NULL);
    assert_string_equal(rig_status(rig, 1).problem, "");
    answer();
    rig_until_count(rig, 4);
    rig_drain(rig);
    assert_string_equal(rig_status(rig, 0).problem, "");
    ASSERT_TEXTS(rig, "before", "beside", "by a client", "behind");
    hang_up(&client);
}

/* What it was at may still be answered, when journal and intake are gone. */
static void
one_that_hangs_holds_no_stop_and_goes_on_after_a_start(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "mount/b.log", "behind\n");
    rig_until(rig, hangs, NULL);
    uint64_t begin_ms = hf_boot_ms();
    rig_stop(rig);
    assert_true(hf_boot_ms() - begin_ms < 10000);
    assert_int_equal(atomic_load(&hang.waiting), 1);
    answer();
    while (atomic_load(&hang.waiting) > 0)
        usleep(1000);
    rig_start(rig);
    rig_until_count(rig, 2);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "before", "behind");
}

static void
a_reload_does_not_wait_for_it_either(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "mount/b.log", "behind\n");
    rig_until(rig, hangs, NULL);
    free(rig->sources[0].event_name);
    rig->sources[0].event_name = strdup("Other");
    struct hf_error err = { .status = HF_OK };
    assert_int_equal(hf_intake_configure(rig->intake, &rig->config, &err), HF_OK);
    rig_write(rig, "files/a.log", "beside\n");
    rig_until_count(rig, 2);
    assert_non_null(strstr(rig_status(rig, 0).problem, "before the reload"));
    answer();
    rig_until_count(rig, 3);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "before", "beside", "behind");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(others_go_on_and_status_names_it),
        TEST(a_reload_does_not_wait_for_it_either),
        TEST(one_that_hangs_holds_no_stop_and_goes_on_after_a_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
