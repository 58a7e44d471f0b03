/* Many objects at once: what is said, and its order, is what one thread would have said; how far
 * workers run ahead is bounded; they stop when they are told to. */
#include "agent/verify/workers.h"
#include "tests/unit/verify/memory_store.h"
#include "tests/unit/verify/setup.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define PATIENCE_S 20

/* Everything that one verification told, in its order. */
struct told {
    struct world *w;
    struct hf_buf text;
    const char *stop_at; /* the content of this object is one too many */
    enum hf_status opening;
    unsigned opened;
    pthread_t caller;
};

static void
tell(struct told *told, const char *word, const char *key, const char *detail)
{
    assert_true(pthread_equal(told->caller, pthread_self()));
    assert_int_equal(hf_buf_addf(&told->text, "%s %s: %s\n", word, key, detail), HF_OK);
}

static void
on_finding(void *context, enum hf_finding finding, const char *key, const char *detail)
{
    tell(context, hf_finding_text(finding), key, detail);
}

static void
on_progress(void *context, uint64_t digests, uint64_t objects, uint64_t known)
{
    char numbers[100];

    snprintf(numbers, sizeof(numbers), "%u %u %u", (unsigned)digests, (unsigned)objects,
             (unsigned)known);
    tell(context, "progress", numbers, "");
}

static enum hf_status
on_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
           struct hf_error *err)
{
    struct told *told = context;
    char hash[HF_SHA256_HEX_SIZE];

    hf_sha256_hex(json.ptr, json.size, hash);
    tell(told, "content", object->key, hash);
    return told->stop_at && strcmp(told->stop_at, object->key) == 0
               ? hf_fail(err, HF_ESTOPPED, "enough")
               : HF_OK;
}

static enum hf_status
open_another(void *context, struct hf_store **ret_store, struct hf_error *err)
{
    struct told *told = context;

    assert_true(pthread_equal(told->caller, pthread_self()));
    if (told->opening != HF_OK)
        return hf_fail(err, told->opening, "no more");
    told->opened++;
    *ret_store = memory_another(told->w->store);
    return HF_OK;
}

/* By so many workers; 0: by the caller's thread alone. Then status, error and result are the end of
 * what was told. */
static void
verify_told(struct told *told, unsigned workers)
{
    struct world *w = told->w;
    struct hf_verify_options options = w->options;
    struct hf_verify_result result = { .digests = 0 };
    struct hf_error err = { .status = HF_OK };

    hf_buf_init(&told->text, 1 << 20);
    told->opened = 0;
    told->caller = pthread_self();
    options.finding = on_finding;
    options.progress = on_progress;
    options.context = told;
    options.open_store = workers ? open_another : NULL;
    options.workers = workers;
    enum hf_status status = hf_verify(&options, &result, &err);
    tell(told, "end", hf_status_name(status), err.text);
    if (status == HF_OK) {
        w->result = result;
        for (size_t i = 0; i < HF_COUNT(result.findings); i++)
            assert_int_equal(hf_buf_addf(&told->text, "%u ", (unsigned)result.findings[i]), HF_OK);
        snprintf(w->content, sizeof(w->content), "%u %u %u %u %s %d", (unsigned)result.digests,
                 (unsigned)result.objects, (unsigned)result.records, (unsigned)result.bytes,
                 result.head.key, result.intact);
        tell(told, "result", w->content, "");
    }
    assert_true(told->opened <= workers);
    assert_int_equal(w->store->handles, 0);
}

/* Looks take differently long. */
static void
dawdle(void *context, const char *key)
{
    const struct timespec some = { .tv_nsec = (long)(strlen(key) * 7919 + (uint8_t)key[60] * 131 +
                                                     (uint8_t)key[strlen(key) - 20] * 977) %
                                              9 * 100000 };

    (void)context;
    nanosleep(&some, NULL);
}

/* Told the same by nobody, one and eight workers; the caller frees what was told. */
static char *
expect_the_same(struct told *told)
{
    static const unsigned workers[] = { 0, 1, 8 };
    char *first = NULL;

    for (size_t i = 0; i < HF_COUNT(workers); i++) {
        told->w->store->before_get = workers[i] > 1 ? dawdle : NULL;
        verify_told(told, workers[i]);
        if (first)
            assert_string_equal(hf_buf_text(&told->text), first);
        else
            first = hf_strdup(hf_buf_text(&told->text));
        hf_buf_done(&told->text);
    }
    return first;
}

/* ---- a chain in which everything is found ---- */

#define FIVE(first)                                                                                \
    {                                                                                              \
        { (first), (first) + 3 }, { (first) + 4, (first) + 7 }, { (first) + 8, (first) + 11 },     \
            { (first) + 12, (first) + 15 }, { (first) + 16, (first) + 19 },                        \
    }

static void
key_of(struct world *w, uint64_t first, char ret_key[HF_KEY_MAX])
{
    world_object_key(w, (struct range){ first, first + 3 }, ret_key);
}

static struct memory_version *
version_of(struct world *w, uint64_t first)
{
    char key[HF_KEY_MAX];

    key_of(w, first, key);
    return memory_current(w->store, key);
}

static void
put_again(struct world *w, uint64_t first)
{
    struct memory_version *before = version_of(w, first);

    memory_put(w->store, before->key, hf_buf_slice(&before->body), NULL)->info = before->info;
}

static void
name_the_first_version(struct hf_digest *digest)
{
    digest->objects[1].version_id = hf_strdup("v0");
}

static void
name_another_bucket(struct hf_digest *digest)
{
    free(digest->objects[2].bucket);
    digest->objects[2].bucket = hf_strdup("elsewhere");
}

static void
put_key(struct world *w)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(65536);
    char key[HF_KEY_MAX];

    assert_int_equal(hf_signer_public_pem(w->signer, &pem), HF_OK);
    hf_layout_public_key(&w->layout, hf_signer_fingerprint(w->signer), key);
    memory_put(w->store, key, hf_buf_slice(&pem), NULL);
}

static void
put_chain(struct world *w, const struct envelopes *envelopes)
{
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = FIVE(1) },
        { .covers = { 21, 40 }, .objects = FIVE(21) },
        { .covers = { 41, 60 }, .objects = FIVE(41) },
        { .covers = { 61, 80 }, .objects = FIVE(61) },
        { .covers = { 81, 100 }, .objects = FIVE(81) },
        { .covers = { 101, 120 }, .objects = FIVE(101), .losses = { { 119, 119 } } },
        { .covers = { 121, 140 }, .objects = { { 121, 130 }, { 125, 128 }, { 131, 140 } } },
        { .covers = { 141, 160 }, .objects = FIVE(141) },
        { .covers = { 161, 180 },
          .objects = { { 161, 164 }, { 165, 168 } },
          .pending = { { 169, 180 } } },
    };
    struct hf_signer *own = w->signer;
    char key[HF_KEY_MAX];

    w->recipients = NULL;
    world_put_object(w, plans[2].objects[1]);
    key_of(w, 45, key);
    memory_fill(w, key); /* it is v0 */
    for (size_t i = 0; i < HF_COUNT(plans); i++) {
        w->change = i == 2 ? name_the_first_version : i == 5 ? name_another_bucket : NULL;
        w->signer = i == 4 ? world_other_signer() : own;
        w->recipients = i == 7 ? envelopes->recipients : NULL;
        world_put_digest(w, &plans[i]);
    }
    world_put_object(w, (struct range){ 105, 106 }); /* nobody lists it */
    memory_fill(w, NULL);
    put_key(w);
    w->options.verifier_count = 0;
}

static void
tamper(struct world *w)
{
    struct memory_version *version;

    version_of(w, 1)->body.ptr[30] ^= 1;
    version_of(w, 9)->info.lock_mode = HF_LOCK_NONE;
    version_of(w, 13)->info.advisory = version_of(w, 17)->info.advisory = true;
    put_again(w, 21);
    version_of(w, 25)->gone = true;
    memory_delete_marker(w->store, version_of(w, 29)->key);
    memory_put(w->store, version_of(w, 33)->key, HF_SLICE_LITERAL("other"), NULL);
    memory_put(w->store, version_of(w, 45)->key, HF_SLICE_LITERAL("bytes"), NULL);
    memory_put(w->store, w->digest_keys[5], HF_SLICE_LITERAL("anything"), NULL);
    version = memory_current(w->store, w->digest_keys[3]);
    hf_buf_reset(&version->body); /* the one before it, in its place */
    struct memory_version *before = memory_current(w->store, w->digest_keys[2]);
    assert_int_equal(hf_buf_add(&version->body, before->body.ptr, before->body.size), HF_OK);
    version->info = before->info;
}

static void
whatever_is_found_is_told_as_by_one_thread(void **state)
{
    static const struct {
        bool content, opens, refuses;
    } ways[] = {
        { 0 }, { .content = true }, { .content = true, .opens = true }, { .refuses = true }
    };
    struct world *w = *state;
    struct told told = { .w = w };
    uint64_t seen[HF_FINDINGS] = { 0 };
    struct envelopes envelopes;

    world_envelopes(w, &envelopes);
    put_chain(w, &envelopes);
    tamper(w);
    for (size_t way = 0; way < HF_COUNT(ways); way++) {
        w->options.content = ways[way].content ? on_content : NULL;
        w->options.opener = ways[way].opens ? envelopes.opener : NULL;
        w->store->refuses_versions = ways[way].refuses;
        free(expect_the_same(&told));
        for (size_t i = 0; i < HF_COUNT(seen); i++)
            seen[i] += w->result.findings[i];
    }
    for (size_t i = 0; i < HF_EXPIRED; i++) /* what comes with time is for gone_test.c */
        if (!seen[i])
            fail_msg("%s was not found", hf_finding_text((enum hf_finding)i));
    envelopes_done(&envelopes);
}

/* ---- one digest with twenty objects ---- */

static void
put_twenty(struct world *w)
{
    struct plan plan = { .covers = { 1, 20 } };

    for (size_t i = 0; i < HF_COUNT(plan.objects); i++)
        plan.objects[i] = (struct range){ i + 1, i + 1 };
    world_put_digest(w, &plan);
    memory_fill(w, NULL);
}

static void
one_key(struct world *w, uint64_t seq, char ret_key[HF_KEY_MAX])
{
    world_object_key(w, (struct range){ seq, seq }, ret_key);
}

/* From one object on nobody may list versions: what workers saw of later ones by then is not told,
 * for one thread would not have asked. */
static void
a_right_that_ends_on_the_way_ends_at_the_same_object(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w };
    char key[HF_KEY_MAX], refused[HF_KEY_MAX];

    put_twenty(w);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        one_key(w, seq, key);
        struct memory_version *first = memory_current(w->store, key);
        memory_put(w->store, key, hf_buf_slice(&first->body), NULL)->info = first->info;
    }
    one_key(w, 7, refused);
    w->store->refuses_versions_of = refused;
    free(expect_the_same(&told));
    assert_int_equal(w->result.findings[HF_REPEATED], 6);
}

static void
one_object_that_is_not_handed_over_ends_nothing(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w };
    char key[HF_KEY_MAX];

    put_twenty(w);
    one_key(w, 12, key);
    w->store->get_fails = HF_EIO;
    w->store->fails_for = key;
    w->options.content = on_content;
    hf_owned(hf_freep) char *text = expect_the_same(&told);
    assert_non_null(strstr(text, "\nUNSEEN "));
    one_key(w, 11, key);
    hf_owned(hf_freep) char *content = hf_asprintf("\ncontent %s: ", key),
                            *valid = hf_asprintf("\nVALID %s: ", key);
    assert_non_null(strstr(text, content)); /* first what it says, then what was found */
    assert_true(strstr(text, content) < strstr(text, valid));
    one_key(w, 13, key);
    assert_non_null(strstr(text, key));
}

static void
whoever_takes_the_content_stops_the_workers(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w };
    char key[HF_KEY_MAX];

    put_twenty(w);
    one_key(w, 5, key);
    told.stop_at = key;
    w->options.content = on_content;
    hf_owned(hf_freep) char *text = expect_the_same(&told);
    assert_non_null(strstr(text, "end HF_ESTOPPED: enough"));
}

static void
a_store_that_does_not_open_again_is_an_error(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w, .opening = HF_ECREDENTIALS };

    world_put_plain(w, 1);
    memory_fill(w, NULL);
    verify_told(&told, 4);
    assert_non_null(strstr(hf_buf_text(&told.text), "end HF_ECREDENTIALS: opening the store"));
    hf_buf_done(&told.text);
}

static void
without_objects_to_look_at_nobody_is_asked_for_a_store(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w };

    world_put_plain(w, 1);
    memory_fill(w, NULL);
    w->options.check_objects = w->options.check_locks = false;
    verify_told(&told, 4);
    assert_int_equal(told.opened, 0);
    hf_buf_done(&told.text);
}

/* ---- what is ahead ---- */

struct gate { /* counts the looks that began; holds some back */
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    unsigned begun, told, most_ahead;
};

static void
gate_init(struct gate *gate)
{
    *gate = (struct gate){ .begun = 0 };
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->moved, NULL);
}

static void
through(void *context, const char *key)
{
    struct gate *gate = context;

    if (!strstr(key, "/CloudTrail/"))
        return;
    pthread_mutex_lock(&gate->mutex);
    gate->begun++;
    gate->most_ahead = HF_MAX(gate->most_ahead, gate->begun - gate->told);
    pthread_cond_broadcast(&gate->moved);
    pthread_mutex_unlock(&gate->mutex);
}

/* false: not within that time */
static bool
have_begun(struct gate *gate, unsigned count, int64_t ms)
{
    struct timespec until;
    int failed = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec / 1000000 + ms) / 1000;
    until.tv_nsec = (until.tv_nsec / 1000000 + ms) % 1000 * 1000000;
    pthread_mutex_lock(&gate->mutex);
    while (gate->begun < count && failed != ETIMEDOUT)
        failed = pthread_cond_timedwait(&gate->moved, &gate->mutex, &until);
    bool enough = gate->begun >= count;
    pthread_mutex_unlock(&gate->mutex);
    return enough;
}

/* The first one told waits until as many are ahead of it as may be. */
static enum hf_status
tell_slowly(void *context, const struct hf_digest_object *object, struct hf_slice json,
            struct hf_error *err)
{
    struct told *told = context;
    struct gate *gate = told->w->store->context;

    (void)object;
    (void)json;
    (void)err;
    if (gate->told == 0)
        assert_true(have_begun(gate, 3 * WORKERS_AHEAD, PATIENCE_S * 1000));
    pthread_mutex_lock(&gate->mutex);
    gate->told++;
    pthread_mutex_unlock(&gate->mutex);
    return HF_OK;
}

static void
so_many_objects_are_ahead_and_no_more(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w };
    struct gate gate;

    gate_init(&gate);
    put_twenty(w);
    w->store->before_get = through;
    w->store->context = &gate;
    w->options.content = tell_slowly;
    verify_told(&told, 3);
    hf_buf_done(&told.text);
    assert_int_equal(gate.begun, 20);
    assert_int_equal(gate.told, 20);
    assert_int_equal(gate.most_ahead, 3 * WORKERS_AHEAD);
    assert_int_equal(told.opened, 3);
}

/* Each content takes a thousand bytes: of five rooms of 1,500, the sixth look would need more than
 * what is left beside five contents that nobody took. */
static void
so_many_bytes_are_ahead_and_no_more(void **state)
{
    struct world *w = *state;
    struct told told = { .w = w, .caller = pthread_self() };
    struct hf_verify_options options = w->options;
    struct hf_digest digest = { .key = (char *)"digest", .number = 1 };
    struct looked looked;
    struct gate gate;

    gate_init(&gate);
    w->padding = 1000;
    put_twenty(w);
    w->store->before_get = through;
    w->store->context = &gate;
    options.content = on_content;
    options.open_store = open_another;
    options.context = &told;
    options.workers = 4;
    struct workers *workers = workers_new(&options, 1500);
    size_t put = 0;
    for (; !workers_are_full(workers); put++)
        assert_int_equal(workers_put(workers, &digest, &w->made[put], false, NULL), HF_OK);
    assert_int_equal(put, 4 * WORKERS_AHEAD);
    assert_true(have_begun(&gate, 6, PATIENCE_S * 1000));
    assert_false(have_begun(&gate, 7, 200));
    for (size_t i = 0; i < put; i++) {
        workers_take(workers, &looked);
        assert_true(looked.right && looked.open && !looked.too_large);
        looked_done(&looked);
        assert_true(have_begun(&gate, HF_MIN(i + 7, 8), PATIENCE_S * 1000));
    }
    workers_free(workers);
}

/* More than a worker's room comes out of it: the caller's thread looks at it, with room for each. */
static void
what_is_too_large_for_a_worker_is_told_as_any_other(void **state)
{
    static const struct range large = { 21, 21 };
    static const struct plan plan = { .covers = { 21, 40 }, .objects = { { 21, 21 }, { 22, 40 } } };
    struct world *w = *state;
    struct told told = { .w = w };
    char key[HF_KEY_MAX];

    world_put_plain(w, 1);
    w->padding = WORKERS_ROOM + 1;
    world_put_object(w, large);
    w->padding = 0;
    world_put_digest(w, &plan);
    memory_fill(w, NULL);
    world_object_key(w, large, key);
    w->options.content = on_content;
    hf_owned(hf_freep) char *text = expect_the_same(&told);
    hf_owned(hf_freep) char *valid = hf_asprintf("VALID %s: 1 records\n", key);
    assert_non_null(strstr(text, valid));
    assert_true(w->result.intact);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(whatever_is_found_is_told_as_by_one_thread),
        TEST(a_right_that_ends_on_the_way_ends_at_the_same_object),
        TEST(one_object_that_is_not_handed_over_ends_nothing),
        TEST(whoever_takes_the_content_stops_the_workers),
        TEST(a_store_that_does_not_open_again_is_an_error),
        TEST(without_objects_to_look_at_nobody_is_asked_for_a_store),
        TEST(so_many_objects_are_ahead_and_no_more),
        TEST(so_many_bytes_are_ahead_and_no_more),
        TEST(what_is_too_large_for_a_worker_is_told_as_any_other),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
