/* check: this host. State directory, identity, clock, memory and space, sources. */
#include "check.h"
#include "say.h"

#include <holdfast/daemon.h>
#include <holdfast/intake.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB            (1024ull * 1024)
#define LEDGER_RESERVE (16 * MIB) /* of the drain reserve: ledgers and digests */
#define FIXED_MEMORY   (24 * MIB) /* program, libraries, journal batches, source buffers */

static void
parent_of(const char *path, char ret_parent[HF_PATH_MAX])
{
    snprintf(ret_parent, HF_PATH_MAX, "%s", path);
    char *slash = strrchr(ret_parent, '/');
    if (slash)
        slash[slash == ret_parent] = '\0';
    else
        snprintf(ret_parent, HF_PATH_MAX, ".");
}

/* The nearest folder above that is there: where a missing state_dir would be made, and whose space
 * counts. */
static void
existing_folder(const char *path, char ret_folder[HF_PATH_MAX])
{
    char at[HF_PATH_MAX];
    struct stat info;
    snprintf(ret_folder, HF_PATH_MAX, "%s", path);
    while (hf_fs_stat(ret_folder, &info, NULL) != HF_OK && strcmp(ret_folder, "/") != 0 &&
           strcmp(ret_folder, ".") != 0) {
        snprintf(at, sizeof(at), "%s", ret_folder);
        parent_of(at, ret_folder);
    }
}

static void
check_identity(const struct hf_config *config, struct lines *lines)
{
    char path[HF_PATH_MAX], machine[33] = "";
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096), id = HF_BUF(4096);
    hf_owned(hf_doc_freep) json_t *identity = NULL;
    struct hf_error err = { 0 };
    hf_path_join(path, sizeof(path), config->agent.state_dir, "identity");
    enum hf_status status = hf_fs_read_file(path, 4096, &text, &err);
    if (status == HF_ENOTFOUND) {
        lines_add(lines, LINE_NOTE, "identity", NULL, "none yet; the first start makes it");
        return;
    }
    if (status == HF_OK)
        status = hf_doc_parse(hf_buf_slice(&text), 4096, path, &identity, &err);
    if (status != HF_OK) {
        lines_add(lines, LINE_FAIL, "identity", NULL, "%s", err.text);
        return;
    }
    if (hf_fs_read_file("/etc/machine-id", 4096, &id, NULL) == HF_OK && id.size >= 32)
        snprintf(machine, sizeof(machine), "%.32s", hf_buf_text(&id));
    const char *made_on = hf_doc_text_or(identity, "machine", "");
    if (*machine && *made_on && strcmp(machine, made_on) != 0)
        lines_add(lines, LINE_FAIL, "identity", "start with an empty state_dir",
                  "'%s' was made on another machine: the state directory was copied", path);
    else
        lines_add(lines, LINE_OK, "identity", NULL, "host %s, journal %.8s...",
                  hf_doc_text_or(identity, "host", "?"), hf_doc_text_or(identity, "journal", "?"));
}

static void
check_state_dir(const struct hf_config *config, struct lines *lines)
{
    char folder[HF_PATH_MAX];
    struct hf_error err = { 0 };
    const char *state_dir = config->agent.state_dir;
    existing_folder(state_dir, folder);
    bool there = strcmp(folder, state_dir) == 0;
    if (hf_fs_access(folder, W_OK | X_OK, &err) != HF_OK) {
        char *mend hf_owned(hf_freep) = hf_asprintf("install -d -m 0700 -o USER %s", state_dir);
        lines_add(lines, LINE_FAIL, "state_dir", mend, "%s", err.text);
    } else {
        lines_add(lines, there ? LINE_OK : LINE_NOTE, "state_dir", NULL,
                  there ? "%s can be written" : "%s is not there yet; the first start makes it",
                  state_dir);
    }
    check_identity(config, lines);
    if (there && hf_daemon_check_state(config, &err) != HF_OK)
        lines_add(lines, LINE_FAIL, "state_dir", NULL, "%s", err.text);
}

static uint64_t
largest_window(const struct hf_config *config)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < config->trail_count; i++)
        largest = HF_MAX(largest, config->trails[i].window_max_bytes);
    return largest;
}

/* What the agent can come to need. Memory: each sealer has one buffer for a window's records and one
 * for the compressed bytes. Space: the journal and the spools, each up to its limit, and the drain
 * reserve, which is allocated at the start. Without a reserve a disk that an outage has filled would
 * never drain: when the store is back, sealing needs room for one window to give the journal's back. */
static void
check_sums(const struct hf_config *config, struct lines *lines)
{
    char text[4][32], folder[HF_PATH_MAX];
    struct hf_error err = { 0 };
    uint64_t window = largest_window(config), spool = 0, free_bytes = 0;
    uint64_t memory = config->agent.sealers * (2 * window + MIB) + FIXED_MEMORY;
    uint64_t reserve = config->agent.sealers * (window + MIB) + LEDGER_RESERVE;
    for (size_t i = 0; i < config->trail_count; i++)
        spool += config->trails[i].spool_max_bytes;
    bytes_text(memory, text[0]);
    bytes_text(window, text[1]);
    lines_add(lines, LINE_OK, "memory", NULL,
              "at most about %s: %llu sealers with two buffers of up to %s each, and the rest",
              text[0], (unsigned long long)config->agent.sealers, text[1]);
    existing_folder(config->agent.state_dir, folder);
    if (hf_fs_free_bytes(folder, &free_bytes, &err) != HF_OK) {
        lines_add(lines, LINE_FAIL, "space", NULL, "%s", err.text);
        return;
    }
    uint64_t most = config->agent.journal_max_bytes + spool + reserve;
    bytes_text(most, text[0]);
    bytes_text(config->agent.journal_max_bytes, text[1]);
    bytes_text(spool, text[2]);
    bytes_text(free_bytes, text[3]);
    uint64_t least = reserve + 2 * config->agent.journal_segment_bytes;
    enum line_kind kind = free_bytes < least ? LINE_FAIL : free_bytes < most ? LINE_NOTE : LINE_OK;
    lines_add(lines, kind, "space",
              kind == LINE_FAIL
                  ? "free some, or lower agent.journal.max_bytes, window.max_bytes or agent.sealers"
                  : NULL,
              "at most %s (journal %s, spools %s, reserve); %s are free%s", text[0], text[1],
              text[2], text[3],
              kind == LINE_NOTE ? ", so a long outage ends in refused events before the limits do"
                                : "");
}

static void
check_clock(struct lines *lines)
{
    char now[HF_TIME_SIZE];
    hf_time_rfc3339(hf_wall_s(), now);
    bool fine = hf_wall_s() >= hf_build_s();
    lines_add(lines, fine ? LINE_OK : LINE_FAIL, "clock", fine ? NULL : "timedatectl set-ntp true",
              "%s%s", now, fine ? "" : ", before this program was built");
}

void
check_host(const struct hf_config *config, struct lines *lines)
{
    check_state_dir(config, lines);
    check_sums(config, lines);
    check_clock(lines);
}

/* ---- sources ---- */

static void
note_what_is_not_read(const struct hf_config_source *source, const struct hf_source_look *look,
                      const char *subject, struct lines *lines)
{
    if (look->unread > 0)
        lines_add(lines, LINE_FAIL, subject, NULL, "%llu of what %s matches cannot be read: %s",
                  (unsigned long long)look->unread, source->path, look->problem);
    if (look->others > 0)
        lines_add(lines, LINE_NOTE, subject, NULL, "%s: %s", source->path, look->others_text);
    if (look->sparse > 0)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "%llu files of %s are mostly holes, which are skipped",
                  (unsigned long long)look->sparse, source->path);
}

static void
check_file(const struct hf_config_source *source, const char *subject, struct lines *lines)
{
    struct hf_source_look look;
    struct hf_error err = { 0 };
    if (hf_intake_look(source, &look, &err) != HF_OK) {
        lines_add_error(lines, subject, NULL, &err);
        return;
    }
    note_what_is_not_read(source, &look, subject, lines);
    if (look.matched > 0)
        lines_add(lines, LINE_OK, subject, NULL, "%s matches %llu file%s", source->path,
                  (unsigned long long)look.matched, look.matched == 1 ? "" : "s");
    else if (look.unread == 0 && look.others == 0)
        lines_add(lines, source->may_be_empty ? LINE_OK : LINE_NOTE, subject, NULL,
                  "%s matches no file%s", source->path,
                  source->may_be_empty ? ", which is fine"
                                       : " (it may come later; may_be_empty: true says that this "
                                         "is fine)");
}

void
check_sources(const struct hf_config *config, struct lines *lines)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct hf_config_source *source = &config->sources[i];
        char *subject hf_owned(hf_freep) = hf_asprintf("source %s", source->name);
        char folder[HF_PATH_MAX];
        struct hf_error err = { 0 };
        if (source->type == HF_SOURCE_FILE) {
            check_file(source, subject, lines);
        } else if (source->type == HF_SOURCE_SOCKET) {
            parent_of(source->path, folder);
            bool fine = hf_fs_access(folder, W_OK | X_OK, &err) == HF_OK;
            char *mend hf_owned(hf_freep) = hf_asprintf("install -d -o USER %s", folder);
            lines_add(lines, fine ? LINE_OK : LINE_FAIL, subject, fine ? NULL : mend,
                      fine ? "%s can be made" : "the socket '%s' cannot be made: %s", source->path,
                      err.text);
        } else {
            lines_add(lines, LINE_NOTE, subject, NULL,
                      "standard input has no position: what was read and is not yet durable is "
                      "lost with the process");
        }
    }
}
