/* A directory of the test's own, a path in it, and faults that end with the test. */
#ifndef HOLDFAST_TESTS_BASE_FS_FIXTURE_H
#define HOLDFAST_TESTS_BASE_FS_FIXTURE_H

#include "tests/unit/base/faults.h"

#include <fcntl.h>

struct fixture {
    char directory[256];
    char path[HF_PATH_MAX], other[HF_PATH_MAX]; /* "file" and "other" in it; not there */
    int fd;                                     /* -1, or of a new and empty `path` */
    struct hf_buf bytes;
    struct faults faults;
    struct hf_error err;
};

static inline int
set_up(void **state)
{
    struct fixture *fixture = hf_alloc(sizeof(*fixture));

    hf_test_tempdir(fixture->directory);
    hf_path_join(fixture->path, sizeof(fixture->path), fixture->directory, "file");
    hf_path_join(fixture->other, sizeof(fixture->other), fixture->directory, "other");
    fixture->fd = -1;
    fixture->bytes = HF_BUF(100);
    *state = fixture;
    return 0;
}

static inline int
set_up_open(void **state)
{
    set_up(state);
    struct fixture *fixture = *state;
    return hf_fs_open(fixture->path, O_RDWR | O_CREAT, 0640, &fixture->fd, NULL) == HF_OK ? 0 : -1;
}

static inline int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    faults_end();
    hf_fs_close(&fixture->fd);
    hf_buf_done(&fixture->bytes);
    hf_test_tempdir_remove(fixture->directory);
    hf_freep(&fixture);
    return 0;
}

#endif
