/* Authorities and certificates made by the openssl tool, and two sessions of ours with the wire
 * between them in the test's hand. */
#ifndef HOLDFAST_TESTS_CRYPTO_TLS_H
#define HOLDFAST_TESTS_CRYPTO_TLS_H

#include "tests/unit/crypto/crypto_test.h"

#define EC "ec -pkeyopt ec_paramgen_curve:P-256"

/* NAME.key and NAME.pem, signed by AUTHORITY; `extensions`: "-addext ..." words. */
static inline void
issue(const char *name, const char *authority, int days, const char *extensions)
{
    hf_owned(hf_freep) char *request = hf_asprintf(
        "req -newkey " EC " -nodes -keyout %s.key -out %s.csr -subj '/O=Tests/CN=%s' %s", name,
        name, name, extensions);
    hf_owned(hf_freep) char *sign =
        hf_asprintf("x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -out %s.pem "
                    "-days %d -copy_extensions copyall",
                    name, authority, authority, name, days);
    hf_owned(hf_freep) char *key = hf_asprintf("%s.key", name);
    openssl_must(request);
    openssl_must(sign);
    assert_int_equal(chmod(in_folder(key), 0600), 0);
}

/* ca and other: authorities. server, late (expired), shop (a wildcard) and reader (a client's). */
static inline int
certificates_setup(void **state)
{
    folder_setup(state);
    make_certificate("ca", EC);
    make_certificate("other", EC);
    issue("server", "ca", 30,
          "-addext subjectAltName=DNS:log.example,IP:127.0.0.1,IP:::1 "
          "-addext extendedKeyUsage=serverAuth");
    issue("late", "ca", -1, "-addext subjectAltName=DNS:log.example,DNS:late");
    issue("shop", "ca", 30, "-addext subjectAltName=DNS:*.shop.example");
    issue("reader", "ca", 30, "-addext extendedKeyUsage=clientAuth");
    return 0;
}

static inline struct hf_tls *
server_of(const char *name, const char *client_ca)
{
    hf_owned(hf_freep) char *certificate = hf_asprintf("%s.pem", name);
    hf_owned(hf_freep) char *key = hf_asprintf("%s.key", name);
    const char *const alpn[] = { "holdfast/2", "http/1.1" };
    struct hf_tls_server_options options = { .certificate_file = in_folder(certificate),
                                             .key_file = in_folder(key),
                                             .client_ca_file =
                                                 client_ca ? in_folder(client_ca) : NULL,
                                             .alpn = alpn,
                                             .alpn_count = HF_COUNT(alpn) };
    struct hf_tls *tls = NULL;
    struct hf_error err;
    if (hf_tls_server_new(&options, &tls, &err) != HF_OK)
        fail_msg("%s", err.text);
    return tls;
}

/* `name`: of its own certificate, or NULL. */
static inline struct hf_tls *
client_of(const char *ca, const char *name)
{
    hf_owned(hf_freep) char *certificate = name ? hf_asprintf("%s.pem", name) : NULL;
    hf_owned(hf_freep) char *key = name ? hf_asprintf("%s.key", name) : NULL;
    const char *const alpn[] = { "http/1.1" };
    struct hf_tls_client_options options = { .ca_file = in_folder(ca),
                                             .certificate_file =
                                                 name ? in_folder(certificate) : NULL,
                                             .key_file = name ? in_folder(key) : NULL,
                                             .alpn = alpn,
                                             .alpn_count = HF_COUNT(alpn) };
    struct hf_tls *tls = NULL;
    struct hf_error err;
    if (hf_tls_client_new(&options, &tls, &err) != HF_OK)
        fail_msg("%s", err.text);
    return tls;
}

static inline struct hf_tls_session *
session_of(struct hf_tls *tls, const char *name)
{
    struct hf_tls_session *session = NULL;
    struct hf_error err;
    if (hf_tls_session_new(tls, name, &session, &err) != HF_OK)
        fail_msg("%s", err.text);
    return session;
}

/* Carries at most `step` bytes from one to the other; how many went. */
static inline size_t
carry(struct hf_tls_session *from, struct hf_tls_session *to, size_t step)
{
    struct hf_slice out = hf_tls_session_out(from);
    size_t used = 0;
    (void)!hf_tls_session_feed(to, hf_slice(out.ptr, HF_MIN(out.size, step)), &used, NULL);
    hf_tls_session_sent(from, used);
    return used;
}

static inline void
shake_hands(struct hf_tls_session *client, struct hf_tls_session *server, size_t step)
{
    while (carry(client, server, step) + carry(server, client, step) > 0)
        ;
}

/* Reads until nothing comes; the last status. */
static inline enum hf_status
read_all(struct hf_tls_session *session, struct hf_buf *text, struct hf_error *err)
{
    char bytes[1000];
    size_t size;
    enum hf_status status;
    while ((status = hf_tls_session_read(session, bytes, sizeof(bytes), &size, err)) == HF_OK &&
           size > 0)
        assert_int_equal(hf_buf_add(text, bytes, size), HF_OK);
    return status;
}

static inline void
say(struct hf_tls_session *session, const char *text)
{
    size_t used = 0;
    assert_int_equal(hf_tls_session_write(session, hf_slice_text(text), &used, NULL), HF_OK);
    assert_int_equal(used, strlen(text));
}

struct pair { /* a client and a server that know each other's files */
    struct hf_tls_session *client, *server;
};

static inline struct pair
pair_of(struct hf_tls *client, const char *name, struct hf_tls *server)
{
    struct pair pair = { session_of(client, name), session_of(server, NULL) };
    hf_tls_free(client); /* they live on in their sessions */
    hf_tls_free(server);
    return pair;
}

static inline void
pair_done(struct pair *pair)
{
    hf_tls_session_free(pair->client);
    hf_tls_session_free(pair->server);
}

static inline struct pair
good_pair(void)
{
    struct pair pair = pair_of(client_of("ca.pem", NULL), "log.example", server_of("server", NULL));
    shake_hands(pair.client, pair.server, SIZE_MAX);
    assert_true(hf_tls_session_ready(pair.client) && hf_tls_session_ready(pair.server));
    return pair;
}

#endif
