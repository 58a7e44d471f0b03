/* The walk over libxml2's pull reader. A DOCTYPE ends it before anything the DTD declares could be
 * used.
 */
#include <holdfast/xml.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <pthread.h>
#include <string.h>

#define PATH_MAX_BYTES 512
#define DEPTH_MAX      16
#define TEXT_MAX       8192

struct walk {
    hf_xml_visitor visitor;
    void *context;
    char path[PATH_MAX_BYTES];
    size_t path_size;
    int depth;
    struct hf_buf text;
};

void
hf_xml_copy_text(char *ret_text, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size) {
        length = size - 1;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    for (size_t i = 0; i < length; i++)
        ret_text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    ret_text[length] = 0;
}

static enum hf_status
open_element(struct walk *walk, const char *name, struct hf_error *err)
{
    size_t size = strlen(name) + 1;

    if (walk->depth == DEPTH_MAX || walk->path_size + size >= sizeof(walk->path))
        return hf_fail(err, HF_EFORMAT,
                       "the store's XML reply is nested deeper than any S3 document");
    walk->path[walk->path_size] = '/';
    memcpy(walk->path + walk->path_size + 1, name, size);
    walk->path_size += size;
    walk->depth++;
    hf_buf_reset(&walk->text);
    return walk->visitor(walk->context, walk->path, NULL, err);
}

static enum hf_status
close_element(struct walk *walk, struct hf_error *err)
{
    enum hf_status status = walk->visitor(walk->context, walk->path, hf_buf_text(&walk->text), err);

    hf_buf_reset(&walk->text);
    walk->path_size = (size_t)(strrchr(walk->path, '/') - walk->path);
    walk->path[walk->path_size] = 0;
    walk->depth--;
    return status;
}

static enum hf_status
take_node(struct walk *walk, xmlTextReader *reader, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    const xmlChar *text;

    switch (xmlTextReaderNodeType(reader)) {
    case XML_READER_TYPE_ELEMENT:
        status = open_element(walk, (const char *)xmlTextReaderConstLocalName(reader), err);
        if (status == HF_OK && xmlTextReaderIsEmptyElement(reader) == 1)
            status = close_element(walk, err);
        return status;
    case XML_READER_TYPE_END_ELEMENT: return close_element(walk, err);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        text = xmlTextReaderConstValue(reader);
        if (text && hf_buf_add_text(&walk->text, (const char *)text) != HF_OK)
            return hf_fail(err, HF_EFORMAT, "the store's XML reply has a text longer than %d bytes",
                           TEXT_MAX);
        return HF_OK;
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return hf_fail(
            err, HF_EFORMAT,
            "the store's XML reply has a document type or an entity, which no S3 reply has");
    default: return HF_OK;
    }
}

enum hf_status
hf_xml_walk(struct hf_slice xml, hf_xml_visitor visitor, void *context, struct hf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct walk walk = { .visitor = visitor, .context = context, .text = HF_BUF(TEXT_MAX) };
    enum hf_status status = HF_OK;
    xmlTextReader *reader;
    int more = 0;

    if (xml.size > HF_XML_MAX)
        return hf_fail(err, HF_EFORMAT, "the store's XML reply has %zu bytes, more than %d",
                       xml.size, HF_XML_MAX);
    if (!xml.size)
        return hf_fail(err, HF_EFORMAT, "the store's reply is empty where XML was expected");
    pthread_once(&once, xmlInitParser);
    reader = xmlReaderForMemory((const char *)xml.ptr, (int)xml.size, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    hf_assert(reader);
    while (status == HF_OK && (more = xmlTextReaderRead(reader)) == 1)
        status = take_node(&walk, reader, err);
    xmlFreeTextReader(reader);
    hf_buf_done(&walk.text);
    if (status == HF_OK && more != 0)
        status = hf_fail(err, HF_EFORMAT,
                         "the store's reply is not well-formed XML; is the url an S3 endpoint?");
    return status;
}
