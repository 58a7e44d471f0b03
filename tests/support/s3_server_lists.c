/* The two listings. All under the world's lock. */
#include "tests/support/s3_server.h"

#include <string.h>

#define PAGE_MAX 1000

static const char *
or_nothing(const char *text)
{
    return text ? text : "";
}

/* encoding-type=url */
static void
add_encoded(struct hf_buf *to, const char *text)
{
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-_.~/", *text);
        if (plain)
            ADD(to, "%c", *text);
        else
            ADD(to, "%%%02X", (unsigned char)*text);
    }
}

/* ---- what is wrong with it on demand ---- */

static void
add_entities(struct hf_buf *body)
{
    ADD(body, "<!DOCTYPE x [<!ENTITY a0 \"ha\"><!ENTITY f SYSTEM \"file:///etc/passwd\">");
    for (int i = 1; i < 12; i++) {
        ADD(body, "<!ENTITY a%d \"", i);
        for (int j = 0; j < 10; j++)
            ADD(body, "&a%d;", i - 1);
        ADD(body, "\">");
    }
    ADD(body, "]>");
}

static void
spoil(const struct fault *fault, struct hf_buf *body)
{
    static char padding[1 << 16];

    if (fault->act == ACT_LIST_CUT) {
        body->size = body->size * 2 / 3;
    } else if (fault->act == ACT_LIST_BIG) {
        memset(padding, ' ', sizeof(padding));
        while (body->size < (12u << 20))
            MUST(hf_buf_add(body, padding, sizeof(padding)) == HF_OK);
    }
}

/* ---- GET ?list-type=2 ---- */

static size_t
add_keys(const char *prefix, const char *after, size_t most, struct hf_buf *body,
         const char **ret_more)
{
    const char *last = NULL;
    size_t count = 0;

    *ret_more = NULL;
    for (const struct object *object = world.objects; object; object = object->next) {
        if (!object->versions || !hf_starts_with(object->key, prefix) ||
            strcmp(object->key, after) <= 0)
            continue;
        if (count == most) {
            *ret_more = last;
            return count;
        }
        ADD(body, "<Contents><Key>");
        add_encoded(body, object->key);
        ADD(body, "</Key><Size>%zu</Size></Contents>", object->versions->body.size);
        last = object->key;
        count++;
    }
    return count;
}

void
op_list(const struct request *request, const struct fault *fault, struct reply *reply)
{
    const char *prefix = or_nothing(request_query(request, "prefix")), *more;
    const char *token = request_query(request, "continuation-token");
    const char *after = token ? token : or_nothing(request_query(request, "start-after"));
    const char *max_keys = request_query(request, "max-keys");
    uint64_t most = PAGE_MAX;

    if (max_keys && !hf_parse_u64(max_keys, 0, PAGE_MAX, &most))
        most = PAGE_MAX;
    if (fault->act == ACT_LIST_LOOP)
        after = "";
    reply->status = 200;
    ADD(&reply->headers, "Content-Type: application/xml\r\n");
    ADD(&reply->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if (fault->act == ACT_LIST_EVIL)
        add_entities(&reply->body);
    ADD(&reply->body, "<ListBucketResult><EncodingType>url</EncodingType>");
    if (fault->act == ACT_LIST_EVIL)
        ADD(&reply->body, "<Contents><Key>&a11;&f;</Key></Contents>");
    size_t found = 0;
    more = NULL;
    if (fault->act != ACT_LIST_EMPTY)
        found = add_keys(prefix, after, most, &reply->body, &more);
    if (fault->act == ACT_LIST_EVIL_KEY)
        ADD(&reply->body, "<Contents><Key>%s%%1B%%5B2J%%C2%%9B%%0A</Key></Contents>", prefix);
    if (fault->act == ACT_LIST_LOOP)
        more = "again";
    ADD(&reply->body, "<IsTruncated>%s</IsTruncated>", more ? "true" : "false");
    if (more)
        ADD(&reply->body, "<NextContinuationToken>%s</NextContinuationToken>", more);
    ADD(&reply->body, "</ListBucketResult>");
    spoil(fault, &reply->body);
    if (!found)
        late_land(prefix, false);
}

/* ---- GET ?versions: one page, which a test does not fill ---- */

void
op_versions(const struct request *request, struct reply *reply)
{
    const char *prefix = or_nothing(request_query(request, "prefix"));
    size_t count = 0;

    reply->status = 200;
    ADD(&reply->headers, "Content-Type: application/xml\r\n");
    ADD(&reply->body, "<ListVersionsResult><EncodingType>url</EncodingType>"
                      "<IsTruncated>false</IsTruncated>");
    for (const struct object *object = world.objects; object; object = object->next) {
        if (!hf_starts_with(object->key, prefix))
            continue;
        for (const struct version *version = object->versions; version; version = version->next) {
            ADD(&reply->body, "<Version><Key>");
            add_encoded(&reply->body, object->key);
            ADD(&reply->body,
                "</Key><VersionId>%s</VersionId><IsLatest>%s</IsLatest><ETag>\"%s\"</ETag>"
                "<Size>%zu</Size></Version>",
                version->id, version == object->versions ? "true" : "false", version->etag,
                version->body.size);
            MUST(++count < PAGE_MAX);
        }
    }
    ADD(&reply->body, "</ListVersionsResult>");
}
