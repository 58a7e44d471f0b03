"""Data sets: made once in a run for each shape and size, described, and cut into small files where a case wants these."""

import os
import zlib
from dataclasses import dataclass
from itertools import islice

from bench import Failed, say
from cases import DATA_SETS, SMALL_FILE_EVENTS, SMALL_FILES

SAMPLE_BYTES = 50_000_000
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Data:
    """`path` has all events, one a line; `files`, when there is one, is a folder with the same events in many files."""

    name: str
    path: str
    bytes: int
    events: int
    gzip_ratio: float
    files: str = ""
    file_count: int = 1

    def described(self):
        return {"name": self.name, "what": DATA_SETS[self.name][1], "bytes": self.bytes, "events": self.events,
                "mean_event_bytes": round(self.bytes / self.events, 1), "gzip_6_ratio": round(self.gzip_ratio, 2)}


class DataSets:
    """Those of one run, by name and size."""

    def __init__(self, bench):
        self.bench = bench
        self.made = {}

    def get(self, name, size):
        key = (name, size)
        if key not in self.made:
            self.made[key] = self.make(name, size)
        return self.made[key]

    def make(self, name, size):
        path = self.bench.path(f"{name}-{size}.jsonl")
        say(f"data set {name}: {size / 1e6:.0f} MB")
        with open(path, "wb") as out:
            child = self.bench.start(self.bench.tool("hf_gen"), "--bytes", str(size), "--shape", DATA_SETS[name][0], stdout=out)
            code = child.wait()
            self.bench.forget(child)
        if code != 0:
            raise Failed(f"data set {name} of {size} bytes could not be written to {path}")
        os.sync()  # or its pages are written while the first run is measured
        return Data(name, path, os.path.getsize(path), count_lines(path), gzip_ratio(path))

    def small_files(self, name, size):
        """As get(), but in files of 50 events each, 2,000 at most."""
        key = (name, size, "small")
        if key not in self.made:
            whole = self.get(name, size)
            folder = self.bench.path(f"{name}-{size}.files")
            os.mkdir(folder)
            self.made[key] = cut(whole, folder)
        return self.made[key]


def count_lines(path):
    count = 0
    with open(path, "rb") as file:
        while block := file.read(READ_BYTES):
            count += block.count(b"\n")
    return count


def gzip_ratio(path):
    """Of gzip -6, over the first 50 MB."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    taken = packed = 0
    with open(path, "rb") as file:
        while taken < SAMPLE_BYTES and (block := file.read(READ_BYTES)):
            taken += len(block)
            packed += len(packer.compress(block))
    return taken / (packed + len(packer.flush()))


def cut(whole, folder):
    """The first events of a data set in files of their own, and the same events in one file for the floor."""
    events = count = 0
    path = folder + ".jsonl"
    with open(whole.path, "rb") as lines, open(path, "wb") as joined:
        while count < SMALL_FILES and (part := list(islice(lines, SMALL_FILE_EVENTS))):
            with open(os.path.join(folder, f"app-{count:05d}.jsonl"), "wb") as file:
                file.writelines(part)
            joined.writelines(part)
            events += len(part)
            count += 1
    return Data(whole.name, path, os.path.getsize(path), events, gzip_ratio(path), folder, count)
