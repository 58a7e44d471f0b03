/* What a store does not hand over is not seen, and is said by name: one refused object, or one answer
 * that the store was busy, says nothing of all others. A store that does not answer at all ends the
 * run: that is seen when so many things in a row were not to be had. */
#include <string.h>
#include <time.h>

#include "agent/verify/verify_impl.h"

#define TRIES        3
#define FIRST_WAIT_S 1 /* then 2, then it is given up */
#define IN_A_ROW     8

static bool
is_passing(enum hf_status status)
{
    return status == HF_EUNREACHABLE || status == HF_ETIMEOUT || status == HF_EBUSYSTORE;
}

bool
unseen_try_again(enum hf_status status, unsigned attempt)
{
    const struct timespec wait = { .tv_sec = FIRST_WAIT_S << attempt };

    if (!is_passing(status) || attempt + 1 >= TRIES)
        return false;
    (void)nanosleep(&wait, NULL);
    return true;
}

enum hf_status
unseen_report(struct verify *v, const char *key, enum hf_status status, const struct hf_error *why,
              struct hf_error *err)
{
    if (status == HF_EACCESS) {
        verify_report(v, HF_DENIED, key, "%s", why->text);
        return HF_OK;
    }
    if ((is_passing(status) || status == HF_EIO) && v->unseen_in_a_row++ < IN_A_ROW) {
        verify_report(v, HF_UNSEEN, key, "%s", why->text);
        return HF_OK;
    }
    if (err)
        *err = *why;
    return status;
}

void
unseen_none(struct verify *v)
{
    v->unseen_in_a_row = 0;
}
