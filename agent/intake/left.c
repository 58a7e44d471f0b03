/* Positions of sources that are not configured: of one that was taken out, or that has another name
 * now and began anew under it. They stay, in case that the name comes back; it is said. */
#include "agent/intake/intake_impl.h"

#include <stdlib.h>
#include <string.h>

void
hf_left_done(struct hf_intake *intake)
{
    for (size_t i = 0; i < intake->left_count; i++)
        free((void *)(uintptr_t)intake->left[i].source);
    hf_freep(&intake->left);
    intake->left_count = 0;
}

struct looking {
    struct hf_intake *intake;
    size_t prefix;
};

static bool
is_configured(const struct hf_intake *intake, struct hf_slice name)
{
    for (size_t i = 0; i < intake->source_count; i++)
        if (hf_slice_is(name, intake->sources[i]->config.name))
            return true;
    return false;
}

/* "file/NAME/POSITION": those of one name come one after the other. */
static void
visit(void *context, const char *key, struct hf_slice value)
{
    const struct looking *looking = context;
    struct hf_intake *intake = looking->intake;
    const char *name = key + looking->prefix, *end = strchr(name, '/');
    (void)value;
    if (!end)
        return;
    struct hf_slice source = hf_slice(name, (size_t)(end - name));
    struct hf_left *last = intake->left_count > 0 ? &intake->left[intake->left_count - 1] : NULL;
    if (last && hf_slice_is(source, last->source)) {
        last->positions++;
        return;
    }
    if (is_configured(intake, source))
        return;
    intake->left = hf_realloc(intake->left, (intake->left_count + 1) * sizeof(*intake->left));
    intake->left[intake->left_count++] =
        (struct hf_left){ .source = hf_asprintf("%.*s", (int)source.size, name), .positions = 1 };
}

void
hf_left_look(struct hf_intake *intake)
{
    hf_left_done(intake);
    for (int type = HF_SOURCE_FILE; type <= HF_SOURCE_STDIN; type++) {
        const char *prefix = hf_source_kind(type)->positions;
        struct looking looking = { .intake = intake, .prefix = prefix ? strlen(prefix) : 0 };
        if (prefix)
            hf_journal_each_state(intake->journal, prefix, visit, &looking);
    }
    for (size_t i = 0; i < intake->left_count; i++)
        hf_log_info("source.positions_left", HF_STR("source", intake->left[i].source),
                    HF_NUM("positions", intake->left[i].positions));
}

const struct hf_left *
hf_intake_left(const struct hf_intake *intake, size_t *ret_count)
{
    *ret_count = intake->left_count;
    return intake->left;
}
