#include "agent/intake/budget_impl.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define BEFORE "before the start"
#define REST   "all others"

const char *
hf_budget_kind_text(enum hf_budget_kind kind)
{
    static const char *const texts[] = { [HF_BUDGET_JOURNAL] = "journal",
                                         [HF_BUDGET_STATE] = "positions",
                                         [HF_BUDGET_FILES] = "files open",
                                         [HF_BUDGET_CONNECTIONS] = "connections",
                                         [HF_BUDGET_STREAMS] = "streams" };
    return texts[kind];
}

/* ---- what is fair ---- */

bool
hf_budget_refuses(const struct hf_owner *owner, enum hf_budget_kind kind)
{
    const struct hf_account *account = owner->account;
    const struct hf_budget *budget = account->budget;
    uint64_t max = budget->pools[kind].max, held = budget->pools[kind].held;
    size_t sources = budget->pools[kind].sources + (account->pools[kind].held == 0);
    size_t owners = account->pools[kind].owners + (owner->held[kind] == 0);
    uint64_t most = kind == HF_BUDGET_FILES ? HF_FILES_OF_SOURCE : UINT64_MAX;
    if (account->pools[kind].held >= most / 2 && owner->held[kind] >= most / 8 * 7 / owners)
        return true;
    if (held < max / 2)
        return false;
    uint64_t of_source = max / 8 * 7 / sources;
    if (owner->held[kind] >= of_source / owners)
        return true;
    if (held < max / 8 * 7)
        return false;
    return owner->held[kind] >= max / 64 ||
           (held >= max / 16 * 15 && account->pools[kind].held >= of_source);
}

void
hf_budget_hold(struct hf_owner *owner, enum hf_budget_kind kind, int64_t bytes)
{
    struct hf_account *account = owner->account;
    struct hf_budget *budget = account->budget;
    bool held = owner->held[kind] > 0, source_held = account->pools[kind].held > 0;
    hf_assert(bytes >= 0 || owner->held[kind] >= (uint64_t)-bytes);
    owner->held[kind] += (uint64_t)bytes;
    account->pools[kind].held += (uint64_t)bytes;
    budget->pools[kind].held += (uint64_t)bytes;
    account->pools[kind].owners += (size_t)(owner->held[kind] > 0) - (size_t)held;
    budget->pools[kind].sources += (size_t)(account->pools[kind].held > 0) - (size_t)source_held;
}

/* ---- accounts and owners ---- */

static void
unref_account(struct hf_account *account)
{
    if (--account->refs > 0)
        return;
    LIST_REMOVE(account, entry);
    hf_freep(&account->source);
    hf_freep(&account);
}

static struct hf_account *
get_account(struct hf_budget *budget, const char *source)
{
    struct hf_account *account;
    LIST_FOREACH(account, &budget->accounts, entry)
    if (strcmp(account->source, source) == 0)
        break;
    if (!account) {
        account = hf_alloc(sizeof(*account));
        *account = (struct hf_account){ .budget = budget, .source = hf_strdup(source) };
        LIST_INIT(&account->owners);
        LIST_INSERT_HEAD(&budget->accounts, account, entry);
    }
    account->refs++;
    return account;
}

struct key {
    const struct hf_account *account;
    char name[HF_OWNER_SIZE];
};

static struct key
key_of(const struct hf_account *account, const char *name)
{
    struct key key;
    memset(&key, 0, sizeof(key));
    key.account = account;
    snprintf(key.name, sizeof(key.name), "%s", name);
    return key;
}

static bool
is_key(const struct hf_table_link *link, struct hf_slice bytes)
{
    const struct hf_owner *owner = hf_container_of(link, struct hf_owner, link);
    struct key key;
    memcpy(&key, bytes.ptr, sizeof(key));
    return owner->account == key.account && strcmp(owner->name, key.name) == 0;
}

static struct hf_owner *
find_owner(struct hf_account *account, const char *name)
{
    struct key key = key_of(account, name);
    struct hf_table_link *link =
        hf_table_find(&account->budget->owners, hf_slice(&key, sizeof(key)));
    return link ? hf_container_of(link, struct hf_owner, link) : NULL;
}

/* NULL: there is no room for another. */
static struct hf_owner *
get_owner(struct hf_account *account, const char *name, size_t most)
{
    struct hf_budget *budget = account->budget;
    struct hf_owner *owner = find_owner(account, name);
    if (!owner && account->owner_count >= most)
        return NULL;
    if (!owner) {
        struct key key = key_of(account, name);
        owner = hf_alloc(sizeof(*owner));
        *owner = (struct hf_owner){ .account = account, .epoch = UINT64_MAX };
        memcpy(owner->name, key.name, sizeof(owner->name));
        hf_assert(hf_table_add(&budget->owners, hf_slice(&key, sizeof(key)), &owner->link));
        LIST_INSERT_HEAD(&account->owners, owner, entry);
        account->owner_count++;
        account->refs++;
    }
    owner->refs++;
    return owner;
}

void
hf_owner_unref(struct hf_owner *owner)
{
    struct hf_account *account = owner->account;
    if (--owner->refs > 0)
        return;
    hf_table_remove(&account->budget->owners, &owner->link);
    LIST_REMOVE(owner, entry);
    account->owner_count--;
    hf_freep(&owner);
    unref_account(account);
}

struct hf_account *
hf_account_get(struct hf_budget *budget, const char *source)
{
    pthread_mutex_lock(&budget->lock);
    struct hf_account *account = get_account(budget, source);
    pthread_mutex_unlock(&budget->lock);
    return account;
}

void
hf_account_put(struct hf_account *account)
{
    if (!account)
        return;
    struct hf_budget *budget = account->budget;
    pthread_mutex_lock(&budget->lock);
    unref_account(account);
    pthread_mutex_unlock(&budget->lock);
}

struct hf_owner *
hf_owner_get(struct hf_account *account, const char *name)
{
    struct hf_budget *budget = account->budget;
    pthread_mutex_lock(&budget->lock);
    bool crowded = budget->owners.count >= HF_OWNERS_MAX_IN_ALL;
    struct hf_owner *owner = get_owner(account, name, crowded ? 0 : HF_OWNERS_MAX);
    if (!owner)
        owner = get_owner(account, REST, SIZE_MAX);
    pthread_mutex_unlock(&budget->lock);
    hf_assert(owner);
    return owner;
}

struct hf_owner *
hf_owner_again(struct hf_owner *owner)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    owner->refs++;
    pthread_mutex_unlock(&budget->lock);
    return owner;
}

void
hf_owner_put(struct hf_owner *owner)
{
    if (!owner)
        return;
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    hf_owner_unref(owner);
    pthread_mutex_unlock(&budget->lock);
}

const char *
hf_owner_name(const struct hf_owner *owner)
{
    return owner->name;
}

/* ---- the journal's bytes ---- */

/* How far trails have come. Never with the lock held: the journal has its own. */
static void
look(struct hf_budget *budget)
{
    struct hf_journal_info info;
    hf_journal_info(budget->journal, &info);
    pthread_mutex_lock(&budget->lock);
    budget->pools[HF_BUDGET_JOURNAL].max = info.record_bytes_max;
    hf_epochs_release(budget, info.released_seq);
    pthread_mutex_unlock(&budget->lock);
}

static bool
refuses(struct hf_owner *owner, enum hf_budget_kind kind)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    bool refused = hf_budget_refuses(owner, kind);
    owner->refused[kind].now &= refused;
    pthread_mutex_unlock(&budget->lock);
    return refused;
}

bool
hf_budget_would_refuse(struct hf_owner *owner)
{
    if (!refuses(owner, HF_BUDGET_JOURNAL))
        return false;
    look(owner->account->budget);
    return refuses(owner, HF_BUDGET_JOURNAL);
}

static enum hf_status
refuse(struct hf_owner *owner, enum hf_budget_kind kind, const char *name, struct hf_error *err)
{
    hf_budget_note_refusal(owner, kind, name);
    return hf_fail(err, HF_ELIMIT, "%s is over its share of the %s", owner->name,
                   hf_budget_kind_text(kind));
}

enum hf_status
hf_budget_ask(struct hf_owner *owner, const char *name, struct hf_error *err)
{
    if (!hf_budget_would_refuse(owner))
        return HF_OK;
    return refuse(owner, HF_BUDGET_JOURNAL, name, err);
}

void
hf_budget_charge(struct hf_owner *owner, uint64_t bytes, uint64_t last_seq)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    hf_epochs_add(budget, owner, bytes, last_seq);
    pthread_mutex_unlock(&budget->lock);
}

bool
hf_budget_is_nearly_full(struct hf_budget *budget)
{
    struct hf_budget_sums sums = hf_budget_sums(budget, HF_BUDGET_JOURNAL);
    return sums.used >= sums.max / 64 * 55;
}

/* ---- files ---- */

static void
hold_file(struct hf_owner *owner, int64_t files, int64_t state_bytes)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    hf_budget_hold(owner, HF_BUDGET_FILES, files);
    hf_budget_hold(owner, HF_BUDGET_STATE, state_bytes);
    pthread_mutex_unlock(&budget->lock);
}

enum hf_status
hf_budget_ask_file(struct hf_owner *owner, const char *name, uint64_t state_bytes,
                   struct hf_error *err)
{
    if (refuses(owner, HF_BUDGET_FILES))
        return refuse(owner, HF_BUDGET_FILES, name, err);
    if (refuses(owner, HF_BUDGET_STATE))
        return refuse(owner, HF_BUDGET_STATE, name, err);
    hf_budget_take_file(owner, state_bytes);
    return HF_OK;
}

void
hf_budget_take_file(struct hf_owner *owner, uint64_t state_bytes)
{
    hold_file(owner, 1, (int64_t)state_bytes);
}

void
hf_budget_drop_file(struct hf_owner *owner, uint64_t state_bytes)
{
    hold_file(owner, -1, -(int64_t)state_bytes);
}

void
hf_budget_charge_state(struct hf_owner *owner, int64_t bytes)
{
    hold_file(owner, 0, bytes);
}

bool
hf_budget_state_is_short(struct hf_owner *owner)
{
    return refuses(owner, HF_BUDGET_STATE);
}

/* ---- coming and going ---- */

/* Whose it was is not known any more: it is one owner's, in pieces, because it is released bit by
 * bit. */
static void
charge_before(struct hf_budget *budget)
{
    static const uint64_t pieces = 16;
    struct hf_journal_info info;
    hf_journal_info(budget->journal, &info);
    budget->pools[HF_BUDGET_JOURNAL].max = info.record_bytes_max;
    uint64_t from = HF_MAX(info.released_seq, info.oldest_seq ? info.oldest_seq - 1 : 0);
    if (from >= info.durable_seq)
        return;
    struct hf_account *account = get_account(budget, BEFORE);
    budget->before = get_owner(account, BEFORE, SIZE_MAX);
    unref_account(account);
    uint64_t bytes = HF_MIN(info.record_bytes, info.record_bytes_max);
    for (uint64_t i = 1; i <= pieces; i++)
        hf_epochs_add(budget, budget->before, bytes / pieces + 1,
                      from + (info.durable_seq - from) * i / pieces);
}

static uint64_t
descriptors(void)
{
    struct rlimit limit;
    bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return known ? limit.rlim_cur : 1u << 20;
}

/* What may be open besides what is kept back. */
static uint64_t
descriptors_of_files(void)
{
    uint64_t all = descriptors();
    return all > 2 * HF_FILES_RESERVE ? all - HF_FILES_RESERVE : all / 2;
}

size_t
hf_budget_files(void)
{
    return (size_t)HF_MIN(descriptors_of_files() / 4, HF_FILES_OF_SOURCE / 2ull);
}

size_t
hf_budget_connections(void)
{
    return (size_t)HF_MIN(descriptors() / 8, 1024ull);
}

struct hf_budget *
hf_budget_new(struct hf_journal *journal)
{
    struct hf_budget *budget = hf_alloc(sizeof(*budget));
    budget->journal = journal;
    pthread_mutex_init(&budget->lock, NULL);
    hf_table_init(&budget->owners, SIZE_MAX, is_key);
    LIST_INIT(&budget->accounts);
    LIST_INIT(&budget->refused);
    struct hf_journal_info info;
    hf_journal_info(journal, &info);
    budget->pools[HF_BUDGET_STATE].max =
        info.state_bytes_max / 8 * 5; /* the rest: streams, trails */
    budget->pools[HF_BUDGET_FILES].max = descriptors_of_files();
    charge_before(budget);
    return budget;
}

void
hf_budget_free(struct hf_budget *budget)
{
    if (!budget)
        return;
    hf_epochs_done(budget);
    if (budget->before)
        hf_owner_unref(budget->before);
    for (struct hf_owner *owner; (owner = LIST_FIRST(&budget->refused)) != NULL;) {
        LIST_REMOVE(owner, refused_entry);
        hf_owner_unref(owner);
    }
    hf_assert(LIST_EMPTY(&budget->accounts));
    hf_table_done(&budget->owners);
    pthread_mutex_destroy(&budget->lock);
    hf_freep(&budget);
}

struct hf_budget_sums
hf_budget_sums(struct hf_budget *budget, enum hf_budget_kind kind)
{
    look(budget);
    pthread_mutex_lock(&budget->lock);
    struct hf_budget_sums sums = { .max = budget->pools[kind].max,
                                   .used = budget->pools[kind].held,
                                   .owners = budget->owners.count,
                                   .epochs = budget->epochs.end - budget->epochs.first };
    pthread_mutex_unlock(&budget->lock);
    return sums;
}

uint64_t
hf_owner_held(struct hf_owner *owner, enum hf_budget_kind kind)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    uint64_t held = owner->held[kind];
    pthread_mutex_unlock(&budget->lock);
    return held;
}
