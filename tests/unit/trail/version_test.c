/* What is said of a state directory before anything of it is opened: whether a later version has
 * written in it, and which stores what lies in it still needs. Made by this program, and then
 * changed a little, as a later one or a damage would have. */
#include "tests/unit/trail/world.h"

#include "agent/seal/seal_impl.h"
#include "agent/trail/inbox.h"

static const char trail_folder[] = "state/trails/all";

static void
path_of(const struct world *world, const char *name, char ret_path[HF_PATH_MAX])
{
    snprintf(ret_path, HF_PATH_MAX, "%s/%s/%s", world->folder, trail_folder, name);
}

static void
read_file(const struct world *world, const char *name, struct hf_buf *ret_bytes)
{
    char path[HF_PATH_MAX];
    path_of(world, name, path);
    assert_int_equal(hf_fs_read_file(path, 1u << 20, ret_bytes, NULL), HF_OK);
}

static void
put_file(const struct world *world, const char *name, struct hf_slice bytes)
{
    char path[HF_PATH_MAX];
    path_of(world, name, path);
    assert_int_equal(hf_fs_replace(path, bytes.ptr, bytes.size, 0600, NULL), HF_OK);
}

/* ---- a state directory with a trail that has not delivered ---- */

static void
is_sealed(struct hf_trails *trails, void *argument)
{
    const struct window *window = trails->trails->outbox.windows;
    *(bool *)argument = window && window->state == WINDOW_SEALED;
}

static void
made_with_a_sealed_window(struct world *world)
{
    char path[512], failed[512];
    bool sealed;
    world_new(world);
    snprintf(path, sizeof(path), "%s/root/evidence", world->folder);
    assert_int_equal(hf_fs_rmdir(path, NULL), HF_OK); /* nowhere to deliver to */
    world_start(world, all_trail);
    world_append(world, "one", 0, 3);
    world_flush(world, 500, failed);
    inbox_call(world->trails, is_sealed, &sealed);
    assert_true(sealed);
    world_stop(world);
}

/* The only window's, below the trail's folder. */
#define SEALED "sealed/w1-3.0"

static void
remove_sealed(const struct world *world)
{
    char path[HF_PATH_MAX];
    path_of(world, SEALED, path);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
}

/* ---- the state directory as it lies: the check changes nothing ---- */

struct seen {
    uint32_t crc;
    unsigned files;
};

static void
see(void *context, const char *path)
{
    struct seen *seen = context;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(1u << 26);
    struct stat stat;
    assert_int_equal(hf_fs_stat(path, &stat, NULL), HF_OK);
    assert_int_equal(hf_fs_read_file(path, 1u << 26, &bytes, NULL), HF_OK);
    seen->crc = hf_crc32c(seen->crc, path, strlen(path));
    seen->crc = hf_crc32c(seen->crc, &stat.st_mtim, sizeof(stat.st_mtim));
    seen->crc = hf_crc32c(seen->crc, bytes.ptr, bytes.size);
    seen->files++;
}

static enum hf_status
check(const struct world *world, struct hf_error *err)
{
    char state[512];
    struct seen before = { 0 }, after = { 0 };
    snprintf(state, sizeof(state), "%s/state", world->folder);
    world_each_file(state, see, &before);
    enum hf_status status = hf_trails_check_versions(state, err);
    world_each_file(state, see, &after);
    assert_int_equal(before.files, after.files);
    assert_int_equal(before.crc, after.crc);
    return status;
}

static void
is_taken(const struct world *world)
{
    struct hf_error err = { 0 };
    if (check(world, &err) != HF_OK)
        fail_msg("%s", err.text);
}

static void
is_refused(const struct world *world, const char *word)
{
    struct hf_error err = { 0 };
    assert_int_equal(check(world, &err), HF_EVERSION);
    if (!strstr(err.text, word) || !strstr(err.text, "later version of holdfast"))
        fail_msg("'%s' says nothing of '%s'", err.text, word);
}

/* ---- versions ---- */

static void
what_this_version_wrote_is_taken_and_so_is_nothing(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    is_taken(&world); /* the first start: no trail yet */
    world_remove(&world);
    made_with_a_sealed_window(&world);
    is_taken(&world);
    world_remove(&world);
}

/* Either of the two: a later version may have been stopped between writing the one and the other. */
static void
settings_of_a_later_version_are_refused(void **state)
{
    static const char *const names[] = { "trail.json", "trail.json.copy" };
    struct world world;
    (void)state;
    made_with_a_sealed_window(&world);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(1u << 20);
        read_file(&world, names[i], &bytes);
        put_file(&world, names[i], HF_SLICE_LITERAL("{\"format\":2,\"what\":[\"nobody\"]}"));
        is_refused(&world, names[i]);
        is_refused(&world, "format 2");
        put_file(&world, names[i], hf_buf_slice(&bytes));
        is_taken(&world);
    }
    world_remove(&world);
}

static enum hf_status
any_step(void *context, enum hf_step kind, const json_t *doc, struct hf_error *err)
{
    (void)context, (void)kind, (void)doc, (void)err;
    return HF_OK;
}

static void
add_step(const struct world *world, enum hf_step kind, const char *text)
{
    char path[HF_PATH_MAX];
    struct hf_ledger *ledger;
    struct hf_ledger_recovery recovery;
    hf_owned(hf_doc_freep) json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    path_of(world, "ledger", path);
    assert_int_equal(hf_ledger_open(path, true, any_step, NULL, &ledger, &recovery, NULL), HF_OK);
    assert_int_equal(hf_ledger_add(ledger, kind, doc, NULL), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    hf_ledger_close(ledger);
}

/* Only of the step that says it: any other may come to have a member of that name. */
static void
state_of_a_later_version_is_refused(void **state)
{
    struct world world;
    (void)state;
    made_with_a_sealed_window(&world);
    add_step(&world, HF_STEP_DROPPED, "{\"window\":\"7-9\",\"format\":2}");
    is_taken(&world);
    add_step(&world, HF_STEP_STATE, "{\"format\":2,\"journal\":\"j\",\"chain\":\"c\"}");
    is_refused(&world, "format 2");
    world_remove(&world);
}

/* Its checksum is right: a later version's, no damage. */
static void
seal_anew(struct hf_buf *bytes)
{
    size_t before = SEALED_MAGIC_SIZE + 4, size = hf_get_le32(bytes->ptr + SEALED_MAGIC_SIZE);
    hf_put_le32(bytes->ptr + before + size, hf_crc32c(0, bytes->ptr, before + size));
}

static void
sealed_file_of_a_later_version_is_refused_and_a_damaged_one_is_not(void **state)
{
    struct world world;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(1u << 20);
    (void)state;
    made_with_a_sealed_window(&world);
    read_file(&world, SEALED, &bytes);
    bytes.ptr[SEALED_MAGIC_SIZE - 1]++;
    put_file(&world, SEALED, hf_buf_slice(&bytes));
    is_taken(&world); /* its checksum is wrong: damaged, which the start mends */
    seal_anew(&bytes);
    put_file(&world, SEALED, hf_buf_slice(&bytes));
    is_refused(&world, "version");
    remove_sealed(&world);
    put_file(&world, "sealed/w1-3.0.tmp", HF_SLICE_LITERAL("half of")); /* of a write that ended */
    is_taken(&world);
    world_remove(&world);
}

/* Damage is found, and mended, by who opens it; here it hides no version beside it. */
static void
what_cannot_be_read_is_not_for_this_to_say(void **state)
{
    struct world world;
    (void)state;
    made_with_a_sealed_window(&world);
    put_file(&world, "trail.json", HF_SLICE_LITERAL("{\"format\":2"));
    put_file(&world, "trail.json.copy", HF_SLICE_LITERAL(""));
    put_file(&world, "ledger", HF_SLICE_LITERAL("junk"));
    put_file(&world, "ledger.copy", HF_SLICE_LITERAL("junk"));
    is_taken(&world);
    put_file(&world, "trail.json.copy", HF_SLICE_LITERAL("{\"format\":3}"));
    is_refused(&world, "format 3");
    world_remove(&world);
}

/* In whichever of the trails, also one that the configuration does not name. */
static void
each_trail_is_looked_at(void **state)
{
    struct world world;
    char path[512];
    (void)state;
    made_with_a_sealed_window(&world);
    snprintf(path, sizeof(path), "%s/state/trails/zzz", world.folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    is_taken(&world); /* made a moment ago, and nothing in it yet */
    put_file(&world, "../zzz/trail.json", HF_SLICE_LITERAL("{\"format\":2}"));
    is_refused(&world, "zzz/trail.json");
    world_remove(&world);
}

/* ---- stores that are still needed ---- */

static const char two_stores[] =
    "agent: { state_dir: state, account: \"000000000000\" }\n"
    "stores: [ { name: here, url: \"dir:///nowhere\" }, { name: there, url: \"dir:///nowhere\" } "
    "]\n"
    "sources: [ { name: one, type: socket, path: one.sock } ]\n"
    "buckets: [ { name: evidence, store: there, retention: none } ]\n"
    "trails: [ { name: all, bucket: evidence, encryption: none, digest: { key_file: digest.key } } "
    "]\n";
static const char only_there[] = "agent: { state_dir: state, account: \"000000000000\" }\n"
                                 "stores: [ { name: there, url: \"dir:///nowhere\" } ]\n"
                                 "sources: [ { name: one, type: socket, path: one.sock } ]\n"
                                 "buckets: [ { name: evidence, store: there, retention: none } ]\n"
                                 "trails: [ { name: %s, bucket: evidence, encryption: none, "
                                 "digest: { key_file: digest.key } } ]\n";

static enum hf_status
check_stores_of(const struct world *world, const char *yaml, struct hf_error *err)
{
    struct hf_config *config = world_config_parse(world, yaml);
    enum hf_status status = hf_trails_check_stores(config, err);
    hf_config_unref(config);
    return status;
}

static void
needs_here(const struct world *world, const char *trail, const char *file)
{
    char yaml[1024];
    struct hf_error err = { 0 };
    snprintf(yaml, sizeof(yaml), only_there, trail);
    assert_int_equal(check_stores_of(world, yaml, &err), HF_ECONFIG);
    if (!strstr(err.text, "'here'") || !strstr(err.text, file))
        fail_msg("'%s' does not name the store and '%s'", err.text, file);
}

static void
needs_nothing(const struct world *world, const char *yaml)
{
    struct hf_error err = { 0 };
    if (check_stores_of(world, yaml, &err) != HF_OK)
        fail_msg("%s", err.text);
}

static void
store_of_a_sealed_file_is_needed_until_it_is_delivered(void **state)
{
    struct world world;
    char yaml[1024], path[HF_PATH_MAX];
    (void)state;
    snprintf(yaml, sizeof(yaml), only_there, "all");
    world_new(&world);
    needs_nothing(&world, yaml); /* the first start */
    world_remove(&world);
    made_with_a_sealed_window(&world);
    needs_here(&world, "all", SEALED); /* though the trail goes elsewhere now */
    needs_nothing(&world, two_stores);
    path_of(&world, "sealed", path);
    hf_test_tempdir_remove(path);
    needs_nothing(&world, yaml);
    world_remove(&world);
}

/* What it has in the journal and not in a window yet goes to the store of its last settings. */
static void
store_of_a_trail_that_drains_is_needed(void **state)
{
    struct world world;
    char path[HF_PATH_MAX];
    (void)state;
    made_with_a_sealed_window(&world);
    path_of(&world, "sealed", path);
    hf_test_tempdir_remove(path);
    needs_here(&world, "another", "trail.json'");
    put_file(&world, "trail.json", HF_SLICE_LITERAL("damaged"));
    needs_here(&world, "another", "trail.json.copy'");
    put_file(&world, "trail.json.copy", HF_SLICE_LITERAL("damaged"));
    char yaml[1024];
    snprintf(yaml, sizeof(yaml), only_there, "another");
    needs_nothing(&world, yaml); /* the start says that neither can be read */
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_this_version_wrote_is_taken_and_so_is_nothing),
        cmocka_unit_test(settings_of_a_later_version_are_refused),
        cmocka_unit_test(state_of_a_later_version_is_refused),
        cmocka_unit_test(sealed_file_of_a_later_version_is_refused_and_a_damaged_one_is_not),
        cmocka_unit_test(what_cannot_be_read_is_not_for_this_to_say),
        cmocka_unit_test(each_trail_is_looked_at),
        cmocka_unit_test(store_of_a_sealed_file_is_needed_until_it_is_delivered),
        cmocka_unit_test(store_of_a_trail_that_drains_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
