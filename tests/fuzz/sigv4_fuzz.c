/* Lines "?name=value" (query) and "name: value" (header) are canonicalised. The result must not
 * depend on their order, as long as no header comes twice, and an encoded query must consist of
 * nothing but unreserved bytes. */
#include "agent/s3/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAIRS 16

struct input {
    struct hf_s3_pair query[PAIRS], headers[PAIRS];
    size_t query_count, header_count;
};

static void
take_line(char *line, struct input *input)
{
    char *value = strchr(line, *line == '?' ? '=' : ':');

    if (value)
        *value++ = 0;
    if (*line == '?' && input->query_count < PAIRS)
        input->query[input->query_count++] = (struct hf_s3_pair){ line + 1, value };
    else if (*line && value && input->header_count < PAIRS)
        input->headers[input->header_count++] = (struct hf_s3_pair){ line, value };
}

static bool
has_repeated_header(const struct input *input)
{
    for (size_t i = 0; i < input->header_count; i++) {
        for (size_t k = i + 1; k < input->header_count; k++) {
            if (strcasecmp(input->headers[i].name, input->headers[k].name) == 0)
                return true;
        }
    }
    return false;
}

static void
reverse(struct hf_s3_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct hf_s3_pair kept = pairs[i];

        pairs[i] = pairs[count - 1 - i];
        pairs[count - 1 - i] = kept;
    }
}

static void
canonicalise(const struct input *input, struct hf_buf *ret_text)
{
    struct hf_buf names hf_owned(hf_buf_done) = HF_BUF(1 << 20);
    struct hf_sigv4_input request = {
        .method = "GET",
        .path = "/",
        .query = input->query,
        .query_count = input->query_count,
        .headers = input->headers,
        .header_count = input->header_count,
        .payload_sha256 = "",
    };

    hf_assert(hf_sigv4_canonical(&request, ret_text, &names) == HF_OK);
}

static void
check_query(const struct input *input)
{
    struct hf_buf text hf_owned(hf_buf_done) = HF_BUF(1 << 20);

    hf_assert(hf_sigv4_query(input->query, input->query_count, &text) == HF_OK);
    for (const char *at = hf_buf_text(&text); *at; at++)
        hf_assert((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                  (*at >= '0' && *at <= '9') || strchr("-._~%=&", *at));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_buf first hf_owned(hf_buf_done) = HF_BUF(1 << 20);
    struct hf_buf second hf_owned(hf_buf_done) = HF_BUF(1 << 20);
    struct input input = { .query_count = 0 };
    char *text = hf_strndup((const char *)data, HF_MIN(size, 4096)), *rest = text;

    for (char *line; (line = strsep(&rest, "\n"));)
        take_line(line, &input);
    check_query(&input);
    canonicalise(&input, &first);
    if (!has_repeated_header(&input)) {
        reverse(input.query, input.query_count);
        reverse(input.headers, input.header_count);
        canonicalise(&input, &second);
        hf_assert(hf_slice_equal(hf_buf_slice(&first), hf_buf_slice(&second)));
    }
    free(text);
    return 0;
}
