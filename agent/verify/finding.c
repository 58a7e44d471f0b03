/* What was found, in one place: counted, and told. */
#include <stdarg.h>
#include <stdio.h>

#include "agent/verify/verify_impl.h"

static const struct {
    const char *text;
    bool fine;
} findings[] = {
#define X(name, is_fine, text) { text, is_fine },
    HF_FINDING_TABLE(X)
#undef X
};

const char *
hf_finding_text(enum hf_finding finding)
{
    return (size_t)finding < HF_COUNT(findings) ? findings[finding].text : "unknown";
}

bool
hf_finding_fine(enum hf_finding finding)
{
    return (size_t)finding < HF_COUNT(findings) && findings[finding].fine;
}

void
verify_report(struct verify *v, enum hf_finding finding, const char *key, const char *format, ...)
{
    char detail[2 * HF_KEY_MAX + 1024];
    va_list args;

    if (v->quiet || (finding == HF_ADVISORY && v->said.advisory))
        return;
    v->said.advisory |= finding == HF_ADVISORY; /* of the store, and so of all that lies in it */
    v->result->findings[finding]++;
    if (key && !hf_finding_fine(finding))
        heads_named(v, key, finding);
    if (!v->options->finding)
        return;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    /* Metadata is anybody's who can write there: it must neither begin a line nor steer a terminal.
     */
    hf_mask_controls(detail);
    v->options->finding(v->options->context, finding, key, detail);
}

void
verify_tell(struct verify *v, struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct note *note = &notes->items[i];
        verify_report(v, note->finding, note->key, "%s", note->detail);
    }
    notes_done(notes);
}

void
verify_progress(struct verify *v)
{
    const struct hf_verify_result *result = v->result;

    if (v->options->progress)
        v->options->progress(v->options->context, result->digests, result->objects,
                             v->objects_known);
}
