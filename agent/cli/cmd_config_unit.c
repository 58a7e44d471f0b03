/* holdfast config unit: what the unit has to show the agent beyond what every host shows it, as a
 * drop-in for systemd.
 *
 * The unit's root is empty but for the system's programs, /etc/holdfast and its own folders
 * (agent/host/holdfast.service.in); this adds the folders of the configured sources, for
 * reading, and what else the configuration names. Format: systemd.exec(5), BindReadOnlyPaths=,
 * and systemd.syntax(7), quoting. */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <stdio.h>
#include <string.h>

static const char *const always_seen[] = { "/etc/holdfast", "/var/lib/holdfast", "/run/holdfast",
                                           "/usr", "/etc/ssl" };

struct unit {
    struct hf_buf text;
    struct hf_error *err;
};

static bool
is_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

static enum hf_status
add_line(struct unit *unit, const char *word, const char *path)
{
    hf_owned(hf_buf_done) struct hf_buf line = HF_BUF(4 * HF_PATH_MAX);
    enum hf_status status = hf_buf_addf(&line, "%s=\"-", word);
    for (; status == HF_OK && *path; path++) {
        if (strchr("\"\\", *path))
            status = hf_buf_add_text(&line, "\\");
        else if (*path == '%')
            status = hf_buf_add_text(&line, "%");
        if (status == HF_OK)
            status = hf_buf_add(&line, path, 1);
    }
    if (status == HF_OK)
        status = hf_buf_add_text(&line, "\"\n");
    /* Several sources of one folder are one line. */
    if (status == HF_OK && !strstr(hf_buf_text(&unit->text), hf_buf_text(&line)))
        status = hf_buf_add(&unit->text, line.ptr, line.size);
    return status;
}

static enum hf_status
show(struct unit *unit, const char *path, bool writable)
{
    if (!path)
        return HF_OK;
    for (size_t i = 0; i < HF_COUNT(always_seen); i++)
        if (is_below(path, always_seen[i]))
            return HF_OK;
    for (const char *at = path; *at; at++)
        if ((unsigned char)*at < ' ' || *at == ':')
            return hf_fail(unit->err, HF_ECONFIG,
                           "'%s' cannot be shown to a unit: systemd takes no ':' and no control "
                           "character in a path; choose another",
                           path);
    if (strcmp(path, "/") == 0)
        return hf_fail(unit->err, HF_ECONFIG,
                       "the unit would see the whole of '/': put what it is to read or write into "
                       "a folder of its own");
    if (!writable)
        return add_line(unit, "BindReadOnlyPaths", path);
    enum hf_status status = add_line(unit, "BindPaths", path);
    return status == HF_OK ? add_line(unit, "ReadWritePaths", path) : status;
}

/* A file is seen by its folder: rotation and sockets put new ones there. The folder of a glob is
 * the part before its first wildcard. */
static enum hf_status
show_folder(struct unit *unit, const char *path, bool writable)
{
    char folder[HF_PATH_MAX];
    if (!path)
        return HF_OK;
    snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(path, "*?["), path);
    char *end = strrchr(folder, '/');
    folder[end == folder ? 1 : end - folder] = '\0';
    return show(unit, folder, writable);
}

static enum hf_status
show_stores(struct unit *unit, const struct hf_config *config)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < config->store_count; i++) {
        const struct hf_config_store *store = &config->stores[i];
        status = show(unit, store->ca_file, false);
        if (status == HF_OK)
            status = show(unit, store->credentials_file, false);
        if (status == HF_OK && store->kind == HF_STORE_DIR)
            status = show(unit, hf_config_store_place(store), true);
    }
    return status;
}

static enum hf_status
show_trails(struct unit *unit, const struct hf_config *config)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        status = show(unit, trail->digest_key_file, false);
        if (status == HF_OK)
            status = show(unit, trail->sse_c_key_file, false);
        for (size_t j = 0; status == HF_OK && j < trail->recipients.count; j++)
            status = show(unit, trail->recipients.items[j], false);
    }
    return status;
}

static enum hf_status
show_all(struct unit *unit, const struct hf_config *config)
{
    enum hf_status status = hf_buf_addf(
        &unit->text, "# Made by `holdfast config unit` from %s.\n[Service]\n", config->path);
    if (status == HF_OK)
        status = show(unit, config->agent.state_dir, true);
    if (status == HF_OK)
        status = show_folder(unit, config->agent.control, true);
    for (size_t i = 0; status == HF_OK && i < config->source_count; i++)
        status =
            show_folder(unit, config->sources[i].path, config->sources[i].type == HF_SOURCE_SOCKET);
    if (status == HF_OK)
        status = show_stores(unit, config);
    return status == HF_OK ? show_trails(unit, config) : status;
}

int
cmd_config_unit(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    struct unit unit = { .text = HF_BUF(1u << 20), .err = &err };
    status = show_all(&unit, config);
    if (status == HF_OK)
        fwrite(unit.text.ptr, 1, unit.text.size, stdout);
    hf_buf_done(&unit.text);
    hf_config_free(config);
    return status == HF_OK ? say_done(EXIT_WELL) : say_failure(options, status, &err);
}
