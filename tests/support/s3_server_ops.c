/* What is asked for, done to the bucket. All under the world's lock. */
#include "tests/support/s3_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SKEW_MAX_S 900

void
reply_error(struct reply *reply, int status, const char *code)
{
    reply->status = status;
    hf_buf_reset(&reply->headers);
    hf_buf_reset(&reply->body);
    ADD(&reply->headers, "Content-Type: application/xml\r\n");
    ADD(&reply->body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>told "
        "to</Message></Error>",
        code);
}

/* ---- may this be done? ---- */

/* Every header that S3 wants signed is. */
static bool
is_signed(const struct request *request, const char *authorization)
{
    const char *list = strstr(authorization, "SignedHeaders=");
    const char *signature = strstr(authorization, "Signature=");

    if (!list || !signature || strspn(signature + 10, "0123456789abcdef") != 64)
        return false;
    hf_owned(hf_freep) char *names = hf_asprintf(";%.*s;", (int)strcspn(list + 14, ","), list + 14);
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        if (strncasecmp(name, "x-amz-", 6) != 0 && strcasecmp(name, "host") != 0 &&
            strcasecmp(name, "content-md5") != 0)
            continue;
        hf_owned(hf_freep) char *wanted = hf_asprintf(";%s;", name);
        if (!strcasestr(names, wanted))
            return false;
    }
    return true;
}

static const char *
wrong_signature(const struct request *request)
{
    static const char scheme[] = "AWS4-HMAC-SHA256 Credential=";
    const char *authorization = request_header(request, "authorization");
    const char *date = request_header(request, "x-amz-date");
    size_t key_size = strlen(world.access_key);
    int64_t date_s;

    if (!authorization || !hf_starts_with(authorization, scheme) ||
        !is_signed(request, authorization))
        return "SignatureDoesNotMatch";
    authorization += strlen(scheme);
    if (strncmp(authorization, world.access_key, key_size) != 0 || authorization[key_size] != '/')
        return "InvalidAccessKeyId";
    if (!date || !hf_time_parse_compact(date, &date_s) ||
        llabs((long long)(date_s - world_now_s())) > SKEW_MAX_S)
        return "RequestTimeTooSkewed";
    return NULL;
}

static const char *
wrong_body(const struct request *request)
{
    const char *promised = request_header(request, "x-amz-content-sha256");
    const char *md5_sent = request_header(request, "content-md5");
    char sha256[HF_SHA256_HEX_SIZE], md5_text[HF_BASE64_SIZE(HF_MD5_SIZE)];
    const void *bytes = request->body.size ? (const void *)request->body.ptr : "";
    uint8_t md5[HF_MD5_SIZE];

    hf_sha256_hex(bytes, request->body.size, sha256);
    if (!promised || strcmp(promised, sha256) != 0)
        return "XAmzContentSHA256Mismatch";
    hf_md5(bytes, request->body.size, md5);
    hf_base64(md5, sizeof(md5), md5_text);
    if (md5_sent && strcmp(md5_sent, md5_text) != 0)
        return "BadDigest";
    if (!md5_sent && (request->op == OP_LOCK || request_header(request, "x-amz-object-lock-mode")))
        return "InvalidRequest";
    return NULL;
}

void
op_check(const struct request *request, struct reply *reply)
{
    const char *wrong = wrong_signature(request);

    if (wrong) {
        reply_error(reply, 403, wrong);
        return;
    }
    wrong = wrong_body(request);
    if (wrong)
        reply_error(reply, 400, wrong);
}

/* ---- what is said of a version ---- */

static void
add_identity(const struct version *version, const struct fault *fault, struct reply *reply)
{
    const char *etag = version->etag;

    if (fault->act == ACT_WRONG_ETAG)
        etag = "00000000000000000000000000000000";
    if (fault->act == ACT_EVIL_ETAG)
        etag = "0000\xc2\x9b\x31";
    ADD(&reply->headers, "ETag: \"%s\"\r\nx-amz-version-id: %s%s\r\n", etag, version->id,
        fault->act == ACT_EVIL_VERSION ? "\xc2\x9b\x31" : "");
}

static const char *
until_of(const struct version *version, const struct fault *fault)
{
    return fault->act == ACT_EVIL_DATE ? "9999-12-31T23:59:59-23:59" : version->until;
}

/* ---- PUT ---- */

static void
add_metadata(const struct request *request, struct version *version)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        if (strncasecmp(name, "x-amz-meta-", 11) == 0 || strcasecmp(name, "content-type") == 0 ||
            strcasecmp(name, "content-encoding") == 0)
            ADD(&version->metadata, "%s: %s\r\n", name, request->headers[i].value);
    }
}

/* False: refused. */
static bool
read_lock_headers(const struct request *request, const char **ret_mode, const char **ret_until)
{
    int64_t until_s;

    *ret_mode = request_header(request, "x-amz-object-lock-mode");
    *ret_until = request_header(request, "x-amz-object-lock-retain-until-date");
    if (!*ret_mode && !*ret_until)
        return true;
    return *ret_mode && *ret_until && hf_time_parse_rfc3339(*ret_until, &until_s) &&
           until_s > world_now_s();
}

static struct version *
store(const struct request *request, const struct fault *fault, struct object *object)
{
    const char *mode, *until, *hold = request_header(request, "x-amz-object-lock-legal-hold");
    struct version *version;

    if (fault->act == ACT_CHANGED)
        request->body.ptr[request->body.size / 2] ^= 1;
    version = version_add(object, request->body.ptr, request->body.size);
    add_metadata(request, version);
    if (fault->act != ACT_UNLOCKED && read_lock_headers(request, &mode, &until) && mode) {
        snprintf(version->mode, sizeof(version->mode), "%s", mode);
        snprintf(version->until, sizeof(version->until), "%s", until);
    }
    version->legal_hold = hold && strcmp(hold, "ON") == 0;
    return version;
}

void
op_put(const struct request *request, const struct fault *fault, struct reply *reply)
{
    static const char others[] = "the bytes of someone else";
    struct object *object = object_find(request->key, true);
    const char *mode, *until, *condition = request_header(request, "if-none-match");

    if (fault->act == ACT_FOREIGN && !object->versions)
        version_add(object, others, strlen(others));
    if (!read_lock_headers(request, &mode, &until)) {
        reply_error(reply, 400, "InvalidArgument");
        return;
    }
    if (condition && object->versions && !world.ignores_condition) {
        reply_error(reply, 412, "PreconditionFailed");
        return;
    }
    struct version *version = store(request, fault, object);
    reply->status = 200;
    add_identity(version, fault, reply);
    if (fault->act == ACT_FORGOTTEN)
        version_drop(object);
    late_land(request->key, true);
}

/* ---- HEAD, GET, and the lock ---- */

static struct version *
find_or_error(const struct request *request, struct reply *reply)
{
    struct version *version =
        version_find(object_find(request->key, false), request_query(request, "versionId"));

    if (version)
        return version;
    reply_error(reply, 404, "NoSuchKey");
    late_land(request->key, false);
    return NULL;
}

static void
get(const struct request *request, const struct fault *fault, struct reply *reply)
{
    const struct version *version = find_or_error(request, reply);
    char date[HF_TIME_SIZE];

    if (!version)
        return;
    hf_time_http(version->modified_s, date);
    reply->status = 200;
    add_identity(version, fault, reply);
    ADD(&reply->headers, "Last-Modified: %s\r\n%s", date, hf_buf_text(&version->metadata));
    if (version->mode[0])
        ADD(&reply->headers,
            "x-amz-object-lock-mode: %s\r\nx-amz-object-lock-retain-until-date: %s\r\n",
            version->mode, until_of(version, fault));
    if (version->legal_hold)
        ADD(&reply->headers, "x-amz-object-lock-legal-hold: ON\r\n");
    MUST(hf_buf_add(&reply->body, version->body.ptr, version->body.size) == HF_OK);
}

static void
read_lock(const struct request *request, const struct fault *fault, struct reply *reply)
{
    const struct version *version = find_or_error(request, reply);

    if (!version)
        return;
    if (!version->mode[0]) {
        reply_error(reply, 404, "NoSuchObjectLockConfiguration");
        return;
    }
    reply->status = 200;
    ADD(&reply->headers, "Content-Type: application/xml\r\n");
    ADD(&reply->body, "<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate></Retention>",
        version->mode, until_of(version, fault));
}

static bool
element(const struct request *request, const char *name, char *ret_text, size_t size)
{
    hf_owned(hf_freep) char *open = hf_asprintf("<%s>", name);
    const char *at = strstr(hf_buf_text(&request->body), open);

    if (!at)
        return false;
    at += strlen(open);
    snprintf(ret_text, size, "%.*s", (int)strcspn(at, "<"), at);
    return true;
}

static void
lock(const struct request *request, const struct fault *fault, struct reply *reply)
{
    struct version *version = find_or_error(request, reply);
    char mode[16], until[HF_TIME_SIZE];

    if (!version)
        return;
    if (!element(request, "Mode", mode, sizeof(mode)) ||
        !element(request, "RetainUntilDate", until, sizeof(until))) {
        reply_error(reply, 400, "MalformedXML");
        return;
    }
    if (version->mode[0] && strcmp(until, version->until) < 0) {
        reply_error(reply, 403, "AccessDenied");
        return;
    }
    reply->status = 200;
    if (fault->act == ACT_UNLOCKED)
        return;
    memcpy(version->mode, mode, sizeof(mode));
    memcpy(version->until, until, sizeof(until));
}

static void
bucket(const struct request *request, struct reply *reply)
{
    reply->status = 200;
    ADD(&reply->headers, "Content-Type: application/xml\r\n");
    if (request_query(request, "object-lock"))
        ADD(&reply->body, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
                          "</ObjectLockConfiguration>");
    else
        ADD(&reply->body,
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
}

void
op_do(struct request *request, const struct fault *fault, struct reply *reply)
{
    switch (request->op) {
    case OP_PUT: op_put(request, fault, reply); break;
    case OP_HEAD:
    case OP_GET: get(request, fault, reply); break;
    case OP_LIST: op_list(request, fault, reply); break;
    case OP_VERSIONS: op_versions(request, reply); break;
    case OP_READ_LOCK: read_lock(request, fault, reply); break;
    case OP_LOCK: lock(request, fault, reply); break;
    case OP_BUCKET: bucket(request, reply); break;
    case OP_OTHER:
    case OP_COUNT: reply_error(reply, 501, "NotImplemented"); break;
    }
}
