/* The whole agent reloads again and again while a source takes lines in and another thread says something of its own.
 * What either takes from the configuration (account and region of each record) has to outlive the configuration that was
 * replaced, and may not be read while it is. Freed memory is for AddressSanitizer to see, a race for ThreadSanitizer;
 * that the records say the right thing, for everybody. */
#include "tests/support/test.h"

#include "agent/daemon/daemon_impl.h"

#include <holdfast/crypto.h>
#include <holdfast/json.h>
#include <semaphore.h>

#define RELOADS      30
#define LINES_EACH   20
#define ACCOUNT      "123456789012"
#define REGION       "a-region-with-a-long-name-of-its-own"
#define JOURNAL_MOST (16u << 20)

static struct {
    char folder[256];
    struct hf_daemon daemon;
    sem_t reloaded;
    atomic_bool end;
    unsigned told;
} world;

static char *
path_of(const char *name)
{
    return hf_asprintf("%s/%s", world.folder, name);
}

static void
write_configuration(void)
{
    hf_owned(hf_freep) char *text = hf_asprintf(
        "agent: { state_dir: state, account: \"" ACCOUNT "\", region: " REGION
        ", journal: { max_bytes: 16MiB, segment_bytes: 4MiB }, log: { level: error } }\n"
        "stores: [ { name: here, url: \"dir://%s/root\" } ]\n"
        "sources: [ { name: lines, type: file, path: lines.log, start: beginning } ]\n"
        "buckets: [ { name: evidence, store: here, retention: none } ]\n"
        "trails: [ { name: audit, bucket: evidence, encryption: none, digest: { key_file: "
        "digest.key } } ]\n",
        world.folder);
    hf_owned(hf_freep) char *path = path_of("holdfast.yaml");
    assert_int_equal(hf_fs_replace(path, text, strlen(text), 0600, NULL), HF_OK);
}

static int
set_up(void **state)
{
    (void)state;
    hf_test_tempdir(world.folder);
    hf_owned(hf_freep) char *key = path_of("digest.key"), *bucket = path_of("root/evidence");
    assert_int_equal(hf_fs_mkdirs(bucket, 0700, NULL), HF_OK);
    assert_int_equal(hf_signer_create(key, 2048, NULL), HF_OK);
    write_configuration();
    assert_int_equal(sem_init(&world.reloaded, 0, 0), 0);
    world.daemon.lock_fd = world.daemon.clock.fd = -1;
    world.daemon.config_path = path_of("holdfast.yaml");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    sem_destroy(&world.reloaded);
    hf_test_tempdir_remove(world.folder);
    return 0;
}

/* ---- the other threads ---- */

static void
reload_now(struct hf_daemon *daemon, void *argument)
{
    (void)argument;
    daemon_reload(daemon);
    sem_post(&world.reloaded);
}

static void
stop_now(struct hf_daemon *daemon, void *argument, uint64_t last_seq, const char *failed)
{
    (void)argument;
    (void)last_seq;
    if (failed)
        fprintf(stderr, "%s", failed);
    daemon_stop(daemon);
}

/* A stop leaves to the next start what a file has and nobody has read yet. */
static void
flush_and_stop(struct hf_daemon *daemon, void *argument)
{
    flush_begin(daemon, 60000, stop_now, argument);
}

static void
write_lines(unsigned first)
{
    hf_owned(hf_freep) char *path = path_of("lines.log");
    FILE *file = fopen(path, "a");
    if (!file)
        abort();
    for (unsigned i = 0; i < LINES_EACH; i++)
        fprintf(file, "line %u.\n", first + i);
    fclose(file);
}

/* Lines come before, while and after each reload. */
static void *
reload_often(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < RELOADS; i++) {
        write_lines(i * LINES_EACH);
        loop_post(&world.daemon, reload_now, NULL);
        sem_wait(&world.reloaded);
    }
    atomic_store(&world.end, true);
    loop_post(&world.daemon, flush_and_stop, NULL);
    return NULL;
}

/* As the trails' thread does. */
static void *
tell_often(void *argument)
{
    struct hf_error err;
    (void)argument;
    while (!atomic_load(&world.end)) {
        if (own_event(&world.daemon, "SomethingToTell", "{}", &err) != HF_OK)
            abort();
        world.told++;
    }
    return NULL;
}

/* ---- what the journal has ---- */

static void
add_segments(const char *folder, struct hf_buf *all)
{
    char **names;
    size_t count;
    assert_int_equal(hf_fs_list(folder, 100, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_owned(hf_buf_done) struct hf_buf one = HF_BUF(JOURNAL_MOST);
        hf_owned(hf_freep) char *path = hf_asprintf("%s/%s", folder, names[i]);
        assert_int_equal(hf_fs_read_file(path, JOURNAL_MOST, &one, NULL), HF_OK);
        assert_int_equal(hf_buf_add(all, one.ptr, one.size), HF_OK);
    }
    hf_fs_names_free(names, count);
}

/* Not by memmem(): ThreadSanitizer would look at all of the rest for each hit. */
static unsigned
times(const struct hf_buf *in, const char *text)
{
    size_t size = strlen(text);
    unsigned count = 0;
    for (size_t i = 0; i + size <= in->size; i++)
        count += in->ptr[i] == (uint8_t)*text && memcmp(in->ptr + i, text, size) == 0;
    return count;
}

static void
what_a_record_takes_from_the_configuration_outlives_reloads(void **state)
{
    pthread_t reloader, teller;
    struct hf_error err = { 0 };
    (void)state;
    if (daemon_open(&world.daemon, &err) != HF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&reloader, NULL, reload_often, NULL), 0);
    assert_int_equal(pthread_create(&teller, NULL, tell_often, NULL), 0);
    loop_turns(&world.daemon);
    assert_int_equal(pthread_join(reloader, NULL), 0);
    assert_int_equal(pthread_join(teller, NULL), 0);
    assert_int_equal(world.daemon.config_refused, 0);
    daemon_close(&world.daemon);

    hf_owned(hf_freep) char *journal = path_of("state/journal");
    hf_owned(hf_buf_done) struct hf_buf all = HF_BUF(2 * JOURNAL_MOST);
    add_segments(journal, &all);
    unsigned records = times(&all, "\"recipientAccountId\":");
    assert_true(world.told > 0);
    assert_int_equal(times(&all, "\"SomethingToTell\""), world.told);
    assert_int_equal(times(&all, "line "), RELOADS * LINES_EACH);
    assert_true(records >= RELOADS * LINES_EACH + world.told + RELOADS);
    assert_int_equal(times(&all, "\"recipientAccountId\":\"" ACCOUNT "\""), records);
    assert_int_equal(times(&all, "\"awsRegion\":\"" REGION "\""), records);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_record_takes_from_the_configuration_outlives_reloads,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
