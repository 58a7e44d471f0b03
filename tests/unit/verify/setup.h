/* A fresh world for each test. */
#ifndef HOLDFAST_TESTS_VERIFY_SETUP_H
#define HOLDFAST_TESTS_VERIFY_SETUP_H

#include "tests/unit/verify/world.h"

static inline int
setup(void **state)
{
    struct world *w = hf_alloc(sizeof(*w));

    world_init(w);
    *state = w;
    return 0;
}

static inline int
teardown(void **state)
{
    world_done(*state);
    free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
