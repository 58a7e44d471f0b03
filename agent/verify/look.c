/* What one look notes, and how much memory it may take. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/verify/look.h"

#include <holdfast/config.h>

const char *
verify_bucket(const struct hf_verify_options *options)
{
    return options->original_bucket ? options->original_bucket : hf_store_bucket(options->store);
}

int64_t
look_now_s(struct hf_store *store)
{
    return hf_wall_s() + HF_MIN(hf_store_skew_s(store), 0);
}

bool
look_is_free(const struct look *look, const struct hf_object_info *info)
{
    return !info->legal_hold &&
           (info->lock_mode == HF_LOCK_NONE || info->retain_until_s <= look->now_s);
}

void
look_note(struct look *look, enum hf_finding finding, const char *key, const char *format, ...)
{
    struct notes *notes = &look->now.notes;
    char detail[2 * HF_KEY_MAX + 1024];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    notes->items = hf_realloc(notes->items, (notes->count + 1) * sizeof(*notes->items));
    notes->items[notes->count++] = (struct note){ finding, hf_strdup(key), hf_strdup(detail) };
}

void
notes_done(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->items[i].key);
        free(notes->items[i].detail);
    }
    free(notes->items);
    *notes = (struct notes){ .count = 0 };
}

void
looked_done(struct looked *looked)
{
    notes_done(&looked->notes);
    hf_buf_done(&looked->content);
}

struct hf_buf
look_buf(const struct look *look, size_t most, size_t beside)
{
    if (look->room)
        most = HF_MIN(most, look->room > beside ? look->room - beside : 1);
    return HF_BUF(most);
}

void
look_see_room(struct look *look, enum hf_status status)
{
    if (look->room && status == HF_ELIMIT)
        look->now.too_large = true;
}
