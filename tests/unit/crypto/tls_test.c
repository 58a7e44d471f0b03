/* Two sessions of ours: what they agree on, whom they refuse, and what is bounded. */
#include "tests/unit/crypto/tls_test.h"

#include "agent/crypto/tls_impl.h"

static void
fingerprint_by_openssl(const char *name, char ret_hex[HF_SHA256_HEX_SIZE])
{
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(1u << 20);
    hf_owned(hf_freep) char *arguments =
        hf_asprintf("x509 -in %s.pem -outform DER -out %s.der", name, name);
    hf_owned(hf_freep) char *file = hf_asprintf("%s.der", name);
    openssl_must(arguments);
    read_file(file, &der);
    hf_sha256_hex(der.ptr, der.size, ret_hex);
}

static void
both_sides_know_what_was_agreed(void **state)
{
    (void)state;
    char server_hash[HF_SHA256_HEX_SIZE], reader_hash[HF_SHA256_HEX_SIZE];
    fingerprint_by_openssl("server", server_hash);
    fingerprint_by_openssl("reader", reader_hash);
    struct pair pair =
        pair_of(client_of("ca.pem", "reader"), "log.example", server_of("server", "ca.pem"));
    assert_false(hf_tls_session_ready(pair.client));
    assert_string_equal(hf_tls_session_version(pair.client), "");
    shake_hands(pair.client, pair.server, SIZE_MAX);
    assert_true(hf_tls_session_ready(pair.client) && hf_tls_session_ready(pair.server));
    assert_string_equal(hf_tls_session_version(pair.client), "TLSv1.3");
    assert_string_equal(hf_tls_session_version(pair.server), "TLSv1.3");
    assert_string_equal(hf_tls_session_alpn(pair.client), "http/1.1");
    assert_string_equal(hf_tls_session_alpn(pair.server), "http/1.1");
    assert_string_equal(hf_tls_session_peer_fingerprint(pair.client), server_hash);
    assert_string_equal(hf_tls_session_peer_fingerprint(pair.server), reader_hash);
    assert_string_equal(hf_tls_session_peer_name(pair.client), "log.example");
    assert_string_equal(hf_tls_session_peer_name(pair.server), "CN=reader,O=Tests");
    pair_done(&pair);
    pair = good_pair(); /* nobody asked the client */
    assert_string_equal(hf_tls_session_peer_fingerprint(pair.server), "");
    assert_string_equal(hf_tls_session_peer_name(pair.server), "");
    pair_done(&pair);
}

/* 300 KB each way in pieces of `step` bytes, then both say that it was all. */
static void
talk(struct pair *pair, size_t step)
{
    hf_owned(hf_buf_done) struct hf_buf sent = HF_BUF(1u << 20);
    hf_owned(hf_buf_done) struct hf_buf at_server = HF_BUF(1u << 20);
    hf_owned(hf_buf_done) struct hf_buf at_client = HF_BUF(1u << 20);
    for (unsigned i = 0; sent.size < 300000; i++)
        assert_int_equal(hf_buf_addf(&sent, "line %u of what is said\n", i), HF_OK);
    size_t by_client = 0, by_server = 0, used;
    while (at_server.size < sent.size || at_client.size < sent.size) {
        assert_int_equal(hf_tls_session_write(
                             pair->client,
                             hf_slice(sent.ptr + by_client, HF_MIN(step, sent.size - by_client)),
                             &used, NULL),
                         HF_OK);
        by_client += used;
        assert_int_equal(hf_tls_session_write(
                             pair->server,
                             hf_slice(sent.ptr + by_server, HF_MIN(step, sent.size - by_server)),
                             &used, NULL),
                         HF_OK);
        by_server += used;
        carry(pair->client, pair->server, step);
        carry(pair->server, pair->client, step);
        assert_int_equal(read_all(pair->server, &at_server, NULL), HF_OK);
        assert_int_equal(read_all(pair->client, &at_client, NULL), HF_OK);
    }
    assert_true(hf_slice_equal(hf_buf_slice(&sent), hf_buf_slice(&at_server)));
    assert_true(hf_slice_equal(hf_buf_slice(&sent), hf_buf_slice(&at_client)));
    hf_tls_session_close(pair->client);
    shake_hands(pair->client, pair->server, step);
    assert_int_equal(read_all(pair->server, &at_server, NULL), HF_OK);
    assert_true(hf_tls_session_peer_closed(pair->server));
    assert_true(hf_tls_session_want_close(pair->server));
    assert_false(hf_tls_session_peer_closed(pair->client));
    say(pair->server, "an answer to the last");
    hf_tls_session_close(pair->server);
    assert_int_equal(hf_tls_session_write(pair->server, S("more"), &used, NULL), HF_OK);
    assert_int_equal(used, 0);
    shake_hands(pair->client, pair->server, step);
    hf_buf_reset(&at_client);
    assert_int_equal(read_all(pair->client, &at_client, NULL), HF_OK);
    assert_string_equal(hf_buf_text(&at_client), "an answer to the last");
    assert_true(hf_tls_session_peer_closed(pair->client));
    hf_tls_session_feed_end(pair->client);
    assert_int_equal(read_all(pair->client, &at_client, NULL), HF_OK);
}

static void
what_is_said_arrives_whole_in_any_pieces(void **state)
{
    (void)state;
    static const size_t steps[] = { 1, 7, 1000, 16384, 100000 };
    for (size_t i = 0; i < HF_COUNT(steps); i++) {
        struct pair pair =
            pair_of(client_of("ca.pem", NULL), "log.example", server_of("server", NULL));
        shake_hands(pair.client, pair.server, steps[i]);
        talk(&pair, HF_MAX(steps[i], 500));
        pair_done(&pair);
    }
}

/* ---- who is refused ---- */

/* The handshake fails at one side for `why`, the other side is told, and nothing is ever read. */
static void
refused(struct hf_tls *client_tls, const char *name, struct hf_tls *server_tls, bool by_client,
        const char *why)
{
    struct pair pair = pair_of(client_tls, name, server_tls);
    struct hf_tls_session *refuses = by_client ? pair.client : pair.server;
    struct hf_tls_session *told = by_client ? pair.server : pair.client;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    struct hf_error err = { .status = HF_OK };
    size_t used;

    shake_hands(pair.client, pair.server, SIZE_MAX);
    assert_false(hf_tls_session_ready(refuses));
    assert_true(hf_tls_session_want_close(refuses));
    assert_int_equal(read_all(refuses, &text, &err), HF_ETLS);
    if (!strstr(err.text, why))
        fail_msg("'%s', expected '%s'", err.text, why);
    assert_int_equal(hf_tls_session_write(refuses, S("secret"), &used, &err), HF_ETLS);
    assert_int_equal(used, 0);
    assert_int_equal(hf_tls_session_feed(refuses, S("x"), &used, &err), HF_ETLS);
    assert_non_null(strstr(err.text, why)); /* the first reason stays */
    assert_int_equal(read_all(told, &text, &err), HF_ETLS);
    assert_non_null(strstr(err.text, "alert"));
    assert_int_equal(text.size, 0);
    assert_string_equal(hf_tls_session_peer_name(refuses), "");
    pair_done(&pair);
}

static void
a_server_that_is_not_the_one_is_refused(void **state)
{
    (void)state;
    refused(client_of("other.pem", NULL), "log.example", server_of("server", NULL), true,
            "unable to get local issuer certificate");
    refused(client_of("ca.pem", NULL), "other.example", server_of("server", NULL), true,
            "'other.example' does not verify: hostname mismatch");
    refused(client_of("ca.pem", NULL), "127.0.0.2", server_of("server", NULL), true,
            "IP address mismatch");
    refused(client_of("ca.pem", NULL), "server", server_of("server", NULL), true,
            "hostname mismatch"); /* its subject only */
    refused(client_of("ca.pem", NULL), "log.example", server_of("late", NULL), true,
            "certificate has expired");
    refused(client_of("ca.pem", NULL), "a.b.shop.example", server_of("shop", NULL), true,
            "hostname mismatch");
    refused(client_of("ca.pem", NULL), "reader", server_of("reader", NULL), true,
            "unsuitable certificate purpose"); /* a client's certificate makes no server */
}

static void
names_and_addresses_of_the_certificate_are_accepted(void **state)
{
    (void)state;
    static const char *const names[][2] = { { "server", "log.example" },
                                            { "server", "LOG.example" },
                                            { "server", "127.0.0.1" },
                                            { "server", "::1" },
                                            { "shop", "a.shop.example" } };
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        struct pair pair =
            pair_of(client_of("ca.pem", NULL), names[i][1], server_of(names[i][0], NULL));
        shake_hands(pair.client, pair.server, SIZE_MAX);
        if (!hf_tls_session_ready(pair.client))
            fail_msg("%s is not accepted", names[i][1]);
        pair_done(&pair);
    }
    /* The server's own certificate, trusted as it stands. */
    struct pair pair =
        pair_of(client_of("server.pem", NULL), "log.example", server_of("server", NULL));
    shake_hands(pair.client, pair.server, SIZE_MAX);
    assert_true(hf_tls_session_ready(pair.client));
    pair_done(&pair);
    struct hf_tls *tls = client_of("ca.pem", NULL);
    struct hf_tls_session *session = NULL;
    char long_name[300];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(hf_tls_session_new(tls, "", &session, NULL), HF_EUSAGE);
    assert_int_equal(hf_tls_session_new(tls, "a\nb", &session, NULL), HF_EUSAGE);
    assert_int_equal(hf_tls_session_new(tls, long_name, &session, NULL), HF_EUSAGE);
    assert_int_equal(hf_tls_session_new(tls, NULL, &session, NULL), HF_EUSAGE);
    assert_null(session);
    hf_tls_free(tls);
}

/* The server refuses after the client is ready: the client reads it. */
static void
a_client_without_a_good_certificate_is_refused(void **state)
{
    (void)state;
    refused(client_of("ca.pem", NULL), "log.example", server_of("server", "ca.pem"), false,
            "peer did not return a certificate");
    refused(client_of("ca.pem", "other"), "log.example", server_of("server", "ca.pem"), false,
            "the client's certificate does not verify: self-signed certificate");
    refused(client_of("ca.pem", "late"), "log.example", server_of("server", "ca.pem"), false,
            "certificate has expired");
    refused(client_of("ca.pem", "server"), "log.example", server_of("server", "ca.pem"), false,
            "unsuitable certificate purpose");
}

static void
protocols_that_nobody_shares_are_refused(void **state)
{
    (void)state;
    struct hf_tls_client_options options = { .ca_file = in_folder("ca.pem"),
                                             .alpn = (const char *const[]){ "smtp" },
                                             .alpn_count = 1 };
    struct hf_tls *client = NULL;
    assert_int_equal(hf_tls_client_new(&options, &client, NULL), HF_OK);
    refused(client, "log.example", server_of("server", NULL), false, "handshake failed");
    options.alpn = (const char *const[]){ "" };
    assert_int_equal(hf_tls_client_new(&options, &client, NULL), HF_EUSAGE);
    options.alpn_count = HF_TLS_ALPN_MAX + 1;
    assert_int_equal(hf_tls_client_new(&options, &client, NULL), HF_EUSAGE);
}

/* ---- files ---- */

static enum hf_status
server_with(const char *certificate, const char *key, const char *client_ca, struct hf_error *err)
{
    struct hf_tls_server_options options = { .certificate_file = in_folder(certificate),
                                             .key_file = in_folder(key),
                                             .client_ca_file =
                                                 client_ca ? in_folder(client_ca) : NULL };
    struct hf_tls *tls = NULL;
    enum hf_status status = hf_tls_server_new(&options, &tls, err);
    hf_tls_free(tls);
    return status;
}

static void
files_that_do_not_fit_are_named(void **state)
{
    (void)state;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(1u << 20);
    assert_int_equal(server_with("server.pem", "reader.key", NULL, &err), HF_ECRYPTO);
    assert_non_null(strstr(err.text, "reader.key"));
    assert_int_equal(server_with("server.pem", "none.key", NULL, &err), HF_ENOTFOUND);
    assert_int_equal(server_with("server.key", "server.key", NULL, &err), HF_ECRYPTO);
    assert_int_equal(server_with("server.pem", "server.key", "server.key", &err), HF_ECRYPTO);
    read_file("server.key", &pem);
    write_file("open.key", pem.ptr, pem.size, 0644);
    assert_int_equal(server_with("server.pem", "open.key", NULL, &err), HF_ECONFIG);
    /* The second certificate is damaged: the first one alone would not do. */
    hf_buf_reset(&pem);
    read_file("server.pem", &pem);
    assert_int_equal(hf_buf_add_text(&pem, "-----BEGIN CERTIFICATE-----\nAAAA\n"), HF_OK);
    write_file("cut.pem", pem.ptr, pem.size, 0644);
    assert_int_equal(server_with("cut.pem", "server.key", NULL, &err), HF_ECRYPTO);
    assert_int_equal(server_with("server.pem", "server.key", "cut.pem", &err), HF_ECRYPTO);
    hf_buf_reset(&pem);
    read_file("server.pem", &pem);
    size_t one = pem.size;
    for (int i = 0; i < 9; i++)
        assert_int_equal(hf_buf_add(&pem, pem.ptr, one), HF_OK);
    write_file("many.pem", pem.ptr, pem.size, 0644);
    assert_int_equal(server_with("many.pem", "server.key", NULL, &err), HF_ELIMIT);
    struct hf_tls_client_options half = { .ca_file = in_folder("ca.pem"),
                                          .key_file = in_folder("reader.key") };
    struct hf_tls *tls = NULL;
    assert_int_equal(hf_tls_client_new(&half, &tls, &err), HF_EUSAGE);
    struct hf_tls_client_options system = { .ca_file = NULL };
    assert_int_equal(hf_tls_client_new(&system, &tls, &err), HF_OK);
    hf_tls_free(tls);
}

static void
a_new_context_is_for_new_sessions(void **state)
{
    (void)state;
    char hash[HF_SHA256_HEX_SIZE];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    issue("moving", "ca", 30, "-addext subjectAltName=DNS:log.example");
    struct pair old = pair_of(client_of("ca.pem", NULL), "log.example", server_of("moving", NULL));
    issue("moving", "ca", 30, "-addext subjectAltName=DNS:log.example");
    fingerprint_by_openssl("moving", hash);
    struct pair new = pair_of(client_of("ca.pem", NULL), "log.example", server_of("moving", NULL));
    shake_hands(old.client, old.server, SIZE_MAX); /* with what its context had read */
    shake_hands(new.client, new.server, SIZE_MAX);
    assert_string_not_equal(hf_tls_session_peer_fingerprint(old.client), hash);
    assert_string_equal(hf_tls_session_peer_fingerprint(new.client), hash);
    say(old.client, "still here");
    shake_hands(old.client, old.server, SIZE_MAX);
    assert_int_equal(read_all(old.server, &text, NULL), HF_OK);
    assert_string_equal(hf_buf_text(&text), "still here");
    pair_done(&old);
    pair_done(&new);
}

/* ---- the wire in a stranger's hand ---- */

static void
a_cut_connection_is_told_from_its_end(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    struct hf_error err;
    struct pair pair = good_pair();
    say(pair.client, "all is well, pay 100");
    shake_hands(pair.client, pair.server, SIZE_MAX);
    say(pair.client, " cents");
    hf_tls_session_close(pair.client);
    struct hf_slice out = hf_tls_session_out(pair.client);
    size_t used, whole = out.size;
    /* The attacker keeps the close_notify, its last byte, or half of what was said. */
    hf_tls_session_feed_end(pair.server);
    assert_int_equal(read_all(pair.server, &text, &err), HF_EIO); /* behind the first part */
    assert_string_equal(hf_buf_text(&text), "all is well, pay 100");
    assert_non_null(strstr(err.text, "close_notify"));
    assert_false(hf_tls_session_peer_closed(pair.server));
    assert_true(hf_tls_session_want_close(pair.server));
    pair_done(&pair);

    for (size_t cut = 0; cut <= whole; cut++) {
        pair = good_pair();
        say(pair.client, " cents");
        hf_tls_session_close(pair.client);
        out = hf_tls_session_out(pair.client);
        assert_int_equal(out.size, whole);
        assert_int_equal(hf_tls_session_feed(pair.server, hf_slice(out.ptr, cut), &used, NULL),
                         HF_OK);
        hf_tls_session_feed_end(pair.server);
        hf_buf_reset(&text);
        enum hf_status status = read_all(pair.server, &text, NULL);
        assert_int_equal(status, cut == whole ? HF_OK : HF_EIO);
        assert_int_equal(hf_tls_session_peer_closed(pair.server), cut == whole);
        assert_true(text.size == 0 || text.size == strlen(" cents"));
        pair_done(&pair);
    }
}

static void
a_handshake_that_is_cut_fails(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    struct hf_error err;
    struct pair pair = pair_of(client_of("ca.pem", NULL), "log.example", server_of("server", NULL));
    carry(pair.client, pair.server, 50);
    hf_tls_session_feed_end(pair.server);
    assert_int_equal(read_all(pair.server, &text, &err), HF_EIO);
    assert_non_null(strstr(err.text, "handshake"));
    hf_tls_session_feed_end(pair.client);
    assert_int_equal(read_all(pair.client, &text, &err), HF_EIO);
    pair_done(&pair);
}

static void
a_changed_byte_is_noticed_wherever_it_is(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf wire = HF_BUF(1u << 20);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    size_t used, size = 1;
    for (size_t at = 0; at < size; at++) {
        struct pair pair = good_pair();
        say(pair.client, "before");
        shake_hands(pair.client, pair.server, SIZE_MAX);
        say(pair.client, "changed");
        struct hf_slice out = hf_tls_session_out(pair.client);
        hf_buf_reset(&wire);
        assert_int_equal(hf_buf_add(&wire, out.ptr, out.size), HF_OK);
        size = wire.size;
        wire.ptr[at] ^= 0x10;
        (void)!hf_tls_session_feed(pair.server, hf_buf_slice(&wire), &used, NULL);
        hf_tls_session_feed_end(pair.server); /* a length that grew waits for more */
        hf_buf_reset(&text);
        enum hf_status status = read_all(pair.server, &text, NULL);
        assert_true(status == HF_ETLS || status == HF_EIO);
        assert_string_equal(hf_buf_text(&text), "before");
        pair_done(&pair);
    }
}

static void
what_is_not_tls_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const garbage[] = { "GET / HTTP/1.1\r\nHost: log.example\r\n\r\n",
                                           "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",
                                           "SSH-2.0-OpenSSH_9.2\r\n",
                                           "\x16\x03\x01\xff\xff\x01\x02\x03\x04\x05\x06\x07" };
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    struct hf_error err = { .status = HF_OK };
    size_t used;
    for (size_t i = 0; i < HF_COUNT(garbage); i++) {
        struct hf_tls *tls = server_of("server", NULL);
        struct hf_tls_session *session = session_of(tls, NULL);
        hf_tls_free(tls);
        (void)!hf_tls_session_feed(session, hf_slice_text(garbage[i]), &used, NULL);
        hf_tls_session_feed_end(session);
        assert_true(read_all(session, &text, &err) != HF_OK);
        assert_non_null(strstr(err.text, "handshake"));
        assert_true(hf_tls_session_want_close(session));
        hf_tls_session_free(session);
    }
    assert_int_equal(text.size, 0);
}

/* ---- what is bounded ---- */

/* A hello of 100,000 bytes, in records as large as they may be: legal so far, and never done. */
static void
a_handshake_that_never_ends_is_ended(void **state)
{
    (void)state;
    static const uint8_t head[] = { 22, 3, 1, 0x40, 0x00 };
    uint8_t record[sizeof(head) + 16384] = { 0 };
    struct hf_tls *tls = server_of("server", NULL);
    struct hf_tls_session *session = session_of(tls, NULL);
    struct hf_error err;
    size_t used, taken = 0;
    enum hf_status status = HF_OK;
    memcpy(record, head, sizeof(head));
    memcpy(record + sizeof(head), "\x01\x01\x86\xa0\x03\x03", 6);
    for (int i = 0; i < 10 && status == HF_OK; i++) {
        status = hf_tls_session_feed(session, hf_slice(record, sizeof(record)), &used, &err);
        taken += used;
        memset(record + sizeof(head), 0, 6); /* the rest of it */
    }
    assert_int_equal(status, HF_ELIMIT);
    assert_true(taken <= HF_TLS_HANDSHAKE_MAX + HF_TLS_UNREAD_MAX);
    assert_true(hf_tls_session_want_close(session));
    hf_tls_session_free(session);
    hf_tls_free(tls);
}

static void
what_nobody_reads_stops_what_is_taken(void **state)
{
    (void)state;
    struct pair pair = good_pair();
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    static char said[200000];
    size_t wrote = 0, used, fed = 0;
    for (size_t i = 0; i < sizeof(said); i++)
        said[i] = (char)('a' + i % 23);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(hf_tls_session_write(pair.client,
                                              hf_slice(said + wrote, sizeof(said) - wrote), &used,
                                              NULL),
                         HF_OK);
        wrote += used;
        fed += carry(pair.client, pair.server, 10000);
        assert_true(hf_tls_session_out(pair.client).size <= HF_TLS_UNSENT_MAX + 17000);
    }
    assert_int_equal(fed, HF_TLS_UNREAD_MAX);
    assert_true(wrote < sizeof(said)); /* and so did the other side */
    while (text.size < sizeof(said)) {
        assert_int_equal(read_all(pair.server, &text, NULL), HF_OK);
        assert_int_equal(hf_tls_session_write(pair.client,
                                              hf_slice(said + wrote, sizeof(said) - wrote), &used,
                                              NULL),
                         HF_OK);
        wrote += used;
        carry(pair.client, pair.server, SIZE_MAX);
    }
    assert_memory_equal(text.ptr, said, sizeof(said));
    pair_done(&pair);
}

/* Each request for new keys is answered: whoever sends them and never reads the answers fills no
 * more than out() may hold. */
static void
answers_that_nobody_sends_stop_what_is_taken(void **state)
{
    (void)state;
    struct pair pair = good_pair();
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    enum hf_status status = HF_OK;
    size_t most = 0, used = 0;
    for (int i = 0; i < 20000 && status == HF_OK; i++) {
        if (SSL_key_update(pair.client->ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
            (void)SSL_do_handshake(pair.client->ssl);
        if (i % 20 == 0)
            say(pair.client, "x"); /* OpenSSL counts those without any data between them */
        struct hf_slice out = hf_tls_session_out(pair.client);
        status = hf_tls_session_feed(pair.server, out, &used, NULL);
        if (status != HF_OK || used < out.size)
            break;
        hf_tls_session_sent(pair.client, used);
        status = read_all(pair.server, &text, NULL);
        most = HF_MAX(most, hf_tls_session_out(pair.server).size);
    }
    assert_int_equal(status, HF_OK);
    assert_int_equal(used, 0);
    assert_in_range(most, 2 * HF_TLS_UNSENT_MAX, 2 * HF_TLS_UNSENT_MAX + HF_TLS_UNREAD_MAX);
    /* It goes on when somebody does. */
    hf_tls_session_sent(pair.server, hf_tls_session_out(pair.server).size);
    assert_true(carry(pair.client, pair.server, SIZE_MAX) > 0);
    pair_done(&pair);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_know_what_was_agreed),
        cmocka_unit_test(what_is_said_arrives_whole_in_any_pieces),
        cmocka_unit_test(a_server_that_is_not_the_one_is_refused),
        cmocka_unit_test(names_and_addresses_of_the_certificate_are_accepted),
        cmocka_unit_test(a_client_without_a_good_certificate_is_refused),
        cmocka_unit_test(protocols_that_nobody_shares_are_refused),
        cmocka_unit_test(files_that_do_not_fit_are_named),
        cmocka_unit_test(a_new_context_is_for_new_sessions),
        cmocka_unit_test(a_cut_connection_is_told_from_its_end),
        cmocka_unit_test(a_handshake_that_is_cut_fails),
        cmocka_unit_test(a_changed_byte_is_noticed_wherever_it_is),
        cmocka_unit_test(what_is_not_tls_is_refused_with_a_reason),
        cmocka_unit_test(a_handshake_that_never_ends_is_ended),
        cmocka_unit_test(what_nobody_reads_stops_what_is_taken),
        cmocka_unit_test(answers_that_nobody_sends_stop_what_is_taken),
    };
    return cmocka_run_group_tests(tests, certificates_setup, folder_teardown);
}
