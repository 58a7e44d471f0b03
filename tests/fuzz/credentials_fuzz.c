/* Any bytes as a shared credentials file: what is taken stands in a header line or in a scope, so
 * it has nothing that could end either, and written plainly it is read as the same again. */
#include "agent/s3/s3_impl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_plain(const char *text)
{
    hf_assert(text && *text);
    for (; *text; text++)
        hf_assert(*text > ' ' && *text <= '~');
}

static void
check_again(const struct hf_s3_credentials *first)
{
    const char *token = first->session_token;
    struct hf_s3_credentials again = { .file = NULL };
    hf_owned(hf_freep) char *text = hf_asprintf(
        "[w]\naws_access_key_id=%s\naws_secret_access_key=%s\n%s%s\n", first->access_key,
        first->secret_key, token ? "aws_session_token=" : "", token ? token : "");
    enum hf_status status = hf_s3_credentials_parse(hf_slice_text(text), "w", &again, NULL);
    hf_assert(status == HF_OK && strcmp(first->access_key, again.access_key) == 0 &&
              strcmp(first->secret_key, again.secret_key) == 0 && !token == !again.session_token &&
              (!token || strcmp(token, again.session_token) == 0));
    hf_s3_credentials_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const profiles[] = { "default", "a b" };
    for (size_t i = 0; i < HF_COUNT(profiles); i++) {
        struct hf_s3_credentials credentials = { .file = NULL };
        struct hf_error err = { 0 };
        if (hf_s3_credentials_parse(hf_slice(data, size), profiles[i], &credentials, &err) ==
            HF_OK) {
            check_plain(credentials.access_key);
            check_plain(credentials.secret_key);
            hf_assert(!strpbrk(credentials.access_key, "/,"));
            check_again(&credentials);
        } else {
            hf_assert(err.status == HF_ECREDENTIALS && !credentials.access_key);
        }
        hf_s3_credentials_done(&credentials);
    }
    return 0;
}
