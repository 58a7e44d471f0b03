/* The agent's side of protocol 1 without a socket. */
#include "help.h"

#include "agent/intake/socket/protocol.h"

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static struct hf_session
hello(const char *text, bool ended, size_t *consumed)
{
    struct hf_session session = { .state = HF_SESSION_HELLO };
    *consumed = hf_session_hello(&session, hf_slice_text(text), ended);
    return session;
}

static void
assert_hello(const char *text, bool ended, enum hf_session_state wanted, size_t wanted_consumed)
{
    size_t consumed;
    struct hf_session session = hello(text, ended, &consumed);
    assert_int_equal(session.state, wanted);
    assert_int_equal(consumed, wanted_consumed);
}

static void
assert_reply(struct hf_session *session, const char *wanted)
{
    char reply[HF_REPLY_SIZE];
    size_t size = hf_session_reply(session, reply);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(reply, wanted, size);
}

static void
the_first_bytes_tell_what_it_is(void **state)
{
    (void)state;
    assert_hello("", false, HF_SESSION_HELLO, 0);
    assert_hello("HOLD", false, HF_SESSION_HELLO, 0);
    assert_hello("HOLDFAST 1 STREAM " UUID, false, HF_SESSION_HELLO, 0);
    assert_hello("HOLDFAST 1 STREAM " UUID "\nline\n", false, HF_SESSION_NAMED, 55);
    assert_hello("{\"a\":1}\n", false, HF_SESSION_PLAIN, 0);
    assert_hello("HOLDING\n", false, HF_SESSION_PLAIN, 0);
    assert_hello("HOLD\n", false, HF_SESSION_PLAIN, 0);
    assert_hello("\n", false, HF_SESSION_PLAIN, 0);
    assert_hello("HOLD", true, HF_SESSION_PLAIN, 0);
}

static void
what_begins_with_the_word_has_to_be_right(void **state)
{
    static const char *const wrong[] = {
        "HOLDFAST\n",
        "HOLDFAST 2 STREAM " UUID "\n",
        "HOLDFAST 1 STREAM\n",
        "HOLDFAST 1 STREAM " UUID " \n",
        "HOLDFAST 1 STREAM " UUID "\r\n",
        "HOLDFAST 1 STREAM  " UUID "\n",
        "HOLDFAST 1 STREAM 01890a5d-ac96-774b-bcce-b302099a805\n",
        "HOLDFAST 1 STREAM 01890a5d-ac96-774b-bcceab302099a8057\n",
        "HOLDFAST 1 STREAM 01890a5g-ac96-774b-bcce-b302099a8057\n",
        "HOLDFAST 1 STREAM 01890a5d-ac96-774b-bcce-b302099a8057 and on and on and on and on",
    };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        size_t consumed;
        char reply[HF_REPLY_SIZE];
        struct hf_session session = hello(wrong[i], false, &consumed);
        assert_int_equal(session.state, HF_SESSION_REFUSED);
        assert_false(hf_session_takes_lines(&session));
        assert_true(hf_session_reply(&session, reply) > 0);
        assert_memory_equal(reply, "ERROR ", 6);
        assert_reply(&session, "");
    }
    assert_hello("HOLDFAST 1 STREAM " UUID, true, HF_SESSION_REFUSED, 0);
}

static void
upper_case_names_the_same_stream(void **state)
{
    size_t consumed;
    (void)state;
    struct hf_session session =
        hello("HOLDFAST 1 STREAM 01890A5D-AC96-774B-BCCE-B302099A8057\n", false, &consumed);
    assert_int_equal(session.state, HF_SESSION_NAMED);
    assert_string_equal(session.uuid, UUID);
}

static void
only_the_newest_acknowledgement_is_kept(void **state)
{
    size_t consumed;
    (void)state;
    struct hf_session session = hello("HOLDFAST 1 STREAM " UUID "\n", false, &consumed);
    assert_reply(&session, "");
    hf_session_open(&session, 5);
    assert_reply(&session, "OK 5\n");
    assert_reply(&session, "");
    for (uint64_t n = 6; n <= 1000; n++)
        hf_session_durable(&session, n);
    assert_reply(&session, "ACK 1000\n");
    assert_reply(&session, "");
    hf_session_durable(&session, 1000);
    assert_reply(&session, "");
}

static void
full_and_go_alternate(void **state)
{
    size_t consumed;
    (void)state;
    struct hf_session session = hello("HOLDFAST 1 STREAM " UUID "\n", false, &consumed);
    hf_session_open(&session, 0);
    hf_session_full(&session, true, 7);
    assert_reply(&session, "OK 0\n");
    assert_reply(&session, "FULL 7\n");
    hf_session_full(&session, true, 7);
    assert_reply(&session, "");
    hf_session_durable(&session, 7);
    hf_session_full(&session, false, 7);
    assert_reply(&session, "ACK 7\n");
    assert_reply(&session, "GO 7\n");
    hf_session_full(&session, true, 9);
    hf_session_full(&session, false, 9); /* over before it could be told */
    assert_reply(&session, "");
}

static void
a_refusal_is_the_last_word(void **state)
{
    size_t consumed;
    (void)state;
    struct hf_session session = hello("HOLDFAST 1 STREAM " UUID "\n", false, &consumed);
    hf_session_refuse(&session, "GONE");
    hf_session_full(&session, true, 1);
    assert_reply(&session, "GONE\n");
    assert_reply(&session, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bytes_tell_what_it_is),
        cmocka_unit_test(what_begins_with_the_word_has_to_be_right),
        cmocka_unit_test(upper_case_names_the_same_stream),
        cmocka_unit_test(only_the_newest_acknowledgement_is_kept),
        cmocka_unit_test(full_and_go_alternate),
        cmocka_unit_test(a_refusal_is_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
