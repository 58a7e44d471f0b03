/* Every parser of base and its writer: what is accepted must come out again as it went in. The
 * first byte chooses. */
#include "agent/base/base_impl.h"

#include <string.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_times(const char *text)
{
    char shown[HF_TIME_SIZE];
    int64_t seconds;

    if (hf_time_parse_compact(text, &seconds) && text[13] != '6') { /* not a leap second */
        hf_time_compact(seconds, shown);
        hf_assert(strcmp(text, shown) == 0);
    }
    if (hf_time_parse_http(text, &seconds) && text[23] != '6') {
        hf_time_http(seconds, shown);
        hf_assert(strcmp(text + 3, shown + 3) == 0); /* all but the weekday */
    }
    if (hf_time_parse_rfc3339(text, &seconds)) {
        int64_t again;
        hf_time_rfc3339(seconds, shown);
        hf_assert(hf_time_parse_rfc3339(shown, &again));
        /* An offset can lead out of the years that four digits show. */
        hf_assert(again == seconds || seconds < -62167219200 || seconds > 253402300799);
    }
}

static void
check_numbers(const char *text)
{
    uint64_t value;

    if (hf_parse_u64(text, 0, UINT64_MAX, &value)) {
        hf_owned(hf_freep) char *plain = hf_asprintf("%llu", (unsigned long long)value);
        hf_assert(strcmp(text + strspn(text, "0"), plain + strspn(plain, "0")) == 0);
        hf_assert(hf_parse_size(text, &value) && hf_parse_duration(text, &value));
    } else if (hf_parse_size(text, &value)) {
        hf_assert(strchr(text, 'B') != NULL);
    } else if (hf_parse_duration(text, &value)) {
        hf_assert(strpbrk(text, "smhd") != NULL);
    }
}

static void
check_encodings(const char *text, size_t size)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(INPUT_MAX);
    hf_owned(hf_freep) uint8_t *raw = hf_alloc(size / 2);
    hf_owned(hf_freep) char *again = hf_alloc(2 * size + 5);

    if (hf_unbase64(text, size, &bytes) == HF_OK) {
        hf_base64(bytes.ptr, bytes.size, again);
        hf_assert(strlen(again) == size && memcmp(again, text, size) == 0);
    }
    if (hf_unhex(text, size, raw, size / 2)) {
        hf_hex(raw, size / 2, again);
        hf_assert(strlen(again) == size && strncasecmp(again, text, size) == 0);
    }
}

/* A line never has a control character within it, and is never longer than it may be. */
static void
check_log(const char *text)
{
    const struct hf_field fields[] = {
        HF_STR("before", "x"), HF_STR("value", text), HF_NUM("after", 1), { .key = NULL }
    };
    struct hf_log_line body;
    struct hf_log_line line;

    for (int style = 0; style < 4; style++) {
        struct hf_log_style how = { .json = style & 1, .journal = style & 2 };
        hf_log_body(&body, how.json, "event", fields);
        hf_log_whole(&line, how, HF_LOG_WARN, 0, body.bytes, body.size, style ? UINT64_MAX : 0);
        hf_assert(line.size <= HF_LOG_LINE_MAX + 1 && line.bytes[line.size - 1] == '\n');
        for (size_t i = 0; i + 1 < line.size; i++)
            hf_assert((uint8_t)line.bytes[i] >= 0x20 && line.bytes[i] != 0x7f);
    }
}

static void
check_checksum(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;

    hf_assert(hf_crc32c(7, bytes, size) == hf_crc32c_tables(7, bytes, size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    hf_owned(hf_freep) char *text = hf_alloc(size);
    memcpy(text, data + 1, size - 1);
    switch (data[0] % 5) {
    case 0: check_times(text); break;
    case 1: check_numbers(text); break;
    case 2: check_encodings(text, size - 1); break;
    case 3: check_log(text); break;
    case 4: check_checksum(text, size - 1); break;
    }
    return 0;
}
