/* ok, note, FAIL: what `check` and `bucket` say about one thing after the other. */
#ifndef HOLDFAST_CLI_LINES_H
#define HOLDFAST_CLI_LINES_H

#include "opt.h"

#include <jansson.h>

/* What a looking command says: line by line as it goes, or as JSON at the end. */
enum line_kind { LINE_OK, LINE_NOTE, LINE_FAIL };
struct lines {
    bool json;
    json_t *list; /* [{"result", "subject", "text", "mend"}] */
    size_t failures;
    bool unreachable; /* something could not be seen at all: exit code 3 */
    bool usage;       /* an option or the configuration has to say otherwise first: exit code 2 */
};
void lines_begin(struct lines *lines, const struct options *options);
void lines_add(struct lines *lines, enum line_kind kind, const char *subject, const char *mend,
               const char *format, ...) hf_printf(5, 6);
/* A failed call: FAIL with the error's text. */
void lines_add_error(struct lines *lines, const char *subject, const char *mend,
                     const struct hf_error *err);
/* The exit code; with --json {"schema":1,"ok":...,NAME:[...]} is printed. */
int lines_end(struct lines *lines, const char *name);

#endif
