/* What a plan says about cutting. */
#include "agent/trail/plan.h"

struct rule
plan_rule(const struct plan *plan)
{
    return (struct rule){ .selection = plan->selection,
                          .window_s = plan->settings.window_s,
                          .window_max_bytes = plan->settings.window_max_bytes };
}
