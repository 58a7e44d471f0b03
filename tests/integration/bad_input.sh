#!/usr/bin/env bash
# Lines that are no proper JSON are kept: as marked records, counted, and every original can be had back byte for byte,
# with jq and base64 alone; everything around them stays one valid JSON document per object. Garbage on a socket harms
# nobody but its own connection.
# stores: dir
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

bucket=$(bucket_name)
bucket_make "$bucket"
mkdir -p odd/log odd/originals
make_digest_key odd/digest.key >odd/fingerprint
cat >odd/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/odd/state, host: odd }
stores:
$(store_yaml here)
sources:
  - { name: app, type: file, path: $HF_TMP/odd/log/app.log, start: beginning, max_event: 64KiB }
  - { name: local, type: socket, path: $HF_TMP/odd/in.sock, max_event: 64KiB }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: $bucket, window: { seconds: 1 }, encryption: none, digest: { seconds: 3600, key_file: $HF_TMP/odd/digest.key } }
YAML

# ---- the lines: each original is a file of its own, without its newline ----

original() { # KIND: the bytes on stdin; KIND is what the record must be
    local before
    before=$(find odd/originals -type f | wc -l)
    cat >"odd/originals/$(printf '%04d.%s' $((before + 1)) "$1")"
}
repeat() { head -c "$2" /dev/zero | tr '\0' "$1"; } # CHARACTER COUNT

printf 'plain text, no JSON' | original text
printf '{"a":1,}' | original text.reason
printf '{"a":1' | original text.reason
printf '{"a":01}' | original text.reason
printf "{'a':1}" | original text.reason
printf '{"a":NaN}' | original text.reason
printf '{"a":1} trailing' | original text.reason
printf '{"a":"\\x"}' | original text.reason
printf '{"a":"\\ud800"}' | original json-or-reason
printf '{"a":"control \001 inside"}' | original text.reason
printf 'controls \001\002\033[31m and a tab\t, "quotes", back\\slash' | original text
printf '[{"eventTime":"x"},2]' | original text
printf '"a string"' | original text
printf '42' | original text
printf 'null' | original text
printf 'h\303\244rte, \360\237\224\222, \342\200\250 and \357\273\277' | original text
printf '\357\273\277{"bom":true}' | original json
printf 'a NUL \000 inside' | original base64
printf '{"a":"NUL \000 inside"}' | original base64
printf 'invalid \377\376 UTF-8' | original base64
printf '{"a":"\300\200"}' | original base64
printf '{"a":"\355\240\200"}' | original base64
printf 'cut in a character \342\202' | original base64
printf '\000' | original base64
head -c 2000 /dev/urandom | tr -d '\n' | original base64
{ repeat '{' 0; for ((i = 0; i < 10000; i++)); do printf '{"a":'; done; printf 1; repeat '}' 10000; } | original parts-or-reason
{ repeat '[' 10000; repeat ']' 10000; } | original text
{ printf '{"a":'; repeat '[' 10000; repeat ']' 10000; printf '}'; } | original text.reason
{ printf '{"a":'; repeat '[' 30; repeat ']' 30; printf '}'; } | original json
printf '{"twice":1,"twice":2,"nested":{"x":1,"x":[]}}' | original json
printf '{}' | original json
printf '{"eventTime":1,"eventSource":"s","eventName":"n"}' | original json
printf '{"eventTime":"2026-01-01T00:00:00Z","eventSource":"s"}' | original json
printf '{"number":1e400,"big":123456789012345678901234567890,"escapes":"\\u0000\\u00e4\\/"}' | original json
{ printf '{"long":"'; repeat x 65000; printf '"}'; } | original json
repeat t 65536 | original text
repeat t 65537 | original parts
{ printf '{"long":"'; repeat y 70000; printf '"}'; } | original parts
{ for ((i = 0; i < 30000; i++)); do printf '\342\202\254'; done; } | original parts
head -c 200000 /dev/urandom | tr -d '\n' | original parts
{ printf '{"five":"'; repeat z 5242880; printf '"}'; } | original parts

for file in odd/originals/*; do
    cat "$file"
    printf '\n'
done >odd/log/app.log
printf '\n\r\n\n' >>odd/log/app.log # blank lines of a file are records
printf 'text with CRLF\r\n{"json":"with CRLF"}\r\n' >>odd/log/app.log

agent_start odd
claim "everything is taken and delivered" "$HF_BIN" flush -c odd/holdfast.yaml --timeout 60s
"$HF_BIN" status -c odd/holdfast.yaml --json >odd/status.json || claim_failed "all is well" "$(cat odd/status.json)"

# ---- what lies in the bucket, by everyday tools ----

bucket_fetch "$bucket" fetched
fetched_objects fetched odd >objects
[ -s objects ] || claim_failed "there are objects"
while read -r file; do
    gunzip -c "$file" >object.json
    jq -e '.Records | type == "array" and length > 0' object.json >/dev/null 2>object.err ||
        claim_failed "each object is valid JSON for jq" "$file" "$(cat object.err)"
    python3 -c 'import json,sys; json.load(open(sys.argv[1], encoding="utf-8", errors="strict"))' object.json ||
        claim_failed "each object is valid JSON in valid UTF-8" "$file"
    [ "$(wc -l <object.json)" -le 1 ] || claim_failed "each object is one line" "$file"
    jq -c '.Records[] | select(.eventSource == "app.holdfast")' object.json
done <objects >records
claim_ok "each object is one line of valid JSON in valid UTF-8"
claim "every record is in CloudTrail's format" jq -e -s 'all(.[]; .eventVersion == "1.11" and (.eventTime | test("Z$")) and
    .eventName == "LogLine" and .eventType == "AwsServiceEvent" and (.eventID | test("^[0-9a-f-]{36}$")) and .sourceIPAddress == "odd" and
    (.additionalEventData | has("json") or has("text") or has("base64")))' records

# Bytes are compared in files: neither a shell variable nor a command substitution holds a NUL.
# jq reads numbers as doubles, so the records come from the objects themselves here.
python3 - objects odd/originals >compared 2>&1 <<'PYTHON' || claim_failed "each original can be had back byte for byte" "$(tail -n 20 compared)"
import base64, gzip, hashlib, json, os, sys

records = [record for name in open(sys.argv[1]) for record in json.loads(gzip.open(name.rstrip("\n")).read())["Records"]
           if record["eventSource"] == "app.holdfast"]
originals = [(name, open(os.path.join(sys.argv[2], name), "rb").read()) for name in sorted(os.listdir(sys.argv[2]))]
at = 0

def body(data):
    return base64.b64decode(data["base64"], validate=True) if "base64" in data else data["text"].encode()

def same_json(data, original):
    return data["json"] == json.loads(original)

for name, original in originals:
    kind = name.split(".", 1)[1]
    data = records[at]["additionalEventData"]
    at += 1
    if "part" in data:
        assert kind.startswith("parts"), f"{name}: in parts"
        whole, number = body(data), 1
        assert data["part"]["number"] == 1 and len(whole) <= 65536, f"{name}: {data['part']}"
        while "sha256" not in data["part"]:
            data = records[at]["additionalEventData"]
            at += 1
            number += 1
            assert data["part"]["number"] == number, f"{name}: part {number} is {data['part']}"
            whole += body(data)
        part = data["part"]
        assert part["of"] == number and part["ofBytes"] == len(original), f"{name}: last part says {part}"
        assert part["sha256"] == hashlib.sha256(original).hexdigest(), f"{name}: sha256"
        assert whole == original, f"{name}: the parts do not make the original"
    elif "json" in data:
        assert kind.startswith("json"), f"{name}: taken as JSON"
        assert same_json(data, original), f"{name}: {data}"
    else:
        assert body(data) == original, f"{name}: other bytes"
        assert not kind.startswith("json") or kind == "json-or-reason", f"{name}: not taken as JSON: {data.get('reason')}"
        assert kind != "parts", f"{name}: not in parts"
        assert ("base64" in data) == (kind == "base64"), f"{name}: in the wrong form"
        if "reason" in kind:
            assert data.get("reason"), f"{name}: does not say why it is no JSON"
    print(name, "ok")
for around in (None, {"after": "\r"}, None):
    assert records[at]["additionalEventData"] == {"text": ""} and records[at]["holdfast"].get("around") == around, records[at]
    at += 1
data = records[at]["additionalEventData"]
assert data == {"text": "text with CRLF"}, data
data = records[at + 1]["additionalEventData"]
assert data == {"json": {"json": "with CRLF"}}, data
assert at + 2 == len(records), f"{len(records) - at - 2} records too many"
print(at + 2, "records")
PYTHON
claim_ok "each original can be had back byte for byte ($(tail -n 1 compared) from $(find odd/originals -type f | wc -l) lines), parts by their SHA-256"

# JSON objects stand in the record as they were, byte for byte (numbers, escapes, keys written twice).
while read -r file; do gunzip -c "$file"; done <objects >all.json
for line in '{"twice":1,"twice":2,"nested":{"x":1,"x":[]}}' '{"number":1e400,"big":123456789012345678901234567890,"escapes":"\\u0000\\u00e4\\/"}'; do
    grep -qF -- "\"additionalEventData\":{\"json\":${line//\\\\/\\}}" all.json ||
        claim_failed "a JSON object's bytes stay as they are" "$line"
done
claim_ok "a JSON object's bytes stay as they are"

# ---- counted ----

claim "the kinds are counted in status" jq -e --slurpfile records <(cat records) '.sources[] | select(.name == "app") |
    (.text == ([$records[] | select(.additionalEventData | has("text"))] | length)) and
    (.base64 == ([$records[] | select(.additionalEventData | has("base64"))] | length)) and
    (.flat_json == ([$records[] | select(.additionalEventData | has("json"))] | length)) and
    (.parts == ([$records[] | select(.additionalEventData | has("part"))] | length)) and .shaped == 0 and .events == ($records | length)' odd/status.json
claim_match "status says so to people" '[0-9]+ not JSON, [0-9]+ parts of over-long lines' "$("$HF_BIN" status -c odd/holdfast.yaml)"

# ---- the socket: garbage in the protocol ----

# talk PATTERN: stdin goes to the socket; what comes back must match. The other side closes or the time is over.
talk() {
    python3 - "$HF_TMP/odd/in.sock" "$1" 3<&0 <<'PYTHON'
import os, re, socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(5)
    s.connect(sys.argv[1])
    back = b""
    try:
        while block := os.read(3, 65536):
            s.sendall(block)
        s.shutdown(socket.SHUT_WR)
    except BrokenPipeError:
        pass # it has read enough: what it said is still there
    try:
        while block := s.recv(65536):
            back += block
    except ConnectionResetError:
        pass
    text = back.decode("latin-1")
    if not re.search(sys.argv[2], text):
        sys.exit(f"the agent said {text!r}")
PYTHON
}
uuid() { cat /proc/sys/kernel/random/uuid; }
claim "another version of the protocol is refused" talk '^ERROR ' <<<"HOLDFAST 2 STREAM $(uuid)"
claim "a stream without a name is refused" talk '^ERROR ' <<<"HOLDFAST 1 STREAM "
claim "a stream with a bad name is refused" talk '^ERROR ' <<<"HOLDFAST 1 STREAM not-a-uuid"
claim "a greeting without end is refused" talk '^ERROR ' < <(printf HOLDFAST; repeat x 500)
claim "... without reading on" talk '^(ERROR .*)?$' < <(printf HOLDFAST; repeat x 10000000)
claim "a greeting cut short harms nobody" talk '^(ERROR .*)?$' < <(printf 'HOLDFAST 1 STR')
claim "garbage is plain lines without acknowledgement" talk '^$' < <(printf '\377\000garbage\nmore\n')
claim "lines on a stream are acknowledged, odd ones too; empty ones are none" talk 'ACK 3' < <(printf 'HOLDFAST 1 STREAM %s\n{"x":\n\n\377\nlast\n' "$(uuid)")
claim "nothing at all is no event" talk '^$' </dev/null
emit odd 0 500
claim "the socket goes on for others" "$HF_BIN" flush -c odd/holdfast.yaml --timeout 60s
claim_arrived "events beside the garbage arrive exactly once" odd audit 0 500
"$HF_BIN" cat -c odd/holdfast.yaml --trail audit | jq -r 'select(.eventSource == "local.holdfast") | .additionalEventData | .text // .base64' >socket-lines
claim_equal "garbage sent as lines is kept, too" "$(printf '%s\n' "$(printf '\377\000garbage' | base64)" more '{"x":' "$(printf '\377' | base64)" last)" "$(cat socket-lines)"

# ---- the socket: ten thousand that say nothing ----

cat >crowd.py <<'PYTHON'
import os, resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept, away, texts = [], 0, set()
half = socket.socket(socket.AF_UNIX)
half.connect(sys.argv[1])
half.sendall(b"HOLDFAST 1 STR")
for i in range(10000):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    kept.append(s)
    if i % 50 == 49: # those that were turned away are gone
        time.sleep(0.002)
        still = []
        for s in kept:
            s.setblocking(False)
            try:
                back = s.recv(200)
                texts.add(back.decode())
                away += 1
                s.close()
            except BlockingIOError:
                still.append(s)
        kept = still
print(len(kept), away, *sorted({t.split()[0] for t in texts}), flush=True)
os.read(0, 1)
PYTHON
mkfifo crowd.end
python3 crowd.py "$HF_TMP/odd/in.sock" <crowd.end >crowd.out &
crowd=$!
exec 4>crowd.end
claim_within "ten thousand connections that say nothing are opened" 60 test -s crowd.out
claim_match "about a thousand may stay, the others are told ERROR" '^(9[0-9][0-9]|10[0-9][0-9]) [89][0-9]{3} ERROR$' "$(cat crowd.out)"
emit_soon() { generate 500 100 | "$HF_BIN" emit -s odd/in.sock >crowd.emit; }
claim_within "who has something to say gets a place" 20 emit_soon
claim_equal "... and all of it acknowledged" 100 "$(cat crowd.emit)"
exec 4>&-
wait $crowd || claim_failed "the crowd goes"
claim "flush" "$HF_BIN" flush -c odd/holdfast.yaml --timeout 60s
claim_arrived "events beside the crowd arrive exactly once" odd audit 0 600

agent_stop odd
