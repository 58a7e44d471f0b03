/* The journal alone: hf_append DIRECTORY FILE [WARM_BYTES]
 *
 * Appends the file's lines, one unit each, as fast as the journal takes them, and waits until all
 * is durable. Before the clock starts it takes WARM_BYTES (default 192 MiB) of the same, so that
 * its segments are reused ones, as they are in an agent that has run for a while. What is durable
 * is released at once, as a trail does when it has sealed it. Prints "bytes N events N commits N
 * wall_s X cpu_s X".
 */
#include "disk.h"
#include <holdfast/journal.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES (64u << 20)
#define JOURNAL_BYTES (1ull << 30)
#define RELEASE_BYTES (16u << 20)
#define SYNC_MS       60000
#define WARM_BYTES    (192ull << 20)
#define BASE_S        1767225600

struct totals {
    uint64_t bytes, events;
};

static void
give_up(const struct hf_error *err)
{
    fprintf(stderr, "hf_append: %s\n", err->text);
    exit(1);
}

static void
append(struct hf_journal *journal, struct hf_slice line)
{
    struct hf_error err;
    if (hf_journal_begin(journal, true, &err) != HF_OK)
        give_up(&err);
    if (hf_journal_append(journal, 1, BASE_S, line, NULL, &err) != HF_OK) {
        hf_journal_abandon(journal);
        give_up(&err);
    }
    hf_journal_commit(journal);
}

static void
release(struct hf_journal *journal)
{
    struct hf_journal_info info;
    hf_journal_info(journal, &info);
    hf_journal_release(journal, info.durable_seq);
}

static struct totals
append_lines(struct hf_journal *journal, const char *bytes, size_t size, uint64_t at_most)
{
    struct totals totals = { 0 };
    uint64_t unreleased = 0;
    struct hf_error err;
    const char *line = bytes, *end = bytes + size, *stop;
    for (; totals.bytes < at_most && line < end &&
           (stop = memchr(line, '\n', (size_t)(end - line))) != NULL;
         line = stop + 1) {
        size_t length = (size_t)(stop - line);
        append(journal, (struct hf_slice){ (const uint8_t *)line, length });
        totals.bytes += length;
        totals.events++;
        unreleased += length;
        if (unreleased >= RELEASE_BYTES) {
            release(journal);
            unreleased = 0;
        }
    }
    if (hf_journal_sync(journal, SYNC_MS, &err) != HF_OK)
        give_up(&err);
    return totals;
}

static void
warm_up(struct hf_journal *journal, const char *bytes, size_t size, uint64_t warm)
{
    for (uint64_t done = 0; done < warm;) {
        uint64_t took = append_lines(journal, bytes, size, warm - done).bytes;
        if (took == 0)
            return;
        done += took;
    }
    release(journal);
}

int
main(int argc, char **argv)
{
    struct hf_error err;
    struct hf_buf bytes;
    struct hf_journal *journal = NULL;
    struct hf_journal_recovery recovery;
    struct hf_journal_info before, after;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: hf_append DIRECTORY FILE [WARM_BYTES]\n");
        return 2;
    }
    struct hf_journal_options options = { .directory = argv[1],
                                          .max_bytes = JOURNAL_BYTES,
                                          .segment_bytes = SEGMENT_BYTES };
    hf_buf_init(&bytes, SIZE_MAX);
    if (hf_fs_read_file(argv[2], SIZE_MAX, &bytes, &err) != HF_OK ||
        hf_journal_open(&options, &journal, &recovery, &err) != HF_OK)
        give_up(&err);
    hf_journal_recovery_done(&recovery);
    warm_up(journal, (const char *)bytes.ptr, bytes.size,
            argc == 4 ? strtoull(argv[3], NULL, 10) : WARM_BYTES);
    hf_journal_info(journal, &before);
    double wall = wall_s(), cpu = cpu_s();
    struct totals totals = append_lines(journal, (const char *)bytes.ptr, bytes.size, UINT64_MAX);
    wall = wall_s() - wall;
    cpu = cpu_s() - cpu;
    hf_journal_info(journal, &after);
    printf("bytes %" PRIu64 " events %" PRIu64 " commits %" PRIu64 " wall_s %.4f cpu_s %.4f\n",
           totals.bytes, totals.events, after.commits - before.commits, wall, cpu);
    hf_journal_close(journal);
    hf_buf_done(&bytes);
    return 0;
}
