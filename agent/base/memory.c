/* What an agent that has nothing to do gives back. Most of its memory is not its own: pages of some
 * fifty libraries, which were touched once, at the start or while a window was sealed and sent. The
 * kernel would take them away when it is short of memory; a host that is not short of it counts
 * them all the same. */
#include <holdfast/base.h>

#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define STATUS_MAX 65536

static uint64_t used_ms; /* atomic: boot time of the last use */

/* ---- pages of the program and its libraries ---- */

/* Relocations in a segment that is not written to otherwise; our own builds have none. */
static bool
has_text_relocations(const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
    const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + segment->p_vaddr);

    for (; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_TEXTREL ||
            (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
            return true;
    return false;
}

/* Whole pages only: the first and the last may be shared with the segment beside it. */
static void
drop_segment(const struct dl_phdr_info *object, const ElfW(Phdr) * segment, size_t page)
{
    uintptr_t from = object->dlpi_addr + segment->p_vaddr;
    uintptr_t to = from + HF_MIN(segment->p_filesz, segment->p_memsz);

    from = (from + page - 1) & ~(page - 1);
    to &= ~(page - 1);
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* refused: nothing is lost */
}

static int
drop_object(struct dl_phdr_info *object, size_t size, void *context)
{
    const size_t *page = context;

    (void)size;
    if (object->dlpi_addr == getauxval(AT_SYSINFO_EHDR)) /* the kernel's own; it is no file */
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC &&
            has_text_relocations(object, &object->dlpi_phdr[i]))
            return 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_LOAD && !(object->dlpi_phdr[i].p_flags & PF_W))
            drop_segment(object, &object->dlpi_phdr[i], *page);
    return 0;
}

/* A debugger's breakpoints are bytes that it wrote into such pages. */
static bool
is_traced(void)
{
    hf_owned(hf_buf_done) struct hf_buf status = HF_BUF(STATUS_MAX);

    if (hf_fs_read_file("/proc/self/status", STATUS_MAX, &status, NULL) != HF_OK)
        return true;
    const char *tracer = strstr(hf_buf_text(&status), "\nTracerPid:");
    return !tracer || strtol(tracer + strlen("\nTracerPid:"), NULL, 10) != 0;
}

/* ---- the contract ---- */

/* MADV_DONTNEED takes the pages out of this process's map; they stay in the page cache and come
 * from there at the next touch, sixteen at a time. That is right only for what is still as the file
 * has it. So: segments that are not writable, of objects without text relocations; what the linker
 * wrote and then protected (RELRO) lies in a writable segment. While this goes through the list no
 * library can be unloaded: dl_iterate_phdr() holds the linker's lock, and an address found in it
 * cannot have become somebody's heap by the time it is dropped. (A uprobe set from outside is lost,
 * until it is set again.) MADV_COLD would leave the pages in the map, and MADV_PAGEOUT is for the
 * owners of the files. Sanitizers and valgrind need no exception: the same rule holds for their own
 * segments. */
void
hf_memory_give_back(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    (void)malloc_trim(0);
    if (!is_traced())
        (void)dl_iterate_phdr(drop_object, &page);
}

void
hf_memory_note_use(void)
{
    __atomic_store_n(&used_ms, hf_boot_ms(), __ATOMIC_RELAXED);
}

bool
hf_memory_give_back_if_quiet(void)
{
    uint64_t quiet_ms = hf_boot_ms() - __atomic_load_n(&used_ms, __ATOMIC_RELAXED);

    /* A timer may come a little early. */
    if (quiet_ms < HF_MEMORY_QUIET_MS - HF_MEMORY_QUIET_MS / 10)
        return false;
    hf_memory_give_back();
    return true;
}
