/* What the metrics' listener and its parser share. */
#ifndef HOLDFAST_DAEMON_METRICS_IMPL_H
#define HOLDFAST_DAEMON_METRICS_IMPL_H

#include <holdfast/base.h>

#define METRICS_REQUEST_MAX 8192 /* line and headers */

enum metrics_request {
    METRICS_REQUEST_MORE, /* the head is not whole yet */
    METRICS_REQUEST_GET,
    METRICS_REQUEST_HEAD,
    METRICS_REQUEST_ELSEWHERE, /* another path */
    METRICS_REQUEST_METHOD,    /* another method */
    METRICS_REQUEST_LONG,
    METRICS_REQUEST_BAD, /* no HTTP/1 */
};
enum metrics_request metrics_request_parse(struct hf_slice bytes);

#endif
