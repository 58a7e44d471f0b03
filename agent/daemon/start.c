/* Everything is opened in the order in which it depends on each other, and closed in reverse.
 * Nothing here asks a store. */
#include "agent/daemon/daemon_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define BEGUN_MS      2000            /* until each source has begun, unless a file system hangs */
#define JOURNAL_OWNER "agent/journal" /* in the journal's state: the identity's journal id */

/* Each followed file and each connection holds a descriptor. */
static void
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum hf_status
open_state_dir(struct hf_daemon *daemon, struct hf_error *err)
{
    const struct hf_config_agent *agent = &daemon->config->agent;
    char path[HF_PATH_MAX];
    enum hf_status status = hf_fs_mkdirs(agent->state_dir, 0700, err);
    if (status != HF_OK)
        return hf_while(err, status, "making state_dir");
    hf_path_join(path, sizeof(path), agent->state_dir, "lock");
    status = hf_fs_lock(path, &daemon->lock_fd, err);
    if (status == HF_EBUSY)
        return hf_fail(err, HF_EBUSY,
                       "another holdfast runs on state_dir '%s': stop it first, or give this one a "
                       "state_dir of its own",
                       agent->state_dir);
    if (status != HF_OK)
        return status;
    status = hf_identity_load(agent->state_dir, agent->host, &daemon->identity, err);
    return status == HF_OK ? hf_trails_check_versions(agent->state_dir, err) : status;
}

enum hf_status
hf_daemon_check_state(const struct hf_config *config, struct hf_error *err)
{
    enum hf_status status = hf_trails_check_versions(config->agent.state_dir, err);
    return status == HF_OK ? hf_trails_check_stores(config, err) : status;
}

/* Each loss that recovery found is an event, durable before anything else is taken in. */
static enum hf_status
report_losses(struct hf_daemon *daemon, const struct hf_journal_recovery *recovery,
              struct hf_error *err)
{
    for (size_t i = 0; i < recovery->loss_count; i++) {
        enum hf_status status = own_loss(daemon, &recovery->losses[i], err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

static enum hf_status
mark_journal(struct hf_daemon *daemon, struct hf_error *err)
{
    enum hf_status status = hf_journal_begin(daemon->journal, false, err);
    if (status == HF_EFULL || status == HF_ENOSPC) /* the next start does it */
        return HF_OK;
    if (status != HF_OK)
        return status;
    status = hf_journal_set_state(daemon->journal, JOURNAL_OWNER,
                                  hf_slice_text(daemon->identity.journal), err);
    if (status == HF_OK)
        hf_journal_commit(daemon->journal);
    else
        hf_journal_abandon(daemon->journal);
    return status;
}

/* The journal says whose it is: one that was put here from another state directory would be
 * delivered under a wrong name. */
static enum hf_status
check_journal(struct hf_daemon *daemon, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf owner = HF_BUF(4096);
    enum hf_status status = hf_journal_get_state(daemon->journal, JOURNAL_OWNER, &owner);
    if (status == HF_ENOTFOUND)
        return mark_journal(daemon, err);
    if (status != HF_OK)
        return hf_fail(err, status, "reading whose journal this is");
    if (strcmp(hf_buf_text(&owner), daemon->identity.journal) == 0)
        return HF_OK;
    return hf_fail(
        err, HF_EREFUSED,
        "the journal in '%s' is %s, the identity beside it says %s: parts of two state directories "
        "were mixed; put together what belongs together, or start with an empty state_dir",
        daemon->config->agent.state_dir, hf_buf_text(&owner), daemon->identity.journal);
}

static enum hf_status
open_journal(struct hf_daemon *daemon, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), daemon->config->agent.state_dir, "journal");
    struct hf_journal_options options = { .directory = path,
                                          .max_bytes = daemon->config->agent.journal_max_bytes,
                                          .segment_bytes =
                                              daemon->config->agent.journal_segment_bytes,
                                          .on_commit = loop_on_commit,
                                          .context = daemon };
    struct hf_journal_recovery recovery = { 0 };
    enum hf_status status = hf_journal_open(&options, &daemon->journal, &recovery, err);
    if (status != HF_OK)
        return hf_while(err, status, "opening the journal");
    hf_log_info("journal.opened", HF_NUM("next", recovery.next_seq),
                HF_NUM("oldest", recovery.oldest_seq), HF_NUM("torn_bytes", recovery.torn_bytes),
                HF_NUM("losses", recovery.loss_count));
    atomic_store(&daemon->commits.durable_seq, recovery.next_seq - 1);
    daemon->last_stamp_ns = recovery.last_stamp_ns;
    status = check_journal(daemon, err);
    if (status == HF_OK)
        status = report_losses(daemon, &recovery, err);
    hf_journal_recovery_done(&recovery);
    return status;
}

/* The trails begin before the first new event: a new trail with `start: end` takes everything
 * from this start on. */
static enum hf_status
open_trails(struct hf_daemon *daemon, struct hf_error *err)
{
    struct hf_trails_options options = { .state_dir = daemon->config->agent.state_dir,
                                         .identity = &daemon->identity,
                                         .journal = daemon->journal,
                                         .own_event = own_event,
                                         .context = daemon };
    struct hf_config *config = hf_config_ref(daemon->config);
    struct hf_trails *trails;
    enum hf_status status = hf_trails_start(&options, config, &trails, err);
    if (status != HF_OK) {
        hf_config_unref(config);
        return status;
    }
    pthread_mutex_lock(&daemon->posts.lock);
    daemon->trails = trails;
    pthread_mutex_unlock(&daemon->posts.lock);
    return HF_OK;
}

static enum hf_status
open_intake(struct hf_daemon *daemon, struct hf_error *err)
{
    struct hf_intake_options options = { .loop = daemon->loop,
                                         .journal = daemon->journal,
                                         .maker = record_maker(daemon) };
    struct hf_intake *intake;
    enum hf_status status = hf_intake_new(&options, &intake, err);
    if (status != HF_OK)
        return status;
    pthread_mutex_lock(&daemon->posts.lock);
    daemon->intake = intake;
    pthread_mutex_unlock(&daemon->posts.lock);
    status = hf_intake_configure(intake, daemon->config, err);
    if (status == HF_OK)
        (void)hf_intake_begun(intake, BEGUN_MS); /* else `status` says what it waits for */
    return status;
}

enum hf_status
daemon_open(struct hf_daemon *daemon, struct hf_error *err)
{
    enum hf_status status = hf_config_load(daemon->config_path, &daemon->config, err);
    if (status != HF_OK)
        return status;
    hf_config_agent_copy(&daemon->config->agent, &daemon->agent);
    atomic_store(&daemon->provenance, daemon->agent.provenance == HF_PROVENANCE_FULL);
    daemon->config_loaded_s = hf_wall_s();
    hf_log_setup((enum hf_log_level)daemon->config->agent.log_level,
                 daemon->config->agent.log_format == 1);
    hf_hide_memory();
    raise_file_limit();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    status = open_state_dir(daemon, err);
    if (status == HF_OK)
        status = loop_open(daemon, err);
    if (status == HF_OK)
        status = open_journal(daemon, err);
    if (status == HF_OK)
        status = open_trails(daemon, err);
    if (status == HF_OK)
        status = open_intake(daemon, err);
    if (status == HF_OK)
        status = clock_watch_open(daemon, err);
    if (status == HF_OK)
        status = control_open(daemon, err);
    if (status == HF_OK)
        status = metrics_listen(daemon, daemon->config->agent.metrics, &daemon->metrics, err);
    return status;
}

/* What the trails still had to answer is answered before the control socket goes. The journal's
 * writer must not meet an intake or trails that are being freed: loop_on_commit() looks under the
 * lock. */
void
daemon_close(struct hf_daemon *daemon)
{
    if (daemon->intake) {
        pthread_mutex_lock(&daemon->posts.lock);
        struct hf_intake *intake = hf_take(daemon->intake);
        pthread_mutex_unlock(&daemon->posts.lock);
        hf_intake_free(intake);
    }
    if (daemon->trails) {
        pthread_mutex_lock(&daemon->posts.lock);
        struct hf_trails *trails = hf_take(daemon->trails);
        pthread_mutex_unlock(&daemon->posts.lock);
        hf_trails_stop(trails, STOP_LAST_MS);
        loop_run_posts(daemon);
    }
    control_close(daemon);
    metrics_close(hf_take(daemon->metrics));
    clock_watch_close(daemon);
    if (daemon->journal)
        hf_journal_close(daemon->journal);
    loop_close(daemon);
    hf_fs_close(&daemon->lock_fd);
    hf_config_unref(hf_take(daemon->config));
    hf_config_agent_done(&daemon->agent);
    hf_freep(&daemon->config_path);
}
