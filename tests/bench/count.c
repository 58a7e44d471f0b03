/* Counts hf_gen's events in gzip objects: hf_count EXPECTED FILE ...  (or file names on stdin with "-").
 * Prints "events N missing N doubled N other N"; exit code 1 when any is missing or doubled. */
#include "seen.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
count_file(struct seen *seen, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 0;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(size + 1);
    int ok = bytes && fread(bytes, 1, size, file) == size && seen_object(seen, bytes, size);
    if (!ok)
        fprintf(stderr, "%s: not one whole gzip member\n", path);
    free(bytes);
    fclose(file);
    return ok;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: hf_count EXPECTED FILE ... | hf_count EXPECTED -\n");
        return 2;
    }
    struct seen seen = {0};
    uint64_t expected = strtoull(argv[1], NULL, 10);
    int ok = 1;
    char path[4096];
    if (strcmp(argv[2], "-") == 0) {
        while (fgets(path, sizeof(path), stdin)) {
            path[strcspn(path, "\n")] = '\0';
            ok &= count_file(&seen, path);
        }
    }
    for (int i = 2; i < argc && strcmp(argv[2], "-") != 0; i++)
        ok &= count_file(&seen, argv[i]);
    uint64_t missing = seen_missing(&seen, expected);
    printf("events %" PRIu64 " missing %" PRIu64 " doubled %" PRIu64 " other %" PRIu64 "\n", seen.events, missing, seen.doubled, seen.other);
    free(seen.times);
    return !(ok && missing == 0 && seen.doubled == 0);
}
