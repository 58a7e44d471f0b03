/* Transcripts of protocol 1 over a real socket, and plain lines. */
#include "client.h"

#include <errno.h>
#include <holdfast/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define A         "1f0e3dad-9990-4a5c-8d1b-000000000001" /* version 4: says nothing of its age */
#define HELLO_A   "HOLDFAST 1 STREAM " A "\n"
#define MAX_EVENT 4096

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock")->max_event = MAX_EVENT;
    rig_configure(rig);
    *state = rig;
    return 0;
}

/* ---- protocol 1 ---- */

static void
lines_are_acknowledged_when_durable(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say(&client, "one\ntwo\n");
    hear_last(&client, "ACK 2\n");
    assert_int_equal(rig_count(rig), 2);
    say(&client, "thr");
    rig_turn(rig, 5);
    say(&client, "ee\n\n\r\nfour\n"); /* empty lines are none */
    hear_last(&client, "ACK 4\n");
    hang_up(&client);
    ASSERT_TEXTS(rig, "one", "two", "three", "four");
    assert_int_equal(rig_status(rig, 0).events, 4);
}

/* Of a client that speaks the protocol, and of one that does not. */
static void
each_line_says_who_had_connected(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, HELLO_A "one\n");
    hear_last(&client, "ACK 1\n");
    hang_up(&client);
    client = client_new(rig);
    say(&client, "two\n");
    rig_until_count(rig, 2);
    hang_up(&client);
    json_t *events = rig_events(rig), *event;
    size_t i;
    json_array_foreach(events, i, event)
    {
        const json_t *said = json_object_get(event, "holdfast");
        const json_t *who = json_object_get(said, "atConnect");
        assert_int_equal(json_integer_value(json_object_get(said, "seq")), i + 1);
        assert_int_equal(json_integer_value(json_object_get(who, "uid")), getuid());
        assert_int_equal(json_integer_value(json_object_get(who, "gid")), getgid());
        assert_int_equal(json_integer_value(json_object_get(who, "pid")), getpid());
        assert_null(json_object_get(said, "file"));
    }
    assert_int_equal(i, 2);
    json_decref(events);
}

static void
no_acknowledgement_before_the_journal_says_so(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    rig->hold_commits = true;
    say(&client, "one\n");
    rig_until_count(rig, 1);
    rig_turn(rig, 20);
    listen_once(&client);
    assert_int_equal(client.size, 0);
    hf_intake_committed(rig->intake, 0);
    hf_intake_room(rig->intake);
    rig_turn(rig, 5);
    listen_once(&client);
    assert_int_equal(client.size, 0);
    hf_intake_committed(rig->intake, 1);
    hf_intake_room(rig->intake);
    hear(&client, "ACK 1\n");
    hang_up(&client);
}

static void
a_client_that_comes_back_goes_on_behind_what_is_durable(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say(&client, "one\ntwo\nhalf a li");
    hear_last(&client, "ACK 2\n");
    hang_up(&client);
    rig_turn(rig, 5);

    client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 2\n");
    say(&client, "three\n");
    hear_last(&client, "ACK 3\n");
    hang_up(&client);
    rig_restart(rig);

    client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 3\n");
    say(&client, "four\n");
    hear_last(&client, "ACK 4\n");
    hang_up(&client);
    ASSERT_TEXTS(rig, "one", "two", "three", "four");
}

/* Lines of the first connection are on their way to the disk when the second one asks: OK waits for
 * them. */
static void
the_newest_connection_has_the_stream(void **state)
{
    struct rig *rig = *state;
    struct client first = client_new(rig);
    say(&first, HELLO_A);
    hear(&first, "OK 0\n");
    rig->hold_commits = true;
    say(&first, "one\ntwo\n");
    rig_until_count(rig, 2);
    struct client second = client_new(rig);
    say(&second, HELLO_A);
    rig_turn(rig, 20);
    listen_once(&second);
    assert_int_equal(second.size, 0);
    until_closed(&first);
    hf_intake_committed(rig->intake, 2);
    hf_intake_room(rig->intake);
    hear(&second, "OK 2\n");
    rig->hold_commits = false;
    say(&second, "three\n");
    hear_last(&second, "ACK 3\n");
    hang_up(&second);
    ASSERT_TEXTS(rig, "one", "two", "three");
}

static void
the_last_acknowledgements_reach_a_client_that_only_listens(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    rig->hold_commits = true;
    say(&client, "one\ntwo\nnot a whole line");
    shutdown(client.fd, SHUT_WR);
    rig_until_count(rig, 2);
    rig_turn(rig, 10);
    rig->hold_commits = false;
    hf_intake_committed(rig->intake, 2);
    hf_intake_room(rig->intake);
    hear(&client, "ACK 2\n");
    until_closed(&client);
    ASSERT_TEXTS(rig, "one", "two");
}

static void
a_forgotten_stream_is_gone(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client,
        "HOLDFAST 1 STREAM 01890a5d-ac96-774b-bcce-b302099a8057\n"); /* version 7, of 2023 */
    hear(&client, "GONE\n");
    until_closed(&client);
}

static void
what_is_no_protocol_1_is_told(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, "HOLDFAST 2 STREAM " A "\n");
    hear(&client, "ERROR this agent understands 'HOLDFAST 1 STREAM uuid' only\n");
    until_closed(&client);
    assert_int_equal(rig_count(rig), 0);
}

static bool
is_status_waiting(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).waiting;
}

/* What was heard before the last FULL is forgotten. */
static void
forget_before_full(struct client *client)
{
    char *last = client->in;
    for (char *at = client->in; (at = strstr(at, "FULL")) != NULL; at++)
        last = at;
    client->size -= (size_t)(last - client->in);
    memmove(client->in, last, client->size + 1);
    if (last == client->in && client->in[0] != 'F' && hf_ends_with(client->in, "\n"))
        client->size = 0;
}

/* A disk that only stands still for a while is told as well, and GO follows. */
static bool
is_told_full(struct rig *rig, struct client *client)
{
    struct hf_journal_info info;
    char full[64];
    hf_journal_info(rig->journal, &info);
    snprintf(full, sizeof(full), "FULL %llu\n", (unsigned long long)info.durable_seq);
    return (info.full || rig_status(rig, 0).owners_refused > 0) &&
           hf_starts_with(client->in, full) && !strstr(client->in, "GO");
}

static void
a_full_journal_is_told_and_nothing_is_lost(void **state)
{
    struct rig *rig = *state;
    rig_stop(rig);
    rig->journal_bytes = 1u << 20;
    rig->segment_bytes = 256u << 10;
    rig_start(rig);
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    size_t sent = 0;
    char line[64];
    uint64_t end_ms = hf_boot_ms() + 60000;
    while (!is_told_full(rig, &client)) {
        int size = snprintf(line, sizeof(line), "line %zu\n", sent);
        bool taken = send(client.fd, line, (size_t)size, MSG_NOSIGNAL) == size;
        sent += taken;
        rig_turn(rig, taken && sent % 50 ? 0 : 1);
        forget_before_full(&client);
        listen_once(&client);
        assert_true(sent < 100000 && hf_boot_ms() < end_ms);
    }
    rig_until(rig, is_status_waiting, NULL);
    size_t taken = rig_count(rig);
    assert_true(taken < sent);
    client.size = 0;

    /* Sealing makes room: the client goes on where it stopped. */
    uint64_t n = 0;
    bool told_go = false;
    for (int turn = 0; turn < 2000 && n < sent; turn++) {
        struct hf_journal_info info;
        hf_journal_info(rig->journal, &info);
        hf_journal_release(rig->journal, info.durable_seq);
        rig_turn(rig, 5);
        client.size = 0;
        listen_once(&client);
        told_go |= strstr(client.in, "GO ") != NULL;
        n = info.durable_seq;
    }
    assert_true(told_go);
    assert_int_equal(rig_count(rig), sent);
    hang_up(&client);
}

/* ---- long lines ---- */

static char *
long_line(size_t size)
{
    char *line = hf_alloc(size + 2);
    for (size_t i = 0; i < size; i++)
        line[i] = (char)('a' + i * 7 % 26);
    line[size] = '\n';
    return line;
}

static void
assert_whole(struct rig *rig, const char *line, size_t size)
{
    json_t *events = rig_events(rig), *event;
    struct hf_buf all = HF_BUF(1u << 20);
    char wanted[HF_SHA256_HEX_SIZE];
    size_t i;
    hf_sha256_hex(line, size, wanted);
    json_array_foreach(events, i, event)
    {
        const json_t *part = json_object_get(json_object_get(event, "additionalEventData"), "part");
        if (!part)
            continue;
        assert_int_equal(json_integer_value(json_object_get(part, "number")), i + 1);
        assert_int_equal(hf_buf_add_text(&all, event_text(event)), HF_OK);
        if (all.size == size)
            assert_string_equal(json_string_value(json_object_get(part, "sha256")), wanted);
    }
    assert_true(hf_slice_equal(hf_buf_slice(&all), hf_slice(line, size)));
    hf_buf_done(&all);
    json_decref(events);
}

static void
a_long_line_is_one_line_of_the_stream(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(200000);
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say(&client, line);
    hear_last(&client, "ACK 1\n");
    say(&client, "after\n");
    hear_last(&client, "ACK 2\n");
    hang_up(&client);
    assert_whole(rig, line, 200000);
}

/* The connection breaks in the middle, twice, once with a restart: its first parts are not doubled.
 */
static void
a_long_line_that_comes_again_is_taken_on_where_it_broke_off(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(50000);
    for (int attempt = 0; attempt < 3; attempt++) {
        struct client client = client_new(rig);
        say(&client, HELLO_A);
        hear(&client, "OK 0\n");
        size_t size = attempt == 2 ? 50001 : 10000 + 17000 * (size_t)attempt;
        say_bytes(&client, line, size);
        if (attempt < 2)
            rig_until_count(rig, (size - 1) / MAX_EVENT);
        else
            hear_last(&client, "ACK 1\n");
        hang_up(&client);
        rig_turn(rig, 5);
        if (attempt == 1)
            rig_restart(rig);
    }
    assert_whole(rig, line, 50000);
    assert_int_equal(rig_count(rig), 50000 / MAX_EVENT + 1);
}

static void
another_line_in_the_place_of_a_begun_one_is_refused_once(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(50000);
    struct client client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say_bytes(&client, line, 20000);
    rig_until_count(rig, 4);
    hang_up(&client);
    rig_turn(rig, 5);
    client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say(&client, "another line\n");
    hear(&client,
         "ERROR the long line that was begun is another one; connect again to send it anew\n");
    until_closed(&client);
    client = client_new(rig);
    say(&client, HELLO_A);
    hear(&client, "OK 0\n");
    say(&client, "another line\n");
    hear_last(&client, "ACK 1\n");
    hang_up(&client);
}

/* ---- plain lines ---- */

static void
plain_lines_need_no_protocol(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    say(&client, "HOLD");
    rig_turn(rig, 5);
    say(&client, "ING on\n{\"a\":1}\nlast without newline");
    hang_up(&client);
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "HOLDING on", "", "last without newline");
    assert_int_equal(rig_status(rig, 0).counts.flat_json, 1);
    rig_turn(rig, 5);
    assert_int_equal(rig_status(rig, 0).connections, 0);
}

static void
drain_takes_what_was_sent_before_it(void **state)
{
    struct rig *rig = *state;
    struct client client = client_new(rig);
    for (int i = 0; i < 200; i++) {
        char line[32];
        snprintf(line, sizeof(line), "line %d\n", i);
        say(&client, line);
    }
    rig_drain(rig);
    assert_numbered(rig, 200);
    hang_up(&client);
}

/* ---- a crowd ---- */

static bool
has_said(struct rig *rig, void *context)
{
    struct client *client = context;
    (void)rig;
    listen_once(client);
    return client->size > 0;
}

static void
greeting_that_does_not_become_whole_is_closed_and_silence_is_not(void **state)
{
    struct rig *rig = *state;
    rig->timing.hello_ms = 50;
    hf_intake_set_timing(rig->intake, &rig->timing);
    struct client silent = client_new(rig), half = client_new(rig);
    say(&half, "HOLDFAST 1 STR");
    hear(&half, "ERROR the first line did not become whole in time\n");
    until_closed(&half);
    struct client whole = client_new(rig);
    say(&whole, "HOLD");
    rig_turn(rig, 10);
    say(&whole, "FAST 1 STREAM " A "\n");
    hear(&whole, "OK 0\n");
    rig_turn(rig, 150); /* its time is over, and it was in time */
    say(&whole, "one\n");
    hear_last(&whole, "ACK 1\n");
    say(&silent, "two\n");
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "two");
    hang_up(&whole);
    hang_up(&silent);
}

static void
connections_that_say_nothing_make_room(void **state)
{
    struct rig *rig = *state;
    struct client silent[20];
    rig->timing.connections_max = HF_COUNT(silent);
    rig->timing.silent_ms = 30;
    hf_intake_set_timing(rig->intake, &rig->timing);
    struct client busy = client_new(rig);
    say(&busy, HELLO_A);
    hear(&busy, "OK 0\n");
    for (size_t i = 1; i < HF_COUNT(silent); i++)
        silent[i] = client_new(rig);
    rig_turn(rig, 60);
    assert_int_equal(rig_status(rig, 0).connections, HF_COUNT(silent));
    struct client late = client_new(rig);
    say(&late, "two\n");
    rig_until_count(rig, 1);
    hear(&silent[1],
         "ERROR too many connections, and this one has not said anything\n"); /* the oldest */
    until_closed(&silent[1]);
    say(&busy, "one\n");
    hear_last(&busy, "ACK 1\n");
    hang_up(&late);
    hang_up(&busy);
    for (size_t i = 2; i < HF_COUNT(silent); i++)
        hang_up(&silent[i]);
    ASSERT_TEXTS(rig, "two", "one");
}

static void
where_all_have_spoken_a_new_one_is_turned_away_and_the_others_go_on(void **state)
{
    struct rig *rig = *state;
    struct client busy[8];
    rig->timing.connections_max = HF_COUNT(busy);
    rig->timing.silent_ms = 0;
    hf_intake_set_timing(rig->intake, &rig->timing);
    for (size_t i = 0; i < HF_COUNT(busy); i++) {
        busy[i] = client_new(rig);
        say(&busy[i], "a line\n");
        rig_until_count(rig, i + 1);
    }
    struct client late = client_new(rig);
    rig_until(rig, has_said, &late);
    hear(&late, "ERROR 8 connections are open; close some, or connect again later\n");
    until_closed(&late);
    assert_non_null(strstr(rig_status(rig, 0).problem, "turned away"));
    for (size_t i = 0; i < HF_COUNT(busy); i++)
        say(&busy[i], "another\n");
    rig_until_count(rig, 2 * HF_COUNT(busy));
    hang_up(&busy[0]);
    rig_turn(rig, 20);
    late = client_new(rig);
    say(&late, HELLO_A "one\n");
    hear_last(&late, "ACK 1\n");
    assert_null(strstr(rig_status(rig, 0).problem, "turned away"));
    hang_up(&late);
    for (size_t i = 1; i < HF_COUNT(busy); i++)
        hang_up(&busy[i]);
}

/* ---- the socket itself ---- */

static void
the_socket_has_its_mode_and_goes_with_the_source(void **state)
{
    struct rig *rig = *state;
    struct stat info;
    assert_int_equal(stat(rig_path(rig, "in.sock"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    hf_intake_stop(rig->intake);
    assert_int_equal(stat(rig_path(rig, "in.sock"), &info), -1);
}

static void
a_left_over_socket_is_replaced_and_nothing_else(void **state)
{
    struct rig *rig = *state;
    struct hf_error err = { .status = HF_OK };
    hf_intake_stop(rig->intake);
    rig_stop(rig);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig_path(rig, "in.sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);

    struct hf_config config = rig->config;
    rig->config.source_count = 0;
    rig_start(rig);
    assert_int_equal(hf_intake_configure(rig->intake, &config, &err),
                     HF_EBUSY); /* somebody answers */
    close(fd);
    assert_int_equal(hf_intake_configure(rig->intake, &config, &err), HF_OK); /* nobody does */
    assert_int_equal(hf_intake_configure(rig->intake, &rig->config, &err), HF_OK);

    rig_write(rig, "in.sock", "a file");
    assert_int_equal(hf_intake_configure(rig->intake, &config, &err), HF_EEXISTS);
    assert_non_null(strstr(err.text, "in.sock"));
    assert_int_equal(hf_intake_status(rig->intake, NULL, 0), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines_are_acknowledged_when_durable),
        TEST(each_line_says_who_had_connected),
        TEST(no_acknowledgement_before_the_journal_says_so),
        TEST(a_client_that_comes_back_goes_on_behind_what_is_durable),
        TEST(the_newest_connection_has_the_stream),
        TEST(the_last_acknowledgements_reach_a_client_that_only_listens),
        TEST(a_forgotten_stream_is_gone),
        TEST(what_is_no_protocol_1_is_told),
        TEST(a_full_journal_is_told_and_nothing_is_lost),
        TEST(a_long_line_is_one_line_of_the_stream),
        TEST(a_long_line_that_comes_again_is_taken_on_where_it_broke_off),
        TEST(another_line_in_the_place_of_a_begun_one_is_refused_once),
        TEST(plain_lines_need_no_protocol),
        TEST(drain_takes_what_was_sent_before_it),
        TEST(greeting_that_does_not_become_whole_is_closed_and_silence_is_not),
        TEST(connections_that_say_nothing_make_room),
        TEST(where_all_have_spoken_a_new_one_is_turned_away_and_the_others_go_on),
        TEST(the_socket_has_its_mode_and_goes_with_the_source),
        TEST(a_left_over_socket_is_replaced_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
