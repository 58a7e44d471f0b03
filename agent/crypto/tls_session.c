/* One connection: ciphertext on one side, plain text on the other, nothing in between but what is
 * bounded. The other side decides what comes in, so each loop here ends with what it was given.
 *
 *   HANDSHAKE ──▶ READY ──▶ PEER CLOSED (close_notify came: what was read is whole)
 *       │           │
 *       └───────────┴─────▶ FAILED (the first reason stays; an alert may wait in out())
 *
 * OpenSSL decrypts when it is read: what was fed and not read yet waits as ciphertext, of at most
 * HF_TLS_UNREAD_MAX. Answers that the other side can cause (alerts, key updates) go to out(); when
 * nobody sends them, nothing more is taken in. What the program itself wrote never has that effect:
 * two sides that both had much to say would otherwise wait for each other for ever.
 */
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "tls_impl.h"

#define RECORD_MAX 16384u /* plain text of one record */

static enum hf_status
failure(const struct hf_tls_session *session, struct hf_error *err)
{
    if (err && session->failure.status != HF_OK)
        *err = session->failure;
    return session->failure.status;
}

static size_t
unsent(const struct hf_tls_session *session)
{
    return BIO_ctrl_pending(session->out);
}

/* The socket ended, and the session has used up what came. */
static enum hf_status
cut_off(struct hf_tls_session *session)
{
    return hf_fail(&session->failure, HF_EIO,
                   session->ready ? "the TLS connection was cut: the other side did not say that "
                                    "this was all (close_notify)"
                                  : "the connection ended in the middle of the TLS handshake");
}

/* Goes on with the handshake as far as what came allows. */
static enum hf_status
shake(struct hf_tls_session *session)
{
    if (session->ready || session->failure.status != HF_OK)
        return session->failure.status;
    ERR_clear_error();
    int worked = SSL_do_handshake(session->ssl);
    if (worked == 1) {
        session->ready = true;
        hf_tls_note_peer(session);
        return HF_OK;
    }
    if (SSL_get_error(session->ssl, worked) != SSL_ERROR_WANT_READ)
        return hf_tls_failed(session);
    if (session->handshake_bytes > HF_TLS_HANDSHAKE_MAX)
        return hf_fail(&session->failure, HF_ELIMIT, "the TLS handshake is not done after %u bytes",
                       HF_TLS_HANDSHAKE_MAX);
    return session->input_ended ? cut_off(session) : HF_OK;
}

enum hf_status
hf_tls_session_new(struct hf_tls *tls, const char *name, struct hf_tls_session **ret_session,
                   struct hf_error *err)
{
    if (tls->server == (name != NULL))
        return hf_fail(err, HF_EUSAGE,
                       "a client's session names its server, a server's names nobody");
    struct hf_tls_session *session = hf_alloc(sizeof(*session));
    atomic_fetch_add(&tls->references, 1);
    session->tls = tls;
    session->name = hf_strdup(name);
    session->ssl = SSL_new(tls->context);
    session->in = BIO_new(BIO_s_mem());
    session->out = BIO_new(BIO_s_mem());
    hf_assert(session->ssl && session->in && session->out);
    BIO_set_mem_eof_return(session->in, -1); /* empty: more may come */
    SSL_set_bio(session->ssl, session->in, session->out);
    enum hf_status status = HF_OK;
    if (tls->server) {
        SSL_set_accept_state(session->ssl);
    } else {
        SSL_set_connect_state(session->ssl);
        status = hf_tls_expect_name(session->ssl, name, err);
        if (status == HF_OK && shake(session) != HF_OK)
            status = failure(session, err);
    }
    if (status != HF_OK) {
        hf_tls_session_free(session);
        return status;
    }
    *ret_session = session;
    return HF_OK;
}

void
hf_tls_session_free(struct hf_tls_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl); /* with both BIOs */
    hf_tls_free(session->tls);
    hf_freep(&session->name);
    hf_freep(&session->peer_name);
    hf_freep(&session);
}

/* How much may be taken in now. */
static size_t
room(const struct hf_tls_session *session)
{
    size_t unread = BIO_ctrl_pending(session->in);

    if (unread >= HF_TLS_UNREAD_MAX || unsent(session) >= 2 * HF_TLS_UNSENT_MAX)
        return 0;
    return HF_TLS_UNREAD_MAX - unread;
}

enum hf_status
hf_tls_session_feed(struct hf_tls_session *session, struct hf_slice bytes, size_t *ret_used,
                    struct hf_error *err)
{
    size_t used = 0, step;

    hf_assert(!session->input_ended);
    while (session->failure.status == HF_OK && !session->peer_closed && used < bytes.size &&
           (step = HF_MIN(room(session), bytes.size - used)) > 0) {
        int taken = BIO_write(session->in, bytes.ptr + used, (int)step);
        hf_assert(taken == (int)step);
        used += step;
        session->handshake_bytes += session->ready ? 0 : step;
        (void)shake(session);
    }
    /* Nobody looks at what follows a close_notify. */
    *ret_used = session->peer_closed ? bytes.size : used;
    return failure(session, err);
}

void
hf_tls_session_feed_end(struct hf_tls_session *session)
{
    session->input_ended = true;
    (void)shake(session);
}

/* Reads one record, or what is left of one. False: nothing for now, or nothing more. */
static bool
read_some(struct hf_tls_session *session, void *ret_bytes, size_t size, size_t *ret_got)
{
    *ret_got = 0;
    ERR_clear_error();
    int worked = SSL_read_ex(session->ssl, ret_bytes, size, ret_got);
    if (worked == 1)
        return true;
    switch (SSL_get_error(session->ssl, worked)) {
    case SSL_ERROR_WANT_READ:
        if (session->input_ended)
            cut_off(session);
        break;
    case SSL_ERROR_ZERO_RETURN: session->peer_closed = true; break;
    default: (void)hf_tls_failed(session);
    }
    return false;
}

enum hf_status
hf_tls_session_read(struct hf_tls_session *session, void *ret_bytes, size_t size, size_t *ret_size,
                    struct hf_error *err)
{
    size_t done = 0, got;

    while (session->ready && session->failure.status == HF_OK && !session->peer_closed &&
           done < size && read_some(session, (uint8_t *)ret_bytes + done, size - done, &got))
        done += got;
    *ret_size = done;
    return done > 0 ? HF_OK : failure(session, err); /* what came before it failed is good */
}

enum hf_status
hf_tls_session_write(struct hf_tls_session *session, struct hf_slice bytes, size_t *ret_used,
                     struct hf_error *err)
{
    size_t used = 0;

    while (session->ready && !session->closed && session->failure.status == HF_OK &&
           used < bytes.size && unsent(session) < HF_TLS_UNSENT_MAX) {
        size_t step = HF_MIN(bytes.size - used, RECORD_MAX), written = 0;
        ERR_clear_error();
        if (SSL_write_ex(session->ssl, bytes.ptr + used, step, &written) != 1)
            (void)hf_tls_failed(session);
        used += written;
    }
    *ret_used = used;
    return failure(session, err);
}

struct hf_slice
hf_tls_session_out(struct hf_tls_session *session)
{
    char *bytes = NULL;
    long size = BIO_get_mem_data(session->out, &bytes);

    return hf_slice(bytes, size > 0 ? (size_t)size : 0);
}

void
hf_tls_session_sent(struct hf_tls_session *session, size_t size)
{
    uint8_t gone[4096];

    hf_assert(size <= unsent(session));
    while (size > 0) {
        int step = BIO_read(session->out, gone, (int)HF_MIN(size, sizeof(gone)));
        hf_assert(step > 0);
        size -= (size_t)step;
    }
}

void
hf_tls_session_close(struct hf_tls_session *session)
{
    if (!session->ready || session->closed || session->failure.status != HF_OK)
        return;
    session->closed = true;
    ERR_clear_error();
    (void)SSL_shutdown(session->ssl); /* 0: ours is said, theirs is not heard yet */
    ERR_clear_error();
}

bool
hf_tls_session_ready(const struct hf_tls_session *session)
{
    return session->ready;
}

bool
hf_tls_session_peer_closed(const struct hf_tls_session *session)
{
    return session->peer_closed;
}

bool
hf_tls_session_want_close(const struct hf_tls_session *session)
{
    return session->peer_closed || session->failure.status != HF_OK;
}

const char *
hf_tls_session_version(const struct hf_tls_session *session)
{
    return session->ready ? SSL_get_version(session->ssl) : "";
}

const char *
hf_tls_session_alpn(const struct hf_tls_session *session)
{
    return session->alpn;
}

const char *
hf_tls_session_peer_fingerprint(const struct hf_tls_session *session)
{
    return session->fingerprint;
}

const char *
hf_tls_session_peer_name(const struct hf_tls_session *session)
{
    return session->peer_name ? session->peer_name : "";
}
