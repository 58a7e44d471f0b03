/* A ledger that failed to reach the disk refuses everything until it is rewritten; a rewrite leaves
 * old or new. */
#include "tests/unit/ledger/ledger_test.h"

#include <sys/wait.h>

#define OLD_COUNT 5
#define NEW_FIRST 100
#define NEW_COUNT 3

static struct hf_ledger *ledger;
static struct replayed replayed;
static struct hf_ledger_recovery recovery;

static void
start(const char *path)
{
    enum hf_status removed = hf_ledger_remove(path, NULL);
    assert_true(removed == HF_OK || removed == HF_ENOTFOUND);
    assert_int_equal(reopen(path, &ledger, &replayed, &recovery), HF_OK);
    for (uint64_t i = 0; i < OLD_COUNT; i++)
        assert_int_equal(add(ledger, i), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
}

static enum hf_status
rewrite(struct hf_error *err)
{
    json_t *docs[NEW_COUNT];
    enum hf_step steps[NEW_COUNT];
    for (size_t i = 0; i < NEW_COUNT; i++) {
        docs[i] = doc_of(NEW_FIRST + i);
        steps[i] = step_of(NEW_FIRST + i);
    }
    enum hf_status status = hf_ledger_rewrite(ledger, steps, docs, NEW_COUNT, err);
    for (size_t i = 0; i < NEW_COUNT; i++)
        json_decref(docs[i]);
    return status;
}

static void
finish(const char *path)
{
    hf_ledger_close(hf_take(ledger));
    assert_int_equal(reopen(path, &ledger, &replayed, &recovery), HF_OK);
    hf_ledger_close(hf_take(ledger));
}

static void
rewrite_replaces_everything_and_goes_on(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    start(place->path);
    uint64_t old_bytes = hf_ledger_bytes(ledger);
    assert_int_equal(rewrite(&err), HF_OK);
    assert_true(hf_ledger_bytes(ledger) < old_bytes);
    assert_int_equal(add(ledger, NEW_FIRST + NEW_COUNT), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT + 1);
}

static void
rewrite_to_nothing_works(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    start(place->path);
    assert_int_equal(hf_ledger_rewrite(ledger, NULL, NULL, 0, &err), HF_OK);
    assert_int_equal(hf_ledger_bytes(ledger), 0);
    assert_int_equal(add(ledger, 0), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, 0, 1);
}

/* Whatever is said to be durable afterwards is there at the next start: of the old file, or of the
 * new one. */
static void
rewrite_leaves_old_or_new_whichever_call_fails(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    enum hf_status status = HF_EIO;
    bool seen_old = false, seen_refusal = false;
    for (int n = 1; status != HF_OK; n++) {
        assert_true(n < 100);
        start(place->path);
        struct fault fault = { .fail_at = n };
        fault_begin(&fault);
        status = rewrite(&err);
        fault_end();
        if (status != HF_OK)
            assert_non_null(strstr(err.text, place->path));

        bool added = add(ledger, OLD_COUNT) == HF_OK && hf_ledger_sync(ledger, NULL) == HF_OK;
        seen_refusal = seen_refusal || !added;
        finish(place->path);
        if (replayed.values[0] == 0) {
            assert_replayed(&replayed, 0, OLD_COUNT + added);
            assert_int_not_equal(status, HF_OK);
            seen_old = true;
        } else {
            assert_int_equal(replayed.count, NEW_COUNT + added);
            assert_int_equal(replayed.values[0], NEW_FIRST);
            assert_int_equal(replayed.values[replayed.count - 1],
                             added ? OLD_COUNT : NEW_FIRST + NEW_COUNT - 1);
        }
    }
    assert_true(seen_old && seen_refusal);
}

static void
assert_refuses(void)
{
    struct hf_error err;
    hf_owned(hf_doc_freep) json_t *doc = doc_of(9);
    assert_int_equal(hf_ledger_sync(ledger, &err), HF_EIO);
    assert_int_equal(hf_ledger_add(ledger, HF_STEP_CUT, doc, &err), HF_EIO);
    assert_non_null(strstr(err.text, "rewritten"));
}

static void
failed_sync_refuses_until_rewritten(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    struct fault fault = { .fail_at = 1, .only = "fdatasync" };
    start(place->path);
    assert_int_equal(add(ledger, OLD_COUNT), HF_OK);
    fault_begin(&fault);
    assert_int_equal(hf_ledger_sync(ledger, &err), HF_EIO);
    assert_non_null(strstr(err.text, place->path));
    assert_refuses(); /* although the next fdatasync would say it worked */
    fault_end();
    assert_int_equal(fault.count, 1);
    assert_int_equal(rewrite(&err), HF_OK);
    assert_int_equal(add(ledger, NEW_FIRST + NEW_COUNT), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT + 1);
}

static void
failed_write_refuses_until_rewritten_and_leaves_the_steps_before_it(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    struct fault fault = { .fail_at = 1, .only = "pwrite" };
    start(place->path);
    fault_begin(&fault);
    assert_int_equal(add(ledger, OLD_COUNT), HF_EIO);
    fault_end();
    assert_refuses();
    hf_ledger_close(hf_take(ledger));
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, OLD_COUNT);
    assert_int_equal(rewrite(&err), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT);
}

static void
failed_rewrite_of_a_broken_ledger_keeps_it_refusing(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    struct fault sync = { .fail_at = 1, .only = "fdatasync" };
    struct fault all = { .fail_at = 1, .for_ever = true };
    start(place->path);
    assert_int_equal(add(ledger, OLD_COUNT), HF_OK);
    fault_begin(&sync);
    assert_int_equal(hf_ledger_sync(ledger, &err), HF_EIO);
    fault_begin(&all);
    assert_int_equal(rewrite(&err), HF_EIO);
    fault_end();
    assert_refuses();
    assert_int_equal(rewrite(&err), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT);
}

static int
count_to_exit(void *context, struct hf_fs_call *call)
{
    int *left = context;
    (void)call;
    if (--*left == 0)
        _exit(9);
    return 0;
}

/* Between the two replacements the files are of two epochs: the newer counts, and it is no damage.
 */
static void
killed_at_any_call_of_a_rewrite_it_has_old_or_new(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    bool killed = true, seen_old = false, seen_new = false;
    for (int n = 1; killed; n++) {
        int how, left = n;
        assert_true(n < 100);
        start(place->path);
        pid_t child = fork();
        if (child == 0) {
            hf_fs_interpose(count_to_exit, &left);
            _exit(rewrite(&err) == HF_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) != 1);
        killed = WEXITSTATUS(how) == 9;
        finish(place->path);
        assert_true(nothing_was_wrong(&recovery));
        if (replayed.values[0] == 0)
            assert_replayed(&replayed, 0, OLD_COUNT);
        else
            assert_replayed(&replayed, NEW_FIRST, NEW_COUNT);
        seen_old = seen_old || replayed.values[0] == 0;
        seen_new = seen_new || (killed && replayed.values[0] != 0);
        assert_same_files(place);
    }
    assert_true(seen_old && seen_new);
}

static int
no_room_for_the_copy(void *context, struct hf_fs_call *call)
{
    int *left = context;
    bool is_copy = call->path && strstr(call->path, ".ledger.copy.tmp");
    if (!is_copy || strcmp(call->name, "open") != 0 || *left == 0)
        return 0;
    --*left;
    return ENOSPC;
}

/* The old copy takes the room that the new one needs, and nobody needs it: it goes first. */
static void
start_on_a_full_disk_after_half_a_rewrite_works(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    int left = 1;
    start(place->path);
    hf_fs_interpose(no_room_for_the_copy, &left);
    assert_int_equal(rewrite(&err), HF_ENOSPC);
    assert_int_equal(add(ledger, OLD_COUNT), HF_EIO);
    hf_ledger_close(hf_take(ledger));
    left = 1;
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(left, 0);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT);
    finish(place->path);
    assert_replayed(&replayed, NEW_FIRST, NEW_COUNT);
    assert_true(nothing_was_wrong(&recovery));
}

/* What the rewrite that failed has left is older than what the next one writes. */
static void
rewrite_after_half_a_rewrite_is_the_newest(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    int left = 2;
    start(place->path);
    hf_fs_interpose(no_room_for_the_copy, &left);
    assert_int_equal(rewrite(&err), HF_ENOSPC);
    hf_owned(hf_doc_freep) json_t *doc = doc_of(7);
    const enum hf_step step = step_of(7);
    assert_int_equal(hf_ledger_rewrite(ledger, &step, &doc, 1, &err), HF_ENOSPC);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(hf_ledger_rewrite(ledger, &step, &doc, 1, &err), HF_OK);
    assert_int_equal(add(ledger, 8), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, 7, 2);
}

static void
document_over_the_limit_leaves_the_ledger_as_it_was(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    hf_owned(hf_freep) char *text = hf_alloc(FRAME_DOC_MAX + 1);
    memset(text, 'x', FRAME_DOC_MAX);
    start(place->path);
    hf_owned(hf_doc_freep) json_t *doc = json_pack("{s:s}", "value", text);
    const enum hf_step step = step_of(7);
    assert_int_equal(hf_ledger_rewrite(ledger, &step, &doc, 1, &err), HF_ELIMIT);
    assert_int_equal(hf_ledger_add(ledger, step, doc, &err), HF_ELIMIT);
    assert_int_equal(add(ledger, OLD_COUNT), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    finish(place->path);
    assert_replayed(&replayed, 0, OLD_COUNT + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rewrite_replaces_everything_and_goes_on),
        TEST(rewrite_to_nothing_works),
        TEST(rewrite_leaves_old_or_new_whichever_call_fails),
        TEST(failed_sync_refuses_until_rewritten),
        TEST(failed_write_refuses_until_rewritten_and_leaves_the_steps_before_it),
        TEST(failed_rewrite_of_a_broken_ledger_keeps_it_refusing),
        TEST(killed_at_any_call_of_a_rewrite_it_has_old_or_new),
        TEST(start_on_a_full_disk_after_half_a_rewrite_works),
        TEST(rewrite_after_half_a_rewrite_is_the_newest),
        TEST(document_over_the_limit_leaves_the_ledger_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
