/* holdfast config sample, holdfast config reference */
#include "commands.h"
#include "say.h"

#include <stdio.h>

static int
print(const struct options *options, enum hf_status (*make)(struct hf_buf *ret_text))
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    struct hf_error err = { 0 };
    enum hf_status status = make(&text);
    if (status != HF_OK) {
        (void)hf_fail(&err, HF_EINTERNAL, "the text is larger than expected");
        return say_failure(options, HF_EINTERNAL, &err);
    }
    fwrite(text.ptr, 1, text.size, stdout);
    return say_done(EXIT_WELL);
}

int
cmd_config_sample(const struct options *options)
{
    return print(options, hf_config_sample);
}

int
cmd_config_reference(const struct options *options)
{
    return print(options, hf_config_reference);
}
