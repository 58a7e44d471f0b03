"""What the benchmark can measure: the data sets and the cases, each a row."""

from dataclasses import dataclass

MB = 1_000_000
MIB = 1 << 20

# Name: the shape that hf_gen makes, and what it is.
DATA_SETS = {
    "mixed-1.3k": ("mixed", "CloudTrail-like events of 0.4 to 2 KB, mean 1.4 KB"),
    "short-235": ("short", "login events of about 235 B"),
    "large-20k": ("large", "inventory events of about 20 KB"),
    "random-1.3k": ("random", "events of 1.3 KB, nearly all of it random base64"),
}


@dataclass(frozen=True)
class Case:
    """One way through the agent. `beside` names a case whose way is run in the same pairs, to be compared with."""

    name: str
    line: str
    data: str = "mixed-1.3k"
    kind: str = "agent"  # agent, cores, journal, ack
    input: str = "file"  # file, socket, small
    store: str = "s3"  # s3: the discard server over loopback; dir: the directory store
    encryption: str = "none"
    level: str = "6"
    provenance: str = "full"
    window_bytes: int = 16 * MIB
    beside: str = ""
    pairs: int = 5
    bytes: int = 300 * MB


CASES = [
    Case("main", "one file, level 6, no encryption, to S3 over loopback", pairs=31, bytes=1000 * MB),
    Case("dir", "the same to a directory store", store="dir"),
    Case("short", "small events", data="short-235"),
    Case("large", "large events", data="large-20k"),
    Case("random", "events that cannot be compressed", data="random-1.3k"),
    Case("socket", "through the socket source, as fast as the agent takes it", input="socket"),
    Case("small", "2,000 files of 50 events, windows of 64 KiB: many objects", input="small", window_bytes=64 << 10,
         bytes=140 * MB),
    Case("cms", "encrypted to a certificate; beside it the same without", encryption="cms", beside="main"),
    Case("bare", "agent.provenance none: records do not say who said them; beside it the same with", provenance="none", beside="main",
         pairs=15),
    Case("auto", "compression level auto under a backlog; beside it level 6", level="auto", beside="main",
         bytes=1000 * MB),
    Case("cores", "wall time on two cores against one; control: two floor threads against one", kind="cores"),
    Case("journal", "the journal alone against a bare loop of pwrite and fdatasync", kind="journal"),
    Case("ack", "acknowledgement of a socket source at 50 and 100 MB/s, beside the disk's own", kind="ack"),
]

BY_NAME = {case.name: case for case in CASES}
SMALL_FILE_EVENTS = 50
SMALL_FILES = 2000
ACK_RATES = (50, 100)

QUICK_PAIRS = 3
QUICK_BYTES = 200 * MB
