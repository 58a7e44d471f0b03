/* json, inside: the scanner's twins, and the parts of the grammar that all of them share.
 *
 * A twin is scan_body.h compiled around one way of running over the plain bytes of a string. All
 * twins must give the same answer for every input, to the byte: tests and the fuzz target compare
 * them.
 */
#ifndef HOLDFAST_JSON_IMPL_H
#define HOLDFAST_JSON_IMPL_H

#include <holdfast/json.h>

bool hf_json_scan_scalar(struct hf_slice text, struct hf_json_scan *ret_scan);
#ifdef __x86_64__
bool hf_json_scan_sse2(struct hf_slice text,
                       struct hf_json_scan *ret_scan); /* every x86-64 has SSE2 */
bool hf_json_scan_avx2(struct hf_slice text, struct hf_json_scan *ret_scan);
#endif

struct hf_json_twin {
    const char *name;
    bool (*scan)(struct hf_slice text, struct hf_json_scan *ret_scan);
};
#define HF_JSON_TWINS_MAX 3
/* Those that this processor can run, the scalar one first; for tests. */
size_t hf_json_twins(struct hf_json_twin ret_twins[HF_JSON_TWINS_MAX]);

/* Where and why a text is not valid. */
struct hf_json_fault {
    const char *reason;
    const uint8_t *at;
};

/* Each takes the position of its first byte and returns the position behind it; NULL with the fault
 * set if invalid. */
const uint8_t *hf_json_escape_end(const uint8_t *at, const uint8_t *end,
                                  struct hf_json_fault *fault);
const uint8_t *hf_json_utf8_end(const uint8_t *at, const uint8_t *end,
                                struct hf_json_fault *fault); /* one or more non-ASCII characters */
const uint8_t *hf_json_number_end(const uint8_t *at, const uint8_t *end,
                                  struct hf_json_fault *fault);
const uint8_t *hf_json_literal_end(const uint8_t *at, const uint8_t *end,
                                   struct hf_json_fault *fault);

/* A top-level key, as it stands between its quotes; `odd`: it has escapes, or is not ASCII. Notes
 * in the scan what it means; the place for its value, or NULL. */
struct hf_slice *hf_json_key(struct hf_json_scan *scan, const uint8_t *key, size_t size, bool odd);

const uint8_t *hf_json_fail(struct hf_json_fault *fault, const uint8_t *at, const char *reason)
    __attribute__((cold)); /* returns NULL */

#endif
