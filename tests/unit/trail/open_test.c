/* What a start and a reload find on disk: leftovers go, what is whole is used, and what only cannot
 * be read now is a fault of this host, and no reason to call anything lost. */
#include "agent/trail/saved.h"
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <fcntl.h>

static char both_trails[1024];

/* ---- one call that fails ---- */

static struct {
    const char *name, *path; /* of the call; the end of its path */
    atomic_uint failed;
} fault;

static int
fail_call(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (!call->path || strcmp(call->name, fault.name) != 0 || !hf_ends_with(call->path, fault.path))
        return 0;
    atomic_fetch_add(&fault.failed, 1);
    return EIO;
}

static void
disk_fails(const char *name, const char *path)
{
    fault.name = name;
    fault.path = path;
    atomic_store(&fault.failed, 0);
    hf_fs_interpose(fail_call, NULL);
}

static void
disk_is_well(void)
{
    hf_fs_interpose(NULL, NULL);
    assert_true(atomic_load(&fault.failed) > 0);
}

/* ---- a start that fails ---- */

static void
start_fails(struct world *world, const char *trails, enum hf_status status, const char *word)
{
    char state[512], path[600];
    struct hf_error err = { 0 };
    struct hf_journal_recovery recovery;
    struct hf_trails *none;
    snprintf(state, sizeof(state), "%s/state", world->folder);
    snprintf(path, sizeof(path), "%s/journal", state);
    struct hf_journal_options journal = { .directory = path,
                                          .max_bytes = 64u << 20,
                                          .segment_bytes = 4u << 20,
                                          .on_commit = world_on_commit,
                                          .context = world };
    assert_int_equal(hf_journal_open(&journal, &world->journal, &recovery, &err), HF_OK);
    hf_journal_recovery_done(&recovery);
    struct hf_trails_options options = { .state_dir = state,
                                         .identity = &world->identity,
                                         .journal = world->journal,
                                         .own_event = world_own_event,
                                         .context = world };
    struct hf_config *config = world_config(world, trails);
    assert_int_equal(hf_trails_start(&options, config, &none, &err), status);
    if (!strstr(err.text, word))
        fail_msg("'%s' says nothing of '%s'", err.text, word);
    hf_config_free(config);
    hf_journal_close(world->journal);
}

static void
state_path(const struct world *world, const char *name, char ret_path[512])
{
    snprintf(ret_path, 512, "%s/state/%s", world->folder, name);
}

static void
put_state(const struct world *world, const char *name, const char *text)
{
    char path[512];
    state_path(world, name, path);
    assert_int_equal(hf_fs_replace(path, text, strlen(text), 0600, NULL), HF_OK);
}

static void
expect_all(const struct world *world, const char *trail, unsigned events)
{
    struct bucket bucket = bucket_of(world, trail, "eventID");
    assert_int_equal(bucket.found, events);
    assert_int_equal(bucket.listed, events);
    assert_int_equal(bucket.lost, 0);
    assert_int_equal(bucket.highest_number, bucket.digests);
}

/* A window of three events waits, sealed, since the bucket is away; the agent has stopped. */
static void
stopped_with_a_sealed_window(struct world *world)
{
    char path[512], failed[512];
    world_new(world);
    snprintf(path, sizeof(path), "%s/root/evidence", world->folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK);
    world_start(world, all_trail);
    world_append(world, "one", 0, 3);
    world_flush(world, 500, failed);
    world_stop(world);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_true(world_has(world, "state/trails/all/sealed/w1-3.0"));
}

/* ---- at the start ---- */

static void
folder_that_cannot_be_listed_refuses_the_start_and_loses_nothing(void **state)
{
    static const char *const folders[] = { "/trails/all", "/trails/all/sealed", "/state/trails" };
    struct world world;
    (void)state;
    stopped_with_a_sealed_window(&world);
    for (size_t i = 0; i < HF_COUNT(folders); i++) {
        disk_fails("readdir", folders[i]);
        start_fails(&world, all_trail, HF_EIO, folders[i]);
        disk_is_well();
    }
    world_start(&world, all_trail);
    world_flush_well(&world);
    expect_all(&world, "all", 3);
    world_stop(&world);
    world_remove(&world);
}

/* The trail behind it is let go of, too. */
static void
sealed_file_that_cannot_be_read_now_refuses_the_start_and_is_not_lost(void **state)
{
    struct world world;
    (void)state;
    snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
    stopped_with_a_sealed_window(&world);
    disk_fails("open", "/sealed/w1-3.0");
    start_fails(&world, both_trails, HF_EIO, "trail 'all'");
    disk_is_well();
    world_start(&world, all_trail);
    world_flush_well(&world);
    expect_all(&world, "all", 3);
    world_stop(&world);
    world_remove(&world);
}

/* The journal has let its events go: nobody else has them. */
static void
sealed_file_that_was_damaged_while_the_agent_was_down_is_signed_as_lost(void **state)
{
    struct world world;
    (void)state;
    stopped_with_a_sealed_window(&world);
    world.told = world_loss_told;
    put_state(&world, "trails/all/sealed/w1-3.0", "not what it was");
    world_start(&world, all_trail);
    world_append(&world, "one", 3, 2);
    world_flush_well(&world);
    struct bucket bucket = bucket_of(&world, "all", "eventID");
    assert_int_equal(bucket.found, 2);
    assert_int_equal(bucket.listed, 2);
    assert_int_equal(bucket.lost, 3);
    assert_int_equal(bucket.highest_number, bucket.digests);
    assert_int_equal(atomic_load(&world.own_events), 1);
    world_stop(&world);
    world_remove(&world);
}

static void
what_a_crash_left_half_written_goes(void **state)
{
    struct world world;
    (void)state;
    stopped_with_a_sealed_window(&world);
    put_state(&world, "trails/all/.ledger.tmp-0123456789abcdef", "half a led");
    put_state(&world, "trails/all/sealed/.w1-3.0.tmp", "half a win");
    put_state(&world, "trails/all/notes", "somebody's");
    world_start(&world, all_trail);
    assert_false(world_has(&world, "state/trails/all/.ledger.tmp-0123456789abcdef"));
    assert_false(world_has(&world, "state/trails/all/sealed/.w1-3.0.tmp"));
    assert_true(world_has(&world, "state/trails/all/notes"));
    world_flush_well(&world);
    expect_all(&world, "all", 3);
    world_stop(&world);
    world_remove(&world);
}

/* ---- a trail that goes ---- */

static void
drained_trail_takes_leftovers_along_and_what_is_not_its_own_stays(void **state)
{
    struct world world;
    (void)state;
    snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
    world_new(&world);
    world_start(&world, both_trails);
    world_append(&world, "two", 0, 3);
    world_flush_well(&world);
    put_state(&world, "trails/only-two/sealed/w900-901.0", "left over");
    put_state(&world, "trails/only-two/notes", "somebody's");
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, all_trail), NULL),
                     HF_OK);
    world_wait_until_gone(&world, "state/trails/only-two/ledger");
    world_settle(&world);
    assert_false(world_has(&world, "state/trails/only-two/sealed"));
    assert_false(world_has(&world, "state/trails/only-two/trail.json"));
    assert_true(world_has(&world, "state/trails/only-two/notes"));
    world_stop(&world);
    /* what is left of its folder is no trail */
    world_start(&world, all_trail);
    world_append(&world, "two", 3, 1);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 3);
    expect_all(&world, "all", 4);
    world_stop(&world);
    /* and may become one again */
    world_start(&world, both_trails);
    world_append(&world, "two", 4, 2);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 5);
    world_stop(&world);
    world_remove(&world);
}

static void
trail_drains_by_the_copy_of_its_settings_alone(void **state)
{
    struct world world;
    char path[512];
    (void)state;
    stopped_with_a_sealed_window(&world);
    state_path(&world, "trails/all/trail.json", path);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    world_start(&world, two_trail);
    world_wait_until_gone(&world, "state/trails/all");
    expect_all(&world, "all", 3);
    world_stop(&world);
    world_remove(&world);
}

/* Versions before there was a choice wrote none; one that nobody knows is of a later one. */
static void
settings_nobody_knows_refuse_the_start_of_a_trail_that_drains(void **state)
{
    static const char *const names[] = { "trails/all/trail.json", "trails/all/trail.json.copy" };
    struct world world;
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    char path[512];
    (void)state;
    stopped_with_a_sealed_window(&world);
    state_path(&world, names[0], path);
    doc = json_load_file(path, 0, NULL);
    assert_non_null(doc);
    assert_int_equal(json_object_del(doc, "check"), 0); /* as before there was one */
    json_object_set_new(doc, "compression_level", json_integer(1000));
    hf_owned(hf_freep) char *later = json_dumps(doc, 0);
    for (size_t i = 0; i < HF_COUNT(names); i++)
        put_state(&world, names[i], later);
    start_fails(&world, two_trail, HF_EFORMAT, "unknown compression level");
    json_object_set_new(doc, "encryption", json_integer(HF_ENCRYPT_CMS));
    json_object_set_new(doc, "compression_level", json_integer(6));
    json_t *recipients = json_array();
    for (unsigned i = 0; i < 65; i++)
        json_array_append_new(recipients, json_string("recipient.pem"));
    json_object_set_new(doc, "recipients", recipients);
    hf_owned(hf_freep) char *to_many = json_dumps(doc, 0);
    for (size_t i = 0; i < HF_COUNT(names); i++)
        put_state(&world, names[i], to_many);
    start_fails(&world, two_trail, HF_ECONFIG, "more than 64 recipients");
    json_object_set_new(doc, "encryption", json_integer(HF_ENCRYPT_NONE));
    json_object_set_new(doc, "recipients", json_array());
    json_object_del(doc, "compression_level");
    hf_owned(hf_freep) char *earlier = json_dumps(doc, 0);
    for (size_t i = 0; i < HF_COUNT(names); i++)
        put_state(&world, names[i], earlier);
    world_start(&world, two_trail);
    world_wait_until_gone(&world, "state/trails/all");
    expect_all(&world, "all", 3);
    world_stop(&world);
    world_remove(&world);
}

/* None is written that could not be read again. */
static void
settings_that_are_too_long_are_not_saved(void **state)
{
    char folder[256];
    struct hf_error err;
    const size_t size = 2u << 20;
    hf_owned(hf_freep) char *text = hf_alloc(size + 1);
    (void)state;
    memset(text, 'x', size);
    hf_owned(hf_doc_freep) json_t *doc = json_pack("{s:s}", "prefix", text);
    hf_test_tempdir(folder);
    assert_int_equal(settings_save(folder, &(struct settings){ .doc = doc, .name = "all" }, &err),
                     HF_ELIMIT);
    assert_non_null(strstr(err.text, "the settings of trail 'all' are too long"));
    bool exist = true;
    assert_int_equal(settings_exist(folder, &exist, &err), HF_OK);
    assert_false(exist);
    hf_test_tempdir_remove(folder);
}

/* ---- reloads that are refused ---- */

static void
reload_refused(struct world *world, const char *trails, enum hf_status status, const char *word)
{
    struct hf_error err = { 0 };
    struct hf_config *config = world_config(world, trails);
    assert_int_equal(hf_trails_configure(world->trails, config, &err), status);
    if (!strstr(err.text, word))
        fail_msg("'%s' says nothing of '%s'", err.text, word);
    hf_config_free(config);
}

/* As if it had never been: a later start would find it, and drain it. */
static void
new_trail_that_cannot_be_opened_leaves_nothing(void **state)
{
    struct world world;
    (void)state;
    snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
    world_new(&world);
    world_start(&world, all_trail);
    disk_fails("readdir", "/trails/only-two/sealed");
    reload_refused(&world, both_trails, HF_EIO, "trail 'only-two'");
    disk_is_well();
    assert_false(world_has(&world, "state/trails/only-two/ledger"));
    assert_false(world_has(&world, "state/trails/only-two/trail.json"));
    world_append(&world, "two", 0, 2);
    world_flush_well(&world);
    expect_all(&world, "all", 2);
    assert_int_equal(hf_trails_configure(world.trails, world_config(&world, both_trails), NULL),
                     HF_OK);
    world_append(&world, "two", 2, 1);
    world_flush_well(&world);
    expect_all(&world, "all", 3);
    assert_int_equal(bucket_of(&world, "two", "eventID").found, 1);
    world_stop(&world);
    world_remove(&world);
}

static void
more_trails_than_there_is_room_for_are_refused_and_the_old_ones_go_on(void **state)
{
    struct world world;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 16);
    (void)state;
    world_new(&world);
    assert_int_equal(hf_buf_addf(&text,
                                 "agent: { state_dir: state, account: \"000000000000\" }\n"
                                 "stores: [ { name: here, url: \"dir://%s/root\" } ]\n"
                                 "sources: [ { name: one, type: socket, path: one.sock } ]\n"
                                 "buckets: [ { name: evidence, store: here, retention: none } ]\n"
                                 "trails:\n",
                                 world.folder),
                     HF_OK);
    for (unsigned i = 0; i < 65; i++)
        assert_int_equal(hf_buf_addf(&text,
                                     "  - { name: trail-%u, bucket: evidence, prefix: t%u, "
                                     "encryption: none, digest: { key_file: digest.key } }\n",
                                     i, i),
                         HF_OK);
    world_start(&world, all_trail);
    struct hf_error err = { 0 };
    struct hf_config *config = world_config_parse(&world, hf_buf_text(&text));
    assert_int_equal(hf_trails_configure(world.trails, config, &err), HF_ECONFIG);
    assert_non_null(strstr(err.text, "more than 64 trails"));
    hf_config_free(config);
    world_append(&world, "one", 0, 2);
    world_flush_well(&world);
    expect_all(&world, "all", 2);
    world_stop(&world);
    world_remove(&world);
}

/* A journal keeps the names of all sources it ever had; a trail of one more would select nothing. */
static void
trail_of_a_source_that_the_journal_has_no_room_for_is_refused(void **state)
{
    struct world world;
    uint16_t id;
    struct hf_error err = { 0 };
    enum hf_status status = HF_OK;
    (void)state;
    snprintf(both_trails, sizeof(both_trails), "%s%s", all_trail, two_trail);
    world_new(&world);
    world_start(&world, all_trail);
    for (unsigned i = 0; status == HF_OK && i < 2 * HF_SOURCES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "was-%u", i);
        status = hf_journal_source(world.journal, name, &id, &err);
    }
    assert_int_equal(status, HF_ELIMIT);
    assert_non_null(strstr(err.text, "one more than the 4095 a journal knows"));
    reload_refused(&world, both_trails, HF_ELIMIT, "'two'");
    assert_false(world_has(&world, "state/trails/only-two"));
    world_stop(&world);
    world_remove(&world);
}

/* ---- a store that moves ---- */

/* What was known of the old one says nothing of the new one: it is looked at before anything goes
 * there. */
static void
store_that_moved_is_looked_at_before_anything_goes_there(void **state)
{
    static const char elsewhere[] =
        "agent: { state_dir: state, account: \"000000000000\" }\n"
        "stores: [ { name: here, url: \"dir://%s/root2\" } ]\n"
        "sources: [ { name: one, type: socket, path: one.sock } ]\n"
        "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } } ]\n"
        "trails:\n%s";
    struct world world;
    char text[4096], failed[512], folder[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 2);
    world_flush_well(&world);
    uint64_t puts = world_number(&world, "puts");
    snprintf(text, sizeof(text), elsewhere, world.folder, all_trail);
    assert_int_equal(hf_trails_configure(world.trails, world_config_parse(&world, text), NULL),
                     HF_OK);
    world_append(&world, "one", 2, 3);
    world_flush(&world, 500, failed);
    assert_non_null(strstr(failed, "checking bucket 'evidence'"));
    assert_int_equal(world_number(&world, "puts"), puts);
    snprintf(folder, sizeof(folder), "%s/root2/evidence", world.folder);
    assert_int_equal(hf_fs_mkdirs(folder, 0700, NULL), HF_OK);
    world_flush_well(&world);
    assert_int_equal(bucket_in(folder, "eventID").found, 3);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 2);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_that_cannot_be_listed_refuses_the_start_and_loses_nothing),
        cmocka_unit_test(sealed_file_that_cannot_be_read_now_refuses_the_start_and_is_not_lost),
        cmocka_unit_test(sealed_file_that_was_damaged_while_the_agent_was_down_is_signed_as_lost),
        cmocka_unit_test(what_a_crash_left_half_written_goes),
        cmocka_unit_test(drained_trail_takes_leftovers_along_and_what_is_not_its_own_stays),
        cmocka_unit_test(trail_drains_by_the_copy_of_its_settings_alone),
        cmocka_unit_test(settings_nobody_knows_refuse_the_start_of_a_trail_that_drains),
        cmocka_unit_test(settings_that_are_too_long_are_not_saved),
        cmocka_unit_test(new_trail_that_cannot_be_opened_leaves_nothing),
        cmocka_unit_test(more_trails_than_there_is_room_for_are_refused_and_the_old_ones_go_on),
        cmocka_unit_test(trail_of_a_source_that_the_journal_has_no_room_for_is_refused),
        cmocka_unit_test(store_that_moved_is_looked_at_before_anything_goes_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
