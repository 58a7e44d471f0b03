/* Waking: a file that slept is opened. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"

struct hf_file *
hf_sleeper_wake(struct hf_file_source *source, struct hf_orphan *sleeper)
{
    const struct hf_file_id id = sleeper->position.id;
    struct hf_file *file = hf_file_open(source, sleeper->position.path);
    if (file && hf_file_id_same(&file->id, &id)) {
        if (!hf_found_matches(&source->source.config, file->path.text))
            hf_file_name(file, HF_NAME_GONE, NULL); /* renamed out of the pattern */
        return file;
    }
    sleeper = hf_orphan_by_id(source, &id);
    if (sleeper && hf_is_asleep(sleeper)) { /* it is not there, or cannot be opened now */
        sleeper->sleep.size = HF_CHANGED;
        hf_orphan_queue(source, sleeper, HF_SLEEPERS_SEEN);
        hf_file_scan_soon(source);
    }
    return NULL;
}

bool
hf_sleepers_wake_next(struct hf_file_source *source)
{
    struct hf_orphan *sleeper = hf_orphan_in(source, HF_SLEEPERS_WAKING);
    if (!sleeper || !hf_file_has_room(source))
        return false;
    (void)hf_sleeper_wake(source, sleeper);
    return true;
}
