/* Where the control socket stands. Its rights are set before it has a name, without the umask,
 * which all threads share. */
#include "agent/daemon/daemon_impl.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What stands there may go only if it is a socket that nobody answers on: left by a crash. */
static enum hf_status
make_room(const struct sockaddr_un *address, struct hf_error *err)
{
    const char *path = address->sun_path;
    struct stat info;
    enum hf_status status = hf_fs_lstat(path, &info, err);
    if (status != HF_OK)
        return status == HF_ENOTFOUND ? HF_OK : status;
    if (!S_ISSOCK(info.st_mode))
        return hf_fail(
            err, HF_EEXISTS,
            "control socket: '%s' is there and is no socket; move it away, or set agent.control",
            path);
    hf_owned(hf_fs_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hf_fail_errno(err, HF_EIO, "making a socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN ||
        errno == EINPROGRESS)
        return hf_fail(
            err, HF_EBUSY,
            "somebody answers on control socket '%s'; end that program, or set agent.control",
            path);
    status = hf_fs_unlink(path, err);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

enum hf_status
control_place_take(struct control_place *place, const char *path, int *ret_fd, struct hf_error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat info;
    if (strlen(path) >= sizeof(address.sun_path))
        return hf_fail(err, HF_ECONFIG,
                       "control socket '%s' is longer than %zu bytes: set agent.control", path,
                       sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    enum hf_status status = make_room(&address, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_fs_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hf_fail_errno(err, HF_EIO, "making a socket");
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return hf_fail_errno(err, HF_ECONFIG, "making control socket '%s'", path);
    status = hf_fs_lstat(path, &info, err);
    if (status != HF_OK)
        return status;
    memcpy(place->path, path, strlen(path) + 1);
    place->dev = info.st_dev;
    place->ino = info.st_ino;
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}

/* The name goes with the socket, unless somebody else has put another one there. */
void
control_place_leave(struct control_place *place)
{
    struct stat info;
    if (!*place->path || hf_fs_lstat(place->path, &info, NULL) != HF_OK ||
        info.st_dev != place->dev || info.st_ino != place->ino)
        return;
    if (hf_fs_unlink(place->path, NULL) != HF_OK)
        hf_log_debug("control.leftover", HF_STR("path", place->path));
}
