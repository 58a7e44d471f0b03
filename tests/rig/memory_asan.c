/* Under a sanitizer allocations are its own: they never fail here. */
#include "tests/rig/faults.h"

bool
memory_can_fail(void)
{
    return false;
}

void
memory_fail(struct faults *plan)
{
    (void)plan;
}
