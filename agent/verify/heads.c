/* Heads that somebody saw before. A chain that is whole by itself can still be the wrong one: its
 * end was cut off, or its own key signed another end. Against a head that was kept elsewhere that
 * shows:
 *
 *    seen before      ──■──■──■ 12                    TRUNCATED: it ends before 12
 *    in the bucket    ──■──■ 11                       (restored from a copy, or deleted)
 *
 *                          ┌──■ 12                    FORK: another 12 is signed as well
 *    seen before      ──■──■──■ 12
 *
 *    seen before      ──■──■ chain a                  ROLLED_BACK: nothing leads from b to a
 *    in the bucket      ■──■──■ chain b
 *
 * The chain may have gone on since, and a new chain may name it as its old head: then the walk comes
 * by it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

static void
remember_head(struct verify *v, const char *key, const struct judged *judged)
{
    struct hf_verify_result *result = v->result;
    const struct hf_digest *digest = &judged->digest;
    struct hf_head *head = &result->head;

    snprintf(head->key, sizeof(head->key), "%s", key);
    snprintf(head->chain, sizeof(head->chain), "%s", judged->outline.chain);
    head->number = digest->number;
    memcpy(head->sha256, judged->outline.sha256, sizeof(head->sha256));
    memcpy(head->signature, judged->signature, sizeof(head->signature));
    snprintf(result->head_journal, sizeof(result->head_journal), "%s", judged->outline.journal);
    snprintf(result->head_host, sizeof(result->head_host), "%s", judged->outline.host);
    snprintf(result->head_fingerprint, sizeof(result->head_fingerprint), "%s",
             judged->outline.fingerprint);
}

static void
contradict(struct verify *v, size_t at, enum hf_finding finding)
{
    v->result->known[at].state = HF_KNOWN_CONTRADICTED;
    v->result->known[at].finding = finding;
}

static void
compare(struct verify *v, size_t at, const char *key, const struct judged *judged)
{
    const struct hf_known_head *known = &v->options->known[at];
    const struct hf_head *head = &known->head;
    bool same = strcmp(head->sha256, judged->outline.sha256) == 0;
    bool same_signature = !*head->signature || strcmp(head->signature, judged->signature) == 0;

    v->heads[at].met = true;
    if (same && same_signature)
        v->result->known[at].state = HF_KNOWN_FOUND;
    else
        contradict(v, at, HF_FORK);
    if (!same)
        verify_report(v, HF_FORK, key,
                      "of number %" PRIu64 " in chain %s %s has the SHA-256 %s, and here is %s",
                      head->number, head->chain, known->seen_by, head->sha256,
                      judged->outline.sha256);
    else if (!same_signature)
        verify_report(v, HF_FORK, key, "it was signed anew: %s has another signature of it",
                      known->seen_by);
}

void
heads_meet(struct verify *v, const char *key, const struct judged *judged)
{
    bool asked_for = !v->options->end_s || judged->digest.start_s < v->options->end_s;
    if (!*v->result->head.sha256 && asked_for)
        remember_head(v, key, judged);
    for (size_t i = 0; i < v->options->known_count; i++) {
        const struct hf_head *head = &v->options->known[i].head;
        if (!v->heads[i].met && judged->digest.number > 0 &&
            judged->digest.number == head->number &&
            strcmp(judged->outline.chain, head->chain) == 0)
            compare(v, i, key, judged);
    }
}

void
heads_named(struct verify *v, const char *key, enum hf_finding finding)
{
    for (size_t i = 0; i < v->options->known_count; i++) {
        const char *known = v->options->known[i].head.key;
        if (!*known || strcmp(known, key) != 0 || v->heads[i].named)
            continue;
        v->heads[i].named = true;
        v->heads[i].finding = finding;
    }
}

static const struct entry *
newest_of(const struct verify *v, const char *chain)
{
    for (size_t i = 0; i < v->entry_count; i++)
        if (v->entries[i].chain && strcmp(v->entries[i].chain, chain) == 0)
            return &v->entries[i];
    return NULL;
}

static uint64_t
oldest_number(const struct verify *v, const char *chain)
{
    uint64_t number = 0;
    for (size_t i = 0; i < v->entry_count; i++)
        if (v->entries[i].chain && strcmp(v->entries[i].chain, chain) == 0)
            number = v->entries[i].number;
    return number;
}

/* It is newer or older than what was asked for, or older than all of its chain that is there: what is
 * said of those that went is all that there is to say. */
static bool
is_out_of_sight(const struct verify *v, const struct hf_head *head)
{
    uint64_t oldest = oldest_number(v, head->chain);
    if (v->options->end_s)
        return true;
    return oldest ? head->number < oldest : v->options->start_s != 0;
}

static void
say_what_is_not_there(struct verify *v, size_t at)
{
    const struct hf_known_head *known = &v->options->known[at];
    const struct hf_head *head = &known->head;
    const struct entry *newest = newest_of(v, head->chain);

    contradict(v, at,
               !newest                         ? HF_ROLLED_BACK
               : newest->number < head->number ? HF_TRUNCATED
                                               : HF_MISSING);
    if (!newest)
        verify_report(v, HF_ROLLED_BACK, *head->key ? head->key : NULL,
                      "%s saw number %" PRIu64
                      " of chain %s, and nothing that is there leads to it",
                      known->seen_by, head->number, head->chain);
    else if (newest->number < head->number)
        verify_report(v, HF_TRUNCATED, newest->key,
                      "%s saw number %" PRIu64 " of this chain, and this is number %" PRIu64
                      ": %" PRIu64 " digests of its end are not there",
                      known->seen_by, head->number, newest->number, head->number - newest->number);
    else
        verify_report(v, HF_MISSING, *head->key ? head->key : newest->key,
                      "%s saw number %" PRIu64 " of chain %s, and it is not there", known->seen_by,
                      head->number, head->chain);
}

bool
heads_end(struct verify *v)
{
    bool contradicted = false;
    for (size_t i = 0; i < v->options->known_count; i++) {
        if (v->heads[i].met)
            continue;
        if (!v->heads[i].named && is_out_of_sight(v, &v->options->known[i].head))
            continue; /* HF_KNOWN_UNSEEN */
        if (v->heads[i].named)
            contradict(v, i, v->heads[i].finding);
        else
            say_what_is_not_there(v, i);
    }
    for (size_t i = 0; i < v->options->known_count; i++)
        contradicted |= v->result->known[i].state == HF_KNOWN_CONTRADICTED;
    return contradicted;
}
