/* What options.def makes of each section: walked here row by row, so that a new option is tested by
 * standing there. */
#include "config_test.h"

#include <jansson.h>
#include <pthread.h>

struct entries {
    struct hf_config_agent agent;
    struct hf_config_store store;
    struct hf_config_source source;
    struct hf_config_bucket bucket;
    struct hf_config_trail trail;
};

static struct hf_strings
strings_of(const char *first, const char *second)
{
    struct hf_strings strings = { .items = hf_alloc(2 * sizeof(char *)), .count = second ? 2 : 1 };
    strings.items[0] = hf_strdup(first);
    strings.items[1] = hf_strdup(second);
    return strings;
}

static void
strings_free(struct hf_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct hf_strings){ 0 };
}

/* ---- an entry with something in every option ---- */

#define FILL_TEXT(at, key) *(at) = hf_strdup(key)
#define FILL_LIST(at, key) *(at) = strings_of(key, "second")
#define FILL_NUMBER(at)    *(at) = 7

static void
fill(struct entries *e)
{
    memset(e, 0, sizeof(*e));
    e->agent.line = e->store.line = e->source.line = e->bucket.line = e->trail.line = 11;
#define FILL_STRING(at, key)                   FILL_TEXT(at, key)
#define FILL_PATH(at, key)                     FILL_TEXT(at, key)
#define FILL_STRINGS(at, key)                  FILL_LIST(at, key)
#define FILL_PATHS(at, key)                    FILL_LIST(at, key)
#define FILL_U64(at, key)                      FILL_NUMBER(at)
#define FILL_SIZE(at, key)                     FILL_NUMBER(at)
#define FILL_SECONDS(at, key)                  FILL_NUMBER(at)
#define FILL_ENUM(at, key)                     *(at) = 1
#define FILL_BOOL(at, key)                     *(at) = true
#define OPTION(section, key, field, type, ...) FILL_##type(&e->section.field, key);
#include "agent/config/options.def"
#undef OPTION
}

#define ALL(what)                                                                                  \
    do {                                                                                           \
        what(agent);                                                                               \
        what(store);                                                                               \
        what(source);                                                                              \
        what(bucket);                                                                              \
        what(trail);                                                                               \
    } while (0)

static void
copy_all(const struct entries *e, struct entries *ret_copy)
{
#define COPY(section) hf_config_##section##_copy(&e->section, &ret_copy->section)
    ALL(COPY);
}

static void
done_all(struct entries *e)
{
#define DONE(section) hf_config_##section##_done(&e->section)
    ALL(DONE);
}

/* The one section whose options differ is named; else "". */
static const char *
section_that_changed(const struct entries *a, const struct entries *b)
{
    const char *changed = "";
#define LOOK(section)                                                                              \
    if (!hf_config_##section##_same(&a->section, &b->section)) {                                   \
        assert_string_equal(changed, "");                                                          \
        changed = #section;                                                                        \
    }
    ALL(LOOK);
    return changed;
}

/* ---- each option, changed alone ---- */

/* Replaces the value; `round` 0, 1, ... each in another way. false: there is no such way. */
static bool
change_text(char **at, int round)
{
    if (round > 1)
        return false;
    free(*at);
    *at = round == 0 ? hf_strdup("another") : NULL;
    return true;
}

static bool
change_strings(struct hf_strings *at, int round)
{
    static const char *const ways[][2] = {
        { "first", "third" }, { "other", "second" }, { "first", NULL }, { NULL, NULL }
    };
    if (round >= (int)HF_COUNT(ways))
        return false;
    strings_free(at);
    if (ways[round][0])
        *at = strings_of(ways[round][0], ways[round][1]);
    return true;
}

static bool
change_number(uint64_t *at, int round)
{
    *at = round == 0 ? 8 : 7 + (1ull << 32);
    return round <= 1;
}

static bool
change_enum(int *at, int round)
{
    *at = round == 0 ? 2 : HF_UNSET;
    return round <= 1;
}

static bool
change_bool(bool *at, int round)
{
    *at = false;
    return round == 0;
}

#define CHANGE_STRING  change_text
#define CHANGE_PATH    change_text
#define CHANGE_STRINGS change_strings
#define CHANGE_PATHS   change_strings
#define CHANGE_U64     change_number
#define CHANGE_SIZE    change_number
#define CHANGE_SECONDS change_number
#define CHANGE_ENUM    change_enum
#define CHANGE_BOOL    change_bool
#define COUNTS_ANEW    true
#define COUNTS_KEEP    false

static void
expect_seen(const struct entries *a, const struct entries *b, const char *section, const char *key,
            bool counts)
{
    const char *seen = section_that_changed(a, b);
    if (strcmp(seen, counts ? section : "") != 0)
        fail_msg("%s.%s was changed, and '%s' differs", section, key, seen);
}

static void
each_option_alone_is_seen(void **state)
{
    (void)state;
    struct entries was;
    size_t options = 0;
    fill(&was);
#define OPTION(section, key_, field, type, preset, least, most, change, help)                      \
    options++;                                                                                     \
    for (int round = 0;; round++) {                                                                \
        struct entries is;                                                                         \
        copy_all(&was, &is);                                                                       \
        bool changed = CHANGE_##type(&is.section.field, round);                                    \
        if (changed) {                                                                             \
            expect_seen(&was, &is, #section, key_, COUNTS_##change);                               \
            expect_seen(&is, &was, #section, key_, COUNTS_##change);                               \
            const char *named = hf_config_##section##_changed(&was.section, &is.section);          \
            assert_string_equal(named ? named : "", COUNTS_##change ? key_ : "");                  \
        }                                                                                          \
        done_all(&is);                                                                             \
        if (!changed)                                                                              \
            break;                                                                                 \
    }
#include "agent/config/options.def"
#undef OPTION
    assert_in_range(options, 50, 1000);
    done_all(&was);
}

/* Who gives an option KEEP says that nothing which runs was begun with it: that is thought of once
 * more here. */
static void
which_options_do_not_count(void **state)
{
    (void)state;
    char kept[512] = "";
#define NAME_ANEW(name)
#define NAME_KEEP(name) strcat(kept, name " ")
#define OPTION(section, key, field, type, preset, least, most, change, help)                       \
    NAME_##change(#section "." key);
#include "agent/config/options.def"
#undef OPTION
    assert_string_equal(
        kept, "agent.organization agent.host agent.metrics agent.log.level "
              "agent.log.format agent.provenance bucket.policy bucket.lifecycle bucket.tags ");
}

/* ---- copies ---- */

static void
expect_own_text(char *const *from, char *const *copy)
{
    assert_string_equal(*from, *copy);
    assert_ptr_not_equal(*from, *copy);
}

static void
expect_own_strings(const struct hf_strings *from, const struct hf_strings *copy)
{
    assert_int_equal(from->count, copy->count);
    assert_ptr_not_equal(from->items, copy->items);
    for (size_t i = 0; i < from->count; i++)
        expect_own_text(&from->items[i], &copy->items[i]);
}

#define EXPECT_STRING(from, copy)  expect_own_text(from, copy)
#define EXPECT_PATH(from, copy)    expect_own_text(from, copy)
#define EXPECT_STRINGS(from, copy) expect_own_strings(from, copy)
#define EXPECT_PATHS(from, copy)   expect_own_strings(from, copy)
#define EXPECT_U64(from, copy)     assert_true(*(from) == *(copy))
#define EXPECT_SIZE(from, copy)    assert_true(*(from) == *(copy))
#define EXPECT_SECONDS(from, copy) assert_true(*(from) == *(copy))
#define EXPECT_ENUM(from, copy)    assert_true(*(from) == *(copy))
#define EXPECT_BOOL(from, copy)    assert_true(*(from) == *(copy))

/* The original goes first: the sanitizer sees what the copy would still borrow, and what done()
 * leaves. */
static void
a_copy_holds_everything_itself(void **state)
{
    (void)state;
    struct entries from, copy, again;
    fill(&from);
    copy_all(&from, &copy);
#define OPTION(section, key, field, type, ...)                                                     \
    EXPECT_##type(&from.section.field, &copy.section.field);
#include "agent/config/options.def"
#undef OPTION
    assert_int_equal(copy.source.line, 11);
    done_all(&from);
    fill(&again);
    assert_string_equal(section_that_changed(&copy, &again), "");
    done_all(&again);
    done_all(&copy);
}

static void
what_is_unset_stays_unset(void **state)
{
    (void)state;
    struct entries from, copy;
    memset(&from, 0, sizeof(from));
    from.trail.retention_mode = HF_UNSET;
    copy_all(&from, &copy);
    assert_string_equal(section_that_changed(&from, &copy), "");
    assert_null(copy.store.ca_file);
    assert_null(copy.source.exclude.items);
    assert_int_equal(copy.trail.retention_mode, HF_UNSET);
    copy.trail.line = 99; /* an entry that moved in the file is the same one */
    assert_string_equal(section_that_changed(&from, &copy), "");
    done_all(&copy);
}

/* ---- a trail's options as JSON ---- */

static void
each_option_of_a_trail_is_told(void **state)
{
    (void)state;
    struct entries was;
    fill(&was);
    json_t *before = json_object();
    hf_config_trail_tell(&was.trail, before);
#define TOLD_agent(field, change)
#define TOLD_store(field, change)
#define TOLD_source(field, change)
#define TOLD_bucket(field, change)
#define TOLD_trail(field, change)                                                                  \
    for (int round = 0;; round++) {                                                                \
        struct entries is;                                                                         \
        copy_all(&was, &is);                                                                       \
        bool changed = change(&is.trail.field, round);                                             \
        json_t *after = json_object();                                                             \
        hf_config_trail_tell(&is.trail, after);                                                    \
        if (changed)                                                                               \
            assert_false(                                                                          \
                json_equal(json_object_get(before, #field), json_object_get(after, #field)));      \
        if (changed)                                                                               \
            json_object_set(after, #field, json_object_get(before, #field));                       \
        done_all(&is);                                                                             \
        assert_true(!changed || json_equal(before, after));                                        \
        json_decref(after);                                                                        \
        if (!changed)                                                                              \
            break;                                                                                 \
    }
#define OPTION(section, key, field, type, ...) TOLD_##section(field, CHANGE_##type)
#include "agent/config/options.def"
#undef OPTION
    json_decref(before);
    done_all(&was);
}

/* ---- a configuration that several threads hold ---- */

#define HOLDERS 4

static void *
hold_and_look(void *argument)
{
    struct hf_config *config = argument;
    for (int i = 0; i < 20000; i++) {
        struct hf_config *held = hf_config_ref(config);
        if (held->trail_count != 1 || !held->agent.control)
            abort();
        hf_config_unref(held);
    }
    hf_config_unref(config);
    return NULL;
}

static void
the_last_reference_frees(void **state)
{
    (void)state;
    pthread_t threads[HOLDERS];
    struct hf_config *config = parse_well(
        "stores: [{ name: here, url: \"dir:///b\" }]\n"
        "buckets: [{ name: logs, store: here, retention: none }]\n"
        "sources: [{ name: app, type: stdin }]\n"
        "trails: [{ name: audit, bucket: logs, encryption: none, digest: { key_file: d.key } }]\n");
    for (size_t i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_look, hf_config_ref(config)),
                         0);
    hf_config_unref(config); /* the threads' own are left, and the last one of them frees it */
    for (size_t i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    hf_config_unref(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_alone_is_seen),
        cmocka_unit_test(which_options_do_not_count),
        cmocka_unit_test(a_copy_holds_everything_itself),
        cmocka_unit_test(what_is_unset_stays_unset),
        cmocka_unit_test(each_option_of_a_trail_is_told),
        cmocka_unit_test(the_last_reference_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
