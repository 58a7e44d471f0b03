"""Plays rows of tests/adversary/run: play.py PROGRAM FOLDER FACTOR RIGHTS ROW ... (FACTOR "": 1; RIGHTS: root or unit)."""
import atexit, os, re, subprocess, sys, threading, time

from agent import UNIT, Agent
from honest import Client, Disk, File
from rows import ROWS, nothing
from stores import Store

WITHIN_S = 1.0
LINE = re.compile(r"honest ([a-z]+[0-9]*) ([0-9]{6})\.")


class Play:
    """One attack on an agent of its own, beside honest users."""

    def __init__(self, name, row, top, factor):
        self.name, self.row, self.factor = name, row, factor
        self.store = Store(os.path.join(top, f"{name}.s3"), Agent.program, UNIT if Agent.unit else 0) if row.steps else None
        self.agent = Agent(os.path.join(top, name), self.store)
        self.wrong = []
        self.said = {}  # source -> what status said of it
        self.most = {}  # (source, field) -> the largest number
        self.client = Client(self.agent, "client")
        self.quiet = [Client(self.agent, f"quiet{number}") for number in range(20)]  # they say nothing meanwhile, and are known afterwards
        for client in self.quiet:
            client.say()
            client.socket.close()
        self.files = [File(self.agent, "system", "system/app.log", "system"), File(self.agent, "neighbour", "logs/honest/app.log"),
                      File(self.agent, "other", "open/honest/app.log"), File(self.agent, "leaf", "tree/zeal/app.log")]
        self.disk = Disk(top)
        self.honest = [self.client, *self.files]

    def check(self, is_right, text):
        if not is_right:
            self.wrong.append(text)

    def look(self):
        status = self.agent.status()
        for source in status["sources"] if status else []:
            for text in (source["problem"], source["others_are"]):
                if text:
                    self.said.setdefault(source["name"], {})[text] = None
            for field, value in source.items():
                if isinstance(value, (int, float)):
                    key = source["name"], field
                    self.most[key] = max(self.most.get(key, 0), value)
        for trail in status["trails"] if status else []:
            for text in (trail["reason"], trail["head_problem"]):
                if text:
                    self.said.setdefault(trail["name"], {})[text] = None
            self.most["strays"] = max(self.most.get("strays", 0), trail["strays"])
        return status

    def is_said(self, source, pattern):
        return next((text for text in self.said.get(source, {}) if re.search(pattern, text)), None)

    def is_said_all(self):
        return all(self.is_said(source, pattern) for source, pattern in self.row.says)

    def begin(self):
        for one in (*self.honest, self.disk):
            one.stopping = False
        self.files[0].first = self.agent.source("system")["events"] - self.files[0].arrived
        self.threads = [threading.Thread(target=one.run) for one in (*self.honest, self.disk)]
        self.threads.append(threading.Thread(target=self.files[0].look))
        for thread in self.threads:
            thread.daemon = True
            thread.start()

    def end(self):
        for one in (*self.honest, self.disk):
            one.stopping = True
        for thread in self.threads:
            thread.join(60)
        self.check(not any(thread.is_alive() for thread in self.threads), "an honest one waits for ever")
        for one in self.honest:
            self.check(not one.problem, one.problem)

    def start_again(self, between=nothing):
        """The agent is killed, and started; what the honest say is counted on."""
        self.end()
        self.agent.kill()
        between(self)
        self.agent.start()
        self.client.connect()
        self.begin()

    def steps(self):
        """Of a hostile store."""
        for step in self.row.steps:
            plan = step.plan if callable(step.plan) else lambda play, said=step.plan: play.store.do(said)
            if step.starts:
                self.start_again(plan)
            else:
                plan(self)
            self.said["audit"] = {}
            until = time.monotonic() + (self.row.seconds if step.says else 3) * self.factor
            while time.monotonic() < until and not (step.says and self.is_said("audit", step.says)):
                self.look()
                time.sleep(0.2)
            self.check(not step.says or self.is_said("audit", step.says), f"status does not say '{step.says}': {self.said}")
            time.sleep(self.factor)
            self.row.during(self)
            self.store.do("mend")

    def attack(self):
        """In a process of the stranger's."""
        process = subprocess.Popen(self.agent.inside(sys.executable, os.path.join(os.path.dirname(__file__), "strangers.py"), self.agent.dir,
                                                     self.row.attack or self.name))
        atexit.register(lambda: process.poll() is None and process.kill())
        until = time.monotonic() + self.row.seconds * self.factor
        while time.monotonic() < until:
            self.look()
            if os.path.exists(self.agent.path("his/done")) and self.is_said_all():
                break
            if self.row.ends_said and self.is_said_all():
                break
            time.sleep(0.2)
        self.row.during(self)
        self.check(process.poll() is None, f"the stranger ended with {process.returncode}")
        process.kill()
        process.wait()

    def restart(self):
        """And the same again."""
        before, self.said = self.said, {}
        os.unlink(self.agent.path("his/done"))
        self.start_again()
        self.attack()
        self.check(before, "nothing was said before the agent was started again")

    def run(self):
        self.row.before(self)
        self.begin()
        self.steps() if self.store else self.attack()
        if self.row.restarts:
            self.restart()
        time.sleep(2.5)  # what began last is recorded, too
        later = File(self.agent, "later", "logs/honest/later.log")  # a file that comes now is read like any other
        with open(later.path, "w") as file:
            file.write("honest later 000001.\n")
        later.sent = 1
        self.row.after(self)
        self.end()
        for one in self.quiet:
            one.connect()
        flushed = self.agent.flush("90s")
        self.look()
        self.honest += [later, *self.quiet]
        self.judge(flushed)
        self.row.judge(self)
        with open(self.agent.path("agent.log"), encoding="utf-8", errors="surrogateescape") as file:
            told = file.read() + self.agent.run("status", "-c", self.agent.config).stdout
        self.check(not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", told), "log or status hands on bytes that steer a terminal")
        self.agent.stop()
        if self.store:
            self.store.stop()
        return self.print()

    def judge(self, flushed):
        seen, refusals = {}, 0
        for text in self.agent.texts():
            refusals += text.count('"eventName":"SourceRefusal"')
            for name, number in LINE.findall(text):
                seen[name, int(number)] = seen.get((name, int(number)), 0) + 1
        self.lost = sum((one.name, number) not in seen for one in self.honest for number in range(1, one.sent + 1))
        self.doubled = sum(times > 1 for times in seen.values())
        waits = sorted(self.client.waits_s)
        self.p99_ms = int(1000 * waits[len(waits) * 99 // 100])
        self.worst_ms = int(1000 * max(waits[-1], *self.files[0].waits_s))
        self.check(not self.lost and not self.doubled, f"{self.lost} honest events lost, {self.doubled} doubled")
        self.check(self.worst_ms <= 1000 * (WITHIN_S + 2 * self.disk.worst_s),  # a batch waits for the one before it
                   f"an honest line waited {self.worst_ms} ms (client {waits[-1]:.2f} s, file {max(self.files[0].waits_s):.2f} s)")
        for source, pattern in self.row.says:
            self.check(self.is_said(source, pattern), f"status of {source} does not say '{pattern}': {self.said}")
        self.check(refusals or not self.row.recorded, "no SourceRefusal record")
        beyond = self.is_said("logs", "over the share of the files open") and "is over its share of the files open" in flushed.stderr
        self.check(flushed.returncode in self.row.flush or beyond, f"flush: {flushed.returncode} {flushed.stderr.strip()}")

    def print(self):
        text = next((self.is_said(source, pattern) for source, pattern in self.row.says if self.is_said(source, pattern)), None)
        text = text or next((text for texts in self.said.values() for text in texts), "well")
        sent = sum(one.sent for one in self.honest)
        print(f"| {self.name} | {self.row.has} | {sent} | {self.lost} | {self.doubled} | {self.p99_ms} ms | {self.worst_ms} ms | "
              f"{int(1000 * self.disk.worst_s)} ms | {text.replace(self.agent.dir, '')[:110]} |", flush=True)
        for line in self.wrong:
            print(f"WRONG: {self.name}: {line}", file=sys.stderr, flush=True)
        return not self.wrong


def play(name, top, factor):
    row = ROWS[name]
    if row.needs and not os.path.exists(row.needs):
        print(f"| {name} | {row.has} | not played: no {row.needs} here | | | | | | |", flush=True)
        return True
    return Play(name, row, top, factor).run()


if __name__ == "__main__":
    Agent.program, Agent.unit = sys.argv[1], sys.argv[4] == "unit"
    good = [play(name, sys.argv[2], int(sys.argv[3] or 1)) for name in sys.argv[5:]]
    sys.exit(0 if all(good) else 1)
