/* What a store says of an error, in XML. */
#ifndef HOLDFAST_S3_XML_H
#define HOLDFAST_S3_XML_H

#include <holdfast/s3.h>
#include <holdfast/xml.h>

struct hf_xml_error {
    char code[64];
    char message[256]; /* "" when the store gives none (Ceph) */
    char region[64];
};
/* HF_EFORMAT when it is no <Error> with a Code. */
enum hf_status hf_xml_parse_error(struct hf_slice xml,
                                  struct hf_xml_error *ret_error) hf_must_check;

#endif
