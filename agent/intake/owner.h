/* Who an owner is, as a name: what the budget counts by, and what records and `status` say.
 *
 *   a file     "uid 1000 in 'web'": its user, and the folder below the fixed part of the pattern
 *   a client   "uid 1000 of /system.slice/web.service": its user and control group at connect
 *
 * The uids of one range of /etc/subuid count as the user whose range it is, and all without an entry
 * in /etc/passwd as one: whoever may use newuidmap would have 65,536 budgets. Only these two files
 * are asked: a directory service may take long to answer. Below the slice of a user the control group
 * is the slice's: its user may make as many as he likes. */
#ifndef HOLDFAST_INTAKE_OWNER_H
#define HOLDFAST_INTAKE_OWNER_H

#include "agent/intake/budget.h"

#include <sys/types.h>

struct hf_users; /* what the two files say; read again, at most once a minute, when they change */
struct hf_users *hf_users_new(const char *passwd, const char *subuid);
void hf_users_free(struct hf_users *users);

/* From any thread. `pattern`: the source's, whose fixed part says where the folder begins. */
void hf_owner_of_file(struct hf_users *users, const char *pattern, const char *path, uid_t uid,
                      char ret_name[HF_OWNER_SIZE]);
/* `cgroup`: as /proc/PID/cgroup has it, "" when that could not be read. */
void hf_owner_of_client(struct hf_users *users, uid_t uid, const char *cgroup,
                        char ret_name[HF_OWNER_SIZE]);
void hf_owner_cgroup(pid_t pid, char *ret_text, size_t size); /* reads it */

#endif
