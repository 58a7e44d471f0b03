#include "seen.h"
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void
seen_init(struct seen *seen)
{
    *seen = (struct seen){ .times = mmap(NULL, SEEN_NUMBERS, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) };
    if (seen->times == MAP_FAILED)
        abort();
}

void
seen_done(struct seen *seen)
{
    munmap(seen->times, SEEN_NUMBERS);
    seen->times = NULL;
}

static void
mark(struct seen *seen, uint64_t number)
{
    seen->events++;
    seen->doubled += seen->times[number] != 0;
    if (number > seen->highest)
        seen->highest = number;
    if (seen->times[number] < 255)
        seen->times[number]++;
}

void
seen_text(struct seen *seen, const char *text, size_t size)
{
    static const char before[] = "\"eventID\":\"", middle[] = "-0000-4000-8000-";
    const char *at = text, *end = text + size;
    while ((at = memmem(at, (size_t)(end - at), before, sizeof(before) - 1)) != NULL) {
        at += sizeof(before) - 1;
        if (end - at < 36)
            return;
        if (memcmp(at + 8, middle, sizeof(middle) - 1) != 0) {
            seen->other++;
            continue;
        }
        char digits[13] = { 0 };
        memcpy(digits, at + 24, 12);
        uint64_t number = strtoull(digits, NULL, 16);
        if (number < SEEN_NUMBERS)
            mark(seen, number);
        else
            seen->other++;
    }
}

int
seen_object(struct seen *seen, const void *gzip, size_t size)
{
    size_t room = 64u << 20, actual_in = 0, actual_out = 0;
    char *text = malloc(room);
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    int ok = text && decompressor &&
             libdeflate_gzip_decompress_ex(decompressor, gzip, size, text, room, &actual_in,
                                           &actual_out) == LIBDEFLATE_SUCCESS &&
             actual_in == size;
    if (ok) {
        seen->plain_bytes += actual_out;
        seen_text(seen, text, actual_out);
    }
    libdeflate_free_decompressor(decompressor);
    free(text);
    return ok;
}

uint64_t
seen_missing(const struct seen *seen, uint64_t expected)
{
    uint64_t missing = 0;
    for (uint64_t i = 0; i < expected; i++)
        missing += i >= SEEN_NUMBERS || seen->times[i] == 0;
    return missing;
}
