"""Takes a data set through the agent once, measures that, and looks whether each event arrived exactly once."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace

from bench import Failed, figures, remove, wait_until

START_S = 30
FLUSH = "900s"
BUCKET = "bench-bucket"


@dataclass
class Run:
    """CPU and peak memory are the agent's alone, from its start to its end; wall time is from its start until all is delivered."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    rss_kib: int = 0
    threads: dict = field(default_factory=dict)  # CPU seconds by name, before it was stopped
    seen: dict = field(default_factory=dict)  # what the store, or hf_count, counted
    feed: dict = field(default_factory=dict)


class Store:
    """The discard server, or a directory. `expected`: events; "any"; "-" when objects cannot be read."""

    def __init__(self, bench, kind, expected):
        self.bench, self.kind, self.expected = bench, kind, str(expected)
        self.child = None
        self.counted = bench.path("counted")
        self.root = bench.path("root")

    def __enter__(self):
        remove(self.root)
        if self.kind == "dir":
            os.makedirs(os.path.join(self.root, BUCKET))
            self.url = f"dir://{self.root}"
            return self
        port = self.bench.path("port")
        for name in (port, self.counted):
            if os.path.exists(name):
                os.unlink(name)
        self.child = self.bench.start(self.bench.tool("hf_discard"), port, self.counted, self.expected)
        if not wait_until(lambda: os.path.exists(port) and os.path.getsize(port) > 1, START_S):
            raise Failed("the discard server does not start")
        with open(port) as file:
            self.url = f"http://127.0.0.1:{file.read().strip()}"
        return self

    def __exit__(self, *unused):
        self.child = self.bench.stop(self.child)

    def count(self):
        """Ends the discard server, which then says what it saw; a directory's objects are counted by hf_count."""
        if self.kind == "dir":
            listed = "\n".join(log_objects(self.root))
            done = subprocess.run([self.bench.tool("hf_count"), self.expected, "-"], input=listed, stdout=subprocess.PIPE, text=True)
            return figures(done.stdout) | {"objects": listed.count("\n") + bool(listed), "exit": done.returncode}
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait()
        self.bench.forget(self.child)
        self.child = None
        with open(self.counted) as file:
            return figures(file.read()) | {"exit": code}


def log_objects(root):
    found = []
    for folder, unused, names in os.walk(root):
        if "/CloudTrail/" in folder + "/":
            found += [os.path.join(folder, name) for name in names if name.endswith(".json.gz")]
    return found


def write_config(bench, case, data, store):
    """A fresh state directory and a configuration that says as little as possible."""
    remove(bench.path("state"))
    key = bench.path("digest.key")
    if not os.path.exists(key):
        bench.output(bench.holdfast, "key", "new", key)
    login = bench.path("credentials")
    with open(os.open(login, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("[default]\naws_access_key_id = bench\naws_secret_access_key = bench-secret\n")
    encryption = "none"
    if case.encryption == "cms":
        encryption = f"{{ type: cms, recipients: [{recipient(bench)}] }}"
    credentials = "" if store.kind == "dir" else f", credentials_file: {login}"
    if case.input == "socket":
        source = f"{{ name: events, type: socket, path: {bench.path('in.sock')} }}"
    else:
        path = os.path.join(data.files, "*.jsonl") if case.input == "small" else data.path
        source = f'{{ name: events, type: file, path: "{path}", start: beginning }}'
    # Level 6 is the default, which is what is measured then.
    compression = "" if case.level == "6" else f"\n    compression: {{ level: {case.level} }}"
    provenance = "" if case.provenance == "full" else f", provenance: {case.provenance}"
    config = bench.path("holdfast.yaml")
    with open(config, "w") as file:
        file.write(f"""agent: {{ state_dir: {bench.path("state")}{provenance} }}
stores:
  - {{ name: here, url: "{store.url}"{credentials} }}
sources:
  - {source}
buckets:
  - {{ name: {BUCKET}, store: here, retention: {{ mode: governance, days: 1 }} }}
trails:
  - name: bench
    bucket: {BUCKET}
    window: {{ seconds: 300, max_bytes: {case.window_bytes} }}
    encryption: {encryption}{compression}
    digest: {{ seconds: 3600, key_file: {key} }}
""")
    return config


def recipient(bench):
    """The certificate that cms encrypts to; its key lies beside it."""
    certificate = bench.path("ops.pem")
    if not os.path.exists(certificate):
        bench.output("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", "/CN=bench", "-keyout", bench.path("ops.key"), "-out", certificate)
    return certificate


class Agent:
    """A running agent, inside an hf_measure: what that fork()s is small, so that peak memory is the agent's own."""

    def __init__(self, bench, config, cpus):
        self.bench, self.config, self.cpus = bench, config, cpus
        self.figures = bench.path("agent")
        self.log = bench.path("agent.log")

    def __enter__(self):
        if os.path.exists(self.figures):
            os.unlink(self.figures)
        pin = ["taskset", "-c", self.cpus] if self.cpus else []
        with open(self.log, "wb") as log:
            self.started = time.monotonic()
            self.child = self.bench.start(self.bench.tool("hf_measure"), self.figures, *pin, self.bench.holdfast, "run", "-c",
                                          self.config, stdout=log, stderr=log)
        control = self.bench.path("state", "control.sock")
        wait_until(lambda: os.path.exists(control) or self.child.poll() is not None, START_S)
        if not os.path.exists(control):
            self.__exit__()
            raise Failed(f"the agent does not start: {self.last_words()}")
        return self

    def __exit__(self, *unused):
        self.child = self.bench.stop(self.child)

    def last_words(self):
        with open(self.log, errors="replace") as file:
            return " / ".join(file.read().strip().splitlines()[-3:])

    def flush(self):
        """Until all that was given is delivered and signed."""
        until = time.monotonic() + START_S
        while True:
            try:
                self.bench.output(self.bench.holdfast, "flush", "-c", self.config, "--timeout", FLUSH)
                return time.monotonic() - self.started
            except Failed as failed:
                if time.monotonic() > until or self.child.poll() is not None:
                    raise Failed(f"{failed}; the agent says: {self.last_words()}") from None
                time.sleep(0.05)

    def pid(self):
        with open(self.figures) as file:
            return int(figures(file.readline())["pid"])

    def threads(self):
        """CPU seconds of each thread so far, by its name."""
        pid, used = self.pid(), {}
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/comm") as file:
                name = file.read().strip()
            used[name] = used.get(name, 0.0) + thread_cpu_s(f"/proc/{pid}/task/{thread}")
        return used

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(60)
        except subprocess.TimeoutExpired:
            raise Failed(f"the agent does not stop: {self.last_words()}") from None
        self.bench.forget(self.child)
        self.child = None
        if code != 0:
            raise Failed(f"the agent ended with exit code {code}: {self.last_words()}")
        with open(self.figures) as file:
            return figures(file.read().splitlines()[-1])


def thread_cpu_s(folder):
    """schedstat counts nanoseconds; a kernel without it has ticks of a hundredth of a second in stat."""
    try:
        with open(f"{folder}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9
    except (FileNotFoundError, IndexError):
        with open(f"{folder}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def run(bench, case, data, cpus="", rate=None):
    """One run of a case. `cpus` as taskset takes them; `rate` (MB/s, seconds) for a socket, else as fast as possible."""
    readable = case.encryption == "none"
    expected = "any" if rate else data.events if readable else "-"
    result = Run()
    with Store(bench, case.store, expected) as store:
        config = write_config(bench, case, data, store)
        with Agent(bench, config, cpus) as agent:
            if case.input == "socket":
                result.feed = feed(bench, data, rate)
            result.wall_s = agent.flush()
            result.threads = agent.threads()
            measured = agent.stop()
        result.cpu_s, result.rss_kib = measured["cpu_s"], int(measured["rss_kb"])
        if readable or case.store == "s3":
            result.seen = store.count()
            check(result.seen, result.feed["acked"] if rate else data.events if readable else None)
    return result


def feed(bench, data, rate):
    socket = bench.path("in.sock")
    if not wait_until(lambda: os.path.exists(socket), START_S):
        raise Failed("the agent makes no socket")
    how = [str(rate[0]), str(rate[1])] if rate else ["max"]
    return figures(bench.output(bench.tool("hf_feed"), socket, data.path, *how))


def check(seen, expected):
    """Each event exactly once. Without `expected` there are only objects to be counted."""
    if expected is None:
        if seen["objects"] < 1:
            raise Failed("no object arrived")
        return
    wrong = [f"{int(seen[what])} {what}" for what in ("missing", "doubled", "foreign") if seen.get(what)]
    if wrong or seen["events"] != expected or seen["exit"] != 0:
        raise Failed(f"events are not there exactly once: {int(seen['events'])} of {int(expected)} events, {', '.join(wrong) or 'none missing'}")


def open_encrypted(bench, case, data):
    """Once for a case whose objects the discard server cannot read: into a directory, opened with the recipient's key, counted."""
    with Store(bench, "dir", data.events) as store:
        config = write_config(bench, replace(case, store="dir"), data, store)
        with Agent(bench, config, "") as agent:
            agent.flush()
            agent.stop()
        opened = bench.start(bench.holdfast, "cat", "-c", config, "--key", bench.path("ops.key"), stdout=subprocess.PIPE)
        counted = subprocess.run([bench.tool("hf_count"), "--lines", str(data.events)], stdin=opened.stdout, stdout=subprocess.PIPE,
                                 text=True)
        opened.stdout.close()
        code = opened.wait()
        bench.forget(opened)
    if code != 0:
        raise Failed(f"holdfast cat ended with exit code {code}")
    seen = figures(counted.stdout) | {"exit": counted.returncode}
    check(seen, data.events)
    return seen
