/* Standard input: lines until its end. It has no position: what was read and is not durable yet is
 * lost with the process.
 *
 * The descriptor is left blocking, because others may share it: it is read only when there is
 * something to read. A regular file is always ready and cannot be polled: then one block is read
 * per turn. */
#include "agent/intake/intake_impl.h"

#include <event2/event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

struct stdin_source {
    struct hf_source source;
    struct event *readable;
    struct hf_buf in;
    struct hf_long_line line;
    bool by_turns;       /* not to be polled */
    bool running, ended; /* end of input was read */
    uint64_t received, drain_to;
};

_Static_assert(offsetof(struct stdin_source, source) == 0, "as hf_source_kind says");

static struct stdin_source *
stdin_source(const struct hf_source *source)
{
    return hf_container_of(source, struct stdin_source, source);
}

/* One unit. false: there is nothing whole, or it was refused. */
static bool
hand_over(struct stdin_source *source)
{
    struct hf_unit unit;
    struct hf_cut cut;
    struct hf_slice input = hf_buf_slice(&source->in);
    if (hf_piece_next(input, source->source.max_event, source->line.parts > 0, source->ended)
            .kind == HF_PIECE_NONE)
        return false;
    if (hf_unit_begin(&unit, &source->source) != HF_OK ||
        hf_unit_lines(&unit, input, source->ended, &source->line, &cut) != HF_OK)
        return false;
    if (unit.events > 0)
        hf_unit_commit(&unit);
    else
        hf_unit_abandon(&unit); /* empty lines only */
    hf_cut_keep(&cut, &source->line);
    memmove(source->in.ptr, source->in.ptr + cut.consumed, source->in.size - cut.consumed);
    source->in.size -= cut.consumed;
    return cut.more;
}

static void
take_lines(struct stdin_source *source)
{
    struct hf_intake *intake = source->source.intake;
    const struct hf_pressure *pressure = &source->source.pressure;
    while (!pressure->blocked && hand_over(source))
        continue;
    bool wanted = source->running && !source->ended && !pressure->blocked;
    if (source->by_turns && wanted)
        hf_source_ready(&source->source);
    else if (!source->by_turns && wanted)
        event_add(source->readable, NULL);
    else if (!source->by_turns)
        event_del(source->readable);
    if (intake->waiter_count > 0)
        hf_intake_notice(intake);
}

static void
read_some(struct stdin_source *source)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_buf *in = &source->in;
    size_t got = 0;
    hf_assert(hf_buf_reserve(in, READ_BYTES) ==
              HF_OK); /* at most a line of max_event is left in it */
    enum hf_status status = hf_fs_read(STDIN_FILENO, in->ptr + in->size, READ_BYTES, &got, &err);
    if (status == HF_EFULL)
        return;
    if (status != HF_OK)
        hf_source_problem(&source->source, &err);
    if (status != HF_OK || got == 0)
        source->ended = true;
    in->size += got;
    source->received += got;
    take_lines(source);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    read_some(context);
}

static enum hf_status
stdin_prepare(struct hf_source *base, struct hf_source *replaces, struct hf_error *err)
{
    struct stdin_source *source = stdin_source(base);
    (void)replaces;
    hf_buf_init(&source->in, (size_t)base->max_event + 4 * READ_BYTES);
    source->readable =
        event_new(base->intake->loop, STDIN_FILENO, EV_READ | EV_PERSIST, on_readable, source);
    return source->readable ? HF_OK
                            : hf_fail(err, HF_EINTERNAL, "the event loop takes no standard input");
}

static void
stdin_start(struct hf_source *base)
{
    struct stdin_source *source = stdin_source(base);
    struct hf_error err = { .status = HF_OK };
    struct stat info;
    source->running = true;
    if (hf_fs_fstat(STDIN_FILENO, &info, &err) != HF_OK) {
        hf_source_problem(base, &err);
        source->ended = true;
        return;
    }
    /* The kernel's poll refuses regular files and devices like /dev/null. */
    source->by_turns = S_ISREG(info.st_mode) || (S_ISCHR(info.st_mode) && !isatty(STDIN_FILENO)) ||
                       event_add(source->readable, NULL) != 0;
    if (source->by_turns)
        hf_source_ready(base);
}

static void
stdin_stop(struct hf_source *base)
{
    struct stdin_source *source = stdin_source(base);
    source->running = false;
    if (source->readable)
        event_del(source->readable);
}

static void
stdin_free(struct hf_source *base)
{
    struct stdin_source *source = stdin_source(base);
    if (source->readable)
        event_free(source->readable);
    hf_buf_done(&source->in);
    hf_long_line_reset(&source->line);
}

static void
stdin_room(struct hf_source *base)
{
    if (stdin_source(base)->running)
        take_lines(stdin_source(base));
}

static bool
stdin_step(struct hf_source *base)
{
    struct stdin_source *source = stdin_source(base);
    if (!source->running || source->ended || !source->by_turns)
        return false;
    read_some(source);
    return source->running && !source->ended && !base->pressure.blocked;
}

static void
stdin_drain(struct hf_source *base)
{
    struct stdin_source *source = stdin_source(base);
    int waiting = 0;
    if (source->ended || ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting < 0)
        waiting = 0;
    source->drain_to = source->received + (uint64_t)waiting;
}

static bool
stdin_drained(struct hf_source *base)
{
    const struct stdin_source *source = stdin_source(base);
    if (source->ended)
        return source->in.size == 0;
    return !source->running || (source->received >= source->drain_to && !base->pressure.blocked);
}

static void
stdin_status(struct hf_source *base, struct hf_source_status *status)
{
    status->behind_bytes = stdin_source(base)->in.size;
}

static bool
stdin_ended(const struct hf_source *base)
{
    const struct stdin_source *source = stdin_source(base);
    return source->ended && source->in.size == 0;
}

const struct hf_source_kind hf_stdin_kind = {
    .size = sizeof(struct stdin_source),
    .prepare = stdin_prepare,
    .start = stdin_start,
    .stop = stdin_stop,
    .free = stdin_free,
    .room = stdin_room,
    .step = stdin_step,
    .drain = stdin_drain,
    .drained = stdin_drained,
    .ended = stdin_ended,
    .status = stdin_status,
};
