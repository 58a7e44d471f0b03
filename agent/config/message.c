/* Messages that say where: FILE:LINE: trails[0].window.seconds: reason. */
#include "config_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILE_SHOWN_MAX 120

void
hf_show(const char *text, char *ret_text, size_t size)
{
    size_t used = 0;
    while (text[used] != '\0' && used + 4 < size) {
        unsigned char byte = (unsigned char)text[used];
        ret_text[used++] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
    }
    bool cut = text[used] != '\0';
    /* A cut inside a UTF-8 character takes the whole character away. */
    while (cut && used > 0 && ((unsigned char)text[used] & 0xc0) == 0x80)
        used--;
    snprintf(ret_text + used, size - used, "%s", cut ? "..." : "");
}

/* "trails[0].window.seconds"; empty for the file as a whole. */
static void
where(const struct hf_node *node, char *ret_text, size_t size)
{
    const struct hf_node *way[HF_CONFIG_DEPTH_MAX + 2];
    size_t steps = 0, used = 0;
    for (; node->parent && steps < HF_COUNT(way); node = node->parent)
        way[steps++] = node;
    ret_text[0] = '\0';
    while (steps-- > 0 && used < size) {
        int more;
        if (way[steps]->key) {
            char key[HF_SHOWN_SIZE];
            hf_show(way[steps]->key, key, sizeof(key));
            more = snprintf(ret_text + used, size - used, "%s%s", used > 0 ? "." : "", key);
        } else {
            more = snprintf(ret_text + used, size - used, "[%zu]", way[steps]->index);
        }
        used += more > 0 ? (size_t)more : 0;
    }
}

enum hf_status
hf_node_fail(struct hf_error *err, const struct hf_node *node, const char *member,
             const char *format, ...)
{
    char place[160], reason[HF_REASON_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    where(node, place, sizeof(place));
    /* The reason is what must not be cut off, so a long path loses its beginning. */
    size_t length = strlen(node->file);
    const char *file = length > FILE_SHOWN_MAX ? node->file + length - FILE_SHOWN_MAX : node->file;
    return hf_fail(err, HF_ECONFIG, "%s%s:%d: %s%s%s%s%s", file == node->file ? "" : "...", file,
                   node->line, place, place[0] && member ? "." : "", member ? member : "",
                   place[0] || member ? ": " : "", reason);
}
