/* A folder in memory for targets whose parser reads files. It goes with the process. */
#ifndef HOLDFAST_TESTS_FUZZ_SCRATCH_H
#define HOLDFAST_TESTS_FUZZ_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the process with what is wrong, also where assertions are compiled out. */
void must(bool condition, const char *what);

const char *scratch_folder(void); /* made at the first call */
/* FOLDER/name, as a text that stays until the next call. */
const char *scratch_path(const char *name);
/* The file with these bytes, mode 0600, in place of what lies there. */
void scratch_put(const char *name, const void *bytes, size_t size);
void scratch_clear(void); /* no file is left */

#endif
