/* The records of an object, as lines. */
#ifndef HOLDFAST_CLI_RECORDS_H
#define HOLDFAST_CLI_RECORDS_H

#include <holdfast/base.h>
#include <stdio.h>

/* {"Records":[a,b]} as lines "a\nb\n" on `out`, byte for byte but for line ends between tokens,
 * which become blanks, and, on a terminal, control characters, which become \u00XX. */
enum hf_status records_write(struct hf_slice json, FILE *out, bool to_terminal, uint64_t *ret_count,
                             struct hf_error *err) hf_must_check;

#endif
