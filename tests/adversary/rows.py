"""The table of attacks: what each is, what `status` must say, and what is looked at afterwards."""
import os
from dataclasses import dataclass
from typing import Callable


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
    before: Callable = nothing
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
    import time
    time.sleep(1)
    before = play.agent.cpu_s()
    time.sleep(2)
    used = play.agent.cpu_s() - before
    play.check(used < 0.5, f"the agent takes {used:.2f} s of CPU in 2 s afterwards")


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


ROWS = {
    "disk": Row("a watched file, written at the disk's speed while the store is down", 12, (("logs", "over the share of the journal"),), True, before=away, after=back),
    "connections": Row("1,100 connections that said one byte, again and again", 8, (("local", "over the share of the connections"),), True),
    "streams": Row("17,500 streams of one line", 60, (("local", "over the share of the streams"),), True),
    "names": Row("9,000 files with names of 250 bytes in a watched folder", 40, (("logs", "over the share of the positions"),), True, flush=(0, 3), after=take_names_away),
    "chmod": Row("an endless chmod of two watched files", 6),
    "vanish": Row("8,100 files made and unlinked at once, again and again", 15, (("logs", "over the share of the files open"),), after=take_names_away, judge=idle),
    "equal": Row("4,000 short files that are equal", 60, judge=equal_are_read),
    "links": Row("links to what he may not read, a second name of it, FIFO, socket, folder, a terabyte of nothing, a link that is a file now and then", 8,
                 (("logs", "FIFO"),), before=link_in_his_place, judge=secret_is_kept, flush=(0, 3)),
    "folders": Row("3,000 folders where everybody may make them, 64 KiB in each, while the store is down", 40, (("open", "over the share of the journal"),), True,
                   before=away, after=back),
    "long": Row("one line without end, of 200 MiB", 40),
    "rename": Row("an endless rename of his files over each other", 8, judge=idle),
    "truncate": Row("an endless write and truncate of one file", 8, judge=idle),
}
