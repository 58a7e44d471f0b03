/* A drain: everything that matches when it is asked for is read as far as it goes then, or is named.
 * What waits rightly is through: half a line, and NUL bytes at the end. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/orphans.h"
#include "agent/intake/file/reading.h"

#include <string.h>

/* ---- what could not be opened, or looked at ---- */

void
hf_file_unread_add(struct hf_file_source *source, const char *path, const char *why)
{
    if (source->unread.names.count == 0)
        hf_problem_set(source->unread.why, why);
    hf_merged_add(&source->unread.names, path);
}

/* "source app: 3 not read: '/a', '/b': why" and a newline; NULL: there are none. */
static char *
text_of(const struct hf_file_source *source, const struct hf_merged *names, const char *why)
{
    char *text = NULL;
    for (size_t i = 0; i < names->names.count; i++) {
        hf_owned(hf_freep) char *before = text, *name = hf_strdup(names->names.items[i]);
        hf_plain_text(name);
        text = before ? hf_asprintf("%s, '%s'", before, name)
                      : hf_asprintf("source %s: %llu not read: '%s'", source->source.config.name,
                                    (unsigned long long)names->count, name);
    }
    if (!text)
        return NULL;
    hf_owned(hf_freep) char *before = text;
    return hf_asprintf("%s%s: %s\n", before, names->count > names->names.count ? ", ..." : "", why);
}

/* ---- how far it has come ---- */

/* A line that lacks its newline may still grow: what is known to be one counts as read. */
static bool
is_behind(const struct hf_file *file)
{
    return file->print.offset + file->partial < file->drain_to;
}

/* What the scan found that has just ended. */
void
hf_file_drain_mark(struct hf_file_source *source)
{
    source->drain.due = false;
    for (struct hf_file *file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all)) {
        struct hf_fs_identity who;
        if (hf_fs_identify(file->fd, NULL, &who, NULL) == HF_OK)
            file->drain_to = who.size;
        hf_file_put_on(file, HF_LIST_DRAINING, is_behind(file));
    }
    hf_freep(&source->drain.unread);
    source->drain.unread = text_of(source, &source->unread.names, source->unread.why);
}

/* Asked after each block: those that are through are not looked at again. One that may be a copy is
 * waited for; one that cannot be read is not, and named. */
bool
hf_file_drain_is_over(struct hf_file_source *source)
{
    if (source->stopped)
        return true;
    if (source->drain.due || source->noted.vanished.count > 0)
        return false;
    struct hf_file *file, *next;
    for (file = LIST_FIRST(&source->on[HF_LIST_DRAINING]); file; file = next) {
        next = LIST_NEXT(file, on[HF_LIST_DRAINING].entry);
        if (!is_behind(file))
            hf_file_put_on(file, HF_LIST_DRAINING, false);
        else if (!file->failed)
            return false;
    }
    return true;
}

static const char *
why_not(const struct hf_file *file)
{
    if (file->failed)
        return "it cannot be read; `holdfast status` says why";
    if (file->state == HF_FILE_HELD)
        return "it waits, because it may be a copy of a file that is read";
    return file->source->source.pressure.blocked ? "the journal takes nothing" : "it is still read";
}

/* What is not read of what was there; NULL: all is. The caller's. */
char *
hf_file_drain_text(const struct hf_file_source *source)
{
    struct hf_merged behind = { .count = 0 };
    const struct hf_file *file = LIST_FIRST(&source->on[HF_LIST_DRAINING]);
    const char *why = file ? why_not(file) : "";
    for (; file && behind.count <= HF_MERGED_NAMES;
         file = LIST_NEXT(file, on[HF_LIST_DRAINING].entry))
        hf_merged_add(&behind, file->path.text);
    hf_owned(hf_freep) char *text = text_of(source, &behind, why);
    hf_merged_done(&behind);
    if (!text && !source->drain.unread)
        return NULL;
    return hf_asprintf("%s%s", source->drain.unread ? source->drain.unread : "", text ? text : "");
}
