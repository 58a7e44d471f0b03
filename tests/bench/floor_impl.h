/* Between floor.c, which reads the arguments and the file, and the stages. */
#ifndef BENCH_FLOOR_IMPL_H
#define BENCH_FLOOR_IMPL_H

#include <stddef.h>
#include <stdint.h>

struct floor {
    const char *path;
    char *bytes;
    size_t size;         /* of what is in memory */
    size_t object_bytes; /* uncompressed bytes of an object */
    int level;           /* of whole */
    const char *scratch; /* journal, sync: a file on the disk in question */
    size_t batch_bytes;
    double mb_per_s, seconds;
    unsigned threads; /* 0: in the main thread */
    const char *url;  /* put: what the keys begin with */
    size_t body_bytes;
};

struct result {
    uint64_t bytes, out_bytes;
    double cpu_s, wall_s;
    char more[256]; /* further figures, as they will be printed */
};

/* The size of the object that begins at `at`: whole lines, as many as fit. */
size_t floor_object_at(const struct floor *floor, size_t at);

/* Each returns 0 when it could not be done, having said why on stderr. */
int floor_whole(const struct floor *floor, struct result *result);
int floor_gzip(const struct floor *floor, struct result *result);
int floor_gzip1(const struct floor *floor, struct result *result);
int floor_isal(const struct floor *floor,
               struct result *result); /* no bytes at all when the build has no ISA-L */
int floor_sha(const struct floor *floor, struct result *result);
int floor_frame(const struct floor *floor, struct result *result);
int floor_scan(const struct floor *floor, struct result *result);
int floor_read(const struct floor *floor, struct result *result);
int floor_journal(const struct floor *floor, struct result *result);
int floor_sync(const struct floor *floor, struct result *result);
int floor_put(const struct floor *floor, struct result *result);

#endif
