/* The scanner against jansson on generated and then damaged texts, from fixed seeds. */
#include "tests/support/test.h"

#include "agent/json/json_impl.h"
#include "tests/fuzz/scanner_check.h"

/* xorshift64*: the same texts on every machine. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static unsigned
below(uint64_t *state, unsigned limit)
{
    return (unsigned)((next_random(state) >> 33) % limit);
}

static void
add(struct hf_buf *buf, const char *text)
{
    assert_int_equal(hf_buf_add_text(buf, text), HF_OK);
}

#define ADD_ONE_OF(buf, state, list) add(buf, (list)[below(state, HF_COUNT(list))])

static void
add_space(struct hf_buf *buf, uint64_t *state)
{
    static const char *const spaces[] = { "", "", "", "", "", " ", "\n", "\t", "\r", "  " };
    ADD_ONE_OF(buf, state, spaces);
}

static void
add_string(struct hf_buf *buf, uint64_t *state)
{
    static const char *const pieces[] = {
        "a",
        "b c",
        "0123456789abcdef",
        "the quick brown fox jumps over",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0041",
        "\\u0000",
        "\\ud83d\\ude00",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\xed\x9f\xbf",
        "{",
        "[",
        ",",
        ":",
        "\x7f",
    };
    add(buf, "\"");
    for (unsigned n = below(state, 5); n > 0; n--)
        ADD_ONE_OF(buf, state, pieces);
    add(buf, "\"");
}

static void
add_key(struct hf_buf *buf, uint64_t *state)
{
    if (below(state, 3) == 0) {
        add_string(buf, state);
        return;
    }
    add(buf, "\"");
    add(buf, hf_json_member_names[below(state, HF_JSON_MEMBERS)]);
    add(buf, "\"");
}

static void
add_value(struct hf_buf *buf, uint64_t *state, unsigned depth)
{
    static const char *const scalars[] = {
        "0",    "-1",    "12.5", "1e3",   "-0.1E-2",
        "true", "false", "null", "1e400", "99999999999999999999"
    };
    unsigned kind = below(state, depth < 5 ? 6 : 3);

    add_space(buf, state);
    if (kind < 2) {
        ADD_ONE_OF(buf, state, scalars);
    } else if (kind == 2) {
        add_string(buf, state);
    } else {
        bool object = kind == 3;
        add(buf, object ? "{" : "[");
        for (unsigned i = 0, n = below(state, 4); i < n; i++) {
            add(buf, i ? "," : "");
            if (object) {
                add_space(buf, state);
                add_key(buf, state);
                add(buf, ":");
            }
            add_value(buf, state, depth + 1);
        }
        add(buf, object ? "}" : "]");
    }
    add_space(buf, state);
}

static void
generate(struct hf_buf *buf, uint64_t *state)
{
    hf_buf_reset(buf);
    add_space(buf, state);
    add(buf, "{");
    for (unsigned i = 0, n = below(state, 5); i < n; i++) {
        add(buf, i ? "," : "");
        add_key(buf, state);
        add(buf, ":");
        add_value(buf, state, 1);
    }
    add(buf, "}");
    add_space(buf, state);
}

static void
damage(struct hf_buf *buf, uint64_t *state)
{
    static const char bytes[] = "{}[]\",:\\ tfn0123456789eE+-.u\x01\x1f\x80\xbf\xc3\xed\xf0\xff";
    for (unsigned n = 1 + below(state, 3); n > 0; n--) {
        unsigned at = below(state, (unsigned)buf->size);
        switch (below(state, 4)) {
        case 0:
            buf->ptr[at] = (uint8_t)bytes[below(state, sizeof(bytes))]; /* also its NUL */
            break;
        case 1: buf->ptr[at] ^= (uint8_t)(1u << below(state, 8)); break;
        case 2: /* take one out */
            memmove(buf->ptr + at, buf->ptr + at + 1, buf->size - at - 1);
            buf->size -= buf->size > 1;
            break;
        default: buf->size = at + 1; break;
        }
    }
}

#define CASES 100000

static void
generated_texts_are_valid_to_both(void **state)
{
    (void)state;
    uint64_t random = 0x686f6c6466617374;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1u << 20);
    for (unsigned i = 0; i < CASES; i++) {
        generate(&buf, &random);
        if (!scanner_check(buf.ptr, buf.size))
            fail_msg("refused: %s", hf_buf_text(&buf));
    }
}

static void
damaged_texts_are_judged_alike(void **state)
{
    (void)state;
    uint64_t random = 0x6576696465;
    unsigned valid = 0;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1u << 20);
    for (unsigned i = 0; i < CASES; i++) {
        generate(&buf, &random);
        damage(&buf, &random);
        valid += scanner_check(buf.ptr, buf.size);
    }
    /* The damage must leave enough of both kinds for the comparison to mean something. */
    assert_in_range(valid, CASES / 20, CASES / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_texts_are_valid_to_both),
        cmocka_unit_test(damaged_texts_are_judged_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
