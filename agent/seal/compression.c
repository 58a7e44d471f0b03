/* The names of the ways to compress, as they stand in a ledger's CUT, a sealed file's header and an
 * object's metadata. */
#include "agent/seal/seal_impl.h"

#include <stdio.h>
#include <string.h>

#define LEVEL_MOST 12
#define ISAL_TEXT  "isa-l-2"

bool
hf_compression_available(int compression)
{
#ifdef HF_HAVE_ISAL
    if (compression == HF_COMPRESSION_ISAL)
        return true;
#endif
    return compression >= 1 && compression <= LEVEL_MOST;
}

void
hf_compression_text(int compression, char ret_text[HF_COMPRESSION_TEXT_MAX])
{
    if (compression == HF_COMPRESSION_ISAL)
        snprintf(ret_text, HF_COMPRESSION_TEXT_MAX, ISAL_TEXT);
    else
        snprintf(ret_text, HF_COMPRESSION_TEXT_MAX, "libdeflate-%d", compression);
}

bool
hf_compression_parse(const char *text, int *ret_compression)
{
    char known[HF_COMPRESSION_TEXT_MAX];
    for (int compression = 1; text && compression <= HF_COMPRESSION_ISAL; compression++) {
        hf_compression_text(compression, known);
        if ((compression <= LEVEL_MOST || compression == HF_COMPRESSION_ISAL) &&
            strcmp(text, known) == 0) {
            *ret_compression = compression;
            return true;
        }
    }
    return false;
}
