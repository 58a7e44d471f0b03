/* Files that begin alike, and those in whose place another was put. Part of file_impl.h, which includes
 * it. */
#ifndef HOLDFAST_FILE_ALIKE_H
#define HOLDFAST_FILE_ALIKE_H

struct hf_file;
struct hf_file_source;

/* replaced.c */
void hf_replaced_add(struct hf_file *file, bool witnessed); /* its path is another one's now */
void hf_replaced_remove(struct hf_file *file);
struct hf_file *hf_replaced_find(struct hf_file_source *source, const char *path);

/* alike.c */
void hf_heads_add(struct hf_file *file);
void hf_heads_remove(struct hf_file *file);
/* Those of which something was read that begin as these bytes do, as far as both go. The list is
 * the caller's, NULL when there is none. At most `most` that go on behind these bytes, and where there
 * is none as many that end within them, the longest first: with thousands that are all alike, one
 * is as good as another. */
size_t hf_heads_alike(struct hf_file_source *source, const uint8_t *head, size_t size, size_t most,
                      struct hf_file ***ret_files);

#endif
