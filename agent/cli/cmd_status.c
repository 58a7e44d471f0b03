/* holdfast status: the agent's answer, for people, as it is, or as metrics. */
#include "commands.h"
#include "say.h"
#include "target.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 10000

static unsigned long long
number(const json_t *doc, const char *key)
{
    return (unsigned long long)hf_doc_u64_or(doc, key, 0);
}

static const char *
text(const json_t *doc, const char *key)
{
    return hf_doc_text_or(doc, key, "");
}

static void
print_agent(const json_t *reply, int64_t now_s)
{
    char since[64], held[32], most[32];
    const json_t *agent = json_object_get(reply, "agent"),
                 *journal = json_object_get(reply, "journal");
    ago_text(hf_doc_text_or(agent, "started", NULL), now_s, since);
    printf("agent    version %s, pid %llu, host %s, started %s\n", text(agent, "version"),
           number(agent, "pid"), text(agent, "host"), since);
    bytes_text(hf_doc_u64_or(journal, "bytes", 0), held);
    bytes_text(hf_doc_u64_or(journal, "max_bytes", 0), most);
    printf("journal  acknowledged up to %llu, holds %s of %s\n",
           number(journal, "durable_sequence"), held, most);
    if (json_is_true(json_object_get(journal, "full")))
        printf("         FULL, nothing is taken in: %s\n", text(journal, "reason"));
    else if (!json_is_true(json_object_get(reply, "ok")) && number(journal, "seconds_left"))
        printf(
            "         full in about %llu h at the rate since the start, if nothing is delivered\n",
            number(journal, "seconds_left") / 3600);
}

/* What of its files is not read, and is no reason to be not well. */
static void
print_files(const json_t *source)
{
    char bytes[32];
    if (strcmp(text(source, "type"), "file") != 0)
        return;
    if (number(source, "matched") == 0)
        puts("         its path matches no file");
    if (hf_doc_text_or(source, "others_are", NULL))
        printf("         %s\n", text(source, "others_are"));
    if (number(source, "unread"))
        printf("         %llu names are not read\n", number(source, "unread"));
    if (number(source, "held"))
        printf("         %llu files wait: they may be copies of others\n", number(source, "held"));
    if (number(source, "sparse"))
        printf("         %llu files are mostly holes, which are skipped\n",
               number(source, "sparse"));
    bytes_text(hf_doc_u64_or(source, "nul_bytes", 0), bytes);
    if (number(source, "nul_bytes"))
        printf("         %s of NUL bytes at the ends of files are no content yet\n", bytes);
    bytes_text(hf_doc_u64_or(source, "skipped_bytes", 0), bytes);
    if (number(source, "skipped_bytes"))
        printf("         %s of holes were skipped\n", bytes);
}

static void
print_source(const json_t *source)
{
    char behind[32];
    bytes_text(hf_doc_u64_or(source, "behind_bytes", 0), behind);
    printf("source   %s (%s): %llu events", text(source, "name"), text(source, "type"),
           number(source, "events"));
    if (number(source, "files"))
        printf(", %llu files, %s behind", number(source, "files"), behind);
    if (number(source, "connections"))
        printf(", %llu connections", number(source, "connections"));
    if (number(source, "text") || number(source, "base64"))
        printf(", %llu not JSON", number(source, "text") + number(source, "base64"));
    if (number(source, "parts"))
        printf(", %llu parts of over-long lines", number(source, "parts"));
    if (number(source, "gaps"))
        printf(", %llu GAPS", number(source, "gaps"));
    puts(json_is_true(json_object_get(source, "waiting")) ? ", waits for room in the journal" : "");
    print_files(source);
    if (hf_doc_text_or(source, "problem", NULL))
        printf("         PROBLEM: %s\n", text(source, "problem"));
}

static void
print_trail(const json_t *trail, int64_t now_s)
{
    char since[64], delivery[64], digest[64], bytes[32], spool[32];
    const char *reason = hf_doc_text_or(trail, "reason", NULL);
    printf("trail    %s: %s%s, to %s/%s on %s, %s, %s %llu days\n", text(trail, "name"),
           text(trail, "state"),
           json_is_true(json_object_get(trail, "draining")) ? " (draining)" : "",
           text(trail, "bucket"), text(trail, "prefix"), text(trail, "store"),
           text(trail, "encryption"), text(trail, "lock_mode"), number(trail, "lock_days"));
    if (reason) {
        ago_text(hf_doc_text_or(trail, "since", NULL), now_s, since);
        printf("         HELD since %s: %s\n         next try in %llu s\n", since, reason,
               number(trail, "retry_in_s"));
    }
    ago_text(hf_doc_text_or(trail, "last_delivery", NULL), now_s, delivery);
    ago_text(hf_doc_text_or(trail, "last_digest", NULL), now_s, digest);
    bytes_text(hf_doc_u64_or(trail, "bytes_delivered", 0), bytes);
    bytes_text(hf_doc_u64_or(trail, "spool_bytes", 0), spool);
    printf("         delivered %llu records in %llu objects (%s), last %s\n",
           number(trail, "records_delivered"), number(trail, "objects_delivered"), bytes, delivery);
    printf("         digest %llu, last %s; %llu objects not yet in one\n",
           number(trail, "digest_number"), digest, number(trail, "objects_undigested"));
    printf("         waiting: %llu events not cut, %llu windows with %llu records, %s sealed%s\n",
           number(trail, "uncut_events"), number(trail, "windows_waiting"),
           number(trail, "records_waiting"), spool,
           json_is_true(json_object_get(trail, "spool_full")) ? " (FULL: no more is sealed)" : "");
    if (json_is_true(json_object_get(trail, "chain_unseen")))
        printf(
            "         confirm: put gives no right to read: a foreign chain would not be noticed\n");
    if (number(trail, "strays"))
        printf("         %llu keys among its digests are none of this chain: find out who put them "
               "there\n",
               number(trail, "strays"));
    if (hf_doc_text_or(trail, "digest_problem", NULL))
        printf("         NO DIGEST can be made: %s\n", hf_doc_text_or(trail, "digest_problem", ""));
    if (hf_doc_text_or(trail, "head_problem", NULL))
        printf("         %s: `holdfast validate` says more\n",
               hf_doc_text_or(trail, "head_problem", ""));
    if (json_is_true(json_object_get(trail, "pins_journal")))
        puts("         this trail keeps the oldest part of the journal");
    if (number(trail, "ledger_repairs"))
        printf("         its ledger was DAMAGED in %llu steps and made whole from its second file: "
               "look at the disk\n",
               number(trail, "ledger_repairs"));
    if (number(trail, "failures") || number(trail, "repeated"))
        printf("         %llu failed attempts, %llu repeated versions\n", number(trail, "failures"),
               number(trail, "repeated"));
}

static void
print_all(const json_t *reply)
{
    const json_t *sources = json_object_get(reply, "sources"),
                 *left = json_object_get(reply, "positions_left"),
                 *trails = json_object_get(reply, "trails"),
                 *stores = json_object_get(reply, "stores");
    int64_t now_s = hf_wall_s();
    print_agent(reply, now_s);
    for (size_t i = 0; i < json_array_size(sources); i++)
        print_source(json_array_get(sources, i));
    for (size_t i = 0; i < json_array_size(left); i++)
        printf(
            "         %llu positions of files are kept for source '%s', which is not configured; "
            "under another name its files are read from where `start` says\n",
            number(json_array_get(left, i), "positions"), text(json_array_get(left, i), "source"));
    for (size_t i = 0; i < json_array_size(trails); i++)
        print_trail(json_array_get(trails, i), now_s);
    for (size_t i = 0; i < json_array_size(stores); i++) {
        const json_t *store = json_array_get(stores, i);
        long long skew_s = (long long)json_integer_value(json_object_get(store, "skew_s"));
        printf("store    %s: %s, its clock %+lld s from ours%s\n", text(store, "name"),
               text(store, "url"), skew_s,
               json_is_true(json_object_get(store, "advisory"))
                   ? ", locks ADVISORY: root can delete what lies there"
                   : "");
    }
    puts(json_is_true(json_object_get(reply, "ok")) ? "all is well" : "NOT well: see above");
}

/* Whoever scrapes this wants the numbers of an agent that is not well, too, and takes another
 * exit code for a failed scrape. */
static int
print_metrics(const struct options *options, json_t *reply)
{
    hf_owned(hf_buf_done) struct hf_buf metrics = HF_BUF(HF_METRICS_MAX);
    enum hf_status status = hf_metrics_text(reply, &metrics);
    json_decref(reply);
    if (status != HF_OK)
        return say_failure(
            options, status,
            &(struct hf_error){ .text = "the metrics are more than an answer may hold" });
    fwrite(metrics.ptr, 1, metrics.size, stdout);
    return say_done(EXIT_WELL);
}

int
cmd_status(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    json_t *reply = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK) {
        hf_owned(hf_doc_freep) json_t *request = json_pack("{s:s}", "command", "status");
        status = hf_control_call(config->agent.control, request, ANSWER_MS, &reply, &err);
    }
    hf_config_free(config);
    if (status == HF_OK && hf_doc_text_or(reply, "error", NULL)) {
        status = hf_fail(&err, HF_EUNREACHABLE, "the agent answered: %.300s",
                         hf_doc_text_or(reply, "error", ""));
        json_decref(reply);
    }
    if (status != HF_OK)
        return say_failure(options, status, &err);
    if (options->metrics)
        return print_metrics(options, reply);
    int code = json_is_true(json_object_get(reply, "ok")) ? EXIT_WELL : EXIT_NOT_WELL;
    if (options->json)
        return say_json(reply, code);
    print_all(reply);
    json_decref(reply);
    return say_done(code);
}
