/* Any bytes as a bucket's document: refused, or what comes of it can be written again, differs from
 * nothing in nothing, and is said in UTF-8. */
#include "agent/bucket/bucket_impl.h"

#include <holdfast/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
try_differences(const json_t *doc)
{
    struct hf_differences differences;
    differences_find(doc, doc, &differences);
    hf_assert(differences.count == 0);
    differences_done(&differences);
    differences_find(doc, NULL, &differences);
    for (size_t i = 0; i < differences.count; i++)
        hf_assert(hf_utf8_valid(hf_slice_text(differences.items[i].what)));
    differences_done(&differences);
}

static void
try_xml(struct hf_slice text, const char *root)
{
    json_t *doc = NULL, *back = NULL;
    struct hf_error err;
    struct hf_buf xml = HF_BUF(4u << 20);
    if (xml_to_doc(text, root, &doc, &err) != HF_OK || !doc)
        return;
    hf_assert(json_is_object(doc) || json_is_array(doc));
    if (json_is_object(doc) && xml_from_doc(doc, root, &xml, &err) == HF_OK)
        hf_assert(xml.size > DOCUMENT_MAX ||
                  (xml_to_doc(hf_buf_slice(&xml), root, &back, &err) == HF_OK && back));
    try_differences(doc);
    json_decref(back);
    json_decref(doc);
    hf_buf_done(&xml);
}

static void
try_json(struct hf_slice text)
{
    json_t *doc = NULL;
    struct hf_error err;
    if (hf_doc_parse(text, DOCUMENT_MAX, "policy", &doc, &err) != HF_OK)
        return;
    json_t *merged = policy_merge(doc, doc), *own = policy_own(doc, doc);
    try_differences(doc);
    json_decref(merged);
    json_decref(own);
    json_decref(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const roots[] = { "LifecycleConfiguration", "ObjectLockConfiguration",
                                         "Tagging" };
    struct hf_slice text = hf_slice(bytes, size);
    for (size_t i = 0; i < HF_COUNT(roots); i++)
        try_xml(text, roots[i]);
    try_json(text);
    return 0;
}
