"""The kinds of cases: what is run in each pair, and what is made of it."""

import os
from collections import defaultdict
from dataclasses import replace

import floor
from agent import open_encrypted, run
from bench import Failed, figures, remove, say, stat_of
from cases import ACK_RATES, BY_NAME, MIB

STAGE_BYTES, STAGE_BYTES_QUICK = 100_000_000, 30_000_000
CONTROL_LEAST = 1.9
ACK_S, ACK_S_QUICK = 10, 3


def in_turn(number, *parts):
    """Runs the parts of a pair; every second pair the other way round, so that a drift of the machine meets all alike."""
    for part in parts if number % 2 == 0 else reversed(parts):
        part()


def measure(bench, case, sets, pairs, size):
    """The figures of a case."""
    return KINDS[case.kind](bench, case, sets, pairs, size)


# ---- agent: a data set through the agent, beside the floor and, where named, another way through it ----


def agent_case(bench, case, sets, pairs, size):
    data = sets.small_files(case.data, size) if case.input == "small" else sets.get(case.data, size)
    beside = replace(BY_NAME[case.beside], data=case.data) if case.beside else None
    stage_bytes = STAGE_BYTES_QUICK if bench.quick else STAGE_BYTES
    taken = defaultdict(list)
    for number in range(pairs):
        parts = [lambda: taken["agent"].append(run(bench, case, data)),
                 lambda: taken["floor"].append(floor.whole(bench, data, case.window_bytes))]
        if beside:
            parts.append(lambda: taken["beside"].append(run(bench, beside, data)))
        in_turn(number, *parts)
        taken["stages"].append(floor.stages(bench, data, case.window_bytes, stage_bytes))
        say(f"{case.name}: pair {number + 1} of {pairs}: agent {speed(data, taken['agent'][-1].cpu_s):.1f}, "
            f"floor {speed(data, taken['floor'][-1]['cpu_s']):.1f} MB/CPU-s")
    result = agent_figures(data, taken)
    if case.encryption != "none":
        say(f"{case.name}: the objects of one run are opened and counted")
        result["opened"] = open_encrypted(bench, case, data)
    return result


def speed(data, cpu_s):
    return data.bytes / 1e6 / cpu_s


def agent_figures(data, taken):
    agents, floors = taken["agent"], taken["floor"]
    result = {
        "data": data.described(), "files": data.file_count,
        "agent": stat_of([speed(data, one.cpu_s) for one in agents], "MB/CPU-s"),
        "floor": stat_of([speed(data, one["cpu_s"]) for one in floors], "MB/CPU-s"),
        "ratio": stat_of([low["cpu_s"] / one.cpu_s for one, low in zip(agents, floors)], "agent/floor per CPU-second"),
        "wall": stat_of([data.bytes / 1e6 / one.wall_s for one in agents], "MB/s"),
        "peak_rss": peak_rss(agents),
        "arrived": arrived(agents), "threads": thread_figures(data, taken), "stages": stage_figures(taken["stages"]),
    }
    if taken["beside"]:
        pairs = list(zip(agents, taken["beside"]))
        result["beside"] = {"agent": stat_of([speed(data, one.cpu_s) for one in taken["beside"]], "MB/CPU-s"),
                            "ratio": stat_of([other.cpu_s / one.cpu_s for one, other in pairs], "this/other per CPU-second"),
                            "arrived": arrived(taken["beside"])}
    return result


def peak_rss(agents):
    return stat_of([one.rss_kib / 1024 for one in agents], "MiB")


def arrived(agents):
    """What the store saw in the last run, and in how many runs that was looked at; a run in which it was wrong has failed already."""
    seen = agents[-1].seen
    counted = "events" in seen and seen["events"] > 0
    what = ("events", "missing", "doubled", "plain", "bytes", "objects", "requests", "connections") if counted else ("objects", "requests", "connections")
    levels = {name.partition(":")[2]: int(count) for name, count in seen.items() if name.startswith("compression:")}
    return {"runs": len(agents), "each_event_once": counted, **{name: int(seen[name]) for name in what if name in seen}, "compression": levels}


def thread_figures(data, taken):
    """For each stage of the agent its share of the CPU time, seconds per GB of events, and the floor's."""
    packed = data.gzip_ratio
    rows = []
    for name, prefixes, stages, scaled in floor.THREADS:
        used = [sum(cpu for thread, cpu in one.threads.items() if thread.startswith(prefixes)) for one in taken["agent"]]
        row = {"stage": name, "share": stat_of([cpu / one.cpu_s for cpu, one in zip(used, taken["agent"])], "of the agent's CPU time"),
               "agent": stat_of([cpu / data.bytes * 1e9 for cpu in used], "CPU-s/GB"), "floor_of": list(stages)}
        if stages:
            low = [sum(floor.seconds_per_gb((one | {"whole": base})[stage]) for stage in stages) / (packed if scaled else 1)
                   for one, base in zip(taken["stages"], taken["floor"])]
            row["floor"] = stat_of(low, "CPU-s/GB")
            if min(used) > 0:
                row["ratio"] = stat_of([base * data.bytes / 1e9 / cpu for base, cpu in zip(low, used)], "agent/floor per CPU-second")
        rows.append(row)
    rest = [one.cpu_s - sum(one.threads.values()) for one in taken["agent"]]
    rows.append({"stage": "start, stop", "share": stat_of([cpu / one.cpu_s for cpu, one in zip(rest, taken["agent"])],
                                                         "of the agent's CPU time"),
                 "agent": stat_of([cpu / data.bytes * 1e9 for cpu in rest], "CPU-s/GB"), "floor_of": []})
    return rows


def stage_figures(stages):
    """Each floor alone: MB per CPU-second, and per second where it waits for something."""
    result = {}
    for name in floor.CPU_STAGES:
        if not stages[0][name]["bytes"]:
            continue  # not in this build
        result[name] = {"cpu": stat_of([one[name]["bytes"] / 1e6 / one[name]["cpu_s"] for one in stages], "MB/CPU-s")}
        if name in ("journal", "put"):
            result[name]["wall"] = stat_of([one[name]["bytes"] / 1e6 / one[name]["wall_s"] for one in stages], "MB/s")
    return result


# ---- cores ----


def cores_case(bench, case, sets, pairs, size):
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        raise Failed("not measurable here: there is one CPU only")
    data = sets.get(case.data, size)
    one, two = str(cpus[0]), f"{cpus[0]},{cpus[1]}"
    taken = defaultdict(list)

    def control(threads):
        found = floor.floors(bench, data, case.window_bytes, ["whole"], "--threads", str(threads))
        taken[f"floor {threads}"].append(found["whole"]["wall_s"])

    for number in range(pairs):
        in_turn(number, lambda: taken["one"].append(run(bench, case, data, one)), lambda: control(1),
                lambda: taken["two"].append(run(bench, case, data, two)), lambda: control(2))
        say(f"{case.name}: pair {number + 1} of {pairs}: {taken['one'][-1].wall_s:.2f} s on one core, "
            f"{taken['two'][-1].wall_s:.2f} s on two")
    speed_up = stat_of([a.wall_s / b.wall_s for a, b in zip(taken["one"], taken["two"])], "wall time of one / of two cores")
    low = stat_of([2 * a / b for a, b in zip(taken["floor 1"], taken["floor 2"])], "twice one floor / two at the same time")
    return {"data": data.described(), "speed_up": speed_up, "control": low, "measurable": low["median"] >= CONTROL_LEAST,
            "one_core": stat_of([data.bytes / 1e6 / one.wall_s for one in taken["one"]], "MB/s"),
            "two_cores": stat_of([data.bytes / 1e6 / one.wall_s for one in taken["two"]], "MB/s"),
            "sealing_threads": {"one_core": sealers(taken["one"]), "two_cores": sealers(taken["two"])},
            "peak_rss": peak_rss(taken["two"]), "arrived": arrived(taken["two"])}


def sealers(runs):
    return max(sum(name.startswith("hf-seal") for name in one.threads) for one in runs)


# ---- journal ----


def journal_case(bench, case, sets, pairs, size):
    data = sets.get(case.data, size)
    taken = defaultdict(list)

    def journal():
        remove(bench.path("journal"))
        found = figures(bench.output(bench.tool("hf_append"), bench.path("journal"), data.path))
        remove(bench.path("journal"))
        return found

    batch = mean_batch(journal())  # not counted: the bare loop has to know it

    def bare():
        found = floor.floors(bench, data, case.window_bytes, ["journal"], "--batch", str(batch))
        taken["bare"].append(found["journal"])

    for number in range(pairs):
        in_turn(number, lambda: taken["journal"].append(journal()), bare)
        batch = mean_batch(taken["journal"][-1])
        say(f"{case.name}: pair {number + 1} of {pairs}: journal {wall(taken['journal'][-1]):.0f}, bare {wall(taken['bare'][-1]):.0f} MB/s")
    return {"data": data.described(), "journal": stat_of([wall(one) for one in taken["journal"]], "MB/s"),
            "bare": stat_of([wall(one) for one in taken["bare"]], "MB/s"),
            "ratio": stat_of([wall(one) / wall(low) for one, low in zip(taken["journal"], taken["bare"])], "journal/bare, wall"),
            "batch": stat_of([mean_batch(one) for one in taken["journal"]], "bytes"),
            "journal_cpu": stat_of([one["bytes"] / 1e6 / one["cpu_s"] for one in taken["journal"]], "MB/CPU-s"),
            "bare_cpu": stat_of([one["bytes"] / 1e6 / one["cpu_s"] for one in taken["bare"]], "MB/CPU-s")}


def mean_batch(found):
    return max(1, round(found["bytes"] / max(1, found["commits"])))


def wall(found):
    return found["bytes"] / 1e6 / found["wall_s"]


# ---- ack ----


def ack_case(bench, case, sets, pairs, size):
    seconds = ACK_S_QUICK if bench.quick else ACK_S
    data = sets.get(case.data, int(max(ACK_RATES) * 1.06e6 * seconds))
    case = replace(case, input="socket")
    taken = {rate: [ack_once(bench, case, data, rate, seconds, f"{number + 1} of {pairs}") for number in range(pairs)] for rate in ACK_RATES}
    return {"data": data.described(), "seconds": seconds, "rates": [ack_figures(rate, runs) for rate, runs in taken.items()]}


def ack_once(bench, case, data, rate, seconds, which):
    """The agent between two looks at the disk, each of the same bytes at the same rate."""

    def disk():
        return floor.floors(bench, data, case.window_bytes, ["sync"], "--bytes", str(64 * MIB), "--rate", str(rate), "--seconds", str(seconds / 2))["sync"]

    before = disk()
    result = run(bench, case, data, rate=(rate, seconds))
    after = disk()
    say(f"{case.name}: {rate} MB/s, {which}: p50 {result.feed['p50_ms']:.2f} p99 {result.feed['p99_ms']:.2f} ms; "
        f"the disk p99 {before['p99_ms']:.2f} and {after['p99_ms']:.2f} ms")
    return {"feed": result.feed, "disk": {name: (before[name] + after[name]) / 2 for name in before}, "run": result}


def ack_figures(rate, runs):
    feeds, disks = [one["feed"] for one in runs], [one["disk"] for one in runs]
    agents = [one["run"] for one in runs]
    row = {"rate_mb_s": rate, "offered": stat_of([feed["offered_mb_s"] for feed in feeds], "MB/s"), "peak_rss": peak_rss(agents), "arrived": arrived(agents)}
    for name in ("p50_ms", "p99_ms", "max_ms"):
        row[name] = stat_of([feed[name] for feed in feeds], "ms")
        row["disk_" + name] = stat_of([disk[name] for disk in disks], "ms")
        row["group_commit_" + name] = stat_of([disk["wait_" + name] for disk in disks], "ms")
    row["p99_above_disk_ms"] = stat_of([feed["p99_ms"] - disk["p99_ms"] for feed, disk in zip(feeds, disks)], "ms")
    return row


KINDS = {"agent": agent_case, "cores": cores_case, "journal": journal_case, "ack": ack_case}
