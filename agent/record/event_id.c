/* The eventID of an event that has none of its own: the same for the same journal and sequence, so
 * that sealing twice gives the same bytes. Version 8 of RFC 9562 is the one for such ids. */
#include <holdfast/crypto.h>
#include <holdfast/record.h>
#include <string.h>

void
hf_event_id(const uint8_t journal_id[16], uint64_t seq, char ret_text[HF_EVENT_ID_SIZE])
{
    uint8_t input[16 + 8], hash[HF_SHA256_SIZE];
    memcpy(input, journal_id, 16);
    hf_put_le64(input + 16, seq);
    hf_sha256(input, sizeof(input), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80); /* version */
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80); /* variant */

    char hex[HF_HEX_SIZE(16)];
    hf_hex(hash, 16, hex);
    static const uint8_t group_size[] = { 8, 4, 4, 4, 12 };
    const char *from = hex;
    char *to = ret_text;
    for (size_t i = 0; i < HF_COUNT(group_size); i++) {
        if (i > 0)
            *to++ = '-';
        memcpy(to, from, group_size[i]);
        from += group_size[i];
        to += group_size[i];
    }
    *to = '\0';
}
