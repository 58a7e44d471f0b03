/* A versioned store in memory, in the place of agent/store's at link time: what a test lays over
 * what. */
#ifndef HOLDFAST_TESTS_VERIFY_MEMORY_STORE_H
#define HOLDFAST_TESTS_VERIFY_MEMORY_STORE_H

#include <holdfast/config.h>
#include <holdfast/store.h>

struct memory_version {
    char *key, *version_id;
    struct hf_buf body;
    struct hf_object_info info;
    bool is_delete_marker;
    bool gone;
};

struct hf_store {
    struct memory_version items[256]; /* oldest first */
    size_t count;
    bool refuses_versions;
    bool endless;                    /* its listing of keys never ends */
    size_t pages;                    /* that it gave then */
    const char *refuses_versions_of; /* of this key alone; NULL: of none */
    _Atomic size_t version_requests;
    enum hf_status get_fails;                           /* for objects; HF_OK: it does not */
    const char *fails_for;                              /* for this key alone; NULL: for each */
    void (*before_get)(void *context, const char *key); /* on the thread that asks; NULL: nothing */
    void *context;
    _Atomic int handles; /* others that are open, */
    struct hf_store *of; /* each of which is of the first one */
};

/* Another handle, for another thread. What lies there must not change meanwhile. */
struct hf_store *memory_another(struct hf_store *store);

/* Lays a new version over what is there; the newest is the current one. */
struct memory_version *memory_put(struct hf_store *store, const char *key, struct hf_slice body,
                                  const char *signature);
struct memory_version *memory_current(struct hf_store *store, const char *key);
void memory_delete_marker(struct hf_store *store, const char *key);
/* Copies what the world has made in its directory, with its metadata: the object under `key`, or
 * all. */
struct world;
void memory_fill(struct world *w, const char *key);

#endif
