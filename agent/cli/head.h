/* A head as people hand it on: one word, CHAIN:NUMBER:SHA256; and as JSON. */
#ifndef HOLDFAST_CLI_HEAD_H
#define HOLDFAST_CLI_HEAD_H

#include <holdfast/verify.h>
#include <jansson.h>

#define HEAD_TEXT_SIZE (65 + 20 + HF_SHA256_HEX_SIZE + 2)

void head_text(const struct hf_head *head, char ret_text[HEAD_TEXT_SIZE]);
/* From the first word of a text, so that a whole line of `holdfast head` will do. false: it is none. */
bool head_parse(const char *text, struct hf_head *ret_head);

json_t *head_doc(const struct hf_head *head);
/* Of a trail as `holdfast status` has it. false: it has no digest yet. */
bool head_of_status(const json_t *trail, struct hf_head *ret_head);
/* HF_EFORMAT. */
enum hf_status head_of_doc(const json_t *doc, struct hf_head *ret_head,
                           struct hf_error *err) hf_must_check;

#endif
