/* Floors of the stages that move bytes: from a file, to a disk, to a store. */
#include "disk.h"
#include "floor_impl.h"
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BLOCK    (256u << 10)
#define SCRATCH_BYTES (128u << 20) /* two segments of the journal */

int
floor_read(const struct floor *floor, struct result *result)
{
    char *block = malloc(READ_BLOCK);
    int fd = open(floor->path, O_RDONLY | O_CLOEXEC);
    if (!block || fd < 0) {
        perror(floor->path);
        return 0;
    }
    memset(block, 0, READ_BLOCK);
    size_t at = 0;
    ssize_t got = 1;
    double cpu = cpu_s(), wall = wall_s();
    for (; at < floor->size && got > 0; at += got > 0 ? (size_t)got : 0)
        got = pread(fd, block, READ_BLOCK, (off_t)at);
    *result = (struct result){ .bytes = at, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    close(fd);
    free(block);
    return at >= floor->size;
}

static int
open_scratch(const struct floor *floor, struct disk *disk)
{
    if (floor->scratch && disk_open(disk, floor->scratch, SCRATCH_BYTES))
        return 1;
    perror(floor->scratch ? floor->scratch : "hf_floor: --scratch FILE is needed");
    return 0;
}

int
floor_journal(const struct floor *floor, struct result *result)
{
    struct disk disk;
    int ok = open_scratch(floor, &disk);
    if (!ok)
        return 0;
    double cpu = cpu_s(), wall = wall_s();
    for (size_t at = 0; ok && at < floor->size; at += floor->batch_bytes)
        ok = disk_write(&disk, floor->bytes + at,
                        floor->size - at < floor->batch_bytes ? floor->size - at
                                                              : floor->batch_bytes);
    *result =
        (struct result){ .bytes = floor->size, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    disk_close(&disk);
    return ok;
}

int
floor_sync(const struct floor *floor, struct result *result)
{
    struct disk disk;
    struct disk_latency latency;
    if (floor->size < floor->batch_bytes || floor->mb_per_s <= 0 || floor->seconds <= 0 ||
        !open_scratch(floor, &disk)) {
        fprintf(stderr,
                "hf_floor: sync needs --rate, --seconds and a file of at least one batch\n");
        return 0;
    }
    double cpu = cpu_s(), wall = wall_s();
    int ok = disk_pace(&disk, floor->bytes, floor->batch_bytes, floor->mb_per_s * 1e6,
                       floor->seconds, &latency);
    *result = (struct result){ .bytes = latency.bytes,
                               .cpu_s = cpu_s() - cpu,
                               .wall_s = wall_s() - wall };
    snprintf(result->more, sizeof(result->more),
             " syncs %llu p50_ms %.3f p99_ms %.3f max_ms %.3f wait_p50_ms %.3f wait_p99_ms %.3f "
             "wait_max_ms %.3f",
             (unsigned long long)latency.syncs, latency.sync_p50_ms, latency.sync_p99_ms,
             latency.sync_max_ms, latency.wait_p50_ms, latency.wait_p99_ms, latency.wait_max_ms);
    disk_close(&disk);
    return ok;
}

struct body {
    const char *bytes;
    size_t left;
};

static size_t
give(char *into, size_t size, size_t count, void *context)
{
    struct body *body = context;
    size_t take = size * count < body->left ? size * count : body->left;
    memcpy(into, body->bytes, take);
    body->bytes += take;
    body->left -= take;
    return take;
}

static size_t
take_nothing(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

static CURLcode
put_one(CURL *curl, const struct floor *floor, size_t at, size_t size)
{
    char url[512];
    struct body body = { floor->bytes + at, size };
    snprintf(url, sizeof(url), "%s%zu", floor->url, at);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_READDATA, &body);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    return curl_easy_perform(curl);
}

int
floor_put(const struct floor *floor, struct result *result)
{
    CURL *curl = floor->url ? curl_easy_init() : NULL;
    CURLcode code = CURLE_OK;
    if (!curl) {
        fprintf(stderr, "hf_floor: put needs --url\n");
        return 0;
    }
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_nothing);
    double cpu = cpu_s(), wall = wall_s();
    for (size_t at = 0; at < floor->size && code == CURLE_OK; at += floor->body_bytes)
        code = put_one(curl, floor, at,
                       floor->size - at < floor->body_bytes ? floor->size - at : floor->body_bytes);
    *result =
        (struct result){ .bytes = floor->size, .cpu_s = cpu_s() - cpu, .wall_s = wall_s() - wall };
    if (code != CURLE_OK)
        fprintf(stderr, "hf_floor: PUT to %s: %s\n", floor->url, curl_easy_strerror(code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code == CURLE_OK;
}
