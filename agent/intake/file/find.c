/* Finding the files of a pattern: glob(3)'s rules, over base's directory listing, and remembering
 * which directories a new file could appear in. */
#include "agent/intake/file/looking.h"
#include "agent/intake/thread.h"

#include <fnmatch.h>
#include <string.h>

void
hf_found_done(struct hf_found *found)
{
    hf_strings_done(&found->paths);
    hf_strings_done(&found->directories);
}

static bool
is_excluded(const struct hf_config_source *config, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < config->exclude.count; i++) {
        const char *pattern = config->exclude.items[i];
        if (fnmatch(pattern, strchr(pattern, '/') ? path : name, 0) == 0)
            return true;
    }
    return false;
}

bool
hf_found_matches(const struct hf_config_source *config, const char *path)
{
    return fnmatch(config->path, path, FNM_PATHNAME | FNM_PERIOD) == 0 &&
           !is_excluded(config, path);
}

static bool
is_pattern(const char *text)
{
    return strpbrk(text, "*?[\\") != NULL;
}

struct walk {
    const struct hf_config_source *config;
    struct hf_thread *thread; /* is told where we look */
    struct hf_found *found;
};

static void walk(const struct walk *w, const char *directory, const char *rest);

static void
walk_into(const struct walk *w, const char *directory, const char *name, const char *rest)
{
    char path[HF_PATH_MAX];
    if (strlen(directory) + 1 + strlen(name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), directory, name);
    if (rest)
        walk(w, path, rest);
    else if (!is_excluded(w->config, path))
        hf_strings_add(&w->found->paths, path);
}

static void
walk_names(const struct walk *w, const char *directory, const char *pattern, const char *rest)
{
    struct hf_error err = { .status = HF_OK };
    char **names;
    size_t count;
    hf_thread_doing(w->thread, directory);
    enum hf_status status = hf_fs_list(directory, HF_NAMES_MAX, &names, &count, &err);
    if (status != HF_OK) {
        if (status != HF_ENOTFOUND && w->found->problem.status == HF_OK)
            w->found->problem = err;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (fnmatch(pattern, names[i], FNM_PERIOD) == 0)
            walk_into(w, directory, names[i], rest);
    hf_fs_names_free(names, count);
}

/* `rest` is what is left of the pattern behind `directory`. */
static void
walk(const struct walk *w, const char *directory, const char *rest)
{
    char component[HF_PATH_MAX];
    while (*rest == '/')
        rest++;
    size_t size = strcspn(rest, "/");
    if (size == 0 || size >= sizeof(component))
        return;
    memcpy(component, rest, size);
    component[size] = '\0';
    rest = rest[size] ? rest + size : NULL;

    if (!rest || is_pattern(component))
        hf_strings_add(&w->found->directories, directory);
    if (is_pattern(component))
        walk_names(w, directory, component, rest);
    else
        walk_into(w, directory, component, rest);
}

void
hf_found_paths(const struct hf_config_source *config, struct hf_thread *thread,
               struct hf_found *ret_found)
{
    *ret_found = (struct hf_found){ .problem = { .status = HF_OK } };
    walk(&(struct walk){ .config = config, .thread = thread, .found = ret_found }, "/",
         config->path);
}
