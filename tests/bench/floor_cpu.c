/* Floors of the stages that only compute, over bytes that are in memory already. */
#include "disk.h"
#include "floor_impl.h"
#include <holdfast/json.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t
floor_object_at(const struct floor *floor, size_t at)
{
    size_t take = floor->size - at < floor->object_bytes ? floor->size - at : floor->object_bytes;
    const char *end = take < floor->size - at ? memrchr(floor->bytes + at, '\n', take) : NULL;
    return end ? (size_t)(end + 1 - (floor->bytes + at)) : take;
}

static int
compress_objects(const struct floor *floor, int level, int with_hashes, struct result *result)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    size_t bound = compressor ? libdeflate_gzip_compress_bound(compressor, floor->object_bytes) : 0;
    void *out = malloc(bound + 1);
    unsigned char hash[EVP_MAX_MD_SIZE];
    if (!compressor || !out)
        return 0;
    memset(out, 0, bound); /* its pages are there before the clock starts */
    double cpu = cpu_s(), wall = wall_s();
    for (size_t at = 0, take; at < floor->size; at += take) {
        take = floor_object_at(floor, at);
        if (with_hashes)
            EVP_Digest(floor->bytes + at, take, hash, NULL, EVP_sha256(), NULL);
        size_t gzip = libdeflate_gzip_compress(compressor, floor->bytes + at, take, out, bound);
        if (with_hashes)
            EVP_Digest(out, gzip, hash, NULL, EVP_sha256(), NULL);
        result->out_bytes += gzip;
    }
    *result = (struct result){ .bytes = floor->size,
                               .out_bytes = result->out_bytes,
                               .cpu_s = cpu_s() - cpu,
                               .wall_s = wall_s() - wall };
    libdeflate_free_compressor(compressor);
    free(out);
    return 1;
}

int
floor_whole(const struct floor *floor, struct result *result)
{
    return compress_objects(floor, floor->level, 1, result);
}

int
floor_gzip(const struct floor *floor, struct result *result)
{
    return compress_objects(floor, 6, 0, result);
}

int
floor_gzip1(const struct floor *floor, struct result *result)
{
    return compress_objects(floor, 1, 0, result);
}

#ifdef BENCH_NO_ISAL
int
floor_isal(const struct floor *floor, struct result *result)
{
    (void)floor, (void)result;
    return 1;
}
#endif

int
floor_sha(const struct floor *floor, struct result *result)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    double cpu = cpu_s(), wall = wall_s();
    for (size_t at = 0, take; at < floor->size; at += take) {
        take = floor_object_at(floor, at);
        EVP_Digest(floor->bytes + at, take, hash, NULL, EVP_sha256(), NULL);
    }
    *result =
        (struct result){ .bytes = floor->size, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    return 1;
}

int
floor_frame(const struct floor *floor, struct result *result)
{
    uint64_t lines = 0;
    double cpu = cpu_s(), wall = wall_s();
    const char *line = floor->bytes, *end = floor->bytes + floor->size;
    while (line < end && (line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        line++;
        lines++;
    }
    *result =
        (struct result){ .bytes = floor->size, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    snprintf(result->more, sizeof(result->more), " lines %llu", (unsigned long long)lines);
    return 1;
}

int
floor_scan(const struct floor *floor, struct result *result)
{
    struct hf_json_scan scan;
    uint64_t valid = 0;
    double cpu = cpu_s(), wall = wall_s();
    const char *line = floor->bytes, *end = floor->bytes + floor->size, *stop;
    for (; line < end && (stop = memchr(line, '\n', (size_t)(end - line))) != NULL; line = stop + 1)
        valid +=
            hf_json_scan((struct hf_slice){ (const uint8_t *)line, (size_t)(stop - line) }, &scan);
    *result =
        (struct result){ .bytes = floor->size, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    snprintf(result->more, sizeof(result->more), " valid %llu", (unsigned long long)valid);
    return 1;
}
