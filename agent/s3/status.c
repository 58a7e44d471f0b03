/* The one table of what stores answer and what is to be done about it.
 * Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what MinIO and
 * Ceph send in their place.
 */
#include "agent/s3/s3_impl.h"
#include "agent/s3/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CREDENTIALS_HINT "check the keys in credentials_file or the environment"
#define ACCESS_HINT      "give these credentials the right to do this"
#define BUSY_HINT        "it will be tried again"

static const struct answer {
    const char *code;
    enum hf_status status;
    const char *hint;
} answers[] = {
    { "InvalidAccessKeyId", HF_ECREDENTIALS, CREDENTIALS_HINT },
    { "SignatureDoesNotMatch", HF_ECREDENTIALS, CREDENTIALS_HINT ", and the region" },
    { "ExpiredToken", HF_ECREDENTIALS, "renew the session token" },
    { "ExpiredTokenException", HF_ECREDENTIALS, "renew the session token" },
    { "InvalidToken", HF_ECREDENTIALS, "renew the session token" },
    { "InvalidTokenId", HF_ECREDENTIALS, CREDENTIALS_HINT },
    { "TokenRefreshRequired", HF_ECREDENTIALS, "renew the session token" },
    { "InvalidSecurity", HF_ECREDENTIALS, CREDENTIALS_HINT },
    { "UnrecognizedClientException", HF_ECREDENTIALS, CREDENTIALS_HINT },
    { "NotSignedUp", HF_ECREDENTIALS, CREDENTIALS_HINT },
    { "AccessDenied", HF_EACCESS, ACCESS_HINT },
    { "AccountProblem", HF_EACCESS, "ask the store's operator about this account" },
    { "AllAccessDisabled", HF_EACCESS, "ask the store's operator about this account" },
    { "UserSuspended", HF_EACCESS, "ask the store's operator about this account" },
    { "MethodNotAllowed", HF_EREFUSED, "this store does not have that operation" },
    { "NotImplemented", HF_EREFUSED, "this store does not have that operation" },
    { "RequestTimeTooSkewed", HF_ESKEW, "set this host's clock, best with a time service" },
    { "RequestExpired", HF_ESKEW, "set this host's clock, best with a time service" },
    { "NoSuchBucket", HF_ENOTFOUND, "make it with `holdfast bucket apply`, or correct its name" },
    { "NoSuchKey", HF_ENOTFOUND, "" },
    { "NoSuchVersion", HF_ENOTFOUND, "" },
    { "NoSuchObjectLockConfiguration", HF_ENOTFOUND, "it has no lock" },
    { "ObjectLockConfigurationNotFoundError", HF_ENOTFOUND, "it has no lock" },
    { "NoSuchLifecycleConfiguration", HF_ENOTFOUND, "" },
    { "NoSuchBucketPolicy", HF_ENOTFOUND, "" },
    { "NoSuchTagSet", HF_ENOTFOUND, "" },
    { "NoSuchTagSetError", HF_ENOTFOUND, "" },
    { "ServerSideEncryptionConfigurationNotFoundError", HF_ENOTFOUND, "" },
    { "NoSuchPublicAccessBlockConfiguration", HF_ENOTFOUND, "" },
    { "OwnershipControlsNotFoundError", HF_ENOTFOUND, "" },
    { "PreconditionFailed", HF_EEXISTS, "the key is taken" },
    { "BucketAlreadyOwnedByYou", HF_EEXISTS, "the bucket is there already" },
    { "BucketAlreadyExists", HF_EEXISTS, "that bucket name is someone else's: choose another" },
    { "ConditionalRequestConflict", HF_EBUSYSTORE, BUSY_HINT },
    { "OperationAborted", HF_EBUSYSTORE, BUSY_HINT },
    { "SlowDown", HF_EBUSYSTORE, BUSY_HINT },
    { "SlowDownRead", HF_EBUSYSTORE, BUSY_HINT },
    { "SlowDownWrite", HF_EBUSYSTORE, BUSY_HINT },
    { "ServiceUnavailable", HF_EBUSYSTORE, BUSY_HINT },
    { "InternalError", HF_EBUSYSTORE, BUSY_HINT },
    { "RequestTimeout", HF_EBUSYSTORE, BUSY_HINT },
    { "Throttling", HF_EBUSYSTORE, BUSY_HINT },
    { "XMinioServerNotInitialized", HF_EBUSYSTORE, BUSY_HINT },
    { "XMinioStorageFull", HF_EBUSYSTORE, "the store is full: give it space" },
    { "QuotaExceeded", HF_EREFUSED, "the store's quota is used up: raise it" },
    { "InvalidBucketState", HF_EREFUSED,
      "the bucket's state does not allow it: Object Lock must be set when a bucket is made" },
    { "BadDigest", HF_ECORRUPT,
      "the body is not what was hashed: bytes changed on this host or on the way" },
    { "XAmzContentSHA256Mismatch", HF_ECORRUPT,
      "the body is not what was hashed: bytes changed on this host or on the way" },
    { "XAmzContentChecksumMismatch", HF_ECORRUPT,
      "the body is not what was hashed: bytes changed on this host or on the way" },
    { "PermanentRedirect", HF_ECONFIG, "redirects are refused" },
    { "TemporaryRedirect", HF_ECONFIG, "redirects are refused" },
    { "AuthorizationHeaderMalformed", HF_ECONFIG, "the region is not the bucket's" },
    { "AuthorizationQueryParametersError", HF_ECONFIG, "the region is not the bucket's" },
    { "IllegalLocationConstraintException", HF_ECONFIG, "the region is not the bucket's" },
    { "InvalidRegion", HF_ECONFIG, "the region is not the bucket's" },
    { "KMS.NotFoundException", HF_EREFUSED, "correct encryption.kms_key_id" },
    { "KMS.DisabledException", HF_EREFUSED, "enable the KMS key" },
    { "InsecureSSECustomerRequest", HF_ECONFIG, "SSE-C needs https://" },
};

#define NO_LOCK_HINT                                                                               \
    "the bucket has no Object Lock, or refuses this one; make a bucket that has it with "          \
    "`holdfast bucket apply`"
#define SSE_C_BLOCKED_HINT                                                                         \
    "AWS blocks SSE-C on buckets since April 2026 unless their encryption settings "               \
    "(PutBucketEncryption) allow it: "                                                             \
    "unblock it there, or use encryption cms"

bool
hf_s3_code_is_credentials(const char *code)
{
    for (size_t i = 0; i < HF_COUNT(answers); i++) {
        if (strcmp(answers[i].code, code) == 0)
            return answers[i].status == HF_ECREDENTIALS;
    }
    return false;
}

static struct answer
by_http_status(int http_status)
{
    if (http_status >= 300 && http_status < 400)
        return (struct answer){ "", HF_ECONFIG, "redirects are refused" };
    if (http_status == 501)
        return (struct answer){ "", HF_EREFUSED, "this store does not have that operation" };
    if (http_status >= 500 || http_status == 429 || http_status == 408)
        return (struct answer){ "", HF_EBUSYSTORE, BUSY_HINT };
    switch (http_status) {
    case 401: return (struct answer){ "", HF_ECREDENTIALS, CREDENTIALS_HINT };
    case 403:
        return (struct answer){ "", HF_EACCESS,
                                ACCESS_HINT
                                "; wrong keys look the same where an answer has no body" };
    case 404:
    case 410: return (struct answer){ "", HF_ENOTFOUND, "" };
    case 409: return (struct answer){ "", HF_EBUSYSTORE, BUSY_HINT };
    case 412: return (struct answer){ "", HF_EEXISTS, "the key is taken" };
    default: return (struct answer){ "", HF_EREFUSED, "see the store's log for the reason" };
    }
}

static bool
is_lock_refusal(const struct hf_s3_reply *reply)
{
    static const char *const codes[] = { "InvalidRequest", "ObjectLockConfigurationNotFoundError",
                                         "NoSuchObjectLockConfiguration", "InvalidBucketState" };

    for (size_t i = 0; i < HF_COUNT(codes); i++) {
        if (strcmp(reply->code, codes[i]) == 0)
            return reply->asked_lock;
    }
    return false;
}

static struct answer
find_answer(const struct hf_s3_reply *reply)
{
    bool reads = strcmp(reply->method, "GET") == 0 || strcmp(reply->method, "HEAD") == 0;

    /* what the code alone does not say */
    if (strcmp(reply->code, "InvalidRequest") == 0 &&
        strstr(reply->message, "WORM protected")) /* MinIO's AccessDenied */
        return (struct answer){ "", HF_EACCESS, "the version is locked" };
    if (is_lock_refusal(reply))
        return (struct answer){ "", HF_ENOTHELD, NO_LOCK_HINT };
    if (reply->http_status == 403 && reply->asked_sse_c &&
        (!reply->code[0] || strcmp(reply->code, "AccessDenied") == 0))
        return (struct answer){ "", HF_EACCESS, SSE_C_BLOCKED_HINT };
    if (reply->delete_marker || (reads && reply->http_status == 405))
        return (struct answer){ "", HF_ENOTFOUND, "it is behind a delete marker" };
    if (reads && reply->http_status == 400 &&
        (!reply->code[0] || strcmp(reply->code, "InvalidRequest") == 0))
        return (struct answer){ "", HF_EREFUSED,
                                "if the object is encrypted with SSE-C, give its key" };
    for (size_t i = 0; i < HF_COUNT(answers); i++) {
        if (strcmp(answers[i].code, reply->code) == 0)
            return answers[i];
    }
    return by_http_status(reply->http_status);
}

static void
describe_place(const struct hf_s3_reply *reply, enum hf_status status, char *ret_text, size_t size)
{
    const char *location = hf_s3_reply_header(reply, "location");
    char shown[100];

    ret_text[0] = 0;
    hf_xml_copy_text(shown, sizeof(shown), location ? location : "");
    if (status == HF_ECONFIG && reply->region[0])
        snprintf(ret_text, size, "; set url and region to those of the bucket, region '%s'",
                 reply->region);
    else if (status == HF_ECONFIG && location)
        snprintf(ret_text, size, "; set url to where '%s' lies", shown);
    else if (status == HF_ECONFIG)
        snprintf(ret_text, size, "; set url and region to those of the bucket");
    if (status == HF_ESKEW && reply->date_s)
        snprintf(ret_text, size, "; the store's clock is %" PRId64 " s %s",
                 reply->skew_s < 0 ? -reply->skew_s : reply->skew_s,
                 reply->skew_s < 0 ? "behind" : "ahead");
}

static enum hf_status
say(const struct hf_s3_reply *reply, struct answer answer, struct hf_error *err)
{
    char place[192];

    describe_place(reply, answer.status, place, sizeof(place));
    return hf_fail(err, answer.status, "the store answered %d%s%s%s%s%s%s%s%s", reply->http_status,
                   reply->code[0] ? " " : "", reply->code, reply->message[0] ? " (" : "",
                   reply->message, reply->message[0] ? ")" : "", answer.hint[0] ? ": " : "",
                   answer.hint, place);
}

static enum hf_status
judge(const struct hf_s3_reply *reply, struct hf_error *err)
{
    if (reply->outcome != HF_S3_ANSWERED)
        return hf_fail(err, reply->transport, "%s", reply->transport_text);
    if (reply->http_status >= 200 && reply->http_status < 300 && !reply->not_s3)
        return HF_OK;
    if (reply->not_s3 && reply->http_status < 500 &&
        (reply->http_status < 300 || reply->http_status >= 400))
        return hf_fail(err, HF_EFORMAT,
                       "what answered %d does not speak S3: is the url the store's own, with no "
                       "portal or proxy before it?",
                       reply->http_status);
    return say(reply, find_answer(reply), err);
}

enum hf_status
hf_s3_status(const struct hf_s3_reply *reply, const char *doing, struct hf_error *err)
{
    enum hf_status status = judge(reply, err);

    if (status == HF_OK)
        return HF_OK;
    if (err) {
        err->http_status = reply->http_status;
        snprintf(err->store_code, sizeof(err->store_code), "%.47s", reply->code);
    }
    return doing ? hf_while(err, status, "%s", doing) : status;
}
