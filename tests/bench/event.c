#include "event.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define BASE_S 1767225600 /* 2026-01-01 */

static uint64_t state = 42;
static enum { MIXED, SHORT, LARGE, RANDOM, SHAPES } shape = MIXED;
static const char *const shape_names[SHAPES] = { "mixed", "short", "large", "random" };

int
event_shape(const char *name)
{
    for (unsigned i = 0; i < SHAPES; i++) {
        if (strcmp(name, shape_names[i]) == 0) {
            shape = i;
            return 1;
        }
    }
    return 0;
}

void
event_seed(uint64_t seed)
{
    state = seed;
}

static uint64_t
next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned
pick(unsigned count)
{
    return (unsigned)(next_random() % count);
}

/* Small numbers are much more common, as users and services are in real trails. */
static unsigned
skewed(unsigned count)
{
    return pick(pick(count) + 1);
}

static const char *const services[] = { "s3",     "ec2",      "iam", "sts",           "kms",
                                        "lambda", "dynamodb", "sqs", "sns",           "rds",
                                        "ecs",    "logs",     "ssm", "secretsmanager" };
static const char *const verbs[] = { "Describe", "List",   "Get",    "Put",     "Create",
                                     "Delete",   "Update", "Assume", "Decrypt", "Invoke" };
static const char *const nouns[] = { "Instances", "Object",  "Bucket", "Role",  "Key",
                                     "Function",  "Table",   "Queue",  "Topic", "Parameter",
                                     "Secret",    "Volumes", "Cluster" };
static const char *const agents[] = {
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0-18-amd64 exe/x86_64.debian.12 prompt/off",
    "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.1.79 md/arch#x86_64 lang/python#3.11.8",
    "aws-sdk-go-v2/1.25.3 os/linux lang/go#1.22.1 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.152.0",
    "console.amazonaws.com"
};

static void
write_identity(FILE *out, unsigned account, unsigned user, const char *time_text)
{
    if (user % 3 == 0) {
        fprintf(out,
                "\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDA%016X\",\"arn\":"
                "\"arn:aws:iam::%012u:user/team-%u/"
                "user-%u\",\"accountId\":\"%012u\",\"accessKeyId\":\"AKIA%016X\",\"userName\":"
                "\"user-%u\"}",
                user * 2654435761u, account, user % 12, user, account, user * 40503u, user);
        return;
    }
    unsigned session = (unsigned)next_random();
    fprintf(out,
            "\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":\"AROA%016X:session-%u\","
            "\"arn\":\"arn:aws:sts::%012u:assumed-role/service-role-%u/"
            "session-%u\",\"accountId\":\"%012u\",\"accessKeyId\":\"ASIA%08X%08X\","
            "\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROA%"
            "016X\",\"arn\":\"arn:aws:iam::%012u:role/"
            "service-role-%u\",\"accountId\":\"%012u\",\"userName\":\"service-role-%u\"},"
            "\"attributes\":{\"creationDate\":\"%s\",\"mfaAuthenticated\":\"false\"}}}",
            user * 2654435761u, session, account, user % 40, session, account,
            (unsigned)next_random(), (unsigned)next_random(), user * 2654435761u, account,
            user % 40, account, user % 40, time_text);
}

static void
write_parameters(FILE *out, unsigned kind, unsigned account)
{
    switch (kind) {
    case 0:
        fprintf(out,
                "\"requestParameters\":{\"bucketName\":\"data-lake-%u\",\"key\":\"year=2026/"
                "month=%02u/day=%02u/"
                "part-%05u-%08x.snappy.parquet\",\"Host\":\"data-lake-%u.s3.eu-central-1.amazonaws."
                "com\",\"x-amz-server-side-encryption\":\"aws:kms\"},\"responseElements\":{\"x-amz-"
                "server-side-encryption\":\"aws:kms\",\"x-amz-version-id\":\"%016" PRIx64
                "\"},\"resources\":[{\"type\":\"AWS::S3::Object\",\"ARN\":\"arn:aws:s3:::data-lake-"
                "%u\"},{\"accountId\":\"%012u\",\"type\":\"AWS::S3::Bucket\",\"ARN\":\"arn:aws:s3::"
                ":data-lake-%u\"}]",
                account % 9, pick(12) + 1, pick(28) + 1, pick(400), (unsigned)next_random(),
                account % 9, next_random(), account % 9, account, account % 9);
        break;
    case 1:
        fprintf(
            out,
            "\"requestParameters\":{\"instancesSet\":{\"items\":[{\"instanceId\":\"i-%017" PRIx64
            "\"},{\"instanceId\":\"i-%017" PRIx64
            "\"}]},\"filterSet\":{\"items\":[{\"name\":\"tag:environment\",\"valueSet\":{\"items\":"
            "[{\"value\":\"production\"}]}},{\"name\":\"instance-state-name\",\"valueSet\":{"
            "\"items\":[{\"value\":\"running\"},{\"value\":\"pending\"}]}}]}},\"responseElements\":"
            "null",
            next_random() >> 4, next_random() >> 4);
        break;
    case 2:
        fprintf(out,
                "\"requestParameters\":{\"keyId\":\"arn:aws:kms:eu-central-1:%012u:key/"
                "%08x-1c2d-4e5f-8a9b-0123456789ab\",\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\","
                "\"encryptionContext\":{\"aws:s3:arn\":\"arn:aws:s3:::data-lake-%u/"
                "year=2026\",\"purpose\":\"evidence\",\"object\":\"%016" PRIx64
                "\"}},\"responseElements\":null,\"resources\":[{\"accountId\":\"%012u\",\"type\":"
                "\"AWS::KMS::Key\",\"ARN\":\"arn:aws:kms:eu-central-1:%012u:key/"
                "%08x-1c2d-4e5f-8a9b-0123456789ab\"}]",
                account, (unsigned)next_random(), account % 9, next_random(), account, account,
                account % 20 * 7919u);
        break;
    default: fprintf(out, "\"requestParameters\":null,\"responseElements\":null"); break;
    }
}

/* What a host says itself: short, and common. */
static void
write_short_event(FILE *out, uint64_t number, const char *time_text)
{
    fprintf(out,
            "{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"Unknown\",\"userName\":\"user-"
            "%u\"},\"eventTime\":\"%s\",\"eventSource\":\"sshd.host-%u\",\"eventName\":\"%s\","
            "\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"192.0.2.%u\","
            "\"requestParameters\":{\"port\":%u,\"pid\":%u},\"responseElements\":null,\"eventID\":"
            "\"%08x-0000-4000-8000-%012" PRIx64
            "\",\"eventType\":\"AwsServiceEvent\",\"recipientAccountId\":\"000000000000\","
            "\"eventCategory\":\"Management\"}\n",
            skewed(600), time_text, skewed(40), pick(3) ? "SessionOpened" : "SessionClosed",
            pick(255), pick(65536), pick(32768), (unsigned)next_random(), number);
}

/* About 235 bytes: what a daemon logs of a login, with no more than what makes it
 * CloudTrail-shaped. */
static void
write_log_line(FILE *out, uint64_t number, const char *time_text)
{
    fprintf(out,
            "{\"eventTime\":\"%s\",\"eventSource\":\"sshd.host-%u\",\"eventName\":\"%s\","
            "\"sourceIPAddress\":\"192.0.2.%u\",\"requestParameters\":{\"user\":\"user-%u\","
            "\"port\":%u,\"pid\":%u},\"eventID\":\"%08x-0000-4000-8000-%012" PRIx64 "\"}\n",
            time_text, skewed(40), pick(3) ? "SessionOpened" : "SessionClosed", pick(255),
            skewed(600), pick(65536), pick(32768), (unsigned)next_random(), number);
}

static void
write_head(FILE *out, uint64_t number, const char *time_text, const char *service, const char *name)
{
    fprintf(out,
            "{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"AWSService\",\"invokedBy\":\"%"
            "s.amazonaws.com\"},\"eventTime\":\"%s\",\"eventSource\":\"%s.amazonaws.com\","
            "\"eventName\":\"%s\",\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"10.%u.%u.%"
            "u\",\"eventID\":\"%08x-0000-4000-8000-%012" PRIx64
            "\",\"eventType\":\"AwsApiCall\",\"recipientAccountId\":\"%012u\",\"eventCategory\":"
            "\"Management\",\"responseElements\":null,\"requestParameters\":",
            service, time_text, service, name, pick(255), pick(255), pick(255),
            (unsigned)next_random(), number, 100000000u + skewed(40));
}

/* About 20 KB: one with a long list in it, as inventories have. */
static void
write_inventory(FILE *out, uint64_t number, const char *time_text)
{
    unsigned items = 67 + pick(41);
    write_head(out, number, time_text, "ec2", "DescribeInstances");
    fprintf(out, "{\"items\":[");
    for (unsigned i = 0; i < items; i++)
        fprintf(out,
                "%s{\"instanceId\":\"i-%017" PRIx64
                "\",\"state\":\"%s\",\"availabilityZone\":\"eu-central-1%c\",\"privateIpAddress\":"
                "\"10.%u.%u.%u\",\"instanceType\":\"m6i.%s\",\"tags\":[{\"key\":\"team\",\"value\":"
                "\"team-%u\"},{\"key\":\"service\",\"value\":\"%s\"}]}",
                i ? "," : "", next_random() >> 4, pick(8) ? "running" : "stopped", "abc"[pick(3)],
                pick(255), pick(255), pick(255), pick(2) ? "large" : "xlarge", skewed(12),
                services[skewed(14)]);
    fprintf(out, "]}}\n");
}

/* About 1.3 KB, nearly all of it random: base64, which gzip brings to three quarters and no
 * further. */
static void
write_random_event(FILE *out, uint64_t number, const char *time_text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[1141];
    for (unsigned i = 0; i < sizeof(text) - 1; i += 10) {
        uint64_t bits = next_random();
        for (unsigned j = 0; j < 10; j++, bits >>= 6)
            text[i + j] = letters[bits & 63];
    }
    text[sizeof(text) - 1] = '\0';
    fprintf(out,
            "{\"eventTime\":\"%s\",\"eventSource\":\"kms\",\"eventName\":\"Encrypt\",\"eventID\":"
            "\"%08x-0000-4000-8000-%012" PRIx64 "\",\"requestParameters\":{\"blob\":\"%s\"}}\n",
            time_text, (unsigned)next_random(), number, text);
}

static void
write_mixed(FILE *out, uint64_t number, const char *text, time_t now)
{
    struct tm tm;
    char session_text[32];
    time_t session_start = now - (time_t)pick(43200);
    gmtime_r(&session_start, &tm);
    strftime(session_text, sizeof(session_text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    unsigned account = 100000000u + skewed(40), user = skewed(600), service = skewed(14),
             kind = pick(4);
    if (pick(20) < 3) {
        write_short_event(out, number, text);
        return;
    }
    fprintf(out, "{\"eventVersion\":\"1.11\",");
    write_identity(out, account, user, session_text);
    fprintf(
        out,
        ",\"eventTime\":\"%s\",\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"%s%s\","
        "\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"10.%u.%u.%u\",\"userAgent\":\"%s\",",
        text, services[service], verbs[skewed(10)], nouns[skewed(13)], pick(255), pick(255),
        pick(255), agents[user % 4]);
    if (pick(20) == 0)
        fprintf(
            out,
            "\"errorCode\":\"AccessDenied\",\"errorMessage\":\"User: "
            "arn:aws:iam::%012u:user/user-%u is not authorized to perform: %s on resource: "
            "arn:aws:%s:eu-central-1:%012u:* because no identity-based policy allows the action\",",
            account, user, verbs[user % 10], services[service], account);
    write_parameters(out, kind, account);
    fprintf(out,
            ",\"additionalEventData\":{\"bytesTransferredIn\":%u,\"bytesTransferredOut\":%u,\"x-"
            "amz-id-2\":\"%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "=\"}",
            pick(1u << 22), pick(5000), next_random(), next_random(), next_random());
    fprintf(out,
            ",\"requestID\":\"%08x-%04x-4%03x-8%03x-%012" PRIx64
            "\",\"eventID\":\"%08x-0000-4000-8000-%012" PRIx64
            "\",\"readOnly\":%s,\"eventType\":\"AwsApiCall\",\"managementEvent\":%s,"
            "\"recipientAccountId\":\"%012u\",\"eventCategory\":\"%s\",\"tlsDetails\":{"
            "\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\","
            "\"clientProvidedHostHeader\":\"%s.eu-central-1.amazonaws.com\"}}\n",
            (unsigned)next_random(), (unsigned)next_random() & 0xffff,
            (unsigned)next_random() & 0xfff, (unsigned)next_random() & 0xfff, next_random() >> 16,
            (unsigned)next_random(), number, kind == 1 ? "true" : "false", kind ? "true" : "false",
            account, kind ? "Management" : "Data", services[service]);
}

void
event_write(FILE *out, uint64_t number)
{
    char text[32];
    struct tm tm;
    time_t now = BASE_S + (time_t)(number / 50);
    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (shape == SHORT)
        write_log_line(out, number, text);
    else if (shape == LARGE)
        write_inventory(out, number, text);
    else if (shape == RANDOM)
        write_random_event(out, number, text);
    else
        write_mixed(out, number, text, now);
}
