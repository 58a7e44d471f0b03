/* S3's reply documents: every parser on the same bytes. What a parser took must be whole. */
#include "agent/s3/xml.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_listings(struct hf_slice xml)
{
    struct hf_s3_list_page page;
    struct hf_s3_versions_page versions;

    if (hf_s3_parse_list(xml, &page, NULL) == HF_OK) {
        hf_assert(!page.next_token || *page.next_token);
        for (size_t i = 0; i < page.keys.count; i++)
            hf_assert(page.keys.items[i]);
        hf_s3_list_page_done(&page);
    }
    if (hf_s3_parse_versions(xml, &versions, NULL) == HF_OK) {
        hf_assert(!versions.next_key || *versions.next_key);
        for (size_t i = 0; i < versions.count; i++)
            hf_assert(versions.items[i].key && versions.items[i].version_id &&
                      memchr(versions.items[i].etag, 0, 128));
        hf_s3_versions_page_done(&versions);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_slice xml = hf_slice(data, size);
    struct hf_s3_lock_config config;
    struct hf_xml_error error;
    struct hf_error err;
    int64_t until_s;
    int mode;

    if (hf_xml_parse_error(xml, &error) == HF_OK)
        hf_assert(error.code[0] && memchr(error.message, 0, sizeof(error.message)));
    if (hf_s3_parse_retention(xml, &mode, &until_s, &err) == HF_OK)
        hf_assert(mode == HF_LOCK_NONE || mode == HF_LOCK_GOVERNANCE || mode == HF_LOCK_COMPLIANCE);
    if (hf_s3_parse_lock_config(xml, &config, &err) == HF_OK)
        hf_assert(config.default_mode != HF_UNSET);
    try_listings(xml);
    return 0;
}
