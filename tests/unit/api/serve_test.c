/* The HTTP side, over a real socket: a process that serves, asked from here. */
#include "api_test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct {
    pid_t pid;
    uint16_t port;
} server;

static int ready_fd;

static void
on_ready(void *context, const char *address, uint16_t port)
{
    (void)context;
    if (strcmp(address, "127.0.0.1") != 0 || write(ready_fd, &port, sizeof(port)) != sizeof(port))
        _exit(9);
}

static int
start(void **state)
{
    int ends[2];
    (void)state;
    if (pipe(ends) != 0)
        return -1;
    server.pid = fork();
    if (server.pid == 0) {
        struct fake_agent agent = { 0 };
        struct hf_api_options options = test_options(&agent);
        struct hf_error err;
        close(ends[0]);
        ready_fd = ends[1];
        _exit(hf_api_serve(&options, "127.0.0.1", 0, on_ready, &err) == HF_OK ? 0 : 8);
    }
    close(ends[1]);
    ssize_t size = read(ends[0], &server.port, sizeof(server.port));
    close(ends[0]);
    return size == sizeof(server.port) ? 0 : -1;
}

static int
stop(void **state)
{
    int status;
    (void)state;
    kill(server.pid, SIGTERM);
    if (waitpid(server.pid, &status, 0) != server.pid)
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1; /* SIGTERM ends it with 0 */
}

/* Sends all of `request`, reads until the server closes. */
static void
exchange(const char *request, size_t size, char *ret_reply, size_t room)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(server.port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fd, request + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* it has seen enough */
        at += (size_t)sent;
    }
    size_t used = 0;
    for (ssize_t got;
         used + 1 < room && (got = recv(fd, ret_reply + used, room - used - 1, 0)) > 0;)
        used += (size_t)got;
    ret_reply[used] = '\0';
    close(fd);
}

static void
post_is_answered(void **state)
{
    char reply[8192];
    static const char request[] =
        "POST / HTTP/1.1\r\nHost: localhost:8099\r\nConnection: close\r\nX-Amz-Target: " TARGET
        "DescribeTrails\r\n"
        "Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}";
    (void)state;
    exchange(request, sizeof(request) - 1, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 200", 12), 0);
    assert_non_null(strstr(reply, "Content-Type: application/x-amz-json-1.1"));
    assert_non_null(strstr(reply, "x-amzn-RequestId: "));
    assert_non_null(strstr(reply, "\"trailList\""));
}

static void
errors_are_400_with_a_type(void **state)
{
    char reply[8192];
    static const char request[] =
        "POST / HTTP/1.1\r\nHost: localhost:8099\r\nConnection: close\r\nX-Amz-Target: " TARGET
        "DeleteTrail\r\nContent-Length: 2\r\n\r\n{}";
    (void)state;
    exchange(request, sizeof(request) - 1, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 400", 12), 0);
    assert_non_null(strstr(reply, "UnknownOperationException"));
}

static void
only_the_loopbacks_names_are_answered(void **state)
{
    static const struct {
        const char *line, *code;
    } table[] = {
        { "Host: 127.0.0.1:8099\r\n", "200" },
        { "Host: [::1]:8099\r\n", "200" },
        { "Host: LOCALHOST\r\n", "200" },
        { "Host: evil.example:8099\r\n", "403" },
        { "Host: 127.0.0.1.evil\r\n", "403" },
        { "Host: localhost.evil\r\n", "403" },
        { "Host: [::1\r\n", "403" },
        { "Host: [::2]\r\n", "403" },
        { "Host: \r\n", "403" },
        { "", "403" },
    };
    char reply[8192];
    (void)state;
    for (size_t i = 0; i < HF_COUNT(table); i++) {
        hf_owned(hf_freep) char *request =
            hf_asprintf("POST / HTTP/1.1\r\n%sConnection: close\r\nX-Amz-Target: " TARGET
                        "DescribeTrails\r\nContent-Length: 2\r\n\r\n{}",
                        table[i].line);
        exchange(request, strlen(request), reply, sizeof(reply));
        if (strncmp(reply, "HTTP/1.1 ", 9) != 0 || strncmp(reply + 9, table[i].code, 3) != 0)
            fail_msg("'%s': %.40s", table[i].line, reply);
        assert_true((strstr(reply, "trailList") != NULL) == (table[i].code[0] == '2'));
    }
}

static void
other_methods_and_paths_are_refused(void **state)
{
    char reply[8192];
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost:8099\r\nConnection: close\r\n\r\n";
    static const char path[] = "POST /etc/passwd HTTP/1.1\r\nHost: localhost:8099\r\nConnection: "
                               "close\r\nContent-Length: 0\r\n\r\n";
    (void)state;
    exchange(get, sizeof(get) - 1, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 501", 12), 0);
    exchange(path, sizeof(path) - 1, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 404", 12), 0);
}

static void
a_body_over_the_limit_is_refused(void **state)
{
    char reply[8192];
    static const char head[] = "POST / HTTP/1.1\r\nHost: localhost:8099\r\nConnection: "
                               "close\r\nContent-Length: 70000\r\n\r\n";
    size_t size = sizeof(head) - 1 + 70000;
    char *request = malloc(size);
    (void)state;
    assert_non_null(request);
    memset(request, ' ', size);
    memcpy(request, head, sizeof(head) - 1);
    exchange(request, size, reply, sizeof(reply));
    free(request);
    assert_null(strstr(reply, " 200 "));
    post_is_answered(NULL); /* and it still serves */
}

static void
a_taken_port_is_said(void **state)
{
    struct fake_agent agent = { 0 };
    struct hf_api_options options = test_options(&agent);
    struct hf_error err = { 0 };
    (void)state;
    assert_int_equal(hf_api_serve(&options, "127.0.0.1", server.port, NULL, &err), HF_EUSAGE);
    assert_non_null(strstr(err.text, "127.0.0.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_is_answered),
        cmocka_unit_test(errors_are_400_with_a_type),
        cmocka_unit_test(only_the_loopbacks_names_are_answered),
        cmocka_unit_test(other_methods_and_paths_are_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(a_taken_port_is_said),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
