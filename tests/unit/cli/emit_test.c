/* emit against a tiny agent: a thread that accepts on a socket and does what the test scripts. */
#include "tests/support/test.h"

#include "agent/cli/emit_impl.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STREAM    "01900000-0000-7000-8000-000000000001"
#define LINES_MAX 4096

struct agent {
    char folder[256], path[300];
    int listener;
    pthread_t thread;
    void (*script)(struct agent *agent);
    /* one connection */
    int fd;
    char in[1 << 16];
    size_t in_size;
    bool failed;
    const char *why;
    /* what was taken, in order */
    char *taken[LINES_MAX];
    size_t taken_count;
};

static void
broken(struct agent *agent, const char *why)
{
    if (!agent->failed)
        agent->why = why;
    agent->failed = true;
}

static void
say(struct agent *agent, const char *text)
{
    if (send(agent->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        broken(agent, "could not answer");
}

/* The next line, without its newline; NULL when the client closed or, with wait_ms, when none came
 * in time. */
static char *
next_line(struct agent *agent, int wait_ms)
{
    for (;;) {
        char *newline = memchr(agent->in, '\n', agent->in_size);
        if (newline) {
            size_t size = (size_t)(newline - agent->in);
            char *line = hf_strndup(agent->in, size);
            agent->in_size -= size + 1;
            memmove(agent->in, newline + 1, agent->in_size);
            return line;
        }
        struct pollfd wait = { .fd = agent->fd, .events = POLLIN };
        if (poll(&wait, 1, wait_ms) <= 0)
            return NULL;
        ssize_t size =
            recv(agent->fd, agent->in + agent->in_size, sizeof(agent->in) - agent->in_size, 0);
        if (size <= 0)
            return NULL;
        agent->in_size += (size_t)size;
    }
}

static void
accept_one(struct agent *agent)
{
    agent->fd = accept(agent->listener, NULL, NULL);
    agent->in_size = 0;
    char *hello = agent->fd < 0 ? NULL : next_line(agent, 5000);
    if (!hello || strcmp(hello, "HOLDFAST 1 STREAM " STREAM) != 0)
        broken(agent, "the greeting is another one");
    free(hello);
}

static void
drop(struct agent *agent)
{
    hf_fs_close(&agent->fd);
}

static void
take(struct agent *agent, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *line = next_line(agent, 5000);
        if (!line) {
            broken(agent, "a line did not come");
            return;
        }
        hf_assert(agent->taken_count < LINES_MAX);
        agent->taken[agent->taken_count++] = line;
    }
}

static void *
run(void *context)
{
    struct agent *agent = context;
    agent->script(agent);
    drop(agent);
    return NULL;
}

static void
agent_start(struct agent *agent, void (*script)(struct agent *agent))
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *agent = (struct agent){ .fd = -1, .script = script };
    hf_test_tempdir(agent->folder);
    snprintf(agent->path, sizeof(agent->path), "%s/in.sock", agent->folder);
    assert_in_range(strlen(agent->path), 1, sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, agent->path, strlen(agent->path));
    agent->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(agent->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(agent->listener, 8), 0);
    assert_int_equal(pthread_create(&agent->thread, NULL, run, agent), 0);
}

/* Waits for the script and checks that exactly `expected` was taken, joined by blanks. */
static void
agent_end(struct agent *agent, const char *expected)
{
    char found[4096] = "";
    assert_int_equal(pthread_join(agent->thread, NULL), 0);
    for (size_t i = 0; i < agent->taken_count; i++) {
        if (strlen(found) + strlen(agent->taken[i]) + 2 < sizeof(found))
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
                     agent->taken[i]);
        free(agent->taken[i]);
    }
    close(agent->listener);
    hf_test_tempdir_remove(agent->folder);
    if (agent->failed)
        fail_msg("%s (taken: %s)", agent->why, found);
    if (expected)
        assert_string_equal(found, expected);
}

/* A pipe is too small for some inputs, a file is not. */
static int
input_of(const struct agent *agent, const char *bytes, size_t size)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/input", agent->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(fd, bytes + at, size - at);
        assert_true(written > 0);
        at += (size_t)written;
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static enum hf_status
emit(const struct agent *agent, const char *input, struct emit_options options,
     uint64_t *ret_acknowledged, struct hf_error *err)
{
    options.socket = agent->path;
    options.stream = STREAM;
    options.timeout_ms = options.timeout_ms ? options.timeout_ms : 10000;
    options.window_bytes = options.window_bytes ? options.window_bytes : 1 << 20;
    options.window_lines = options.window_lines ? options.window_lines : 1000;
    options.input = input_of(agent, input, strlen(input));
    enum hf_status status = emit_lines(&options, ret_acknowledged, err);
    close(options.input);
    return status;
}

/* ---- a stream from end to end ---- */

static void
take_three(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 3);
    say(agent, "ACK 1\nACK 3\n");
    free(next_line(agent, 5000)); /* until it closes */
}

static void
every_line_arrives_once(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 99;
    (void)state;
    agent_start(&agent, take_three);
    assert_int_equal(emit(&agent, "a\nbb\nccc\n", (struct emit_options){ 0 }, &acknowledged, &err),
                     HF_OK);
    assert_int_equal(acknowledged, 3);
    agent_end(&agent, "a bb ccc");
}

static void
empty_lines_are_none_and_the_last_needs_no_newline(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, take_three);
    assert_int_equal(
        emit(&agent, "\n\r\na\n\nb\n\r\nlast", (struct emit_options){ 0 }, &acknowledged, &err),
        HF_OK);
    assert_int_equal(acknowledged, 3);
    agent_end(&agent, "a b last");
}

static void
nothing(struct agent *agent)
{
    (void)agent;
}

static void
no_input_is_all_of_it(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 99;
    (void)state;
    agent_start(&agent, nothing);
    assert_int_equal(emit(&agent, "\n\n", (struct emit_options){ 0 }, &acknowledged, &err), HF_OK);
    assert_int_equal(acknowledged, 0);
    agent_end(&agent, "");
}

/* ---- connections that break ---- */

static void
break_twice(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 2);
    say(agent, "ACK 1\n");
    drop(agent); /* 2 was taken, and the ACK of it is lost */
    accept_one(agent);
    say(agent, "OK 2\n");
    take(agent, 1);
    drop(agent); /* 3 was not: it comes again */
    accept_one(agent);
    say(agent, "OK 2\n");
    take(agent, 3);
    say(agent, "ACK 5\n");
    free(next_line(agent, 5000));
}

static void
a_broken_connection_goes_on_where_the_agent_is(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, break_twice);
    assert_int_equal(
        emit(&agent, "1\n2\n3\n4\n5\n", (struct emit_options){ 0 }, &acknowledged, &err), HF_OK);
    assert_int_equal(acknowledged, 5);
    agent_end(&agent, "1 2 3 3 4 5"); /* the second 3 is the one that counts */
}

static void
error_then_well(struct agent *agent)
{
    accept_one(agent);
    say(agent, "ERROR too many long lines at once; connect again later\n");
    drop(agent);
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 1);
    say(agent, "ACK 1\n");
    free(next_line(agent, 5000));
}

static void
an_error_of_the_agent_is_tried_again(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, error_then_well);
    assert_int_equal(emit(&agent, "1\n", (struct emit_options){ 0 }, &acknowledged, &err), HF_OK);
    assert_int_equal(acknowledged, 1);
    agent_end(&agent, "1");
}

static void
drop_often_then_well(struct agent *agent)
{
    for (int i = 0; i < 8; i++) {
        accept_one(agent);
        drop(agent);
    }
    uint64_t since_ms = hf_boot_ms();
    accept_one(agent);
    if (hf_boot_ms() - since_ms > 3000)
        broken(agent, "it came back late");
    say(agent, "OK 0\n");
    take(agent, 1);
    say(agent, "ACK 1\n");
    free(next_line(agent, 5000));
}

/* However long the agent was away: its clients must not wait for seconds once it is there. */
static void
after_many_failures_it_still_comes_back_soon(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, drop_often_then_well);
    assert_int_equal(
        emit(&agent, "1\n", (struct emit_options){ .timeout_ms = 60000 }, &acknowledged, &err),
        HF_OK);
    agent_end(&agent, "1");
}

static void
without_an_agent_it_gives_up(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 99;
    (void)state;
    agent_start(&agent, nothing);
    assert_int_equal(unlink(agent.path), 0);
    assert_int_equal(
        emit(&agent, "1\n", (struct emit_options){ .timeout_ms = 300 }, &acknowledged, &err),
        HF_ETIMEOUT);
    assert_int_equal(acknowledged, 0);
    assert_non_null(strstr(err.text, "in.sock"));
    agent_end(&agent, "");
}

/* ---- back pressure ---- */

static void
full_then_go(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\nFULL 0\n");
    char *early = next_line(agent, 200);
    if (early)
        broken(agent, "a line came after FULL");
    free(early);
    say(agent, "GO 0\n");
    take(agent, 2);
    say(agent, "ACK 2\n");
    free(next_line(agent, 5000));
}

static void
full_holds_until_go(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, full_then_go);
    assert_int_equal(emit(&agent, "1\n2\n", (struct emit_options){ 0 }, &acknowledged, &err),
                     HF_OK);
    assert_int_equal(acknowledged, 2);
    agent_end(&agent, "1 2");
}

static void
only_a_window(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 3);
    char *fourth = next_line(agent, 200);
    if (fourth)
        broken(agent, "more lines came than the window holds");
    free(fourth);
    say(agent, "ACK 2\n");
    take(agent, 2);
    say(agent, "ACK 5\n");
    free(next_line(agent, 5000));
}

static void
not_more_than_the_window_is_unacknowledged(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, only_a_window);
    assert_int_equal(emit(&agent, "1\n2\n3\n4\n5\n", (struct emit_options){ .window_lines = 3 },
                          &acknowledged, &err),
                     HF_OK);
    agent_end(&agent, "1 2 3 4 5");
    agent_start(&agent, only_a_window);
    assert_int_equal(emit(&agent, "1\n2\n3\n4\n5\n", (struct emit_options){ .window_bytes = 6 },
                          &acknowledged, &err),
                     HF_OK);
    agent_end(&agent, "1 2 3 4 5");
}

static void
take_long(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 1);
    say(agent, "ACK 1\n");
    take(agent, 2);
    say(agent, "ACK 3\n");
    free(next_line(agent, 5000));
}

static void
a_line_longer_than_the_window_goes_alone(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, take_long);
    assert_int_equal(emit(&agent, "0123456789012345678901234567890123456789\n1\n2\n",
                          (struct emit_options){ .window_bytes = 16 }, &acknowledged, &err),
                     HF_OK);
    agent_end(&agent, "0123456789012345678901234567890123456789 1 2");
}

static void
a_line_over_the_limit_is_an_error(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    size_t size = EMIT_LINE_MAX + 2;
    char *line = hf_alloc(size + 1);
    (void)state;
    memset(line, 'x', size);
    line[size - 1] = '\n';
    agent_start(&agent, nothing);
    assert_int_equal(emit(&agent, line, (struct emit_options){ 0 }, &acknowledged, &err),
                     HF_ELIMIT);
    agent_end(&agent, "");
    free(line);
}

/* ---- streams that were begun before ---- */

static void
has_two(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 2\n");
    take(agent, 1);
    say(agent, "ACK 3\n");
    free(next_line(agent, 5000));
}

static void
resuming_skips_what_is_durable(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, has_two);
    assert_int_equal(
        emit(&agent, "1\n\n2\n3\n", (struct emit_options){ .resumed = true }, &acknowledged, &err),
        HF_OK);
    assert_int_equal(acknowledged, 3);
    agent_end(&agent, "3");
}

static void
has_all(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 5\n");
    free(next_line(agent, 5000));
}

static void
resuming_what_is_complete_sends_nothing(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, has_all);
    assert_int_equal(emit(&agent, "1\n2\n3\n4\n5\n", (struct emit_options){ .resumed = true },
                          &acknowledged, &err),
                     HF_OK);
    assert_int_equal(acknowledged, 5);
    agent_end(&agent, "");
}

static void
is_gone(struct agent *agent)
{
    accept_one(agent);
    say(agent, "GONE\n");
}

static void
a_forgotten_stream_is_never_begun_anew(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 99;
    (void)state;
    agent_start(&agent, is_gone);
    assert_int_equal(
        emit(&agent, "1\n", (struct emit_options){ .resumed = true }, &acknowledged, &err),
        HF_EREFUSED);
    assert_int_equal(acknowledged, 0);
    agent_end(&agent, "");
}

static void
forgets_acknowledged(struct agent *agent)
{
    accept_one(agent);
    say(agent, "OK 0\n");
    take(agent, 2);
    say(agent, "ACK 2\n");
    take(agent, 1);
    drop(agent);
    accept_one(agent);
    say(agent, "OK 1\n");
    free(next_line(agent, 5000));
}

static void
an_agent_that_forgot_acknowledged_lines_is_found_out(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 0;
    (void)state;
    agent_start(&agent, forgets_acknowledged);
    assert_int_equal(
        emit(&agent, "1\n2\n3\n", (struct emit_options){ .window_lines = 2 }, &acknowledged, &err),
        HF_ECORRUPT);
    assert_int_equal(acknowledged, 2);
    agent_end(&agent, "1 2 3");
}

/* ---- answers that cannot be ---- */

static const char *strange;

static void
say_strange(struct agent *agent)
{
    accept_one(agent);
    say(agent, strange);
    free(next_line(agent, 5000));
}

static void
answers_that_cannot_be_are_errors(void **state)
{
    static const char *const answers[] = { "OK 1\n",
                                           "HELLO\n",
                                           "OK 0\nOK 0\n",
                                           "OK 0\nACK 9\n",
                                           "OK 0\nACK x\n",
                                           "ACK 1\n",
                                           "OK 18446744073709551615\n" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(answers); i++) {
        struct agent agent;
        struct hf_error err = { 0 };
        uint64_t acknowledged = 99;
        strange = answers[i];
        agent_start(&agent, say_strange);
        enum hf_status status =
            emit(&agent, "1\n2\n", (struct emit_options){ 0 }, &acknowledged, &err);
        if (status != HF_EFORMAT && status != HF_EFOREIGN)
            fail_msg("'%s': %s %s", answers[i], hf_status_name(status), err.text);
        assert_int_equal(acknowledged, 0);
        agent_end(&agent, NULL);
    }
}

static void
an_answer_without_end_is_an_error(void **state)
{
    struct agent agent;
    struct hf_error err = { 0 };
    uint64_t acknowledged = 99;
    char *text = hf_alloc(4001);
    (void)state;
    memset(text, 'O', 4000);
    strange = text;
    agent_start(&agent, say_strange);
    assert_int_equal(emit(&agent, "1\n", (struct emit_options){ 0 }, &acknowledged, &err),
                     HF_EFORMAT);
    agent_end(&agent, NULL);
    free(text);
}

static void
streams_are_version_7_uuids(void **state)
{
    char first[37], second[37];
    (void)state;
    emit_stream_new(first);
    emit_stream_new(second);
    assert_true(emit_stream_valid(first) && emit_stream_valid(second));
    assert_int_equal(first[14], '7');
    assert_non_null(strchr("89ab", first[19]));
    assert_string_not_equal(first, second);
    assert_false(emit_stream_valid(""));
    assert_false(emit_stream_valid("01900000-0000-7000-8000-00000000000"));
    assert_false(emit_stream_valid("01900000-0000-7000-8000-00000000000G"));
    assert_false(emit_stream_valid("01900000-0000-7000-8000-00000000000A"));
    assert_false(emit_stream_valid("01900000x0000-7000-8000-000000000000"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_arrives_once),
        cmocka_unit_test(empty_lines_are_none_and_the_last_needs_no_newline),
        cmocka_unit_test(no_input_is_all_of_it),
        cmocka_unit_test(a_broken_connection_goes_on_where_the_agent_is),
        cmocka_unit_test(an_error_of_the_agent_is_tried_again),
        cmocka_unit_test(after_many_failures_it_still_comes_back_soon),
        cmocka_unit_test(without_an_agent_it_gives_up),
        cmocka_unit_test(full_holds_until_go),
        cmocka_unit_test(not_more_than_the_window_is_unacknowledged),
        cmocka_unit_test(a_line_longer_than_the_window_goes_alone),
        cmocka_unit_test(a_line_over_the_limit_is_an_error),
        cmocka_unit_test(resuming_skips_what_is_durable),
        cmocka_unit_test(resuming_what_is_complete_sends_nothing),
        cmocka_unit_test(a_forgotten_stream_is_never_begun_anew),
        cmocka_unit_test(an_agent_that_forgot_acknowledged_lines_is_found_out),
        cmocka_unit_test(answers_that_cannot_be_are_errors),
        cmocka_unit_test(an_answer_without_end_is_an_error),
        cmocka_unit_test(streams_are_version_7_uuids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
