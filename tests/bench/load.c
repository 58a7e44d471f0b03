/* Events at a steady rate, until a file appears or so many are written:
 *
 *   hf_load --rate N --until FILE|--events N [--first N] [--seed N] [--file PATH [--rotate LINES] [--keep N]] [--report FILE]
 *
 * To stdout, or appended to PATH, which is renamed to PATH.1, PATH.2 and so on every LINES lines;
 * of these the newest N are kept. The schedule is the clock's: who was held up catches up. At the
 * end a line "written N seconds X rate N" goes into the report.
 */
#include "event.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS   5000000
#define LINES_MAX 5000 /* written at once, by who catches up */

struct load {
    const char *until, *path, *report;
    uint64_t rate, events, first, rotate, keep;
    uint64_t written, parts;
    int fd;
    FILE *out;
    char *text;
    size_t size;
};

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static void
write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno != EINTR)
            fail("hf_load: writing");
        bytes += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
}

static void
open_file(struct load *load)
{
    load->fd = load->path ? open(load->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)
                          : STDOUT_FILENO;
    if (load->fd < 0)
        fail(load->path);
}

static void
rotate(struct load *load)
{
    char path[4096];
    if (!load->path || !load->rotate || load->written % load->rotate != 0)
        return;
    snprintf(path, sizeof(path), "%s.%" PRIu64, load->path, ++load->parts);
    close(load->fd);
    if (rename(load->path, path) != 0)
        fail(path);
    open_file(load);
    if (!load->keep || load->parts <= load->keep)
        return;
    snprintf(path, sizeof(path), "%s.%" PRIu64, load->path, load->parts - load->keep);
    if (unlink(path) != 0)
        fail(path);
}

/* A block of lines, in two writes: whoever reads meanwhile meets a line without its end. */
static void
write_lines(struct load *load, uint64_t count)
{
    rewind(load->out);
    for (uint64_t i = 0; i < count; i++)
        event_write(load->out, load->first + load->written + i);
    fflush(load->out);
    size_t size = (size_t)ftell(load->out), half = size / 2;
    write_all(load->fd, load->text, half);
    write_all(load->fd, load->text + half, size - half);
    load->written += count;
    rotate(load);
}

static int
ended(const struct load *load)
{
    struct stat unused;
    return load->written >= load->events || (load->until && stat(load->until, &unused) == 0);
}

static void
run(struct load *load)
{
    static const struct timespec tick = { 0, TICK_NS };
    double start = now_s();
    while (!ended(load)) {
        uint64_t due = (uint64_t)((now_s() - start) * (double)load->rate);
        due = due < load->events ? due : load->events;
        uint64_t count = due - (due < load->written ? due : load->written);
        if (load->rotate && count > load->rotate - load->written % load->rotate)
            count = load->rotate - load->written % load->rotate;
        if (count > 0)
            write_lines(load, count < LINES_MAX ? count : LINES_MAX);
        else
            nanosleep(&tick, NULL);
    }
    double seconds = now_s() - start;
    FILE *report = load->report ? fopen(load->report, "w") : NULL;
    if (report && (fprintf(report, "written %" PRIu64 " seconds %.1f rate %.0f\n", load->written,
                           seconds, (double)load->written / seconds) < 0 ||
                   fclose(report) != 0))
        fail(load->report);
}

int
main(int argc, char **argv)
{
    struct load load = { .fd = -1, .events = UINT64_MAX };
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--rate") == 0)
            load.rate = value;
        else if (strcmp(argv[i], "--until") == 0)
            load.until = argv[i + 1];
        else if (strcmp(argv[i], "--events") == 0)
            load.events = value;
        else if (strcmp(argv[i], "--first") == 0)
            load.first = value;
        else if (strcmp(argv[i], "--seed") == 0)
            event_seed(value);
        else if (strcmp(argv[i], "--file") == 0)
            load.path = argv[i + 1];
        else if (strcmp(argv[i], "--rotate") == 0)
            load.rotate = value;
        else if (strcmp(argv[i], "--keep") == 0)
            load.keep = value;
        else if (strcmp(argv[i], "--report") == 0)
            load.report = argv[i + 1];
        else
            argc = 0;
    }
    if (argc % 2 == 0 || !load.rate || (!load.until && load.events == UINT64_MAX)) {
        fprintf(stderr, "usage: hf_load --rate N --until FILE|--events N [--first N] [--seed N] "
                        "[--file PATH [--rotate LINES] [--keep N]] [--report FILE]\n");
        return 2;
    }
    load.out = open_memstream(&load.text, &load.size);
    open_file(&load);
    run(&load);
    fclose(load.out);
    free(load.text);
    return 0;
}
