/* state_dir/identity: who this agent is, fixed at the first start. The boot id and the host name
 * may change under a living agent; the journal id never does. */
#include <holdfast/crypto.h>
#include <holdfast/json.h>
#include <holdfast/trail.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
read_machine_id(char ret_id[HF_ID_SIZE])
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    *ret_id = '\0';
    if (hf_fs_read_file("/etc/machine-id", 4096, &text, NULL) == HF_OK && text.size >= 32)
        snprintf(ret_id, HF_ID_SIZE, "%.32s", hf_buf_text(&text));
}

/* The host's name becomes the key prefix: only what is safe there. */
static void
safe_host(const char *host, char *ret_host, size_t size)
{
    size_t used = 0;
    for (const char *c = host; *c && used + 1 < size; c++) {
        bool fine = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || *c == '.' || *c == '-' || *c == '_';
        ret_host[used++] = fine ? *c : '-';
    }
    ret_host[used] = '\0';
    if (!used || *ret_host == '.')
        snprintf(ret_host, size, "host");
}

/* What objects and digests are named after. (Not the machine: an administrator may have to
 * change that.) */
static void
checksum(const char *journal, const char *host, char ret_text[16])
{
    uint32_t crc = hf_crc32c(hf_crc32c(0, journal, strlen(journal) + 1), host, strlen(host));
    snprintf(ret_text, 16, "%08x", crc);
}

static enum hf_status
make_identity(const char *path, const char *host, struct hf_identity *identity,
              struct hf_error *err)
{
    char name[256] = "", check[16];
    if (!host && gethostname(name, sizeof(name) - 1) != 0)
        return hf_fail_errno(err, HF_EIO, "asking for the host's name");
    safe_host(host ? host : name, identity->host, sizeof(identity->host));
    hf_random(identity->journal_id, sizeof(identity->journal_id));
    hf_hex(identity->journal_id, sizeof(identity->journal_id), identity->journal);
    read_machine_id(identity->machine);
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    hf_doc_set_u64(doc, "format", 1);
    hf_doc_set_text(doc, "journal", identity->journal);
    hf_doc_set_text(doc, "host", identity->host);
    hf_doc_set_text(doc, "machine", identity->machine);
    checksum(identity->journal, identity->host, check);
    hf_doc_set_text(doc, "check", check);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    enum hf_status status = hf_doc_dump_pretty(doc, &text);
    return status == HF_OK ? hf_fs_replace(path, text.ptr, text.size, 0600, err) : status;
}

static enum hf_status
read_identity(const char *path, struct hf_slice text, struct hf_identity *identity,
              struct hf_error *err)
{
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    const char *journal = NULL, *host = NULL;
    char machine[HF_ID_SIZE], check[16];
    uint64_t format = 0;
    enum hf_status status = hf_doc_parse(text, 4096, path, &doc, err);
    if (status == HF_OK)
        status = hf_doc_u64(doc, "format", &format, err);
    if (status == HF_OK && format != 1)
        return hf_fail(err, HF_EVERSION,
                       "'%s' has format %llu: made by a later version of holdfast, which has to be "
                       "installed again",
                       path, (unsigned long long)format);
    if (status == HF_OK)
        status = hf_doc_text(doc, "journal", &journal, err);
    if (status == HF_OK)
        status = hf_doc_text(doc, "host", &host, err);
    if (status != HF_OK)
        return status;
    if (!hf_unhex(journal, strlen(journal), identity->journal_id, sizeof(identity->journal_id)))
        return hf_fail(err, HF_ECORRUPT, "'%s': journal is not 32 hex digits", path);
    hf_hex(identity->journal_id, sizeof(identity->journal_id), identity->journal);
    safe_host(host, identity->host, sizeof(identity->host));
    if (strcmp(identity->journal, journal) != 0 || strcmp(identity->host, host) != 0)
        return hf_fail(
            err, HF_ECORRUPT,
            "'%s': journal or host are not as holdfast writes them; put it back as it was", path);
    checksum(journal, host, check);
    if (strcmp(hf_doc_text_or(doc, "check", check), check) != 0) /* older versions wrote none */
        return hf_fail(
            err, HF_ECORRUPT,
            "'%s' is damaged: journal and host do not have their checksum; put it back as it was",
            path);
    snprintf(identity->machine, sizeof(identity->machine), "%s",
             hf_doc_text_or(doc, "machine", ""));
    read_machine_id(machine);
    if (*machine && *identity->machine && strcmp(machine, identity->machine) != 0)
        return hf_fail(
            err, HF_EREFUSED,
            "'%s' was made on machine %s, this is %s: the state directory was copied. Two agents "
            "must not share one identity; start with an empty state_dir, or, if this host replaced "
            "the other for good, set \"machine\" in that file to \"\"",
            path, identity->machine, machine);
    return HF_OK;
}

enum hf_status
hf_identity_load(const char *state_dir, const char *host, struct hf_identity *ret_identity,
                 struct hf_error *err)
{
    struct hf_identity identity = { 0 };
    char path[HF_PATH_MAX];
    uint8_t boot[16];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    hf_path_join(path, sizeof(path), state_dir, "identity");
    enum hf_status status = hf_fs_read_file(path, 4096, &text, err);
    if (status == HF_ENOTFOUND)
        status = make_identity(path, host, &identity, err);
    else if (status == HF_OK)
        status = read_identity(path, hf_buf_slice(&text), &identity, err);
    if (status != HF_OK)
        return hf_while(err, status, "reading this agent's identity");
    hf_random(boot, sizeof(boot));
    hf_hex(boot, sizeof(boot), identity.boot);
    *ret_identity = identity;
    return HF_OK;
}
