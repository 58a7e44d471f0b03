/* Every file-system call of a put, failing alone or with everything after it, as in a crash. */
#include "tests/unit/dir/dir_test.h"

#define BODY "the body that must be whole or absent"

struct faults {
    int fail_at;
    bool for_ever;
    int failure;
    int count;
    char order[64][80];
    int recorded;
};

static int
interpose(void *context, struct hf_fs_call *call)
{
    struct faults *faults = context;

    /* A dead process closes its descriptors; failing that would only leak ours. */
    if (strcmp(call->name, "close") == 0)
        return 0;
    faults->count++;
    if (faults->count == faults->fail_at || (faults->for_ever && faults->count > faults->fail_at))
        return faults->failure;
    if (faults->recorded < 64) {
        const char *path = call->to ? call->to : call->path ? call->path : "";
        const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        snprintf(faults->order[faults->recorded++], sizeof(faults->order[0]), "%s %.60s",
                 call->name, name);
    }
    return 0;
}

static int
find(const struct faults *faults, int from, const char *wanted)
{
    for (int i = from; i < faults->recorded; i++)
        if (strcmp(faults->order[i], wanted) == 0)
            return i;
    fail_msg("'%s' did not happen after step %d", wanted, from);
    return -1;
}

static void
meta_is_durable_before_the_body_appears(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct faults faults = { .fail_at = -1 };

    hf_fs_interpose(interpose, &faults);
    assert_int_equal(put_text(bucket, KEY, BODY), HF_OK);
    hf_fs_interpose(NULL, NULL);
    int at = find(&faults, 0, "write ");
    at = find(&faults, at, "fsync ");
    at = find(&faults, at, "link one.json.gz.meta.json");
    at = find(&faults, at, "open 22"); /* the folder, to sync it */
    at = find(&faults, at, "fsync ");
    at = find(&faults, at, "write ");
    at = find(&faults, at, "fsync ");
    at = find(&faults, at, "link one.json.gz");
    at = find(&faults, at, "open 22");
    find(&faults, at, "fsync ");
}

/* What may be seen after a crash at any point: no object, or the whole object with its lock. */
static void
assert_whole_or_absent(struct bucket *bucket)
{
    struct hf_dir_info info;
    struct hf_error err;
    enum hf_status status = hf_dir_head(bucket->dir, KEY, &info, &err);

    if (status == HF_ENOTFOUND)
        return;
    assert_int_equal(status, HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(info.retain_until_s, LATER);
    assert_body(bucket, KEY, BODY);
}

static void
assert_finished_by_the_next_attempt(struct bucket *bucket)
{
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, BODY, sha256);
    struct hf_strings keys;
    struct stat info;
    struct hf_error err;
    enum hf_status status = hf_dir_put(bucket->dir, &object, &err);

    if (status == HF_EEXISTS)
        status = hf_dir_adopt(bucket->dir, &object, &err);
    assert_int_equal(status, HF_OK);
    assert_whole_or_absent(bucket);
    path_of(bucket, KEY, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0440);
    assert_int_equal(hf_dir_list(bucket->dir, "", "", 10, &keys, &err), HF_OK);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.items[0], KEY);
    hf_strings_done(&keys);
}

static void
fail_each_call(bool for_ever, int failure)
{
    int fail_at = 1;

    for (bool failed = true; failed; fail_at++) {
        void *state = NULL;
        bucket_setup(&state);
        struct faults faults = { .fail_at = fail_at, .for_ever = for_ever, .failure = failure };
        hf_fs_interpose(interpose, &faults);
        (void)put_text(state, KEY, BODY);
        failed = faults.count >= fail_at;
        hf_fs_interpose(NULL, NULL);
        assert_whole_or_absent(state);
        assert_finished_by_the_next_attempt(state);
        bucket_teardown(&state);
    }
    assert_in_range(fail_at, 20, 200); /* else the faults did not reach what they are for */
}

static void
a_crash_at_any_call_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_each_call(true, EIO);
}

static void
a_failure_of_any_call_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_each_call(false, EIO);
    fail_each_call(false, ENOSPC);
}

static void
a_failure_while_adopting_never_loses_a_lock(void **state)
{
    (void)state;
    int fail_at = 1;

    for (bool failed = true; failed; fail_at++) {
        void *own = NULL;
        char sha256[HF_SHA256_HEX_SIZE];
        struct hf_dir_object object = object_of(KEY, BODY, sha256);
        struct hf_error err;
        struct faults faults = { .fail_at = fail_at, .for_ever = true, .failure = EIO };
        bucket_setup(&own);
        assert_int_equal(put_text(own, KEY, BODY), HF_OK);
        object.retain_until_s = LATER + 86400;
        hf_fs_interpose(interpose, &faults);
        (void)!hf_dir_adopt(bucket_of(&own)->dir, &object, &err);
        failed = faults.count >= fail_at;
        hf_fs_interpose(NULL, NULL);
        struct hf_dir_info info;
        assert_int_equal(hf_dir_head(bucket_of(&own)->dir, KEY, &info, &err), HF_OK);
        assert_true(info.retain_until_s == LATER || info.retain_until_s == LATER + 86400);
        bucket_teardown(&own);
    }
    assert_in_range(fail_at, 5, 200);
}

static const char *only_call;

static int
fail_only(void *context, struct hf_fs_call *call)
{
    (void)context;
    return strcmp(call->name, only_call) == 0 ? ENOSPC : 0;
}

static void
a_failed_write_leaves_no_temporary(void **state)
{
    static const char *const calls[] = { "write", "fsync", "link", "chmod" };
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX];
    char **names;
    size_t count;
    struct hf_error err;

    for (size_t i = 0; i < HF_COUNT(calls); i++) {
        only_call = calls[i];
        hf_fs_interpose(fail_only, NULL);
        assert_int_equal(put_text(bucket, KEY, BODY), HF_ENOSPC);
        hf_fs_interpose(NULL, NULL);
        path_of(bucket, FOLDER, path);
        if (hf_fs_list(path, 100, &names, &count, &err) != HF_OK)
            continue; /* the folders could not be made durable and went again */
        assert_int_equal(count, 0);
        hf_fs_names_free(names, count);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(meta_is_durable_before_the_body_appears, bucket_setup,
                                        bucket_teardown),
        cmocka_unit_test(a_crash_at_any_call_leaves_all_or_nothing),
        cmocka_unit_test(a_failure_of_any_call_leaves_all_or_nothing),
        cmocka_unit_test(a_failure_while_adopting_never_loses_a_lock),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_no_temporary, bucket_setup,
                                        bucket_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
