/* Whatever happens to a trail, a restart finds what was in memory: random lives, step by step as the
 * table in agent/ledger/FORMAT.md allows, each replayed from its documents at random places, also
 * through ledgers that were written anew. */
#include "tests/unit/trail/life.h"

#include <holdfast/json.h>
#include <string.h>
#include <time.h>

#define STEPS_ALL  100000
#define STEPS_LIFE 1000

/* A ledger in memory: kinds, and documents as texts. */
struct told {
    enum hf_step kinds[8 * STEPS_LIFE];
    char *texts[8 * STEPS_LIFE];
    size_t count;
};

struct random_life {
    struct life life;
    struct told told;
    uint64_t seed; /* of the generator, as it stands */
    int64_t now_s;
    unsigned keys; /* given out */
    size_t steps, compared, anew;
};

static uint64_t first_seed;

static uint64_t
any(struct random_life *at, uint64_t below)
{
    at->seed ^= at->seed << 13;
    at->seed ^= at->seed >> 7;
    at->seed ^= at->seed << 17;
    return (at->seed * UINT64_C(0x2545f4914f6cdd1d) >> 33) % below;
}

static bool
now_and_then(struct random_life *at, uint64_t one_in)
{
    return any(at, one_in) == 0;
}

/* ---- the ledger ---- */

static void
forget(struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        hf_freep(&told->texts[i]);
    told->count = 0;
}

/* Written, read and written again it is the same. */
static void
check_text(const struct step *step, const char *text)
{
    struct step said;
    struct hf_error err = { 0 };
    json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    if (step_read(step->kind, doc, &said, &err) != HF_OK)
        fail_msg("%s: %s", text, err.text);
    json_t *again = step_write(&said);
    if (!json_equal(again, doc))
        fail_msg("%s is read as something else", text);
    step_done(&said);
    json_decref(again);
    json_decref(doc);
}

static void
tell(void *context, const struct step *step)
{
    struct told *told = context;
    assert_true(told->count < HF_COUNT(told->kinds));
    json_t *doc = step_write(step);
    char *text = json_dumps(doc, JSON_COMPACT);
    assert_non_null(text);
    json_decref(doc);
    told->kinds[told->count] = step->kind;
    told->texts[told->count++] = text;
}

static void
compare(struct random_life *at)
{
    struct life replayed;
    struct hf_error err = { 0 };
    life_begin(&replayed, LIFE_JOURNAL, "all", "sealed");
    for (size_t i = 0; i < at->told.count; i++) {
        if (life_read(&replayed, at->told.kinds[i], at->told.texts[i], &err) != HF_OK)
            fail_msg("seed %llu: %s", (unsigned long long)first_seed, err.text);
    }
    char *live = life_text(&at->life.state), *found = life_text(&replayed.state);
    if (strcmp(live, found) != 0)
        fail_msg("seed %llu, step %zu: in memory\n%s\nreplayed\n%s", (unsigned long long)first_seed,
                 at->steps, live, found);
    free(live);
    free(found);
    life_end(&replayed);
    at->compared++;
}

static void
write_anew(struct random_life *at)
{
    forget(&at->told);
    state_steps(&at->life.state, tell, &at->told);
    compare(at);
    at->anew++;
}

/* As a live trail does it, but applied as it was said, not as it was read. */
static void
take(struct random_life *at, const struct step *step)
{
    struct hf_error err = { 0 };
    tell(&at->told, step);
    check_text(step, at->told.texts[at->told.count - 1]);
    if (step_apply(&at->life.state, step, &err) != HF_OK)
        fail_msg("%s", err.text);
    at->steps++;
}

/* ---- what may happen ---- */

static void
new_key(struct random_life *at, char ret_key[HF_KEY_MAX])
{
    snprintf(ret_key, HF_KEY_MAX, "AWSLogs/%u/\xc3\xa4-%llu.json.gz", at->keys++,
             (unsigned long long)any(at, 1000));
}

static void
new_hash(struct random_life *at, char ret_hash[HF_SHA256_HEX_SIZE])
{
    for (unsigned i = 0; i < 64; i += 16)
        snprintf(ret_hash + i, 17, "%08x%08x", (unsigned)any(at, UINT32_MAX),
                 (unsigned)any(at, UINT32_MAX));
}

static struct window *
any_window(struct random_life *at)
{
    size_t count = 0;
    for (struct window *window = at->life.outbox.windows; window; window = window->next)
        count++;
    struct window *window = at->life.outbox.windows;
    for (size_t i = count ? any(at, count) : 0; i > 0; i--)
        window = window->next;
    return window;
}

static struct hf_selection
any_selection(struct random_life *at)
{
    struct hf_selection selection = { .all = now_and_then(at, 2) };
    if (!selection.all) {
        for (unsigned i = 0; i < 3; i++)
            hf_selection_add(&selection, (uint16_t)(1 + any(at, HF_SOURCES_MAX - 1)));
    }
    return selection;
}

/* Windows end at an event, never within a loss; the line may lie behind a loss that follows. */
static void
cut(struct random_life *at)
{
    static const int compressions[] = { HF_COMPRESSION_USUAL, HF_COMPRESSION_QUICK,
                                        HF_COMPRESSION_ISAL };
    struct line *line = &at->life.line;
    struct step_cut said = { .range.first_seq = line->cut_seq + 1,
                             .range.last_seq = line->cut_seq + 1 + any(at, 50),
                             .time_s = at->now_s += (int64_t)any(at, 60) };
    char id[WINDOW_ID_SIZE], key[HF_KEY_MAX] = "", compression[HF_COMPRESSION_TEXT_MAX];
    for (size_t i = 0; i < line->noted_count; i++) {
        if (line->noted[i].first_seq <= said.range.last_seq)
            said.range.last_seq = HF_MAX(said.range.last_seq, line->noted[i].last_seq + 1);
    }
    said.cut_seq = said.range.last_seq;
    for (size_t i = 0; i < line->noted_count; i++) {
        if (line->noted[i].first_seq == said.range.last_seq + 1)
            said.cut_seq = line->noted[i].last_seq;
    }
    hf_owned(hf_freep) struct hf_journal_loss *lost = NULL;
    said.lost_count = line_noted_up_to(line, said.range.last_seq, &lost);
    said.lost = lost;
    said.range.count = now_and_then(at, 5) ? 0 : 1 + any(at, 50);
    said.range.bytes = any(at, 1u << 20);
    said.range.slot_s = (int64_t)any(at, 2000000000);
    said.range.oldest_s = (int64_t)any(at, 1000) - 500;
    said.range.newest_s = (int64_t)any(at, 2000000000);
    said.range.reason = (enum hf_cut_reason)any(at, 3);
    hf_compression_text(compressions[any(at, HF_COUNT(compressions))], compression);
    said.compression = compression;
    outbox_id(&said.range, id);
    said.window = id;
    if (said.range.count)
        new_key(at, key);
    said.key = key;
    said.selection = any_selection(at);
    take(at, &(struct step){ .kind = HF_STEP_CUT, .cut = said });
}

static void
lose(struct random_life *at, uint64_t first_seq, uint64_t last_seq, uint64_t cut_seq)
{
    take(at,
         &(struct step){ .kind = HF_STEP_LOSS,
                         .loss = { .first_seq = first_seq,
                                   .last_seq = last_seq,
                                   .reason = now_and_then(at, 2) ? "a \"sector\"" : "\xe2\x82\xac",
                                   .cut_seq = cut_seq } });
}

/* Found by the cutter, with a window open in front of it or none; or by a sealer. */
static void
loss(struct random_life *at)
{
    const struct line *line = &at->life.line;
    const struct window *window = any_window(at);
    uint64_t first_seq = line->cut_seq + 1;
    bool open = line->noted_count > 0 || now_and_then(at, 2);
    if (window && now_and_then(at, 3)) {
        lose(at, window->range.first_seq, window->range.last_seq, line->cut_seq);
        return;
    }
    for (size_t i = 0; i < line->noted_count; i++)
        first_seq = HF_MAX(first_seq, line->noted[i].last_seq + 1);
    first_seq += open ? any(at, 5) : 0;
    uint64_t last_seq = first_seq + any(at, 10);
    lose(at, first_seq, last_seq, open ? line->cut_seq : last_seq);
}

static void
attempt(struct random_life *at, const char *what, const struct outgoing *out)
{
    int64_t retain_s = HF_MAX(out->last_retain_s, 0) + (int64_t)(any(at, 3) * 86400);
    take(at, &(struct step){ .kind = HF_STEP_ATTEMPT,
                             .attempt = { what, retain_s, out->foreign || now_and_then(at, 5) } });
}

static void
receipt(struct random_life *at, const struct window *window)
{
    static const char *const gaps[] = { "a gap", "another \"gap\"" };
    const char *some[GAPS_MOST + 200];
    char hash[HF_SHA256_HEX_SIZE], stored[HF_SHA256_HEX_SIZE], plain[HF_SHA256_HEX_SIZE];
    new_hash(at, hash);
    new_hash(at, stored);
    new_hash(at, plain);
    for (size_t i = 0; i < HF_COUNT(some); i++)
        some[i] = gaps[i % 2];
    struct step_receipt said = { .window = window->id,
                                 .bucket = "evidence",
                                 .key = window->key,
                                 .hash = hash,
                                 .stored_sha256 = stored,
                                 .plain_sha256 = plain,
                                 .oldest_s = window->range.oldest_s,
                                 .newest_s = window->range.newest_s,
                                 .first_seq = window->range.first_seq,
                                 .last_seq = window->range.last_seq,
                                 .count = window->range.count,
                                 .version_id = now_and_then(at, 2) ? "v1" : NULL,
                                 .confirmed = "head",
                                 .encryption = "none",
                                 .lock_mode = "COMPLIANCE",
                                 .retain_until_s = window->out.last_retain_s,
                                 .repeated = any(at, 3),
                                 .gaps = some };
    said.gap_count = now_and_then(at, 200) ? HF_COUNT(some) : any(at, 3);
    take(at, &(struct step){ .kind = HF_STEP_RECEIPT, .receipt = said });
}

static void
foreign(struct random_life *at, const struct window *window)
{
    char key[HF_KEY_MAX];
    new_key(at, key);
    take(at, &(struct step){ .kind = HF_STEP_FOREIGN,
                             .foreign = { .window = window->id,
                                          .key = window->key,
                                          .generation = window->generation + 1,
                                          .new_key = key } });
}

static void
drop(struct random_life *at, const struct window *window)
{
    lose(at, window->range.first_seq, window->range.last_seq, at->life.line.cut_seq);
    take(at, &(struct step){ .kind = HF_STEP_DROPPED, .dropped = { window->id } });
}

static void
digest_cut(struct random_life *at)
{
    const struct chain *chain = &at->life.chain;
    struct step_pending pending[16];
    size_t count = 0;
    char key[HF_KEY_MAX];
    new_key(at, key);
    for (const struct window *window = at->life.outbox.windows; window && count < HF_COUNT(pending);
         window = window->next)
        pending[count++] = (struct step_pending){ .first_seq = window->range.first_seq,
                                                  .last_seq = window->range.last_seq,
                                                  .key = window->key };
    take(at, &(struct step){ .kind = HF_STEP_DIGEST_CUT,
                             .digest_cut = { .number = chain->head.number + 1,
                                             .start_s = chain_start_s(chain),
                                             .end_s = at->now_s - (int64_t)any(at, 60),
                                             .bucket = "evidence",
                                             .key = key,
                                             .fingerprint = "f00d",
                                             .boot = "b007",
                                             .first_seq = chain->digested_seq + 1,
                                             .last_seq = at->life.line.cut_seq,
                                             .object_count = at->life.lists.object_count,
                                             .pending = pending,
                                             .pending_count = count } });
}

static void
digest_receipt(struct random_life *at)
{
    const struct digest_work *work = at->life.chain.digest;
    char hash[HF_SHA256_HEX_SIZE];
    new_hash(at, hash);
    take(at, &(struct step){ .kind = HF_STEP_DIGEST_RECEIPT,
                             .digest_receipt = { .number = work->digest.number,
                                                 .bucket = work->digest.bucket,
                                                 .key = work->digest.key,
                                                 .hash = hash,
                                                 .signature = "5166",
                                                 .end_s = work->digest.end_s,
                                                 .retain_until_s = work->out.last_retain_s } });
}

static void
key_receipt(struct random_life *at)
{
    char place[HF_SHA256_HEX_SIZE];
    new_hash(at, place);
    take(at, &(struct step){ .kind = HF_STEP_KEY_RECEIPT,
                             .key_receipt = { .place = place, .key = "keys/f00d.pem" } });
}

/* What has no step of its own: the ledger is written anew after it. */
static void
change(struct random_life *at)
{
    struct life *life = &at->life;
    struct rule rule = { .gone = now_and_then(at, 4) };
    char id[HF_SHA256_HEX_SIZE];
    if (!rule.gone)
        rule = (struct rule){ .selection = any_selection(at),
                              .window_s = 1 + any(at, 3600),
                              .window_max_bytes = HF_OBJECT_OVERHEAD + 1 + any(at, 1u << 20) };
    switch (any(at, 7)) {
    case 0:
    case 1: line_add_change(&life->line, life->line.cut_seq + any(at, 30), &rule, NULL); break;
    case 2:
        if (life->line.changes)
            assert_null(line_take_change(&life->line));
        break;
    case 3: line_skip_to(&life->line, life->line.cut_seq + any(at, 3)); break;
    case 4:
        if (life->chain.digest)
            chain_move_digest(&life->chain);
        break;
    case 5: outgoing_done(&life->chain.key); break;
    case 6:
        if (!now_and_then(at, 4))
            break;
        new_hash(at, id);
        id[HF_ID_SIZE - 1] = '\0';
        chain_begin_anew(&life->chain, &life->lists, id);
        chain_follow(&life->chain, "AWSLogs/old \"head\"", at->now_s);
        break;
    }
    write_anew(at);
}

static void
window_thing(struct random_life *at, const struct window *window)
{
    uint64_t dice = any(at, 100);
    if (dice < 2)
        drop(at, window);
    else if (window->out.first_retain_s < 0)
        attempt(at, window->id, &window->out);
    else if (dice < 20)
        foreign(at, window);
    else if (dice < 40)
        attempt(at, window->id, &window->out);
    else
        receipt(at, window);
}

static void
digest_thing(struct random_life *at)
{
    const struct digest_work *work = at->life.chain.digest;
    if (!work)
        digest_cut(at);
    else if (work->out.first_retain_s < 0 || now_and_then(at, 3))
        attempt(at, "digest", &work->out);
    else
        digest_receipt(at);
}

static void
key_thing(struct random_life *at)
{
    if (at->life.chain.key.first_retain_s < 0 || now_and_then(at, 3))
        attempt(at, "key", &at->life.chain.key);
    else
        key_receipt(at);
}

static void
one_thing(struct random_life *at)
{
    const struct window *window = any_window(at);
    uint64_t dice = any(at, 400);
    if (dice < 100 || !window)
        cut(at);
    else if (dice < 120)
        loss(at);
    else if (dice < 340)
        window_thing(at, window);
    else if (dice < 380)
        digest_thing(at);
    else if (dice < 399)
        key_thing(at);
    else
        change(at);
    if (now_and_then(at, 500))
        compare(at);
    if (now_and_then(at, 400))
        write_anew(at);
}

static void
live(struct random_life *at)
{
    size_t until = at->steps + STEPS_LIFE;
    life_begin(&at->life, LIFE_JOURNAL, "all", "sealed");
    chain_set_id(&at->life.chain, "fedcba9876543210fedcba9876543210");
    at->now_s = at->life.chain.created_s = at->life.chain.time_s = 1767225600;
    write_anew(at);
    while (at->steps < until)
        one_thing(at);
    compare(at);
    write_anew(at);
    forget(&at->told);
    life_end(&at->life);
}

static void
replay_builds_what_was_in_memory(void **state)
{
    static struct random_life at;
    const char *given = getenv("HF_SEED");
    (void)state;
    first_seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("HF_SEED=%llu\n", (unsigned long long)first_seed);
    at.seed = first_seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    while (at.steps < STEPS_ALL)
        live(&at);
    print_message("%zu steps, %zu comparisons, %zu ledgers written anew\n", at.steps, at.compared,
                  at.anew);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_builds_what_was_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
