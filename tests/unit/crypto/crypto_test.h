/* A private folder per test program, in which the openssl tool makes keys, certificates, signatures
 * and envelopes. */
#ifndef HOLDFAST_TESTS_CRYPTO_H
#define HOLDFAST_TESTS_CRYPTO_H

#include "tests/support/test.h"

#include <holdfast/crypto.h>

#define S(text) HF_SLICE_LITERAL(text)

static char folder[256];

static inline int
folder_setup(void **state)
{
    (void)state;
    hf_test_tempdir(folder);
    return 0;
}

static inline int
folder_teardown(void **state)
{
    (void)state;
    hf_test_tempdir_remove(folder);
    return 0;
}

/* The path of a file in the folder; eight may be in use at the same time. */
static inline const char *
in_folder(const char *name)
{
    static char paths[8][400];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Runs the openssl tool in the folder, quietly; its exit code. */
static inline int
openssl(const char *arguments)
{
    hf_owned(hf_freep) char *command = hf_asprintf("cd '%s' && '%s' %s >tool.out 2>&1 </dev/null",
                                                   folder, OPENSSL_TOOL, arguments);
    int result = system(command);
    assert_true(WIFEXITED(result));
    return WEXITSTATUS(result);
}

static inline void
openssl_must(const char *arguments)
{
    if (openssl(arguments) == 0)
        return;
    hf_owned(hf_freep) char *command = hf_asprintf("cat '%s/tool.out' >&2", folder);
    if (system(command) == 0)
        fail_msg("openssl %s", arguments);
    fail();
}

static inline void
write_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
    assert_int_equal(hf_fs_replace(in_folder(name), bytes, size, mode, NULL), HF_OK);
}

static inline void
read_file(const char *name, struct hf_buf *bytes)
{
    struct hf_error err;
    if (hf_fs_read_file(in_folder(name), 64u << 20, bytes, &err) != HF_OK)
        fail_msg("%s", err.text);
}

/* NAME.key (mode 0600) and NAME.pem, a self-signed certificate; `kind` as in `openssl req -newkey`.
 */
static inline void
make_certificate(const char *name, const char *kind)
{
    hf_owned(hf_freep) char *arguments =
        hf_asprintf("req -x509 -newkey %s -nodes -keyout %s.key -out %s.pem -subj /CN=%s -days 30",
                    kind, name, name, name);
    openssl_must(arguments);
    hf_owned(hf_freep) char *key = hf_asprintf("%s.key", name);
    assert_int_equal(chmod(in_folder(key), 0600), 0);
}

#define EC_KEY(curve) "ec -pkeyopt ec_paramgen_curve:" curve

static inline struct hf_recipients *
recipients_of(const char *first, const char *second)
{
    struct hf_recipients *recipients = NULL;
    struct hf_error err;
    const char *paths[] = { in_folder(first), second ? in_folder(second) : NULL };
    if (hf_recipients_load(paths, second ? 2 : 1, &recipients, &err) != HF_OK)
        fail_msg("%s", err.text);
    return recipients;
}

static inline struct hf_opener *
opener_of(const char *key)
{
    struct hf_opener *opener = NULL;
    struct hf_error err;
    if (hf_opener_load(in_folder(key), &opener, &err) != HF_OK)
        fail_msg("%s", err.text);
    return opener;
}

#endif
