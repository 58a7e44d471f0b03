/* What the table cannot say of stores and sources. */
#include "config_impl.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* ---- options that mean nothing for this kind of entry ---- */

static enum hf_status
refuse_written(struct hf_checked entry, const char *const *keys, size_t count, const char *reason,
               struct hf_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (hf_node_at(entry.section, entry.node, keys[i]))
            return hf_check_fail(err, entry, keys[i], "%s; leave it out", reason);
    return HF_OK;
}

static enum hf_status
check_s3(struct hf_checked entry, const struct hf_config_store *store, struct hf_error *err)
{
    static const char *const dir_only[] = { "worm" };
    const char *wrong = hf_rule_origin(store->url);
    if (wrong)
        return hf_check_fail(err, entry, "url", "'%.200s' %s", store->url, wrong);
    if (store->ca_file && !store->tls)
        return hf_check_fail(err, entry, "ca_file",
                             "plain http:// has no certificate to check; leave it out or "
                             "write an https:// url");
    const char *host = hf_config_store_place(store);
    if (store->addressing == HF_ADDRESSING_VIRTUAL &&
        (host[0] == '[' || hf_is_ipv4(host, strcspn(host, ":"))))
        return hf_check_fail(err, entry, "addressing",
                             "virtual puts the bucket before a host name, and '%s' has an "
                             "address; write path",
                             store->url);
    wrong = hf_rule_region(store->region);
    if (wrong)
        return hf_check_fail(err, entry, "region", "'%s' %s", store->region, wrong);
    if (strchr(store->profile, ']') || strchr(store->profile, '['))
        return hf_check_fail(err, entry, "profile",
                             "'%s' may not have brackets; write the section's name only",
                             store->profile);
    if (store->proxy && !hf_starts_with(store->proxy, "http://"))
        return hf_check_fail(err, entry, "proxy", "'%.200s' is not http://HOST:PORT", store->proxy);
    wrong = store->proxy ? hf_rule_origin(store->proxy) : NULL;
    if (wrong)
        return hf_check_fail(err, entry, "proxy", "'%.200s' %s", store->proxy, wrong);
    return refuse_written(entry, dir_only, HF_COUNT(dir_only), "is for dir:// stores only", err);
}

enum hf_status
hf_check_store(struct hf_checked entry, const struct hf_config_store *store, struct hf_error *err)
{
    static const char *const s3_only[] = { "region",  "addressing", "ca_file",  "credentials_file",
                                           "profile", "confirm",    "checksum", "proxy",
                                           "timeout", "connections" };
    const char *wrong = hf_rule_name(store->name);
    if (wrong)
        return hf_check_fail(err, entry, "name", "'%s' %s", store->name, wrong);
    const char *place = hf_config_store_place(store);
    if (!place)
        return hf_check_fail(err, entry, "url",
                             "'%.200s' is not https://HOST[:PORT], http://HOST[:PORT] or "
                             "dir:///DIRECTORY",
                             store->url);
    if (store->kind == HF_STORE_S3)
        return check_s3(entry, store, err);
    wrong = hf_rule_directory(place);
    if (wrong)
        return hf_check_fail(err, entry, "url", "'%.200s' %s", store->url, wrong);
    return refuse_written(entry, s3_only, HF_COUNT(s3_only),
                          "is for https:// and http:// stores only", err);
}

/* ---- sources ---- */

/* In a shell they would mean several paths. */
static bool
has_braces(const char *path)
{
    for (; *path; path++) {
        if (*path == '\\' && path[1])
            path++;
        else if (*path == '{' || *path == '}')
            return true;
    }
    return false;
}

static enum hf_status
check_source_path(struct hf_checked entry, const struct hf_config *config,
                  const struct hf_config_source *source, struct hf_error *err)
{
    if (source->type == HF_SOURCE_STDIN)
        return HF_OK;
    if (!source->path)
        return hf_check_fail(err, entry, "path", "missing; write %s",
                             source->type == HF_SOURCE_FILE ? "the file's path, or a glob"
                                                            : "where the socket is made");
    if (source->type == HF_SOURCE_FILE && has_braces(source->path))
        return hf_check_fail(
            err, entry, "path",
            "'%.200s' has braces, which are not expanded; write a source for each, "
            "or \\{ and \\} for the characters themselves",
            source->path);
    for (size_t i = 0; i < source->exclude.count; i++)
        if (has_braces(source->exclude.items[i]))
            return hf_check_fail(err, entry, "exclude",
                                 "'%.200s' has braces, which are not expanded; write each by "
                                 "itself, or \\{ and \\} for the characters themselves",
                                 source->exclude.items[i]);
    if (source->type == HF_SOURCE_SOCKET &&
        strlen(source->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return hf_check_fail(err, entry, "path",
                             "'%.120s' is too long for a socket's path; write a shorter one",
                             source->path);
    if (source->type == HF_SOURCE_SOCKET && strcmp(source->path, config->agent.control) == 0)
        return hf_check_fail(err, entry, "path",
                             "'%s' is the agent's control socket; write another path",
                             source->path);
    return HF_OK;
}

/* Two sources on one path would take every event in twice. */
static enum hf_status
check_source_alone(struct hf_checked entry, const struct hf_config *config,
                   const struct hf_config_source *source, struct hf_error *err)
{
    for (const struct hf_config_source *other = config->sources; other < source; other++) {
        if (source->type == HF_SOURCE_STDIN && other->type == HF_SOURCE_STDIN)
            return hf_check_fail(err, entry, "type",
                                 "stdin is read by source '%s' already; there is only one",
                                 other->name);
        if (source->path && other->path && strcmp(source->path, other->path) == 0)
            return hf_check_fail(err, entry, "path", "'%.200s' is the path of source '%s' already",
                                 source->path, other->name);
    }
    return HF_OK;
}

static enum hf_status
check_source_mode(struct hf_checked entry, const struct hf_config_source *source,
                  struct hf_error *err)
{
    size_t length = strlen(source->mode);
    if (strspn(source->mode, "01234567") != length || (length == 4 && source->mode[0] != '0'))
        return hf_check_fail(err, entry, "mode", "'%s' is not octal permissions, as in \"0660\"",
                             source->mode);
    return HF_OK;
}

enum hf_status
hf_check_source(struct hf_checked entry, const struct hf_config *config,
                const struct hf_config_source *source, struct hf_error *err)
{
    static const char *const file_only[] = { "exclude", "start",           "blank_lines",
                                             "late",    "follow_links_of", "may_be_empty" };
    static const char *const socket_only[] = { "mode", "group" };
    static const char *const with_path[] = { "path" };
    const char *wrong = hf_rule_name(source->name);
    if (wrong)
        return hf_check_fail(err, entry, "name", "'%s' %s", source->name, wrong);
    if (strcmp(source->name, "holdfast") == 0)
        return hf_check_fail(err, entry, "name",
                             "'holdfast' is the source of the agent's own events; write another");
    wrong = source->group ? hf_rule_name(source->group) : NULL;
    if (wrong)
        return hf_check_fail(err, entry, "group", "'%s' %s", source->group, wrong);
    enum hf_status status = check_source_path(entry, config, source, err);
    if (status == HF_OK)
        status = check_source_alone(entry, config, source, err);
    if (status == HF_OK)
        status = check_source_mode(entry, source, err);
    if (status == HF_OK && source->type != HF_SOURCE_FILE)
        status =
            refuse_written(entry, file_only, HF_COUNT(file_only), "is for file sources only", err);
    if (status == HF_OK && source->type != HF_SOURCE_SOCKET)
        status = refuse_written(entry, socket_only, HF_COUNT(socket_only),
                                "is for socket sources only", err);
    if (status == HF_OK && source->type == HF_SOURCE_STDIN)
        status = refuse_written(entry, with_path, HF_COUNT(with_path),
                                "is for file and socket sources only", err);
    return status;
}
