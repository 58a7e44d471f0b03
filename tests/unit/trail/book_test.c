/* The book: a step is in the ledger and in memory, or the book says that it is behind. */
#include "agent/trail/book.h"
#include "tests/unit/trail/life.h"

#include <errno.h>
#include <holdfast/json.h>
#include <string.h>

struct shelf {
    char folder[256];
    struct life life;
    struct book book;
};

static enum hf_status
open_book(struct shelf *shelf)
{
    shelf->book = (struct book){ .trail = "all" };
    life_begin(&shelf->life, LIFE_JOURNAL, "all", "sealed");
    return book_open(&shelf->book, &shelf->life.state, shelf->folder, NULL);
}

static void
close_book(struct shelf *shelf)
{
    book_close(&shelf->book);
    life_end(&shelf->life);
}

static void
begin(struct shelf *shelf)
{
    hf_test_tempdir(shelf->folder);
    assert_int_equal(open_book(shelf), HF_OK);
    chain_set_id(&shelf->life.chain, "c");
    assert_int_equal(book_begin(&shelf->book, &shelf->life.state, NULL), HF_OK);
}

static void
end(struct shelf *shelf)
{
    close_book(shelf);
    hf_test_tempdir_remove(shelf->folder);
}

static void
take_attempt(struct shelf *shelf, int64_t retain_s)
{
    book_take(&shelf->book, &shelf->life.state,
              &(struct step){ .kind = HF_STEP_ATTEMPT, .attempt = { "key", retain_s, false } });
}

static void
assert_found_again(struct shelf *shelf)
{
    char *before = life_text(&shelf->life.state);
    close_book(shelf);
    assert_int_equal(open_book(shelf), HF_OK);
    char *after = life_text(&shelf->life.state);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void
what_is_taken_is_found_again(void **state)
{
    struct shelf shelf;
    (void)state;
    begin(&shelf);
    take_attempt(&shelf, 86400);
    assert_int_equal(shelf.life.chain.key.last_retain_s, 86400);
    assert_true(book_sync(&shelf.book));
    assert_found_again(&shelf);
    assert_string_equal(shelf.life.chain.id, "c");
    end(&shelf);
}

/* In memory it is as in the document: a text that is no UTF-8 is not one thing now and another after
 * a restart. */
static void
live_step_says_what_its_document_says(void **state)
{
    struct shelf shelf;
    (void)state;
    begin(&shelf);
    book_take(&shelf.book, &shelf.life.state,
              &(struct step){ .kind = HF_STEP_LOSS, .loss = { 1, 2, "cut within \xc3", 0 } });
    assert_string_equal(shelf.life.lists.losses[0].reason, "cut within ?");
    assert_true(book_sync(&shelf.book));
    assert_found_again(&shelf);
    end(&shelf);
}

static void
long_book_is_written_anew_and_says_the_same(void **state)
{
    struct shelf shelf;
    (void)state;
    begin(&shelf);
    int64_t retain_s = 0;
    while (!book_is_long(&shelf.book))
        take_attempt(&shelf, retain_s += 86400);
    assert_true(hf_ledger_bytes(shelf.book.ledger) > LEDGER_COMPACT_BYTES);
    assert_int_equal(book_rewrite(&shelf.book, &shelf.life.state, NULL), HF_OK);
    assert_false(book_is_long(&shelf.book));
    assert_true(hf_ledger_bytes(shelf.book.ledger) < 4096);
    assert_found_again(&shelf);
    assert_int_equal(shelf.life.chain.key.first_retain_s, 86400);
    assert_int_equal(shelf.life.chain.key.last_retain_s, retain_s);
    end(&shelf);
}

static int
fail_syncs(void *context, struct hf_fs_call *call)
{
    return *(bool *)context && strstr(call->name, "sync") ? EIO : 0;
}

static void
book_that_is_behind_catches_up_from_memory(void **state)
{
    struct shelf shelf;
    struct hf_error err = { 0 };
    bool failing = true;
    (void)state;
    begin(&shelf);
    hf_fs_interpose(fail_syncs, &failing);
    take_attempt(&shelf, 86400);
    assert_false(book_sync(&shelf.book));
    assert_true(shelf.book.behind);
    take_attempt(&shelf, 2 * 86400); /* in memory it goes on */
    assert_int_equal(shelf.life.chain.key.last_retain_s, 2 * 86400);
    assert_false(book_sync(&shelf.book));
    assert_int_equal(book_rewrite(&shelf.book, &shelf.life.state, &err), HF_EIO);
    assert_true(shelf.book.behind);
    failing = false;
    assert_int_equal(book_rewrite(&shelf.book, &shelf.life.state, &err), HF_OK);
    assert_false(shelf.book.behind);
    assert_true(book_sync(&shelf.book));
    hf_fs_interpose(NULL, NULL);
    assert_found_again(&shelf);
    end(&shelf);
}

/* Its bytes were on their way when the machine lost power: nobody has acted on it. */
static void
step_that_was_torn_is_none_and_what_was_durable_stays(void **state)
{
    static const char *const names[] = { "ledger", "ledger.copy" };
    struct shelf shelf;
    char path[512];
    (void)state;
    begin(&shelf);
    take_attempt(&shelf, 86400);
    assert_true(book_sync(&shelf.book));
    take_attempt(&shelf, 2 * 86400);
    off_t size = (off_t)hf_ledger_bytes(shelf.book.ledger);
    close_book(&shelf);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        hf_path_join(path, sizeof(path), shelf.folder, names[i]);
        assert_int_equal(truncate(path, size - 8), 0);
    }
    assert_int_equal(open_book(&shelf), HF_OK);
    assert_int_equal(shelf.life.chain.key.last_retain_s, 86400);
    assert_int_equal(shelf.book.repairs, 0); /* no damage */
    take_attempt(&shelf, 3 * 86400);
    assert_true(book_sync(&shelf.book));
    assert_found_again(&shelf);
    assert_int_equal(shelf.life.chain.key.last_retain_s, 3 * 86400);
    end(&shelf);
}

static void
step_that_says_nothing_is_refused(void **state)
{
    struct shelf shelf;
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    (void)state;
    begin(&shelf);
    assert_int_equal(hf_ledger_add(shelf.book.ledger, HF_STEP_ATTEMPT, doc, NULL), HF_OK);
    assert_int_equal(hf_ledger_sync(shelf.book.ledger, NULL), HF_OK);
    close_book(&shelf);
    assert_int_equal(open_book(&shelf), HF_EFORMAT);
    life_end(&shelf.life);
    hf_test_tempdir_remove(shelf.folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_found_again),
        cmocka_unit_test(live_step_says_what_its_document_says),
        cmocka_unit_test(long_book_is_written_anew_and_says_the_same),
        cmocka_unit_test(book_that_is_behind_catches_up_from_memory),
        cmocka_unit_test(step_that_was_torn_is_none_and_what_was_durable_stays),
        cmocka_unit_test(step_that_says_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
