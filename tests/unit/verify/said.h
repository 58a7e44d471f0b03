/* What a finding says. */
#ifndef HOLDFAST_TESTS_VERIFY_SAID_H
#define HOLDFAST_TESTS_VERIFY_SAID_H

#include "tests/unit/verify/world.h"

static inline const char *
detail_of(const struct world *w, enum hf_finding finding, const char *key)
{
    for (size_t i = 0; i < w->seen_count; i++)
        if (w->seen[i].finding == finding && strcmp(w->seen[i].key, key) == 0)
            return w->seen[i].detail;
    fail_msg("no %s %s", hf_finding_text(finding), key);
    return "";
}

static inline void
expect_said(const struct world *w, enum hf_finding finding, const char *key, const char *word)
{
    if (!strstr(detail_of(w, finding, key), word))
        fail_msg("'%s' says nothing of '%s'", detail_of(w, finding, key), word);
    assert_false(w->result.intact);
}

#endif
