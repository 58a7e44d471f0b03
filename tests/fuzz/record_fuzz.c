/* A line of anything becomes a record: one JSON object with what CloudTrail's readers need. The
 * first byte chooses: a whole line, a part of one, the last part. */
#include <holdfast/json.h>
#include <holdfast/record.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum hf_json_member needed[] = {
    HF_JSON_EVENT_TIME, HF_JSON_EVENT_SOURCE,      HF_JSON_EVENT_NAME,           HF_JSON_AWS_REGION,
    HF_JSON_EVENT_ID,   HF_JSON_SOURCE_IP_ADDRESS, HF_JSON_RECIPIENT_ACCOUNT_ID,
};

static void
check(struct hf_slice record)
{
    struct hf_json_scan scan;
    json_t *doc = json_loadb((const char *)record.ptr, record.size, 0, NULL);

    hf_assert(hf_json_scan(record, &scan));
    hf_assert(scan.text.ptr == record.ptr && scan.text.size == record.size);
    for (size_t i = 0; i < HF_COUNT(needed); i++)
        hf_assert(scan.member[needed[i]].ptr);
    hf_assert(!memchr(record.ptr, '\n', record.size));
    json_decref(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_record_maker maker = { .host = "h\xff\"",
                                                  .account = "000000000000",
                                                  .region = "local" };
    static const char hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct hf_record_part part = { .number = 7 };
    struct hf_record_counts counts = { 0 };
    struct hf_slice record;
    int64_t time_s;

    if (size == 0 || (size > 1 && memchr(data + 1, '\n', size - 1)))
        return 0; /* a line has none */
    if (data[0] % 3 == 2)
        part = (struct hf_record_part){ 8, 8, 1u << 20, hash };
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(8 * size + 4096);
    enum hf_status status = hf_record_make(&maker, "src", "Event", UINT64_MAX - 1, 1795900000,
                                           hf_slice(data + 1, size - 1), data[0] % 3 ? &part : NULL,
                                           &buf, &record, &time_s, &counts);
    hf_assert(status == HF_OK);
    hf_assert(counts.shaped + counts.flat_json + counts.text + counts.base64 >= 1);
    check(record);
    return 0;
}
