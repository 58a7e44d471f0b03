/* What a store's url says by its scheme. */
#include "config_impl.h"

#include <string.h>

static const struct {
    const char *text;
    enum hf_store_kind kind;
    bool tls;
} schemes[] = {
    { "https://", HF_STORE_S3, true },
    { "http://", HF_STORE_S3, false },
    { "dir://", HF_STORE_DIR, false },
};

static size_t
scheme_of(const char *url)
{
    size_t i = 0;
    while (i < HF_COUNT(schemes) && !hf_starts_with(url, schemes[i].text))
        i++;
    return i;
}

void
hf_config_store_derive(struct hf_config_store *store)
{
    size_t scheme = scheme_of(store->url);
    bool known = scheme < HF_COUNT(schemes);
    store->kind = known ? schemes[scheme].kind : HF_STORE_S3;
    store->tls = known && schemes[scheme].tls;
}

const char *
hf_config_store_place(const struct hf_config_store *store)
{
    size_t scheme = scheme_of(store->url);
    return scheme < HF_COUNT(schemes) ? store->url + strlen(schemes[scheme].text) : NULL;
}
