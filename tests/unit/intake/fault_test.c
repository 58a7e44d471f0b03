/* One file-system call of a source fails: what it meant to find out is simply not known yet. */
#include "help.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fault {
    const char *name, *path; /* of the call; path: what is in it */
    unsigned at;             /* the at-th one fails; 0: none */
    atomic_uint count;       /* sources have threads of their own */
};

static int
fail_one(void *context, struct hf_fs_call *call)
{
    struct fault *fault = context;
    char link[40], path[256] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    if (strcmp(call->name, fault->name) != 0 ||
        (!call->path && readlink(link, path, sizeof(path) - 1) < 0) ||
        !strstr(call->path ? call->path : path, fault->path))
        return 0;
    return atomic_fetch_add(&fault->count, 1) + 1 == fault->at ? EIO : 0;
}

static int
tear_down(void **state)
{
    hf_fs_interpose(NULL, NULL);
    rig_free(*state);
    return 0;
}

/* A restart with the n-th read failing; returns whether there were that many. */
static bool
restart_with_fault(struct rig *rig, unsigned at)
{
    struct fault fault = { .name = "pread", .path = "files/app.log", .at = at };
    rig->timing.rescan_ms = 200; /* what could not be read is tried again at the next scan */
    rig_stop(rig);
    rig_rename(rig, "files/app.log", "files/app.log.1");
    rig_append_numbered(rig, "files/app.log", 300, 400);
    hf_fs_interpose(fail_one, &fault);
    rig_start(rig);
    rig_drain(rig);
    hf_fs_interpose(NULL, NULL);
    return fault.count >= at;
}

static void
file_that_cannot_be_compared_is_not_read_twice(void **state)
{
    bool more = true;
    for (unsigned at = 1; more; at++) {
        struct rig *rig = *state;
        rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
        rig_configure(rig);
        rig_append_numbered(rig, "files/app.log", 0, 300);
        rig_until_count(rig, 300);
        more = restart_with_fault(rig, at);
        rig_until_count(rig, 400);
        rig_turn(rig, 2 * (unsigned)rig->timing.quiet_ms);
        assert_numbered(rig, 400);
        assert_int_equal(rig_gaps(rig), 0);
        rig_free(rig);
        *state = rig_new();
    }
}

static bool
answers(struct rig *rig, void *context)
{
    (void)context;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig_path(rig, "in.sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return does;
}

static void
socket_that_could_not_take_its_place_takes_it_later(void **state)
{
    struct rig *rig = *state;
    struct fault fault = { .name = "rename", .path = "in.sock.new", .at = 1 };
    rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock");
    hf_fs_interpose(fail_one, &fault);
    rig_configure(rig);
    assert_int_equal(fault.count, 1);
    assert_false(answers(rig, NULL));
    assert_int_not_equal(rig_status(rig, 0).problem[0], '\0');
    rig_until(rig, answers, NULL);
    assert_int_equal(rig_status(rig, 0).problem[0], '\0');
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(file_that_cannot_be_compared_is_not_read_twice),
        TEST(socket_that_could_not_take_its_place_takes_it_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
