/* xml: what a store sends, element by element. A document is untrusted: at most 1 MiB, no DTD, no
 * network, no entities but XML's own five.
 */
#ifndef HOLDFAST_XML_H
#define HOLDFAST_XML_H

#include <holdfast/base.h>

#define HF_XML_MAX (1024 * 1024)

/* Walks a document: `path` is "/Root/Child/...", names without namespace. For each element one call
 * when it opens (text NULL) and one when it closes, with the character data since the last tag.
 * Anything but HF_OK stops the walk. */
typedef enum hf_status (*hf_xml_visitor)(void *context, const char *path, const char *text,
                                         struct hf_error *err);
enum hf_status hf_xml_walk(struct hf_slice xml, hf_xml_visitor visitor, void *context,
                           struct hf_error *err) hf_must_check;

/* Cuts what does not fit; never in the middle of a UTF-8 sequence, and control characters become
 * spaces. */
void hf_xml_copy_text(char *ret_text, size_t size, const char *text);

#endif
