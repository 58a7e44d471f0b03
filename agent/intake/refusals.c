/* What the budget refused is recorded in the trail: whoever is refused could else silence himself with
 * junk, unseen. A second after it began, and again when it has ended. */
#include "agent/intake/intake_impl.h"

#include <event2/event.h>
#include <holdfast/json.h>
#include <stdio.h>

#define LOOK_AGAIN_S 1
#define AT_ONCE      16 /* the others a second later */

static enum hf_status
details_of(const struct hf_refusal *refusal, struct hf_buf *json)
{
    const struct {
        const char *name, *text;
    } members[] = {
        { "{\"source\":", refusal->source },
        { ",\"owner\":", refusal->owner },
        { ",\"kind\":", hf_budget_kind_text(refusal->kind) },
        { ",\"state\":", refusal->ends ? "ended" : "began" },
        { ",\"first\":", refusal->name },
    };
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < HF_COUNT(members) && status == HF_OK; i++) {
        status = hf_buf_add_text(json, members[i].name);
        if (status == HF_OK)
            status = hf_record_add_path(json, members[i].text);
    }
    if (status == HF_OK)
        status = hf_buf_addf(json, ",\"count\":%llu}", (unsigned long long)refusal->count);
    return status;
}

/* false: the journal takes nothing now. */
static bool
record(struct hf_intake *intake, const struct hf_refusal *refusal)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_record_maker maker = hf_intake_maker(intake);
    hf_owned(hf_buf_done) struct hf_buf details = HF_BUF(64u << 10);
    if (hf_journal_begin(intake->journal, false, &err) != HF_OK)
        return false;
    enum hf_status status = details_of(refusal, &details);
    if (status == HF_OK)
        status = hf_own_event_append(intake->journal, &maker, "SourceRefusal", hf_wall_s(),
                                     hf_buf_text(&details), &err);
    if (status != HF_OK) {
        hf_journal_abandon(intake->journal);
        hf_log_warn("source.refusal", HF_ERR(&err));
        return false;
    }
    hf_journal_commit(intake->journal);
    return true;
}

static void
look_again(struct hf_intake *intake)
{
    static const struct timeval after = { LOOK_AGAIN_S, 0 };
    if (!evtimer_pending(intake->refusals, NULL))
        evtimer_add(intake->refusals, &after);
}

static void
on_refusals(evutil_socket_t fd, short what, void *context)
{
    struct hf_intake *intake = context;
    struct hf_refusal refusal;
    uint64_t now_ms = hf_boot_ms();
    (void)fd, (void)what;
    for (int i = 0; i < AT_ONCE && hf_budget_to_tell(intake->budget, now_ms, &refusal); i++) {
        if (!record(intake, &refusal))
            break;
        hf_budget_told(intake->budget, &refusal, now_ms);
        hf_log_warn(refusal.ends ? "source.refusal_ended" : "source.refusal",
                    HF_STR("source", refusal.source), HF_STR("owner", refusal.owner),
                    HF_STR("kind", hf_budget_kind_text(refusal.kind)),
                    HF_STR("first", refusal.name));
    }
    hf_refusals_look(intake);
}

/* Nothing runs while nobody is refused. */
void
hf_refusals_look(struct hf_intake *intake)
{
    if (!intake->stopped && hf_budget_has_refusals(intake->budget))
        look_again(intake);
}

/* From any thread. */
static void
on_begins(void *intake)
{
    hf_intake_notice(intake);
}

enum hf_status
hf_refusals_open(struct hf_intake *intake, struct hf_error *err)
{
    intake->refusals = evtimer_new(intake->loop, on_refusals, intake);
    if (!intake->refusals)
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    hf_budget_on_refusal(intake->budget, on_begins, intake);
    return HF_OK;
}
