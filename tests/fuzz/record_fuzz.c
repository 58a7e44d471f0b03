/* A line of anything becomes a record: one JSON object with what CloudTrail's readers need, in which
 * every reader sees the same event, and whose last member is the agent's. The first byte chooses: a
 * whole line, a part of one, the last part; of a file or not, with provenance or without. */
#include <holdfast/json.h>
#include <holdfast/record.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum hf_json_member needed[] = {
    HF_JSON_EVENT_TIME, HF_JSON_EVENT_SOURCE,      HF_JSON_EVENT_NAME,           HF_JSON_AWS_REGION,
    HF_JSON_EVENT_ID,   HF_JSON_SOURCE_IP_ADDRESS, HF_JSON_RECIPIENT_ACCOUNT_ID,
};

/* Without the agent's member what is left must be beyond doubt: nothing stands twice, or in two
 * ways. */
static void
check_client(struct hf_slice record, size_t appended)
{
    hf_owned(hf_buf_done) struct hf_buf rest = HF_BUF(record.size + 1);
    struct hf_json_scan scan;
    hf_assert(appended < record.size);
    hf_assert(hf_buf_add(&rest, record.ptr, record.size - appended - 1) == HF_OK);
    hf_assert(hf_buf_add(&rest, "}", 1) == HF_OK);
    hf_assert(hf_json_scan(hf_buf_slice(&rest), &scan) && !scan.doubt);
}

static void
check_time(const struct hf_json_scan *scan, int64_t time_s)
{
    char written[HF_TIME_SIZE];
    struct hf_slice value = scan->member[HF_JSON_EVENT_TIME];
    hf_time_rfc3339(time_s, written);
    hf_assert(hf_slice_is(hf_slice(value.ptr + 1, value.size - 2), written));
}

static void
check_tail(struct hf_slice record, const struct hf_record *made, bool provenance)
{
    static const char begin[] = ",\"holdfast\":{";
    const char *tail = (const char *)record.ptr + record.size - 1 - made->appended;
    hf_assert(made->appended <= HF_RECORD_APPENDED_MAX && (!provenance || made->appended > 0));
    if (made->appended > 0)
        hf_assert(made->appended > sizeof(begin) && memcmp(tail, begin, sizeof(begin) - 1) == 0);
    json_t *doc = json_loadb((const char *)record.ptr, record.size,
                             JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    if (doc && made->appended > 0) { /* a number may be too large for jansson */
        json_t *ours = json_loadb(tail + sizeof(begin) - 2, made->appended - sizeof(begin) + 2,
                                  JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
        hf_assert(ours && json_equal(ours, json_object_get(doc, "holdfast")));
        json_decref(ours);
    }
    json_decref(doc);
}

static void
check(const struct hf_record *made, bool provenance)
{
    struct hf_json_scan scan;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(made->size);
    for (size_t i = 0; i < HF_COUNT(made->parts); i++)
        hf_assert(hf_buf_add(&whole, made->parts[i].ptr, made->parts[i].size) == HF_OK);
    struct hf_slice record = hf_buf_slice(&whole);
    hf_assert(record.size == made->size);
    hf_assert(hf_json_scan(record, &scan));
    hf_assert(scan.text.ptr == record.ptr && scan.text.size == record.size);
    for (size_t i = 0; i < HF_COUNT(needed); i++)
        hf_assert(scan.member[needed[i]].ptr);
    hf_assert(!memchr(record.ptr, '\n', record.size));
    check_time(&scan, made->event_time_s);
    check_tail(record, made, provenance);
    check_client(record, made->appended);
}

static struct hf_record_origin
origin_of(unsigned choice)
{
    struct hf_record_origin origin;
    hf_record_origin(&origin, "src", "Event");
    if (choice == 0)
        hf_record_origin_file(&origin,
                              "/a\xff\"/\x01long/long/long/long/long/long/long/long/long/long/"
                              "long/long/long/long/long/long/long/long/long/long/long/long");
    else if (choice == 1)
        hf_record_origin_file(&origin, "/var/log/app.log");
    else
        hf_record_origin_peer(&origin, (uid_t)-1, 0, 1);
    return origin;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_record_maker maker = { .host = "h\xff\"",
                                     .account = "000000000000",
                                     .region = "local" };
    static const char hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct hf_record_part part = { .number = 7 };
    struct hf_record_counts counts = { 0 };
    struct hf_record record;

    if (size == 0 || (size > 1 && memchr(data + 1, '\n', size - 1)))
        return 0; /* a line has none */
    if (data[0] % 3 == 2)
        part = (struct hf_record_part){ 8, 8, 1u << 20, hash };
    struct hf_record_origin origin = origin_of(data[0] / 3 % 3);
    maker.provenance = data[0] / 9 % 2 == 0;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(8 * size + 4096);
    const struct hf_record_line line = { .bytes = hf_slice(data + 1, size - 1),
                                         .unended = data[0] / 18 % 2 && data[0] % 3 != 1,
                                         .seq = UINT64_MAX - 1,
                                         .offset = UINT64_MAX / 2,
                                         .arrival_s = 1795900000,
                                         .part = data[0] % 3 ? &part : NULL };
    hf_assert(hf_record_make(&maker, &origin, &line, &buf, &record, &counts) == HF_OK);
    hf_assert(counts.shaped + counts.flat_json + counts.text + counts.base64 == 1);
    check(&record, maker.provenance);
    return 0;
}
