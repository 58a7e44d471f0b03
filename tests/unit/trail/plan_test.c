/* A plan lives as long as somebody uses it: however often the configuration changes, only those in
 * use are there. Each plan has a signer of its own: these are counted. */
#include "tests/unit/trail/world.h"

#include "agent/trail/inbox.h"

static atomic_int signers;

enum hf_status __real_hf_signer_load(const char *path, struct hf_signer **ret_signer,
                                     struct hf_error *err);
void __real_hf_signer_free(struct hf_signer *signer);
enum hf_status __wrap_hf_signer_load(const char *path, struct hf_signer **ret_signer,
                                     struct hf_error *err);
void __wrap_hf_signer_free(struct hf_signer *signer);

enum hf_status
__wrap_hf_signer_load(const char *path, struct hf_signer **ret_signer, struct hf_error *err)
{
    enum hf_status status = __real_hf_signer_load(path, ret_signer, err);
    atomic_fetch_add(&signers, status == HF_OK);
    return status;
}

void
__wrap_hf_signer_free(struct hf_signer *signer)
{
    atomic_fetch_sub(&signers, signer != NULL);
    __real_hf_signer_free(signer);
}

static void
change(struct world *world, unsigned number)
{
    char text[512];
    struct hf_error err;
    snprintf(text, sizeof(text),
             "  - { name: all, bucket: evidence, prefix: all, window: { seconds: %u }, encryption: "
             "none, digest: { key_file: digest.key } }\n",
             3000 + number);
    if (hf_trails_configure(world->trails, world_config(world, text), &err) != HF_OK)
        fail_msg("%s", err.text);
}

static void
only_plans_in_use_are_there(void **state)
{
    struct world world;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    assert_int_equal(atomic_load(&signers), 1);
    for (unsigned i = 1; i <= 50; i++) {
        world_append(&world, "one", i, 1); /* each change has a window before it */
        change(&world, i);
    }
    world_flush_well(&world);
    world_settle(&world);
    assert_int_equal(atomic_load(&signers), 1);
    assert_int_equal(bucket_of(&world, "all", "eventID").found, 50);
    world_stop(&world);
    assert_int_equal(atomic_load(&signers), 0);
    world_remove(&world);
}

/* The windows before it are sealed under the plan of their time. */
static void
plan_is_held_by_the_change_that_waits(void **state)
{
    struct world world;
    char path[512], away[512], failed[512];
    (void)state;
    world_new(&world);
    snprintf(path, sizeof(path), "%s/root/evidence", world.folder);
    snprintf(away, sizeof(away), "%s/root/away", world.folder);
    assert_int_equal(hf_fs_rename(path, away, NULL), HF_OK);
    world_start(&world, all_trail);
    world_append(&world, "one", 0, 3);
    for (unsigned i = 1; i <= 10; i++)
        change(&world, i);
    world_flush(&world, 200, failed);
    assert_in_range(atomic_load(&signers), 1, 3); /* in force, to come, and of a check */
    assert_int_equal(hf_fs_rename(away, path, NULL), HF_OK);
    world_flush_well(&world);
    world_stop(&world);
    assert_int_equal(atomic_load(&signers), 0);
    world_remove(&world);
}

static void
refused_change_leaves_no_plan(void **state)
{
    static const char no_key[] = "  - { name: all, bucket: evidence, prefix: all, window: { "
                                 "seconds: 60 }, encryption: none, "
                                 "digest: { key_file: digest.key } }\n"
                                 "  - { name: bad, bucket: evidence, prefix: bad, window: { "
                                 "seconds: 60 }, encryption: none, "
                                 "digest: { key_file: no.key } }\n";
    struct world world;
    struct hf_error err;
    (void)state;
    world_new(&world);
    world_start(&world, all_trail);
    struct hf_config *config = world_config(&world, no_key);
    assert_int_equal(hf_trails_configure(world.trails, config, &err), HF_ECONFIG);
    hf_config_unref(config);
    assert_int_equal(atomic_load(&signers), 1);
    world_stop(&world);
    world_remove(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plans_in_use_are_there),
        cmocka_unit_test(plan_is_held_by_the_change_that_waits),
        cmocka_unit_test(refused_change_leaves_no_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
