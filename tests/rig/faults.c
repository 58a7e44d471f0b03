#include "tests/rig/faults.h"
#include "tests/rig/calls.h"
#include "tests/rig/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *word, *text;
} kinds[] = {
#define X(name, word, text) { word, text },
    FAULT_TABLE(X)
#undef X
};

const char *
fault_word(enum fault_kind kind)
{
    return kinds[kind].word;
}

const char *
fault_text(enum fault_kind kind)
{
    return kinds[kind].text;
}

bool
fault_parse(const char *word, enum fault_kind *ret_kind)
{
    for (int i = 0; i < FAULT_KINDS; i++) {
        if (strcmp(word, kinds[i].word) == 0) {
            *ret_kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

struct faults *
fault_plan_new(void)
{
    struct faults *plan =
        mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan == MAP_FAILED)
        stage_die("no memory for the faults");
    plan->log_fd = -1;
    return plan;
}

void
fault_plan_free(struct faults *plan)
{
    munmap(plan, sizeof(*plan));
}

void
fault_plan_set(struct faults *plan, enum fault_kind kind, unsigned at)
{
    plan->kind = kind;
    plan->at = at;
    plan->hit[0] = '\0';
    atomic_store(&plan->calls, 0);
    atomic_store(&plan->allocations, 0);
    atomic_store(&plan->fired, false);
    atomic_store(&plan->full_until_ms, 0);
}

/* ---- what happens to a call ---- */

static void
describe(const struct hf_fs_call *call, char ret_text[200])
{
    char link[40], name[160] = "";
    if (!call->path && call->fd >= 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
        ssize_t size = readlink(link, name, sizeof(name) - 1);
        name[size > 0 ? size : 0] = '\0';
    }
    const char *path = call->path ? call->path : name, *below = strstr(path, "/s/");
    snprintf(ret_text, 200, "%s %.160s", call->name, below ? below + 3 : path);
}

static bool
is_counted(const struct faults *plan, const struct hf_fs_call *call)
{
    char text[200];
    if (!*plan->only)
        return true;
    describe(call, text);
    return strstr(text, plan->only) != NULL;
}

static bool
is_one_of(const char *name, const char *names)
{
    const char *at = strstr(names, name);
    size_t size = strlen(name);
    return at && (at == names || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0');
}

static bool
needs_room(const struct hf_fs_call *call)
{
    return is_one_of(call->name, "write pwrite fallocate mkdir link rename");
}

static int
disk_full(struct faults *plan, const struct hf_fs_call *call)
{
    uint64_t until_ms = atomic_load(&plan->full_until_ms);
    return until_ms && hf_boot_ms() < until_ms && needs_room(call) ? ENOSPC : 0;
}

static void
pause_ms(long ms)
{
    struct timespec wait = { .tv_nsec = ms * 1000000 };
    nanosleep(&wait, NULL);
}

static int
fire(struct faults *plan, struct hf_fs_call *call)
{
    describe(call, plan->hit);
    atomic_store(&plan->fired, true);
    switch (plan->kind) {
    case FAULT_KILL:
        kill(getpid(), SIGKILL);
        pause();
        return EIO;
    case FAULT_EIO: return EIO;
    case FAULT_ENOSPC: return ENOSPC;
    case FAULT_EINTR: return EINTR;
    case FAULT_SHORT: call->size = call->size > 1 ? 1 : call->size; return 0;
    case FAULT_FULL:
        atomic_store(&plan->full_until_ms, hf_boot_ms() + 300);
        return disk_full(plan, call);
    case FAULT_DELAY: pause_ms(300); return 0;
    default: return 0;
    }
}

/* close(2) has nothing to do again and nothing to tell: a fault there means nothing but for the
 * kill. */
static int
interpose(void *context, struct hf_fs_call *call)
{
    struct faults *plan = context;
    while (atomic_load(&plan->frozen))
        pause_ms(1);
    int failure = disk_full(plan, call);
    unsigned number = is_counted(plan, call) ? atomic_fetch_add(&plan->calls, 1) + 1 : 0;
    if (failure == 0 && plan->kind != FAULT_ALLOC && number && number == plan->at)
        failure = fire(plan, call);
    if (plan->log_fd >= 0)
        calls_log(plan->log_fd, call, failure);
    return failure;
}

void
fault_plan_begin(struct faults *plan)
{
    hf_fs_interpose(interpose, plan);
    if (plan->kind == FAULT_ALLOC || plan->kind == FAULT_NONE)
        memory_fail(plan);
}
