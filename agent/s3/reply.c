/* What came back: header lines kept as name NUL value NUL, the known ones read into fields at the
 * end.
 */
#include "agent/s3/s3_impl.h"
#include "agent/s3/xml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* An interim answer (100) is followed by another status line: only the last one's headers count. */
bool
hf_s3_reply_take_header(struct hf_s3_reply *reply, const char *line, size_t size)
{
    const char *colon, *value, *end = line + size;
    size_t name_size;

    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        hf_buf_reset(&reply->headers);
        return true;
    }
    colon = memchr(line, ':', size);
    if (!colon || colon == line || memchr(line, 0, size))
        return true; /* the empty line, or a line that says nothing */
    name_size = (size_t)(colon - line);
    for (value = colon + 1; value < end && is_blank(*value);)
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    if (hf_buf_add(&reply->headers, line, name_size) != HF_OK ||
        hf_buf_add(&reply->headers, "", 1) != HF_OK ||
        hf_buf_add(&reply->headers, value, (size_t)(end - value)) != HF_OK ||
        hf_buf_add(&reply->headers, "", 1) != HF_OK)
        return false;
    return true;
}

const char *
hf_s3_reply_header(const struct hf_s3_reply *reply, const char *name)
{
    const char *at = (const char *)reply->headers.ptr, *end = at ? at + reply->headers.size : NULL;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static void
copy_header(const struct hf_s3_reply *reply, const char *name, char *ret_text, size_t size)
{
    const char *value = hf_s3_reply_header(reply, name);

    hf_xml_copy_text(ret_text, size, value ? value : "");
}

/* A text that the store chose and that goes on into ledgers, digests and requests. S3's are ASCII
 * without blanks: what is longer, or could shift a line or steer a terminal, is none of S3's. */
static bool
is_plain(const char *text, size_t size)
{
    size_t length = 0;

    while (text[length] > 0x20 && text[length] < 0x7f)
        length++;
    return text[length] == '\0' && length < size;
}

static void
read_version_id(struct hf_s3_reply *reply)
{
    const char *value = hf_s3_reply_header(reply, "x-amz-version-id");

    if (value && is_plain(value, sizeof(reply->version_id)))
        memcpy(reply->version_id, value, strlen(value) + 1);
    else if (value)
        reply->not_s3 = true;
}

static void
read_etag(struct hf_s3_reply *reply)
{
    const char *value = hf_s3_reply_header(reply, "etag");
    size_t size;

    if (!value)
        return;
    if (hf_starts_with(value, "W/"))
        value += 2;
    size = strlen(value);
    if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
        value++;
        size -= 2;
    }
    if (size < sizeof(reply->etag)) {
        memcpy(reply->etag, value, size);
        reply->etag[size] = 0;
        if (!is_plain(reply->etag, sizeof(reply->etag)))
            reply->etag[0] = 0; /* then it is none: no object was answered with */
    }
}

static void
read_lock(struct hf_s3_reply *reply)
{
    const char *mode = hf_s3_reply_header(reply, "x-amz-object-lock-mode");
    const char *until = hf_s3_reply_header(reply, "x-amz-object-lock-retain-until-date");
    const char *hold = hf_s3_reply_header(reply, "x-amz-object-lock-legal-hold");
    int parsed = mode ? hf_lock_mode_parse(mode) : HF_LOCK_NONE;
    int64_t until_s;

    /* a mode or a date that cannot be read is no lock that could be relied on */
    if (parsed != HF_UNSET && parsed != HF_LOCK_NONE && until &&
        hf_time_parse_rfc3339(until, &until_s) && until_s > 0) {
        reply->lock_mode = parsed;
        reply->retain_until_s = until_s;
    }
    reply->legal_hold = hold && strcmp(hold, "ON") == 0;
}

static void
read_headers(struct hf_s3_reply *reply)
{
    const char *value;

    read_etag(reply);
    read_lock(reply);
    read_version_id(reply);
    copy_header(reply, "x-amz-checksum-sha256", reply->checksum_sha256,
                sizeof(reply->checksum_sha256));
    copy_header(reply, "content-type", reply->content_type, sizeof(reply->content_type));
    copy_header(reply, "content-encoding", reply->content_encoding,
                sizeof(reply->content_encoding));
    copy_header(reply, "x-amz-bucket-region", reply->region, sizeof(reply->region));
    value = hf_s3_reply_header(reply, "x-amz-delete-marker");
    reply->delete_marker = value && strcmp(value, "true") == 0;
    value = hf_s3_reply_header(reply, "content-length");
    if (!value || !hf_parse_u64(value, 0, INT64_MAX, &reply->content_length))
        reply->content_length = reply->body.size;
    value = hf_s3_reply_header(reply, "last-modified");
    if (!value || !hf_time_parse_http(value, &reply->last_modified_s))
        reply->last_modified_s = 0;
    value = hf_s3_reply_header(reply, "date");
    if (value && hf_time_parse_http(value, &reply->date_s))
        reply->skew_s = reply->date_s - hf_wall_s();
    else
        reply->date_s = 0;
}

static struct hf_slice
without_leading_blanks(struct hf_slice text)
{
    if (text.size >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        text = hf_slice(text.ptr + 3, text.size - 3);
    while (text.size && is_blank((char)text.ptr[0]))
        text = hf_slice(text.ptr + 1, text.size - 1);
    return text;
}

static bool
is_html(const struct hf_s3_reply *reply, struct hf_slice body)
{
    static const char *const openings[] = { "<!doctype", "<html" };

    if (strncasecmp(reply->content_type, "text/html", 9) == 0)
        return true;
    body = without_leading_blanks(body);
    for (size_t i = 0; i < HF_COUNT(openings); i++) {
        size_t size = strlen(openings[i]);

        if (body.size >= size && strncasecmp((const char *)body.ptr, openings[i], size) == 0)
            return true;
    }
    return false;
}

static bool
is_as_expected(const struct hf_s3_reply *reply, enum hf_s3_expect expect)
{
    struct hf_slice body = hf_buf_slice(&reply->body);

    switch (expect) {
    case HF_S3_EXPECT_OBJECT: /* what the object itself is made of does not matter */
        return reply->etag[0] != 0 && (strcmp(reply->method, "HEAD") != 0 ||
                                       hf_s3_reply_header(reply, "content-length") != NULL);
    case HF_S3_EXPECT_XML:
        body = without_leading_blanks(body);
        return body.size && body.ptr[0] == '<' && !is_html(reply, body);
    case HF_S3_EXPECT_ANY: break;
    }
    return !is_html(reply, body);
}

static void
read_error(struct hf_s3_reply *reply, struct hf_slice body)
{
    struct hf_xml_error error;

    if (!body.size)
        return;
    if (hf_xml_parse_error(body, &error) != HF_OK) {
        reply->not_s3 = true;
        return;
    }
    memcpy(reply->code, error.code, sizeof(reply->code));
    memcpy(reply->message, error.message, sizeof(reply->message));
    if (!reply->region[0])
        memcpy(reply->region, error.region, sizeof(reply->region));
}

void
hf_s3_reply_finish(struct hf_s3_reply *reply, enum hf_s3_expect expect, struct hf_slice error_body)
{
    read_headers(reply);
    if (reply->http_status >= 200 && reply->http_status < 300)
        reply->not_s3 = reply->not_s3 || !is_as_expected(reply, expect);
    else
        read_error(reply, error_body);
}

void
hf_s3_reply_done(struct hf_s3_reply *reply)
{
    hf_buf_done(&reply->body);
    hf_buf_done(&reply->headers);
}
