/* A bucket's documents where they lie: each a sub-resource of the store's, XML but for the bucket
 * policy, which is JSON and one document for all roles. */
#include "bucket_impl.h"

#include <holdfast/json.h>

static const struct part {
    const char *text, *subresource;
    const char *root; /* of the XML; NULL: JSON */
} parts[HF_PART_COUNT] = {
    [HF_PART_LOCK] = { "default lock", "object-lock", "ObjectLockConfiguration" },
    [HF_PART_LIFECYCLE] = { "lifecycle", "lifecycle", "LifecycleConfiguration" },
    [HF_PART_ENCRYPTION] = { "default encryption", "encryption",
                             "ServerSideEncryptionConfiguration" },
    [HF_PART_TAGS] = { "tags", "tagging", "Tagging" },
    [HF_PART_POLICY + HF_ROLE_WRITER] = { "bucket policy, writer", "policy", NULL },
    [HF_PART_POLICY + HF_ROLE_READER] = { "bucket policy, reader", "policy", NULL },
    [HF_PART_POLICY + HF_ROLE_BREAK_GLASS] = { "bucket policy, break-glass", "policy", NULL },
};

const char *
hf_bucket_part_text(enum hf_bucket_part part)
{
    return parts[part].text;
}

enum hf_status
document_get(struct hf_store *store, enum hf_bucket_part part, json_t **ret_doc,
             struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = hf_store_bucket_get(store, parts[part].subresource, &text, err);
    if (status == HF_ENOTFOUND) {
        *ret_doc = NULL;
        return HF_OK;
    }
    if (status != HF_OK)
        return status;
    return parts[part].root ? xml_to_doc(hf_buf_slice(&text), parts[part].root, ret_doc, err)
                            : hf_doc_parse(hf_buf_slice(&text), DOCUMENT_MAX,
                                           "the present bucket policy", ret_doc, err);
}

enum hf_status
document_put(struct hf_store *store, enum hf_bucket_part part, const json_t *doc,
             struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = HF_OK;
    if (parts[part].root)
        status = xml_from_doc(doc, parts[part].root, &text, err);
    else if (hf_doc_dump(doc, &text) != HF_OK)
        status = hf_fail(err, HF_ELIMIT, "it would be larger than %u bytes", DOCUMENT_MAX);
    if (status != HF_OK)
        return status;
    return hf_store_bucket_put(store, parts[part].subresource,
                               parts[part].root ? "application/xml" : "application/json",
                               hf_buf_slice(&text), err);
}
