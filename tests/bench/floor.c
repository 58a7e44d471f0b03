/* The floor: what cannot be saved. The same bytes in memory, one thread: SHA-256 of each uncompressed object, libdeflate level 6,
 * SHA-256 of the result. hf_floor FILE OBJECT_BYTES; prints "bytes N cpu_s X gzip_bytes N". */
#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double
cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: hf_floor FILE OBJECT_BYTES\n");
        return 2;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file), object = strtoull(argv[2], NULL, 10);
    rewind(file);
    char *bytes = malloc(size);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t bound = libdeflate_gzip_compress_bound(compressor, object), out_bytes = 0;
    void *out = malloc(bound);
    if (!bytes || !out || fread(bytes, 1, size, file) != size)
        return 1;
    memset(out, 0, bound); /* its pages are there before the clock starts */
    unsigned char hash[EVP_MAX_MD_SIZE];
    double start = cpu_seconds();
    for (size_t at = 0; at < size;) {
        size_t take = size - at < object ? size - at : object;
        const char *end = take < size - at ? memrchr(bytes + at, '\n', take) : NULL;
        if (end)
            take = (size_t)(end + 1 - (bytes + at));
        EVP_Digest(bytes + at, take, hash, NULL, EVP_sha256(), NULL);
        size_t gzip = libdeflate_gzip_compress(compressor, bytes + at, take, out, bound);
        EVP_Digest(out, gzip, hash, NULL, EVP_sha256(), NULL);
        out_bytes += gzip;
        at += take;
    }
    printf("bytes %zu cpu_s %.3f gzip_bytes %zu\n", size, cpu_seconds() - start, out_bytes);
    libdeflate_free_compressor(compressor);
    free(bytes);
    free(out);
    return 0;
}
