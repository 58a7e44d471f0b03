/* Any bytes as the file of `validate --state`, and as a head on the command line: refused, or a head
 * that is the same after it was written. */
#include "agent/cli/head.h"
#include "agent/cli/memory.h"
#include "tests/fuzz/scratch.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_at_text(const uint8_t *data, size_t size)
{
    hf_owned(hf_freep) char *text = hf_strndup((const char *)data, size);
    struct hf_head head, again;
    char written[HEAD_TEXT_SIZE];

    if (!head_parse(text, &head))
        return;
    head_text(&head, written);
    must(head_parse(written, &again), "a head that was written cannot be read");
    must(strcmp(head.chain, again.chain) == 0 && head.number == again.number &&
             strcmp(head.sha256, again.sha256) == 0,
         "a head that was written reads as another");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_layout layout = {
        .prefix = "p", .account = "000000000000", .region = "local", .trail = "main"
    };
    static const struct hf_verify_result seen = { .digests = 0 };
    hf_owned(hf_freep) char *path = hf_asprintf("%s/state", scratch_folder());
    struct hf_head head, again;
    struct memory memory;
    char detail[512];

    look_at_text(data, size);
    scratch_put("state", data, size);
    if (memory_open(path, "logs", &layout, &memory, NULL) == HF_OK) {
        bool known = memory_head(&memory, &head);
        (void)memory_contradiction(&memory, detail, sizeof(detail));
        if (known && memory_accept(&memory, head.sha256, NULL) == HF_OK)
            must(!memory_contradiction(&memory, detail, sizeof(detail)),
                 "accepted, and still there");
        bool kept = memory_head(&memory, &head);
        must(kept == known, "a head that was accepted away");
        memory_see(&memory, &seen, HF_KNOWN_UNSEEN, NULL);
        must(memory_save(&memory, NULL) == HF_OK, "what was read cannot be written");
        memory_close(&memory);
        must(memory_open(path, "logs", &layout, &memory, NULL) == HF_OK,
             "what was written cannot be read");
        must(memory_head(&memory, &again) == kept, "what was written has another head");
        must(!kept || strcmp(head.sha256, again.sha256) == 0, "what was written has another head");
    }
    memory_close(&memory);
    return 0;
}
