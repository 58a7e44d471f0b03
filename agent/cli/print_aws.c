/* validate --print-aws: shell lines with which the AWS CLI walks the same chain. Newer versions
 * take the store's address from the environment (AWS_ENDPOINT_URL_S3); older ones, Debian 12's 2.9
 * among them, only from endpoint rules of their own, which
 * --aws-data writes. With both given every version works. */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/api.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX (64u << 10)

static void
print_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
    putchar('\'');
}

static void
print_export(const char *name, const char *value)
{
    printf("export %s=", name);
    print_quoted(value);
    putchar('\n');
}

/* ---- endpoint rules ---- */

static json_t *
endpoint_rule(const char *url, const char *region, json_t *conditions)
{
    return json_pack("{s:s, s:o, s:{s:s, s:{s:[{s:s, s:s, s:s, s:b}]}, s:{}}}", "type", "endpoint",
                     "conditions", conditions, "endpoint", "url", url, "properties", "authSchemes",
                     "name", "sigv4", "signingName", "s3", "signingRegion", region,
                     "disableDoubleEncoding", 1, "headers");
}

static json_t *
endpoint_rules(const struct hf_config_store *store)
{
    const char *host = hf_config_store_place(store);
    int scheme = (int)(host - store->url);
    char *in_bucket hf_owned(hf_freep) =
        store->addressing == HF_ADDRESSING_VIRTUAL
            ? hf_asprintf("%.*s{Bucket}.%s", scheme, store->url, host)
            : hf_asprintf("%s/{Bucket}", store->url);
    json_t *has_bucket = json_pack("[{s:s, s:[{s:s}]}]", "fn", "isSet", "argv", "ref", "Bucket");
    json_t *rules = json_pack("[o, o]", endpoint_rule(in_bucket, store->region, has_bucket),
                              endpoint_rule(store->url, store->region, json_array()));
    return json_pack("{s:s, s:{s:{s:b, s:s, s:s}, s:{s:s, s:b, s:s, s:s}}, s:o}", "version", "1.0",
                     "parameters", "Bucket", "required", 0, "type", "String", "documentation",
                     "The bucket.", "Region", "builtIn", "AWS::Region", "required", 0, "type",
                     "String", "documentation", "The region.", "rules", rules);
}

/* `ret_directory` is the absolute path. */
static enum hf_status
write_rules(const char *directory, const struct hf_config_store *store,
            char ret_directory[HF_PATH_MAX], struct hf_error *err)
{
    char *folder hf_owned(hf_freep) = hf_asprintf("%s/s3/2006-03-01", directory);
    char *file hf_owned(hf_freep) = hf_asprintf("%s/endpoint-rule-set-1.json", folder);
    hf_owned(hf_doc_freep) json_t *rules = endpoint_rules(store);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(RULES_MAX);
    enum hf_status status = hf_doc_dump_pretty(rules, &text);
    if (status == HF_OK)
        status = hf_fs_mkdirs(folder, 0755, err);
    if (status == HF_OK)
        status = hf_fs_replace(file, text.ptr, text.size, 0644, err);
    if (status == HF_OK)
        status = hf_fs_real_path(directory, ret_directory, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "--aws-data");
}

/* ---- the lines ---- */

static void
print_environment(const struct hf_config_store *store, const char *api_url, const char *data)
{
    print_export("AWS_ENDPOINT_URL_S3", store->url);
    print_export("AWS_ENDPOINT_URL_CLOUDTRAIL", api_url);
    print_export("AWS_EC2_METADATA_DISABLED", "true");
    if (data)
        print_export("AWS_DATA_PATH", data);
    else
        puts("# AWS CLI older than 2.13: print this again with --aws-data DIR");
    if (store->ca_file)
        print_export("AWS_CA_BUNDLE", store->ca_file);
    if (store->credentials_file) {
        print_export("AWS_SHARED_CREDENTIALS_FILE", store->credentials_file);
        print_export("AWS_PROFILE", store->profile);
    } else {
        puts("# credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of someone who may read "
             "and list the bucket");
    }
    if (!data && store->addressing == HF_ADDRESSING_PATH)
        puts("# once, where the store has a host name: aws configure set "
             "default.s3.addressing_style path");
}

static void
print_command(const struct options *options, const struct target *target, const char *api_url)
{
    char arn[HF_API_ARN_SIZE], start[HF_TIME_SIZE], end[HF_TIME_SIZE];
    struct hf_api_options api = { .account = target->layout.account,
                                  .region = target->layout.region };
    hf_api_trail_arn(&api, target->layout.trail, arn);
    hf_time_rfc3339(options->start_s, start);
    hf_time_rfc3339(options->end_s, end);
    printf("aws --endpoint-url ");
    print_quoted(api_url);
    printf(" cloudtrail validate-logs --region ");
    print_quoted(target->layout.region);
    printf(" --trail-arn ");
    print_quoted(arn);
    printf(" --start-time %s", options->start_s ? start : "2020-01-01T00:00:00Z");
    if (options->end_s)
        printf(" --end-time %s", end);
    puts(" --verbose");
}

static enum hf_status
check_possible(const struct options *options, const struct target *target, struct hf_error *err)
{
    char address[64];
    uint16_t port;
    if (!target->config)
        return hf_fail(err, HF_EUSAGE,
                       "--print-aws needs the configuration that `holdfast api` runs with, not a "
                       "bucket alone");
    if (target->own_store.kind == HF_STORE_DIR)
        return hf_fail(
            err, HF_EUSAGE,
            "'%s' is a directory; the AWS CLI reads from S3 only (`holdfast validate` reads both)",
            target->own_store.url);
    if (!hf_listen_parse(options->aws.api, address, &port) || port == 0)
        return hf_fail(err, HF_EUSAGE, "--api: '%s' is not ADDRESS:PORT", options->aws.api);
    if (target->trail->encryption == HF_ENCRYPT_SSE_C)
        return hf_fail(err, HF_EUSAGE,
                       "trail '%s' uses sse-c, whose key the AWS CLI cannot be given for this",
                       target->trail->name);
    return HF_OK;
}

int
print_aws(const struct options *options, const struct target *target)
{
    struct hf_error err = { 0 };
    char directory[HF_PATH_MAX];
    enum hf_status status = check_possible(options, target, &err);
    if (status == HF_OK && options->aws.data)
        status = write_rules(options->aws.data, &target->own_store, directory, &err);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    char *api_url hf_owned(hf_freep) = hf_asprintf("http://%s", options->aws.api);
    printf("# while this runs: holdfast api -c ");
    print_quoted(target->config->path);
    printf(" --listen %s\n", options->aws.api);
    print_environment(&target->own_store, api_url, options->aws.data ? directory : NULL);
    print_command(options, target, api_url);
    return say_done(EXIT_WELL);
}
