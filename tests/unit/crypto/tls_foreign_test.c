/* The openssl program on the other side of a loopback socket: TLS as others speak it. */
#include "tests/unit/crypto/tls_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define WAIT_MS 30000

struct tool { /* an openssl program that runs */
    pid_t pid;
    int in; /* its standard input */
};

/* `arguments` go through a shell; what it says is in tool.out. */
static struct tool
tool_start(const char *arguments)
{
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    hf_owned(hf_freep) char *command =
        hf_asprintf("cd '%s' && exec '%s' %s >tool.out 2>&1", folder, OPENSSL_TOOL, arguments);
    write_file("tool.out", "", 0, 0600);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[0], 0);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    close(pipes[0]);
    return (struct tool){ pid, pipes[1] };
}

/* Its exit code, -1: it had to be killed. */
static int
tool_end(struct tool *tool, bool kill_it)
{
    int status;
    if (kill_it)
        kill(tool->pid, SIGKILL);
    assert_int_equal(waitpid(tool->pid, &status, 0), tool->pid);
    close(tool->in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
tool_said(const char *text)
{
    hf_owned(hf_buf_done) struct hf_buf said = HF_BUF(1u << 20);
    read_file("tool.out", &said);
    return said.size > 0 && strstr(hf_buf_text(&said), text) != NULL;
}

static void
assert_tool_said(const char *text)
{
    hf_owned(hf_buf_done) struct hf_buf said = HF_BUF(1u << 20);
    read_file("tool.out", &said);
    if (said.size == 0 || !strstr(hf_buf_text(&said), text))
        fail_msg("no '%s' in: %s", text, said.size ? hf_buf_text(&said) : "");
}

/* ---- the socket's side of a session ---- */

/* False: the socket took or gave nothing more. */
static bool
move_bytes(int fd, struct hf_tls_session *session)
{
    uint8_t bytes[4096];
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    struct hf_slice out;
    size_t used = 0;
    while ((out = hf_tls_session_out(session)).size > 0) {
        ssize_t sent = send(fd, out.ptr, out.size, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* it has gone: what it sent before is still to be read */
        hf_tls_session_sent(session, (size_t)sent);
    }
    if (hf_tls_session_want_close(session))
        return false;
    if (poll(&wait, 1, WAIT_MS) != 1)
        fail_msg("nothing came for %d ms", WAIT_MS);
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    if (got <= 0) {
        hf_tls_session_feed_end(session);
        return false;
    }
    for (size_t done = 0; done < (size_t)got; done += used)
        if (hf_tls_session_feed(session, hf_slice(bytes + done, (size_t)got - done), &used, NULL) !=
                HF_OK ||
            used == 0)
            break;
    return true;
}

/* Until `text` has a line, or nothing more comes. */
static enum hf_status
hear_line(int fd, struct hf_tls_session *session, struct hf_buf *text, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    bool more = true;
    while (status == HF_OK && more &&
           !memchr(text->ptr ? text->ptr : (void *)"", '\n', text->size)) {
        more = move_bytes(fd, session);
        status = read_all(session, text, err);
    }
    return status;
}

static void
send_all(int fd, struct hf_tls_session *session)
{
    struct hf_slice out;
    while ((out = hf_tls_session_out(session)).size > 0) {
        ssize_t sent = send(fd, out.ptr, out.size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        hf_tls_session_sent(session, (size_t)sent);
    }
}

static int
listen_on(unsigned *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* ---- a server of ours ---- */

struct visit {
    struct hf_error err;
    char heard[100], version[16], alpn[32], peer_name[100];
    int exit_code;
};

/* s_client says "hello", is answered, and our end is the end of it. */
static struct visit
visited_with(const char *arguments, const char *client_ca, const char *input)
{
    struct visit visit = { .err.status = HF_OK };
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    unsigned port;
    int listener = listen_on(&port);
    hf_owned(hf_freep) char *all = hf_asprintf(
        "s_client -connect 127.0.0.1:%u -servername log.example -verify_return_error %s", port,
        arguments);
    struct tool tool = tool_start(all);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    struct hf_tls *tls = server_of("server", client_ca);
    struct hf_tls_session *session = session_of(tls, NULL);
    hf_tls_free(tls);
    while (!hf_tls_session_ready(session) && move_bytes(fd, session))
        ;
    if (hf_tls_session_ready(session))
        assert_int_equal(write(tool.in, input, strlen(input)), strlen(input));
    enum hf_status status = hear_line(fd, session, &text, &visit.err);
    if (status == HF_OK && text.size > 0) {
        say(session, "heard you\n");
        hf_tls_session_close(session);
    }
    send_all(fd, session);
    snprintf(visit.heard, sizeof(visit.heard), "%s", text.size ? hf_buf_text(&text) : "");
    snprintf(visit.version, sizeof(visit.version), "%s", hf_tls_session_version(session));
    snprintf(visit.alpn, sizeof(visit.alpn), "%s", hf_tls_session_alpn(session));
    snprintf(visit.peer_name, sizeof(visit.peer_name), "%s", hf_tls_session_peer_name(session));
    hf_tls_session_free(session);
    close(fd);
    close(listener);
    visit.exit_code = tool_end(&tool, false);
    return visit;
}

static struct visit
visited(const char *arguments, const char *client_ca)
{
    return visited_with(arguments, client_ca, "hello\n");
}

static void
s_client_is_served(void **state)
{
    (void)state;
    struct visit visit =
        visited("-quiet -tls1_3 -CAfile ca.pem -verify_hostname log.example", NULL);
    assert_string_equal(visit.heard, "hello\n");
    assert_string_equal(visit.version, "TLSv1.3");
    assert_string_equal(visit.alpn, "");
    assert_int_equal(visit.exit_code, 0);
    assert_tool_said("heard you");
    visit = visited("-quiet -tls1_2 -CAfile ca.pem -verify_hostname log.example", NULL);
    assert_string_equal(visit.heard, "hello\n");
    assert_string_equal(visit.version, "TLSv1.2");
    assert_tool_said("heard you");
    visit = visited("-quiet -CAfile ca.pem -alpn smtp,http/1.1 -cert reader.pem -key reader.key",
                    "ca.pem");
    assert_string_equal(visit.heard, "hello\n");
    assert_string_equal(visit.alpn, "http/1.1");
    assert_string_equal(visit.peer_name, "CN=reader,O=Tests");
    assert_tool_said("heard you");
}

static void
s_client_is_refused_for_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *client_ca, *why;
    } rows[] = {
        { "-quiet -CAfile other.pem", NULL, "alert unknown ca" },
        { "-quiet -CAfile ca.pem", "ca.pem", "did not return a certificate" },
        { "-quiet -tls1_2 -CAfile ca.pem", "ca.pem", "did not return a certificate" },
        { "-quiet -CAfile ca.pem -cert other.pem -key other.key", "ca.pem", "does not verify" },
        { "-quiet -CAfile ca.pem -cert late.pem -key late.key", "ca.pem", "has expired" },
        { "-quiet -tls1_1 -cipher ALL:@SECLEVEL=0 -CAfile ca.pem", NULL, "unsupported protocol" },
        { "-quiet -tls1_2 -cipher AES128-SHA256 -CAfile ca.pem", NULL, "no shared cipher" },
        { "-quiet -alpn smtp -CAfile ca.pem", NULL, "handshake failed" },
    };
    for (size_t i = 0; i < HF_COUNT(rows); i++) {
        struct visit visit = visited(rows[i].arguments, rows[i].client_ca);
        assert_string_equal(visit.heard, "");
        assert_int_equal(visit.err.status, HF_ETLS);
        if (!strstr(visit.err.text, rows[i].why))
            fail_msg("%s: '%s', expected '%s'", rows[i].arguments, visit.err.text, rows[i].why);
        assert_false(tool_said("heard you"));
    }
}

/* "R" asks for a new handshake: it is refused, and the connection is not what it was renegotiated
 * into. */
static void
no_client_renegotiates(void **state)
{
    (void)state;
    struct visit visit = visited_with("-tls1_2 -CAfile ca.pem", NULL, "R\n");
    assert_string_equal(visit.heard, "");
    assert_string_equal(visit.version, "TLSv1.2");
    assert_true(visit.err.status == HF_EIO || visit.err.status == HF_ETLS);
    assert_tool_said("RENEGOTIATING");
    assert_tool_said("no renegotiation");
}

/* ---- a client of ours ---- */

/* The port it says that it listens on. */
static unsigned
port_of(const struct tool *tool)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        hf_owned(hf_buf_done) struct hf_buf said = HF_BUF(1u << 20);
        read_file("tool.out", &said);
        const char *at = said.size ? strstr(hf_buf_text(&said), "ACCEPT 127.0.0.1:") : NULL;
        if (at && strchr(at, '\n'))
            return (unsigned)atoi(at + strlen("ACCEPT 127.0.0.1:"));
        assert_int_equal(kill(tool->pid, 0), 0);
        usleep(10000);
    }
    fail_msg("s_server does not listen");
    return 0;
}

static int
connect_to(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* s_server turns each line around. `cut`: it is killed when it has answered. */
static struct visit
visit(const char *arguments, const char *name, const char *own, bool cut)
{
    struct visit visit = { .err.status = HF_OK };
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    hf_owned(hf_freep) char *all =
        hf_asprintf("s_server -accept 127.0.0.1:0 -rev -naccept 1 %s", arguments);
    struct tool tool = tool_start(all);
    int fd = connect_to(port_of(&tool));
    struct hf_tls *tls = client_of("ca.pem", own);
    struct hf_tls_session *session = session_of(tls, name);
    hf_tls_free(tls);
    while (!hf_tls_session_ready(session) && move_bytes(fd, session))
        ;
    if (hf_tls_session_ready(session))
        say(session, "olleh\n");
    enum hf_status status = hear_line(fd, session, &text, &visit.err);
    snprintf(visit.heard, sizeof(visit.heard), "%s", text.size ? hf_buf_text(&text) : "");
    snprintf(visit.version, sizeof(visit.version), "%s", hf_tls_session_version(session));
    snprintf(visit.alpn, sizeof(visit.alpn), "%s", hf_tls_session_alpn(session));
    snprintf(visit.peer_name, sizeof(visit.peer_name), "%s", hf_tls_session_peer_name(session));
    if (cut) {
        visit.exit_code = tool_end(&tool, true);
        while (move_bytes(fd, session))
            ;
        status = read_all(session, &text, &visit.err);
    } else {
        hf_tls_session_close(session);
        send_all(fd, session);
        visit.exit_code = tool_end(&tool, status != HF_OK);
    }
    assert_true(status == HF_OK || hf_tls_session_want_close(session));
    hf_tls_session_free(session);
    close(fd);
    return visit;
}

static void
s_server_is_spoken_to(void **state)
{
    (void)state;
    static const char *const versions[] = { "TLSv1.3", "TLSv1.2" };
    static const char *const flags[] = { "-tls1_3", "-tls1_2" };
    for (size_t i = 0; i < HF_COUNT(versions); i++) {
        hf_owned(hf_freep) char *arguments =
            hf_asprintf("%s -cert server.pem -key server.key -alpn http/1.1", flags[i]);
        struct visit of = visit(arguments, "log.example", NULL, false);
        assert_string_equal(of.heard, "hello\n");
        assert_string_equal(of.version, versions[i]);
        assert_string_equal(of.alpn, "http/1.1");
        assert_string_equal(of.peer_name, "log.example");
        of = visit("-cert server.pem -key server.key -CAfile ca.pem -Verify 1 "
                   "-verify_return_error",
                   "127.0.0.1", "reader", false);
        assert_string_equal(of.heard, "hello\n");
        assert_string_equal(of.peer_name, "127.0.0.1");
    }
}

static void
s_server_is_refused_for_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *name, *why;
    } rows[] = {
        { "-cert other.pem -key other.key", "log.example", "does not verify: self-signed" },
        { "-cert server.pem -key server.key", "b.example", "hostname mismatch" },
        { "-cert late.pem -key late.key", "late", "has expired" },
        { "-tls1_1 -cipher ALL:@SECLEVEL=0 -cert server.pem -key server.key", "log.example",
          "alert protocol version" },
        { "-cert server.pem -key server.key -CAfile ca.pem -Verify 1 -verify_return_error",
          "log.example", "alert certificate required" }, /* we have none */
    };
    for (size_t i = 0; i < HF_COUNT(rows); i++) {
        struct visit of = visit(rows[i].arguments, rows[i].name, NULL, false);
        assert_string_equal(of.heard, "");
        if (of.err.status != HF_ETLS || !strstr(of.err.text, rows[i].why))
            fail_msg("%s: '%s', expected '%s'", rows[i].arguments, of.err.text, rows[i].why);
    }
}

static void
s_server_that_is_killed_has_not_said_that_it_was_all(void **state)
{
    (void)state;
    struct visit of = visit("-cert server.pem -key server.key", "log.example", NULL, true);
    assert_string_equal(of.heard, "hello\n");
    assert_int_equal(of.err.status, HF_EIO);
    assert_non_null(strstr(of.err.text, "close_notify"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s_client_is_served),
        cmocka_unit_test(s_client_is_refused_for_what_it_is),
        cmocka_unit_test(no_client_renegotiates),
        cmocka_unit_test(s_server_is_spoken_to),
        cmocka_unit_test(s_server_is_refused_for_what_it_is),
        cmocka_unit_test(s_server_that_is_killed_has_not_said_that_it_was_all),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, certificates_setup, folder_teardown);
}
