/* Lists of texts: of a configuration, of keys, of paths. */
#include "agent/base/base_impl.h"

#include <stdlib.h>

void
hf_strings_take(struct hf_strings *strings, char *text)
{
    /* The room doubles whenever it is used up, which is at the powers of two. */
    if ((strings->count & (strings->count - 1)) == 0)
        strings->items =
            hf_realloc(strings->items, HF_MAX(2 * strings->count, 1u) * sizeof(*strings->items));
    strings->items[strings->count++] = text;
}

void
hf_strings_add(struct hf_strings *strings, const char *text)
{
    hf_strings_take(strings, hf_strdup(text));
}

void
hf_strings_done(struct hf_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct hf_strings){ .items = NULL };
}
