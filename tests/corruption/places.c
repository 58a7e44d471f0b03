#include "tests/corruption/places.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM 64 /* unused bytes behind the last used one */

static const struct {
    const char *word, *text;
} kinds[] = {
#define X(name, word, text) { word, text },
    KIND_TABLE(X)
#undef X
};

const char *
kind_word(enum place_kind kind)
{
    return kinds[kind].word;
}

const char *
kind_text(enum place_kind kind)
{
    return kinds[kind].text;
}

static void
add(const struct scene *scene, struct places *places, enum place_kind kind, size_t head,
    const char *name)
{
    char path[HF_PATH_MAX];
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(64u << 20);
    stage_path(&scene->stage, name, path);
    if (hf_fs_read_file(path, 64u << 20, &bytes, &err) != HF_OK)
        stage_die("%s", err.text);
    size_t used = bytes.size;
    while (used > 0 && bytes.ptr[used - 1] == 0)
        used--;
    struct place_file *file = &places->files[places->count++];
    *file =
        (struct place_file){ .kind = kind, .size = HF_MIN(used + ROOM, bytes.size), .head = head };
    snprintf(file->name, sizeof(file->name), "%s", name);
    if (places->count == PLACES_MAX)
        stage_die("too many files");
}

/* "wFIRST-LAST.GENERATION" */
static void
add_sealed(const struct scene *scene, struct places *places, const char *name, const char *file)
{
    char *end;
    uint64_t first = strtoull(file + 1, &end, 10), last = strtoull(end + 1, NULL, 10);
    add(scene, places, first < scene->oldest_seq ? KIND_RELEASED : KIND_HELD, 12, name);
    places->files[places->count - 1].first_seq = first;
    places->files[places->count - 1].last_seq = last;
}

static void
find_in(const struct scene *scene, struct places *places, const char *folder, const char *trail)
{
    char path[HF_PATH_MAX], **names;
    size_t count;
    struct hf_error err;
    stage_path(&scene->stage, folder, path);
    if (hf_fs_list(path, 1000, &names, &count, &err) != HF_OK)
        stage_die("%s", err.text);
    for (size_t i = 0; i < count; i++) {
        char name[120];
        snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
        if (!trail)
            add(scene, places, KIND_JOURNAL, 0, name);
        else if (*names[i] == 'w')
            add_sealed(scene, places, name, names[i]);
        else
            add(scene, places, KIND_DIGEST, 12, name);
    }
    hf_fs_names_free(names, count);
}

void
places_find(const struct scene *scene, struct places *ret_places)
{
    *ret_places = (struct places){ .count = 0 };
    find_in(scene, ret_places, "state/journal", NULL);
    for (size_t t = 0; t < HF_COUNT(stage_trails); t++) {
        char name[120];
        snprintf(name, sizeof(name), "state/trails/%s/sealed", stage_trails[t]);
        find_in(scene, ret_places, name, stage_trails[t]);
        snprintf(name, sizeof(name), "state/trails/%s/ledger", stage_trails[t]);
        add(scene, ret_places, KIND_LEDGER, 40, name);
        snprintf(name, sizeof(name), "state/trails/%s/ledger.copy", stage_trails[t]);
        add(scene, ret_places, KIND_COPY, 40, name);
    }
    add(scene, ret_places, KIND_SETTINGS, 0, "state/trails/sealed/trail.json");
    add(scene, ret_places, KIND_IDENTITY, 0, "state/identity");
}

/* Of a journal segment the headers are larger than the rest is interesting: their used fields,
 * and where the first batch begins. */
static bool
is_head(const struct place_file *file, size_t at)
{
    if (file->kind != KIND_JOURNAL)
        return at < file->head;
    return (at % 4096 < 72 && at < 8192) || (at >= 4092 && at < 4096) ||
           (at >= 8188 && at < 8192 + 88);
}

struct place *
places_choose(const struct places *places, enum place_kind kind, size_t most, unsigned long seed,
              size_t *ret_count)
{
    size_t bytes = 0, count = 0, passed = 0;
    for (size_t i = 0; i < places->count; i++)
        bytes += places->files[i].kind == kind ? places->files[i].size : 0;
    size_t step = most ? HF_MAX(bytes / most, 1) : 1, shift = seed % step;
    struct place *chosen = hf_alloc((bytes + 1) * sizeof(*chosen));
    for (size_t i = 0; i < places->count; i++) {
        const struct place_file *file = &places->files[i];
        for (size_t at = 0; file->kind == kind && at < file->size; at++, passed++) {
            bool head =
                is_head(file, at) && (step < 8 || passed % (step / 8) == shift % (step / 8));
            if (passed % step == shift || head)
                chosen[count++] = (struct place){ file, at };
        }
    }
    *ret_count = count;
    return chosen;
}

void
place_damage(const struct place *place, const struct stage *stage)
{
    char path[HF_PATH_MAX];
    uint8_t byte;
    struct hf_error err;
    size_t got;
    hf_owned(hf_fs_close) int fd = -1;
    stage_path(stage, place->file->name, path);
    if (hf_fs_open(path, O_RDWR, 0, &fd, &err) != HF_OK ||
        hf_fs_pread(fd, &byte, 1, (off_t)place->at, &got, &err) != HF_OK)
        stage_die("%s", err.text);
    byte ^= (uint8_t)(1u << (place->at * 5 % 8));
    if (hf_fs_pwrite(fd, &byte, 1, (off_t)place->at, &err) != HF_OK)
        stage_die("%s", err.text);
}
