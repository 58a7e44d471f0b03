"""What every part needs: where the programs are, a temporary directory, child processes that end with us, progress."""

import math
import os
import shutil
import signal
import stat
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STOP_S = 30


class Failed(Exception):
    """A case cannot be measured, or what it measured is wrong; the text says why."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def figures(line):
    """From "cpu_s 1.2 exit 0" to a dictionary of numbers."""
    words = line.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def stat_of(values, unit):
    """Median, range and number, beside the values themselves; with enough of them, where the median lies with 95 % certainty."""
    return {"unit": unit, "median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values),
            "median_95": median_95(sorted(values)), "values": [round(value, 6) for value in values]}


def median_95(ordered):
    """By order statistics, without a word about the distribution: the k-th from either end, k by the binomial. None below 6 values."""
    count, below, least = len(ordered), 0.0, 0
    while below + math.comb(count, least) / 2**count <= 0.025:
        below += math.comb(count, least) / 2**count
        least += 1
    return [ordered[least - 1], ordered[count - least]] if least else None


def build():
    """The optimised programs; HF_BENCH_BUILD names a build that is there already."""
    folder = os.environ.get("HF_BENCH_BUILD")
    if folder:
        return os.path.abspath(folder)
    folder = os.path.join(ROOT, "build", "release")
    say("building build/release")
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", folder]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return folder


class Bench:
    """One run of the benchmark. To be used in a `with`: at its end children are stopped and files are gone."""

    def __init__(self, quick):
        self.quick = quick
        self.build = build()
        self.holdfast = os.path.join(self.build, "agent", "cli", "holdfast")
        for program in [self.holdfast] + [self.tool(name) for name in ("hf_gen", "hf_floor", "hf_append", "hf_discard")]:
            if not os.access(program, os.X_OK):
                raise Failed(f"no program '{program}': HF_BENCH_BUILD has to name a whole build, or nothing")
        self.tmp = ""
        self.children = []

    def tool(self, name):
        return os.path.join(self.build, "tests", "bench", name)

    def path(self, *names):
        return os.path.join(self.tmp, *names)

    def __enter__(self):
        self.tmp = tempfile.mkdtemp(prefix="hf-bench.")
        return self

    def __exit__(self, *unused):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in self.children:
            end(child)
        remove(self.tmp)

    def start(self, *command, **options):
        """A child in a session of its own: Ctrl-C reaches us only, and we stop it."""
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        self.children.append(child)
        return child

    def forget(self, child):
        self.children.remove(child)

    def stop(self, child):
        """Ends a child if there is one; there is none then."""
        if child:
            end(child)
            self.forget(child)

    def output(self, *command):
        """What a command prints; Failed with what it says when it fails."""
        child = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        text, error = child.communicate()
        self.forget(child)
        if child.returncode != 0:
            name = os.path.basename(command[0])
            raise Failed(f"{name} ended with exit code {child.returncode}: {error.strip() or text.strip()}")
        return text


def end(child):
    """TERM, then KILL to all of its session. An hf_measure passes TERM on to what it runs."""
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def remove(path):
    """Also what a directory store has set read-only."""

    def again(function, name, unused):
        for one in (os.path.dirname(name), name):
            if os.path.isdir(one):
                os.chmod(one, stat.S_IRWXU)
        function(name)

    if os.path.exists(path):
        shutil.rmtree(path, onerror=again)


def wait_until(true, seconds, step_s=0.005):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(step_s)
    return True
