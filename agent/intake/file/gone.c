/* Files whose name is gone, and the states that are left of files that are not open ("orphans").
 *
 * After a restart an orphan may still lie in its directory under another name: rotated while nobody
 * looked. Then it is read to its end. One that is nowhere is reported once: what was written to it
 * after the last look is unknown. A directory that is not there at all (not mounted yet) says
 * nothing. */
#include "agent/intake/file/file_impl.h"

#include <string.h>

#define NAMES_MAX 100000

/* ---- the list ---- */

static void
load_one(void *context, const char *key, struct hf_slice value)
{
    struct hf_file_source *source = context;
    struct hf_position state;
    if (hf_position_decode(key, value, &state))
        hf_orphan_add(source, state);
}

void
hf_orphans_load(struct hf_file_source *source)
{
    hf_owned(hf_freep) char *prefix = hf_asprintf("file/%s/", source->source.config.name);
    hf_journal_each_state(source->source.intake->journal, prefix, load_one, source);
}

void
hf_orphan_add(struct hf_file_source *source, struct hf_position state)
{
    source->orphans =
        hf_realloc(source->orphans, (source->orphan_count + 1) * sizeof(*source->orphans));
    source->orphans[source->orphan_count++] = state;
}

static void
remove_at(struct hf_file_source *source, size_t i)
{
    hf_freep(&source->orphans[i].path);
    source->orphans[i] = source->orphans[--source->orphan_count];
}

void
hf_orphans_free(struct hf_file_source *source)
{
    while (source->orphan_count > 0)
        remove_at(source, source->orphan_count - 1);
    hf_freep(&source->orphans);
}

/* ---- a file was opened: is it one of them? ---- */

static enum hf_status
matches(const struct hf_file *file, uint64_t size, const struct hf_position *state,
        bool *ret_matches, struct hf_print *ret_print, struct hf_error *err)
{
    *ret_matches = false;
    if (size < state->print.offset)
        return HF_OK;
    enum hf_status status = hf_print_read(file->fd, state->print.offset, ret_print, err);
    *ret_matches = status == HF_OK && hf_print_same(ret_print, &state->print);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

/* Its device may have got another number (a reboot, a volume), or it was restored. With little
 * content a match means nothing: taking another file for it would skip that one's first events. */
static bool
may_be_renumbered(const struct hf_file *file, const struct hf_position *state)
{
    return state->print.offset >= HF_PRINT_BYTES ||
           (state->print.offset > 0 && state->id.birth_ns != 0 &&
            state->id.birth_ns == file->id.birth_ns && state->id.ino == file->id.ino);
}

static void
go_on(struct hf_file *file, const struct hf_position *state, const struct hf_print *print)
{
    hf_file_go_on(file, print);
    file->line.parts = state->line_parts;
    file->line.bytes = state->line_bytes;
    file->fresh = state->fresh;
}

static void
take_over(struct hf_file *file, const struct hf_position *state, const struct hf_print *print)
{
    file->fresh = false;
    file->dirty = true;
    file->moved = state->moved || strcmp(state->path, file->path) != 0;
    if (print) {
        go_on(file, state, print);
        return;
    }
    hf_truncated_add(file->source, &state->print);
    if (!state->done && !state->reported && state->print.offset > 0)
        file->gap =
            (struct hf_file_gap){ .reason = "truncated or replaced while it was not watched",
                                  .from = state->print.offset };
}

enum hf_status
hf_orphan_adopt(struct hf_file *file, uint64_t size, struct hf_error *err)
{
    struct hf_file_source *source = file->source;
    struct hf_print print;
    bool same;
    for (size_t i = 0; i < source->orphan_count; i++) {
        if (!hf_file_id_same(&source->orphans[i].id, &file->id))
            continue;
        enum hf_status status = matches(file, size, &source->orphans[i], &same, &print, err);
        if (status != HF_OK)
            return status;
        take_over(file, &source->orphans[i], same ? &print : NULL);
        remove_at(source, i);
        return HF_OK;
    }
    for (size_t i = 0; i < source->orphan_count; i++) {
        struct hf_position *state = &source->orphans[i];
        char key[HF_FILE_KEY_SIZE];
        if (!may_be_renumbered(file, state))
            continue;
        enum hf_status status = matches(file, size, state, &same, &print, err);
        if (status != HF_OK)
            return status;
        if (!same)
            continue;
        hf_file_key(source->source.config.name, &state->id, key);
        take_over(file, state, &print);
        file->old_key = hf_strdup(key);
        remove_at(source, i);
        return HF_OK;
    }
    return HF_OK;
}

/* ---- looking for the others ---- */

static bool
is_missing(const struct hf_position *state)
{
    return !state->done && !state->reported && !state->present;
}

/* Nothing is left to do about it but to forget it some day. */
static bool
is_settled(const struct hf_position *state)
{
    return state->done || state->reported;
}

static void
directory_of(const char *path, char ret_directory[HF_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash && slash != path ? (size_t)(slash - path) : 1;
    hf_assert(size < HF_PATH_MAX);
    memcpy(ret_directory, path, size);
    ret_directory[size] = '\0';
}

/* Names in the directory that missing files have now. */
static enum hf_status
find_renamed(struct hf_file_source *source, const char *directory, struct hf_strings *ret_paths)
{
    char **names, path[HF_PATH_MAX];
    size_t count;
    enum hf_status status = hf_fs_list(directory, NAMES_MAX, &names, &count, NULL);
    if (status != HF_OK)
        return status;
    for (size_t n = 0; n < count; n++) {
        struct hf_fs_identity who;
        if (strlen(directory) + 1 + strlen(names[n]) >= sizeof(path))
            continue;
        hf_path_join(path, sizeof(path), directory, names[n]);
        if (hf_fs_identify(-1, path, &who, NULL) != HF_OK || !S_ISREG(who.mode))
            continue;
        struct hf_file_id id = { .dev = who.dev, .ino = who.ino, .birth_ns = who.birth_ns };
        for (size_t i = 0; i < source->orphan_count; i++)
            if (is_missing(&source->orphans[i]) && hf_file_id_same(&source->orphans[i].id, &id)) {
                hf_strings_add(ret_paths, path);
                source->orphans[i].present = true;
            }
    }
    hf_fs_names_free(names, count);
    return HF_OK;
}

static enum hf_status
report(struct hf_unit *unit, const struct hf_position *state)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    struct hf_position reported = *state;
    reported.reported = true;
    hf_assert(hf_position_encode(&reported, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &state->id, key);
    enum hf_status status = hf_unit_gap(
        unit, state->path, "gone; what was written to it after the last look is unknown",
        state->print.offset, 0);
    return status == HF_OK ? hf_unit_set_state(unit, key, hf_buf_slice(&value)) : status;
}

/* Those of this directory; it was just looked through. */
static void
report_missing(struct hf_file_source *source, const char *directory)
{
    struct hf_unit unit;
    char other[HF_PATH_MAX];
    if (hf_unit_begin(&unit, &source->source) != HF_OK)
        return; /* the next scan tries again */
    for (size_t i = 0; i < source->orphan_count; i++) {
        directory_of(source->orphans[i].path, other);
        if (!is_missing(&source->orphans[i]) || strcmp(other, directory) != 0)
            continue;
        if (report(&unit, &source->orphans[i]) != HF_OK)
            return;
    }
    hf_unit_commit(&unit);
    for (size_t i = 0; i < source->orphan_count; i++) {
        directory_of(source->orphans[i].path, other);
        if (is_missing(&source->orphans[i]) && strcmp(other, directory) == 0)
            source->orphans[i].reported = true;
    }
}

static void
look_in(struct hf_file_source *source, const char *directory)
{
    struct hf_strings paths = { NULL, 0 };
    if (find_renamed(source, directory, &paths) != HF_OK)
        return;
    for (size_t i = 0; i < paths.count; i++) {
        struct hf_file *file = hf_file_open(source, paths.items[i]);
        if (file)
            file->ending = true;
    }
    bool missing = false;
    for (size_t i = 0; i < source->orphan_count; i++) {
        char other[HF_PATH_MAX];
        directory_of(source->orphans[i].path, other);
        missing |= is_missing(&source->orphans[i]) && strcmp(other, directory) == 0;
    }
    if (missing)
        report_missing(source, directory);
    hf_paths_done(&paths);
}

static size_t
count_old(const struct hf_file_source *source, int64_t now_s)
{
    size_t old = 0;
    for (size_t i = 0; i < source->orphan_count; i++)
        old += is_settled(&source->orphans[i]) && now_s - source->orphans[i].seen_s > HF_ORPHAN_S;
    return old;
}

static void
forget_old(struct hf_file_source *source)
{
    struct hf_unit unit;
    int64_t now_s = hf_wall_s(), keep_s = HF_ORPHAN_S;
    if (source->orphan_count > HF_ORPHANS_MAX)
        keep_s = 0;
    else if (count_old(source, now_s) == 0)
        return;
    if (hf_unit_begin(&unit, &source->source) != HF_OK)
        return;
    for (size_t i = source->orphan_count; i-- > 0;) {
        char key[HF_FILE_KEY_SIZE];
        struct hf_position *state = &source->orphans[i];
        if (!is_settled(state) || now_s - state->seen_s <= keep_s)
            continue;
        hf_file_key(source->source.config.name, &state->id, key);
        if (hf_unit_set_state(&unit, key, hf_slice(NULL, 0)) != HF_OK)
            return;
        remove_at(source, i);
    }
    hf_unit_commit(&unit);
}

void
hf_orphans_look(struct hf_file_source *source)
{
    struct hf_strings directories = { NULL, 0 };
    for (size_t i = 0; i < source->orphan_count; i++) {
        char directory[HF_PATH_MAX];
        bool known = false;
        source->orphans[i].present = false;
        if (!is_missing(&source->orphans[i]))
            continue;
        directory_of(source->orphans[i].path, directory);
        for (size_t d = 0; d < directories.count; d++)
            known |= strcmp(directories.items[d], directory) == 0;
        if (!known)
            hf_strings_add(&directories, directory);
    }
    for (size_t d = 0; d < directories.count; d++)
        look_in(source, directories.items[d]);
    hf_paths_done(&directories);
    forget_old(source);
    hf_file_tick_soon(source);
}

/* ---- files that came and went before they could be opened ---- */

void
hf_file_report_vanished(struct hf_file_source *source)
{
    struct hf_unit unit;
    if (source->vanished.count == 0 || hf_unit_begin(&unit, &source->source) != HF_OK)
        return;
    for (size_t i = 0; i < source->vanished.count; i++)
        if (hf_unit_gap(&unit, source->vanished.items[i], "gone before it could be opened", 0, 0) !=
            HF_OK)
            return;
    hf_unit_commit(&unit);
    hf_paths_done(&source->vanished);
}
