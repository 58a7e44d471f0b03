#!/usr/bin/env bash
# Every record says who said it, in a place that no client can write: hostile lines, through a file and through the socket,
# look the same to a reader that takes the last of equal keys (Python, jq), to one that takes the first, and to one that does
# not look at case (Athena); none of them ever sees the agent speak. And a file of any kind can be made again from the records,
# byte for byte.
# stores: dir
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

bucket=$(bucket_name)
bucket_make "$bucket"
mkdir -p said/log said/hostile
make_digest_key said/digest.key >said/fingerprint
configure() { # PROVENANCE
    cat >said/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/said/state, host: said, provenance: $1 }
stores:
$(store_yaml here)
sources:
  - { name: files, type: file, path: "$HF_TMP/said/log/*", start: beginning, late: 6s, max_event: 1KiB }
  - { name: hostile, type: file, path: "$HF_TMP/said/hostile/*", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/said/in.sock }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: $bucket, window: { seconds: 1 }, encryption: none, digest: { seconds: 3600, key_file: $HF_TMP/said/digest.key } }
YAML
}
configure full

# ---- files of many kinds ----

python3 - said/log <<'PYTHON'
import os, random, sys
shaped = b'{"eventTime":"2026-11-28T10:00:00Z","eventSource":"app.example","eventName":"Login"}'
whole = (b'{"eventVersion":"1.08","userIdentity":{},"eventTime":"2026-11-28T10:00:00Z","eventSource":"s","eventName":"n","awsRegion":"r",'
         b'"sourceIPAddress":"i","requestParameters":null,"responseElements":null,"eventID":"x","eventType":"t","recipientAccountId":"1","eventCategory":"c" }')
timed = shaped.replace(b"10:00:00Z", b"15:30:00.250+05:30")
escaped = shaped.replace(b"10:00:00Z", b"10:00:00\\u005a").replace(b"eventTime", b"event\\u0054ime")
lines = [b"plain", b"", b"  ", b"\t", shaped, whole, timed, escaped, b"  " + shaped + b" \t", b'{"a": 1} ', b"\xff\xfe", b"nul \0 in it", b"{broken",
         b"\xc3\xa4" * 900, b"y" * 5000, b"z" * 1024, b"z" * 1025, b" " * 300 + shaped, os.urandom(3000).replace(b"\n", b""), b'"text"', b"\xef\xbb\xbf" + shaped,
         shaped.replace(b"Login", b'x","eventName":"y'), b'{"eventVersion":"1.11",' + shaped[1:]]
kinds = {"unix": b"\n".join(lines) + b"\n", "crlf": b"\r\n".join(lines) + b"\r\n", "mark": b"\xef\xbb\xbf" + whole + b"\r\n" + shaped + b"\r\n",
         "mark-text": b"\xef\xbb\xbfone\r\ntwo\n", "blank": b"\n\n\r\n\n", "one": b"\n", "mixed": b"\r\n".join(lines) + b"\n" + b"\n".join(lines) + b"\n\r\r\n",
         "long": b"q" * 100000 + b"\nshort\n" + b"\r" * 1500 + b"\n"}
random.seed(20261128)
for number in range(12):
    kinds[f"random-{number}"] = b"".join(random.choice(lines) + random.choice([b"\n", b"\n", b"\r\n"]) for unused in range(300))
for name, content in kinds.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(content)
with open(os.path.join(sys.argv[1], "unended"), "wb") as file:
    file.write(shaped)
PYTHON

# ---- lines that try to speak for the agent, or to each reader differently ----

python3 - said/hostile/lines <<'PYTHON'
import sys
names = ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "requestParameters", "responseElements",
         "eventID", "eventType", "recipientAccountId", "eventCategory", "userAgent", "errorCode", "readOnly", "resources", "additionalEventData",
         "serviceEventDetails", "requestID", "managementEvent", "tlsDetails", "sharedEventID", "vpcEndpointId"]
base = {"eventTime": '"2026-11-28T10:00:00Z"', "eventSource": '"app.example"', "eventName": '"Login"'}
def line(pairs):
    return "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
def ways(word):
    yield from (word, word.upper(), word.lower(), word.capitalize())
    yield from ("\\u%04x" % ord(word[0]) + word[1:], word[:-1] + "\\u%04X" % ord(word[-1]), "".join("\\u%04x" % ord(c) for c in word.upper()))
    for plain, other in (("s", "\u017f"), ("k", "\u212a"), ("i", "\u0131"), ("i", "\u0130")):
        if plain in word:
            yield word.replace(plain, other)
            yield word.replace(plain, "\\u%04x" % ord(other))
out = []
for way in ways("holdfast"):
    for value in ('{"seq":1,"source":"holdfast"}', "null", '"x"'):
        out += [line([*base.items(), (way, value)]), line([(way, value), *base.items()])]
    out += [line([*base.items(), ("eventSource", f'"{way}"')][1:] + [("eventTime", base["eventTime"])])]
    for source in (way, "app." + way, "." + way):
        out.append(line([("eventTime", base["eventTime"]), ("eventSource", f'"{source}"'), ("eventName", '"AgentStop"')]))
for name in names:
    for way in ways(name):
        value = '"holdfast"'
        out += [line([*base.items(), (way, value)]), line([(way, value), *base.items()]), line([(way, value), *base.items(), (way, '"other"')]),
                line([*base.items(), (name, value), (way, '"other"')]), line([(way, '"2026-11-28T10:00:00Z"'), *list(base.items())[1:]])]
for time in ("", "now", "2026-11-28 10:00:00", "2026-11-28T10:00:00.5Z", "0000-01-01T00:00:00Z", "2026-11-28T23:59:60Z", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
    out.append(line([("eventTime", f'"{time}"'), *list(base.items())[1:]]))
out += ['{"Records":[%s]}' % line(base.items()), line(base.items()) + ',"holdfast":{}}', line(base.items())[:-1] + ',"x":"\\"},\\"holdfast\\":{\\"seq\\":1}}"}',
        line([*base.items(), ("x", '{"holdfast":{"seq":1},"eventID":1,"eventID":2}')])]
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write("\n".join(out) + "\n")
PYTHON

agent_start said
mv said/log/unended said/log/unended.moved # nobody goes on in it: its last line is one
claim "everything is taken and delivered" "$HF_BIN" flush -c said/holdfast.yaml --timeout 60s
python3 - said/in.sock said/hostile/lines >said/told <<'PYTHON' || claim_failed "the socket takes the same lines" "$(cat said/told)"
import os, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    content = file.read()
client.sendall(content)
client.shutdown(socket.SHUT_WR)
print(os.getpid())
PYTHON
claim_within "the last line of a file that was renamed is a record" 20 bash -c "'$HF_BIN' flush -c said/holdfast.yaml --timeout 60s >/dev/null &&
    '$HF_BIN' cat -c said/holdfast.yaml --trail audit | grep -q 'log/unended.moved.*\"newline\":false'"
"$HF_BIN" flush -c said/holdfast.yaml --timeout 60s >/dev/null || claim_failed "flush"
"$HF_BIN" cat -c said/holdfast.yaml --trail audit >records || claim_failed "cat hands the records out"
claim "validate finds nothing wrong" "$HF_BIN" validate -c said/holdfast.yaml --trail audit

# ---- what readers see ----

cat >readers.py <<'PYTHON'
"""Each record as several readers see it."""
import datetime, json, re, sys

names = ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "requestParameters", "responseElements",
         "eventID", "eventType", "recipientAccountId", "eventCategory"]
hostile, pid = int(sys.argv[2]), int(sys.argv[3])

def first_wins(pairs):
    seen = {}
    for key, value in pairs:
        seen.setdefault(key, value)
    return seen

def like_java(word):  # equalsIgnoreCase: upper case, and then lower case, character by character
    return "".join((c.upper()[0] if len(c.upper()) == 1 else c).lower()[0] for c in word)

last_seq, counted = 0, {"hostile": 0, "local": 0}
for raw in open(sys.argv[1], encoding="utf-8"):
    pairs = json.loads(raw, object_pairs_hook=lambda pairs: pairs)
    last, first = json.loads(raw), json.loads(raw, object_pairs_hook=first_wins)
    for fold in (str.lower, str.casefold, like_java):
        keys = [fold(key) for key, unused in pairs]
        for name in names + ["holdfast", "userAgent", "additionalEventData", "serviceEventDetails", "readOnly"]:
            assert keys.count(fold(name)) <= 1, (name, raw)
    assert pairs[-1][0] == "holdfast" and raw.rstrip("\n").endswith("}}"), raw
    assert all(name in last and last[name] == first[name] for name in names), raw
    said = last["holdfast"]
    assert said == first["holdfast"] and said["seq"] > last_seq, raw
    last_seq = said["seq"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last["eventTime"]), raw
    datetime.datetime.strptime(last["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
    own = last["eventSource"].casefold() == "holdfast"
    assert own == (said["source"] == "holdfast"), raw
    assert not last["eventSource"].casefold().endswith(".holdfast") or last["eventSource"] == said["source"] + ".holdfast", raw
    assert ("file" in said, "atConnect" in said) == ((False, False) if own else (said["source"] != "local", said["source"] == "local")), raw
    if said["source"] == "local":
        assert said["atConnect"]["pid"] == pid, raw
    tail = raw.rstrip("\n")[raw.rindex(',"holdfast":{'):-1]
    assert len(tail.encode()) <= 512, tail
    if said["source"] in counted:
        counted[said["source"]] += 1
assert counted == {"hostile": hostile, "local": hostile}, counted
PYTHON
claim "Python, a reader that takes the first of equal keys, and readers that do not look at case see the same events" \
    python3 readers.py records "$(wc -l <said/hostile/lines)" "$(cat said/told)"
jq -c '[.holdfast.seq, .eventTime, .eventSource, .eventName, .eventID, .holdfast]' records >by-jq || claim_failed "jq reads them"
python3 -c '
import json, sys
for raw in open("records", encoding="utf-8"):
    record = json.loads(raw)
    print(json.dumps([record["holdfast"]["seq"]] + [record[key] for key in ("eventTime", "eventSource", "eventName", "eventID", "holdfast")], separators=(",", ":"), ensure_ascii=False))' >by-python
claim "jq sees what Python sees" cmp by-jq by-python

# ---- the files, made again ----

cat >rebuild.py <<'PYTHON'
"""FILE RECORDS: that file, from its records."""
import base64, json, re, sys

def top_level(raw):
    """(key, begin and end of its value), in order."""
    decoder, at = json.JSONDecoder(strict=False), 1
    while True:
        at += len(raw[at:]) - len(raw[at:].lstrip(" \t,"))
        if raw[at] == "}":
            return
        key, at = decoder.raw_decode(raw, at)
        at = raw.index(":", at) + 1
        at += len(raw[at:]) - len(raw[at:].lstrip(" \t"))
        value, end = decoder.raw_decode(raw, at)
        yield key, at, end
        at = end

def original(raw, record):
    """The line: what the record holds of it."""
    said, data = record["holdfast"], record.get("additionalEventData", {})
    around = said.get("around", {})
    if record["eventSource"] == said["source"] + ".holdfast":
        if "json" in data:
            begin = raw.index('"additionalEventData":{"json":') + len('"additionalEventData":{"json":')
            inner = raw[begin:json.JSONDecoder(strict=False).raw_decode(raw, begin)[1]].encode()
        else:
            inner = base64.b64decode(data["base64"]) if "base64" in data else data["text"].encode()
        ended = "part" not in data or "of" in data["part"]
    else:
        body = raw[:raw.rindex(',"holdfast":{')]
        if "eventTime" in said:
            tail = raw[len(body):]
            written = re.search(r'"eventTime":("[^"]*")', tail).group(1)
            begin, end = next((begin, end) for key, begin, end in top_level(raw) if key == "eventTime")
            body = body[:begin] + written + body[end:]
        inner, ended = ("{" + body[1 + said.get("inserted", 0):] + "}").encode(), True
    whole = around.get("before", "").encode() + inner + around.get("after", "").encode()
    return whole + (b"\n" if ended and around.get("newline", True) else b"")

lines = []
for raw in open(sys.argv[2], encoding="utf-8", newline="\n"):
    raw = raw.rstrip("\n")
    record = json.loads(raw)
    if record["holdfast"].get("file") == sys.argv[1]:
        lines.append((record["holdfast"]["offset"], original(raw, record)))
at = 0
for offset, line in sorted(lines):
    assert offset == at, f"{offset} instead of {at}"
    at += len(line)
    sys.stdout.buffer.write(line)
PYTHON
rebuilt=0
for file in said/log/* said/hostile/lines; do
    python3 rebuild.py "$HF_TMP/$file" records >again 2>again.err || claim_failed "each file can be made again from its records" "$file" "$(tail -3 again.err)"
    cmp again "$file" || claim_failed "each file can be made again from its records, byte for byte" "$file"
    rebuilt=$((rebuilt + 1))
done
claim_equal "each file can be made again from its records, byte for byte" 22 "$rebuilt"

# ---- switched off and on, without a restart ----

reload_to() { # PROVENANCE
    configure "$1"
    kill -HUP "${agent_pid[said]}"
    claim_within "the agent runs with provenance: $1" 10 bash -c "[ \"\$(grep -c agent.reloaded said/agent.log)\" -ge $2 ]"
}
reload_to none 1
printf 'without\n' >>said/log/blank
printf '{"eventTime":"2026-11-28 10:00:00","eventSource":"a","eventName":"b"}\r\n' >>said/log/blank
claim "what comes then is delivered" "$HF_BIN" flush -c said/holdfast.yaml --timeout 60s
reload_to full 2
printf 'with again\n' >>said/log/blank
claim "and what comes after that" "$HF_BIN" flush -c said/holdfast.yaml --timeout 60s
"$HF_BIN" cat -c said/holdfast.yaml --trail audit >records
claim_equal "without provenance nothing is added to a record" 'null' "$(jq -c 'select(.additionalEventData.text == "without").holdfast' records)"
claim_equal "but what would be lost of its line" '{"eventTime":"2026-11-28 10:00:00","around":{"after":"\r"}}' \
    "$(jq -c 'select(.eventSource == "a").holdfast' records)"
claim_equal "with it the next one goes on" "$HF_TMP/said/log/blank" "$(jq -r 'select(.additionalEventData.text == "with again").holdfast.file' records)"
claim "validate finds nothing wrong" "$HF_BIN" validate -c said/holdfast.yaml --trail audit
