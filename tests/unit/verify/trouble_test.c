/* A store that fails altogether ends the run, and it is said at what; one thing that it does not hand
 * over, and what lies in the place of a digest, is named, and the run goes on. */
#include "tests/unit/verify/memory_store.h"
#include "tests/unit/verify/said.h"
#include "tests/unit/verify/setup.h"

#include <errno.h>
#include <pthread.h>

/* ---- the store's face, with one call that fails: linked with --wrap ---- */

enum call { CALL_GET, CALL_LIST, CALL_VERSIONS, CALL_HIDDEN };

static struct {
    bool on;
    enum call call;
    const char *key; /* part of the key or prefix; */
    bool of_version; /* only where a version is asked for */
    unsigned skip;   /* so many go well first */
    unsigned times;  /* so many fail; 0: all */
    enum hf_status status;
} fault;

static bool
fails(enum call call, const char *key, const char *version_id)
{
    if (!fault.on || fault.call != call || !strstr(key, fault.key) ||
        (fault.of_version && !version_id))
        return false;
    if (fault.skip > 0) {
        fault.skip--;
        return false;
    }
    if (fault.times && --fault.times == 0)
        fault.on = false;
    return true;
}

enum hf_status __real_hf_store_get(struct hf_store *store, const char *key, const char *version_id,
                                   size_t max, struct hf_buf *ret_body,
                                   struct hf_object_info *ret_info, struct hf_error *err);
enum hf_status __wrap_hf_store_get(struct hf_store *store, const char *key, const char *version_id,
                                   size_t max, struct hf_buf *ret_body,
                                   struct hf_object_info *ret_info, struct hf_error *err);
enum hf_status __real_hf_store_list(struct hf_store *store, const char *prefix, const char *after,
                                    size_t max, struct hf_strings *ret_keys, struct hf_error *err);
enum hf_status __wrap_hf_store_list(struct hf_store *store, const char *prefix, const char *after,
                                    size_t max, struct hf_strings *ret_keys, struct hf_error *err);
enum hf_status __real_hf_store_versions(struct hf_store *store, const char *key,
                                        struct hf_version_entry **ret_entries, size_t *ret_count,
                                        struct hf_error *err);
enum hf_status __wrap_hf_store_versions(struct hf_store *store, const char *key,
                                        struct hf_version_entry **ret_entries, size_t *ret_count,
                                        struct hf_error *err);
enum hf_status __real_hf_store_hidden(struct hf_store *store, const char *prefix,
                                      struct hf_strings *ret_keys, struct hf_error *err);
enum hf_status __wrap_hf_store_hidden(struct hf_store *store, const char *prefix,
                                      struct hf_strings *ret_keys, struct hf_error *err);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*begin)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*begin)(void *), void *argument);

enum hf_status
__wrap_hf_store_get(struct hf_store *store, const char *key, const char *version_id, size_t max,
                    struct hf_buf *ret_body, struct hf_object_info *ret_info, struct hf_error *err)
{
    if (fails(CALL_GET, key, version_id))
        return hf_fail(err, fault.status, "the store does not want to");
    return __real_hf_store_get(store, key, version_id, max, ret_body, ret_info, err);
}

enum hf_status
__wrap_hf_store_list(struct hf_store *store, const char *prefix, const char *after, size_t max,
                     struct hf_strings *ret_keys, struct hf_error *err)
{
    if (fails(CALL_LIST, prefix, NULL))
        return hf_fail(err, fault.status, "the store does not want to");
    return __real_hf_store_list(store, prefix, after, max, ret_keys, err);
}

enum hf_status
__wrap_hf_store_versions(struct hf_store *store, const char *key,
                         struct hf_version_entry **ret_entries, size_t *ret_count,
                         struct hf_error *err)
{
    if (fails(CALL_VERSIONS, key, NULL))
        return hf_fail(err, fault.status, "the store does not want to");
    return __real_hf_store_versions(store, key, ret_entries, ret_count, err);
}

enum hf_status
__wrap_hf_store_hidden(struct hf_store *store, const char *prefix, struct hf_strings *ret_keys,
                       struct hf_error *err)
{
    if (fails(CALL_HIDDEN, prefix, NULL))
        return hf_fail(err, fault.status, "the store does not want to");
    return __real_hf_store_hidden(store, prefix, ret_keys, err);
}

int __wrap_nanosleep(const struct timespec *wait, struct timespec *ret_left);

static unsigned waited_s; /* which nobody has to */

int
__wrap_nanosleep(const struct timespec *wait, struct timespec *ret_left)
{
    (void)ret_left;
    waited_s += (unsigned)wait->tv_sec;
    return 0;
}

static bool no_threads;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *),
                      void *argument)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, begin, argument);
}

/* ---- worlds ---- */

/* Three digests with two objects each, in a store that has versions. */
static int
setup_versioned(void **state)
{
    struct world *w = hf_alloc(sizeof(*w));

    world_init(w);
    world_put_plain(w, 3);
    memory_fill(w, NULL);
    *state = w;
    return 0;
}

static int
teardown_all(void **state)
{
    fault.on = false;
    no_threads = false;
    return teardown(state);
}

static const struct range first_of_second = { 21, 30 };

static void
fault_at(enum call call, const char *key, enum hf_status status)
{
    fault.on = true;
    fault.call = call;
    fault.key = key;
    fault.of_version = false;
    fault.skip = 0;
    fault.times = 0;
    fault.status = status;
}

static void
ends_with(struct world *w, enum hf_status status, const char *word)
{
    struct hf_error err = { .status = HF_OK };

    w->seen_count = 0;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), status);
    if (!strstr(err.text, word) || !strstr(err.text, "the store does not want to"))
        fail_msg("'%s' says nothing of '%s'", err.text, word);
}

/* ---- a store that fails ---- */

static void
store_that_fails_ends_the_run_and_it_is_said_at_what(void **state)
{
    struct world *w = *state;
    const struct {
        enum call call;
        const char *key, *word;
    } cases[] = {
        { CALL_LIST, "/CloudTrail-Digest/", "listing the digests" },
        { CALL_HIDDEN, "/CloudTrail-Digest/", "looking for digests under delete markers" },
    };

    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        fault_at(cases[i].call, cases[i].key, HF_EIO);
        ends_with(w, HF_EIO, cases[i].word);
    }
}

/* ---- one thing that the store does not hand over ---- */

static void
expect_unseen(struct world *w, enum hf_finding finding, const char *key)
{
    world_verify(w);
    expect_said(w, finding, key, "the store does not want to");
    assert_false(w->result.intact);
    assert_true(w->result.unseen);
}

static void
object_that_is_not_handed_over_is_one_finding(void **state)
{
    static const struct {
        enum hf_status status;
        enum hf_finding finding;
    } cases[] = { { HF_EIO, HF_UNSEEN }, { HF_EACCESS, HF_DENIED }, { HF_EBUSYSTORE, HF_UNSEEN } };
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, first_of_second, key);
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        fault_at(CALL_GET, key, cases[i].status);
        expect_unseen(w, cases[i].finding, key);
        assert_int_equal(w->result.digests, 3);
        assert_int_equal(w->result.objects, 5);
        fault_at(CALL_VERSIONS, key, cases[i].status);
        if (cases[i].finding == HF_UNSEEN)
            expect_unseen(w, HF_UNSEEN, key);
    }
    memory_current(w->store, key)->gone = true; /* then the object is looked for below */
    fault_at(CALL_VERSIONS, key, HF_EIO);
    expect_unseen(w, HF_UNSEEN, key);
}

static enum hf_status
count_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
              struct hf_error *err)
{
    struct world *w = context;
    (void)object, (void)json, (void)err;
    strcat(w->content, ".");
    return HF_OK;
}

/* Its bytes were right, and what lies over them could not be seen. */
static void
strict_withholds_what_was_not_seen_as_a_whole(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, first_of_second, key);
    w->options.content = count_content;
    fault_at(CALL_VERSIONS, key, HF_EIO);
    world_verify(w);
    assert_string_equal(w->content, "......");
    w->content[0] = '\0';
    w->options.strict = true;
    world_verify(w);
    assert_string_equal(w->content, ".....");
}

static void
digest_that_is_not_handed_over_is_one_finding(void **state)
{
    struct world *w = *state;
    const char *fingerprint = hf_signer_fingerprint(w->signer);

    for (size_t i = 0; i < 3; i++) {
        fault_at(CALL_GET, w->digest_keys[i], HF_EIO);
        expect_unseen(w, HF_UNSEEN, w->digest_keys[i]);
        assert_int_equal(w->result.digests, 3);
        assert_int_equal(w->result.objects, 4);
        fault.skip = 1; /* it is read again, for what it lists */
        expect_unseen(w, HF_UNSEEN, w->digest_keys[i]);
        assert_int_equal(w->result.findings[HF_EXTRA], 0);
        fault_at(CALL_GET, w->digest_keys[i], HF_ENOTFOUND);
        fault.skip = 1;
        world_verify(w);
        assert_true(world_saw(w, HF_MISSING, w->digest_keys[i]));
    }
    fault_at(CALL_LIST, "/CloudTrail/", HF_EIO);
    world_verify(w);
    assert_int_equal(w->result.findings[HF_UNSEEN], 1);
    assert_true(w->result.unseen);
    fault_at(CALL_GET, ".pem", HF_EIO);
    w->options.verifier_count = 0;
    w->options.fingerprints = &fingerprint;
    w->options.fingerprint_count = 1;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_UNSEEN], 3);
    assert_true(w->result.unseen);
}

static void
what_a_busy_store_hands_over_when_asked_again_is_no_finding(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, first_of_second, key);
    waited_s = 0;
    fault_at(CALL_GET, key, HF_EBUSYSTORE);
    fault.times = 2;
    world_expect_intact(w);
    assert_int_equal(waited_s, 1 + 2);
    fault_at(CALL_GET, w->digest_keys[1], HF_ETIMEOUT);
    fault.times = 2;
    world_expect_intact(w);
}

static void
store_that_hands_nothing_over_ends_the_run(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 9);
    memory_fill(w, NULL);
    fault_at(CALL_GET, "AWSLogs/", HF_EIO);
    fault.skip = 12; /* after the first pass */
    ends_with(w, HF_EIO, "reading digest '");
    assert_int_equal(w->seen_count, 8);
}

/* Whoever buries a key under versions must not end the run. */
static void
key_buried_under_versions_is_named_and_the_run_goes_on(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, first_of_second, key);
    fault_at(CALL_VERSIONS, key, HF_ELIMIT);
    world_verify(w);
    assert_true(world_saw(w, HF_EXTRA, key));
    assert_int_equal(w->result.objects, 6);
    fault_at(CALL_VERSIONS, key, HF_ENOTFOUND); /* of a store that has none to show */
    world_expect_intact(w);
}

/* A link in its place, more than a digest may have, somebody's SSE-C: it is no digest, and that is
 * found. */
static void
what_cannot_be_a_digest_is_one_finding(void **state)
{
    static const enum hf_status statuses[] = { HF_ELIMIT, HF_ECORRUPT, HF_EFORMAT, HF_EREFUSED };
    struct world *w = *state;

    for (size_t i = 0; i < HF_COUNT(statuses); i++) {
        fault_at(CALL_GET, w->digest_keys[1], statuses[i]);
        world_verify(w);
        expect_said(w, HF_INVALID, w->digest_keys[1], "the store does not want to");
        assert_int_equal(w->result.digests, 3);
    }
}

static void
digest_that_was_listed_and_then_not_there_is_missing(void **state)
{
    struct world *w = *state;

    fault_at(CALL_GET, w->digest_keys[2], HF_ENOTFOUND);
    world_verify(w);
    expect_said(w, HF_MISSING, w->digest_keys[2], "it was listed and then not there");
}

static enum hf_status
open_another(void *context, struct hf_store **ret_store, struct hf_error *err)
{
    const struct world *w = context;

    (void)err;
    *ret_store = memory_another(w->store);
    return HF_OK;
}

static void
thread_that_cannot_be_started_ends_the_run(void **state)
{
    struct world *w = *state;
    struct hf_error err = { .status = HF_OK };

    w->options.open_store = open_another;
    w->options.workers = 2;
    no_threads = true;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_EIO);
    assert_non_null(strstr(err.text, "starting a thread to look at objects"));
    assert_int_equal(w->store->handles, 0); /* its store was closed */
    no_threads = false;
    world_expect_intact(w);
}

/* ---- versions of digests ---- */

static void
digest_below_two_others_is_found(void **state)
{
    struct world *w = *state;
    const char *key = w->digest_keys[1];

    memory_put(w->store, key, HF_SLICE_LITERAL("anything"), NULL);
    memory_put(w->store, key, HF_SLICE_LITERAL("something else"), NULL);
    world_expect_one(w, HF_OVERWRITTEN, key);
    assert_int_equal(w->result.objects, 6);
    fault_at(CALL_GET, key, HF_ENOTFOUND); /* the first below went between list and read */
    fault.of_version = true;
    fault.skip = 0;
    world_verify(w);
    assert_true(world_saw(w, HF_INVALID, key));
}

static void
delete_marker_over_what_is_no_digest_is_named(void **state)
{
    struct world *w = *state;
    const char *key = w->digest_keys[1];

    memory_current(w->store, key)->gone = true;
    memory_put(w->store, key, HF_SLICE_LITERAL("anything"), NULL);
    memory_delete_marker(w->store, key);
    world_verify(w);
    expect_said(w, HF_HIDDEN, key, "no version below it is the digest");
    assert_int_equal(w->result.digests, 3);
}

/* A store that keeps no checksum: what is signed is still checked. */
static void
without_a_checksum_of_the_store_the_signature_counts(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++)
        *memory_current(w->store, w->digest_keys[i])->info.sha256 = '\0';
    world_expect_intact(w);
}

static void
change_second_read(void *context, const char *key)
{
    struct world *w = context;
    static unsigned reads;

    if (strcmp(key, w->digest_keys[1]) != 0 || ++reads % 2)
        return;
    struct hf_buf *body = &memory_current(w->store, key)->body;
    hf_buf_reset(body);
    const struct hf_buf *other = &memory_current(w->store, w->digest_keys[0])->body;
    assert_int_equal(hf_buf_add(body, other->ptr, other->size), HF_OK);
}

/* It was judged, and is read again for what it lists. */
static void
digest_that_changes_between_two_reads_is_not_believed(void **state)
{
    struct world *w = *state;

    w->store->before_get = change_second_read;
    w->store->context = w;
    world_verify(w);
    expect_said(w, HF_INVALID, w->digest_keys[1], "it changed between two reads");
    assert_int_equal(w->result.objects, 4);
}

/* ---- which trail ---- */

static void
put_junk(struct world *w, const char *name)
{
    char prefix[HF_KEY_MAX];
    hf_layout_digest_prefix(&w->layout, prefix);
    hf_owned(hf_freep) char *key = hf_asprintf("%s2026/11/22/%s", prefix, name);
    memory_put(w->store, key, HF_SLICE_LITERAL("junk"), NULL);
}

static void
one_trail_is_found_among_what_is_no_digest(void **state)
{
    struct world *w = *state;

    put_junk(w, "readme.txt");
    put_junk(w, "000000000000_CloudTrail-Digest_local_");
    put_junk(w, "000000000000_CloudTrail-Digest_local_short");
    w->options.layout.trail = NULL;
    world_verify(w);
    assert_int_equal(w->result.digests, 3);
    assert_int_equal(w->result.objects, 6);
    assert_int_equal(w->result.findings[HF_BROKEN_CHAIN], 0);
}

static void
many_trails_are_refused_and_the_first_are_named(void **state)
{
    struct world *w = *state;
    struct hf_error err = { .status = HF_OK };

    for (unsigned i = 0; i < 10; i++) {
        char name[128];
        snprintf(name, sizeof(name),
                 "000000000000_CloudTrail-Digest_local_other%u_local_20261122T120000Z.json.gz", i);
        put_junk(w, name);
    }
    w->options.layout.trail = NULL;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_EUSAGE);
    assert_non_null(strstr(err.text, "other0"));
    assert_non_null(strstr(err.text, "name one with --trail"));
}

static void
bucket_without_any_digest_is_said_to_have_none(void **state)
{
    struct world *w = *state;
    struct hf_error err = { .status = HF_OK };

    w->options.layout.trail = NULL;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ENOTFOUND);
    assert_non_null(strstr(err.text, "there is no digest under"));
    assert_non_null(strstr(err.text, "audit-logs"));
}

/* ---- nobody listens ---- */

static void
findings_count_though_nobody_is_told_of_them(void **state)
{
    struct world *w = *state;

    memory_current(w->store, w->digest_keys[1])->gone = true;
    w->options.finding = NULL;
    world_verify(w);
    assert_int_equal(w->seen_count, 0);
    assert_int_equal(w->result.findings[HF_MISSING], 1);
    assert_false(w->result.intact);
}

#define VERSIONED(name) cmocka_unit_test_setup_teardown(name, setup_versioned, teardown_all)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        VERSIONED(store_that_fails_ends_the_run_and_it_is_said_at_what),
        VERSIONED(object_that_is_not_handed_over_is_one_finding),
        VERSIONED(strict_withholds_what_was_not_seen_as_a_whole),
        VERSIONED(digest_that_is_not_handed_over_is_one_finding),
        VERSIONED(what_a_busy_store_hands_over_when_asked_again_is_no_finding),
        VERSIONED(store_that_hands_nothing_over_ends_the_run),
        VERSIONED(key_buried_under_versions_is_named_and_the_run_goes_on),
        VERSIONED(what_cannot_be_a_digest_is_one_finding),
        VERSIONED(digest_that_was_listed_and_then_not_there_is_missing),
        VERSIONED(thread_that_cannot_be_started_ends_the_run),
        VERSIONED(digest_below_two_others_is_found),
        VERSIONED(delete_marker_over_what_is_no_digest_is_named),
        VERSIONED(without_a_checksum_of_the_store_the_signature_counts),
        VERSIONED(digest_that_changes_between_two_reads_is_not_believed),
        VERSIONED(one_trail_is_found_among_what_is_no_digest),
        VERSIONED(many_trails_are_refused_and_the_first_are_named),
        TEST(bucket_without_any_digest_is_said_to_have_none),
        VERSIONED(findings_count_though_nobody_is_told_of_them),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
