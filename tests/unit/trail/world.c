#include "tests/unit/trail/world.h"

#include "agent/trail/inbox.h"
#include "agent/trail/set.h"
#include "tests/unit/trail/life.h"

#include <sys/timex.h>
#include <time.h>

static const char base_yaml[] =
    "agent: { state_dir: state, account: \"000000000000\" }\n"
    "stores: [ { name: here, url: \"dir://%s/root\" } ]\n"
    "sources: [ { name: one, type: socket, path: one.sock }, { name: two, type: socket, path: "
    "two.sock } ]\n"
    "buckets: [ { name: evidence, store: here, retention: { mode: governance, days: 1 } } ]\n"
    "trails:\n%s";
const char all_trail[] = "  - { name: all, bucket: evidence, prefix: all, window: { seconds: 3600 "
                         "}, encryption: none, digest: { key_file: digest.key } }\n";
const char two_trail[] =
    "  - { name: only-two, bucket: evidence, prefix: two, sources: [two], window: { seconds: 3600 "
    "}, encryption: none, digest: { key_file: digest.key } }\n";

/* ---- the clock: these programs are linked with --wrap=clock_gettime and --wrap=adjtimex ---- */

static atomic_llong wall_offset_s, slept_ms;
static atomic_int reads_left; /* of the wall clock, until it is set to next_offset_s */
static atomic_llong next_offset_s;
int __real_clock_gettime(clockid_t clock, struct timespec *ret_now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now);

static void
add_ms(struct timespec *time, int64_t ms)
{
    time->tv_sec += (time_t)(ms / 1000);
    time->tv_nsec += (long)(ms % 1000) * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000;
    }
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    int result = __real_clock_gettime(clock, ret_now);
    if (clock == CLOCK_REALTIME && atomic_load(&reads_left) > 0 &&
        atomic_fetch_sub(&reads_left, 1) == 1)
        atomic_store(&wall_offset_s, atomic_load(&next_offset_s));
    if (result == 0 && clock == CLOCK_REALTIME)
        ret_now->tv_sec += (time_t)atomic_load(&wall_offset_s);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME))
        add_ms(ret_now, atomic_load(&slept_ms));
    return result;
}

static atomic_bool synchronised;
int __wrap_adjtimex(struct timex *ret_now);

int
__wrap_adjtimex(struct timex *ret_now)
{
    assert_int_equal(ret_now->modes, 0);
    ret_now->status = atomic_load(&synchronised) ? 0 : STA_UNSYNC;
    return atomic_load(&synchronised) ? TIME_OK : TIME_ERROR;
}

void
world_set_synchronised(bool yes)
{
    atomic_store(&synchronised, yes);
}

void
world_set_wall(int64_t offset_s)
{
    atomic_store(&reads_left, 0);
    atomic_store(&wall_offset_s, offset_s);
}

void
world_set_wall_after(int reads, int64_t offset_s)
{
    atomic_store(&next_offset_s, offset_s);
    atomic_store(&reads_left, reads);
}

void
world_sleep(int64_t seconds)
{
    atomic_fetch_add(&slept_ms, seconds * 1000);
}

/* ---- its life ---- */

void
world_on_commit(void *context, uint64_t durable_seq, bool room)
{
    struct world *world = context;
    (void)durable_seq;
    (void)room;
    struct hf_trails *trails = atomic_load(&world->notify);
    if (trails)
        hf_trails_notify(trails);
}

enum hf_status
world_own_event(void *context, const char *event_name, const char *details_json,
                struct hf_error *err)
{
    struct world *world = context;
    atomic_fetch_add(&world->own_events, 1);
    if (world->told)
        return world->told(world, event_name, err);
    print_error("an event of its own that nobody expected: %s %s\n", event_name, details_json);
    atomic_store(&world->unexpected, true);
    return HF_OK;
}

static enum hf_status
told_only(const char *expected, const char *event_name, struct hf_error *err)
{
    return strcmp(event_name, expected) == 0
               ? HF_OK
               : hf_fail(err, HF_EINTERNAL, "only %s was expected, not %s", expected, event_name);
}

enum hf_status
world_loss_told(struct world *world, const char *event_name, struct hf_error *err)
{
    (void)world;
    return told_only("JournalLoss", event_name, err);
}

enum hf_status
world_chain_told(struct world *world, const char *event_name, struct hf_error *err)
{
    (void)world;
    return told_only("ChainNew", event_name, err);
}

struct hf_config *
world_config_parse(const struct world *world, const char *text)
{
    char path[512];
    struct hf_config *config;
    struct hf_error err;
    snprintf(path, sizeof(path), "%s/holdfast.yaml", world->folder);
    if (hf_config_parse(hf_slice_text(text), path, &config, &err) != HF_OK)
        fail_msg("%s", err.text);
    return config;
}

struct hf_config *
world_config(const struct world *world, const char *trails)
{
    char text[4096];
    assert_in_range(snprintf(text, sizeof(text), base_yaml, world->folder, trails), 1,
                    sizeof(text) - 1);
    return world_config_parse(world, text);
}

void
world_start(struct world *world, const char *trails)
{
    world_start_config(world, world_config(world, trails));
}

void
world_start_config(struct world *world, struct hf_config *config)
{
    char path[512], state[512];
    struct hf_error err = { 0 };
    struct hf_journal_recovery recovery;
    snprintf(path, sizeof(path), "%s/state/journal", world->folder);
    struct hf_journal_options journal = { .directory = path,
                                          .max_bytes = 64u << 20,
                                          .segment_bytes = 4u << 20,
                                          .on_commit = world_on_commit,
                                          .context = world };
    assert_int_equal(hf_journal_open(&journal, &world->journal, &recovery, &err), HF_OK);
    assert_int_equal(recovery.loss_count, 0);
    hf_journal_recovery_done(&recovery);
    snprintf(state, sizeof(state), "%s/state", world->folder);
    struct hf_trails_options options = { .state_dir = state,
                                         .identity = &world->identity,
                                         .journal = world->journal,
                                         .own_event = world_own_event,
                                         .context = world };
    if (hf_trails_start(&options, config, &world->trails, &err) != HF_OK)
        fail_msg("%s", err.text);
    atomic_store(&world->notify, world->trails);
}

/* ---- what a restart would find ---- */

static enum hf_status
replay(void *context, enum hf_step kind, const json_t *doc, struct hf_error *err)
{
    struct life *life = context;
    struct step said;
    enum hf_status status = step_read(kind, doc, &said, err);
    if (status == HF_OK) {
        status = step_apply(&life->state, &said, err);
        step_done(&said);
    }
    return status;
}

struct checking {
    char *live, *replayed;
};

/* On the trails' thread. The ledger is read as another process would. */
static void
check_replay(struct hf_trails *trails, void *argument)
{
    struct checking *checking = argument;
    for (struct trail *trail = trails->trails; trail && !checking->live; trail = trail->next) {
        struct life life;
        struct hf_error err = { 0 };
        struct state state = trail_state(trail);
        char path[HF_PATH_MAX];
        if (trail->book.damaged || trail->book.behind)
            continue;
        hf_path_join(path, sizeof(path), trail->folder, "ledger");
        life_begin(&life, trail->chain.journal, trail->name, trail->sealed_folder);
        enum hf_status status = hf_ledger_read(path, replay, &life, &err);
        life_adopt_places(&life, &state);
        char *live = life_text(&state),
             *replayed = status == HF_OK ? life_text(&life.state) : strdup(err.text);
        if (strcmp(live, replayed) != 0) {
            checking->live = hf_take(live);
            checking->replayed = hf_take(replayed);
        }
        free(live);
        free(replayed);
        life_end(&life);
    }
}

void
world_assert_replay(struct world *world)
{
    struct checking checking = { NULL, NULL };
    inbox_call(world->trails, check_replay, &checking);
    if (checking.live)
        fail_msg("in memory\n%s\nreplayed\n%s", checking.live, checking.replayed);
}

void
world_stop(struct world *world)
{
    world_assert_replay(world);
    atomic_store(&world->notify, NULL);
    assert_int_equal(hf_journal_sync(world->journal, 5000, NULL), HF_OK);
    hf_trails_stop(world->trails, 5000);
    hf_journal_close(world->journal);
    assert_false(atomic_load(&world->unexpected));
}

void
world_new(struct world *world)
{
    char path[512];
    memset(world, 0, sizeof(*world));
    world_set_wall(0);
    world_set_synchronised(false);
    atomic_store(&slept_ms, 0);
    hf_test_tempdir(world->folder);
    snprintf(path, sizeof(path), "%s/digest.key", world->folder);
    assert_int_equal(hf_signer_create(path, 2048, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/root/evidence", world->folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    snprintf(path, sizeof(path), "%s/state", world->folder);
    assert_int_equal(hf_fs_mkdirs(path, 0700, NULL), HF_OK);
    assert_int_equal(hf_identity_load(path, "host", &world->identity, NULL), HF_OK);
}

void
world_remove(struct world *world)
{
    hf_test_tempdir_remove(world->folder);
}

/* ---- what is asked of it ---- */

void
world_append(struct world *world, const char *source, unsigned first, unsigned count)
{
    uint16_t id;
    struct hf_error err;
    assert_int_equal(hf_journal_source(world->journal, source, &id, &err), HF_OK);
    for (unsigned i = first; i < first + count; i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"eventID\":\"%s-%u\",\"n\":%u}", source, i, i);
        assert_int_equal(hf_journal_begin(world->journal, true, &err), HF_OK);
        assert_int_equal(
            hf_journal_append(world->journal, id, 1767225600, hf_slice_text(text), NULL, &err),
            HF_OK);
        hf_journal_commit(world->journal);
    }
    assert_int_equal(hf_journal_sync(world->journal, 10000, &err), HF_OK);
}

void
world_flushed(void *context, const char *failed)
{
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->lock);
    snprintf(waiting->failed, sizeof(waiting->failed), "%s", failed ? failed : "");
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

void
world_wait(struct waiting *waiting, char ret_failed[512])
{
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->done)
        pthread_cond_wait(&waiting->changed, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
    memcpy(ret_failed, waiting->failed, 512);
}

/* ---- time that passes at once: nobody waits for what only a clock brings ---- */

struct still {
    bool now;         /* nothing is with a sealer or a store */
    int64_t until_ms; /* boot time of what the trails do next by a timer */
    uint32_t how;     /* how far everything has come: another one after any progress */
};

static bool
has_under_way(const struct trail *trail)
{
    const struct chain *chain = &trail->chain;
    return chain->check_plan || chain->key.in_flight ||
           (chain->digest && chain->digest->out.in_flight) || outbox_in_flight(&trail->outbox);
}

static uint32_t
how_far(uint32_t how, const struct trail *trail)
{
    const struct digest_work *digest = trail->chain.digest;
    uint64_t all[] = { trail->counts.puts,
                       trail->health.failed,
                       (uint64_t)trail->health.state,
                       (uint64_t)trail->health.retry_ms,
                       trail->line.cut_seq,
                       trail->line.changes != NULL,
                       trail->chain.head.number,
                       trail->chain.known,
                       trail->chain.stray_count,
                       trail->chain.key.sealed != NULL,
                       digest ? 1u + digest->looked + 2u * (digest->out.sealed != NULL) : 0,
                       trail->lists.object_count,
                       outbox_unsealed(&trail->outbox),
                       trail->outbox.spool_bytes,
                       trail->outbox.seal_retry_ms };
    return hf_crc32c(how, all, sizeof(all));
}

static void
look_whether_still(struct hf_trails *trails, void *argument)
{
    struct still *still = argument;
    *still = (struct still){ .now = !trails->seals_in_flight, .until_ms = flush_wake_ms(trails) };
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        still->now = still->now && !has_under_way(trail);
        still->until_ms = HF_MIN(still->until_ms, turn_wake_ms(trail));
        still->how = how_far(still->how, trail);
    }
}

/* Between two looks lies a whole turn. If it has begun nothing and changed nothing, and nothing has
 * come back, the next thing that happens is a timer's. */
static bool
is_still(struct world *world, int64_t *ret_until_ms)
{
    struct still first, second;
    inbox_call(world->trails, look_whether_still, &first);
    inbox_call(world->trails, look_whether_still, &second);
    *ret_until_ms = second.until_ms;
    return first.now && second.now && first.how == second.how;
}

static bool
is_done(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    bool done = waiting->done;
    pthread_mutex_unlock(&waiting->lock);
    return done;
}

static void
pass_time_until(struct world *world, struct waiting *waiting)
{
    int64_t until_ms;
    while (!is_done(waiting)) {
        bool still = is_still(world, &until_ms);
        if (is_done(waiting))
            return; /* what comes next is an hour away, and nobody waits for it */
        if (still) {
            int64_t wait_ms = until_ms - (int64_t)hf_boot_ms();
            atomic_fetch_add(&slept_ms, HF_MAX(wait_ms, 1));
            hf_trails_notify(world->trails);
        } else {
            usleep(500);
        }
    }
}

void
world_flush(struct world *world, uint64_t timeout_ms, char ret_failed[512])
{
    struct waiting waiting = WAITING;
    struct hf_journal_info info;
    hf_journal_info(world->journal, &info);
    hf_trails_flush(world->trails, info.durable_seq, timeout_ms, world_flushed, &waiting);
    pass_time_until(world, &waiting);
    world_wait(&waiting, ret_failed);
}

void
world_flush_well(struct world *world)
{
    char failed[512];
    world_flush(world, 20000, failed);
    assert_string_equal(failed, "");
}

void
world_chain_new(struct world *world, char ret_failed[512])
{
    struct waiting waiting = WAITING;
    hf_trails_chain_new(world->trails, "all", world_flushed, &waiting);
    world_wait(&waiting, ret_failed);
}

struct asked {
    const char *key;
    uint64_t number;
    char *text;
    struct waiting waiting;
};

static void
answered(void *context, json_t *status)
{
    struct asked *asked = context;
    const json_t *trail = json_array_get(json_object_get(status, "trails"), 0);
    asked->number = hf_doc_u64_or(trail, asked->key, UINT64_MAX);
    asked->text = hf_strdup(hf_doc_text_or(trail, asked->key, NULL));
    json_decref(status);
    world_flushed(&asked->waiting, NULL);
}

uint64_t
world_number(struct world *world, const char *key)
{
    char failed[512];
    struct asked asked = { .key = key, .waiting = WAITING };
    hf_trails_status(world->trails, answered, &asked);
    world_wait(&asked.waiting, failed);
    assert_true(asked.number != UINT64_MAX);
    free(asked.text);
    return asked.number;
}

char *
world_text(struct world *world, const char *key)
{
    char failed[512];
    struct asked asked = { .key = key, .waiting = WAITING };
    hf_trails_status(world->trails, answered, &asked);
    world_wait(&asked.waiting, failed);
    return asked.text;
}

/* Between two answers of its thread lies a whole turn. */
void
world_settle(struct world *world)
{
    (void)world_number(world, "cut_sequence");
    (void)world_number(world, "cut_sequence");
}

/* ---- what lies in its store ---- */

static void
look_at_digest(struct bucket *bucket, struct hf_slice json)
{
    struct hf_digest digest = { 0 };
    assert_int_equal(hf_digest_parse(json, &digest, NULL), HF_OK);
    bucket->highest_number = HF_MAX(bucket->highest_number, digest.number);
    bucket->digests++;
    bucket->old_heads += digest.old_head != NULL;
    for (size_t i = 0; i < digest.object_count; i++)
        bucket->listed += digest.objects[i].count;
    for (size_t i = 0; i < digest.loss_count; i++)
        bucket->lost += digest.losses[i].last_seq - digest.losses[i].first_seq + 1;
    hf_digest_done(&digest);
}

static void
read_gzip(const char *path, struct hf_buf *ret_text)
{
    hf_owned(hf_buf_done) struct hf_buf gzip = HF_BUF(1u << 24);
    assert_int_equal(hf_fs_read_file(path, 1u << 24, &gzip, NULL), HF_OK);
    assert_int_equal(hf_gunzip(hf_buf_slice(&gzip), ret_text, NULL), HF_OK);
}

static void
look_at_meta(struct bucket *bucket, const char *path)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    int64_t retain_s;
    assert_int_equal(hf_fs_read_file(path, 1u << 20, &text, NULL), HF_OK);
    const char *date = strstr(hf_buf_text(&text), "\"retainUntil\"");
    assert_non_null(date);
    char date_text[HF_TIME_SIZE] = "";
    assert_int_equal(sscanf(date, "\"retainUntil\" : \"%20[^\"]", date_text), 1);
    assert_true(hf_time_parse_rfc3339(date_text, &retain_s));
    bucket->retain_most_s = HF_MAX(bucket->retain_most_s, retain_s);
}

struct looking {
    struct bucket bucket;
    const char *needle;
};

static void
look_at(void *context, const char *path)
{
    struct looking *looking = context;
    struct bucket *bucket = &looking->bucket;
    if (hf_ends_with(path, ".meta.json"))
        look_at_meta(bucket, path);
    bucket->keys += hf_ends_with(path, ".pem");
    if (!hf_ends_with(path, ".gz"))
        return;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 24);
    read_gzip(path, &text);
    if (strstr(path, "CloudTrail-Digest")) {
        look_at_digest(bucket, hf_buf_slice(&text));
        return;
    }
    bucket->objects++;
    for (const char *at = hf_buf_text(&text); (at = strstr(at, looking->needle)) != NULL;
         at += strlen(looking->needle))
        bucket->found++;
}

void
world_each_file(const char *folder, void (*visit)(void *context, const char *path), void *context)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(folder, 10000, &names, &count, NULL);
    if (status == HF_ENOTFOUND)
        return;
    assert_int_equal(status, HF_OK);
    for (size_t i = 0; i < count; i++) {
        char path[HF_PATH_MAX];
        struct stat stat;
        hf_path_join(path, sizeof(path), folder, names[i]);
        status = hf_fs_stat(path, &stat, NULL);
        if (status == HF_ENOTFOUND) /* what was put just now has its own name by now */
            continue;
        assert_int_equal(status, HF_OK);
        if (S_ISDIR(stat.st_mode))
            world_each_file(path, visit, context);
        else
            visit(context, path);
    }
    hf_fs_names_free(names, count);
}

struct digest_visit {
    void (*visit)(void *context, const struct hf_digest *digest);
    void *context;
};

static void
visit_digest(void *context, const char *path)
{
    const struct digest_visit *digests = context;
    struct hf_digest digest = { 0 };
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(1u << 24);
    if (!hf_ends_with(path, ".json.gz"))
        return;
    read_gzip(path, &json);
    assert_int_equal(hf_digest_parse(hf_buf_slice(&json), &digest, NULL), HF_OK);
    digests->visit(digests->context, &digest);
    hf_digest_done(&digest);
}

void
world_each_digest(const struct world *world, const char *prefix,
                  void (*visit)(void *context, const struct hf_digest *digest), void *context)
{
    char folder[HF_PATH_MAX];
    struct digest_visit digests = { visit, context };
    snprintf(folder, sizeof(folder), "%s/root/evidence/%s/AWSLogs/000000000000/CloudTrail-Digest",
             world->folder, prefix);
    world_each_file(folder, visit_digest, &digests);
}

struct bucket
bucket_in(const char *folder, const char *needle)
{
    struct looking looking = { .needle = needle };
    world_each_file(folder, look_at, &looking);
    return looking.bucket;
}

struct bucket
bucket_of(const struct world *world, const char *prefix, const char *needle)
{
    char folder[HF_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/root/evidence/%s", world->folder, prefix);
    return bucket_in(folder, needle);
}

bool
world_has(const struct world *world, const char *name)
{
    char path[HF_PATH_MAX];
    struct stat stat;
    hf_path_join(path, sizeof(path), world->folder, name);
    return hf_fs_stat(path, &stat, NULL) == HF_OK;
}

void
world_wait_until_gone(const struct world *world, const char *name)
{
    for (int i = 0; i < 2000 && world_has(world, name); i++)
        usleep(10000);
    assert_false(world_has(world, name));
}
