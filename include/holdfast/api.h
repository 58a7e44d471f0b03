/* api: the part of CloudTrail's API that the AWS CLI needs to check a trail: DescribeTrails,
 * GetTrailStatus, ListPublicKeys.
 *
 * AWS JSON 1.1 over HTTP. It only reads, and only what is public, so requests are not
 * authenticated: whoever reaches the port may ask. It knows nothing of the agent or of files; what
 * it tells comes from the two callbacks.
 */
#ifndef HOLDFAST_API_H
#define HOLDFAST_API_H

#include <holdfast/base.h>
#include <jansson.h>

#define HF_API_BODY_MAX (64u << 10)
#define HF_API_ARN_SIZE 512

struct hf_api_trail { /* texts borrowed; NULL for what is not set */
    const char *name, *bucket, *prefix, *organization, *kms_key_id;
};

struct hf_api_options {
    const char *account, *region;
    const struct hf_api_trail *trails;
    size_t trail_count;
    /* else only requests are answered whose Host header is the loopback's: a page in a browser
     * may have its own name resolve to it */
    bool any_host;
    /* {"keys":[...]} as `holdfast key list --json` prints it; asked anew for each request. A new
     * reference, or NULL with the reason. */
    json_t *(*keys)(void *context, struct hf_error *err);
    /* The agent's answer to "status"; NULL when none answers. A new reference. */
    json_t *(*agent_status)(void *context);
    void *context;
};

/* arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME */
void hf_api_trail_arn(const struct hf_api_options *options, const char *name,
                      char ret_arn[HF_API_ARN_SIZE]);

/* Answers one request without any network: `target` is the X-Amz-Target header or NULL. Adds the
 * JSON to `ret_body` and returns the HTTP status; errors are {"__type":CODE,"message":TEXT}. */
int hf_api_answer(const struct hf_api_options *options, const char *target, struct hf_slice body,
                  struct hf_buf *ret_body);

/* Serves until SIGTERM or SIGINT. Port 0 takes a free one. `ready` is called once the socket
 * listens. */
enum hf_status hf_api_serve(const struct hf_api_options *options, const char *address,
                            uint16_t port,
                            void (*ready)(void *context, const char *address, uint16_t port),
                            struct hf_error *err) hf_must_check;

#endif
