/* What the ledger's tests share: steps with a number in them, a witness that collects what is
 * replayed, and faults. */
#ifndef HOLDFAST_TESTS_LEDGER_LEDGER_TEST_H
#define HOLDFAST_TESTS_LEDGER_LEDGER_TEST_H

#include "agent/ledger/ledger_impl.h"
#include "tests/support/test.h"

#include <errno.h>
#include <holdfast/json.h>

#define STEPS_MAX 64

struct replayed {
    size_t count;
    enum hf_step steps[STEPS_MAX];
    uint64_t values[STEPS_MAX];
    enum hf_status answer; /* of the visitor */
};

static inline enum hf_status
collect(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    struct replayed *replayed = context;
    assert_true(replayed->count < STEPS_MAX);
    replayed->steps[replayed->count] = step;
    assert_int_equal(hf_doc_u64(doc, "value", &replayed->values[replayed->count++], err), HF_OK);
    return replayed->answer;
}

/* Step kinds and sizes differ, so that frames begin at many offsets. 10 is no kind. */
static inline enum hf_step
step_of(uint64_t value)
{
    uint64_t step = HF_STEP_STATE + value % HF_STEP_LAST;
    return step == 10 ? HF_STEP_CUT : (enum hf_step)step;
}

static inline json_t *
doc_of(uint64_t value)
{
    char filler[] = "abcdefghijklmnopqrstuvwxyz";
    filler[value % sizeof(filler)] = '\0';
    return json_pack("{s:I, s:s}", "value", (json_int_t)value, "filler", filler);
}

static inline enum hf_status
add(struct hf_ledger *ledger, uint64_t value)
{
    struct hf_error err;
    hf_owned(hf_doc_freep) json_t *doc = doc_of(value);
    return hf_ledger_add(ledger, step_of(value), doc, &err);
}

static inline void
assert_replayed(const struct replayed *replayed, uint64_t first, size_t count)
{
    assert_int_equal(replayed->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(replayed->values[i], first + i);
        assert_int_equal(replayed->steps[i], step_of(first + i));
    }
}

static inline enum hf_status
reopen(const char *path, struct hf_ledger **ret_ledger, struct replayed *ret_replayed,
       struct hf_ledger_recovery *ret_recovery)
{
    struct hf_error err;
    *ret_replayed = (struct replayed){ .answer = HF_OK };
    *ret_recovery = (struct hf_ledger_recovery){ 0 };
    return hf_ledger_open(path, false, collect, ret_replayed, ret_ledger, ret_recovery, &err);
}

static inline bool
nothing_was_wrong(const struct hf_ledger_recovery *recovery)
{
    const struct hf_ledger_file_recovery *file = &recovery->file, *copy = &recovery->copy;
    return !file->missing && !copy->missing && !file->unreadable && !copy->unreadable &&
           !file->repaired_steps && !copy->repaired_steps && !recovery->torn_bytes;
}

static inline void
read_bytes(const char *path, struct hf_buf *ret_bytes)
{
    assert_int_equal(hf_fs_read_file(path, 1u << 20, ret_bytes, NULL), HF_OK);
}

static inline void
write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The n-th file-system call fails, counted from 1; or every one of this name from the n-th on. */
struct fault {
    int fail_at;
    const char *only;
    bool for_ever;
    int count;
};

static inline int
fault_interpose(void *context, struct hf_fs_call *call)
{
    struct fault *fault = context;
    if (strcmp(call->name, "close") == 0 || (fault->only && strcmp(call->name, fault->only) != 0))
        return 0;
    fault->count++;
    bool fails = fault->fail_at && (fault->count == fault->fail_at ||
                                    (fault->for_ever && fault->count > fault->fail_at));
    return fails ? EIO : 0;
}

static inline void
fault_begin(struct fault *fault)
{
    hf_fs_interpose(fault_interpose, fault);
}

static inline void
fault_end(void)
{
    hf_fs_interpose(NULL, NULL);
}

/* A fresh folder and a path in it for each test; in memory where there is one, since every file is
 * synced thousands of times. */
struct place {
    char folder[256];
    char path[300];
    char copy[310];
};

static inline int
place_setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    hf_test_tempdir(place->folder);
    snprintf(place->path, sizeof(place->path), "%s/ledger", place->folder);
    snprintf(place->copy, sizeof(place->copy), "%s.copy", place->path);
    *state = place;
    return 0;
}

static inline int
place_teardown(void **state)
{
    struct place *place = *state;
    fault_end();
    hf_test_tempdir_remove(place->folder);
    free(place);
    return 0;
}

static inline void
assert_same_files(const struct place *place)
{
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(0), copy = HF_BUF(0);
    read_bytes(place->path, &file);
    read_bytes(place->copy, &copy);
    assert_true(hf_slice_equal(hf_buf_slice(&file), hf_buf_slice(&copy)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

#endif
