/* What every unit test includes first: cmocka with the headers it needs, in the order it needs
 * them, and a private temporary directory that takes what is in it along when it goes. */
#ifndef HOLDFAST_TESTS_SUPPORT_TEST_H
#define HOLDFAST_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a directory that only we may enter, under $TMPDIR or /tmp; the test fails if that fails. */
static inline void
hf_test_tempdir(char path[256])
{
    const char *parent = getenv("TMPDIR");

    if (!parent || parent[0] != '/')
        parent = "/tmp";
    int size = snprintf(path, 256, "%s/hf-test-XXXXXX", parent);
    assert_in_range(size, 1, 255);
    assert_non_null(mkdtemp(path));
}

static inline int
hf_test_tempdir_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

/* Removes the directory and everything in it; symbolic links are removed, never followed. */
static inline void
hf_test_tempdir_remove(const char *path)
{
    /* A slip of a test must not empty somebody's folder. */
    assert_non_null(strstr(path, "/hf-test-"));
    assert_int_equal(nftw(path, hf_test_tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
