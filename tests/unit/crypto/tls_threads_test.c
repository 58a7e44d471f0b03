/* Threads that share contexts, each with sessions of its own: they outlive what they were made of. */
#include "tests/unit/crypto/tls_test.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  10

struct shared {
    struct hf_tls *client, *server;
    pthread_barrier_t last_made, contexts_freed;
};

/* As in threads_test.c: NULL when all went well. */
static const char *
meet(struct hf_tls_session *client, struct hf_tls_session *server)
{
    static const char said[] = "hello";
    char heard[sizeof(said)] = "";
    size_t size = 0;

    shake_hands(client, server, 1000);
    if (!hf_tls_session_ready(client) || !hf_tls_session_ready(server))
        return "shaking hands";
    if (hf_tls_session_write(client, hf_slice(said, sizeof(said)), &size, NULL) != HF_OK)
        return "writing";
    shake_hands(client, server, 1000);
    if (hf_tls_session_read(server, heard, sizeof(heard), &size, NULL) != HF_OK ||
        size != sizeof(said) || memcmp(heard, said, size) != 0)
        return "reading";
    if (strcmp(hf_tls_session_peer_name(server), "CN=reader,O=Tests") != 0)
        return "naming";
    return NULL;
}

static void *
work(void *context)
{
    struct shared *shared = context;
    const char *problem = NULL;

    for (int i = 0; i <= ROUNDS; i++) {
        struct hf_tls_session *client = NULL, *server = NULL;
        if (hf_tls_session_new(shared->client, "log.example", &client, NULL) != HF_OK ||
            hf_tls_session_new(shared->server, NULL, &server, NULL) != HF_OK)
            problem = "making sessions";
        if (i == ROUNDS) {
            pthread_barrier_wait(&shared->last_made);
            pthread_barrier_wait(&shared->contexts_freed);
        }
        if (!problem)
            problem = meet(client, server);
        hf_tls_session_free(client);
        hf_tls_session_free(server);
    }
    return (void *)problem;
}

static void
threads_share_contexts_that_go_before_their_sessions(void **state)
{
    (void)state;
    struct shared shared = { .client = client_of("ca.pem", "reader"),
                             .server = server_of("server", "ca.pem") };
    pthread_t threads[THREADS];
    assert_int_equal(pthread_barrier_init(&shared.last_made, NULL, THREADS + 1), 0);
    assert_int_equal(pthread_barrier_init(&shared.contexts_freed, NULL, THREADS + 1), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &shared), 0);
    pthread_barrier_wait(&shared.last_made);
    hf_tls_free(shared.client);
    hf_tls_free(shared.server);
    pthread_barrier_wait(&shared.contexts_freed);
    for (size_t i = 0; i < THREADS; i++) {
        void *problem;
        assert_int_equal(pthread_join(threads[i], &problem), 0);
        if (problem)
            fail_msg("thread %zu failed at %s", i, (const char *)problem);
    }
    pthread_barrier_destroy(&shared.last_made);
    pthread_barrier_destroy(&shared.contexts_freed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_contexts_that_go_before_their_sessions),
    };
    return cmocka_run_group_tests(tests, certificates_setup, folder_teardown);
}
