/* Files in whose place another one was put: the last one of each path. The new one may be the same
 * log, longer: what rsync makes, or an overlay that copies a file up. */
#include "agent/intake/file/file_impl.h"

struct hf_file *
hf_replaced_find(struct hf_file_source *source, const char *path)
{
    struct hf_table_link *link = hf_table_find(&source->by.replaced, hf_slice_text(path));
    return link ? hf_container_of(link, struct hf_file, replaced.link) : NULL;
}

void
hf_replaced_remove(struct hf_file *file)
{
    hf_table_remove(&file->source->by.replaced, &file->replaced.link);
}

void
hf_replaced_add(struct hf_file *file, bool witnessed)
{
    struct hf_file *older = hf_replaced_find(file->source, file->path.text);
    if (older == file)
        return;
    if (older)
        hf_replaced_remove(older);
    file->replaced.witnessed = witnessed;
    hf_assert(hf_table_add(&file->source->by.replaced, hf_slice_text(file->path.text),
                           &file->replaced.link));
}
