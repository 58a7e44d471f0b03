#include "agent/intake/owner.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX      (8u << 20)
#define LOOK_EVERY_MS (60 * 1000)

struct entry {
    uint64_t first, count; /* of uids */
    uint64_t as;           /* the uid that they count as */
};

struct entries { /* by `first` */
    struct entry *items;
    size_t count, room;
};

struct hf_users {
    pthread_mutex_t lock;
    char *passwd_path, *subuid_path;
    struct timespec passwd_time, subuid_time;
    uint64_t looked_ms; /* 0: never */
    struct entries users, ranges;
};

/* ---- the two files ---- */

static void
add(struct entries *entries, struct entry entry)
{
    if (entries->count == entries->room) {
        entries->room = HF_MAX(64, 2 * entries->room);
        entries->items = hf_realloc(entries->items, entries->room * sizeof(*entries->items));
    }
    entries->items[entries->count++] = entry;
}

static int
by_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static const struct entry *
find(const struct entries *entries, uint64_t uid)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries->items[middle].first <= uid)
            low = middle + 1;
        else
            high = middle;
    }
    const struct entry *before = low > 0 ? &entries->items[low - 1] : NULL;
    return before && uid - before->first < before->count ? before : NULL;
}

struct words { /* of a line, between colons */
    char *at[4];
    size_t count;
};

static struct words
split(char *line)
{
    struct words words = { .count = 0 };
    for (char *at = line; at && words.count < HF_COUNT(words.at);) {
        words.at[words.count++] = at;
        at = strchr(at, ':');
        if (at)
            *at++ = '\0';
    }
    return words;
}

/* Ranges by name are given a uid in passwd's order: `names` has both. */
struct name {
    char *text;
    uint64_t uid;
};

struct names {
    struct name *items;
    size_t count;
};

static int
by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static bool
uid_of(const struct names *names, const char *text, uint64_t *ret_uid)
{
    struct name wanted = { .text = (char *)text };
    const struct name *found =
        names->count ? bsearch(&wanted, names->items, names->count, sizeof(*names->items), by_text)
                     : NULL;
    if (found)
        *ret_uid = found->uid;
    return found || hf_parse_u64(text, 0, UINT32_MAX, ret_uid);
}

static void
add_user(struct entries *users, struct names *names, char *line)
{
    uint64_t uid;
    struct words words = split(line);
    if (words.count < 4 || !hf_parse_u64(words.at[2], 0, UINT32_MAX, &uid))
        return;
    add(users, (struct entry){ .first = uid, .count = 1, .as = uid });
    names->items = hf_realloc(names->items, (names->count + 1) * sizeof(*names->items));
    names->items[names->count++] = (struct name){ .text = words.at[0], .uid = uid };
}

static void
add_range(struct entries *ranges, const struct names *names, char *line)
{
    struct entry entry;
    struct words words = split(line);
    if (words.count == 3 && uid_of(names, words.at[0], &entry.as) &&
        hf_parse_u64(words.at[1], 0, UINT32_MAX, &entry.first) &&
        hf_parse_u64(words.at[2], 1, UINT32_MAX, &entry.count))
        add(ranges, entry);
}

/* NULL: it cannot be read. */
static char *
text_of(const char *path)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(FILE_MAX);
    if (hf_fs_read_file(path, FILE_MAX, &bytes, NULL) != HF_OK)
        return NULL;
    return hf_strndup((const char *)bytes.ptr, bytes.size);
}

static void
read_users(struct hf_users *users)
{
    hf_owned(hf_freep) char *passwd = text_of(users->passwd_path);
    hf_owned(hf_freep) char *subuid = text_of(users->subuid_path);
    struct names names = { .count = 0 };
    char *rest = NULL;
    users->users.count = users->ranges.count = 0;
    for (char *line = passwd ? strtok_r(passwd, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        add_user(&users->users, &names, line);
    if (names.count > 1)
        qsort(names.items, names.count, sizeof(*names.items), by_text);
    for (char *line = subuid ? strtok_r(subuid, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        add_range(&users->ranges, &names, line);
    struct entries *both[] = { &users->users, &users->ranges };
    for (size_t i = 0; i < HF_COUNT(both); i++)
        if (both[i]->count > 1)
            qsort(both[i]->items, both[i]->count, sizeof(*both[i]->items), by_first);
    hf_freep(&names.items);
}

static bool
has_changed(const char *path, struct timespec *seen)
{
    struct stat info;
    struct timespec now = { 0, 0 };
    if (hf_fs_stat(path, &info, NULL) == HF_OK)
        now = info.st_mtim;
    bool changed = now.tv_sec != seen->tv_sec || now.tv_nsec != seen->tv_nsec;
    *seen = now;
    return changed;
}

static void
look(struct hf_users *users)
{
    uint64_t now_ms = hf_boot_ms();
    if (users->looked_ms && now_ms - users->looked_ms < LOOK_EVERY_MS)
        return;
    users->looked_ms = now_ms;
    bool passwd = has_changed(users->passwd_path, &users->passwd_time);
    bool subuid = has_changed(users->subuid_path, &users->subuid_time);
    if (passwd || subuid)
        read_users(users);
}

struct hf_users *
hf_users_new(const char *passwd, const char *subuid)
{
    struct hf_users *users = hf_alloc(sizeof(*users));
    users->passwd_path = hf_strdup(passwd);
    users->subuid_path = hf_strdup(subuid);
    pthread_mutex_init(&users->lock, NULL);
    return users;
}

void
hf_users_free(struct hf_users *users)
{
    if (!users)
        return;
    pthread_mutex_destroy(&users->lock);
    hf_freep(&users->passwd_path);
    hf_freep(&users->subuid_path);
    hf_freep(&users->users.items);
    hf_freep(&users->ranges.items);
    hf_freep(&users);
}

/* ---- names ---- */

/* Where there is no passwd at all (a small container) each uid counts by itself. */
static void
name_user(struct hf_users *users, uid_t uid, char *ret_text, size_t size)
{
    pthread_mutex_lock(&users->lock);
    look(users);
    const struct entry *range = find(&users->ranges, uid);
    bool known = users->users.count == 0 || range || find(&users->users, uid);
    uint64_t as = range && !find(&users->users, uid) ? range->as : uid;
    pthread_mutex_unlock(&users->lock);
    if (known)
        snprintf(ret_text, size, "uid %llu", (unsigned long long)as);
    else
        snprintf(ret_text, size, "uids without a user");
}

/* What follows the folders that have no wildcard, up to the next slash: "" for what stands in them
 * itself. */
static struct hf_slice
folder_of(const char *pattern, const char *path)
{
    size_t wild = strcspn(pattern, "*?[{\\"), fixed = wild;
    while (fixed > 0 && pattern[fixed - 1] != '/')
        fixed--;
    if (strncmp(pattern, path, fixed) != 0)
        return hf_slice(NULL, 0); /* by a link from elsewhere */
    const char *slash = strchr(path + fixed, '/');
    return slash ? hf_slice(path + fixed, (size_t)(slash - path) - fixed) : hf_slice(NULL, 0);
}

void
hf_owner_of_file(struct hf_users *users, const char *pattern, const char *path, uid_t uid,
                 char ret_name[HF_OWNER_SIZE])
{
    char user[48];
    struct hf_slice folder = folder_of(pattern, path);
    name_user(users, uid, user, sizeof(user));
    if (folder.size == 0) {
        snprintf(ret_name, HF_OWNER_SIZE, "%s", user);
        return;
    }
    /* Two long names that begin alike count as one. */
    snprintf(ret_name, HF_OWNER_SIZE, "%s in '%.*s'", user, (int)HF_MIN(folder.size, (size_t)96),
             (const char *)folder.ptr);
}

/* The length of what counts of a control group. */
static size_t
cgroup_size(const char *path)
{
    static const char users[] = "/user.slice/";
    size_t size = strlen(path);
    if (strncmp(path, users, sizeof(users) - 1) == 0)
        size = sizeof(users) - 1 + strcspn(path + sizeof(users) - 1, "/");
    return HF_MIN(size, (size_t)96);
}

static const char *
cgroup_path(const char *text)
{
    const char *unified = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    const char *named = strstr(text, ":name=systemd:");
    if (unified)
        return strchr(unified, '/');
    return named ? strchr(named, '/') : NULL;
}

void
hf_owner_of_client(struct hf_users *users, uid_t uid, const char *cgroup,
                   char ret_name[HF_OWNER_SIZE])
{
    char user[48], path[512];
    const char *from = cgroup_path(cgroup);
    name_user(users, uid, user, sizeof(user));
    snprintf(path, sizeof(path), "%.*s", from ? (int)strcspn(from, "\n") : 0, from ? from : "");
    size_t size = cgroup_size(path);
    if (size > 1)
        snprintf(ret_name, HF_OWNER_SIZE, "%s of %.*s", user, (int)size, path);
    else
        snprintf(ret_name, HF_OWNER_SIZE, "%s", user);
}

void
hf_owner_cgroup(pid_t pid, char *ret_text, size_t size)
{
    char path[64];
    hf_owned(hf_fs_close) int fd = -1;
    size_t got = 0;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    ret_text[0] = '\0';
    if (hf_fs_open(path, O_RDONLY, 0, &fd, NULL) != HF_OK ||
        hf_fs_read(fd, ret_text, size - 1, &got, NULL) != HF_OK)
        got = 0;
    ret_text[got] = '\0';
}
