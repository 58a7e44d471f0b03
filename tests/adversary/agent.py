"""The agent that is attacked: root's, or one with the rights of its unit (`Agent.unit`)."""
import atexit, glob, gzip, json, os, resource, signal, socket, subprocess, sys, time

STRANGER, HONEST = 1, 2  # users that every system has
UNIT, READERS = 3, 4     # the user that the agent is in the unit's place, and the group that may read logs
SOURCES = {
    "logs": "logs/*/*.log",    # a folder for each user
    "open": "open/*/*.log",    # where everybody may make folders
    "tree": "tree/**/*.log",
    "system": "system/app.log",
}


def become(uid):
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def as_object(value):
    """Of pairs."""
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        return {name: as_object(inner) for name, inner in value}
    return value


class Agent:
    unit = False
    program = None

    def __init__(self, folder, store=None):
        """`store`: where it is not a directory."""
        self.dir, self.store = folder, store
        for name in ("", "store", "store/audit", "logs", "logs/stranger", "logs/honest", "open", "open/honest", "tree", "tree/stranger", "tree/zeal", "system", "kept", "own", "his"):
            os.makedirs(self.path(name), exist_ok=True)
        for name, owner, mode in (("logs/stranger", STRANGER, 0o2750), ("his", STRANGER, 0o755), ("logs/honest", 0, 0o2750), ("system", 0, 0o2750), ("tree/stranger", STRANGER, 0o2750), ("open/honest", 0, 0o2755)):
            os.chown(self.path(name), owner, READERS)
            os.chmod(self.path(name), mode)
        os.chmod(self.path("open"), 0o1777)
        for name in ("system/app.log", "logs/honest/app.log", "open/honest/app.log", "tree/zeal/app.log"):
            open(self.path(name), "w").close()
        with open(self.path("kept/secret.log"), "w") as file:  # what the agent alone may read
            file.write("".join(f"the secret, {number}\n" for number in range(100)))
        os.chmod(self.path("kept/secret.log"), 0o600)
        if self.unit:
            for name in ("store", "store/audit", "own", "kept/secret.log"):
                os.chown(self.path(name), UNIT, UNIT)
        self.run("key", "new", self.path("own/digest.key"), check=True)
        self.config = self.path("holdfast.yaml")
        stores = store.yaml() if store else f'  - {{ name: main, url: "dir://{self.path("store")}" }}'
        sources = "\n".join(f'  - {{ name: {name}, type: file, path: "{self.path(path)}", start: beginning }}' for name, path in SOURCES.items())
        with open(self.config, "w") as file:
            file.write(f"""
agent: {{ state_dir: {self.path('own/state')}, host: adversary, journal: {{ max_bytes: 64MiB, segment_bytes: 4MiB }} }}
stores:
{stores}
sources:
{sources}
  - {{ name: local, type: socket, path: {self.path('own/in.sock')}, mode: "0666" }}
buckets:
  - {{ name: audit, store: main, retention: {{ mode: governance, days: 1 }} }}
trails:
  - {{ name: audit, bucket: audit, window: {{ seconds: 1 }}, encryption: none, digest: {{ seconds: 5, key_file: {self.path('own/digest.key')} }} }}
""")
        self.process = None
        atexit.register(lambda: self.process and self.process.poll() is None and self.process.kill())  # also when a play breaks off
        self.start()

    def run(self, *words, **options):
        """As the agent's user."""
        return subprocess.run([*self.rights(), self.program, *words], capture_output=True, text=True, **options)

    def rights(self):
        return ["setpriv", f"--reuid={UNIT}", f"--regid={UNIT}", f"--groups={READERS}", "--bounding-set=-all", "--inh-caps=-all",
                "--no-new-privs"] if self.unit else []

    def start(self):
        log = open(self.path("agent.log"), "a")
        words = [self.program, "run", "-c", self.config]
        limit = None
        if self.unit:  # as the unit has it: nothing but its group, and of other users' processes it sees nothing
            words = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", "mount -t proc -o hidepid=invisible proc /proc && exec \"$@\"", "sh",
                     *self.rights(), *words]
            most = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=limit)
        end = time.monotonic() + 30
        while not self.status() or not self.listens():
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit(f"the agent does not start: {open(self.path('agent.log')).read()[-2000:]}")
            time.sleep(0.1)

    def listens(self):
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(self.path("own/in.sock")) == 0

    def path(self, name):
        return os.path.join(self.dir, name)

    def status(self):
        """As the program asks for it, but without a process each time."""
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(10)
                one.connect(self.path("own/state/control.sock"))
                one.sendall(b'{"command":"status"}\n')
                while part := one.recv(1 << 16):
                    answer += part
        except OSError:
            return None
        said = json.loads(answer) if answer.endswith(b"\n") else {}
        return said if "sources" in said else None

    def source(self, name):
        status = self.status()
        return next((s for s in status["sources"] if s["name"] == name), None) if status else None

    def flush(self, timeout="60s"):
        return self.run("flush", "-c", self.config, "--timeout", timeout)

    def inside(self, *words):
        """A command that sees the mounts that the agent sees."""
        return ["nsenter", f"--target={self.process.pid}", "--mount", *words] if self.unit else list(words)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        if self.process.returncode != 0:
            raise RuntimeError(f"the agent ends with {self.process.returncode}: {open(self.path('agent.log')).read()[-2000:]}")

    def proc(self, name, field):
        """Of /proc/PID/NAME the number behind FIELD."""
        with open(f"/proc/{self.process.pid}/{name}") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def texts(self):
        """All that was delivered, an object each; of another store than a directory its records."""
        if self.store:
            said = self.run("cat", "-c", self.config, "--trail", "audit")
            if said.returncode not in (0, 1):  # 1: somebody changed what lies there, and it is said beside it
                raise RuntimeError(f"cat: {said.returncode} {said.stderr}")
            yield said.stdout
            return
        for path in sorted(glob.glob(self.path("store/audit/**/CloudTrail/**/*.json.gz"), recursive=True)):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                yield file.read()

    def records(self):
        """Each as its top-level members, in order."""
        for text in self.texts():
            for record in json.loads(text, object_pairs_hook=lambda pairs: pairs)[0][1]:
                yield [(name, as_object(value)) for name, value in record]
