/* Bytes that are not what they were, in either file: the same steps come back, both files are whole
 * again, and it is told. What cannot be mended is left as it is. */
#include "tests/unit/ledger/ledger_test.h"

#define COUNT 6

static struct hf_ledger *ledger;
static struct replayed replayed;
static struct hf_ledger_recovery recovery;

static void
make_ledger(const struct place *place, struct hf_buf *ret_whole)
{
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(add(ledger, i), HF_OK);
        assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    }
    hf_ledger_close(ledger);
    read_bytes(place->path, ret_whole);
}

static void
assert_all_there(const struct place *place, const struct hf_buf *whole)
{
    hf_owned(hf_buf_done) struct hf_buf after = HF_BUF(0);
    assert_replayed(&replayed, 0, COUNT);
    hf_ledger_close(ledger);
    read_bytes(place->path, &after);
    assert_true(hf_slice_equal(hf_buf_slice(&after), hf_buf_slice(whole)));
    assert_same_files(place);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, COUNT);
    assert_true(nothing_was_wrong(&recovery));
    assert_int_equal(add(ledger, COUNT), HF_OK);
    hf_ledger_close(ledger);
}

static void
every_flipped_byte_of_either_file_is_told_and_mended(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place, &whole);
    for (size_t at = 0; at < 2 * whole.size; at++) {
        bool in_copy = at >= whole.size;
        uint8_t *byte = &whole.ptr[at % whole.size];
        write_bytes(in_copy ? place->path : place->copy, whole.ptr, whole.size);
        *byte ^= (uint8_t)(1u << at % 8);
        write_bytes(in_copy ? place->copy : place->path, whole.ptr, whole.size);
        *byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        const struct hf_ledger_file_recovery *hurt = in_copy ? &recovery.copy : &recovery.file;
        const struct hf_ledger_file_recovery *other = in_copy ? &recovery.file : &recovery.copy;
        assert_int_equal(hurt->repaired_steps, 1);
        assert_int_equal(hurt->repaired_byte, at % whole.size);
        assert_int_equal(other->repaired_steps, 0);
        assert_all_there(place, &whole);
    }
}

/* Cut short by whoever, also in the middle of a step that was durable. */
static void
either_file_cut_at_any_byte_is_made_whole(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place, &whole);
    for (size_t at = 0; at < 2 * whole.size; at++) {
        bool in_copy = at >= whole.size;
        write_bytes(in_copy ? place->path : place->copy, whole.ptr, whole.size);
        write_bytes(in_copy ? place->copy : place->path, whole.ptr, at % whole.size);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        assert_all_there(place, &whole);
    }
}

static void
missing_file_is_made_again_and_told(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place, &whole);
    for (int in_copy = 0; in_copy < 2; in_copy++) {
        write_bytes(in_copy ? place->path : place->copy, whole.ptr, whole.size);
        assert_int_equal(unlink(in_copy ? place->copy : place->path), 0);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        assert_true(in_copy ? recovery.copy.missing : recovery.file.missing);
        assert_all_there(place, &whole);
    }
}

static const char *unreadable;

static int
fail_reads(void *context, struct hf_fs_call *call)
{
    char link[64], path[512];
    (void)context;
    if (strcmp(call->name, "read") != 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[HF_MAX(size, 0)] = '\0';
    return strcmp(path, unreadable) == 0 ? EIO : 0;
}

static void
file_on_a_bad_sector_is_made_again_and_told(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place, &whole);
    for (int in_copy = 0; in_copy < 2; in_copy++) {
        struct stat before, after;
        unreadable = in_copy ? place->copy : place->path;
        write_bytes(place->path, whole.ptr, whole.size);
        write_bytes(place->copy, whole.ptr, whole.size);
        assert_int_equal(stat(unreadable, &before), 0);
        hf_fs_interpose(fail_reads, NULL);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        hf_fs_interpose(NULL, NULL);
        assert_true(in_copy ? recovery.copy.unreadable : recovery.file.unreadable);
        assert_int_equal(stat(unreadable, &after), 0);
        assert_int_not_equal(before.st_ino, after.st_ino); /* the bad sector is not used again */
        assert_all_there(place, &whole);
    }
    hf_fs_interpose(fail_reads, NULL);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_EIO);
}

static void
assert_refused_and_untouched(const struct place *place, enum hf_status expected, const char *word)
{
    struct hf_error err;
    struct replayed none = { .answer = HF_OK };
    struct hf_buf before[2] = { HF_BUF(0), HF_BUF(0) };
    read_bytes(place->path, &before[0]);
    read_bytes(place->copy, &before[1]);
    assert_int_equal(hf_ledger_open(place->path, true, collect, &none, &ledger, &recovery, &err),
                     expected);
    assert_int_equal(none.count, 0);
    assert_non_null(strstr(err.text, place->path));
    assert_non_null(strstr(err.text, word));
    for (int i = 0; i < 2; i++) {
        hf_owned(hf_buf_done) struct hf_buf after = HF_BUF(0);
        read_bytes(i ? place->copy : place->path, &after);
        assert_true(hf_slice_equal(hf_buf_slice(&before[i]), hf_buf_slice(&after)));
        hf_buf_done(&before[i]);
    }
}

static void
step_damaged_in_both_is_told_with_its_byte_and_nothing_is_changed(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    struct frame first;
    char word[32];
    make_ledger(place, &whole);
    assert_true(frame_decode(hf_buf_slice(&whole), 0, &first));
    snprintf(word, sizeof(word), "byte %zu of both", first.size);
    whole.ptr[first.size + 44] ^= 1;
    write_bytes(place->path, whole.ptr, whole.size);
    whole.ptr[first.size + 44] ^= 1;
    whole.ptr[first.size + 9] ^= 1;
    write_bytes(place->copy, whole.ptr, whole.size);
    assert_refused_and_untouched(place, HF_ECORRUPT, word);
}

static void
steps_damaged_in_both_at_different_places_are_mended(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    struct frame first;
    make_ledger(place, &whole);
    assert_true(frame_decode(hf_buf_slice(&whole), 0, &first));
    whole.ptr[first.size - first.size / 2] ^= 1;
    write_bytes(place->path, whole.ptr, whole.size);
    whole.ptr[first.size - first.size / 2] ^= 1;
    whole.ptr[first.size + 9] ^= 1;
    write_bytes(place->copy, whole.ptr, whole.size);
    whole.ptr[first.size + 9] ^= 1;
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_int_equal(recovery.file.repaired_steps, 1);
    assert_int_equal(recovery.copy.repaired_steps, 1);
    assert_all_there(place, &whole);
}

/* Empty files mean a new ledger only to who has none yet. */
static void
begun_ledger_without_any_step_is_refused(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    struct hf_error err;
    struct stat info;
    assert_int_equal(
        hf_ledger_open(place->path, true, collect, &replayed, &ledger, &recovery, &err),
        HF_ECORRUPT);
    assert_int_not_equal(stat(place->path, &info), 0);
    make_ledger(place, &whole);
    write_bytes(place->path, "", 0);
    write_bytes(place->copy, "", 0);
    assert_refused_and_untouched(place, HF_ECORRUPT, "no step is left");
    memset(whole.ptr, 0x55, whole.size);
    write_bytes(place->copy, whole.ptr, whole.size);
    assert_refused_and_untouched(place, HF_ECORRUPT, "no step is left");
}

static void
later_version_is_refused_and_untouched(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    struct frame first;
    make_ledger(place, &whole);
    assert_true(frame_decode(hf_buf_slice(&whole), 0, &first));
    hf_put_le16(whole.ptr + 6, FRAME_VERSION + 1);
    hf_put_le32(whole.ptr + 28, hf_crc32c(hf_crc32c(0, whole.ptr, 28), whole.ptr + FRAME_PREFIX,
                                          first.used - FRAME_PREFIX));
    write_bytes(place->copy, whole.ptr, whole.size);
    assert_refused_and_untouched(place, HF_EVERSION, "later holdfast");
}

/* As version 0 wrote it: one file, frames without an epoch. */
static void
one_file_of_version_0_becomes_two_and_goes_on(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0), old = HF_BUF(1u << 16), copy = HF_BUF(0);
    struct frame frame;
    make_ledger(place, &whole);
    for (size_t at = 0; frame_decode(hf_buf_slice(&whole), at, &frame); at += frame.size) {
        static const uint8_t zeros[FRAME_ALIGN];
        uint8_t prefix[FRAME_PREFIX];
        memcpy(prefix, whole.ptr + at, sizeof(prefix));
        hf_put_le16(prefix + 6, 0);
        hf_put_le32(prefix + 24, (uint32_t)frame.doc.size);
        hf_put_le32(prefix + 28,
                    hf_crc32c(hf_crc32c(0, prefix, 28), frame.doc.ptr, frame.doc.size));
        assert_int_equal(hf_buf_add(&old, prefix, sizeof(prefix)), HF_OK);
        assert_int_equal(hf_buf_add(&old, frame.doc.ptr, frame.doc.size), HF_OK);
        assert_int_equal(hf_buf_add(&old, zeros, (8 - frame.doc.size % 8) % 8), HF_OK);
    }
    write_bytes(place->path, old.ptr, old.size);
    assert_int_equal(unlink(place->copy), 0);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, COUNT);
    assert_true(recovery.copy.missing);
    read_bytes(place->copy, &copy);
    assert_true(hf_slice_equal(hf_buf_slice(&copy), hf_buf_slice(&old)));
    assert_int_equal(add(ledger, COUNT), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    hf_ledger_close(ledger);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, COUNT + 1);
    assert_true(nothing_was_wrong(&recovery));
    hf_owned(hf_doc_freep) json_t *doc = doc_of(50);
    const enum hf_step step = step_of(50);
    assert_int_equal(hf_ledger_rewrite(ledger, &step, &doc, 1, NULL), HF_OK);
    hf_ledger_close(ledger);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 50, 1);
    hf_ledger_close(ledger);
}

/* A folder where the copy was: nothing that one file could stand in for. */
static void
what_cannot_be_opened_is_told_and_left(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0), after = HF_BUF(0);
    struct hf_error err;
    make_ledger(place, &whole);
    assert_int_equal(unlink(place->copy), 0);
    assert_int_equal(mkdir(place->copy, 0700), 0);
    assert_int_not_equal(
        hf_ledger_open(place->path, false, collect, &replayed, &ledger, &recovery, &err), HF_OK);
    assert_non_null(strstr(err.text, place->copy));
    read_bytes(place->path, &after);
    assert_true(hf_slice_equal(hf_buf_slice(&after), hf_buf_slice(&whole)));
    assert_int_equal(rmdir(place->copy), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_flipped_byte_of_either_file_is_told_and_mended),
        TEST(what_cannot_be_opened_is_told_and_left),
        TEST(either_file_cut_at_any_byte_is_made_whole),
        TEST(missing_file_is_made_again_and_told),
        TEST(file_on_a_bad_sector_is_made_again_and_told),
        TEST(step_damaged_in_both_is_told_with_its_byte_and_nothing_is_changed),
        TEST(steps_damaged_in_both_at_different_places_are_mended),
        TEST(begun_ledger_without_any_step_is_refused),
        TEST(later_version_is_refused_and_untouched),
        TEST(one_file_of_version_0_becomes_two_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
