/* Writes varied audit events (event.h), each with its own number:
 *
 *   hf_gen [--events N | --bytes N] [--first N] [--seed N] [--shape mixed|short|large|random]
 *
 * The same arguments give the same bytes.
 */
#include "event.h"
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
    uint64_t events = UINT64_MAX, bytes = UINT64_MAX, first = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--events") == 0)
            events = value;
        else if (strcmp(argv[i], "--bytes") == 0)
            bytes = value;
        else if (strcmp(argv[i], "--first") == 0)
            first = value;
        else if (strcmp(argv[i], "--seed") == 0)
            event_seed(value);
        else if (strcmp(argv[i], "--shape") == 0 && event_shape(argv[i + 1]))
            continue;
        else
            argc = 0;
    }
    if (argc % 2 == 0 || (events == UINT64_MAX && bytes == UINT64_MAX)) {
        fprintf(stderr, "usage: hf_gen [--events N | --bytes N] [--first N] [--seed N] [--shape "
                        "mixed|short|large|random]\n");
        return 2;
    }
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    uint64_t written = 0;
    for (uint64_t i = 0; i < events && written < bytes; i++) {
        rewind(out);
        event_write(out, first + i);
        fflush(out);
        written += fwrite(line, 1, (size_t)ftell(out), stdout);
    }
    fclose(out);
    free(line);
    return fflush(stdout) != 0;
}
