/* ok, note, FAIL: what `check` and `bucket` say about one thing after the other. */
#include "lines.h"
#include "say.h"

#include <holdfast/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
lines_begin(struct lines *lines, const struct options *options)
{
    *lines = (struct lines){ .json = options->json, .list = json_array() };
}

/* Much of what is said comes from a store: nothing in it may steer a terminal, and what had to be cut
 * ends with a whole character. */
static void
make_showable(char *text, bool cut)
{
    hf_mask_controls(text);
    for (size_t size = strlen(text), i = 0; cut && i < 3 && size > 0; i++) {
        if (hf_utf8_valid(hf_slice(text, size)))
            return;
        text[--size] = '\0';
    }
}

void
lines_add(struct lines *lines, enum line_kind kind, const char *subject, const char *mend,
          const char *format, ...)
{
    static const char *const words[] = {
        [LINE_OK] = "ok", [LINE_NOTE] = "note", [LINE_FAIL] = "FAIL"
    };
    static const char *const results[] = {
        [LINE_OK] = "ok", [LINE_NOTE] = "note", [LINE_FAIL] = "fail"
    };
    char text[1024];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_showable(text, size >= (int)sizeof(text));
    lines->failures += kind == LINE_FAIL;
    if (!lines->json) {
        printf("%-5s %s: %s\n", words[kind], subject, text);
        if (mend)
            printf("      -> %s\n", mend);
        return;
    }
    json_t *line = json_object();
    hf_doc_set_text(line, "result", results[kind]);
    hf_doc_set_text(line, "subject", subject);
    json_t *said = json_string(text);
    hf_doc_set(line, "text", said ? said : json_string("unprintable"));
    hf_doc_set_text(line, "mend", mend);
    json_array_append_new(lines->list, line);
}

void
lines_add_error(struct lines *lines, const char *subject, const char *mend,
                const struct hf_error *err)
{
    lines->unreachable = lines->unreachable || hf_status_exit_code(err->status) == EXIT_LATER;
    lines_add(lines, LINE_FAIL, subject, mend, "%s", err->text);
}

int
lines_end(struct lines *lines, const char *name)
{
    int code = lines->usage          ? EXIT_USAGE
               : lines->unreachable  ? EXIT_LATER
               : lines->failures > 0 ? EXIT_NOT_WELL
                                     : EXIT_WELL;
    if (!lines->json) {
        json_decref(lines->list);
        return say_done(code);
    }
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "schema", 1);
    hf_doc_set_bool(doc, "ok", code == EXIT_WELL);
    hf_doc_set(doc, name, lines->list);
    return say_json(doc, code);
}
