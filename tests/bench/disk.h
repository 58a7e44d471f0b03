/* The bare loop that a journal is measured against: pwrite and fdatasync over a file whose
 * blocks are all written already. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <stddef.h>
#include <stdint.h>

struct disk {
    int fd;
    size_t file_bytes, at;
};
/* 0: it cannot be made; errno. The file has no name any more when this returns. */
int disk_open(struct disk *disk, const char *path, size_t file_bytes);
void disk_close(struct disk *disk);
/* One batch, durable when it returns; goes round in the file. 0: failed. */
int disk_write(struct disk *disk, const void *bytes, size_t size);

struct disk_latency {
    uint64_t syncs, bytes;
    double sync_p50_ms, sync_p99_ms, sync_max_ms; /* of pwrite and fdatasync together */
    double wait_p50_ms, wait_p99_ms,
        wait_max_ms; /* from the time a byte was offered until it was durable */
};
/* Offers bytes_per_s, a millisecond's worth at a time, for so long: whatever waits is the next
 * batch, at most batch_max, back to back. */
int disk_pace(struct disk *disk, const void *bytes, size_t batch_max, double bytes_per_s,
              double seconds, struct disk_latency *ret_latency);

double wall_s(void);
double cpu_s(void); /* of this process */

#endif
