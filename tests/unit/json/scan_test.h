/* One text through all twins of the scanner; the twins must agree. */
#ifndef HOLDFAST_TESTS_SCAN_H
#define HOLDFAST_TESTS_SCAN_H

#include "tests/support/test.h"

#include "agent/json/json_impl.h"

#define S(text) HF_SLICE_LITERAL(text)

static inline bool
scan(struct hf_slice text, struct hf_json_scan *ret_scan)
{
    struct hf_json_twin twins[HF_JSON_TWINS_MAX];
    size_t count = hf_json_twins(twins);
    bool valid = hf_json_scan(text, ret_scan);
    for (size_t i = 0; i < count; i++) {
        struct hf_json_scan other;
        assert_int_equal(twins[i].scan(text, &other), valid);
        assert_string_equal(valid ? "" : other.reason, valid ? "" : ret_scan->reason);
        assert_int_equal(other.where, ret_scan->where);
        assert_ptr_equal(other.text.ptr, ret_scan->text.ptr);
        assert_int_equal(other.text.size, ret_scan->text.size);
        assert_ptr_equal(other.doubt, ret_scan->doubt);
        assert_true(other.names == ret_scan->names);
        for (size_t k = 0; k < HF_JSON_MEMBERS; k++) {
            assert_ptr_equal(other.member[k].ptr, ret_scan->member[k].ptr);
            assert_int_equal(other.member[k].size, ret_scan->member[k].size);
        }
    }
    return valid;
}

#endif
