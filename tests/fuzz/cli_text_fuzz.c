/* Any bytes as a store's XML and as an object's content: refused, or what comes of it can be
 * written again. */
#include "agent/cli/cli_impl.h"

#include <holdfast/json.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
try_xml(struct hf_slice text)
{
    json_t *doc = NULL, *differences;
    struct hf_error err;
    struct hf_buf xml = HF_BUF(4u << 20);
    if (xml_to_doc(text, &doc, &err) != HF_OK)
        return;
    hf_assert(json_is_object(doc) || json_is_array(doc));
    if (json_is_object(doc) && xml_from_doc(doc, "LifecycleConfiguration", &xml, &err) == HF_OK) {
        json_t *back = NULL;
        hf_assert(xml.size > DOCUMENT_MAX || xml_to_doc(hf_buf_slice(&xml), &back, &err) == HF_OK);
        json_decref(back);
    }
    differences = document_differences(doc, doc);
    hf_assert(json_array_size(differences) == 0);
    json_decref(differences);
    json_decref(doc);
    hf_buf_done(&xml);
}

static void
try_records(struct hf_slice text)
{
    char *out = NULL;
    size_t out_size = 0;
    uint64_t count = 0;
    struct hf_error err;
    FILE *stream = open_memstream(&out, &out_size);
    hf_assert(stream);
    enum hf_status status = records_write(text, stream, false, &count, &err);
    fclose(stream);
    hf_assert(out_size <= text.size + 1);
    if (status == HF_OK) {
        uint64_t lines = 0;
        for (size_t i = 0; i < out_size; i++)
            lines += out[i] == '\n';
        hf_assert(lines == count);
    }
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_slice text = hf_slice(bytes, size);
    try_xml(text);
    try_records(text);
    return 0;
}
