"""The table of attacks: what each is, what `status` must say, and what is looked at afterwards."""
import base64, os, re, subprocess, time
from dataclasses import dataclass
from typing import Callable

from agent import STRANGER
from stores import Step, digested, junk, nested
from strangers import forged_lines


def nothing(play):
    pass


@dataclass
class Row:
    has: str               # the attacker
    seconds: int           # at most, where the stranger says when he is done
    says: tuple = ()       # (source, pattern): what `status` must say of it
    recorded: bool = False # a SourceRefusal record as well
    flush: tuple = (0,)    # what it may end with
    attack: str = ""       # of strangers.py, where it is not called like the row
    steps: tuple = ()      # of a hostile store, in place of a stranger
    needs: str = ""        # a file, without which it is not played
    ends_said: bool = False # as soon as status says so
    restarts: bool = False # the agent is killed and started again, and all of it happens once more
    before: Callable = nothing
    during: Callable = nothing # the attack
    after: Callable = nothing
    judge: Callable = nothing


# ---- the store is away meanwhile ----

def away(play):
    os.rename(play.agent.path("store"), play.agent.path("store.away"))


def back(play):
    os.rename(play.agent.path("store.away"), play.agent.path("store"))


# ---- files ----

def take_names_away(play):
    for name in os.listdir(play.agent.path("logs/stranger")):
        os.unlink(play.agent.path(f"logs/stranger/{name}"))


def equal_are_read(play):
    read = sum(text.count('"text":"equal"') for text in play.agent.texts())
    play.check(read == 4000, f"{read} of 4000 equal files were read once")
    idle(play)


def idle(play):
    """Afterwards nothing turns in circles."""
    time.sleep(1)
    before = play.agent.cpu_s()
    time.sleep(2)
    used = play.agent.cpu_s() - before
    play.check(used < 0.5, f"the agent takes {used:.2f} s of CPU in 2 s afterwards")


def wants_unread(play):
    """Where the agent is not root it has to say that it cannot read."""
    if play.agent.unit:
        play.row.says, play.row.flush = (("logs", "ermission denied"),), (3,)


def closed_are_counted(play):
    unread = play.most["logs", "unread"]
    read = sum(text.count("not for you") for text in play.agent.texts())
    play.check(read + unread >= 2000, f"of 2000 files {read} were read, and {unread} are said to be unread")
    idle(play)


def leased_are_read(play):
    read = sum(text.count('"text":"leased"') for text in play.agent.texts())
    play.check(read == 50, f"{read} of 50 leased files were read once")


# ---- links ----

def link_in_his_place(play):
    os.link(play.agent.path("kept/secret.log"), play.agent.path("logs/stranger/second.log"))


def secret_is_kept(play):
    for text in play.agent.texts():
        play.check("the secret, " not in text and "PRIVATE KEY" not in text, "what only the agent may read stands in an object")
    play.check("behind a terabyte" in "".join(play.agent.texts()), "what stands behind a hole is not read")
    for what in ("FIFO", "folder", "socket", "link"):
        play.check(play.is_said("logs", what), f"status does not name a {what}: {play.said}")
    play.check(play.most["logs", "unread"] >= 1, "status does not count the second name of a file that is not his")
    idle(play)


# ---- who said it ----

def text_of(record):
    """Of a line that is no text."""
    data = record.get("additionalEventData")
    return base64.b64decode(data["base64"]).decode(errors="replace") if isinstance(data, dict) and "base64" in data else ""


def nothing_is_forged(play):
    seen = []
    for record in play.agent.records():
        names = [name.casefold() for name, unused in record]
        play.check(len(set(names)) == len(names) and names[-1] == "holdfast", f"a record has a member twice: {record}")
        said, number = dict(record)["holdfast"], re.search(r"forged-([0-9]+)-", str(record) + text_of(dict(record)))
        if not number:
            continue
        seen.append((said["source"], int(number.group(1))))
        is_his = said.get("file") == play.agent.path("logs/stranger/forged.log") if said["source"] == "logs" else \
            said["source"] == "local" and said["atConnect"]["uid"] == STRANGER
        play.check(is_his, f"a line of the stranger's is said to be another's: {record}")
        play.check(dict(record)["eventSource"] == said["source"] + ".holdfast" and dict(record)["eventName"] == "LogLine",
                   f"a line of the stranger's speaks for itself: {record}")
    count = len(list(forged_lines()))
    play.check(sorted(seen) == [(source, number) for source in ("local", "logs") for number in range(count)],
               f"{len(seen)} records of {2 * count} lines of the stranger's")


# ---- a mount ----

def flush_names_it(play):
    flushed = play.agent.flush("2s")
    play.check(flushed.returncode == 3 and "logs/stranger" in flushed.stderr, f"flush beside a mount that hangs: {flushed.returncode} {flushed.stderr}")


def unmount(play):
    subprocess.run(play.agent.inside("umount", "--lazy", play.agent.path("logs/stranger")), check=True)


# ---- hostile stores ----

REQUESTS_MOST = 10  # a second
GROWS_MOST_KIB = 64 << 10


def note_memory(play):
    play.grown_kib = play.agent.proc("status", "VmHWM")


def note_newest(play):
    play.newest = digested(play)
    note_memory(play)


def grows_little(play):
    grew = play.agent.proc("status", "VmHWM") - play.grown_kib
    play.check(grew < GROWS_MOST_KIB, f"the agent's memory: {grew} KiB more")


def lines_are_bounded(play):
    """One of max_event for each connection of an owner's share."""
    grew = play.agent.proc("status", "VmHWM") - play.grown_kib
    play.check(grew < 512 * 256 + (32 << 10), f"the agent's memory: {grew} KiB more")


def asks_little(play):
    status = play.look()
    before = play.store.requests()
    time.sleep(5)
    asked = (play.store.requests() - before) / 5
    play.check(asked <= REQUESTS_MOST, f"{asked} requests a second")
    play.check(not status["ok"], "status is well while the newest digest is gone")


def strays_are_counted(play):
    play.check(play.most["strays"] >= 3, f"{play.most['strays']} strays are counted")


ROWS = {
    "disk": Row("a watched file, written at the disk's speed while the store is down", 12, (("logs", "over the share of the journal"),), True, before=away, after=back),
    "connections": Row("1,100 connections that said one byte, again and again", 8, (("local", "over the share of the connections"),), True),
    "streams": Row("17,500 streams of one line", 60, (("local", "over the share of the streams"),), True),
    "names": Row("9,000 files with names of 250 bytes in a watched folder", 40, (("logs", "over the share of the positions"),), True, flush=(0, 3), after=take_names_away),
    "chmod": Row("an endless chmod of two watched files", 6),
    "vanish": Row("8,100 files made and unlinked at once, again and again", 15, (("logs", "over the share of the files open"),), after=take_names_away, judge=idle),
    "equal": Row("4,000 short files that are equal", 60, judge=equal_are_read),
    "closed": Row("2,000 files that only root may read", 30, flush=(0, 3), before=wants_unread, judge=closed_are_counted),
    "links": Row("links to what he may not read, a second name of it, FIFO, socket, folder, a terabyte of nothing, a link that is a file now and then", 8,
                 (("logs", "FIFO"),), before=link_in_his_place, judge=secret_is_kept, flush=(0, 3)),
    "folders": Row("3,000 folders where everybody may make them, 64 KiB in each, while the store is down", 40, (("open", "over the share of the journal"),), True,
                   before=away, after=back),
    "long": Row("one line without end, of 200 MiB", 40),
    "rename": Row("an endless rename of his files over each other", 8, judge=idle),
    "truncate": Row("an endless write and truncate of one file", 8, judge=idle),
    "forge": Row("a file and a connection that say who speaks, in each spelling", 20, judge=nothing_is_forged),
    "slow": Row("300 connections that read no answer, end no greeting, or say a byte a second", 8, judge=idle),
    "knock": Row("an endless connect and close", 8, judge=idle),
    "half": Row("700 connections with a line of 250,000 bytes that does not end", 20, before=note_memory, judge=lines_are_bounded),
    "lease": Row("leases on 50 of his files: who opens one waits for him", 15, (("logs", "temporarily unavailable"),), flush=(0, 3), judge=leased_are_read),
    "tree": Row("20,000 folders, and 1,900 within each other, below a pattern with **", 30, (("tree", "narrower path"),), flush=(0, 3), judge=idle),
    "restart": Row("9,000 files with names of 250 bytes, the agent is killed, and again", 40, (("logs", "over the share of the positions"),), True,
                   flush=(0, 3), attack="names", restarts=True, after=take_names_away),
    "mount": Row("a file system of his own over his folder, which does not answer", 40, (("logs", "logs/stranger"),), ends_said=True, needs="/dev/fuse",
                 during=flush_names_it, after=unmount),
    "values": Row("a store that says C1 bytes in version ids and ETags, and dates past 9999", 30, before=note_newest, judge=grows_little, steps=(
        Step("fault evil-version any", "does not speak S3"), Step("fault evil-etag any", "does not speak S3"), Step("fault evil-date any", "RetainUntilDate"))),
    "endless": Row("a store whose headers, header or body never ends", 30, before=note_newest, judge=grows_little, steps=(
        Step("fault endless-headers any", "header has no end"), Step("fault long-header any", "header has no end"),
        Step("fault endless-body any", "answered with more than", True))),
    "listing": Row("a store whose listings never end, are too large, and have control bytes in keys", 30, before=note_newest, judge=grows_little, steps=(
        Step("fault list-loop list", "does not get anywhere", True), Step("fault list-big list", "answered with more than", True),
        Step("fault list-evil-key list", "", True))),
    "silent": Row("a store that never answers, or a byte a second", 30, before=note_newest, judge=grows_little, steps=(
        Step("fault silent any", "[Tt]imed? ?out|too slow"), Step("fault drip any", "[Tt]imed? ?out|too slow"))),
    "junk": Row("whoever may write and delete: junk under names of digests, the newest digest gone", 30, before=note_newest, during=asks_little,
                judge=grows_little, steps=(Step(junk, "gone or hidden"),)),
    "nested": Row("whoever may write: 16 MiB of nested JSON under a digest's name, three kinds", 30, before=note_newest, judge=strays_are_counted,
                  steps=(Step(nested, "", True),), during=grows_little),
}


def asked(words):
    """The rows of these names and kinds, without any all; none where a word is neither."""
    kinds = {"strangers": [name for name, row in ROWS.items() if not row.steps], "stores": [name for name, row in ROWS.items() if row.steps]}
    if any(word not in ROWS and word not in kinds for word in words):
        return []
    return [name for word in words or kinds for name in kinds.get(word, [word])]
