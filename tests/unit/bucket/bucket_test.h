/* A policy folder and a configuration whose bucket `logs` has it. */
#ifndef HOLDFAST_TESTS_BUCKET_TEST_H
#define HOLDFAST_TESTS_BUCKET_TEST_H

#include "tests/support/test.h"

#include "agent/bucket/bucket_impl.h"

#include <holdfast/json.h>

#define HOST       "host1"
#define NAMES(...) ((const char *const[]){ __VA_ARGS__ })
/* Whom the bucket policy is for, as members of struct hf_bucket_given. */
#define WRITER(arn) .roles[HF_ROLE_WRITER] = { NAMES(arn), 1 }
#define READER(arn) .roles[HF_ROLE_READER] = { NAMES(arn), 1 }

static char folder[256];

static inline void
write_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static inline int
make_folder(void **state)
{
    (void)state;
    hf_test_tempdir(folder);
    write_file("object-lock.json", "{\"ObjectLockEnabled\":\"Enabled\",\"Rule\":{"
                                   "\"DefaultRetention\":{\"Mode\":\"COMPLIANCE\",\"Years\":7}}}");
    write_file("lifecycle.json", "{\"Rules\":[{\"ID\":\"of the set\"}]}");
    write_file("own.json", "{\"Rules\":[{\"ID\":\"our own\"}]}");
    write_file("bucket-policy.json", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"W\","
                                     "\"Principal\":{\"AWS\":[\"${WRITER}\"]},"
                                     "\"Resource\":[\"arn:aws:s3:::${BUCKET}/${PREFIX}/"
                                     "*\"],\"Condition\":{\"a\":\"${PREFIX}/*\"}}]}");
    write_file(
        "bucket-policy-put.json",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"P\",\"Resource\":\"${BUCKET}\"}]}");
    return 0;
}

static inline int
remove_folder(void **state)
{
    (void)state;
    hf_test_tempdir_remove(folder);
    return 0;
}

/* `bucket` is added to the entry, `confirm` to the store's, `trail` to the trail's. */
static inline struct hf_config *
configuration(const char *store, const char *bucket, const char *trail)
{
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    char *path = hf_asprintf("%s/h.yaml", folder);
    char *text = hf_asprintf(
        "agent: {state_dir: state, host: host1}\nstores: [{name: s, url: "
        "\"https://s3.example\"%s}]\n"
        "sources: [{name: app, type: file, path: /a}]\nbuckets: [{name: logs, store: s, policy: ., "
        "%s}]\n"
        "trails: [{name: audit, bucket: logs, encryption: none, digest: {key_file: d}%s},"
        "{name: second, bucket: logs, prefix: \"\", encryption: none, digest: {key_file: d}}]\n",
        store, bucket, trail);
    if (hf_config_parse(hf_slice_text(text), path, &config, &err) != HF_OK)
        fail_msg("%s", err.text);
    free(text);
    free(path);
    return config;
}

static inline struct hf_bucket_plan
plan_of(const struct hf_config *config, const struct hf_bucket_given *given)
{
    struct hf_bucket_plan plan;
    struct hf_error err = { 0 };
    if (hf_bucket_plan_make(config, &config->buckets[0], given, &plan, &err) != HF_OK)
        fail_msg("%s", err.text);
    return plan;
}

#endif
