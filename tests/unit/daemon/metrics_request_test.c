/* What the metrics' listener takes for a request. */
#include "tests/support/test.h"

#include "agent/daemon/metrics_impl.h"

static void
is(const char *text, enum metrics_request expected)
{
    enum metrics_request found = metrics_request_parse(hf_slice_text(text));
    if (found != expected)
        fail_msg("'%s' gives %d, expected %d", text, found, expected);
}

static void
get_and_head_of_metrics_are_answered(void **state)
{
    (void)state;
    is("GET /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_GET);
    is("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: a/b\r\n\r\n", METRICS_REQUEST_GET);
    is("GET /metrics?name=x HTTP/1.0\r\n\r\nbody", METRICS_REQUEST_GET);
    is("GET /metrics HTTP/1.1\n\n", METRICS_REQUEST_GET);
    is("HEAD /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_HEAD);
}

static void
nothing_else_is(void **state)
{
    static const char *const bad[] = { "\r\n\r\n",
                                       "GET\r\n\r\n",
                                       "GET /metrics\r\n\r\n",
                                       "GET  /metrics HTTP/1.1\r\n\r\n",
                                       "GET /metrics HTTP/1.1 x\r\n\r\n",
                                       "GET /metrics HTTP/2.0\r\n\r\n",
                                       "GET /metrics HTTP/1.11\r\n\r\n",
                                       "get /metrics HTTP/1.1\r\n\r\n",
                                       "GET metrics HTTP/1.1\r\n\r\n",
                                       "GET http://x/metrics HTTP/1.1\r\n\r\n",
                                       " GET /metrics HTTP/1.1\r\n\r\n",
                                       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                       "GET /met\trics HTTP/1.1\r\n\r\n",
                                       "\x16\x03\x01\n\n" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(bad); i++)
        is(bad[i], METRICS_REQUEST_BAD);
    is("GET / HTTP/1.1\r\n\r\n", METRICS_REQUEST_ELSEWHERE);
    is("GET /metrics/ HTTP/1.1\r\n\r\n", METRICS_REQUEST_ELSEWHERE);
    is("GET /metricsx HTTP/1.1\r\n\r\n", METRICS_REQUEST_ELSEWHERE);
    is("POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", METRICS_REQUEST_METHOD);
    is("GETX /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_METHOD);
}

static void
a_head_is_waited_for_and_bounded(void **state)
{
    static const char whole[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    char endless[METRICS_REQUEST_MAX + 1];
    (void)state;
    for (size_t size = 0; size + 1 < sizeof(whole); size++)
        assert_int_equal(metrics_request_parse(hf_slice(whole, size)), METRICS_REQUEST_MORE);
    memset(endless, 'a', sizeof(endless));
    assert_int_equal(metrics_request_parse(hf_slice(endless, METRICS_REQUEST_MAX - 1)),
                     METRICS_REQUEST_MORE);
    assert_int_equal(metrics_request_parse(hf_slice(endless, METRICS_REQUEST_MAX)),
                     METRICS_REQUEST_LONG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_and_head_of_metrics_are_answered),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(a_head_is_waited_for_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
