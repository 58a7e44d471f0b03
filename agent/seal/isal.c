/* ISA-L's gzip: for a backlog, where time counts and size less. Level 2 in one call; a gzip header
 * without name and time, as libdeflate's. */
#include "agent/seal/seal_impl.h"

#include <isa-l/igzip_lib.h>

#define LEVEL      2
#define WORK_BYTES ISAL_DEF_LVL2_DEFAULT
/* bytes of a stored block, which has five more: what does not compress */
#define STORED_MOST 65535u
#define FRAME       64u

size_t
isal_gzip_bound(size_t size)
{
    return size + 5 * (size / STORED_MOST + 1) + FRAME;
}

size_t
isal_gzip(struct hf_slice plain, uint8_t *to, size_t room)
{
    hf_owned(hf_freep) uint8_t *work = hf_alloc(WORK_BYTES);
    /* Its init leaves hist_bits, how far back it looks, as it finds it: what a window's bytes are
     * would follow from what lay on the stack. */
    struct isal_zstream stream = { .hist_bits = 0 };
    if (plain.size > UINT32_MAX || room > UINT32_MAX)
        return 0;
    isal_deflate_stateless_init(&stream);
    stream.next_in = (uint8_t *)plain.ptr; /* read only: its interface does not say so */
    stream.avail_in = (uint32_t)plain.size;
    stream.next_out = to;
    stream.avail_out = (uint32_t)room;
    stream.level = LEVEL;
    stream.level_buf = work;
    stream.level_buf_size = WORK_BYTES;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.gzip_flag = IGZIP_GZIP;
    return isal_deflate_stateless(&stream) == COMP_OK ? stream.total_out : 0;
}
