/* What is in a file, and how it comes into the journal: the parts that read, each calling those
 * below it. */
#ifndef HOLDFAST_FILE_READING_H
#define HOLDFAST_FILE_READING_H

#include "agent/intake/file/file_impl.h"

/* read.c: one block; true: there is more. The file may be closed by it. */
bool hf_file_step(struct hf_file *file);
/* We stop: what has no name any more is finished. */
void hf_files_last_words(struct hf_file_source *source);

/* nul.c */
enum hf_nul {
    HF_NUL_TAIL,    /* nothing else to the end: it waits */
    HF_NUL_MORE,    /* not through yet */
    HF_NUL_HOLE,    /* with a hole in it, and content behind it at nul.to */
    HF_NUL_CONTENT, /* somebody wrote it */
};
size_t hf_nul_tail(const struct hf_file *file, struct hf_slice input); /* bytes at its end */
/* What the NUL bytes are that begin at `from`, in a file of `size`. */
enum hf_status hf_nul_pass(struct hf_file *file, uint64_t from, uint64_t size, enum hf_nul *ret_nul,
                           struct hf_error *err) hf_must_check;
enum hf_status hf_nul_skip(struct hf_file *file, struct hf_error *err) hf_must_check; /* the hole */

/* hand.c */
bool hf_file_hand_over(struct hf_file *file, struct hf_slice input, bool ended,
                       struct hf_cut *ret_cut);
/* Nothing came for a while. true: there is more to do. The file may be closed by it. */
bool hf_file_finish(struct hf_file *file, struct hf_slice input, bool unlinked);
/* Its name is gone or another, it was read, and is quiet. What is unlinked has no position any more,
 * unless half a line is left. false: the journal refused. */
bool hf_file_rest(struct hf_file *file, bool unlinked);
size_t hf_file_hole(const struct hf_file *file, struct hf_slice input);
/* The positions of all files that wait for it; saved() when the unit is committed. */
enum hf_status hf_file_save(struct hf_unit *unit, struct hf_file *except) hf_must_check;
void hf_file_saved(struct hf_file_source *source);

/* copy.c: a file that is NEW or HELD: is it a copy? Moves it; still HELD: it waits. */
enum hf_status hf_file_judge(struct hf_file *file, uint64_t size,
                             struct hf_error *err) hf_must_check;

/* generation.c */
void hf_file_new_generation(struct hf_file *file, const char *reason);
/* Looks whether the file still begins and ends, up to the offset, as we read it; else begins a new
 * generation. */
void hf_file_verify(struct hf_file *file);

/* truncated.c */
void hf_truncated_add(struct hf_file_source *source, const struct hf_print_hash *print);
void hf_truncated_remove(struct hf_file_source *source, size_t i);
void hf_file_truncated(struct hf_file *file); /* its present print goes to the list; a copy of it
                                                 goes on from there */

#endif
