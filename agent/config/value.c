/* One typed field: from a text, copied, compared, cleared. The defaults of the table take the same way as what is written, so
 * a default out of its own range is caught by the first test that loads anything. */
#include "config_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_SIZE_MAX 4096

static void *
field_of(const struct hf_option *option, void *entry)
{
    return (char *)entry + option->offset;
}

static const void *
read_field(const struct hf_option *option, const void *entry)
{
    return (const char *)entry + option->offset;
}

static void hf_printf(2, 3) say(char *ret_reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ret_reason, HF_REASON_SIZE, format, args);
    va_end(args);
}

static bool
parse_number(const struct hf_option *option, const char *text, uint64_t *ret_value)
{
    switch (option->type) {
    case HF_OPTION_SIZE: return hf_parse_size(text, ret_value);
    case HF_OPTION_SECONDS: return hf_parse_duration(text, ret_value);
    default: return hf_parse_u64(text, 0, UINT64_MAX, ret_value);
    }
}

static const char *
number_kind(const struct hf_option *option)
{
    switch (option->type) {
    case HF_OPTION_SIZE:
        return "a size; write bytes, or a number with KiB, MiB or GiB, as in 16MiB";
    case HF_OPTION_SECONDS:
        return "a duration; write seconds, or a number with s, m, h or d, as in 5m";
    default: return "a whole number";
    }
}

static bool
ends_with_unit(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && (text[length - 1] < '0' || text[length - 1] > '9');
}

static bool
set_number(const struct hf_option *option, void *entry, const char *text, bool plain,
           char *ret_reason)
{
    char shown[HF_SHOWN_SIZE];
    uint64_t value, least, most;
    hf_show(text, shown, sizeof(shown));
    bool range_known =
        parse_number(option, option->least, &least) && parse_number(option, option->most, &most);
    hf_assert(range_known);
    /* A unit makes a number text in YAML's eyes too; without one, quotes are a mistake. */
    if (!plain && (option->type == HF_OPTION_U64 || !ends_with_unit(text))) {
        say(ret_reason, "\"%s\" in quotes is text; a number is written without them", shown);
        return false;
    }
    if (!parse_number(option, text, &value)) {
        say(ret_reason, "'%s' is not %s", shown, number_kind(option));
        return false;
    }
    if (value < least || value > most) {
        say(ret_reason, "%s is out of range; from %s to %s", shown, option->least, option->most);
        return false;
    }
    *(uint64_t *)field_of(option, entry) = value;
    return true;
}

static bool
set_bool(const struct hf_option *option, void *entry, const char *text, bool plain,
         char *ret_reason)
{
    char shown[HF_SHOWN_SIZE];
    bool is_true = plain && strcmp(text, "true") == 0;
    if (!is_true && !(plain && strcmp(text, "false") == 0)) {
        hf_show(text, shown, sizeof(shown));
        say(ret_reason, "'%s' is not one of true, false%s", shown,
            plain ? "" : " (without quotes)");
        return false;
    }
    *(bool *)field_of(option, entry) = is_true;
    return true;
}

static bool
set_enum(const struct hf_option *option, void *entry, const char *text, char *ret_reason)
{
    struct hf_slice words[HF_OPTION_WORDS_MAX];
    size_t count = hf_option_words(option, words);
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(words[i], text)) {
            *(int *)field_of(option, entry) = (int)i;
            return true;
        }
    }
    char shown[HF_SHOWN_SIZE], names[128];
    hf_show(text, shown, sizeof(shown));
    hf_names_text(words, count, names, sizeof(names));
    say(ret_reason, "'%s' is not one of %s", shown, names);
    return false;
}

char *
hf_path_absolute(const char *folder, const char *path)
{
    bool is_absolute = path[0] == '/';
    if ((is_absolute ? 0 : strlen(folder) + 1) + strlen(path) + 1 > HF_PATH_MAX)
        return NULL;
    if (is_absolute)
        return hf_strdup(path);
    char joined[HF_PATH_MAX];
    hf_path_join(joined, sizeof(joined), folder, path);
    return hf_strdup(joined);
}

/* The text that is kept: itself, or the absolute path. */
static char *
own_text(const struct hf_option *option, const char *text, const char *folder, char *ret_reason)
{
    size_t length = strlen(text);
    if (option->type == HF_OPTION_PATH || option->type == HF_OPTION_PATHS) {
        char *path = length > 0 ? hf_path_absolute(folder, text) : NULL;
        if (!path)
            say(ret_reason,
                length > 0 ? "the path is longer than a path can be" : "empty; write a path");
        return path;
    }
    uint64_t least = 1, most = ITEM_SIZE_MAX;
    if (option->type == HF_OPTION_STRING) {
        bool range_known = hf_parse_u64(option->least, 0, ITEM_SIZE_MAX, &least) &&
                           hf_parse_u64(option->most, 1, ITEM_SIZE_MAX, &most);
        hf_assert(range_known);
    }
    if (length >= least && length <= most)
        return hf_strdup(text);
    char shown[HF_SHOWN_SIZE];
    hf_show(text, shown, sizeof(shown));
    if (least == most)
        say(ret_reason, "'%s' has %zu characters; it needs %s", shown, length, option->least);
    else
        say(ret_reason, "'%s' has %zu characters; from %llu to %llu are possible", shown, length,
            (unsigned long long)least, (unsigned long long)most);
    return NULL;
}

bool
hf_value_set(const struct hf_option *option, void *entry, const char *text, bool plain,
             const char *folder, char ret_reason[HF_REASON_SIZE])
{
    switch (option->type) {
    case HF_OPTION_U64:
    case HF_OPTION_SIZE:
    case HF_OPTION_SECONDS: return set_number(option, entry, text, plain, ret_reason);
    case HF_OPTION_BOOL: return set_bool(option, entry, text, plain, ret_reason);
    case HF_OPTION_ENUM: return set_enum(option, entry, text, ret_reason);
    case HF_OPTION_STRING:
    case HF_OPTION_PATH:
    case HF_OPTION_STRINGS:
    case HF_OPTION_PATHS: break;
    }
    char *own = own_text(option, text, folder, ret_reason);
    if (!own)
        return false;
    if (hf_option_is_list(option)) {
        hf_strings_take(field_of(option, entry), own);
        return true;
    }
    char **field = field_of(option, entry);
    free(*field);
    *field = own;
    return true;
}

void
hf_value_preset(const struct hf_option *option, void *entry)
{
    if (option->preset) {
        char reason[HF_REASON_SIZE];
        bool fits = hf_value_set(option, entry, option->preset, true, "/", reason);
        hf_assert(fits);
    } else if (option->type == HF_OPTION_ENUM) {
        *(int *)field_of(option, entry) = HF_UNSET;
    }
}

void
hf_value_clear(const struct hf_option *option, void *entry)
{
    if (hf_option_is_list(option)) {
        hf_strings_done(field_of(option, entry));
    } else if (option->type == HF_OPTION_STRING || option->type == HF_OPTION_PATH) {
        char **field = field_of(option, entry);
        free(*field);
        *field = NULL;
    }
}

static struct hf_strings
copy_strings(const struct hf_strings *strings)
{
    struct hf_strings copy = { 0 };
    for (size_t i = 0; i < strings->count; i++)
        hf_strings_add(&copy, strings->items[i]);
    return copy;
}

void
hf_value_copy(const struct hf_option *option, const void *entry, void *copy)
{
    const void *from = read_field(option, entry);
    void *to = field_of(option, copy);
    switch (option->type) {
    case HF_OPTION_U64:
    case HF_OPTION_SIZE:
    case HF_OPTION_SECONDS: *(uint64_t *)to = *(const uint64_t *)from; break;
    case HF_OPTION_BOOL: *(bool *)to = *(const bool *)from; break;
    case HF_OPTION_ENUM: *(int *)to = *(const int *)from; break;
    case HF_OPTION_STRING:
    case HF_OPTION_PATH: *(char **)to = hf_strdup(*(char *const *)from); break;
    case HF_OPTION_STRINGS:
    case HF_OPTION_PATHS: *(struct hf_strings *)to = copy_strings(from); break;
    }
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_strings(const struct hf_strings *a, const struct hf_strings *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

bool
hf_value_same(const struct hf_option *option, const void *a, const void *b)
{
    const void *left = read_field(option, a), *right = read_field(option, b);
    switch (option->type) {
    case HF_OPTION_U64:
    case HF_OPTION_SIZE:
    case HF_OPTION_SECONDS: return *(const uint64_t *)left == *(const uint64_t *)right;
    case HF_OPTION_BOOL: return *(const bool *)left == *(const bool *)right;
    case HF_OPTION_ENUM: return *(const int *)left == *(const int *)right;
    case HF_OPTION_STRING:
    case HF_OPTION_PATH: return same_text(*(char *const *)left, *(char *const *)right);
    case HF_OPTION_STRINGS:
    case HF_OPTION_PATHS: return same_strings(left, right);
    }
    return false;
}
