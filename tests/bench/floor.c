/* Floors: what the agent, or one of its stages, cannot save. The same bytes, one thread, nothing
 * else.
 *
 *   hf_floor FILE OBJECT_BYTES [--bytes N] [--stage NAME]... [--level 1..12] [--scratch FILE] [--batch N] [--rate MB_PER_S --seconds S]
 *            [--threads N] [--url URL [--body N]]
 *
 *   --bytes    only the first N bytes of the file
 *   --scratch  journal, sync: where the file may be made that they write to
 *   --batch    journal: bytes of a batch; sync: the most of one (default 1048576)
 *   --threads  so many at the same time, each over all the bytes; wall_s is until the last has ended (computing stages only)
 *   --url      put: what each key begins with, http://HOST:PORT/BUCKET/
 *   --body     put: bytes of a body (default 2097152)
 *
 * whole (the default)  SHA-256 of each uncompressed object, libdeflate (level 6, or --level), SHA-256 of the result
 * gzip, gzip1          libdeflate 6, 1 alone       sha    SHA-256 of each uncompressed object
 * frame                memchr for the line ends       scan   the project's JSON scanner over each line
 * isal                 ISA-L 2 alone; "bytes 0" from a build without it
 * read                 pread in blocks of 256 KiB     put    libcurl, one after the other
 * journal              pwrite and fdatasync of batches over a file that is written already
 * sync                 the same at --rate, whatever has come by then being the next batch, with the time that each took
 *
 * For each: "stage NAME bytes N cpu_s X wall_s X out_bytes N ..." on a line.
 */
#include "disk.h"
#include "floor_impl.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES_MAX  16
#define THREADS_MAX 64

static const struct stage {
    const char *name;
    int (*run)(const struct floor *floor, struct result *result);
} stages[] = {
    { "whole", floor_whole },     { "gzip", floor_gzip }, { "gzip1", floor_gzip1 },
    { "isal", floor_isal },       { "sha", floor_sha },   { "frame", floor_frame },
    { "scan", floor_scan },       { "read", floor_read }, { "put", floor_put },
    { "journal", floor_journal }, { "sync", floor_sync },
};

static const struct stage *
stage_named(const char *name)
{
    for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
        if (strcmp(stages[i].name, name) == 0)
            return &stages[i];
    return NULL;
}

static int
option(struct floor *floor, const char *name, const char *value)
{
    if (strcmp(name, "--bytes") == 0)
        floor->size = strtoull(value, NULL, 10);
    else if (strcmp(name, "--level") == 0)
        floor->level = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--scratch") == 0)
        floor->scratch = value;
    else if (strcmp(name, "--batch") == 0)
        floor->batch_bytes = strtoull(value, NULL, 10);
    else if (strcmp(name, "--rate") == 0)
        floor->mb_per_s = strtod(value, NULL);
    else if (strcmp(name, "--seconds") == 0)
        floor->seconds = strtod(value, NULL);
    else if (strcmp(name, "--threads") == 0)
        floor->threads = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--url") == 0)
        floor->url = value;
    else if (strcmp(name, "--body") == 0)
        floor->body_bytes = strtoull(value, NULL, 10);
    else
        return 0;
    return 1;
}

/* Whole lines only, so that every stage sees the same. */
static int
load(struct floor *floor)
{
    FILE *file = fopen(floor->path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(floor->path);
        return 0;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    if (floor->size == 0 || floor->size > size)
        floor->size = size;
    floor->bytes = malloc(floor->size + 1);
    int ok = floor->bytes && fread(floor->bytes, 1, floor->size, file) == floor->size;
    fclose(file);
    if (!ok) {
        perror(floor->path);
        return 0;
    }
    const char *end = memrchr(floor->bytes, '\n', floor->size);
    floor->size = end ? (size_t)(end + 1 - floor->bytes) : floor->size;
    return 1;
}

struct runner {
    const struct floor *floor;
    const struct stage *stage;
    pthread_barrier_t *start;
    struct result result;
    int ok;
};

static void *
run_one(void *context)
{
    struct runner *runner = context;
    pthread_barrier_wait(runner->start);
    runner->ok = runner->stage->run(runner->floor, &runner->result);
    return NULL;
}

static int
run_together(const struct floor *floor, const struct stage *stage, struct result *result)
{
    struct runner runners[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    pthread_barrier_t start;
    int ok = floor->threads <= THREADS_MAX &&
             pthread_barrier_init(&start, NULL, floor->threads + 1) == 0;
    if (!ok)
        return 0;
    for (unsigned i = 0; i < floor->threads; i++) {
        runners[i] = (struct runner){ .floor = floor, .stage = stage, .start = &start };
        if (pthread_create(&threads[i], NULL, run_one, &runners[i]) != 0)
            return 0;
    }
    double cpu = cpu_s(), wall = wall_s();
    pthread_barrier_wait(&start);
    for (unsigned i = 0; i < floor->threads; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && runners[i].ok;
        result->bytes += runners[i].result.bytes;
        result->out_bytes += runners[i].result.out_bytes;
    }
    result->cpu_s = cpu_s() - cpu;
    result->wall_s = wall_s() - wall;
    pthread_barrier_destroy(&start);
    return ok;
}

int
main(int argc, char **argv)
{
    const struct stage *chosen[STAGES_MAX];
    size_t count = 0;
    struct floor floor = {
        .path = argv[1], .level = 6, .batch_bytes = 1u << 20, .body_bytes = 2u << 20
    };
    int ok = argc >= 3 && argc % 2 == 1;
    floor.object_bytes = ok ? strtoull(argv[2], NULL, 10) : 0;
    ok = ok && floor.object_bytes > 0;
    for (int i = 3; i + 1 < argc && ok; i += 2) {
        if (strcmp(argv[i], "--stage") == 0)
            ok = count < STAGES_MAX && (chosen[count++] = stage_named(argv[i + 1])) != NULL;
        else
            ok = option(&floor, argv[i], argv[i + 1]);
    }
    if (!ok || floor.batch_bytes == 0 || floor.body_bytes == 0) {
        fprintf(stderr, "usage: hf_floor FILE OBJECT_BYTES [--bytes N] [--stage NAME]... [--level "
                        "N] [--scratch FILE] [--batch N] [--rate MB_PER_S --seconds S] [--threads "
                        "N] [--url URL [--body N]]\n");
        return 2;
    }
    if (count == 0)
        chosen[count++] = stage_named("whole");
    if (!load(&floor))
        return 1;
    for (size_t i = 0; i < count; i++) {
        struct result result = { 0 };
        if (!(floor.threads ? run_together(&floor, chosen[i], &result)
                            : chosen[i]->run(&floor, &result))) {
            fprintf(stderr, "hf_floor: stage %s could not be measured\n", chosen[i]->name);
            return 1;
        }
        printf("stage %s bytes %llu cpu_s %.4f wall_s %.4f out_bytes %llu%s\n", chosen[i]->name,
               (unsigned long long)result.bytes, result.cpu_s, result.wall_s,
               (unsigned long long)result.out_bytes, result.more);
    }
    free(floor.bytes);
    return 0;
}
