/* Whether a path is one that a pattern means: a shell's rules, with globstar. A '*', '?' or bracket
 * stays within a name, none of them takes a '.' at its beginning, and a name of the pattern that is
 * "**" stands for any number of folders. Braces are none of it: the configuration refuses them. */
#include "agent/intake/file/looking.h"

#include <fnmatch.h>
#include <string.h>

bool
hf_pattern_is(const char *text)
{
    return strpbrk(text, "*?[\\") != NULL;
}

bool
hf_pattern_is_globstar(const char *name)
{
    return strcmp(name, "**") == 0;
}

bool
hf_pattern_takes(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, FNM_PERIOD) == 0;
}

/* The next name of *at, off it; false: there is none. */
bool
hf_pattern_next(const char **at, char ret_name[HF_PATH_MAX])
{
    const char *from = *at + strspn(*at, "/");
    size_t size = strcspn(from, "/");
    if (size == 0 || size >= HF_PATH_MAX)
        return false;
    memcpy(ret_name, from, size);
    ret_name[size] = '\0';
    *at = from + size + strspn(from + size, "/");
    return true;
}

static bool
matches(const char *pattern, const char *path)
{
    char wanted[HF_PATH_MAX], name[HF_PATH_MAX];
    while (hf_pattern_next(&pattern, wanted)) {
        if (hf_pattern_is_globstar(wanted) && *pattern == '\0')
            pattern = "**/*"; /* at the end: whatever is below */
        if (hf_pattern_is_globstar(wanted)) {
            if (strncmp(pattern, "**/", 3) == 0)
                pattern += 3;
            do {
                if (matches(pattern, path))
                    return true;
            } while (hf_pattern_next(&path, name) && name[0] != '.');
            return false;
        }
        if (!hf_pattern_next(&path, name) || !hf_pattern_takes(wanted, name))
            return false;
    }
    return path[strspn(path, "/")] == '\0';
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
hf_found_excludes(const struct hf_config_source *config, const char *path)
{
    return is_excluded(config, path);
}

bool
hf_found_matches(const struct hf_config_source *config, const char *path)
{
    return matches(config->path, path) && !is_excluded(config, path);
}
