/* What a ledger says of a trail, step by step, replayed into the parts of one. Each line is a step:
 * a letter for its kind, and its document. It is refused, or comes to a state that can be written
 * anew and read again as the same, also after what a start and a life do with it. */
#include "tests/fuzz/scratch.h"
#include "tests/unit/trail/life.h"

#include <holdfast/json.h>
#include <string.h>

#define DOC_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char letters[] = ".SCARDGKFX.L"; /* of hf_step, G: a digest's receipt */

static enum hf_step
kind_of(uint8_t letter)
{
    const char *at = letter && letter != '.' ? strchr(letters, letter) : NULL;
    return at ? (enum hf_step)(at - letters) : (enum hf_step)letter;
}

static enum hf_status
replay_line(struct life *life, struct hf_slice line, struct hf_error *err)
{
    struct step step;
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    struct hf_slice text = hf_slice(line.ptr + 1, line.size - 1);
    enum hf_step kind = kind_of(line.ptr[0]);
    enum hf_status status = hf_doc_parse(text, DOC_MAX, "step", &doc, err);
    if (status == HF_OK)
        status = step_read(kind, doc, &step, err);
    if (status != HF_OK)
        return status;
    status = step_apply(&life->state, &step, err);
    step_done(&step);
    return status;
}

static enum hf_status
replay(struct life *life, const uint8_t *data, size_t size)
{
    struct hf_error err = { 0 };
    enum hf_status status = HF_OK;
    for (size_t at = 0; at < size && status == HF_OK;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end ? (size_t)(end - data) - at : size - at;
        if (length)
            status = replay_line(life, hf_slice(data + at, length), &err);
        at += length + 1;
    }
    must(status == HF_OK || (err.status == status && *err.text), "an error that says nothing");
    return status;
}

/* ---- a state that holds together ---- */

static void
read_again(void *context, const struct step *step)
{
    struct life *again = context;
    struct step said;
    struct hf_error err;
    hf_owned(hf_doc_freep) json_t *doc = step_write(step);
    must(step_read(step->kind, doc, &said, &err) == HF_OK, "a state that cannot be read again");
    must(step_apply(&again->state, &said, &err) == HF_OK, "a state that cannot be built again");
    step_done(&said);
}

static void
check_written_anew(const struct life *life)
{
    struct life again;
    life_begin(&again, LIFE_JOURNAL, "all", "sealed");
    state_steps(&life->state, read_again, &again);
    char *text = life_text(&life->state), *found = life_text(&again.state);
    must(strcmp(text, found) == 0, "a state that is another one when it is written anew");
    free(text);
    free(found);
    life_end(&again);
}

/* The journal is let go up to here. */
static void
check_sealed_seq(const struct life *life)
{
    uint64_t sealed_seq = outbox_sealed_seq(&life->outbox, life->line.cut_seq);
    for (const struct window *window = life->outbox.windows; window; window = window->next)
        must(sealed_seq < window->range.first_seq, "a window whose events would be let go");
}

/* ---- what a start and a life do with it ---- */

static void
show_key(int64_t time_s)
{
    static const struct hf_layout layout = {
        .prefix = "all", .account = "000000000000", .region = "local", .trail = "all"
    };
    char key[HF_KEY_MAX];
    hf_layout_digest_key(&layout, time_s, key);
    must(strlen(key) > 0, "a digest without a key");
}

static void
go_on(struct life *life)
{
    char place[HF_SHA256_HEX_SIZE];
    struct chain *chain = &life->chain;
    line_clamp(&life->line, life->line.cut_seq);
    for (struct window *window = life->outbox.windows; window; window = window->next)
        outgoing_recover(&window->out);
    chain_key_place("here", chain->head.bucket, chain->head.key, place);
    show_key(chain_start_s(chain) + 1);
    if (chain->digest)
        chain_move_digest(chain);
    check_written_anew(life);
    chain_begin_anew(chain, &life->lists, "fedcba9876543210fedcba9876543210");
    chain_follow(chain, "AWSLogs/old", 1767225600);
    show_key(chain_start_s(chain) + 1);
    check_written_anew(life);
    while (life->line.changes)
        (void)line_take_change(&life->line);
    while (life->outbox.windows)
        outbox_remove(&life->outbox, life->outbox.windows);
    check_written_anew(life);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct life life;
    life_begin(&life, LIFE_JOURNAL, "all", "sealed");
    /* without its first step it is a new one, and there is nothing in it */
    if (replay(&life, data, size) == HF_OK && *life.chain.id) {
        check_written_anew(&life);
        check_sealed_seq(&life);
        go_on(&life);
    }
    life_end(&life);
    return 0;
}
