/* Runs a function in a child process and gives what it wrote to standard error: for what ends a
 * process, and for what depends on how a process was started. */
#ifndef HOLDFAST_TESTS_BASE_CHILD_H
#define HOLDFAST_TESTS_BASE_CHILD_H

#include "tests/support/test.h"

#include <stdbool.h>
#include <sys/wait.h>

struct child {
    int wait_status;
    char output[65536];
};

static inline void
child_run(void (*function)(void), struct child *ret_child)
{
    int ends[2];
    size_t size = 0;
    ssize_t got;

    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        function();
        exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], ret_child->output + size, sizeof(ret_child->output) - 1 - size)) >
           0)
        size += (size_t)got;
    close(ends[0]);
    ret_child->output[size] = '\0';
    assert_int_equal(waitpid(pid, &ret_child->wait_status, 0), pid);
}

static inline bool
child_succeeded(const struct child *child)
{
    return WIFEXITED(child->wait_status) && WEXITSTATUS(child->wait_status) == 0;
}

#endif
