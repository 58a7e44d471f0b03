#include "tests/rig/cases.h"
#include "tests/rig/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    atomic_size_t next, done, wrong;
    struct case_result results[];
};

static void
work(struct shared *shared, const char *folder, size_t count, size_t enough,
     void (*run)(void *context, size_t number, const char *folder, struct case_result *result),
     void *context)
{
    for (size_t i; (i = atomic_fetch_add(&shared->next, 1)) < count;) {
        run(context, i, folder, &shared->results[i]);
        shared->results[i].done = true;
        atomic_fetch_add(&shared->done, 1);
        if (!shared->results[i].well && atomic_fetch_add(&shared->wrong, 1) + 1 == enough)
            atomic_store(&shared->next, count);
    }
}

static void
await(struct shared *shared, size_t count, unsigned workers)
{
    bool shows = isatty(STDERR_FILENO);
    while (workers > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, shows ? WNOHANG : 0);
        if (pid > 0 && status != 0)
            stage_die("a worker ended with status %d", status);
        if (pid > 0)
            workers--;
        if (pid < 0 && errno != EINTR)
            stage_die("waiting for workers: %m");
        if (shows) {
            fprintf(stderr, "\r  %zu of %zu cases ", atomic_load(&shared->done), count);
            usleep(100000);
        }
    }
    if (shows)
        fputs("\r                              \r", stderr);
}

struct case_result *
cases_run(const char *base, size_t count, unsigned workers, size_t enough,
          void (*run)(void *context, size_t number, const char *folder, struct case_result *result),
          void *context)
{
    size_t size = sizeof(struct shared) + count * sizeof(struct case_result);
    struct shared *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        stage_die("no memory for %zu results", count);
    fflush(NULL);
    for (unsigned i = 0; i < workers; i++) {
        pid_t pid = fork();
        if (pid < 0)
            stage_die("no process: %m");
        if (pid > 0)
            continue;
        char folder[128];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        snprintf(folder, sizeof(folder), "%.100s/%u/s", base, i);
        work(shared, folder, count, enough, run, context);
        _exit(0);
    }
    await(shared, count, workers);
    return shared->results;
}
