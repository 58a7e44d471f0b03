/* Sealed files that come to harm between the sealing and the store, and the disk that has no room
 * for them: what is still in the journal is sealed again, what is not is signed as lost. */
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <fcntl.h>

static const char *const is_window = "/sealed/.w";

/* ---- a disk that has no room for what is named so ---- */

static struct {
    const char *_Atomic name;
    atomic_uint refused;
} full;

static int
no_room(void *context, struct hf_fs_call *call)
{
    const char *name = atomic_load(&full.name);
    (void)context;
    if (!name || strcmp(call->name, "open") != 0 || !(call->flags & O_CREAT) || !call->path ||
        !strstr(call->path, name))
        return 0;
    atomic_fetch_add(&full.refused, 1);
    return ENOSPC;
}

static void
disk_is_full_for(const char *name)
{
    atomic_store(&full.refused, 0);
    atomic_store(&full.name, name);
    hf_fs_interpose(no_room, NULL);
}

/* ---- a store that is away ---- */

static void
move_bucket(const struct world *world, const char *from, const char *to)
{
    char old_path[512], new_path[512];
    snprintf(old_path, sizeof(old_path), "%s/root/%s", world->folder, from);
    snprintf(new_path, sizeof(new_path), "%s/root/%s", world->folder, to);
    assert_int_equal(hf_fs_rename(old_path, new_path, NULL), HF_OK);
}

static void
bucket_away(const struct world *world)
{
    move_bucket(world, "evidence", "elsewhere");
}

static void
bucket_back(const struct world *world)
{
    move_bucket(world, "elsewhere", "evidence");
}

/* ---- files of the state directory ---- */

struct finding {
    char begin;
    char path[HF_PATH_MAX];
};

static void
find_one(void *context, const char *path)
{
    struct finding *finding = context;
    if (strrchr(path, '/')[1] == finding->begin)
        snprintf(finding->path, sizeof(finding->path), "%s", path);
}

/* The one file in sealed/ whose name begins so: w, a window; d, a digest; k, the public key. */
static void
find_sealed(const struct world *world, char begin, char ret_path[HF_PATH_MAX])
{
    struct finding finding = { .begin = begin };
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/state/trails/all/sealed", world->folder);
    world_each_file(folder, find_one, &finding);
    assert_true(*finding.path != '\0');
    memcpy(ret_path, finding.path, HF_PATH_MAX);
}

static void
flip(const char *path, off_t at)
{
    uint8_t byte;
    size_t got;
    hf_owned(hf_fs_close) int fd = -1;
    assert_int_equal(hf_fs_open(path, O_RDWR | O_CLOEXEC, 0, &fd, NULL), HF_OK);
    assert_int_equal(hf_fs_pread(fd, &byte, 1, at, &got, NULL), HF_OK);
    assert_int_equal(got, 1);
    byte ^= 0x10;
    assert_int_equal(hf_fs_pwrite(fd, &byte, 1, at, NULL), HF_OK);
}

static off_t
size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

static void
damage_sealed(const struct world *world, char begin)
{
    char path[HF_PATH_MAX];
    find_sealed(world, begin, path);
    flip(path, size_of(path) - 2);
}

/* Everything of one to `events` is there once, and all of it in digests of one chain. */
static void
expect_all(const struct world *world, unsigned events)
{
    struct bucket bucket = bucket_of(world, "all", "\"eventID\":\"one-");
    assert_int_equal(bucket.found, events);
    assert_int_equal(bucket.listed, events);
    assert_int_equal(bucket.lost, 0);
    assert_int_equal(bucket.highest_number, bucket.digests);
}

static void
end(struct world *world)
{
    world_stop(world);
    hf_fs_interpose(NULL, NULL);
    atomic_store(&full.name, NULL);
    world_remove(world);
}

/* ---- damaged while they wait ---- */

static void
damaged_while_it_waits_it_is_sealed_again(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    bucket_away(&world);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 500, failed);
    damage_sealed(&world, 'w');
    bucket_back(&world);
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world);
}

static void
gone_while_it_waits_it_is_sealed_again(void **state)
{
    struct world world;
    char failed[512], path[HF_PATH_MAX];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    bucket_away(&world);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 500, failed);
    find_sealed(&world, 'w', path);
    assert_int_equal(hf_fs_unlink(path, NULL), HF_OK);
    bucket_back(&world);
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world);
}

struct failing {
    const char *what; /* is in the name */
    atomic_bool on;
};

static int
fail_links(void *context, struct hf_fs_call *call)
{
    const struct failing *failing = context;
    return atomic_load(&failing->on) && strcmp(call->name, "link") == 0 && call->to &&
                   strstr(call->to, failing->what)
               ? EIO
               : 0;
}

/* A digest that waits is not its events' only place: it is signed again from the ledger. */
static void
digest_damaged_while_it_waits_is_signed_again(void **state)
{
    static struct failing failing = { .what = "CloudTrail-Digest" };
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    atomic_store(&failing.on, false);
    hf_fs_interpose(fail_links, &failing);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    atomic_store(&failing.on, true);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 500, failed);
    damage_sealed(&world, 'd');
    atomic_store(&failing.on, false);
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world);
}

static void
public_key_damaged_while_it_waits_is_sealed_again(void **state)
{
    static struct failing failing = { .what = ".pem" };
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    atomic_store(&failing.on, true);
    hf_fs_interpose(fail_links, &failing);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 500, failed);
    damage_sealed(&world, 'k');
    atomic_store(&failing.on, false);
    world_flush_well(&world);
    expect_all(&world, 3);
    assert_int_equal(bucket_of(&world, "all", "eventID").keys, 1);
    end(&world);
}

/* ---- ... when the journal has it no more ---- */

/* So much that the journal begins new files, and can let the old ones go. */
static void
append_large(struct world *world, unsigned count)
{
    uint16_t id;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(2u << 20);
    assert_int_equal(hf_journal_source(world->journal, "one", &id, NULL), HF_OK);
    assert_int_equal(hf_buf_add_text(&text, "{\"eventID\":\"large\",\"n\":\""), HF_OK);
    for (unsigned i = 0; i < 1u << 16; i++)
        assert_int_equal(hf_buf_add(&text, "0123456789abcdef", 16), HF_OK);
    assert_int_equal(hf_buf_add_text(&text, "\"}"), HF_OK);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(hf_journal_begin(world->journal, true, NULL), HF_OK);
        assert_int_equal(
            hf_journal_append(world->journal, id, 1767225600, hf_buf_slice(&text), NULL, NULL),
            HF_OK);
        hf_journal_commit(world->journal);
        assert_int_equal(hf_journal_sync(world->journal, 10000, NULL), HF_OK);
    }
}

static void
wait_until_released(struct world *world, uint64_t seq)
{
    struct hf_journal_info info = { 0 };
    for (int i = 0; i < 1000 && info.oldest_seq <= seq; i++) {
        hf_trails_notify(world->trails);
        usleep(5000);
        hf_journal_info(world->journal, &info);
    }
    assert_true(info.oldest_seq > seq);
}

/* Sequences 1 to 3 were in one window, whose file alone had them. The rest comes through. */
static void
damaged_after_the_journal_let_go_it_is_signed_as_lost(void **state)
{
    struct world world;
    char failed[512];
    (void)state;
    world_new(&world);
    world.told = world_loss_told;
    world_start(&world, all_trail);
    bucket_away(&world);
    world_append(&world, "one", 0, 3);
    world_flush(&world, 300, failed);
    damage_sealed(&world, 'w');
    append_large(&world, 8);
    world_flush(&world, 300, failed);
    wait_until_released(&world, 3);
    bucket_back(&world);
    world_flush_well(&world);
    assert_int_equal(bucket_of(&world, "all", "\"eventID\":\"one-").found, 0);
    struct bucket bucket = bucket_of(&world, "all", "\"eventID\":\"large\"");
    assert_int_equal(bucket.found, 8);
    assert_int_equal(bucket.listed, 8);
    assert_int_equal(bucket.lost, 3);
    assert_int_equal(atomic_load(&world.own_events), 1);
    end(&world);
}

/* ---- records that are damaged between the cut and the sealing ---- */

struct place {
    const char *needle;
    char path[HF_PATH_MAX];
    off_t at;
};

static void
find_needle(void *context, const char *path)
{
    struct place *place = context;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(16u << 20);
    assert_int_equal(hf_fs_read_file(path, 16u << 20, &bytes, NULL), HF_OK);
    const uint8_t *found = memmem(bytes.ptr, bytes.size, place->needle, strlen(place->needle));
    if (found) {
        snprintf(place->path, sizeof(place->path), "%s", path);
        place->at = found - bytes.ptr;
    }
}

/* Events "one-0" to "one-4" are in one window, cut and not sealed, and "one-2" is damaged. */
static void
damaged_in_a_cut_window(struct world *world,
                        enum hf_status (*told)(struct world *, const char *, struct hf_error *))
{
    char failed[512], journal[512];
    struct place place = { .needle = "\"one-2\"" };
    world_new(world);
    world->told = told;
    world_start(world, all_trail);
    world_append(world, "two", 0, 1);
    world_flush_well(world);
    disk_is_full_for(is_window);
    for (unsigned i = 0; i < 5; i++)
        world_append(world, "one", i, 1);
    world_flush(world, 300, failed);
    snprintf(journal, sizeof(journal), "%s/state/journal", world->folder);
    world_each_file(journal, find_needle, &place);
    flip(place.path, place.at + 1);
}

static void
expect_only_the_damaged_lost(const struct world *world)
{
    assert_int_equal(bucket_of(world, "all", "\"one-2\"").found, 0);
    struct bucket bucket = bucket_of(world, "all", "\"eventID\":\"one-");
    assert_int_equal(bucket.found, 4);
    assert_int_equal(bucket.listed, 5); /* and "two-0" */
    assert_int_equal(bucket.lost, 1);
}

static void
records_damaged_between_cut_and_sealing_are_signed_as_lost_and_the_rest_sealed(void **state)
{
    struct world world;
    (void)state;
    damaged_in_a_cut_window(&world, world_loss_told);
    disk_is_full_for(NULL);
    world_flush_well(&world);
    expect_only_the_damaged_lost(&world);
    assert_int_equal(atomic_load(&world.own_events), 1);
    end(&world);
}

static enum hf_status
journal_is_full(struct world *world, const char *name, struct hf_error *err)
{
    (void)world;
    assert_string_equal(name, "JournalLoss");
    return hf_fail(err, HF_EFULL, "the journal holds its limit");
}

/* Only reading on makes room in it: the signed digest alone says what was lost. */
static void
loss_that_a_full_journal_does_not_take_is_signed_all_the_same(void **state)
{
    struct world world;
    (void)state;
    damaged_in_a_cut_window(&world, journal_is_full);
    disk_is_full_for(NULL);
    world_flush_well(&world);
    expect_only_the_damaged_lost(&world);
    assert_int_equal(atomic_load(&world.own_events), 1);
    end(&world);
}

/* ---- the folder of sealed files, and what cannot be removed from it ---- */

static int
no_sealed_folder(void *context, struct hf_fs_call *call)
{
    const atomic_bool *failing = context;
    return atomic_load(failing) && strcmp(call->name, "mkdir") == 0 &&
                   hf_ends_with(call->path, "/sealed")
               ? EIO
               : 0;
}

static void
folder_that_cannot_be_made_again_delays_and_loses_nothing(void **state)
{
    static atomic_bool failing;
    struct world world;
    char failed[512], folder[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    snprintf(folder, sizeof(folder), "%s/state/trails/all/sealed", world.folder);
    hf_test_tempdir_remove(folder);
    atomic_store(&failing, true);
    hf_fs_interpose(no_sealed_folder, &failing);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 3000, failed);
    assert_non_null(strstr(failed, "windows are not delivered yet"));
    atomic_store(&failing, false);
    world_flush_well(&world);
    expect_all(&world, 4);
    end(&world);
}

static int
no_unlink(void *context, struct hf_fs_call *call)
{
    (void)context;
    return strcmp(call->name, "unlink") == 0 && strstr(call->path, "/sealed/w") ? EIO : 0;
}

static void
delivered_file_that_cannot_be_removed_goes_with_the_next_start(void **state)
{
    struct world world;
    char path[HF_PATH_MAX];
    (void)state;
    world_new(&world);
    hf_fs_interpose(no_unlink, NULL);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    world_flush_well(&world);
    find_sealed(&world, 'w', path);
    world_stop(&world);
    hf_fs_interpose(NULL, NULL);
    world_start(&world, all_trail);
    assert_int_not_equal(access(path, F_OK), 0);
    world_flush_well(&world);
    expect_all(&world, 3);
    assert_int_equal(bucket_of(&world, "all", "eventID").objects, 1);
    end(&world);
}

/* ---- no room to go under another key ---- */

static atomic_int to_take;

static int
take_the_name_and_the_room(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, "link") == 0 && call->to && hf_ends_with(call->to, ".json.gz") &&
        !strstr(call->to, "CloudTrail-Digest") && atomic_load(&to_take)) {
        int fd = open(call->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            (void)!write(fd, "nobody's", 8);
            close(fd);
            atomic_store(&to_take, 0);
        }
    }
    return no_room(context, call);
}

struct foreign {
    char path[HF_PATH_MAX];
    unsigned count;
};

static void
find_foreign(void *context, const char *path)
{
    struct foreign *foreign = context;
    if (hf_ends_with(path, ".json.gz") && size_of(path) == 8) {
        snprintf(foreign->path, sizeof(foreign->path), "%s", path);
        foreign->count++;
    }
}

static void
without_room_for_another_key_it_waits_and_then_goes_there(void **state)
{
    struct world world;
    struct foreign foreign = { .count = 0 };
    char failed[512], root[512];
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    bucket_away(&world);
    world_append(&world, "one", 1, 3);
    world_flush(&world, 300, failed); /* sealed under its first key */
    atomic_store(&to_take, 1);
    disk_is_full_for(is_window);
    hf_fs_interpose(take_the_name_and_the_room, NULL);
    bucket_back(&world);
    world_flush(&world, 2000, failed);
    assert_non_null(strstr(failed, "trail 'all'"));
    assert_true(atomic_load(&full.refused) > 0);
    atomic_store(&full.name, NULL);
    world_flush_well(&world);
    snprintf(root, sizeof(root), "%s/root", world.folder);
    world_each_file(root, find_foreign, &foreign);
    assert_int_equal(foreign.count, 1); /* as it was */
    assert_int_equal(hf_fs_unlink(foreign.path, NULL), HF_OK);
    expect_all(&world, 4);
    end(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_while_it_waits_it_is_sealed_again),
        cmocka_unit_test(gone_while_it_waits_it_is_sealed_again),
        cmocka_unit_test(digest_damaged_while_it_waits_is_signed_again),
        cmocka_unit_test(public_key_damaged_while_it_waits_is_sealed_again),
        cmocka_unit_test(damaged_after_the_journal_let_go_it_is_signed_as_lost),
        cmocka_unit_test(
            records_damaged_between_cut_and_sealing_are_signed_as_lost_and_the_rest_sealed),
        cmocka_unit_test(loss_that_a_full_journal_does_not_take_is_signed_all_the_same),
        cmocka_unit_test(folder_that_cannot_be_made_again_delays_and_loses_nothing),
        cmocka_unit_test(delivered_file_that_cannot_be_removed_goes_with_the_next_start),
        cmocka_unit_test(without_room_for_another_key_it_waits_and_then_goes_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
