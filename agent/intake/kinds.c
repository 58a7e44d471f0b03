/* The kinds of source there are. A new one is a room beside file/, socket/ and stdin/, and a row
 * here. */
#include "agent/intake/intake_impl.h"

static const struct hf_source_kind *const kinds[] = {
    [HF_SOURCE_FILE] = &hf_file_kind,
    [HF_SOURCE_SOCKET] = &hf_socket_kind,
    [HF_SOURCE_STDIN] = &hf_stdin_kind,
};

const struct hf_source_kind *
hf_source_kind(int type)
{
    hf_assert(type >= 0 && (size_t)type < HF_COUNT(kinds) && kinds[type]);
    return kinds[type];
}
