/* Recovery over arbitrary segment bytes. Whatever lies in the directory, the journal opens or says
 * why not; every sequence up to the next one is then either read or told lost, exactly once; and
 * what is appended afterwards is there at the next start.
 *
 * Input: one byte of mode, then bytes. Mode 1: the file as it is. Else they are what stands behind
 * a good header (its sequences from two bytes); 2: the checksums in them are made right, so that
 * the sizes behind them are believed; 4: two segments.
 */
#include "agent/journal/journal_impl.h"
#include "tests/fuzz/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GENERATION 0x1122334455667788ull
#define MAX_INPUT  65536u

static void
put_file(uint64_t number, const uint8_t *bytes, size_t size)
{
    char path[HF_PATH_MAX];

    hf_segment_path(scratch_folder(), number, path);
    FILE *file = fopen(path, "wb");
    must(file != NULL, "cannot write");
    must(fwrite(bytes, 1, size, file) == size, "cannot write");
    fclose(file);
}

/* Makes the batch at `bytes` verify, as far as its sizes allow; returns its size, 0 when it has
 * none that fits. */
static size_t
mend_batch(uint8_t *bytes, size_t left)
{
    struct hf_disk_batch disk;
    uint32_t seed = hf_batch_seed(GENERATION);

    if (left < sizeof(disk))
        return 0;
    memcpy(&disk, bytes, sizeof(disk));
    disk.magic = HF_BATCH_MAGIC;
    disk.generation = GENERATION;
    disk.flags &= HF_BATCH_WIDE;
    disk.zero = 0;
    disk.type = (uint16_t)(1 + disk.type % 3);
    struct hf_batch_head head = { .wide = disk.flags,
                                  .event_count = disk.event_count,
                                  .payload_bytes = disk.payload_bytes,
                                  .change_bytes = disk.change_bytes };
    uint64_t size = head.payload_bytes <= left ? hf_batch_bytes(&head) : UINT64_MAX;
    if (size <= left) {
        uint64_t payload_at = hf_batch_payload_at(&head), changes_at = hf_batch_changes_at(&head);
        disk.table_crc = hf_crc32c(seed, bytes + sizeof(disk), payload_at - sizeof(disk));
        disk.payload_crc = hf_crc32c(seed, bytes + payload_at, head.payload_bytes);
        disk.change_crc = hf_crc32c(seed, bytes + changes_at, size - changes_at);
    }
    disk.head_crc = hf_crc32c(seed, &disk, offsetof(struct hf_disk_batch, head_crc));
    memcpy(bytes, &disk, sizeof(disk));
    return size <= left ? (size_t)size : 0;
}

static void
put_segment(unsigned number, unsigned first, unsigned released, const uint8_t *data, size_t size,
            bool mend)
{
    size_t bytes = HF_SEGMENT_DATA + size;
    uint8_t *file = calloc(1, bytes);
    struct hf_disk_segment disk;
    struct hf_segment_head head = { .generation = GENERATION,
                                    .order = number,
                                    .first_seq = 1 + first,
                                    .released_seq = HF_MIN(released, first),
                                    .file_bytes = bytes };

    must(file != NULL, "no memory");
    for (unsigned i = 0; i < 2; i++) {
        hf_segment_head_encode(&head, i, &disk);
        memcpy(file + i * sizeof(disk), &disk, sizeof(disk));
    }
    memcpy(file + HF_SEGMENT_DATA, data, size);
    for (size_t at = 0, step;
         mend && (step = mend_batch(file + HF_SEGMENT_DATA + at, size - at)) > 0;)
        at += step;
    put_file(number, file, bytes);
    free(file);
}

static void
put_input(const uint8_t *data, size_t size)
{
    unsigned mode = data[0];

    if (mode & 1 || size < 3) {
        put_file(1, data + 1, size - 1);
        return;
    }
    size_t half = mode & 4 ? (size - 3) / 2 & ~7u : size - 3;
    put_segment(1, data[1] % 16, data[2], data + 3, half, mode & 2);
    if (mode & 4)
        put_segment(2, data[1], data[2] % 16, data + 3 + half, size - 3 - half, mode & 2);
}

static void
read_all(struct hf_journal *journal, uint64_t next)
{
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1u << 20);
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    struct hf_journal_info info;

    hf_journal_info(journal, &info);
    must(hf_journal_reader_open(journal, info.oldest_seq, &reader, &err) == HF_OK, "reader");
    uint64_t seq = info.oldest_seq;
    for (enum hf_status status;
         (status = hf_journal_reader_next(reader, &batch, &loss, &err)) != HF_EFULL;) {
        if (status == HF_ECORRUPT) {
            must(loss.first_seq == seq && loss.last_seq >= seq, "a loss that does not follow");
            seq = loss.last_seq + 1;
            continue;
        }
        must(status == HF_OK, "reader status");
        must(batch.first_seq == seq && batch.count > 0, "a batch that does not follow");
        seq += batch.count;
        hf_buf_reset(&buf);
        status = hf_journal_reader_payload(reader, &buf, &err);
        must(status == HF_ECORRUPT || (status == HF_OK && buf.size == batch.payload_bytes),
             "payload");
    }
    must(seq == next, "sequences without a word");
    hf_journal_reader_close(reader);
}

static uint64_t
open_and_append(bool *ret_opened)
{
    struct hf_journal_options options = { .directory = scratch_folder(),
                                          .max_bytes = 1u << 20,
                                          .segment_bytes = 65536 };
    struct hf_journal_recovery recovery;
    struct hf_journal *journal;
    struct hf_error err;

    enum hf_status status = hf_journal_open(&options, &journal, &recovery, &err);
    *ret_opened = status == HF_OK;
    if (!*ret_opened) {
        must(status == HF_EVERSION, err.text);
        return 0;
    }
    for (size_t i = 0; i < recovery.loss_count; i++)
        must(recovery.losses[i].first_seq <= recovery.losses[i].last_seq + 1 &&
                 recovery.losses[i].last_seq < recovery.next_seq,
             "loss");
    read_all(journal, recovery.next_seq);
    must(hf_journal_begin(journal, true, &err) == HF_OK, "begin");
    must(hf_journal_append(journal, 1, 2, HF_SLICE_LITERAL("{}"), NULL, &err) == HF_OK, "append");
    hf_journal_commit(journal);
    must(hf_journal_sync(journal, 10000, &err) == HF_OK, "sync");
    uint64_t next = recovery.next_seq;
    hf_journal_recovery_done(&recovery);
    hf_journal_close(journal);
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool opened;

    if (size == 0 || size > MAX_INPUT)
        return 0;
    put_input(data, size);
    uint64_t next = open_and_append(&opened);
    if (opened) {
        must(open_and_append(&opened) == next + 1 && opened, "the appended event is gone");
    }
    scratch_clear();
    return 0;
}
