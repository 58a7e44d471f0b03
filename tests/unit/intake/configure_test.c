/* A new configuration while sources run. */
#include "help.h"

#include <stdlib.h>
#include <sys/stat.h>

static void
a_source_that_stays_the_same_is_not_disturbed(void **state)
{
    struct rig *rig = *state;
    struct stat before, after;
    rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock");
    rig_configure(rig);
    const struct hf_source *running = rig->intake->sources[0];
    assert_int_equal(stat(rig_path(rig, "in.sock"), &before), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    assert_ptr_equal(rig->intake->sources[0], running);
    assert_int_equal(stat(rig_path(rig, "in.sock"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig->config.source_count = 1;
    rig_configure(rig);
    assert_int_equal(hf_intake_status(rig->intake, NULL, 0), 0);
    assert_int_equal(rig->intake->source_count, 1);
    rig->config.source_count = 2;
}

static void
a_changed_file_source_goes_on_where_it_was(void **state)
{
    struct rig *rig = *state;
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/a*.log");
    rig_configure(rig);
    for (size_t round = 0; round < 5; round++) {
        rig_append_numbered(rig, "files/a.log", 4000 * round, 4000 * (round + 1));
        rig_turn(rig, 2);
        free(source->event_name);
        source->event_name = hf_asprintf("Name%zu", round);
        rig_configure(rig);
    }
    rig_drain(rig);
    assert_numbered(rig, 20000);
    assert_int_equal(rig_gaps(rig), 0);
    rig_append(rig, "files/a.log", "line 20000\n");
    rig_until_count(rig, 20001);
    json_t *events = rig_events(rig);
    assert_string_equal(event_name(json_array_get(events, 20000)), "Name4");
    json_decref(events);
}

static void
a_changed_socket_source_replaces_its_socket(void **state)
{
    struct rig *rig = *state;
    struct stat info;
    struct hf_config_source *source = rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock");
    rig_configure(rig);
    free(source->mode);
    source->mode = strdup("0666");
    rig_configure(rig);
    assert_int_equal(stat(rig_path(rig, "in.sock"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
    assert_int_equal(stat(rig_path(rig, "in.sock.new"), &info), -1);
}

static void
a_configuration_that_fails_changes_nothing(void **state)
{
    struct rig *rig = *state;
    struct hf_error err = { .status = HF_OK };
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    const struct hf_source *running = rig->intake->sources[0];
    rig_source(rig, "good", HF_SOURCE_SOCKET, "good.sock");
    rig_source(rig, "bad", HF_SOURCE_SOCKET, "no/such/folder/in.sock");
    assert_int_not_equal(hf_intake_configure(rig->intake, &rig->config, &err), HF_OK);
    assert_non_null(strstr(err.text, "bad"));
    assert_int_equal(rig->intake->source_count, 1);
    assert_ptr_equal(rig->intake->sources[0], running);
    struct stat info;
    assert_int_equal(stat(rig_path(rig, "good.sock"), &info), -1);
    assert_int_equal(stat(rig_path(rig, "good.sock.new"), &info), -1);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig->config.source_count = 1;
}

static void
two_sources_on_one_file_each_have_their_own_position(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "one", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "line\n");
    rig_until_count(rig, 1);
    rig_source(rig, "two", HF_SOURCE_FILE, "files/a.log");
    rig_configure(rig);
    rig_until_count(rig, 2);
    rig_restart(rig);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 2);
}

static void
after_stop_nothing_is_read(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    hf_intake_stop(rig->intake);
    rig_append(rig, "files/a.log", "two\n");
    rig_turn(rig, 30);
    assert_int_equal(rig_count(rig), 1);
    hf_intake_committed(rig->intake, 1);
    hf_intake_room(rig->intake);
    rig_turn(rig, 5);
    assert_int_equal(rig_count(rig), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_source_that_stays_the_same_is_not_disturbed),
        TEST(a_changed_file_source_goes_on_where_it_was),
        TEST(a_changed_socket_source_replaces_its_socket),
        TEST(a_configuration_that_fails_changes_nothing),
        TEST(two_sources_on_one_file_each_have_their_own_position),
        TEST(after_stop_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
