/* A small S3 server for tests, with faults on demand. Each of its files is a part of hf_s3_server:
 *
 *   s3_server.c           listeners, and the command port
 *   s3_server_http.c      connections: replies out, and the faults of a line
 *   s3_server_request.c   requests in
 *   s3_server_ops.c       what is asked for, done to the bucket
 *   s3_server_lists.c     the two listings, and what is wrong with them on demand
 *   s3_server_objects.c   the bucket: keys, versions, locks, requests that land late; its counts
 *   s3_server_faults.c    the table of faults, and the plan of those in force
 *
 * One thread per connection; everything they share is in `world`, under its lock. */
#ifndef HOLDFAST_TESTS_S3_SERVER_H
#define HOLDFAST_TESTS_S3_SERVER_H

#include <holdfast/base.h>
#include <holdfast/crypto.h>
#include <pthread.h>

#define BODY_MAX  (64u << 20)
#define HEAD_MAX  (64u << 10)
#define PAIRS_MAX 64

/* A test server has no use for going on without memory or a socket. */
#define MUST(call) hf_assert((call))
#define ADD(...)   MUST(hf_buf_addf(__VA_ARGS__) == HF_OK)

/* ---- what is asked, by kind; the words of the plan and of the counts ---- */

enum op {
    OP_PUT,
    OP_HEAD,
    OP_GET,
    OP_LIST,
    OP_VERSIONS,
    OP_READ_LOCK, /* GET ?retention */
    OP_LOCK,      /* PUT ?retention */
    OP_BUCKET,    /* GET ?object-lock, ?versioning */
    OP_OTHER,
    OP_COUNT,
};
extern const char *const op_names[OP_COUNT];

struct pair {
    char *name, *value;
};

struct request {
    struct hf_buf head, body; /* the head is cut into what follows */
    enum op op;
    char *method, *key; /* key: "" of the bucket itself */
    struct pair query[PAIRS_MAX], headers[PAIRS_MAX];
    size_t query_count, header_count;
};
const char *request_header(const struct request *request, const char *name); /* NULL: absent */
const char *request_query(const struct request *request, const char *name);
void request_free(struct request *request);
struct request *request_read_head(int fd); /* NULL: the client is gone, or it is none */
bool request_read_body(int fd, struct request *request, unsigned percent);

struct reply {
    int status;
    struct hf_buf headers, body; /* header lines; those every reply has are added */
    bool without_date;
};
void reply_error(struct reply *reply, int status, const char *code);

/* ---- the bucket ---- */

struct version {
    struct version *next; /* older */
    char id[24], etag[40], stored_sha256[HF_SHA256_HEX_SIZE];
    struct hf_buf body, metadata; /* metadata: header lines as they came */
    char mode[16], until[HF_TIME_SIZE];
    bool legal_hold;
    int64_t modified_s;
};

struct object {
    struct object *next; /* by key */
    char *key;
    struct version *versions; /* newest first */
    unsigned asked[OP_COUNT];
};

/* A PUT that was received, and whose client left before it was done. */
struct late {
    struct late *next;
    struct request *request;
    bool is_twin;
};

struct world {
    pthread_mutex_t lock;
    char *bucket;
    struct object *objects;
    struct late *late;
    uint64_t last_id;
    char access_key[64];
    int64_t clock_offset_s;
    bool ignores_condition;
    unsigned asked[OP_COUNT], other_host, with_expect, connections, landed_late;
    unsigned short port, other_port;
};
extern struct world world;

int64_t world_now_s(void);
struct object *object_find(const char *key, bool make);
struct version *version_find(const struct object *object, const char *id); /* NULL id: the newest */
void version_drop(struct object *object);                                  /* the newest */
struct version *version_add(struct object *object, const void *body, size_t size);
/* The key was just found empty, or written by someone: what waits for that lands now. */
void late_keep(struct request *request, bool is_twin);
void late_land(const char *key, bool after_put);
void counts_print(struct hf_buf *to);
void counts_zero(void);
void objects_print(struct hf_buf *to);

/* ---- doing it ---- */

void op_check(const struct request *request,
              struct reply *reply); /* leaves status 0 when it may be done */
struct fault;
void op_do(struct request *request, const struct fault *fault, struct reply *reply);
void op_put(const struct request *request, const struct fault *fault, struct reply *reply);
void op_list(const struct request *request, const struct fault *fault, struct reply *reply);
void op_versions(const struct request *request, struct reply *reply);

/* ---- faults ---- */

enum act {
    ACT_NONE,
    /* nothing is done */
    ACT_REFUSE, /* with status and code */
    ACT_HTML,
    ACT_REDIRECT,
    ACT_RESET,
    ACT_RESET_UPLOAD,
    ACT_SILENT,
    ACT_INTERIM,
    ACT_NO_REUSE,
    /* it is done, and the reply is wrong */
    ACT_LOST_REPLY,
    ACT_DRIP,
    ACT_ENDLESS_HEADERS,
    ACT_LONG_HEADER,
    ACT_ENDLESS_BODY,
    ACT_CUT_BODY,
    ACT_WRONG_ETAG,
    ACT_EVIL_ETAG, /* with a C1 byte, which steers a terminal */
    ACT_EVIL_VERSION,
    ACT_EVIL_DATE, /* a lock past the year 9999 */
    ACT_NO_DATE,
    /* it is done wrongly */
    ACT_UNLOCKED,
    ACT_CHANGED,
    ACT_FORGOTTEN,
    ACT_FOREIGN,
    ACT_LATE,
    ACT_LATE_TWIN,
    /* listings */
    ACT_LIST_CUT,
    ACT_LIST_BIG,
    ACT_LIST_EVIL,
    ACT_LIST_LOOP,
    ACT_LIST_EMPTY,
    ACT_LIST_EVIL_KEY, /* control and C1 bytes in a key */
};

struct fault {
    const char *name;
    enum act act;
    int status;
    const char *code;
};

/* Takes one from the plan for this request; a fault that does nothing when none is due. */
const struct fault *plan_take(const struct request *request);
/* The same for what concerns a connection that is used again. */
bool plan_cuts_reuse(void);
/* NULL, or what is wrong with the command. */
const char *plan_add(const char *fault, const char *target, const char *count);
void plan_clear(void);
unsigned plan_hits(void); /* since it was cleared */

/* ---- connections ---- */

void *connection_run(void *fd); /* a thread */
int listener_open(unsigned short *ret_port);

#endif
