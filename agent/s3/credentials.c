/* Credentials: a section of a shared credentials file, or the environment. Strict where it matters:
 * a line that is neither section, setting nor comment is an error, and so is a key given twice,
 * because the other reading would be a guess.
 */
#include "agent/s3/s3_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX       (64 * 1024)
#define ACCESS_KEY_MAX 128
#define SECRET_MAX     512
#define TOKEN_MAX      (16 * 1024)

static void
free_secret(char **text)
{
    if (*text)
        hf_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

static void
forget(struct hf_s3_credentials *credentials)
{
    free_secret(&credentials->access_key);
    free_secret(&credentials->secret_key);
    free_secret(&credentials->session_token);
}

void
hf_s3_credentials_done(struct hf_s3_credentials *credentials)
{
    forget(credentials);
    free(credentials->file);
    free(credentials->profile);
    memset(credentials, 0, sizeof(*credentials));
}

/* All go into header lines or a scope. */
static bool
is_plain(const char *text, size_t max, const char *refused)
{
    size_t size = strlen(text);

    if (!size || size > max)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr(refused, text[i]))
            return false;
    }
    return true;
}

static enum hf_status
check(const struct hf_s3_credentials *credentials, const char *where, struct hf_error *err)
{
    if (!credentials->access_key || !credentials->secret_key)
        return hf_fail(err, HF_ECREDENTIALS, "no %s in %s",
                       credentials->access_key ? "secret access key" : "access key id", where);
    if (!is_plain(credentials->access_key, ACCESS_KEY_MAX, "/,"))
        return hf_fail(err, HF_ECREDENTIALS,
                       "the access key id in %s has characters no access key id has", where);
    if (!is_plain(credentials->secret_key, SECRET_MAX, ""))
        return hf_fail(err, HF_ECREDENTIALS,
                       "the secret access key in %s has characters no secret key has", where);
    if (credentials->session_token && !is_plain(credentials->session_token, TOKEN_MAX, ""))
        return hf_fail(err, HF_ECREDENTIALS, "the session token in %s has characters no token has",
                       where);
    return HF_OK;
}

/* ---- the file ---- */

struct reader {
    const char *profile;
    bool in_profile, found;
    unsigned line;
};

static char *
trim(char *text)
{
    char *end;

    while (*text == ' ' || *text == '\t')
        text++;
    end = text + strlen(text);
    while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = 0;
    return text;
}

static enum hf_status
take_section(struct reader *reader, char *line, struct hf_error *err)
{
    size_t size = strlen(line);

    if (line[size - 1] != ']')
        return hf_fail(err, HF_ECREDENTIALS, "line %u: a section without its ']'", reader->line);
    line[size - 1] = 0;
    reader->in_profile = strcmp(trim(line + 1), reader->profile) == 0;
    if (reader->in_profile && reader->found)
        return hf_fail(err, HF_ECREDENTIALS, "line %u: section '%s' a second time", reader->line,
                       reader->profile);
    reader->found = reader->found || reader->in_profile;
    return HF_OK;
}

static enum hf_status
take_setting(struct reader *reader, char *line, struct hf_s3_credentials *credentials,
             struct hf_error *err)
{
    char *equals = strchr(line, '='), *name, **place = NULL;

    if (!equals)
        return hf_fail(err, HF_ECREDENTIALS, "line %u: neither [section] nor name = value",
                       reader->line);
    *equals = 0;
    name = trim(line);
    if (!reader->in_profile)
        return HF_OK;
    if (strcmp(name, "aws_access_key_id") == 0)
        place = &credentials->access_key;
    else if (strcmp(name, "aws_secret_access_key") == 0)
        place = &credentials->secret_key;
    else if (strcmp(name, "aws_session_token") == 0)
        place = &credentials->session_token;
    if (!place)
        return HF_OK; /* region, output and the like are other programs' */
    if (*place)
        return hf_fail(err, HF_ECREDENTIALS, "line %u: %s a second time", reader->line, name);
    *place = hf_strdup(trim(equals + 1));
    return HF_OK;
}

static enum hf_status
read_lines(struct reader *reader, char *text, struct hf_s3_credentials *credentials,
           struct hf_error *err)
{
    enum hf_status status = HF_OK;

    for (char *line = text, *next; line && status == HF_OK; line = next) {
        bool indented = *line == ' ' || *line == '\t';

        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        reader->line++;
        line = trim(line);
        if (!*line || *line == '#' || *line == ';' ||
            indented) /* indented: a nested setting of the AWS tools */
            continue;
        status = *line == '[' ? take_section(reader, line, err)
                              : take_setting(reader, line, credentials, err);
    }
    return status;
}

enum hf_status
hf_s3_credentials_parse(struct hf_slice text, const char *profile,
                        struct hf_s3_credentials *ret_credentials, struct hf_error *err)
{
    struct hf_s3_credentials read = { .file = NULL };
    struct reader reader = { .profile = profile };
    enum hf_status status;
    char where[160];

    /* Before it is copied: a copy ends at the first NUL, and is wiped as far as the text goes. */
    if (memchr(text.ptr ? (const void *)text.ptr : "", 0, text.size))
        return hf_fail(err, HF_ECREDENTIALS, "not a text file");
    char *copy = hf_strndup((const char *)text.ptr, text.size);
    status = read_lines(&reader, copy, &read, err);
    hf_wipe(copy, text.size);
    free(copy);
    if (status == HF_OK && !reader.found)
        status = hf_fail(err, HF_ECREDENTIALS, "no section [%s]", profile);
    if (status == HF_OK) {
        snprintf(where, sizeof(where), "section [%.128s]", profile);
        status = check(&read, where, err);
    }
    if (status != HF_OK) {
        forget(&read);
        return status;
    }
    forget(ret_credentials);
    ret_credentials->access_key = read.access_key;
    ret_credentials->secret_key = read.secret_key;
    ret_credentials->session_token = read.session_token;
    return HF_OK;
}

static enum hf_status
look_at(const struct hf_s3_credentials *credentials, struct stat *ret_seen, struct hf_error *err)
{
    char path[HF_PATH_MAX];

    return hf_fs_stat(hf_fs_secret_path(credentials->file, path), ret_seen, err);
}

static enum hf_status
read_file(struct hf_s3_credentials *credentials, struct hf_error *err)
{
    struct hf_buf text = HF_BUF(FILE_MAX);
    struct stat seen;
    /* Before reading: a later change is seen next time. */
    enum hf_status status = look_at(credentials, &seen, err);

    if (status == HF_OK)
        status = hf_fs_read_secret(credentials->file, FILE_MAX, &text, err);
    if (status == HF_OK)
        status =
            hf_s3_credentials_parse(hf_buf_slice(&text), credentials->profile, credentials, err);
    if (text.ptr)
        hf_wipe(text.ptr, text.size);
    hf_buf_done(&text);
    if (status != HF_OK) {
        bool absent = status == HF_ENOTFOUND || status == HF_ELIMIT;

        hf_while(err, status, "reading credentials from '%s'", credentials->file);
        if (absent && err)
            err->status = HF_ECREDENTIALS;
        return absent ? HF_ECREDENTIALS : status;
    }
    credentials->seen = seen;
    credentials->stale = false;
    return HF_OK;
}

static enum hf_status
read_environment(struct hf_s3_credentials *credentials, struct hf_error *err)
{
    const char *token = getenv("AWS_SESSION_TOKEN");

    forget(credentials);
    credentials->access_key = hf_strdup(getenv("AWS_ACCESS_KEY_ID"));
    credentials->secret_key = hf_strdup(getenv("AWS_SECRET_ACCESS_KEY"));
    credentials->session_token = token && *token ? hf_strdup(token) : NULL;
    credentials->stale = false;
    return check(
        credentials,
        "the environment; set credentials_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        err);
}

enum hf_status
hf_s3_credentials_init(struct hf_s3_credentials *credentials, const char *file, const char *profile,
                       struct hf_error *err)
{
    credentials->file = hf_strdup(file);
    credentials->profile = hf_strdup(profile ? profile : "default");
    return file ? read_file(credentials, err) : read_environment(credentials, err);
}

static bool
is_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum hf_status
hf_s3_credentials_refresh(struct hf_s3_credentials *credentials, bool *ret_changed,
                          struct hf_error *err)
{
    enum hf_status status;
    struct stat now;

    *ret_changed = false;
    if (!credentials->file)
        return HF_OK;
    /* A file that is gone or half-written does not take away credentials that still work. */
    if (!credentials->stale) {
        if (look_at(credentials, &now, NULL) != HF_OK || is_unchanged(&now, &credentials->seen))
            return HF_OK;
    }
    status = read_file(credentials, err);
    *ret_changed = status == HF_OK;
    if (status != HF_OK && !credentials->stale)
        return HF_OK;
    return status;
}
