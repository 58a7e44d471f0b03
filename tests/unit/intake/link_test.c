/* Links in a watched folder: whoever may write there must not have us read what he may not. */
#include "help.h"

#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 65534
#define ANOTHER  65533

static int
set_up(void **state)
{
    *state = rig_new();
    return 0;
}

static int
tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

static void
put_link(struct rig *rig, const char *target, const char *name, uid_t owner)
{
    assert_int_equal(symlink(rig_path(rig, target), rig_path(rig, name)), 0);
    assert_int_equal(lchown(rig_path(rig, name), owner, (gid_t)-1), 0);
}

static bool
has_problem(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).problem[0] != '\0';
}

static void
a_link_of_our_own_is_followed(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "secret", "one\n");
    rig_write(rig, "files/other", "x\n");
    put_link(rig, "secret", "files/a.log", geteuid());
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    ASSERT_TEXTS(rig, "one");
}

static void
a_link_of_somebody_else_is_followed_to_his_own_files_only(void **state)
{
    struct rig *rig = *state;
    if (geteuid() != 0)
        skip(); /* only root can make one */
    rig_write(rig, "secret", "never\n");
    rig_write(rig, "his", "his own\n");
    rig_write(rig, "files/other", "x\n");
    assert_int_equal(chown(rig_path(rig, "secret"), ANOTHER, (gid_t)-1), 0);
    assert_int_equal(chown(rig_path(rig, "his"), SOMEBODY, (gid_t)-1), 0);
    put_link(rig, "secret", "files/a.log", SOMEBODY);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until(rig, has_problem, NULL);
    assert_non_null(strstr(rig_status(rig, 0).problem, "is a link of uid 65534"));
    put_link(rig, "his", "files/b.log", SOMEBODY);
    rig_until_count(rig, 1);
    ASSERT_TEXTS(rig, "his own");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_link_of_our_own_is_followed),
        TEST(a_link_of_somebody_else_is_followed_to_his_own_files_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
