/* What is shared out, to whom, and what nobody can take from another. */
#include "client.h"

#include "agent/intake/stream.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
set_up(void **state)
{
    *state = rig_with_journal(16u << 20, 1u << 20);
    return 0;
}

/* ---- the sums, without a journal's bytes ---- */

struct scene {
    struct hf_budget *budget;
    struct hf_account *files, *clients;
    uint64_t max, seq;
};

static struct scene
scene_new(struct rig *rig)
{
    struct scene scene = { .budget = hf_budget_new(rig->journal) };
    scene.files = hf_account_get(scene.budget, "files");
    scene.clients = hf_account_get(scene.budget, "clients");
    scene.max = hf_budget_sums(scene.budget, HF_BUDGET_JOURNAL).max;
    assert_true(scene.max > 12u << 20); /* most of the journal's 16 MiB */
    scene.seq = 1000;                   /* the journal has released none of these */
    return scene;
}

static void
scene_done(struct scene *scene)
{
    hf_account_put(scene->files);
    hf_account_put(scene->clients);
    hf_budget_free(scene->budget);
}

/* As much as it is let, at most so much. */
static uint64_t
take(struct scene *scene, struct hf_owner *owner, uint64_t most)
{
    uint64_t taken = 0;
    while (taken < most && !hf_budget_would_refuse(owner)) {
        hf_budget_charge(owner, 4096, ++scene->seq);
        taken += 4096;
    }
    return taken;
}

static void
assert_about(uint64_t is, uint64_t wanted, uint64_t max)
{
    assert_in_range(is, wanted > max / 100 ? wanted - max / 100 : 0, wanted + max / 100);
}

static void
who_is_alone_fills_seven_eighths_and_leaves_room_for_another(void **state)
{
    struct scene scene = scene_new(*state);
    struct hf_owner *hog = hf_owner_get(scene.files, "hog");
    struct hf_owner *late = hf_owner_get(scene.clients, "late");
    assert_about(take(&scene, hog, UINT64_MAX), scene.max / 8 * 7, scene.max);
    assert_true(take(&scene, late, scene.max / 128) >= scene.max / 128);
    assert_true(hf_budget_would_refuse(hog));
    hf_owner_put(hog);
    hf_owner_put(late);
    scene_done(&scene);
}

static void
beside_others_it_stops_at_half(void **state)
{
    struct scene scene = scene_new(*state);
    struct hf_owner *hog = hf_owner_get(scene.files, "hog");
    struct hf_owner *honest = hf_owner_get(scene.clients, "honest");
    take(&scene, honest, 4096);
    assert_about(take(&scene, hog, UINT64_MAX), scene.max / 2, scene.max);
    assert_about(take(&scene, honest, UINT64_MAX), scene.max / 8 * 3, scene.max);
    hf_owner_put(hog);
    hf_owner_put(honest);
    scene_done(&scene);
}

/* As many owners as one likes: the last of it is for other sources all the same. */
static void
many_owners_of_a_source_leave_room_for_another_source(void **state)
{
    struct scene scene = scene_new(*state);
    for (int i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof(name), "folder %d", i);
        struct hf_owner *one = hf_owner_get(scene.files, name);
        take(&scene, one, UINT64_MAX);
        hf_owner_put(one);
    }
    struct hf_owner *honest = hf_owner_get(scene.clients, "honest");
    assert_true(take(&scene, honest, UINT64_MAX) >= scene.max / 128);
    assert_true(hf_budget_sums(scene.budget, HF_BUDGET_JOURNAL).used <= scene.max);
    hf_owner_put(honest);
    scene_done(&scene);
}

static void
memory_is_bounded_and_all_of_it_comes_back(void **state)
{
    struct rig *rig = *state;
    struct scene scene = scene_new(rig);
    struct hf_owner *first = hf_owner_get(scene.files, "0"), *last = NULL;
    for (int i = 1; i < 5000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d", i);
        struct hf_owner *one = hf_owner_get(scene.files, name);
        for (int turn = 0; turn < 20; turn++) /* in turns, so that nothing can be joined */
            hf_budget_charge(turn % 2 ? one : first, 1000, ++scene.seq);
        if (i >= 4998)
            assert_string_equal(hf_owner_name(one), "all others");
        hf_owner_put(last);
        last = one;
    }
    struct hf_budget_sums sums = hf_budget_sums(scene.budget, HF_BUDGET_JOURNAL);
    assert_true(sums.epochs <= 128);
    assert_int_equal(sums.owners, HF_OWNERS_MAX + 1);
    assert_int_equal(sums.used, 4999 * 20 * 1000ull);
    hf_owner_put(last);
    /* The journal reaches these sequences and releases them. */
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    for (uint64_t seq = 0; seq <= scene.seq; seq++)
        assert_int_equal(hf_journal_append(rig->journal, 0, 1, HF_SLICE_LITERAL("{}"), NULL, NULL),
                         HF_OK);
    hf_journal_commit(rig->journal);
    assert_int_equal(hf_journal_sync(rig->journal, 10000, NULL), HF_OK);
    hf_journal_release(rig->journal, scene.seq);
    sums = hf_budget_sums(scene.budget, HF_BUDGET_JOURNAL);
    assert_int_equal(sums.used, 0);
    assert_int_equal(sums.owners, 1);
    assert_int_equal(hf_owner_held(first, HF_BUDGET_JOURNAL), 0);
    hf_owner_put(first);
    scene_done(&scene);
}

static void
what_was_there_at_the_start_is_held_until_it_is_released(void **state)
{
    struct rig *rig = *state;
    static char line[60000];
    memset(line, 'x', sizeof(line));
    line[0] = '"', line[sizeof(line) - 1] = '"';
    for (int i = 0; i < 100; i++) {
        assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
        assert_int_equal(
            hf_journal_append(rig->journal, 0, 1, hf_slice(line, sizeof(line)), NULL, NULL), HF_OK);
        hf_journal_commit(rig->journal);
    }
    rig_restart(rig);
    struct hf_budget_sums sums = hf_budget_sums(rig->intake->budget, HF_BUDGET_JOURNAL);
    assert_in_range(sums.used, 100 * sizeof(line), 100 * sizeof(line) + (4u << 20));
    hf_journal_release(rig->journal, 50);
    sums = hf_budget_sums(rig->intake->budget, HF_BUDGET_JOURNAL);
    assert_in_range(sums.used, 40 * sizeof(line), 75 * sizeof(line));
    hf_journal_release(rig->journal, 100);
    assert_int_equal(hf_budget_sums(rig->intake->budget, HF_BUDGET_JOURNAL).used, 0);
}

/* ---- refusals are told ---- */

static void
a_refusal_is_told_when_it_begins_and_ends_once_a_minute(void **state)
{
    struct scene scene = scene_new(*state);
    struct hf_owner *hog = hf_owner_get(scene.files, "hog");
    struct hf_error err;
    struct hf_refusal refusal;
    struct hf_account_status status;
    uint64_t now_ms = hf_boot_ms();
    assert_false(hf_budget_to_tell(scene.budget, now_ms, &refusal));
    take(&scene, hog, UINT64_MAX);
    assert_int_equal(hf_budget_ask(hog, "/log/first", &err), HF_ELIMIT);
    assert_int_equal(hf_budget_ask(hog, "/log/second", &err), HF_ELIMIT);
    assert_true(hf_budget_to_tell(scene.budget, now_ms, &refusal));
    assert_true(refusal.kind == HF_BUDGET_JOURNAL && !refusal.ends);
    assert_int_equal(refusal.count, 2);
    assert_string_equal(refusal.source, "files");
    assert_string_equal(refusal.owner, "hog");
    assert_string_equal(refusal.name, "/log/first");
    hf_budget_told(scene.budget, &refusal, now_ms);
    hf_account_status(scene.files, &status);
    assert_int_equal(status.owners_refused, 1);
    assert_int_equal(status.refusals, 2);
    hf_account_status(scene.clients, &status);
    assert_int_equal(status.owners_refused, 0);
    hf_budget_note_refusal(hog, HF_BUDGET_STREAMS, "");
    now_ms += 30000;
    assert_false(hf_budget_to_tell(scene.budget, now_ms, &refusal)); /* too soon */
    now_ms += 31000;
    assert_true(hf_budget_to_tell(scene.budget, now_ms, &refusal));
    assert_true(refusal.kind == HF_BUDGET_JOURNAL && refusal.ends);
    hf_budget_told(scene.budget, &refusal, now_ms);
    now_ms += 61000;
    assert_true(hf_budget_to_tell(scene.budget, now_ms, &refusal));
    assert_true(refusal.kind == HF_BUDGET_STREAMS && !refusal.ends);
    hf_budget_told(scene.budget, &refusal, now_ms);
    now_ms += 61000;
    assert_true(hf_budget_to_tell(scene.budget, now_ms, &refusal));
    assert_true(refusal.kind == HF_BUDGET_STREAMS && refusal.ends);
    hf_budget_told(scene.budget, &refusal, now_ms);
    assert_false(hf_budget_to_tell(scene.budget, now_ms + 61000, &refusal));
    hf_owner_put(hog);
    scene_done(&scene);
}

/* ---- who is who ---- */

static void
assert_file(struct hf_users *users, uid_t uid, const char *path, const char *wanted)
{
    char name[HF_OWNER_SIZE];
    hf_owner_of_file(users, "/home/*/log/*.log", path, uid, name);
    assert_string_equal(name, wanted);
}

static void
assert_client(struct hf_users *users, uid_t uid, const char *cgroup, const char *wanted)
{
    char name[HF_OWNER_SIZE];
    hf_owner_of_client(users, uid, cgroup, name);
    assert_string_equal(name, wanted);
}

static void
an_owner_is_a_folder_and_a_user(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/passwd",
              "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/:\n"
              "bob:x:1001:1001::/:\nnoise\n");
    rig_write(rig, "files/subuid", "ann:100000:65536\n1001:200000:65536\nnobody here\n");
    char passwd[512], subuid[512];
    snprintf(passwd, sizeof(passwd), "%s", rig_path(rig, "files/passwd"));
    snprintf(subuid, sizeof(subuid), "%s", rig_path(rig, "files/subuid"));
    struct hf_users *users = hf_users_new(passwd, subuid);
    assert_file(users, 1000, "/home/ann/log/a.log", "uid 1000 in 'ann'");
    assert_file(users, 1001, "/home/ann/log/b.log", "uid 1001 in 'ann'");
    assert_file(users, 100000, "/home/ann/log/c.log", "uid 1000 in 'ann'");
    assert_file(users, 165535, "/home/ann/log/c.log", "uid 1000 in 'ann'");
    assert_file(users, 165536, "/home/ann/log/c.log", "uids without a user in 'ann'");
    assert_file(users, 265535, "/home/b/log/c.log", "uid 1001 in 'b'");
    assert_file(users, 99999, "/home/ann/log/c.log", "uids without a user in 'ann'");
    assert_file(users, 0, "/elsewhere/c.log", "uid 0");
    char flat[HF_OWNER_SIZE];
    hf_owner_of_file(users, "/var/log/*.log", "/var/log/a.log", 1000, flat);
    assert_string_equal(flat, "uid 1000");
    hf_owner_of_file(users, "/var/log/a.log", "/var/log/a.log", 1000, flat);
    assert_string_equal(flat, "uid 1000");
    assert_client(users, 1000, "", "uid 1000");
    assert_client(users, 1000, "0::/\n", "uid 1000");
    assert_client(users, 0, "0::/system.slice/web.service\n", "uid 0 of /system.slice/web.service");
    assert_client(users, 1000, "0::/user.slice/user-1000.slice/user@1000.service/mine/as-many\n",
                  "uid 1000 of /user.slice/user-1000.slice");
    assert_client(users, 1000, "9:memory:/x\n1:name=systemd:/a/b\n", "uid 1000 of /a/b");
    hf_users_free(users);
}

/* ---- in the agent ---- */

static bool
has_line(struct rig *rig, void *context)
{
    json_t *events = rig_events(rig), *event;
    size_t i;
    bool found = false;
    json_array_foreach(events, i, event) found |= strcmp(event_text(event), context) == 0;
    json_decref(events);
    return found;
}

static size_t
count_refusals(struct rig *rig, const char *kind, const char *when)
{
    json_t *events = rig_events(rig), *event;
    size_t i, count = 0;
    json_array_foreach(events, i, event)
    {
        const json_t *details = json_object_get(event, "serviceEventDetails");
        if (strcmp(event_name(event), "SourceRefusal") != 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(details, "source")), "logs");
        assert_non_null(strstr(json_string_value(json_object_get(details, "owner")), "in 'hog'"));
        assert_non_null(strstr(json_string_value(json_object_get(details, "first")), "files/hog/"));
        assert_true(json_integer_value(json_object_get(details, "count")) > 0);
        assert_true(json_is_integer(json_object_get(json_object_get(event, "holdfast"),
                                                    "seq"))); /* as each record has it */
        count += strcmp(json_string_value(json_object_get(details, "kind")), kind) == 0 &&
                 strcmp(json_string_value(json_object_get(details, "state")), when) == 0;
    }
    json_decref(events);
    return count;
}

static bool
is_recorded(struct rig *rig, void *context)
{
    return count_refusals(rig, context, "began") == 1;
}

static bool
somebody_is_refused(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).owners_refused > 0;
}

static void
append_much(struct rig *rig, const char *name, size_t mebibytes)
{
    hf_owned(hf_freep) char *bytes = hf_alloc(1u << 20);
    memset(bytes, 'x', 1u << 20);
    for (size_t i = 4096; i <= 1u << 20; i += 4096)
        bytes[i - 1] = '\n';
    for (size_t i = 0; i < mebibytes; i++)
        rig_append_bytes(rig, name, bytes, 1u << 20);
}

/* One folder's files at the disk's speed, and nothing is delivered: another folder's, and a client's
 * lines come in. When there is room again the rest is read by itself. */
static void
who_fills_the_journal_waits_alone(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkdir(rig_path(rig, "files/hog"), 0700), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/honest"), 0700), 0);
    rig_source(rig, "logs", HF_SOURCE_FILE, "files/*/log");
    rig_source(rig, "sock", HF_SOURCE_SOCKET, "in.sock");
    rig_write(rig, "files/hog/log", "");
    rig_write(rig, "files/honest/log", "before\n");
    rig_configure(rig);
    rig_until(rig, has_line, (void *)"before");
    append_much(rig, "files/hog/log", 24);
    rig_until(rig, somebody_is_refused, NULL);
    struct hf_source_status status = rig_status(rig, 0);
    assert_true(status.waiting);
    assert_non_null(strstr(status.problem, "in 'hog'"));
    assert_non_null(strstr(status.problem, "files/hog/log"));
    rig_until(rig, is_recorded, (void *)"journal");
    rig_append(rig, "files/honest/log", "in time\n");
    rig_until(rig, has_line, (void *)"in time");
    struct client client = client_new(rig);
    say(&client, "a plain line\n");
    rig_until(rig, has_line, (void *)"a plain line");
    hang_up(&client);
    assert_int_equal(rig_status(rig, 1).owners_refused, 0);
    assert_string_equal(rig_status(rig, 1).problem, "");
    struct hf_budget_sums sums = hf_budget_sums(rig->intake->budget, HF_BUDGET_JOURNAL);
    assert_true(sums.used < sums.max / 8 * 5);
    rig_append(rig, "files/hog/log", "the last\n");
    for (int i = 0; i < 200 && !has_line(rig, (void *)"the last"); i++) {
        struct hf_journal_info info;
        hf_journal_info(rig->journal, &info);
        hf_journal_release(rig->journal, info.durable_seq);
        rig_turn(rig, 50);
    }
    assert_true(has_line(rig, (void *)"the last"));
    rig_drain(rig);
}

/* ---- connections and streams ---- */

#define PLACES 40
#define HOG    1 /* two users that every system has */
#define HONEST 2

/* A client of another user's. */
static struct client
client_as(struct rig *rig, uid_t uid)
{
    assert_int_equal(seteuid(uid), 0);
    struct client client = client_new(rig);
    assert_int_equal(seteuid(0), 0);
    return client;
}

static void
open_socket_to_all(struct rig *rig)
{
    rig->timing.connections_max = PLACES;
    hf_intake_set_timing(rig->intake, &rig->timing);
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_SOCKET, "in.sock");
    hf_freep(&source->mode);
    source->mode = hf_strdup("0666");
    assert_int_equal(chmod(rig_path(rig, "."), 0755), 0);
    rig_configure(rig);
}

static void
who_takes_all_connections_loses_his_own(void **state)
{
    struct rig *rig = *state;
    struct client hog[2 * PLACES];
    if (geteuid() != 0)
        skip(); /* nobody else's client can be made */
    open_socket_to_all(rig);
    for (size_t i = 0; i < HF_COUNT(hog); i++) {
        hog[i] = client_as(rig, HOG);
        say(&hog[i], "H"); /* a greeting that never ends */
        rig_turn(rig, 2);
    }
    assert_int_equal(rig_status(rig, 0).connections, PLACES);
    struct client honest[PLACES / 4];
    for (size_t i = 0; i < HF_COUNT(honest); i++) {
        char hello[80];
        snprintf(hello, sizeof(hello), "HOLDFAST 1 STREAM 1f0e3dad-9990-4a5c-8d1b-%012zx\none\n",
                 i);
        honest[i] = client_as(rig, HONEST);
        say(&honest[i], hello);
        hear_last(&honest[i], "ACK 1\n");
    }
    hear(&hog[0], /* his oldest */
         "ERROR too many connections are yours, and others want one; connect again later\n");
    until_closed(&hog[0]);
    assert_int_equal(rig_status(rig, 0).connections, PLACES);
    struct hf_source_status status = rig_status(rig, 0);
    assert_int_equal(status.owners_refused, 1);
    /* What he does now costs only himself. */
    struct client more = client_as(rig, HOG);
    hear(&more, "ERROR 40 connections are open; close some, or connect again later\n");
    until_closed(&more);
    for (size_t i = 0; i < HF_COUNT(honest); i++) {
        say(&honest[i], "two\n");
        hear_last(&honest[i], "ACK 2\n");
        hang_up(&honest[i]);
    }
    for (size_t i = 0; i < HF_COUNT(hog); i++)
        hang_up(&hog[i]);
}

static void
use_streams(struct rig *rig, struct hf_owner *owner, unsigned name, unsigned count)
{
    struct hf_streams *streams = rig->intake->streams;
    struct hf_source *source = rig->intake->sources[0];
    for (unsigned i = 0; i < count; i++) {
        char uuid[HF_UUID_SIZE];
        struct hf_unit unit;
        struct hf_cut cut = { .lines = 1 };
        snprintf(uuid, sizeof(uuid), "%08x-9990-4a5c-8d1b-%012x", name, i);
        struct hf_stream *stream = hf_stream_get(streams, uuid, owner);
        assert_non_null(stream);
        while (hf_unit_begin_for(&unit, source, owner, NULL) != HF_OK)
            rig_turn(rig, 1);
        unit.owner = owner;
        assert_int_equal(hf_stream_write(&unit, stream, &cut), HF_OK);
        hf_unit_commit(&unit);
        hf_stream_taken(stream, &unit, &cut);
        stream->pending_count = 0;
        hf_stream_put(stream);
    }
    assert_int_equal(hf_journal_sync(rig->journal, 20000, NULL), HF_OK);
}

static bool
is_there(struct rig *rig, struct hf_owner *owner, unsigned name, unsigned i)
{
    char uuid[HF_UUID_SIZE];
    snprintf(uuid, sizeof(uuid), "%08x-9990-4a5c-8d1b-%012x", name, i);
    struct hf_stream *stream = hf_stream_get(rig->intake->streams, uuid, owner);
    bool is = stream && stream->taken > 0;
    if (stream)
        hf_stream_put(stream);
    return is;
}

/* Also after a restart, when it is not known any more whose they were, as soon as they are used. */
static void
who_has_too_many_streams_forgets_his_own(void **state)
{
    struct rig *rig = *state;
    rig_stop(rig);
    rig->journal_bytes = 512u << 20;
    rig->segment_bytes = 16u << 20;
    rig_start(rig);
    rig_source(rig, "app", HF_SOURCE_SOCKET, "in.sock");
    rig_configure(rig);
    struct hf_account *account = rig->intake->sources[0]->account;
    struct hf_owner *hog = hf_owner_get(account, "hog"), *honest = hf_owner_get(account, "honest");
    use_streams(rig, honest, 1, 20);
    use_streams(rig, hog, 2, HF_STREAMS_MAX + 2000);
    assert_true(hf_kept_count(rig->intake->streams->kept) <= HF_STREAMS_MAX);
    for (unsigned i = 0; i < 20; i++)
        assert_true(is_there(rig, honest, 1, i));
    assert_false(is_there(rig, hog, 2, 0));
    assert_true(is_there(rig, hog, 2, HF_STREAMS_MAX + 1999));
    use_streams(rig, honest, 3, 100); /* and he pays for those of others */
    for (unsigned i = 0; i < 20; i++)
        assert_true(is_there(rig, honest, 1, i));
    hf_owner_put(hog);
    hf_owner_put(honest);
}

/* ---- files ---- */

static void
name_long(char name[400], int number)
{
    snprintf(name, 400, "files/hog/%0230d.log", number);
}

static bool
many_are_refused(struct rig *rig, void *context)
{
    return somebody_is_refused(rig, context) && rig_status(rig, 0).files > 0;
}

static bool
is_well(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).files == 1;
}

/* Positions are kept of as many files as one's share is; other folders' are followed all the same,
 * also when the agent was started anew. When they are gone there is room again. */
static void
many_files_of_one_folder_keep_no_other_from_being_read(void **state)
{
    struct rig *rig = *state;
    static const int count = 1500;
    char name[400];
    rig->timing.rescan_ms = 100;
    hf_intake_set_timing(rig->intake, &rig->timing);
    assert_int_equal(mkdir(rig_path(rig, "files/hog"), 0700), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/honest"), 0700), 0);
    for (int i = 0; i < count; i++) {
        name_long(name, i);
        rig_write(rig, name, "x\n");
    }
    rig_source(rig, "logs", HF_SOURCE_FILE, "files/*/*.log");
    rig_configure(rig);
    rig_until(rig, many_are_refused, NULL);
    for (int turn = 0; turn < 2; turn++) {
        struct hf_source_status status = rig_status(rig, 0);
        assert_in_range(status.files, 100, count - 100);
        assert_non_null(strstr(status.problem, "in 'hog'"));
        assert_non_null(strstr(status.problem, "share of the positions"));
        snprintf(name, sizeof(name), "files/honest/%d.log", turn);
        rig_write(rig, name, turn ? "second\n" : "first\n");
        rig_until(rig, has_line, (void *)(turn ? "second" : "first"));
        if (turn == 0) {
            rig_restart(rig);
            rig_until(rig, many_are_refused, NULL);
        }
    }
    for (int i = 0; i < count; i++) {
        name_long(name, i);
        rig_unlink(rig, name);
    }
    rig_unlink(rig, "files/honest/0.log");
    rig_until(rig, is_well, NULL);
    rig_write(rig, "files/hog/one.log", "third\n");
    rig_until(rig, has_line, (void *)"third");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_is_alone_fills_seven_eighths_and_leaves_room_for_another, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(beside_others_it_stops_at_half, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(many_owners_of_a_source_leave_room_for_another_source,
                                        set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_all_of_it_comes_back, set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(what_was_there_at_the_start_is_held_until_it_is_released,
                                        set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_told_when_it_begins_and_ends_once_a_minute,
                                        set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(an_owner_is_a_folder_and_a_user, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(who_fills_the_journal_waits_alone, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(who_takes_all_connections_loses_his_own, set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(who_has_too_many_streams_forgets_his_own, set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(many_files_of_one_folder_keep_no_other_from_being_read,
                                        set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
