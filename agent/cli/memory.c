#include "memory.h"
#include "head.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX     (16u << 20)
#define ACCEPTED_MAX 100 /* that are kept */

static void
set_now(json_t *doc, const char *key)
{
    char text[HF_TIME_SIZE];
    hf_time_rfc3339(hf_wall_s(), text);
    hf_doc_set_text(doc, key, text);
}

static enum hf_status
load(struct memory *memory, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(FILE_MAX);
    enum hf_status status = hf_fs_read_file(memory->path, FILE_MAX, &text, err);
    if (status == HF_ENOTFOUND) {
        memory->doc = json_pack("{s:i, s:{}}", "schema", 1, "trails");
        return HF_OK;
    }
    if (status == HF_OK)
        status = hf_doc_parse(hf_buf_slice(&text), FILE_MAX, memory->path, &memory->doc, err);
    if (status == HF_OK && (hf_doc_u64_or(memory->doc, "schema", 0) != 1 ||
                            !json_is_object(json_object_get(memory->doc, "trails"))))
        status = hf_fail(err, HF_EVERSION, "'%s' is no state of schema 1", memory->path);
    return status;
}

/* What is there must be readable: to begin anew would forget. */
static enum hf_status
look_up(struct memory *memory, struct hf_error *err)
{
    struct hf_head head;
    const json_t *contradiction;
    memory->entry = json_object_get(json_object_get(memory->doc, "trails"), memory->place);
    if (!memory->entry)
        return HF_OK;
    enum hf_status status = head_of_doc(json_object_get(memory->entry, "head"), &head, err);
    contradiction = json_object_get(memory->entry, "contradiction");
    if (status == HF_OK && contradiction && !json_is_null(contradiction) &&
        !json_is_object(contradiction))
        status = hf_fail(err, HF_EFORMAT, "'contradiction' is no object");
    return status == HF_OK
               ? HF_OK
               : hf_while(err, status, "what '%s' has of %s", memory->path, memory->place);
}

enum hf_status
memory_open(const char *path, const char *bucket, const struct hf_layout *layout,
            struct memory *ret_memory, struct hf_error *err)
{
    char prefix[HF_KEY_MAX];
    hf_owned(hf_freep) char *lock = hf_asprintf("%s.lock", path);
    hf_layout_digest_prefix(layout, prefix);
    *ret_memory =
        (struct memory){ .lock = -1,
                         .path = hf_strdup(path),
                         .place = hf_asprintf("%s/%s %s", bucket, prefix, layout->trail) };
    enum hf_status status = hf_fs_lock(lock, &ret_memory->lock, err);
    if (status == HF_EBUSY)
        return hf_fail(err, HF_EBUSY, "another run has '%s': wait for it", path);
    if (status == HF_OK)
        status = load(ret_memory, err);
    if (status == HF_OK)
        status = look_up(ret_memory, err);
    if (status == HF_OK)
        return HF_OK;
    (void)hf_while(err, status, "--state");
    bool is_ours_to_mend = status == HF_EFORMAT || status == HF_EVERSION;
    if (is_ours_to_mend) /* it says nothing of the evidence */
        status = HF_EUSAGE;
    return err ? err->status = status : status;
}

static json_t *
contradiction_of(const struct memory *memory)
{
    json_t *doc = memory->entry ? json_object_get(memory->entry, "contradiction") : NULL;
    return json_is_object(doc) ? doc : NULL;
}

static bool
is_of(const json_t *head, const char *sha256)
{
    return strcmp(hf_doc_text_or(head, "sha256", ""), sha256) == 0;
}

enum hf_status
memory_accept(struct memory *memory, const char *sha256, struct hf_error *err)
{
    json_t *contradiction = contradiction_of(memory), *entry = memory->entry;
    json_t *here = contradiction ? json_object_get(contradiction, "head") : NULL;
    json_t *kept = contradiction ? json_object_get(entry, "head") : NULL;
    bool is_here = here && is_of(here, sha256), is_kept = kept && is_of(kept, sha256);
    if (!is_here && !is_kept)
        return hf_fail(err, HF_EUSAGE,
                       "--accept: '%s' has no contradiction with a head of this SHA-256 in it",
                       memory->path);
    json_t *accepted = json_object(), *list = json_object_get(entry, "accepted");
    hf_doc_set_text(accepted, "sha256", sha256);
    hf_doc_set_text(accepted, "instead_of", hf_doc_text_or(is_here ? kept : here, "sha256", NULL));
    set_now(accepted, "time");
    if (!json_is_array(list)) {
        list = json_array();
        hf_doc_set(entry, "accepted", list);
    }
    if (json_array_size(list) >= ACCEPTED_MAX)
        json_array_remove(list, 0);
    json_array_append_new(list, accepted);
    if (is_here)
        hf_doc_set(entry, "head", json_incref(here));
    hf_doc_set(entry, "contradiction", json_null());
    return HF_OK;
}

bool
memory_head(const struct memory *memory, struct hf_head *ret_head)
{
    return memory->entry &&
           head_of_doc(json_object_get(memory->entry, "head"), ret_head, NULL) == HF_OK;
}

const char *
memory_contradiction(const struct memory *memory, char *ret_detail, size_t size)
{
    const json_t *doc = contradiction_of(memory);
    if (!doc)
        return NULL;
    snprintf(ret_detail, size,
             "the state was contradicted at %s, which nobody has accepted: --accept with the "
             "SHA-256 of the right one, %s as it was kept or %s as it was found",
             hf_doc_text_or(doc, "seen", "a time unknown"),
             hf_doc_text_or(json_object_get(memory->entry, "head"), "sha256", "-"),
             hf_doc_text_or(json_object_get(doc, "head"), "sha256", "nothing"));
    return hf_doc_text_or(doc, "finding", "FORK");
}

static void
keep_head(struct memory *memory, const struct hf_head *head)
{
    if (!memory->entry) {
        memory->entry = json_pack("{s:n, s:[]}", "contradiction", "accepted");
        hf_doc_set(json_object_get(memory->doc, "trails"), memory->place, memory->entry);
    }
    hf_doc_set(memory->entry, "head", head_doc(head));
    set_now(memory->entry, "seen");
}

/* Of a key that nobody vouches for nothing is kept: it would be believed the next time. */
static bool
may_keep(const struct hf_verify_result *result)
{
    return result->head.number > 0 && result->findings[HF_KEY_NOT_PINNED] == 0;
}

void
memory_see(struct memory *memory, const struct hf_verify_result *result, enum hf_known_state state,
           const char *finding)
{
    struct hf_head kept;
    if (contradiction_of(memory))
        return;
    bool known = memory_head(memory, &kept);
    bool older =
        known && strcmp(kept.chain, result->head.chain) == 0 && result->head.number < kept.number;
    if (known && state == HF_KNOWN_CONTRADICTED) {
        json_t *doc = json_object();
        hf_doc_set_text(doc, "finding", finding);
        hf_doc_set(doc, "head", result->head.number ? head_doc(&result->head) : json_null());
        set_now(doc, "seen");
        hf_doc_set(memory->entry, "contradiction", doc);
    } else if ((!known || (state == HF_KNOWN_FOUND && !older)) && may_keep(result)) {
        keep_head(memory, &result->head);
    }
}

enum hf_status
memory_save(const struct memory *memory, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(FILE_MAX);
    enum hf_status status = hf_doc_dump_pretty(memory->doc, &text);
    if (status == HF_OK)
        status = hf_buf_add(&text, "\n", 1);
    if (status != HF_OK)
        return hf_fail(err, status, "'%s' would be larger than %u bytes", memory->path, FILE_MAX);
    status = hf_fs_replace(memory->path, text.ptr, text.size, 0600, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "--state");
}

void
memory_close(struct memory *memory)
{
    if (!memory->path)
        return;
    hf_fs_close(&memory->lock);
    hf_freep(&memory->path);
    hf_freep(&memory->place);
    hf_doc_freep(&memory->doc);
}
