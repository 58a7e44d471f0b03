#include "disk.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK  (1u << 20)
#define TICK_S 0.001

static double
clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double
wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double
cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

static int
put_at(int fd, const char *bytes, size_t size, size_t offset)
{
    while (size > 0) {
        ssize_t done = pwrite(fd, bytes, size, (off_t)offset);
        if (done <= 0)
            return 0;
        bytes += done;
        size -= (size_t)done;
        offset += (size_t)done;
    }
    return 1;
}

int
disk_open(struct disk *disk, const char *path, size_t file_bytes)
{
    char *block = malloc(BLOCK);
    *disk = (struct disk){ .fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
                           .file_bytes = file_bytes };
    int ok = block && disk->fd >= 0 && unlink(path) == 0;
    if (block)
        memset(block, 'x', BLOCK);
    for (size_t at = 0; ok && at < file_bytes; at += BLOCK)
        ok = put_at(disk->fd, block, BLOCK, at);
    free(block);
    return ok && fsync(disk->fd) == 0;
}

void
disk_close(struct disk *disk)
{
    close(disk->fd);
}

int
disk_write(struct disk *disk, const void *bytes, size_t size)
{
    if (disk->at + size > disk->file_bytes)
        disk->at = 0;
    int ok = size <= disk->file_bytes && put_at(disk->fd, bytes, size, disk->at) &&
             fdatasync(disk->fd) == 0;
    disk->at += size;
    return ok;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
percentiles(double *values, size_t count, double *ret_p50, double *ret_p99, double *ret_max)
{
    if (count == 0)
        return;
    qsort(values, count, sizeof(*values), compare);
    *ret_p50 = values[count / 2] * 1e3;
    *ret_p99 = values[count * 99 / 100] * 1e3;
    *ret_max = values[count - 1] * 1e3;
}

static void
sleep_until(double start, double when)
{
    double rest = start + when - wall_s();
    struct timespec pause = { .tv_nsec = (long)(rest * 1e9) };
    if (rest > 0)
        nanosleep(&pause, NULL);
}

int
disk_pace(struct disk *disk, const void *bytes, size_t batch_max, double bytes_per_s,
          double seconds, struct disk_latency *ret_latency)
{
    size_t ticks = (size_t)(seconds / TICK_S), synced = 0, waited = 0;
    double per_tick = bytes_per_s * TICK_S, *sync = calloc(ticks, sizeof(double)),
           *wait = calloc(ticks, sizeof(double));
    int ok = sync && wait;
    *ret_latency = (struct disk_latency){ 0 };
    double start = wall_s();
    for (uint64_t done = 0; ok && waited < ticks && synced < ticks;) {
        double now = wall_s() - start;
        size_t tick = (size_t)(now / TICK_S),
               due = (size_t)((double)(tick < ticks ? tick : ticks) * per_tick);
        if (due == done) {
            sleep_until(start, (double)(tick + 1) * TICK_S);
            continue;
        }
        size_t batch = due - done < batch_max ? due - done : batch_max;
        double before = wall_s();
        ok = disk_write(disk, bytes, batch);
        double after = wall_s();
        done += batch;
        sync[synced++] = after - before;
        /* Tick n brought its bytes at n milliseconds. */
        for (; waited < ticks && (size_t)((double)(waited + 1) * per_tick) <= done; waited++)
            wait[waited] = after - start - (double)(waited + 1) * TICK_S;
        ret_latency->bytes = done;
    }
    ret_latency->syncs = synced;
    percentiles(sync, synced, &ret_latency->sync_p50_ms, &ret_latency->sync_p99_ms,
                &ret_latency->sync_max_ms);
    percentiles(wait, waited, &ret_latency->wait_p50_ms, &ret_latency->wait_p99_ms,
                &ret_latency->wait_max_ms);
    free(sync);
    free(wait);
    return ok;
}
