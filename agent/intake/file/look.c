/* What a pattern matches, for people: how much of it is read, and what is not and why. */
#include "agent/intake/file/looking.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *one, *many;
} kinds[HF_OTHER_KINDS] = {
    [HF_OTHER_FIFO] = { "FIFO", "FIFOs" },
    [HF_OTHER_FOLDER] = { "folder", "folders" },
    [HF_OTHER_SOCKET] = { "socket", "sockets" },
    [HF_OTHER_DEVICE] = { "device", "devices" },
    [HF_OTHER_DANGLING] = { "link that leads nowhere", "links that lead nowhere" },
    [HF_OTHER_REFUSED] = { "link that is not followed", "links that are not followed" },
    [HF_OTHER_FAR] = { "name that makes too long a path", "names that make too long a path" },
};

/* "2 FIFOs, 1 folder (the first is '/a'): not read"; "" when there are none. */
void
hf_others_text(const struct hf_found *found, char ret_text[HF_OTHERS_SIZE])
{
    size_t size = 0;
    ret_text[0] = '\0';
    for (int kind = 0; kind < HF_OTHER_KINDS && found->others_count > 0; kind++) {
        uint64_t count = found->other_counts[kind];
        if (count > 0)
            size += (size_t)snprintf(ret_text + size, HF_OTHERS_SIZE - size, "%s%llu %s",
                                     size > 0 ? ", " : "", (unsigned long long)count,
                                     count == 1 ? kinds[kind].one : kinds[kind].many);
    }
    if (size > 0)
        snprintf(ret_text + size, HF_OTHERS_SIZE - size, ", '%.*s'%s: not read",
                 HF_OTHERS_SIZE - 28 - (int)size, found->first_other_path,
                 found->others_count > 1 ? " and others" : "");
    hf_plain_text(ret_text);
}

/* With room for a file system that compresses. */
bool
hf_is_sparse(const struct hf_fs_identity *who)
{
    return who->size > (1ull << 30) && who->allocated < who->size / 16;
}

bool
hf_is_plain_path(const char *pattern)
{
    return !hf_pattern_is(pattern);
}

/* ---- before there is an agent ---- */

static void
try_to_open(const struct hf_found_name *name, const struct hf_fs_trust *trust,
            struct hf_source_look *look)
{
    struct hf_error err = { .status = HF_OK };
    struct stat folder;
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status = hf_fs_open_in_folder(name->path, O_RDONLY, trust, &fd, &folder, &err);
    if (status == HF_OK && hf_is_strangers(&folder, &name->who))
        status = hf_fail(&err, HF_EREFUSED, "'%s' has %u names, and others can write to its folder",
                         name->path, name->who.links);
    look->sparse += hf_is_sparse(&name->who);
    if (status == HF_OK || status == HF_ENOTFOUND)
        return;
    if (look->unread++ == 0)
        hf_problem_set(look->problem, err.text);
}

enum hf_status
hf_file_look(const struct hf_config_source *config, struct hf_source_look *ret_look,
             struct hf_error *err)
{
    struct hf_fs_trust trust;
    struct hf_found found;
    enum hf_status status = hf_trust_make(&config->follow_links_of, &trust, err);
    if (status != HF_OK)
        return status;
    *ret_look = (struct hf_source_look){ .unread = 0 };
    struct hf_walk *walk = hf_walk_new(config, trust, NULL, &found);
    for (bool more = true; more; hf_found_clear(&found)) {
        more = hf_walk_step(walk);
        for (size_t i = 0; i < found.count; i++)
            try_to_open(&found.names[i], &trust, ret_look);
    }
    hf_walk_free(walk);
    ret_look->matched = found.matched;
    ret_look->others = found.others_count;
    ret_look->unread += found.unknown_count;
    hf_others_text(&found, ret_look->others_text);
    if (found.problem.status != HF_OK)
        hf_problem_set(ret_look->problem, found.problem.text);
    hf_found_done(&found);
    hf_trust_done(&trust);
    return HF_OK;
}
