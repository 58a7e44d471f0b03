/* seal: from a window to the bytes that are sent: selected records, one gzip member, encryption,
 * and a sealed file that says everything the deliverer needs.
 *
 * Its bytes never change afterwards: an attempt whose answer was lost is followed by one with the
 * same bytes under the same key, so that what is found there can be compared; an envelope sealed a
 * second time would be another. It is durable before its first attempt, and from then on stands for
 * its part of the journal: segments are released while a store is away, and an outage costs
 * compressed bytes. So nothing that it needs may come from the configuration later, and sealing
 * never waits for delivery.
 *
 * A sealed file is: magic "HFSEAL01", header size, header (JSON), CRC-32C of both, body. Drawn in
 * agent/seal/FORMAT.md.
 */
#ifndef HOLDFAST_SEAL_H
#define HOLDFAST_SEAL_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/crypto.h>
#include <holdfast/journal.h>
#include <holdfast/layout.h>
#include <holdfast/window.h>

enum hf_sealed_kind { HF_SEALED_OBJECT, HF_SEALED_DIGEST, HF_SEALED_KEY };

/* How an object's gzip member is made: a level of libdeflate, 1 to 12, or ISA-L's second one,
 * which takes a sixth of the time of libdeflate's sixth and gives 29 % more, on the events of
 * tests/bench. The same input gives the same bytes, of ISA-L on the same kind of processor. */
#define HF_COMPRESSION_USUAL    6
#define HF_COMPRESSION_QUICK    1
#define HF_COMPRESSION_ISAL     32
#define HF_COMPRESSION_TEXT_MAX 16
bool hf_compression_available(int compression); /* in this build */
void hf_compression_text(int compression,
                         char ret_text[HF_COMPRESSION_TEXT_MAX]);  /* "libdeflate-6", "isa-l-2" */
bool hf_compression_parse(const char *text, int *ret_compression); /* NULL: false */

/* The header of a sealed file. Texts inside are owned by the struct. */
struct hf_sealed {
    enum hf_sealed_kind kind;
    char *path; /* of the sealed file; not stored */
    char *trail, *chain, *window;
    char *store, *bucket, *key; /* where it goes, whatever the configuration says later */
    char *content_type, *content_encoding; /* encoding NULL for none */
    char *signature, *signature_algorithm; /* digest metadata; else NULL */
    int encryption;                        /* HF_ENCRYPT_* */
    char *kms_key_id;                      /* sse-kms, or NULL */
    char *sse_c_key_file;                  /* sse-c, or NULL; the key itself is never written */
    int lock_mode;
    uint64_t lock_days;
    bool legal_hold;
    int64_t lock_at_least_s; /* digest: latest date it lists and the previous digest's; else 0 */
    uint64_t first_seq, last_seq, count;
    int64_t oldest_s, newest_s;
    char **gaps; /* of an object: what its SourceGap records say, a text each, for the digest */
    size_t gap_count;
    unsigned generation; /* 0, or higher after a foreign object was found under the key */
    char *compression;   /* of an object: hf_compression_text(); else NULL */
    uint64_t plain_size; /* of the uncompressed JSON */
    char plain_sha256[HF_SHA256_HEX_SIZE];
    /* cms: of the envelope inside the outer gzip member (the digest's hashValue); else "" */
    char envelope_sha256[HF_SHA256_HEX_SIZE];
    uint64_t size;                   /* of the body as sent */
    char sha256[HF_SHA256_HEX_SIZE]; /* of the body as sent */
    uint8_t md5[HF_MD5_SIZE];
    uint64_t body_offset; /* in the sealed file; not stored */
};
void hf_sealed_free(struct hf_sealed *sealed);
void hf_sealed_freep(struct hf_sealed **sealed);

/* What a trail's configuration asks for, loaded once: recipients parsed, keys read. Shared by
 * sealing jobs, read only. */
struct hf_seal_plan {
    struct hf_layout layout;
    const char *chain; /* chain id */
    const char *store, *bucket;
    int encryption;
    const struct hf_recipients *recipients;
    const char *kms_key_id, *sse_c_key_file;
    int lock_mode;
    uint64_t lock_days;
    bool legal_hold;
};

struct hf_seal_job {
    const struct hf_seal_plan *plan;
    const struct hf_selection *selection;
    const char *window; /* id */
    /* fixed in the CUT; the cms suffix is already there or not by plan->encryption */
    const char *key;
    const char *path; /* sealed file to make */
    unsigned generation;
    int compression; /* what this build does not have becomes HF_COMPRESSION_QUICK */
    struct hf_window range;
    /* the loss is already journaled: leave out what cannot be read; ret_sealed->count tells what
     * is left */
    bool skip_corrupt;
    /* signed as lost when the window was cut: left out, also if they can be read again */
    const struct hf_journal_loss *lost;
    size_t lost_count;
    /* ... up to this sequence, the last of that loss; another one behind it is HF_ECORRUPT
     * again. 0: to the end */
    uint64_t skip_corrupt_to;
};

/* The buffers of one sealer, about two windows large at most. Used for one window at a time;
 * what lies in them afterwards is nobody's. */
struct hf_seal_memory {
    struct hf_buf plain, body;
    void *compressor; /* libdeflate's, of `level` */
    int level;
};
struct hf_seal_memory hf_seal_memory(void);              /* empty */
void hf_seal_memory_done(struct hf_seal_memory *memory); /* gives it back; it may be used again */

/* Reads the range, checks that `count` records are selected, compresses, encrypts, writes,
 * fsyncs, renames, syncs the folder. HF_ECORRUPT with *ret_loss, cut to the range, when records
 * of the window cannot be read; nothing is left behind then. Spots that were unreadable when the
 * window was cut are none of its records, and no error. */
enum hf_status hf_seal_window(struct hf_journal *journal, const struct hf_seal_job *job,
                              struct hf_seal_memory *memory, struct hf_sealed **ret_sealed,
                              struct hf_journal_loss *ret_loss, struct hf_error *err) hf_must_check;
/* A sealed file from bytes that are already final (digest, public key). `sealed` gives
 * everything but path, sizes and hashes, which are filled in. */
enum hf_status hf_seal_bytes(struct hf_sealed *sealed, const char *path, struct hf_slice body,
                             struct hf_error *err) hf_must_check;
/* The body of the sealed file `old_path`, as it is, in a new sealed file under another key and
 * generation: someone else's object was found under the first. The old file stays; the journal
 * is not needed, it may have been released up to here. */
enum hf_status hf_sealed_rekey(const char *old_path, const char *key, unsigned generation,
                               const char *path, struct hf_sealed **ret_sealed,
                               struct hf_error *err) hf_must_check;
/* One gzip member in place of what the buffer held, the same bytes for the same input;
 * libdeflate's level, 0 (stored) to 12. */
enum hf_status hf_gzip(struct hf_slice plain, int level, struct hf_buf *ret_gzip,
                       struct hf_error *err) hf_must_check;
/* Exactly one member, nothing after it; at most ret_plain->max bytes out (HF_ELIMIT), in place
 * of what was there. HF_EFORMAT otherwise. */
enum hf_status hf_gunzip(struct hf_slice gzip, struct hf_buf *ret_plain,
                         struct hf_error *err) hf_must_check;

/* Reads and checks the header. HF_ECORRUPT when it is not whole. `check_body`: read and hash the
 * body as well. */
enum hf_status hf_sealed_open(const char *path, bool check_body, struct hf_sealed **ret_sealed,
                              struct hf_error *err) hf_must_check;

/* ---- the pool: worker threads, whole objects in parallel ---- */

struct hf_sealers;
struct hf_sealers *hf_sealers_start(struct hf_journal *journal, unsigned threads);
/* `done` runs on the worker's thread with what hf_seal_window() returned; job and context stay
 * the caller's and valid until then. false: stopping. */
bool hf_sealers_submit(struct hf_sealers *sealers, const struct hf_seal_job *job,
                       void (*done)(void *context, enum hf_status status, struct hf_sealed *sealed,
                                    const struct hf_journal_loss *loss, const struct hf_error *err),
                       void *context);
void hf_sealers_stop(struct hf_sealers *sealers); /* finishes what was submitted */

#endif
