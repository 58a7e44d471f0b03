/* A journal, a loop and an intake in a folder of their own; and what arrived in the journal, read
 * back. */
#ifndef HOLDFAST_TEST_INTAKE_HELP_H
#define HOLDFAST_TEST_INTAKE_HELP_H

#include "tests/support/test.h"

#include "agent/intake/intake_impl.h"
#include "agent/intake/thread.h"

#include <jansson.h>
#include <pthread.h>
#include <semaphore.h>

#define SOURCES_MAX 4

struct event_base;
struct event;

struct rig {
    char dir[256];
    struct event_base *loop;
    struct hf_journal *journal;
    struct hf_intake *intake;
    struct hf_intake_timing timing;
    uint64_t journal_bytes, segment_bytes;
    struct hf_config_source sources[SOURCES_MAX];
    struct hf_config config;
    int wake[2]; /* from the journal's thread to the loop */
    struct event *woken;
    pthread_mutex_t lock;
    uint64_t durable_seq;
    bool room;
    bool hold_commits;    /* the test hands them on itself */
    uint64_t patience_ms; /* of rig_until() */
    sem_t held, let_go;
};

struct rig *rig_new(void); /* without sources; timing short */
struct rig *rig_with_journal(uint64_t bytes, uint64_t segment_bytes);
void rig_free(struct rig *rig);
void rig_stop(struct rig *rig);  /* intake and journal closed */
void rig_start(struct rig *rig); /* and opened again, with the same configuration */
void rig_restart(struct rig *rig);
void rig_configure(struct rig *rig);

/* For cmocka. */
int rig_set_up(void **state);
int rig_set_up_quick(void **state); /* folders are looked through again at once */
int rig_tear_down(void **state);

/* The path lies in the rig's folder, and may be a pattern. */
struct hf_config_source *rig_source(struct rig *rig, const char *name, int type, const char *path);
const char *rig_path(struct rig *rig, const char *name);             /* valid for a few calls */
void rig_write(struct rig *rig, const char *name, const char *text); /* makes or replaces */
void rig_append(struct rig *rig, const char *name, const char *text);
void rig_append_bytes(struct rig *rig, const char *name, const void *bytes, size_t size);
void rig_rename(struct rig *rig, const char *from, const char *to);
void rig_unlink(struct rig *rig, const char *name);

/* Turns the loop until `is_so`, or fails after some seconds. */
void rig_until(struct rig *rig, bool (*is_so)(struct rig *rig, void *context), void *context);
void rig_turn(struct rig *rig, unsigned ms); /* for this long: what must not happen */
void rig_passes(struct rig *rig,
                size_t count); /* of each loop: enough of them to act on what was told */
void rig_drain(struct rig *rig);
/* Between them the source's thread does nothing: what happens meanwhile is told to it all at once. */
void rig_hold(struct rig *rig, size_t source);
void rig_let_go(struct rig *rig);

/* All events in the journal, in order. */
struct arrived {
    json_t *events; /* array */
};
json_t *rig_events(struct rig *rig);
size_t rig_count(struct rig *rig);
void rig_until_count(struct rig *rig, size_t count);
const char *event_text(const json_t *event); /* additionalEventData.text, or "" */
const char *event_name(const json_t *event);
size_t rig_positions(struct rig *rig); /* of the source "app" in the journal's state */
size_t rig_gaps(struct rig *rig);
/* The texts of all lines, SourceGap left out, are exactly these. */
void assert_texts(struct rig *rig, const char *const *texts, size_t count);
#define ASSERT_TEXTS(rig, ...)                                                                     \
    do {                                                                                           \
        const char *const wanted_[] = { __VA_ARGS__ };                                             \
        assert_texts((rig), wanted_, HF_COUNT(wanted_));                                           \
    } while (0)
/* "line 0" to "line N-1", each once, in any order. */
void assert_numbered(struct rig *rig, size_t count);
void rig_append_numbered(struct rig *rig, const char *name, size_t from, size_t to);
struct hf_source_status rig_status(struct rig *rig, size_t source);

#endif
