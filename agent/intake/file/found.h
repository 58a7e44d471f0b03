/* What stands in the folders that a pattern means, before any of it is opened. */
#ifndef HOLDFAST_FILE_FOUND_H
#define HOLDFAST_FILE_FOUND_H

#include "agent/intake/file/file_impl.h"

/* find.c */
enum hf_other_kind {
    HF_OTHER_FIFO,
    HF_OTHER_FOLDER,
    HF_OTHER_SOCKET,
    HF_OTHER_DEVICE,
    HF_OTHER_DANGLING, /* a link that leads nowhere */
    HF_OTHER_REFUSED,  /* a link that is not followed */
    HF_OTHER_FAR, /* a name whose path would be longer than one can be; counted by its folder */
    HF_OTHER_KINDS,
};
struct hf_found_name {
    char *path;
    struct hf_fs_identity who; /* where a link leads */
};
struct hf_found {
    /* since it was cleared */
    struct hf_found_name *names; /* of regular files that match and are not excluded */
    size_t count, room;
    struct hf_strings folders; /* to be watched */
    struct hf_strings others;  /* what matches and is no regular file */
    struct hf_strings unknown; /* paths that could not be looked at: nothing is known of what stands
                                  there and below */
    /* in all */
    uint64_t matched, others_count, unknown_count;
    uint64_t other_counts[HF_OTHER_KINDS];
    char *first_other_path;
    struct hf_error problem; /* of the first that is unknown */
};
void hf_found_clear(struct hf_found *found);
void hf_found_done(struct hf_found *found);

/* Looks for all of them in steps, each of which looks at one name, or opens one folder, or reads some
 * names of it. `thread` is told where we look; NULL: none. */
struct hf_walk;
struct hf_walk *hf_walk_new(const struct hf_config_source *config, struct hf_fs_trust trust,
                            struct hf_thread *thread, struct hf_found *ret_found);
bool hf_walk_step(struct hf_walk *walk); /* true: there is more */
void hf_walk_free(struct hf_walk *walk); /* NULL is fine; what was found stays */

/* Who stands under `name` in `folder`, which was opened; -1: it was not, only `path` is known. No link
 * of a stranger's is followed: HF_EREFUSED. HF_ENOTFOUND and *ret_linked: a link that leads nowhere.
 */
enum hf_status hf_found_look(struct hf_fs_trust trust, int folder, const char *name,
                             const char *path, struct hf_fs_identity *ret_who, bool *ret_linked,
                             struct hf_error *err) hf_must_check;

/* look.c */
void hf_others_text(const struct hf_found *found, char ret_text[HF_OTHERS_SIZE]);
bool hf_is_sparse(const struct hf_fs_identity *who); /* mostly holes, and large */
bool hf_is_plain_path(const char *pattern);          /* means one name */
enum hf_status hf_file_look(const struct hf_config_source *config, struct hf_source_look *ret_look,
                            struct hf_error *err) hf_must_check;

/* trust.c: names or numbers of users */
enum hf_status hf_trust_make(const struct hf_strings *users, struct hf_fs_trust *ret_trust,
                             struct hf_error *err) hf_must_check;
void hf_trust_done(struct hf_fs_trust *trust);

/* match.c */
bool hf_found_matches(const struct hf_config_source *config, const char *path);
bool hf_found_excludes(const struct hf_config_source *config, const char *path);
bool hf_pattern_next(const char **at, char ret_name[HF_PATH_MAX]);
bool hf_pattern_is(const char *text); /* and not a name as it is */
bool hf_pattern_is_globstar(const char *name);
bool hf_pattern_takes(const char *pattern, const char *name);

#endif
