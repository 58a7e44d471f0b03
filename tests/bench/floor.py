"""Floors: hf_floor's stages, as dictionaries of figures by stage."""

from agent import Store
from bench import figures

CPU_STAGES = ("gzip", "gzip1", "isal", "sha", "frame", "scan", "read", "journal", "put")
BODY_BYTES = 2 << 20  # as a window of 16 MiB becomes at 8:1

# Which floors belong to which of the agent's threads. `scaled`: that floor's work is the compressed bytes, not the events.
THREADS = (
    ("intake", ("holdfast", "hf-file"), ("read", "frame", "scan"), False),
    ("journal", ("hf-journal",), ("journal",), False),
    ("trails", ("hf-trails",), (), False),
    ("sealing", ("hf-seal",), ("whole",), False),
    ("delivery", ("hf-deliver",), ("put",), True),
)


def floors(bench, data, window_bytes, stages, *options):
    """One run of hf_floor: {stage: figures}."""
    named = [word for stage in stages for word in ("--stage", stage)]
    text = bench.output(bench.tool("hf_floor"), data.path, str(window_bytes), "--scratch", bench.path("scratch"), *named, *options)
    return {line.split()[1]: figures(" ".join(line.split()[2:])) for line in text.splitlines()}


def whole(bench, data, window_bytes):
    return floors(bench, data, window_bytes, ["whole"])["whole"]


def stages(bench, data, window_bytes, size):
    """Each stage alone, over the first `size` bytes; PUTs go to a discard server of their own, in bodies as large as the agent's."""
    body = min(BODY_BYTES, int(window_bytes / data.gzip_ratio))
    with Store(bench, "s3", "-") as store:
        return floors(bench, data, window_bytes, CPU_STAGES, "--bytes", str(size), "--url", f"{store.url}/bench-bucket/floor/", "--body", str(body))


def seconds_per_gb(figure):
    return figure["cpu_s"] / figure["bytes"] * 1e9
