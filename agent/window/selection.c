#include <holdfast/crypto.h>
#include <holdfast/window.h>
#include <string.h>

bool
hf_selection_has(const struct hf_selection *selection, uint16_t source)
{
    if (selection->all || source == HF_SOURCE_SELF)
        return true;
    return source < HF_SOURCES_MAX && (selection->bits[source / 8] >> (source % 8) & 1);
}

void
hf_selection_add(struct hf_selection *selection, uint16_t source)
{
    hf_assert(source < HF_SOURCES_MAX);
    selection->bits[source / 8] |= (uint8_t)(1u << (source % 8));
}

uint64_t
hf_window_delay_s(const char *journal_id, uint64_t window_s)
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(journal_id, strlen(journal_id), hash);
    return hf_get_le64(hash) % (HF_MIN(window_s / 4, 60) + 1);
}
