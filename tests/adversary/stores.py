"""Hostile stores: tests/support/hf_s3_server, and what it is told to do."""
import datetime, gzip, os, re, socket, subprocess, time
from dataclasses import dataclass
from typing import Callable, Union

KEY = "AKIDFIRST"


class Store:
    def __init__(self, folder, program, reader):
        """`reader`: the user that the agent is."""
        os.makedirs(folder)
        self.folder = folder
        server = os.path.join(os.path.dirname(program), "../../tests/support/hf_s3_server")
        self.process = subprocess.Popen([server, folder, "audit", KEY])
        with open(f"{folder}/credentials", "w") as file:
            file.write(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = secret\n")
        os.chmod(f"{folder}/credentials", 0o600)
        os.chown(f"{folder}/credentials", reader, reader)
        end = time.monotonic() + 10
        while not os.path.exists(f"{folder}/url"):
            if time.monotonic() > end:
                raise RuntimeError("the server does not start")
            time.sleep(0.05)

    def yaml(self):
        with open(f"{self.folder}/url") as file:
            url = file.read().strip()
        return (f'  - {{ name: main, url: "{url}", region: us-east-1, addressing: path, timeout: 1s, '
                f'credentials_file: "{self.folder}/credentials" }}')

    def do(self, commands):
        """By ;"""
        for command in commands.split(";"):
            with open(f"{self.folder}/control") as file, socket.create_connection(("127.0.0.1", int(file.read()))) as one:
                one.sendall(f"{command}\n".encode())
                answer = b"".join(iter(lambda: one.recv(65536), b"")).decode()
            if answer.startswith("error:"):
                raise RuntimeError(f"{command}: {answer}")
        return answer

    def requests(self):
        """How many there were."""
        return sum(int(number) for number in re.findall(r"([0-9]+)", self.do("counts").split('"connections"')[0]))

    def stop(self):
        self.process.kill()
        self.process.wait()


@dataclass
class Step:
    """What the store does, until `status` says `says` of the trail."""
    plan: Union[str, Callable]
    says: str            # "": nothing, it is stepped over
    starts: bool = False # the agent is killed before, and started again


# ---- what lies in the bucket ----

def beside(key, hours):
    """The key of a digest of the same chain so many hours later."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return re.sub(r"/\d{4}/\d\d/\d\d/", when.strftime("/%Y/%m/%d/"), re.sub(r"\d{8}T\d{6}Z", when.strftime("%Y%m%dT%H%M%SZ"), key))


def put(play, content, key):
    path = play.agent.path("foreign")
    with open(path, "wb") as file:
        file.write(content)
    play.store.do(f"put {path} {key}")


def digested(play):
    """The key of the newest digest; there are two of them."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        trail = (play.agent.status() or {"trails": [{"digest_number": 0}]})["trails"][0]
        if trail["digest_number"] >= 2 and trail["digest_key"]:
            return trail["digest_key"]
        time.sleep(0.2)
    raise RuntimeError("no digest is delivered")


def junk(play):
    key = play.newest
    play.store.do(f"drop {key}")
    for hours in (*range(1, 21), -24):
        put(play, b"junk", beside(key, hours))


def nested(play):
    room = (16 << 20) - 64
    for hours, text in enumerate((b'{"holdfast":[' + b"{}," * ((room - 20) // 3) + b"{}]}", b"[" * (room // 2) + b"]" * (room // 2),
                                  b'{"digestEndTime":"' + b"x" * (room - 40) + b'"}')):
        put(play, gzip.compress(text, 9), beside(play.newest, hours + 1))
