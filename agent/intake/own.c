#include "agent/intake/intake_impl.h"

#define OWN_MAX (1u << 20)

struct hf_record_maker
hf_intake_maker(const struct hf_intake *intake)
{
    struct hf_record_maker maker = intake->maker;
    maker.provenance = atomic_load(&intake->provenance);
    return maker;
}

enum hf_status
hf_own_event_append(struct hf_journal *journal, const struct hf_record_maker *maker,
                    const char *event_name, int64_t now_s, const char *details_json,
                    struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(OWN_MAX);
    struct hf_record record;
    enum hf_status status = hf_record_make_own(maker, event_name, hf_journal_next_seq(journal),
                                               now_s, details_json, &buf, &record);
    if (status != HF_OK)
        return hf_fail(err, status, "making the record of %s", event_name);
    const struct hf_journal_entry entry = { .source = HF_SOURCE_SELF,
                                            .event_time_s = record.event_time_s,
                                            .appended = record.appended };
    return hf_journal_append_entry(journal, &entry, record.parts, HF_COUNT(record.parts), NULL,
                                   err);
}
