/* What a command says: errors, hints, single values, progress, replies as JSON. */
#ifndef HOLDFAST_CLI_SAY_H
#define HOLDFAST_CLI_SAY_H

#include "opt.h"

#include <jansson.h>

/* "holdfast: TEXT" and, where there is something to do, "  hint: ..."; with --json also
 * {"schema":1,"ok":false,...} on stdout. Exit code. */
int say_failure(const struct options *options, enum hf_status status, const struct hf_error *err);
void say_hint(const char *format, ...) hf_printf(1, 2);
void say_note(const char *format, ...) hf_printf(1, 2); /* to stderr: "holdfast: note: ..." */
/* Pretty JSON and a newline on stdout; takes the reference. HF_EIO when it could not be written. */
int say_json(json_t *doc, int exit_code);
/* Flushes stdout: EXIT_INTERNAL when what was printed did not arrive (a full disk behind a
 * redirection). */
int say_done(int exit_code);
void bytes_text(uint64_t bytes, char ret_text[32]);
void ago_text(const char *rfc3339, int64_t now_s,
              char ret_text[64]); /* "2026-...Z (3 m ago)", "never" for NULL */

struct progress {
    bool on;
    const char *what;
    uint64_t last_ms;
};
void progress_begin(struct progress *progress, const char *what, bool wanted);
void progress_show(struct progress *progress, uint64_t done, uint64_t of, const char *unit);
void progress_end(struct progress *progress); /* clears the line */

/* For hf_verify_result.signatures_absent: there is nothing to judge. EXIT_LATER. */
int say_signatures_absent(const struct options *options);

#endif
