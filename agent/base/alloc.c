/* Memory that is never NULL. An exhausted machine ends the process: what was acknowledged lies in
 * the journal, and a path through every caller that handles a missing allocation would be a path
 * that no one ever runs. */
#include <holdfast/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void *
checked(void *pointer)
{
    if (!pointer)
        hf_assert_failed("memory is not exhausted", __FILE__, __LINE__);
    return pointer;
}

void *
hf_alloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *
hf_realloc(void *pointer, size_t size)
{
    return checked(realloc(pointer, size ? size : 1));
}

char *
hf_strdup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

/* Of bytes that need not end with a NUL: strndup() says that its text is a string, and a strict
 * sanitizer looks for the end of it. */
char *
hf_strndup(const char *text, size_t size)
{
    if (!text)
        return NULL;
    size_t length = strnlen(text, size);
    char *copy = checked(malloc(length + 1));
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *
hf_asprintf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    return checked(size < 0 ? NULL : text);
}

void
hf_freep(void *pointer_to_pointer)
{
    void *pointer;

    /* Copied, because the variable is a char *, a struct x *, ..., never a void *. */
    memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
    free(pointer);
    memset(pointer_to_pointer, 0, sizeof(pointer));
}

void
hf_wipe(void *bytes, size_t size)
{
    if (size > 0)
        explicit_bzero(bytes, size);
}

void
hf_hide_memory(void)
{
    struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}
