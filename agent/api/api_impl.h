/* Inside of api: one function per operation. Each gives its answer, or NULL with `error` filled. */
#ifndef HOLDFAST_API_IMPL_H
#define HOLDFAST_API_IMPL_H

#include <holdfast/api.h>

struct api_error {
    int http_status;
    const char *code; /* CloudTrail's name of the exception */
    char text[512];
};

json_t *api_fail(struct api_error *error, const char *code, const char *format, ...)
    hf_printf(3, 4); /* 400; always NULL */

json_t *api_describe_trails(const struct hf_api_options *options, const json_t *request,
                            struct api_error *error);
json_t *api_get_trail_status(const struct hf_api_options *options, const json_t *request,
                             struct api_error *error);
json_t *api_list_public_keys(const struct hf_api_options *options, const json_t *request,
                             struct api_error *error);

#endif
