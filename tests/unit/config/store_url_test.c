/* What a store is, by its url. */
#include "config_test.h"

static const struct {
    const char *url;
    enum hf_store_kind kind;
    bool tls;
    const char *place;
} table[] = {
    { "https://s3.example:9000", HF_STORE_S3, true, "s3.example:9000" },
    { "http://[::1]:80", HF_STORE_S3, false, "[::1]:80" },
    { "dir:///srv/bucket", HF_STORE_DIR, false, "/srv/bucket" },
    { "dir:///", HF_STORE_DIR, false, "/" },
    { "dir://srv", HF_STORE_DIR, false, "srv" },
    { "dir:/srv", HF_STORE_S3, false, NULL },
    { "HTTPS://s3.example", HF_STORE_S3, false, NULL },
    { "ftp://s3.example", HF_STORE_S3, false, NULL },
    { "", HF_STORE_S3, false, NULL },
};

static void
the_scheme_says_what_a_store_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(table); i++) {
        /* as of an entry that was something else before */
        struct hf_config_store store = { .kind = HF_STORE_DIR, .tls = true };
        store.url = (char *)table[i].url;
        hf_config_store_derive(&store);
        const char *place = hf_config_store_place(&store);
        assert_int_equal(store.kind, table[i].kind);
        assert_int_equal(store.tls, table[i].tls);
        assert_int_equal(place == NULL, table[i].place == NULL);
        if (place)
            assert_string_equal(place, table[i].place);
    }
}

static void
loading_says_it_of_each_store_and_a_copy_keeps_it(void **state)
{
    (void)state;
    struct hf_config_store copy;
    struct hf_config *config = parse_well(
        "stores: [{ name: here, url: \"dir:///b\" }, { name: far, url: \"https://s3.example\" }]\n"
        "buckets: [{ name: logs, store: here, retention: none }]\n"
        "sources: [{ name: app, type: stdin }]\n"
        "trails: [{ name: audit, bucket: logs, encryption: none, digest: { key_file: d.key } }]\n");
    assert_int_equal(config->stores[0].kind, HF_STORE_DIR);
    assert_int_equal(config->stores[1].kind, HF_STORE_S3);
    assert_true(config->stores[1].tls);
    hf_config_store_copy(&config->stores[0], &copy);
    hf_config_free(config);
    assert_int_equal(copy.kind, HF_STORE_DIR);
    assert_string_equal(hf_config_store_place(&copy), "/b");
    hf_config_store_done(&copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scheme_says_what_a_store_is),
        cmocka_unit_test(loading_says_it_of_each_store_and_a_copy_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
