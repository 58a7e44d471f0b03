/* The floor of what compresses under a backlog. */
#include "disk.h"
#include "floor_impl.h"
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#define STORED_MOST 65535u

int
floor_isal(const struct floor *floor, struct result *result)
{
    size_t bound = floor->object_bytes + 5 * (floor->object_bytes / STORED_MOST + 1) + 64;
    unsigned char *out = malloc(bound), *work = malloc(ISAL_DEF_LVL2_DEFAULT);
    struct isal_zstream stream;
    uint64_t out_bytes = 0;
    int ok = out && work;
    if (ok)
        memset(out, 0, bound);
    double cpu = cpu_s(), wall = wall_s();
    for (size_t at = 0, take; ok && at < floor->size; at += take) {
        take = floor_object_at(floor, at);
        isal_deflate_stateless_init(&stream);
        stream.next_in = (unsigned char *)floor->bytes + at;
        stream.avail_in = (uint32_t)take;
        stream.next_out = out;
        stream.avail_out = (uint32_t)bound;
        stream.level = 2;
        stream.level_buf = work;
        stream.level_buf_size = ISAL_DEF_LVL2_DEFAULT;
        stream.end_of_stream = 1;
        stream.flush = NO_FLUSH;
        stream.gzip_flag = IGZIP_GZIP;
        ok = isal_deflate_stateless(&stream) == COMP_OK;
        out_bytes += stream.total_out;
    }
    *result = (struct result){ .bytes = floor->size,
                               .out_bytes = out_bytes,
                               .cpu_s = cpu_s() - cpu,
                               .wall_s = wall_s() - wall };
    free(out);
    free(work);
    return ok;
}
