"""What came out: one structure, written as JSON and, from the same figures, as Markdown."""

import datetime
import json
import os
import platform
import subprocess

from bench import ROOT
from cases import MIB

SCHEMA = 1


def machine():
    cpu = platform.machine()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB,
            "kernel": platform.release(), "architecture": platform.machine()}


def git(*words):
    done = subprocess.run(["git", "-C", ROOT, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def begin(options):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"schema": SCHEMA, "kind": "holdfast-bench", "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": git("rev-parse", "HEAD") or "unknown",
            "changed": bool(git("status", "--porcelain", "--untracked-files=no")), "machine": machine(), "options": options, "cases": []}


def described(case, figures):
    """A case's row of the result, failed or not."""
    row = {"name": case.name, "line": case.line, "kind": case.kind, "input": case.input, "store": case.store, "encryption": case.encryption,
           "level": case.level, "window_bytes": case.window_bytes}
    if case.provenance != "full":
        row["provenance"] = case.provenance
    if case.beside:
        row["beside_case"] = case.beside
    return row | figures


def write(result, folder):
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("bench.md", "bench.json")]
    for path, text in zip(paths, (markdown(result), json.dumps(result, indent=1) + "\n")):
        with open(path, "w") as file:
            file.write(text)
    return paths


# ---- Markdown ----


def table(head, rows):
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(figure, digits=1):
    return f"{figure['median']:.{digits}f}"


def spread(figure, digits=2):
    text = f"{figure['min']:.{digits}f} to {figure['max']:.{digits}f}, n {figure['n']}"
    if figure["median_95"]:
        text += f"; 95 %: {figure['median_95'][0]:.{digits}f} to {figure['median_95'][1]:.{digits}f}"
    return text


def window(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // 1024} KiB"


def once(seen):
    return f"yes, in all {seen['runs']} runs" if seen["each_event_once"] else f"{seen['objects']} objects, one run opened"


def per_event(seen):
    """Of an event, what stands in an object, and what that is when it is packed."""
    return f"{seen['plain'] / seen['events']:.0f}, packed {seen['bytes'] / seen['events']:.0f}" if seen.get("plain") and seen["events"] else "-"


def levels(seen):
    return ", ".join(f"{name}: {count}" for name, count in sorted(seen["compression"].items())) or "-"


def markdown(result):
    here = result["machine"]
    good = [case for case in result["cases"] if "failed" not in case]
    parts = [f"# holdfast: benchmark\n\n{result['date']}, commit {result['commit']}{' with changes' if result['changed'] else ''}. "
             f"{here['cpu']}, {here['cores']} cores, {here['memory_mib']} MiB, kernel {here['kernel']}. MB is 10^6 bytes of events. "
             "Floor: one thread, the same bytes in memory, SHA-256 of each uncompressed object, libdeflate 6, SHA-256 of the result; "
             "a ratio is the median of the pairs' ratios, and where that median lies with 95 % certainty is said from 6 pairs on. tests/bench/README.md says what this is and what it is not.\n"]
    for section in (data_section, agent_section, beside_section, objects_section, threads_section, stages_section, cores_section,
                    journal_section, ack_section):
        parts.append(section(good))
    failed = [[case["name"], case["failed"].replace("|", "\\|")] for case in result["cases"] if "failed" in case]
    if failed:
        parts.append("## Not measured\n\n" + table(["case", "why"], failed))
    return "\n".join(part for part in parts if part)


def data_section(cases):
    sets = {(case["data"]["name"], case["data"]["events"]): case["data"] for case in cases}
    rows = [[one["name"], one["what"], str(one["events"]), f"{one['bytes'] / 1e6:.0f}", f"{one['mean_event_bytes']:.0f}", f"{one['gzip_6_ratio']:.2f}"]
            for one in sets.values()]
    return "## Data sets\n\n" + table(["data set", "what", "events", "MB", "mean event, B", "gzip -6, :1"], rows) if rows else ""


def of_kind(cases, kind):
    return [case for case in cases if case["kind"] == kind]


def agent_section(cases):
    rows = []
    for case in of_kind(cases, "agent"):
        way = f"{case['input']} to {case['store']}, {case['encryption']}, level {case['level']}, {window(case['window_bytes'])}"
        rows.append([case["name"], case["data"]["name"], way, number(case["agent"]), number(case["floor"]), number(case["ratio"], 3),
                     spread(case["ratio"], 3), number(case["wall"]), f"{case['peak_rss']['max']:.0f}", once(case["arrived"])])
    head = ["case", "data set", "way", "agent, MB/CPU-s", "floor, MB/CPU-s", "ratio", "least to most", "wall, MB/s", "peak RSS, MiB", "each event once"]
    return "## The whole agent\n\n" + table(head, rows) if rows else ""


def beside_section(cases):
    rows = [[case["name"], case["beside_case"], case["data"]["name"], number(case["agent"]), number(case["beside"]["agent"]),
             number(case["beside"]["ratio"], 3), spread(case["beside"]["ratio"], 3), per_event(case["arrived"]), per_event(case["beside"]["arrived"])]
            for case in cases if "beside" in case]
    head = ["case", "beside", "data set", "this, MB/CPU-s", "other, MB/CPU-s", "ratio", "least to most", "this, B/event", "other, B/event"]
    return "## One way beside another, in the same pairs\n\n" + table(head, rows) if rows else ""


def objects_section(cases):
    rows = [[case["name"], case["data"]["name"], str(case["files"]), str(case["arrived"]["objects"]), str(case["arrived"].get("requests", "-")),
             str(case["arrived"].get("connections", "-")), levels(case["arrived"])] for case in of_kind(cases, "agent")]
    return "## What the store saw, in one run\n\n" + table(["case", "data set", "files", "objects", "requests", "connections", "compressed by"], rows) if rows else ""


def threads_section(cases):
    rows = []
    for case in of_kind(cases, "agent"):
        for row in case["threads"]:
            base = number(row["floor"], 2) if "floor" in row else "-"
            rows.append([case["name"], case["data"]["name"], row["stage"], f"{row['share']['median'] * 100:.1f} %", number(row["agent"], 2), base,
                         " + ".join(row["floor_of"]) or "-", f"{number(row['ratio'], 2)} ({spread(row['ratio'])})" if "ratio" in row else "-"])
    head = ["case", "data set", "stage", "share", "agent, CPU-s/GB", "floor, CPU-s/GB", "which floor", "ratio"]
    return "## Where the CPU time goes\n\n" + table(head, rows) if rows else ""


def stages_section(cases):
    rows = []
    for case in of_kind(cases, "agent"):
        row = [case["name"], case["data"]["name"]]
        for stage in case["stages"].values():
            row.append(f"{number(stage['cpu'], 0)} ({stage['cpu']['min']:.0f} to {stage['cpu']['max']:.0f})")
            if "wall" in stage:
                row[-1] += f"; wall {number(stage['wall'], 0)} ({stage['wall']['min']:.0f} to {stage['wall']['max']:.0f})"
        rows.append(row + [str(case["agent"]["n"])])
    if not rows:
        return ""
    head = ["case", "data set", *of_kind(cases, "agent")[0]["stages"], "n"]
    return "## Floors of the stages, each alone: MB/CPU-s, median (least to most); wall: MB/s\n\n" + table(head, rows)


def cores_section(cases):
    rows = []
    for case in of_kind(cases, "cores"):
        control = number(case["control"], 2)
        found = number(case["speed_up"], 2) if case["measurable"] else f"not measurable here (control {control})"
        rows.append([case["name"], case["data"]["name"], " and ".join(str(count) for count in case["sealing_threads"].values()), number(case["one_core"]), number(case["two_cores"]), found,
                     spread(case["speed_up"]), control, spread(case["control"]), f"{case['peak_rss']['max']:.0f}", once(case["arrived"])])
    head = ["case", "data set", "sealing threads", "one core, MB/s", "two, MB/s", "speed-up", "least to most", "control", "least to most",
            "peak RSS, MiB", "each event once"]
    return "## Two cores against one, wall time\n\n" + table(head, rows) if rows else ""


def journal_section(cases):
    rows = [[case["name"], case["data"]["name"], number(case["batch"], 0), number(case["journal"]), number(case["bare"]), number(case["ratio"], 3),
             spread(case["ratio"], 3), number(case["journal_cpu"]), number(case["bare_cpu"])] for case in of_kind(cases, "journal")]
    head = ["case", "data set", "mean batch, B", "journal, MB/s", "bare, MB/s", "ratio", "least to most", "journal, MB/CPU-s", "bare, MB/CPU-s"]
    return "## The journal alone, durable, wall time\n\n" + table(head, rows) if rows else ""


def ack_section(cases):
    rows = []
    for case in of_kind(cases, "ack"):
        for row in case["rates"]:
            three = [" / ".join(number(row[who + name], 2) for name in ("p50_ms", "p99_ms", "max_ms")) for who in ("", "disk_", "group_commit_")]
            rows.append([case["name"], case["data"]["name"], str(row["rate_mb_s"]), number(row["offered"]), *three, number(row["p99_above_disk_ms"], 2),
                         spread(row["p99_above_disk_ms"]), f"{row['peak_rss']['max']:.0f}", once(row["arrived"])])
    head = ["case", "data set", "MB/s", "offered", "acknowledged, ms: p50 / p99 / max", "the disk's own pwrite + fdatasync", "bare group commit",
            "p99 above the disk's", "least to most", "peak RSS, MiB", "each event once"]
    return "## Acknowledgement of a socket source\n\n" + table(head, rows) if rows else ""
