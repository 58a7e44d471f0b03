/* That the journal is full is told to the clients by the loop, in a turn of its own: never from the
 * middle of a hand-over, which would send to all of them while one of them is being worked on. */
#include "client.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define CLIENTS 20

static atomic_bool disk_full;

static int
refuse_writes(void *context, struct hf_fs_call *call)
{
    (void)context;
    return atomic_load(&disk_full) && strcmp(call->name, "pwrite") == 0 ? ENOSPC : 0;
}

/* Who was told, in which order, and whether that was while a hand-over was going on. */
static struct {
    const struct hf_source *told[16];
    size_t count;
    bool handing_over, recursed;
} heard;

static const struct hf_source_kind *real_kind;

static void
spy_full(struct hf_source *source)
{
    assert_true(heard.count < HF_COUNT(heard.told));
    heard.recursed |= heard.handing_over;
    heard.told[heard.count++] = source;
    if (real_kind->full)
        real_kind->full(source);
}

/* What a client's bytes do between begin and commit is here done by hand. */
static enum hf_status
begin_by_hand(struct hf_source *source)
{
    struct hf_unit unit;
    heard.handing_over = true;
    enum hf_status status = hf_unit_begin(&unit, source);
    if (status == HF_OK)
        hf_unit_abandon(&unit);
    heard.handing_over = false;
    return status;
}

static int
set_up(void **state)
{
    static struct hf_source_kind spy;
    struct rig *rig = rig_new();
    rig->timing.full_after_ms = 1000000; /* only what the hand-over found tells them */
    rig->timing.retry_ms = 1000000;      /* and only a commit says that there is room again */
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "first", HF_SOURCE_SOCKET, "in.sock");
    rig_source(rig, "second", HF_SOURCE_SOCKET, "two.sock");
    rig_configure(rig);
    real_kind = rig->intake->sources[0]->kind;
    spy = *real_kind;
    spy.full = spy_full;
    for (size_t i = 0; i < 2; i++)
        rig->intake->sources[i]->kind = &spy;
    memset(&heard, 0, sizeof(heard));
    hf_fs_interpose(refuse_writes, NULL);
    *state = rig;
    return 0;
}

static int
tear_down(void **state)
{
    atomic_store(&disk_full, false);
    rig_free(*state);
    hf_fs_interpose(NULL, NULL);
    return 0;
}

/* What the journal's writer found out is there a little later. */
static void
until_journal_says(struct rig *rig, enum hf_status wanted)
{
    for (int i = 0; i < 5000; i++) {
        enum hf_status status = hf_journal_begin(rig->journal, false, NULL);
        if (status == HF_OK)
            hf_journal_abandon(rig->journal);
        if (status == wanted)
            return;
        usleep(1000);
    }
    fail_msg("the journal never said %s", hf_status_name(wanted));
}

static void
fill_disk(struct rig *rig)
{
    atomic_store(&disk_full, true);
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    assert_int_equal(hf_journal_set_state(rig->journal, "any", HF_SLICE_LITERAL("value"), NULL),
                     HF_OK);
    hf_journal_commit(rig->journal);
    until_journal_says(rig, HF_ENOSPC);
}

static void
a_refused_hand_over_tells_nobody_by_itself(void **state)
{
    struct rig *rig = *state;
    struct hf_source *first = rig->intake->sources[0], *second = rig->intake->sources[1];
    fill_disk(rig);
    for (int i = 0; i < 3; i++) /* many are refused, and it is told once */
        assert_int_equal(begin_by_hand(i % 2 ? second : first), HF_ENOSPC);
    assert_int_equal(heard.count, 0);
    assert_false(rig_status(rig, 0).waiting);
    rig_passes(rig, 3);
    assert_false(heard.recursed);
    assert_int_equal(heard.count, 2);
    assert_ptr_equal(heard.told[0], first);
    assert_ptr_equal(heard.told[1], second);
    assert_true(rig_status(rig, 0).waiting);
    assert_int_equal(rig_status(rig, 1).refusals, 1);
}

static void
who_gets_room_before_the_loops_turn_hears_nothing(void **state)
{
    struct rig *rig = *state;
    fill_disk(rig);
    assert_int_equal(begin_by_hand(rig->intake->sources[0]), HF_ENOSPC);
    atomic_store(&disk_full, false);
    until_journal_says(rig, HF_OK);
    hf_intake_committed(rig->intake, rig_count(rig));
    hf_intake_room(rig->intake);
    rig_passes(rig, 5);
    assert_int_equal(heard.count, 0);
    assert_int_equal(rig_status(rig, 0).refusals, 0);
}

/* Each of many clients, one of which is refused with its line half-way in, hears its own number
 * once; and GO when there is room. */
static void
all_clients_hear_it_once_with_their_own_number(void **state)
{
    struct rig *rig = *state;
    struct client clients[CLIENTS];
    char text[96];
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_of(rig, i % 2 ? "two.sock" : "in.sock");
        snprintf(text, sizeof(text), "HOLDFAST 1 STREAM 1f0e3dad-9990-4a5c-8d1b-%012zu\n", i);
        say(&clients[i], text);
        hear(&clients[i], "OK 0\n");
        for (size_t line = 0; line < i % 3; line++) {
            say(&clients[i], "line\n");
            snprintf(text, sizeof(text), "ACK %zu\n", line + 1);
            hear(&clients[i], text);
        }
    }
    size_t count = rig_count(rig);
    fill_disk(rig);
    for (size_t i = 0; i < CLIENTS; i++)
        say(&clients[i], "refused\n");
    for (size_t i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof(text), "FULL %zu\n", i % 3);
        hear(&clients[i], text);
    }
    assert_int_equal(heard.count, 2);
    atomic_store(&disk_full, false);
    rig_until_count(rig, count + CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        rig_turn(rig, 2);
        listen_once(&clients[i]);
        assert_null(strstr(clients[i].in, "FULL"));
        snprintf(text, sizeof(text), "GO %zu\n", i % 3 + 1);
        assert_non_null(strstr(clients[i].in, text));
        hang_up(&clients[i]);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_refused_hand_over_tells_nobody_by_itself),
        TEST(who_gets_room_before_the_loops_turn_hears_nothing),
        TEST(all_clients_hear_it_once_with_their_own_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
