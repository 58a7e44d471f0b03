#include "head.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

void
head_text(const struct hf_head *head, char ret_text[HEAD_TEXT_SIZE])
{
    snprintf(ret_text, HEAD_TEXT_SIZE, "%s:%llu:%s", head->chain, (unsigned long long)head->number,
             head->sha256);
}

static bool
is_hex(const char *text, size_t size)
{
    return strspn(text, "0123456789abcdef") == size && text[size] == '\0';
}

static bool
is_head(const struct hf_head *head)
{
    return is_hex(head->chain, HF_ID_SIZE - 1) && head->number > 0 &&
           is_hex(head->sha256, HF_SHA256_HEX_SIZE - 1);
}

bool
head_parse(const char *text, struct hf_head *ret_head)
{
    struct hf_head head = { .number = 0 };
    char word[HEAD_TEXT_SIZE + 1], *rest = NULL;
    text += strspn(text, BLANKS);
    snprintf(word, sizeof(word), "%.*s", (int)HF_MIN(strcspn(text, BLANKS), sizeof(word) - 1),
             text);
    const char *chain = strtok_r(word, ":", &rest), *number = strtok_r(NULL, ":", &rest),
               *sha256 = strtok_r(NULL, ":", &rest);
    if (!sha256 || strtok_r(NULL, ":", &rest) || !hf_parse_u64(number, 1, UINT64_MAX, &head.number))
        return false;
    snprintf(head.chain, sizeof(head.chain), "%s", chain);
    snprintf(head.sha256, sizeof(head.sha256), "%s", sha256);
    *ret_head = head;
    return is_head(&head) && strlen(sha256) < sizeof(head.sha256);
}

json_t *
head_doc(const struct hf_head *head)
{
    json_t *doc = json_object();
    hf_doc_set_text(doc, "chain", head->chain);
    hf_doc_set_u64(doc, "number", head->number);
    hf_doc_set_text(doc, "sha256", head->sha256);
    hf_doc_set_text(doc, "signature", *head->signature ? head->signature : NULL);
    hf_doc_set_text(doc, "key", *head->key ? head->key : NULL);
    return doc;
}

enum hf_status
head_of_doc(const json_t *doc, struct hf_head *ret_head, struct hf_error *err)
{
    struct hf_head head = { .number = hf_doc_u64_or(doc, "number", 0) };
    const struct {
        const char *name;
        char *text;
        size_t size;
    } texts[] = {
        { "chain", head.chain, sizeof(head.chain) },
        { "sha256", head.sha256, sizeof(head.sha256) },
        { "signature", head.signature, sizeof(head.signature) },
        { "key", head.key, sizeof(head.key) },
    };
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        const char *text = hf_doc_text_or(doc, texts[i].name, "");
        if (strlen(text) >= texts[i].size)
            return hf_fail(err, HF_EFORMAT, "'%s' of a head is too long", texts[i].name);
        memcpy(texts[i].text, text, strlen(text) + 1);
    }
    if (!is_head(&head))
        return hf_fail(err, HF_EFORMAT, "a head needs chain, number and sha256");
    *ret_head = head;
    return HF_OK;
}

bool
head_of_status(const json_t *trail, struct hf_head *ret_head)
{
    static const char *const names[][2] = { { "chain", "chain" },
                                            { "number", "digest_number" },
                                            { "sha256", "digest_sha256" },
                                            { "signature", "digest_signature" },
                                            { "key", "digest_key" } };
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    for (size_t i = 0; i < HF_COUNT(names); i++)
        json_object_set(doc, names[i][0], json_object_get(trail, names[i][1]));
    return head_of_doc(doc, ret_head, NULL) == HF_OK;
}
