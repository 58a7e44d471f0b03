/* What people and programs read: failures with a hint, JSON, sizes, a line of progress. */
#include "say.h"

#include <errno.h>
#include <holdfast/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What to do about a status, where its text does not say it already. */
static const char *
hint_of(enum hf_status status)
{
    switch (status) {
    case HF_ECONFIG:
        return "`holdfast config reference` explains every option; `holdfast check` looks at all "
               "of it";
    case HF_ECREDENTIALS:
        return "the store's credentials_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, hold "
               "the key";
    case HF_EACCESS:
        return "the rights that are needed stand in policies/starter/README.md; --credentials-file "
               "takes others";
    case HF_ETLS: return "ca_file (or --ca-file) names the certificates that may sign the store's";
    case HF_ESKEW: return "set the clock right: `timedatectl set-ntp true`";
    case HF_ESIGNATURE:
    case HF_ECORRUPT: return "`holdfast validate` names every object that is not what was signed";
    case HF_ENOSPC: return "`df` tells which file system is full";
    default: return NULL;
    }
}

void
say_hint(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("  hint: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void
say_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("holdfast: note: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

int
say_failure(const struct options *options, enum hf_status status, const struct hf_error *err)
{
    const char *text = *err->text ? err->text : hf_status_text(status);
    fflush(stdout);
    fprintf(stderr, "holdfast: %s: %s\n", options->command->name, text);
    if (hint_of(status))
        say_hint("%s", hint_of(status));
    int code = hf_status_exit_code(status);
    if (!options->json)
        return code;
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "schema", 1);
    hf_doc_set_bool(doc, "ok", false);
    hf_doc_set_text(doc, "status", hf_status_name(status));
    json_t *reason = json_string(text);
    hf_doc_set(doc, "error", reason ? reason : json_string("unprintable"));
    return say_json(doc, code);
}

int
say_done(int exit_code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    fprintf(stderr, "holdfast: writing to standard output: %s\n", strerror(errno));
    return EXIT_INTERNAL;
}

int
say_json(json_t *doc, int exit_code)
{
    if (json_dumpf(doc, stdout, JSON_INDENT(2)) == 0)
        fputc('\n', stdout);
    json_decref(doc);
    return say_done(exit_code);
}

void
bytes_text(uint64_t bytes, char ret_text[32])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;
    double value = (double)bytes;
    for (; value >= 1024 && unit + 1 < HF_COUNT(units); unit++)
        value /= 1024;
    snprintf(ret_text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void
ago_text(const char *rfc3339, int64_t now_s, char ret_text[64])
{
    static const struct {
        int64_t from_s;
        const char *name;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
    int64_t seconds;
    if (!rfc3339 || !hf_time_parse_rfc3339(rfc3339, &seconds)) {
        snprintf(ret_text, 64, "never");
        return;
    }
    int64_t ago_s = HF_MAX(now_s - seconds, 0);
    size_t unit = 0;
    while (unit + 1 < HF_COUNT(units) && ago_s < 2 * units[unit].from_s)
        unit++;
    snprintf(ret_text, 64, "%.32s (%lld %s ago)", rfc3339, (long long)(ago_s / units[unit].from_s),
             units[unit].name);
}

/* ---- progress ---- */

#define PROGRESS_MS 100
#define BAR_WIDTH   30

void
progress_begin(struct progress *progress, const char *what, bool wanted)
{
    *progress = (struct progress){ .on = wanted && isatty(STDERR_FILENO), .what = what };
}

void
progress_show(struct progress *progress, uint64_t done, uint64_t of, const char *unit)
{
    uint64_t now_ms = hf_boot_ms();
    char bar[BAR_WIDTH + 1];
    if (!progress->on || now_ms - progress->last_ms < PROGRESS_MS)
        return;
    progress->last_ms = now_ms;
    size_t full = of > 0 ? (size_t)(HF_MIN(done, of) * BAR_WIDTH / of) : 0;
    memset(bar, '#', full);
    memset(bar + full, '.', BAR_WIDTH - full);
    bar[BAR_WIDTH] = '\0';
    if (of > 0)
        fprintf(stderr, "\r\033[K%s [%s] %llu of %llu %s", progress->what, bar,
                (unsigned long long)done, (unsigned long long)of, unit);
    else
        fprintf(stderr, "\r\033[K%s %llu %s", progress->what, (unsigned long long)done, unit);
}

void
progress_end(struct progress *progress)
{
    if (progress->on && progress->last_ms)
        fputs("\r\033[K", stderr);
    progress->on = false;
}

int
say_signatures_absent(const struct options *options)
{
    struct hf_error err;
    enum hf_status status =
        hf_fail(&err, HF_ESIGNATURE,
                "the signature is not in this copy: no digest has its metadata with it "
                "(x-amz-meta-signature), and without it nothing can be said of the evidence; copy "
                "the metadata as well, or ask the bucket itself");
    (void)say_failure(options, status, &err);
    return EXIT_LATER;
}
