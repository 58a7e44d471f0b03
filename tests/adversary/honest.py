"""The honest: a client and writers of files, how long each of their lines takes, and what the disk alone takes meanwhile."""
import os, socket, threading, time, uuid

from agent import HONEST, become

PERIOD_S = 0.05  # of each honest line


class Client:
    """Protocol 1, as the honest user: what it says, and when it is acknowledged."""

    def __init__(self, agent, name):
        self.agent, self.name, self.stream = agent, name, str(uuid.uuid4())
        self.sent = self.acknowledged = 0
        self.waits_s, self.stopping, self.problem = [], False, None
        self.connect()

    def connect(self):
        begun = time.monotonic()
        self.socket = helper.connect(self.agent.path("own/in.sock"))
        self.socket.settimeout(20)
        self.socket.sendall(f"HOLDFAST 1 STREAM {self.stream}\n".encode())
        self.input = b""
        answer = self.line()
        self.waits_s.append(time.monotonic() - begun)
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
        self.waits_s.append(time.monotonic() - begun)

    def run(self):
        turn = 0
        try:
            while not self.stopping:
                self.say()
                turn += 1
                if turn % 20 == 0:  # a new connection each second
                    self.socket.close()
                    self.connect()
                time.sleep(PERIOD_S)
        except (OSError, RuntimeError) as error:
            self.problem = f"{self.name}: {error}"


class File:
    """Lines in a file; `watched`: the source has only this one, so that its events tell when they arrived."""

    def __init__(self, agent, name, path, watched=None):
        self.agent, self.name, self.path, self.watched = agent, name, agent.path(path), watched
        self.sent, self.arrived, self.waits_s, self.stopping, self.times, self.problem = 0, 0, [], False, {}, None
        self.first = 0  # of the source's events, those that are not counted here

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
            while source and self.arrived < source["events"] - self.first:
                self.arrived += 1
                self.waits_s.append(asked - self.times[self.arrived])
            if self.stopping and time.monotonic() - self.times[self.sent] > 30:
                self.problem = f"{self.name}: {self.sent - self.arrived} lines did not arrive"
                return
            time.sleep(0.02)


class Disk:
    """What the disk alone takes meanwhile: an acknowledgement cannot be quicker."""

    def __init__(self, folder):
        self.folder, self.worst_s, self.stopping = folder, 0.0, False

    def run(self):
        file = os.open(os.path.join(self.folder, "probe"), os.O_CREAT | os.O_WRONLY)
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
                one = socket.socket(socket.AF_UNIX)
                try:
                    one.connect(path.decode())
                    socket.send_fds(theirs, [b"x"], [one.fileno()])
                except OSError as error:
                    theirs.send(str(error).encode())
                one.close()
            os._exit(0)
        theirs.close()

    def connect(self, path):
        with self.lock:
            self.ours.send(path.encode())
            said, descriptors = socket.recv_fds(self.ours, 4096, 1)[:2]
        if not descriptors:
            raise ConnectionError(said.decode())
        return socket.socket(fileno=descriptors[0])


helper = Helper()
