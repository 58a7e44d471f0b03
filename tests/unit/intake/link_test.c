/* Links and second names in a watched folder: whoever may write there must not have us read what he
 * may not, and must not silence what we read. */
#include "help.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 65534
#define ANOTHER  65533

static void
give(struct rig *rig, const char *name, uid_t owner)
{
    assert_int_equal(lchown(rig_path(rig, name), owner, (gid_t)-1), 0);
}

static void
put_link(struct rig *rig, const char *target, const char *name, uid_t owner)
{
    assert_int_equal(symlink(rig_path(rig, target), rig_path(rig, name)), 0);
    give(rig, name, owner);
}

static void
put_name(struct rig *rig, const char *of, const char *name)
{
    assert_int_equal(link(rig_path(rig, of), rig_path(rig, name)), 0);
}

static size_t
refusals(struct rig *rig, json_t **ret_details)
{
    json_t *events = rig_events(rig), *event;
    size_t i, count = 0;
    json_array_foreach(events, i, event)
    {
        if (strcmp(event_name(event), "SourceRefusal") != 0)
            continue;
        count++;
        if (ret_details)
            *ret_details = json_deep_copy(json_object_get(event, "serviceEventDetails"));
    }
    json_decref(events);
    return count;
}

static void
a_link_of_our_own_is_followed(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "secret", "one\n");
    put_link(rig, "secret", "files/a.log", geteuid());
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    ASSERT_TEXTS(rig, "one");
}

static void
a_link_of_somebody_else_is_followed_only_when_he_is_named(void **state)
{
    struct rig *rig = *state;
    if (geteuid() != 0)
        skip(); /* only root can make one */
    rig_write(rig, "secret", "root's\n");
    assert_int_equal(mkdir(rig_path(rig, "files/deep"), 0755), 0);
    assert_int_equal(mkdir(rig_path(rig, "elsewhere"), 0700), 0);
    rig_write(rig, "elsewhere/a.log", "never\n");
    put_link(rig, "secret", "files/deep/a.log", SOMEBODY);
    put_link(rig, "elsewhere", "files/over", SOMEBODY);
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/*/*.log");
    rig_configure(rig);
    rig_turn(rig, 200);
    assert_int_equal(rig_count(rig), 0);
    assert_string_equal(rig_status(rig, 0).problem, "");
    source->follow_links_of.items = calloc(2, sizeof(char *));
    source->follow_links_of.items[0] = strdup("65533");
    source->follow_links_of.items[1] = strdup("65534");
    source->follow_links_of.count = 1;
    rig_configure(rig);
    rig_turn(rig, 200);
    assert_int_equal(rig_count(rig), 0);
    assert_int_equal(unlink(rig_path(rig, "files/over")), 0);
    source->follow_links_of.count = 2;
    rig_configure(rig);
    rig_until_count(rig, 1);
    ASSERT_TEXTS(rig, "root's");
}

static void
a_user_who_is_none_is_refused(void **state)
{
    struct rig *rig = *state;
    struct hf_error err = { .status = HF_OK };
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    source->follow_links_of.items = calloc(1, sizeof(char *));
    source->follow_links_of.items[0] = strdup("nobody-of-that-name");
    source->follow_links_of.count = 1;
    assert_int_equal(hf_intake_configure(rig->intake, &rig->config, &err), HF_ECONFIG);
    assert_non_null(strstr(err.text, "nobody-of-that-name"));
}

/* A link that takes the place of a file which was looked at already. */
static void
a_file_exchanged_for_a_link_is_not_followed(void **state)
{
    struct rig *rig = *state;
    if (geteuid() != 0)
        skip();
    rig_write(rig, "secret", "root's\n");
    give(rig, "files", SOMEBODY);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    for (int i = 0; i < 300; i++) {
        rig_write(rig, "files/new", "his\n");
        give(rig, "files/new", SOMEBODY);
        rig_rename(rig, "files/new", "files/a.log");
        rig_passes(rig, (size_t)(i % 3));
        put_link(rig, "secret", "files/link", SOMEBODY);
        rig_rename(rig, "files/link", "files/a.log");
        rig_passes(rig, (size_t)(i % 2));
    }
    rig_turn(rig, 300);
    json_t *events = rig_events(rig), *event;
    size_t i;
    json_array_foreach(events, i, event) assert_string_not_equal(event_text(event), "root's");
    json_decref(events);
}

/* ---- second names ---- */

static void
a_second_name_where_strangers_can_write_is_refused_and_told_once(void **state)
{
    struct rig *rig = *state;
    json_t *details = NULL;
    if (geteuid() != 0)
        skip();
    rig_write(rig, "secret", "root's\n");
    give(rig, "files", SOMEBODY);
    put_name(rig, "secret", "files/a.log");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    /* Also when the other name goes, or it is called something else. */
    assert_int_equal(unlink(rig_path(rig, "secret")), 0);
    rig_rename(rig, "files/a.log", "files/b.log");
    rig_turn(rig, 200);
    assert_int_equal(rig_count(rig), 1);
    assert_int_equal(refusals(rig, &details), 1);
    assert_string_equal(json_string_value(json_object_get(details, "path")),
                        rig_path(rig, "files/a.log"));
    json_decref(details);
    rig_unlink(rig, "files/b.log"); /* and that it goes is no loss */
    rig_turn(rig, 200);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_second_name_where_only_root_and_its_owner_can_write_is_read(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "other", "one\n");
    put_name(rig, "other", "files/a.log");
    if (geteuid() == 0) { /* his file, in his folder */
        assert_int_equal(mkdir(rig_path(rig, "files/his"), 0755), 0);
        rig_write(rig, "files/his/x", "two\n");
        put_name(rig, "files/his/x", "files/his/b.log");
        give(rig, "files/his/x", SOMEBODY);
        give(rig, "files/his", SOMEBODY);
    }
    rig_source(rig, "app", HF_SOURCE_FILE, "files/**/*.log");
    rig_configure(rig);
    rig_until_count(rig, geteuid() == 0 ? 2 : 1);
    assert_int_equal(refusals(rig, NULL), 0);
}

/* A backup by `cp -al`, or somebody's `ln`, must not silence a log. */
static void
a_file_that_is_followed_stays_followed_when_it_gets_a_second_name(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    assert_int_equal(chmod(rig_path(rig, "files"), 01777), 0);
    rig_write(rig, "files/a.log", "one\n");
    rig_configure(rig);
    rig_until_count(rig, 1);
    put_name(rig, "files/a.log", "elsewhere");
    rig_append(rig, "files/a.log", "two\n");
    rig_until_count(rig, 2);
    rig_restart(rig);
    rig_append(rig, "files/a.log", "three\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "three");
    assert_int_equal(refusals(rig, NULL), 0);
}

/* ---- what goes away without a loss ---- */

static void
what_is_no_file_of_its_own_is_not_missed(void **state)
{
    struct rig *rig = *state;
    rig->timing.rescan_ms = 100000;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    for (int looked = 0; looked < 2; looked++) { /* by a scan in between, or not */
        put_name(rig, "files/a.log", "files/b.log");
        put_link(rig, "files/a.log", "files/c.log", geteuid());
        put_link(rig, "nowhere", "files/d.log", geteuid());
        assert_int_equal(mkfifo(rig_path(rig, "files/e.log"), 0600), 0);
        rig_write(rig, "files/f.log", "");
        rig_rename(rig, "files/e.log", "files/g.log");
        if (looked)
            rig_turn(rig, 100);
        static const char *const names[] = { "files/b.log", "files/c.log", "files/d.log",
                                             "files/f.log" };
        for (size_t i = 0; i < HF_COUNT(names); i++)
            rig_unlink(rig, names[i]);
        if (looked)
            rig_unlink(rig, "files/g.log");
        rig_turn(rig, 100);
    }
    rig_append(rig, "files/a.log", "two\n");
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "two");
    assert_int_equal(rig_gaps(rig), 0);
    assert_int_equal(rig_count(rig), 2);
}

/* A name that cannot be looked at says nothing about its folder's files: but links lead nowhere, and a
 * stranger's is not even followed. */
static void
a_link_does_not_hide_that_a_file_is_gone(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_stop(rig);
    rig_unlink(rig, "files/a.log");
    put_link(rig, "files/ours", "files/ours", geteuid());
    if (geteuid() == 0)
        put_link(rig, "files/loop", "files/loop", SOMEBODY);
    rig_start(rig);
    rig_until_count(rig, 2);
    assert_int_equal(rig_gaps(rig), 1);
}

/* 8,100 of them were more than a unit takes, and made the source deaf. */
static void
many_files_that_came_and_went_unseen_are_one_gap(void **state)
{
    enum { MANY = 3000 };
    struct rig *rig = *state;
    char name[64];
    rig->timing.rescan_ms = 100000;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_turn(rig, 20);
    rig_hold(rig, 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "files/%d.log", i);
        rig_write(rig, name, "never seen\n");
        rig_unlink(rig, name);
    }
    rig_let_go(rig);
    rig_until_count(rig, 1);
    rig_drain(rig);
    json_t *events = rig_events(rig);
    const json_t *details = json_object_get(json_array_get(events, 0), "serviceEventDetails");
    assert_int_equal(rig_gaps(rig), 1);
    assert_int_equal(json_integer_value(json_object_get(details, "files")), MANY);
    assert_int_equal(json_array_size(json_object_get(details, "paths")), 20);
    assert_string_equal(json_string_value(json_object_get(details, "path")),
                        rig_path(rig, "files/0.log"));
    assert_int_equal(strlen(json_string_value(json_object_get(details, "pathsSha256"))), 64);
    json_decref(events);
    rig_write(rig, "files/a.log", "heard\n");
    rig_until_count(rig, 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up_quick, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_link_of_our_own_is_followed),
        TEST(a_link_of_somebody_else_is_followed_only_when_he_is_named),
        TEST(a_user_who_is_none_is_refused),
        TEST(a_file_exchanged_for_a_link_is_not_followed),
        TEST(a_second_name_where_strangers_can_write_is_refused_and_told_once),
        TEST(a_second_name_where_only_root_and_its_owner_can_write_is_read),
        TEST(a_file_that_is_followed_stays_followed_when_it_gets_a_second_name),
        TEST(what_is_no_file_of_its_own_is_not_missed),
        TEST(a_link_does_not_hide_that_a_file_is_gone),
        TEST(many_files_that_came_and_went_unseen_are_one_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
