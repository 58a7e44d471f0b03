/* What a source lost before it was read is a record in the trail, and stands among the losses of
 * the digest that lists its object. */
#include "tests/unit/trail/world.h"

#include <errno.h>
#include <holdfast/record.h>
#include <sys/wait.h>

static void
append_gap(struct world *world, const char *source, unsigned from)
{
    const struct hf_record_maker maker = {
        .host = "host", .account = "000000000000", .region = "local", .provenance = true
    };
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1u << 16);
    struct hf_record record;
    struct hf_error err;
    char details[512];
    snprintf(details, sizeof(details),
             "{\"source\":\"%s\",\"path\":\"/secret/"
             "place\",\"reason\":\"truncated\",\"fromOffset\":%u,\"toOffset\":\"unknown\","
             "\"unreadBytesSeen\":7}",
             source, from);
    assert_int_equal(hf_journal_begin(world->journal, true, &err), HF_OK);
    assert_int_equal(hf_record_make_own(&maker, "SourceGap", hf_journal_next_seq(world->journal),
                                        1767225600, details, &buf, &record),
                     HF_OK);
    assert_int_equal(
        hf_journal_append(world->journal, HF_SOURCE_SELF, 1767225600, record.parts[0], NULL, &err),
        HF_OK);
    hf_journal_commit(world->journal);
}

/* ---- all losses of all digests, as text ---- */

struct losses {
    struct hf_buf text;
    size_t count, most; /* in one digest */
};

static void
look(void *context, const struct hf_digest *digest)
{
    struct losses *losses = context;
    for (size_t i = 0; i < digest->loss_count; i++) {
        assert_int_equal(digest->losses[i].first_seq, 0);
        assert_int_equal(hf_buf_addf(&losses->text, "%s\n", digest->losses[i].reason), HF_OK);
    }
    losses->count += digest->loss_count;
    losses->most = HF_MAX(losses->most, digest->loss_count);
}

static struct losses
losses_of(const struct world *world)
{
    struct losses losses = { .text = HF_BUF(1u << 24) };
    assert_int_equal(hf_buf_add_text(&losses.text, ""), HF_OK);
    world_each_digest(world, "all", look, &losses);
    return losses;
}

/* ---- the tests ---- */

static void
gap_is_a_record_and_a_loss_without_its_path(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    append_gap(&world, "app", 800);
    world_append(&world, "one", 3, 3);
    world_flush_well(&world);
    world_append(&world, "one", 6, 1);
    world_flush_well(&world); /* listed once */
    struct losses losses = losses_of(&world);
    assert_string_equal(hf_buf_text(&losses.text),
                        "SourceGap, sequence 4: source 'app', truncated; from byte 800, at least 7 "
                        "bytes were not read\n");
    assert_int_equal(bucket_of(&world, "all", "SourceGap").found, 1);
    assert_int_equal(bucket_of(&world, "all", "/secret/place").found, 1);
    hf_buf_done(&losses.text);
    world_stop(&world);
    world_remove(&world);
}

/* Whoever sends lines that look like one makes no loss. */
static void
line_that_only_looks_like_one_is_none(void **state)
{
    struct world world;
    struct hf_error err;
    uint16_t id;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    assert_int_equal(hf_journal_source(world.journal, "one", &id, &err), HF_OK);
    assert_int_equal(hf_journal_begin(world.journal, true, &err), HF_OK);
    assert_int_equal(
        hf_journal_append(world.journal, id, 1767225600,
                          HF_SLICE_LITERAL("{\"eventID\":\"x\",\"eventName\":\"SourceGap\"}"), NULL,
                          &err),
        HF_OK);
    hf_journal_commit(world.journal);
    world_append(&world, "one", 0, 1);
    world_flush_well(&world);
    struct losses losses = losses_of(&world);
    assert_int_equal(losses.count, 0);
    hf_buf_done(&losses.text);
    world_stop(&world);
    world_remove(&world);
}

static int
fail_digests(void *context, struct hf_fs_call *call)
{
    (void)context;
    return strcmp(call->name, "link") == 0 && call->to && strstr(call->to, "CloudTrail-Digest") &&
                   hf_ends_with(call->to, ".json.gz")
               ? EIO
               : 0;
}

static void
crash_between_the_receipt_and_the_digest_keeps_it(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    pid_t child = fork();
    if (child == 0) {
        char failed[512];
        hf_fs_interpose(fail_digests, NULL);
        world_start(&world, all_trail);
        append_gap(&world, "app", 800);
        world_append(&world, "one", 0, 3);
        world_flush(&world, 1500, failed);
        _exit(world_number(&world, "objects_delivered") == 1 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    world_start(&world, all_trail);
    world_flush_well(&world);
    struct losses losses = losses_of(&world);
    assert_int_equal(losses.count, 1);
    hf_buf_done(&losses.text);
    world_stop(&world);
    world_remove(&world);
}

static void
many_gaps_leave_a_digest_that_can_be_signed(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    for (unsigned i = 0; i < 2000; i++) {
        append_gap(&world, "app", i);
        if (i % 40 == 39) { /* several objects, one digest at the end */
            world_append(&world, "one", i, 1);
        }
    }
    world_flush_well(&world);
    struct losses losses = losses_of(&world);
    assert_in_range(losses.most, 1, 1001);
    assert_non_null(strstr(hf_buf_text(&losses.text), "further SourceGap records"));
    assert_int_equal(bucket_of(&world, "all", "SourceGap").found, 2000);
    hf_buf_done(&losses.text);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gap_is_a_record_and_a_loss_without_its_path),
        cmocka_unit_test(line_that_only_looks_like_one_is_none),
        cmocka_unit_test(crash_between_the_receipt_and_the_digest_keeps_it),
        cmocka_unit_test(many_gaps_leave_a_digest_that_can_be_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
