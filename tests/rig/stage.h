/* A stage: the folder that one case plays in. Configuration, a directory store, log files, and
 * beside it what all stages share: the digest key and the recipient's certificate. */
#ifndef HOLDFAST_TESTS_RIG_STAGE_H
#define HOLDFAST_TESTS_RIG_STAGE_H

#include <holdfast/base.h>

#define STAGE_WAYS 2 /* ways in: one followed file, one stream of the socket */
enum { WAY_FILE, WAY_STREAM };
extern const char
    *const stage_trails[2]; /* "plain", "sealed": the second one encrypts to a certificate */

struct stage {
    char folder[128]; /* configuration, state, directory store */
    char shared[128];
    char logs[140]; /* of the followed file: the stage's own "log", or another stage's */
    bool changed;   /* the configuration after the reload */
};

/* Prints what and why, and ends the program with 1: a case that cannot be set up is no result. */
void stage_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Keys and certificate, once. */
void stage_share(const char *folder);
/* Empties the folder and makes a new stage in it. `logs`: where the followed file lies; NULL: in
 * the stage. */
void stage_make(struct stage *stage, const char *folder, const char *shared, const char *logs);
/* Makes the folder and everything in it go away. Only below a folder that stage_base() made. */
void stage_remove(const char *folder);
/* A fresh folder in memory where there is room for it, else below $TMPDIR or /tmp. */
void stage_base(char ret_folder[128]);
/* Writes holdfast.yaml; `changed`: other windows, as a reload would find it. */
void stage_configure(struct stage *stage, bool changed);
void stage_path(const struct stage *stage, const char *name, char ret_path[HF_PATH_MAX]);
void stage_copy_tree(const char *from, const char *to);

/* Line `number` of a way in, with its newline: its name and its content follow from the number
 * alone. */
void stage_line(int way, unsigned number, struct hf_buf *ret_line);
/* Appends the lines from `first` to before `end` to the followed file. */
void stage_write_file(const struct stage *stage, unsigned first, unsigned end);
void stage_rotate(const struct stage *stage);

#endif
