/* The listening socket. It is made under another name, for its owner alone, given its group and mode,
 * and then renamed to its place: nobody can connect to one whose rights are not set yet, and a new
 * one replaces an old one without a moment in between. In a folder that others can write to it would
 * be theirs to replace, so none is made there. */
#include "agent/intake/socket/socket_impl.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static enum hf_status
address_of(const char *path, struct sockaddr_un *ret_address, struct hf_error *err)
{
    *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(ret_address->sun_path))
        return hf_fail(err, HF_ECONFIG, "the socket's path '%s' is longer than %zu bytes", path,
                       sizeof(ret_address->sun_path) - 5);
    memcpy(ret_address->sun_path, path, strlen(path));
    return HF_OK;
}

/* What stands in the place may go only if it is a socket that nobody answers on. */
static enum hf_status
check_place(const char *path, struct hf_error *err)
{
    struct stat info;
    struct sockaddr_un address;
    enum hf_status status = hf_fs_lstat(path, &info, err);
    if (status == HF_ENOTFOUND)
        return HF_OK;
    if (status != HF_OK)
        return status;
    if (!S_ISSOCK(info.st_mode))
        return hf_fail(err, HF_EEXISTS,
                       "'%s' is there and is no socket; move it away, or choose another path",
                       path);
    status = address_of(path, &address, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_fs_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hf_fail_errno(err, HF_EIO, "making a socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN ||
        errno == EINPROGRESS)
        return hf_fail(err, HF_EBUSY,
                       "somebody answers on '%s'; end that program, or choose another path", path);
    return HF_OK;
}

static enum hf_status
set_rights(const struct hf_config_source *config, const char *path, struct hf_error *err)
{
    mode_t mode = 0;
    enum hf_status status = HF_OK;
    for (const char *digit = config->mode; *digit; digit++) {
        if (*digit < '0' || *digit > '7')
            return hf_fail(err, HF_ECONFIG, "mode '%s' is not octal", config->mode);
        mode = mode * 8 + (mode_t)(*digit - '0');
    }
    if (config->group) {
        struct group group, *found = NULL;
        char buffer[16384];
        if (getgrnam_r(config->group, &group, buffer, sizeof(buffer), &found) != 0 || !found)
            return hf_fail(err, HF_ECONFIG, "there is no group '%s'", config->group);
        status = hf_fs_set_group(path, group.gr_gid, err);
    }
    return status == HF_OK ? hf_fs_chmod(path, mode & 0777, err) : status;
}

static enum hf_status
check_folder(const char *path, struct hf_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    hf_owned(hf_freep) char *folder =
        size > 0 ? hf_strndup(path, size) : hf_strdup(slash ? "/" : ".");
    enum hf_status status = hf_fs_check_alone(folder, err);
    if (status == HF_EREFUSED)
        return hf_while(err, HF_ECONFIG, "the socket '%s' is not made where others can replace it",
                        path);
    return status;
}

/* bind() takes the mode from the socket itself, less the umask. */
static enum hf_status
make_socket(struct hf_socket_source *source, const struct sockaddr_un *address,
            struct hf_error *err)
{
    source->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (source->fd < 0)
        return hf_fail_errno(err, HF_EIO, "making a socket");
    if (fchmod(source->fd, 0600) != 0 ||
        bind(source->fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return hf_fail_errno(err, HF_EIO, "making the socket '%s'", source->source.config.path);
    return HF_OK;
}

enum hf_status
hf_socket_listen(struct hf_socket_source *source, bool ours_answers, struct hf_error *err)
{
    const struct hf_config_source *config = &source->source.config;
    struct sockaddr_un address;
    enum hf_status status = check_folder(config->path, err);
    if (status == HF_OK && !ours_answers)
        status = check_place(config->path, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_freep) char *path = hf_asprintf("%s.new", config->path);
    status = address_of(path, &address, err);
    if (status != HF_OK)
        return status;
    status = hf_fs_unlink(path, err); /* left by a crash */
    if (status != HF_OK && status != HF_ENOTFOUND)
        return status;
    status = make_socket(source, &address, err);
    if (status != HF_OK)
        return status;
    source->prepared_path = hf_take(path);
    status = set_rights(config, source->prepared_path, err);
    if (status != HF_OK)
        return status;
    if (listen(source->fd, BACKLOG) != 0)
        return hf_fail_errno(err, HF_EIO, "listening on '%s'", config->path);
    return HF_OK;
}

enum hf_status
hf_socket_take_place(struct hf_socket_source *source, struct hf_error *err)
{
    struct stat info;
    enum hf_status status = hf_fs_lstat(source->prepared_path, &info, err);
    if (status == HF_OK)
        status = hf_fs_rename(source->prepared_path, source->source.config.path, err);
    if (status != HF_OK)
        return status;
    hf_freep(&source->prepared_path);
    source->dev = info.st_dev;
    source->ino = info.st_ino;
    return HF_OK;
}

/* The name goes with the socket, unless somebody else has put another one there. */
void
hf_socket_leave_place(struct hf_socket_source *source)
{
    struct stat info;
    enum hf_status status = HF_OK;
    if (source->fd < 0)
        return;
    if (source->prepared_path)
        status = hf_fs_unlink(source->prepared_path, NULL);
    else if (hf_fs_lstat(source->source.config.path, &info, NULL) == HF_OK &&
             info.st_dev == source->dev && info.st_ino == source->ino)
        status = hf_fs_unlink(source->source.config.path, NULL);
    if (status != HF_OK)
        hf_log_debug("socket.left", HF_STR("source", source->source.config.name));
    hf_freep(&source->prepared_path);
    hf_fs_close(&source->fd);
}
