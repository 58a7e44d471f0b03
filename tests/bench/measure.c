/* Runs a command: hf_measure FILE COMMAND ...
 *
 * Appends to the file "pid N" when it has started and "cpu_s X user_s X sys_s X wall_s X rss_kb
 * N exit N" when it has ended. Signals are passed on, so that an agent can be stopped through
 * it. It is small, and so is what the command begins as: peak memory is the command's own. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child;

static void
pass_on(int signal_number)
{
    if (child > 0)
        kill(child, signal_number);
}

static double
seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct timespec start, end;
    FILE *file = fopen(argv[1], "a");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    signal(SIGTERM, pass_on);
    signal(SIGINT, pass_on);
    fprintf(file, "pid %ld\n", (long)child);
    fflush(file);
    struct rusage usage;
    int status;
    while (wait4(child, &status, 0, &usage) < 0)
        continue;
    clock_gettime(CLOCK_MONOTONIC, &end);
    double user = seconds(usage.ru_utime), sys = seconds(usage.ru_stime);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(file, "cpu_s %.3f user_s %.3f sys_s %.3f wall_s %.3f rss_kb %ld exit %d\n", user + sys,
            user, sys,
            (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
            usage.ru_maxrss, code);
    fclose(file);
    return code;
}
