/* The script server fails a test whose script did not foresee what came: each such test is run in a
 * process of its own here, and has to fail, soon, saying what was asked. */
#include "tests/support/script_server.h"

#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define SOON 20 /* seconds, and then it hangs */

static const struct hf_script_step one_step = { .expect = "GET /first ", .reply = OK };

static int
dial(const struct hf_script_server *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(hf_script_port(server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* True: the request was answered. */
static int
ask(int fd, const char *path)
{
    char request[100], reply[100];
    int size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", path);

    return send(fd, request, (size_t)size, MSG_NOSIGNAL) == size &&
           recv(fd, reply, sizeof(reply), 0) > 0;
}

/* ---- the tests that are run in a process of their own ---- */

static void
asks_as_foreseen(void **state)
{
    (void)state;
    struct hf_script_server *server = hf_script_start(&one_step, 1);
    int fd = dial(server), idle = dial(server);

    assert_true(ask(fd, "/first"));
    close(fd);
    close(idle);
    assert_int_equal(hf_script_stop(server), 1);
}

static void
asks_for_something_else(void **state)
{
    (void)state;
    struct hf_script_server *server = hf_script_start(&one_step, 1);
    int fd = dial(server);

    assert_true(ask(fd, "/second"));
    close(fd);
    hf_script_stop(server);
}

static void
asks_again_on_the_same_connection(void **state)
{
    (void)state;
    struct hf_script_server *server = hf_script_start(&one_step, 1);
    int fd = dial(server);

    assert_true(ask(fd, "/first"));
    assert_false(ask(fd, "/second"));
    close(fd);
    hf_script_stop(server);
}

static void
asks_again_on_another_one(void **state)
{
    (void)state;
    struct hf_script_server *server = hf_script_start(&one_step, 1);
    int fd = dial(server), other = dial(server);

    assert_true(ask(fd, "/first"));
    assert_false(ask(other, "/second"));
    close(fd);
    close(other);
    hf_script_stop(server);
}

/* ---- what comes of them ---- */

/* Its exit code; 128 and the signal when it was killed. What it printed is left in `said`. */
static int
run_alone(const struct CMUnitTest *test, char *said, size_t size)
{
    FILE *output = tmpfile();
    int status;

    assert_non_null(output);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(SOON);
        dup2(fileno(output), STDOUT_FILENO);
        dup2(fileno(output), STDERR_FILENO);
        status = _cmocka_run_group_tests("alone", test, 1, NULL, NULL);
        fflush(NULL);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rewind(output);
    said[fread(said, 1, size - 1, output)] = '\0';
    fclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
assert_fails(CMUnitTestFunction function, const char *because)
{
    struct CMUnitTest test = { .name = "planted", .test_func = function };
    char said[8192];

    assert_int_equal(run_alone(&test, said, sizeof(said)), 1);
    if (!strstr(said, because))
        fail_msg("'%s' is not in: %s", because, said);
}

static void
what_was_foreseen_passes(void **state)
{
    (void)state;
    struct CMUnitTest test = cmocka_unit_test(asks_as_foreseen);
    char said[8192];

    assert_int_equal(run_alone(&test, said, sizeof(said)), 0);
}

static void
another_request_than_the_step_expects_fails(void **state)
{
    (void)state;
    assert_fails(asks_for_something_else, "'GET /first ' not in 'GET /second HTTP/1.1");
}

static void
a_request_after_the_last_step_fails_on_every_connection(void **state)
{
    (void)state;
    assert_fails(asks_again_on_the_same_connection, "after the last of 1: 'GET /second HTTP/1.1");
    assert_fails(asks_again_on_another_one, "after the last of 1: 'GET /second HTTP/1.1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_foreseen_passes),
        cmocka_unit_test(another_request_than_the_step_expects_fails),
        cmocka_unit_test(a_request_after_the_last_step_fails_on_every_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
