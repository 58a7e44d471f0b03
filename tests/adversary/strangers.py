"""The stranger: strangers.py FOLDER ATTACK plays one in a process of his own uid until it is ended.

He may write to logs/stranger, make folders in open/, and connect to the socket; of his lines nothing is promised.
"""
import fcntl, os, select, signal, socket, sys, time, uuid

import fuse
from agent import STRANGER, become

top = sys.argv[1]


def path(name):
    return os.path.join(top, name)


def write(name, text="x\n"):
    with open(path(name), "w") as file:
        file.write(text)


def is_done():
    """What there was to be done is."""
    write("his/done")
    time.sleep(3600)


def connected():
    one = socket.socket(socket.AF_UNIX)
    one.connect(path("own/in.sock"))
    return one


# ---- much ----

def disk():
    block = (b"x" * 4095 + b"\n") * 256
    total = 0
    with open(path("logs/stranger/much.log"), "ab", buffering=0) as file:
        while total < 160 << 20:
            total += file.write(block)
    time.sleep(3600)


def long():
    with open(path("logs/stranger/long.log"), "ab", buffering=0) as file:
        for unused in range(200):
            file.write(b"x" * (1 << 20))
    is_done()


# ---- connections ----

def connections():
    held = []
    while True:
        held = [one for one in held if not is_closed(one)]
        while len(held) < 1100:
            one = connected()
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


def streams():
    done, open_ones = 0, {}
    while done < 17500:
        while len(open_ones) < 250:
            one = connected()
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
    is_done()


def slow():
    """Who reads no answer, who never ends his greeting, and who says a byte a second."""
    deaf, half, drip = [], [], []
    for held, said in ((deaf, "HOLDFAST 1 STREAM {}\n"), (half, "HOLDFAST 1 STR"), (drip, "HOLDFAST 1 STREAM {}\n")):
        for unused in range(100):
            one = connected()
            one.send(said.format(uuid.uuid4()).encode())
            one.setblocking(False)
            held.append(one)
    next_byte = 0.0
    while True:
        for one in deaf:
            send(one, b"deaf\n" * 100)
        if time.monotonic() >= next_byte:
            next_byte = time.monotonic() + 1
            for one in drip:
                send(one, b"x")
        time.sleep(0.02)


def send(one, said):
    try:
        one.send(said)
    except (BlockingIOError, ConnectionError):
        pass


def knock():
    while True:
        connected().close()


def half():
    """Lines that never end, each a little shorter than what is cut."""
    held = []
    for unused in range(700):
        try:
            one = connected()
            one.settimeout(1)
            one.sendall(b"x" * 250000)
        except OSError:
            continue
        held.append(one)
    is_done()


# ---- who said it ----

def ways(word):
    """The same to some reader."""
    yield from (word, word.upper(), word.capitalize(), "\\u%04x" % ord(word[0]) + word[1:], "".join("\\u%04X" % ord(c) for c in word.upper()))
    if "s" in word:
        yield word.replace("s", "\u017f", 1)


def forged_lines():
    shaped = {"eventTime": '"2026-11-28T10:00:00Z"', "eventSource": '"app.example"', "eventName": '"Login"'}
    member = '{"seq":1,"source":"system","file":"/var/log/audit/audit.log","atConnect":{"uid":0,"gid":0,"pid":1}}'
    pairs = []
    for way in ways("holdfast"):
        pairs += [[*shaped.items(), (way, member)], [(way, member), *shaped.items()]]
        for source in (way, "app." + way):
            pairs.append([("eventSource", f'"{source}"'), ("eventName", '"AgentStop"'), ("eventTime", shaped["eventTime"])])
    for name in ("eventTime", "eventSource", "eventName", "userIdentity", "eventID", "recipientAccountId", "sourceIPAddress"):
        for way in ways(name):
            value = shaped.get(name, '"first"')
            pairs += [[*shaped.items(), (name, value), (way, '"holdfast"')], [(way, '"holdfast"'), *shaped.items(), (name, value)]]
    for number, line in enumerate(pairs):
        yield "{" + ",".join(f'"{name}":{value}' for name, value in (*line, ("requestID", f'"forged-{number}-"'))) + "}"
    whole = "{" + ",".join(f'"{name}":{value}' for name, value in shaped.items())
    for number, tail in enumerate(('},"holdfast":{}}', ',"holdfast":{"seq":1}}]}', '}\0{"holdfast":{}}', "}\u2028", '}]}{"Records":[]}', ',"a":"\\"},\\"holdfast\\":{}'),
                                  len(pairs)):
        yield whole + f',"requestID":"forged-{number}-"' + tail


def forge():
    said = "".join(line + "\n" for line in forged_lines()).encode()
    with open(path("logs/stranger/forged.log"), "wb") as file:
        file.write(said)
    one = connected()
    one.sendall(said)
    one.shutdown(socket.SHUT_WR)
    is_done()


# ---- files ----

def names():
    for number in range(9000):
        write(f"logs/stranger/{number:0>246}.log")
    is_done()


def chmod():
    files = [path(f"logs/stranger/{name}.log") for name in ("a", "b")]
    for name in files:
        open(name, "w").close()
    while True:
        for name in files:
            os.chmod(name, 0o600)
            os.chmod(name, 0o644)


def vanish():
    while True:
        for number in range(8100):
            write(f"logs/stranger/{number}.log")
        for number in range(8100):
            os.unlink(path(f"logs/stranger/{number}.log"))


def equal():
    for number in range(4000):
        write(f"logs/stranger/{number}.log", "equal\n")
    is_done()


def links():
    secret, mine = path("kept/secret.log"), path("logs/stranger")
    for name, to in (("link", secret), ("hops", "link.log"), ("loop", "loop.log"), ("one", "two.log"), ("two", "one.log"), ("zero", "/dev/zero"),
                     ("own", path("own/digest.key")), ("up", "../../kept/secret.log"), ("self", "/proc/self/environ")):
        os.symlink(to, f"{mine}/{name}.log")
    os.symlink(path("kept"), path("open/linked"))
    os.mkdir(f"{mine}/folder.log")
    os.mkfifo(f"{mine}/fifo.log", 0o644)
    socket.socket(socket.AF_UNIX).bind(f"{mine}/socket.log")
    try:  # where the kernel lets him; else the play did it in his place
        os.link(secret, f"{mine}/second.log")
    except (PermissionError, FileExistsError):
        pass
    with open(f"{mine}/sparse.log", "wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 40)
        file.write(b"behind a terabyte\n")
    os.mkdir(path("open/turned"))
    write("open/turned/secret.log", "mine\n")
    write("logs/stranger/turned", "mine\n")
    while True:  # a file that is a link when it is opened, and a folder
        os.symlink(secret, f"{mine}/next")
        os.rename(f"{mine}/next", f"{mine}/turned.log")
        os.rename(path("open/turned"), path("open/.away"))
        os.symlink(path("kept"), path("open/turned"))
        os.link(f"{mine}/turned", f"{mine}/next")
        os.rename(f"{mine}/next", f"{mine}/turned.log")
        os.unlink(path("open/turned"))
        os.rename(path("open/.away"), path("open/turned"))


def folders():
    lines = ("x" * 1023 + "\n") * 64
    for number in range(3000):
        os.mkdir(path(f"open/{number}"))
        write(f"open/{number}/a.log", lines)
    is_done()


def closed():
    for number in range(2000):
        write(f"logs/stranger/{number}.log", "not for you\n")
        os.chmod(path(f"logs/stranger/{number}.log"), 0)
    is_done()


def lease():
    """Who opens one of his files waits, or is refused, until he gives it back."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    held = []
    for number in range(50):
        write(f"logs/stranger/.{number}", "leased\n")
        file = os.open(path(f"logs/stranger/.{number}"), os.O_RDWR)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        os.rename(path(f"logs/stranger/.{number}"), path(f"logs/stranger/{number}.log"))
        held.append(file)
    time.sleep(3600)


def tree():
    mine = path("tree/stranger")
    for number in range(20000):
        os.mkdir(f"{mine}/{number}")
    os.chdir(mine)
    for unused in range(1900):
        os.mkdir("d")
        os.chdir("d")
    is_done()


def rename():
    mine = path("logs/stranger")
    while True:
        for number in range(4):
            write(f"logs/stranger/{number}.log", f"{number}\n" * 10)
        for number in range(3):
            os.rename(f"{mine}/{number + 1}.log", f"{mine}/{number}.log")


def truncate():
    with open(path("logs/stranger/cut.log"), "ab", buffering=0) as file:
        while True:
            file.write(b"x\n" * 50)
            file.truncate(0)


def mount():
    fuse.serve(mounted, STRANGER)


ATTACKS = {name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == __name__}

if __name__ == "__main__":
    if sys.argv[2] == "mount":  # as fusermount does for him where the host has user_allow_other
        mounted = fuse.mount(path("logs/stranger"), STRANGER)
    become(STRANGER)
    ATTACKS[sys.argv[2]]()
