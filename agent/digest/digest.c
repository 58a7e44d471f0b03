/* What a digest owns. */
#include "agent/digest/digest_impl.h"

#include <stdlib.h>

static void
object_done(struct hf_digest_object *object)
{
    hf_freep(&object->bucket);
    hf_freep(&object->key);
    hf_freep(&object->version_id);
    hf_freep(&object->confirmed);
    hf_freep(&object->encryption);
    hf_freep(&object->lock_mode);
}

void
hf_digest_done(struct hf_digest *digest)
{
    char **texts[] = { &digest->account,
                       &digest->bucket,
                       &digest->key,
                       &digest->end_text,
                       &digest->fingerprint,
                       &digest->previous_bucket,
                       &digest->previous_key,
                       &digest->previous_hash,
                       &digest->previous_signature,
                       &digest->host,
                       &digest->journal,
                       &digest->chain,
                       &digest->boot,
                       &digest->tag,
                       &digest->old_head,
                       &digest->previous_lock_mode };

    for (size_t i = 0; i < HF_COUNT(texts); i++)
        free(*texts[i]);
    for (size_t i = 0; i < digest->object_count; i++)
        object_done(&digest->objects[i]);
    for (size_t i = 0; i < digest->pending_count; i++)
        free(digest->pending[i].key);
    for (size_t i = 0; i < digest->loss_count; i++)
        free(digest->losses[i].reason);
    for (size_t i = 0; i < digest->foreign_count; i++)
        free(digest->foreign[i]);
    free(digest->objects);
    free(digest->pending);
    free(digest->losses);
    free(digest->foreign);
    *digest = (struct hf_digest){ 0 };
}
