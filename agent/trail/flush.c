/* flush: everything up to a sequence into locked objects and a digest, per trail:
 *
 *   CUT (windows end there) ──▶ DELIVER (each has its receipt) ──▶ SIGN (a digest lists them, and has its own) ──▶ DONE
 */
#include "agent/trail/set.h"
#include "agent/trail/windows.h"

static bool
delivered_up_to(const struct trail *trail, uint64_t last_seq)
{
    return !trail->outbox.windows || trail->outbox.windows->range.first_seq > last_seq;
}

static bool
turn_one(struct flush_trail *one, uint64_t last_seq)
{
    struct trail *trail = one->trail;
    if (trail->book.damaged)
        return false;
    switch (one->stage) {
    case FLUSH_CUT:
        if (trail->line.changes || (!trail->line.rule.gone && !cut_close_at(trail, last_seq)))
            return false;
        one->stage = FLUSH_DELIVER;
        return true;
    case FLUSH_DELIVER:
        if (!delivered_up_to(trail, last_seq) || trail->chain.digest)
            return false;
        one->digest_number = trail->chain.head.number;
        if (!trail->chain.head.number ||
            chain_owes_digest(&trail->chain, &trail->lists, trail->line.cut_seq)) {
            one->digest_number++;
            trail->chain.due_now = true;
        }
        one->stage = FLUSH_SIGN;
        return true;
    case FLUSH_SIGN:
        if (trail->chain.head.number < one->digest_number)
            return false;
        one->stage = FLUSH_DONE;
        return true;
    case FLUSH_DONE: break;
    }
    return false;
}

static void
describe(const struct flush_trail *one, uint64_t last_seq, struct hf_buf *text)
{
    static const char *const stages[] = { "not all is cut into windows",
                                          "windows are not delivered yet",
                                          "the digest is not delivered yet", "" };
    const struct trail *trail = one->trail;
    size_t windows = 0;
    for (const struct window *window = trail->outbox.windows;
         window && window->range.first_seq <= last_seq; window = window->next)
        windows++;
    if (hf_buf_addf(text, "trail '%s': %s (%zu windows to go), %s%s%s\n", trail->name,
                    stages[one->stage], windows, health_text(trail->health.state),
                    *trail->health.why ? ": " : "", trail->health.why) != HF_OK)
        return; /* a text that is full says enough */
}

static void
finish(struct hf_trails *trails, struct flush **at)
{
    struct flush *flush = *at;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(64u << 10);
    for (size_t i = 0; i < flush->count; i++) {
        if (flush->trails[i].stage != FLUSH_DONE)
            describe(&flush->trails[i], flush->last_seq, &text);
    }
    *at = flush->next;
    flush->done(flush->context, text.size ? hf_buf_text(&text) : NULL);
    hf_freep(&flush);
    (void)trails;
}

void
flush_turn(struct hf_trails *trails)
{
    int64_t now_ms = (int64_t)hf_boot_ms();
    for (struct flush **at = &trails->flushes; *at;) {
        struct flush *flush = *at;
        bool all = true;
        for (size_t i = 0; i < flush->count; i++) {
            while (turn_one(&flush->trails[i], flush->last_seq))
                turn_trail(flush->trails[i].trail);
            all = all && (flush->trails[i].stage == FLUSH_DONE ||
                          flush->trails[i].trail->book.damaged); /* nothing to wait for */
        }
        if (all || now_ms >= flush->deadline_ms)
            finish(trails, at);
        else
            at = &flush->next;
    }
}

void
flush_abandon(struct hf_trails *trails)
{
    while (trails->flushes)
        finish(trails, &trails->flushes);
}

int64_t
flush_wake_ms(const struct hf_trails *trails)
{
    int64_t wake_ms = INT64_MAX;
    for (const struct flush *flush = trails->flushes; flush; flush = flush->next)
        wake_ms = HF_MIN(wake_ms, flush->deadline_ms);
    return wake_ms;
}
