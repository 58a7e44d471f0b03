"""Plays the attacks of tests/adversary/run: play.py PROGRAM FOLDER FACTOR ATTACK ... (FACTOR "": 1).

Three users: the agent's (root), a stranger, and an honest client. The stranger may write to one folder that is watched, and to the socket;
of his lines nothing is promised.
"""
import atexit, glob, gzip, json, os, re, select, signal, socket, subprocess, sys, threading, time, uuid

STRANGER, HONEST = 1, 2  # users that every system has
PERIOD_S = 0.05          # of each honest line
WITHIN_S = 1.0
program, top, factor, attacks = sys.argv[1], sys.argv[2], int(sys.argv[3] or 1), sys.argv[4:]


def run(*words, **options):
    return subprocess.run([program, *words], capture_output=True, text=True, **options)


# ---- the agent ----

class Agent:
    def __init__(self, name):
        self.dir = os.path.join(top, name)
        for folder in ("", "store", "store/audit", "logs", "logs/stranger", "logs/honest", "system"):
            os.makedirs(os.path.join(self.dir, folder), exist_ok=True)
        os.chown(self.path("logs/stranger"), STRANGER, STRANGER)
        for name in ("system/app.log", "logs/honest/app.log"):
            open(self.path(name), "w").close()
        run("key", "new", self.path("digest.key"), check=True)
        self.config = self.path("holdfast.yaml")
        with open(self.config, "w") as file:
            file.write(f"""
agent: {{ state_dir: {self.path('state')}, host: adversary, journal: {{ max_bytes: 64MiB, segment_bytes: 4MiB }} }}
stores:
  - {{ name: main, url: "dir://{self.path('store')}" }}
sources:
  - {{ name: logs, type: file, path: "{self.path('logs')}/*/*.log", start: beginning }}
  - {{ name: system, type: file, path: "{self.path('system')}/app.log", start: beginning }}
  - {{ name: local, type: socket, path: {self.path('in.sock')}, mode: "0666" }}
buckets:
  - {{ name: audit, store: main, retention: {{ mode: governance, days: 1 }} }}
trails:
  - {{ name: audit, bucket: audit, window: {{ seconds: 1 }}, encryption: none, digest: {{ seconds: 5, key_file: {self.path('digest.key')} }} }}
""")
        self.log = open(self.path("agent.log"), "w")
        atexit.register(lambda: self.process.poll() is None and self.process.kill())  # also when a play breaks off
        self.process = subprocess.Popen([program, "run", "-c", self.config], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not self.status() or not os.path.exists(self.path("in.sock")):
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit(f"the agent does not start: {open(self.path('agent.log')).read()[-2000:]}")
            time.sleep(0.1)

    def path(self, name):
        return os.path.join(self.dir, name)

    def status(self):
        answer = run("status", "-c", self.config, "--json").stdout
        return json.loads(answer) if answer.startswith("{") else None

    def source(self, name):
        status = self.status()
        return next((s for s in status["sources"] if s["name"] == name), None) if status else None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def text(self):
        """All that was delivered."""
        for path in sorted(glob.glob(self.path("store/audit/**/CloudTrail/**/*.json.gz"), recursive=True)):
            with gzip.open(path, "rt") as file:
                yield file.read()


# ---- the honest ----

class Client:
    """Protocol 1, as the honest user: what it says, and when it is acknowledged."""

    def __init__(self, agent, name):
        self.agent, self.name, self.stream = agent, name, str(uuid.uuid4())
        self.sent = self.acknowledged = 0
        self.worst_s, self.stopping = 0.0, False
        self.connect()

    def connect(self):
        begun = time.monotonic()
        self.socket = helper.connect(self.agent.path("in.sock"))
        self.socket.settimeout(20)
        self.socket.sendall(f"HOLDFAST 1 STREAM {self.stream}\n".encode())
        self.input = b""
        answer = self.line()
        self.worst_s = max(self.worst_s, time.monotonic() - begun)
        if answer != f"OK {self.acknowledged}":
            raise RuntimeError(f"{self.name} hears '{answer}', not OK {self.acknowledged}")

    def line(self):
        while b"\n" not in self.input:
            got = self.socket.recv(4096)
            if not got:
                raise ConnectionError("closed")
            self.input += got
        line, self.input = self.input.split(b"\n", 1)
        return line.decode()

    def say(self):
        self.sent += 1
        begun = time.monotonic()
        self.socket.sendall(f"honest {self.name} {self.sent:06d}.\n".encode())
        while self.acknowledged < self.sent:
            word, number = self.line().split(" ", 1)
            if word == "ACK":
                self.acknowledged = int(number)
            elif word not in ("FULL", "GO"):
                raise RuntimeError(f"{self.name} hears '{word} {number}'")
        self.worst_s = max(self.worst_s, time.monotonic() - begun)

    def run(self):
        turn = 0
        while not self.stopping:
            self.say()
            turn += 1
            if turn % 20 == 0:  # a new connection each second
                self.socket.close()
                self.connect()
            time.sleep(PERIOD_S)


class File:
    """Lines in a file; `watched`: the source has only this one, so that its events tell when they arrived."""

    def __init__(self, agent, name, path, watched):
        self.agent, self.name, self.path, self.watched = agent, name, agent.path(path), watched
        self.sent, self.arrived, self.worst_s, self.stopping, self.times = 0, 0, 0.0, False, {}

    def run(self):
        with open(self.path, "a", buffering=1) as file:
            while not self.stopping:
                self.sent += 1
                self.times[self.sent] = time.monotonic()
                file.write(f"honest {self.name} {self.sent:06d}.\n")
                time.sleep(PERIOD_S)

    def look(self):
        while not self.stopping or self.arrived < self.sent:
            asked = time.monotonic()
            source = self.agent.source(self.watched)
            while source and self.arrived < source["events"]:
                self.arrived += 1
                self.worst_s = max(self.worst_s, asked - self.times[self.arrived])
            if self.stopping and time.monotonic() - self.times[self.sent] > 30:
                self.worst_s = 30.0
                return
            time.sleep(0.1)


def become(uid):
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


class Disk:
    """What the disk alone takes meanwhile: an acknowledgement cannot be quicker."""

    def __init__(self):
        self.worst_s, self.stopping = 0.0, False

    def run(self):
        file = os.open(os.path.join(top, "probe"), os.O_CREAT | os.O_WRONLY)
        while not self.stopping:
            begun = time.monotonic()
            os.pwrite(file, b"x" * 4096, 0)
            os.fdatasync(file)
            self.worst_s = max(self.worst_s, time.monotonic() - begun)
            time.sleep(PERIOD_S)
        os.close(file)


class Helper:
    """A process of the honest user: it connects, as whoever connects is who is counted, and hands the connection over."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self.ours.close()
            become(HONEST)
            while path := theirs.recv(4096):
                one = connect_to(path.decode())
                socket.send_fds(theirs, [b"x"], [one.fileno()])
                one.close()
            os._exit(0)
        theirs.close()

    def connect(self, path):
        with self.lock:
            self.ours.send(path.encode())
            return socket.socket(fileno=socket.recv_fds(self.ours, 1, 1)[1][0])


def connect_to(path):
    one = socket.socket(socket.AF_UNIX)
    one.connect(path)
    return one


# ---- the stranger: each in a process of his own uid, until it is ended ----

def attack_disk(path):
    block = (b"x" * 4095 + b"\n") * 256
    total = 0
    with open(path("logs/stranger/much.log"), "ab", buffering=0) as file:
        while total < 160 << 20:
            total += file.write(block)
    time.sleep(3600)


def attack_connections(path):
    held = []
    while True:
        held = [one for one in held if not is_closed(one)]
        while len(held) < 1100:
            one = connect_to(path("in.sock"))
            try:
                one.send(b"H")
            except OSError:
                pass
            held.append(one)
        time.sleep(0.01)


def is_closed(one):
    try:
        return one.recv(4096, socket.MSG_DONTWAIT) == b"" and (one.close() or True)
    except BlockingIOError:
        return False
    except OSError:
        one.close()
        return True


def attack_streams(path):
    done, open_ones = 0, {}
    while done < 17500:
        while len(open_ones) < 250:
            one = connect_to(path("in.sock"))
            one.send(f"HOLDFAST 1 STREAM {uuid.uuid4()}\nx\n".encode())
            open_ones[one] = b""
        for one in select.select(list(open_ones), [], [], 1)[0]:
            try:
                got = one.recv(4096)
            except OSError:
                got = b""
            open_ones[one] += got
            if not got or b"ACK" in open_ones[one]:
                done += bool(got)
                del open_ones[one]
                one.close()
    open(path("logs/stranger/done"), "w").close()
    time.sleep(3600)


def attack_names(path):
    for number in range(9000):
        with open(path(f"logs/stranger/{number:0>246}.log"), "w") as file:
            file.write("x\n")
    open(path("logs/stranger/done"), "w").close()
    time.sleep(3600)


def attack_chmod(path):
    names = [path(f"logs/stranger/{name}.log") for name in ("a", "b")]
    for name in names:
        open(name, "w").close()
    while True:
        for name in names:
            os.chmod(name, 0o600)
            os.chmod(name, 0o644)


ATTACKS = {
    # name: what he has, seconds, what status must say of whom
    "disk": ("a watched file, written at the disk's speed while the store is down", 12, "logs", "journal"),
    "connections": ("1,100 connections that said one byte, again and again", 8, "local", "connections"),
    "streams": ("17,500 streams of one line", 60, "local", "streams"),
    "names": ("9,000 files with names of 250 bytes in a watched folder", 40, "logs", "positions"),
    "chmod": ("an endless chmod of two watched files", 6, None, None),
}


def begin(attack, agent):
    process = subprocess.Popen([sys.executable, __file__, "attack", agent.dir, "", attack])
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


def end(process):
    process.kill()
    process.wait()


# ---- one play ----

def play(attack):
    has, seconds, of, kind = ATTACKS[attack]
    agent = Agent(attack)
    quiet = [Client(agent, f"quiet{number}") for number in range(20)]  # they say nothing meanwhile, and are known afterwards
    for client in quiet:
        client.say()
        client.socket.close()
    client = Client(agent, "client")
    files = [File(agent, "system", "system/app.log", "system"), File(agent, "neighbour", "logs/honest/app.log", None)]
    disk = Disk()
    threads = [threading.Thread(target=one.run) for one in (client, disk, *files)] + [threading.Thread(target=files[0].look)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    if attack == "disk":
        os.rename(agent.path("store"), agent.path("store.away"))
    stranger = begin(attack, agent)
    said, until = set(), time.monotonic() + seconds * factor
    while time.monotonic() < until:
        status = agent.status()
        for source in status["sources"] if status else []:
            if source["problem"]:
                said.add((source["name"], source["problem"]))
        if of and os.path.exists(agent.path("logs/stranger/done")) and any(kind in text for _, text in said):
            break
        time.sleep(0.2)
    end(stranger)
    time.sleep(2.5)  # what began last is recorded, too
    if attack == "disk":
        os.rename(agent.path("store.away"), agent.path("store"))
    for name in os.listdir(agent.path("logs/stranger")) if attack == "names" else []:
        os.unlink(agent.path(f"logs/stranger/{name}"))
    for one in (client, disk, *files):
        one.stopping = True
    for thread in threads:
        thread.join(60)
    for one in quiet:
        one.connect()
    flushed = run("flush", "-c", agent.config, "--timeout", "90s")
    lost, doubled = count(agent, [client, *files, *quiet])
    records = sum(text.count('"eventName":"SourceRefusal"') for text in agent.text())
    agent.stop()
    worst_ms = int(1000 * max(client.worst_s, files[0].worst_s))
    wrong = []
    if any(thread.is_alive() for thread in threads):
        wrong.append("an honest one waits for ever")
    if lost or doubled:
        wrong.append(f"{lost} honest events lost, {doubled} doubled")
    if worst_ms > 1000 * (WITHIN_S + 2 * disk.worst_s):  # a batch waits for the one before it
        wrong.append(f"an honest line waited {worst_ms} ms (client {client.worst_s:.2f} s, file {files[0].worst_s:.2f} s)")
    if of and not any(name == of and kind in text for name, text in said):
        wrong.append(f"status of {of} does not name the {kind}: {sorted(said)}")
    if of and not records:
        wrong.append("no SourceRefusal record")
    if attack != "names" and flushed.returncode != 0:
        wrong.append(f"flush: {flushed.returncode} {flushed.stderr.strip()}")
    text = next((text for name, text in sorted(said) if of and name == of and kind in text), "well" if not said else sorted(said)[0][1])
    honest = sum(one.sent for one in (client, *files, *quiet))
    print(f"| {attack} | {has} | {honest} | {lost} | {doubled} | {worst_ms} ms | {int(1000 * disk.worst_s)} ms | {text[:90]} |", flush=True)
    for line in wrong:
        print(f"WRONG: {attack}: {line}", file=sys.stderr, flush=True)
    return not wrong


def count(agent, honest):
    seen = {}
    for text in agent.text():
        for name, number in re.findall(r"honest ([a-z]+[0-9]*) ([0-9]{6})\.", text):
            seen[name, int(number)] = seen.get((name, int(number)), 0) + 1
    lost = sum((one.name, number) not in seen for one in honest for number in range(1, one.sent + 1))
    return lost, sum(times > 1 for times in seen.values())


if program == "attack":
    become(STRANGER)
    globals()["attack_" + attacks[0]](lambda name: os.path.join(top, name))
    sys.exit(0)
print("| attack | what the attacker has | honest events | lost | doubled | worst acknowledgement | one fdatasync beside it | what status said |")
print("|---|---|---|---|---|---|---|---|")
helper = Helper()
good = [play(attack) for attack in attacks]
sys.exit(0 if all(good) else 1)
