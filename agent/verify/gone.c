/* What is gone after its term. A lifecycle removes what nothing holds any more, and nobody can tell
 * whether it went before: under GOVERNANCE somebody could have lifted the lock. So it is EXPIRED only
 * where the lock was one that nobody could lift, and where everything older that is free to go has
 * gone as well, as a lifecycle would have it. Which is known when all has been looked at. */
#include <holdfast/config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

void
gone_add(struct verify *v, const char *chain, const char *key, uint64_t seq, const char *lock_mode)
{
    v->gone = hf_realloc(v->gone, (v->gone_count + 1) * sizeof(*v->gone));
    v->gone[v->gone_count++] = (struct gone){
        .chain = hf_strdup(chain ? chain : ""),
        .key = hf_strdup(key),
        .seq = seq,
        .is_compliance = lock_mode && hf_lock_mode_parse(lock_mode) == HF_LOCK_COMPLIANCE,
    };
}

void
gone_add_listed(struct verify *v)
{
    size_t count = v->gone_count;
    char prefix[HF_KEY_MAX];

    if (v->older_seen || !v->options->check_objects || v->options->content)
        return;
    hf_layout_object_prefix(&v->layout, prefix);
    for (size_t i = 0; i < count; i++) {
        struct gone gone = v->gone[i];
        if (!gone.is_digest || gone.seq <= 1) /* nothing was covered before */
            continue;
        gone_add(v, gone.chain, prefix, gone.seq, NULL);
        v->gone[v->gone_count - 1].is_compliance = gone.is_compliance;
        v->gone[v->gone_count - 1].listed_in = v->gone[i].key;
    }
}

void
gone_left(struct verify *v, const char *chain, uint64_t seq)
{
    for (size_t i = 0; i < v->left_count; i++) {
        if (strcmp(v->left[i].chain, chain ? chain : "") == 0) {
            v->left[i].seq = HF_MIN(v->left[i].seq, seq);
            return;
        }
    }
    v->left = hf_realloc(v->left, (v->left_count + 1) * sizeof(*v->left));
    v->left[v->left_count++] = (struct left){ .chain = hf_strdup(chain ? chain : ""), .seq = seq };
}

static bool
older_is_left(const struct verify *v, const struct gone *gone)
{
    for (size_t i = 0; i < v->left_count; i++)
        if (strcmp(v->left[i].chain, gone->chain) == 0 && v->left[i].seq < gone->seq)
            return true;
    return false;
}

void
gone_tell(struct verify *v)
{
    const struct hf_verify_options *options = v->options;
    bool all_seen = options->check_objects && !options->content && !options->start_s;

    for (size_t i = 0; i < v->gone_count; i++) {
        const struct gone *gone = &v->gone[i];
        const char *why = !gone->is_compliance     ? "its lock could have been lifted before"
                          : !all_seen              ? "what is older was not looked at"
                          : older_is_left(v, gone) ? "older ones that nothing holds are there"
                                                   : NULL;
        char what[HF_KEY_MAX + 64] = "";
        if (gone->listed_in)
            snprintf(what, sizeof(what), "what '%s' listed: ", gone->listed_in);
        if (why)
            verify_report(v, HF_GONE_AFTER_TERM, gone->key,
                          "%sits term is over, and when it went cannot be told: %s", what, why);
        else
            verify_report(v, HF_EXPIRED, gone->key,
                          "%sits term is over, and it is gone with all that is older", what);
    }
}

void
gone_done(struct verify *v)
{
    for (size_t i = 0; i < v->gone_count; i++) {
        free(v->gone[i].chain);
        free(v->gone[i].key);
    }
    for (size_t i = 0; i < v->left_count; i++)
        free(v->left[i].chain);
    free(v->gone);
    free(v->left);
}
