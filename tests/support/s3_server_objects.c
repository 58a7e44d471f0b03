/* The bucket: keys and their versions, requests that land late, and what was asked how often. All
 * under the world's lock. */
#include "tests/support/s3_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const op_names[OP_COUNT] = { "put",       "head", "get",    "list", "versions",
                                         "read-lock", "lock", "bucket", "other" };

struct object *
object_find(const char *key, bool make)
{
    struct object **at = &world.objects;

    while (*at && strcmp((*at)->key, key) < 0)
        at = &(*at)->next;
    if (*at && strcmp((*at)->key, key) == 0)
        return *at;
    if (!make)
        return NULL;
    struct object *object = hf_alloc(sizeof(*object));
    object->key = hf_strdup(key);
    object->next = *at;
    *at = object;
    return object;
}

struct version *
version_find(const struct object *object, const char *id)
{
    struct version *version = object ? object->versions : NULL;

    while (version && id && strcmp(version->id, id) != 0)
        version = version->next;
    return version;
}

struct version *
version_add(struct object *object, const void *body, size_t size)
{
    struct version *version = hf_alloc(sizeof(*version));
    uint8_t md5[HF_MD5_SIZE];

    snprintf(version->id, sizeof(version->id), "v%" PRIu64, ++world.last_id);
    version->body = HF_BUF(BODY_MAX);
    version->metadata = HF_BUF(HEAD_MAX);
    MUST(hf_buf_add(&version->body, body, size) == HF_OK);
    hf_md5(body, size, md5);
    hf_hex(md5, sizeof(md5), version->etag);
    hf_sha256_hex(body, size, version->stored_sha256);
    version->modified_s = world_now_s();
    version->next = object->versions;
    object->versions = version;
    return version;
}

void
version_drop(struct object *object)
{
    struct version *version = object->versions;

    object->versions = version->next;
    hf_buf_done(&version->body);
    hf_buf_done(&version->metadata);
    free(version);
}

/* ---- late requests ---- */

void
late_keep(struct request *request, bool is_twin)
{
    struct late *late = hf_alloc(sizeof(*late));

    late->request = request;
    late->is_twin = is_twin;
    late->next = world.late;
    world.late = late;
}

void
late_land(const char *key, bool after_put)
{
    static const struct fault as_asked = { .name = "none" };

    for (struct late **at = &world.late; *at;) {
        struct late *late = *at;
        if (strcmp(late->request->key, key) != 0 || late->is_twin != after_put) {
            at = &late->next;
            continue;
        }
        struct reply reply = { .headers = HF_BUF(HEAD_MAX), .body = HF_BUF(HEAD_MAX) };
        *at = late->next;
        op_put(late->request, &as_asked, &reply);
        world.landed_late += reply.status == 200;
        hf_buf_done(&reply.headers);
        hf_buf_done(&reply.body);
        request_free(late->request);
        free(late);
    }
}

/* ---- for the test to read ---- */

static void
print_asked(struct hf_buf *to, const unsigned asked[OP_COUNT])
{
    for (size_t i = 0; i < OP_COUNT; i++)
        ADD(to, "%s\"%s\": %u", i ? ", " : "", op_names[i], asked[i]);
}

void
counts_print(struct hf_buf *to)
{
    const char *comma = "";

    ADD(to, "{");
    print_asked(to, world.asked);
    ADD(to, ", \"connections\": %u, \"other_host\": %u, \"with_expect\": %u, \"landed_late\": %u",
        world.connections, world.other_host, world.with_expect, world.landed_late);
    ADD(to, ", \"keys\": {");
    for (const struct object *object = world.objects; object; object = object->next) {
        ADD(to, "%s\n\"%s\": {", comma, object->key);
        print_asked(to, object->asked);
        ADD(to, "}");
        comma = ",";
    }
    ADD(to, "}}\n");
}

void
counts_zero(void)
{
    memset(world.asked, 0, sizeof(world.asked));
    for (struct object *object = world.objects; object; object = object->next)
        memset(object->asked, 0, sizeof(object->asked));
}

/* Of the metadata's lines; "" when absent. */
static void
promised_sha256(const struct version *version, char *ret_text, size_t size)
{
    static const char name[] = "x-amz-meta-holdfast-sha256: ";
    const char *at = strstr(hf_buf_text(&version->metadata), name);

    at = at ? at + strlen(name) : "";
    snprintf(ret_text, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

void
objects_print(struct hf_buf *to)
{
    const char *comma = "";

    ADD(to, "[");
    for (const struct object *object = world.objects; object; object = object->next) {
        for (const struct version *version = object->versions; version; version = version->next) {
            char promised[80];
            promised_sha256(version, promised, sizeof(promised));
            ADD(to,
                "%s\n{\"key\": \"%s\", \"version\": \"%s\", \"size\": %zu, \"sha256\": \"%s\", "
                "\"promised\": \"%s\", \"mode\": \"%s\", \"until\": \"%s\"}",
                comma, object->key, version->id, version->body.size, version->stored_sha256,
                promised, version->mode, version->until);
            comma = ",";
        }
    }
    ADD(to, "]\n");
}
