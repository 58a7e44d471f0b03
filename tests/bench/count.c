/* Counts hf_gen's events in gzip objects, whose names are arguments, or lines on stdin with "-":
 *
 *   hf_count EXPECTED FILE ...           numbers 0 to EXPECTED - 1 are there, each once
 *   hf_count --ranges RANGES FILE ...    lines "FIRST MUST [MAY]": from FIRST on MUST are there, each once; those up to FIRST + MAY - 1 at most once
 *   hf_count --lines EXPECTED            the same of events as text on stdin, as `holdfast cat` gives them
 *   --list                               instead of counting: each number that is there, smallest first
 *
 * Prints "events N missing N doubled N foreign N other N"; exit code 1 when any is missing, doubled
 * or foreign (in no range). The first that are wrong go to stderr.
 */
#include "seen.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 10

struct totals {
    uint64_t missing, foreign, named;
};

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

static void
name(struct totals *totals, const char *what, uint64_t number)
{
    if (totals->named++ < NAMED_MAX)
        fprintf(stderr, "%s: %" PRIu64 "\n", what, number);
}

/* What a range accounts for is taken out of `times`, so that what is left in the end is foreign. */
static void
check_range(struct seen *seen, uint64_t first, uint64_t must, uint64_t may, struct totals *totals)
{
    for (uint64_t i = first; i < first + (must > may ? must : may); i++) {
        unsigned times = i < SEEN_NUMBERS ? seen->times[i] : 0;
        if (times == 0 && i < first + must) {
            totals->missing++;
            name(totals, "missing", i);
        } else if (times > 1) {
            name(totals, "doubled", i);
        }
        if (times > 0)
            seen->times[i] = 0;
    }
}

static int
check_ranges(struct seen *seen, const char *path, struct totals *totals)
{
    FILE *file = fopen(path, "r");
    char line[256];
    uint64_t first, must, may;
    if (!file) {
        perror(path);
        return 0;
    }
    while (fgets(line, sizeof(line), file)) {
        may = 0;
        if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &first, &must, &may) < 2) {
            fprintf(stderr, "%s: not a range: %s", path, line);
            return 0;
        }
        check_range(seen, first, must, may, totals);
    }
    fclose(file);
    return 1;
}

static int
count_files(struct seen *seen, int count, char **names)
{
    char path[4096];
    int ok = 1;
    if (strcmp(names[0], "-") != 0) {
        for (int i = 0; i < count; i++)
            ok &= count_file(seen, names[i]);
        return ok;
    }
    while (fgets(path, sizeof(path), stdin)) {
        path[strcspn(path, "\n")] = '\0';
        ok &= count_file(seen, path);
    }
    return ok;
}

static int
count_lines(struct seen *seen)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, stdin)) > 0)
        seen_text(seen, line, (size_t)size);
    free(line);
    return !ferror(stdin);
}

int
main(int argc, char **argv)
{
    struct seen seen;
    struct totals totals = { 0 };
    int ranges = argc > 3 && strcmp(argv[1], "--ranges") == 0,
        list = argc > 2 && strcmp(argv[1], "--list") == 0;
    int lines = argc == 3 && strcmp(argv[1], "--lines") == 0;
    int files = ranges ? 3 : 2;
    if (argc < 3) {
        fprintf(stderr, "usage: hf_count EXPECTED|--ranges FILE|--list FILE ...|-, or hf_count "
                        "--lines EXPECTED\n");
        return 2;
    }
    seen_init(&seen);
    int ok = lines ? count_lines(&seen) : count_files(&seen, argc - files, argv + files);
    if (ranges)
        ok &= check_ranges(&seen, argv[2], &totals);
    else if (!list)
        check_range(&seen, 0, strtoull(argv[lines ? 2 : 1], NULL, 10), 0, &totals);
    for (uint64_t i = 0; i < SEEN_NUMBERS; i++) {
        for (unsigned n = 0; n < seen.times[i] && list; n++)
            printf("%" PRIu64 "\n", i);
        if (list || seen.times[i] == 0)
            continue;
        totals.foreign++;
        name(&totals, "foreign", i);
    }
    if (!list)
        printf("events %" PRIu64 " missing %" PRIu64 " doubled %" PRIu64 " foreign %" PRIu64
               " other %" PRIu64 "\n",
               seen.events, totals.missing, seen.doubled, totals.foreign, seen.other);
    seen_done(&seen);
    return !(ok && totals.missing == 0 && seen.doubled == 0 && totals.foreign == 0);
}
