/* TLS sessions, and a stranger at the wire. Whatever comes in whatever pieces, a session ends or
 * waits; it never says a byte that its peer did not say, and calls what was said whole only when it
 * is.
 *
 * Input: a byte of mode, one of step (bytes that are fed at once), then bytes.
 *   mode 1: a server that asks for certificates; else one that does not
 *   mode 2: the bytes go to a client; else to a server
 *   mode 4: two sessions talk, and the bytes are what happens on the way from client to server:
 *           three each, at which of its bytes (two, little-endian) and what is changed in it; 0: it
 *           is cut there
 */
#include <holdfast/crypto.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID  "what the client says, and nothing else"
#define NAME  "server.example"
#define STEPS 10000

static char directory[64], certificate_file[128], key_file[128];
static struct hf_tls *servers[2], *client;

static void
must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "tls_fuzz: %s\n", what);
    abort();
}

static void
at_exit(void)
{
    hf_tls_free(servers[0]);
    hf_tls_free(servers[1]);
    hf_tls_free(client);
    unlink(certificate_file);
    unlink(key_file);
    rmdir(directory);
}

static void
write_pem(EVP_PKEY *key, X509 *certificate)
{
    FILE *file = fopen(key_file, "w");

    must(file && fchmod(fileno(file), 0600) == 0, "cannot write");
    must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, "key");
    fclose(file);
    file = fopen(certificate_file, "w");
    must(file && PEM_write_X509(file, certificate) == 1, "certificate");
    fclose(file);
}

/* A certificate that is its own authority, for both sides. */
static void
make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();

    must(key && certificate, "no key");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 365L * 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"fuzz", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" NAME);
    must(name && X509_add_ext(certificate, name, -1) == 1, "name");
    must(X509_sign(certificate, key, EVP_sha256()) > 0, "sign");
    write_pem(key, certificate);
    X509_EXTENSION_free(name);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void
prepare(void)
{
    struct hf_error err;

    if (directory[0])
        return;
    snprintf(directory, sizeof(directory), "%s/hf-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(directory) != NULL, "no directory");
    snprintf(certificate_file, sizeof(certificate_file), "%s/pem", directory);
    snprintf(key_file, sizeof(key_file), "%s/key", directory);
    atexit(at_exit);
    make_certificate();
    struct hf_tls_server_options server = { .certificate_file = certificate_file,
                                            .key_file = key_file };
    struct hf_tls_client_options own = { .ca_file = certificate_file,
                                         .certificate_file = certificate_file,
                                         .key_file = key_file };
    must(hf_tls_server_new(&server, &servers[0], &err) == HF_OK, err.text);
    server.client_ca_file = certificate_file;
    must(hf_tls_server_new(&server, &servers[1], &err) == HF_OK, err.text);
    must(hf_tls_client_new(&own, &client, &err) == HF_OK, err.text);
}

static struct hf_tls_session *
session_of(struct hf_tls *tls, const char *name)
{
    struct hf_tls_session *session = NULL;
    struct hf_error err;

    must(hf_tls_session_new(tls, name, &session, &err) == HF_OK, err.text);
    return session;
}

/* Reads what there is behind what was read. */
static enum hf_status
read_all(struct hf_tls_session *session, struct hf_buf *text)
{
    char bytes[100];
    size_t size = 0;
    enum hf_status status;

    while ((status = hf_tls_session_read(session, bytes, sizeof(bytes), &size, NULL)) == HF_OK &&
           size > 0)
        must(hf_buf_add(text, bytes, size) == HF_OK, "it says more than was said");
    must(status == HF_OK || hf_tls_session_want_close(session), "a failure that is none");
    return status;
}

/* As a loop would that owns a socket, whose other end is read by nobody. */
static void
feed_all(struct hf_tls_session *session, struct hf_slice bytes, size_t step, struct hf_buf *text)
{
    while (bytes.size > 0) {
        size_t used = 0, piece = HF_MIN(step, bytes.size);
        enum hf_status status =
            hf_tls_session_feed(session, hf_slice(bytes.ptr, piece), &used, NULL);
        must(used <= piece, "it takes more than there is");
        must(read_all(session, text) == status || status == HF_OK, "two answers");
        if (status != HF_OK || used == 0)
            break;
        bytes = hf_slice(bytes.ptr + used, bytes.size - used);
    }
    hf_tls_session_feed_end(session);
    (void)read_all(session, text);
    must(hf_tls_session_want_close(session), "the wire ended, and it waits");
}

/* Nobody can say anything who did not take part in the handshake. */
static void
from_a_stranger(struct hf_tls_session *session, struct hf_slice bytes, size_t step)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1);

    feed_all(session, bytes, step, &text);
    must(text.size == 0 && !hf_tls_session_ready(session), "a stranger was let in");
    must(!hf_tls_session_peer_closed(session), "a stranger said that it was all");
    hf_tls_session_free(session);
}

struct wire { /* from client to server */
    struct hf_slice changes;
    uint64_t at; /* bytes that went */
    bool cut;
};

static void
change(struct wire *wire, uint8_t *bytes, size_t *size)
{
    for (size_t i = 0; i + 3 <= wire->changes.size; i += 3) {
        uint64_t at = hf_get_le16(wire->changes.ptr + i);
        if (at < wire->at || at >= wire->at + *size)
            continue;
        bytes[at - wire->at] ^= wire->changes.ptr[i + 2];
        if (wire->changes.ptr[i + 2] == 0) {
            wire->cut = true;
            *size = (size_t)(at - wire->at);
        }
    }
    wire->at += *size;
}

/* Carries a step from one to the other; `wire`: NULL where nobody touches it. */
static bool
carry(struct hf_tls_session *from, struct hf_tls_session *to, size_t step, struct wire *wire)
{
    uint8_t bytes[256];
    struct hf_slice out = hf_tls_session_out(from);
    size_t size = HF_MIN(HF_MIN(step, sizeof(bytes)), out.size), used = 0, taken = 0;

    if (size == 0 || (wire && wire->cut))
        return false;
    memcpy(bytes, out.ptr, size);
    hf_tls_session_sent(from, size);
    if (wire)
        change(wire, bytes, &size);
    for (; taken < size; taken += used)
        if (hf_tls_session_feed(to, hf_slice(bytes + taken, size - taken), &used, NULL) != HF_OK ||
            used == 0)
            return false;
    return true;
}

static void
two_that_talk(unsigned mode, size_t step, struct hf_slice changes)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(strlen(SAID)), none = HF_BUF(1);
    struct hf_tls_session *one = session_of(client, NAME),
                          *two = session_of(servers[mode & 1], NULL);
    struct wire wire = { .changes = changes };
    size_t said = 0, used;

    for (int i = 0; i < STEPS; i++) {
        if (said < strlen(SAID) &&
            hf_tls_session_write(one, hf_slice(&SAID[said], HF_MIN(7, strlen(SAID) - said)), &used,
                                 NULL) == HF_OK)
            said += used;
        if (said == strlen(SAID))
            hf_tls_session_close(one);
        bool moved = carry(one, two, step, &wire);
        moved |= carry(two, one, step, NULL);
        (void)read_all(two, &text);
        (void)read_all(one, &none);
        if (!moved && (wire.cut || said == strlen(SAID) || hf_tls_session_want_close(one)))
            break;
    }
    hf_tls_session_feed_end(two);
    (void)read_all(two, &text);
    must(none.size == 0, "the server says what nobody said");
    must(text.size == 0 || memcmp(text.ptr, SAID, text.size) == 0, "it says what nobody said");
    must(hf_tls_session_want_close(two), "the wire ended, and it waits");
    must(!hf_tls_session_peer_closed(two) || text.size == strlen(SAID), "whole, and it is not");
    if (changes.size < 3)
        must(hf_tls_session_peer_closed(two), "nobody touched it, and it failed");
    hf_tls_session_free(one);
    hf_tls_session_free(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    prepare();
    struct hf_slice bytes = hf_slice(data + 2, size - 2);
    size_t step = 1 + data[1];
    if (data[0] & 4)
        two_that_talk(data[0], step, bytes);
    else if (data[0] & 2)
        from_a_stranger(session_of(client, NAME), bytes, step);
    else
        from_a_stranger(session_of(servers[data[0] & 1], NULL), bytes, step);
    return 0;
}
