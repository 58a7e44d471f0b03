/* Addresses to listen on. */
#include "config_test.h"

static void
addresses_with_ports(void **state)
{
    char address[64];
    uint16_t port;
    (void)state;
    assert_true(hf_listen_parse("127.0.0.1:8099", address, &port));
    assert_string_equal(address, "127.0.0.1");
    assert_int_equal(port, 8099);
    assert_true(hf_listen_parse("[::1]:0", address, &port));
    assert_string_equal(address, "::1");
    assert_int_equal(port, 0);
    assert_true(hf_listen_parse("localhost:1", address, &port));
    assert_string_equal(address, "127.0.0.1");
    static const char *const wrong[] = { "",
                                         ":",
                                         "8099",
                                         "127.0.0.1",
                                         "127.0.0.1:",
                                         "127.0.0.1:65536",
                                         "127.0.0.1:-1",
                                         "::1:80",
                                         "host.example:80",
                                         "[]:80",
                                         "1.2.3:4" };
    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        if (hf_listen_parse(wrong[i], address, &port))
            fail_msg("'%s' was taken", wrong[i]);
}

static void
only_loopback_is_loopback(void **state)
{
    (void)state;
    assert_true(hf_is_loopback("127.0.0.1"));
    assert_true(hf_is_loopback("127.1.2.3"));
    assert_true(hf_is_loopback("::1"));
    assert_false(hf_is_loopback("0.0.0.0"));
    assert_false(hf_is_loopback("::"));
    assert_false(hf_is_loopback("10.0.0.1"));
    assert_false(hf_is_loopback("::ffff:127.0.0.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_with_ports),
        cmocka_unit_test(only_loopback_is_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
