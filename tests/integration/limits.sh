#!/usr/bin/env bash
# One trail's store is gone for good while events keep coming: the other trail goes on; sealed objects pile up to the
# spool's limit, then the journal to its own, then the sources are pushed back (a file waits, a socket is told FULL). No
# event is dropped, and memory and disk stay within what the limits say.
# When another store takes that one's place, with a reload, all of it drains and every event is there once.
# The long form is an outage with limits of gigabytes.
# stores: dir
# seconds: 150
# table: yes
# build: release
# timeout: 3000
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

rate=50000 spool_mib=64 journal_mib=128
[ -z "${HF_LONG:-}" ] || spool_mib=1024 journal_mib=512
load=$(hf_tool hf_load)
count=$(hf_tool hf_count)
root=${HF_STORE_URL#dir://}
mkdir -p one/log "$root/near"
make_digest_key one/digest.key >one/fingerprint
configuration() { # ROOT of the far store
    cat >one/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/one/state, host: one, journal: { max_bytes: ${journal_mib}MiB, segment_bytes: 4MiB } }
stores:
$(store_yaml near)
  - { name: far, url: "dir://$1" }
sources:
  - { name: app, type: file, path: "$HF_TMP/one/log/app.jsonl*", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/one/in.sock }
buckets:
  - { name: near, store: near, retention: { mode: governance, days: 1 } }
  - { name: far, store: far, retention: { mode: governance, days: 1 } }
trails:
  - { name: near-trail, bucket: near, window: { seconds: 1, max_bytes: 4MiB }, encryption: none, digest: { seconds: 3, key_file: $HF_TMP/one/digest.key } }
  - { name: far-trail, bucket: far, window: { seconds: 1, max_bytes: 4MiB }, encryption: none, spool: { max_bytes: ${spool_mib}MiB }, digest: { seconds: 3, key_file: $HF_TMP/one/digest.key } }
YAML
}

# ---- what it costs: the greatest of samples ----

disk_most=0
sample() {
    local bytes
    bytes=$(du -sB1 one/state 2>/dev/null | cut -f 1) || true # files come and go
    [ "${bytes:-0}" -le "$disk_most" ] || disk_most=$bytes
}
memory_most_kib() { awk '/^VmHWM:/ { print $2 }' "/proc/${agent_pid[one]}/status"; }
until_so() { # SECONDS COMMAND ...: samples meanwhile
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sample
        sleep 0.2
    done
}

journal_is_full() { agent_status one | jq -e '.ok == false and .journal.full and (.journal.reason | length > 0)'; }
spool_is_full() { [ "$(trail_field one far-trail .spool_full)" = true ]; }
file_waits() { agent_status one | jq -e '.sources[] | select(.name == "app") | .waiting and .behind_bytes > 0'; }
near_has_all() { # but for the window that is filling
    agent_status one | jq -e '.trails[] | select(.name == "near-trail") |
        .state == "ready" and .windows_waiting <= 2 and .uncut_events < 60000 and .records_delivered > 0'
}
sequence() { agent_status one | jq '.journal.durable_sequence'; }

configuration "$HF_TMP/far"
agent_start one
"$load" --rate $((rate / 2)) --until stop --seed 1 --file one/log/app.jsonl --rotate 50000 --report file.report &
writer=$!
"$load" --rate $((rate / 2)) --until stop --seed 2 --first 300000000 --report socket.report |
    "$HF_BIN" emit -s "$HF_TMP/one/in.sock" --timeout 600s >emit.out 2>emit.err &
feeder=$!

outage=${EPOCHREALTIME/[.,]/}
claim_within "the far trail is held" 20 trail_is one far-trail held
until_so 1200 spool_is_full || claim_failed "the far trail's spool fills up"
claim_ok "the far trail's spool fills up"
claim_within "the near trail goes on" 20 near_has_all
claim_equal "status names who pins the journal" far-trail "$(agent_status one | jq -r '.trails[] | select(.pins_journal) | .name')"
until_so 600 journal_is_full || claim_failed "the journal fills up" "$(agent_status one | jq -c .journal)"
claim_ok "the journal fills up, and status says why"
claim_within "the file source waits" 20 file_waits
claim_within "the socket's client was told FULL" 20 grep -q 'journal is full' emit.err
claim_within "the near trail has all that was taken" 20 delivered one near-trail
taken=$(sequence)
until_so 3 false || true
claim_equal "nothing more is taken" "$taken" "$(sequence)"
claim_equal "no event was given up" 0 "$(log_count one 'event\.lost|journal\.loss')"
outage_s=$(((${EPOCHREALTIME/[.,]/} - outage) / 1000000))
memory=$(memory_most_kib)

# ---- another store in its place ----

mkdir -p instead/far
configuration "$HF_TMP/instead"
agent_reload one
mended=${EPOCHREALTIME/[.,]/}
intake_goes_on() { [ "$(sequence)" -gt "$taken" ]; }
until_so 60 intake_goes_on || claim_failed "intake returns by itself" "$(agent_status one)"
claim_ok "intake returns by itself"
returned_ms=$(((${EPOCHREALTIME/[.,]/} - mended) / 1000))
touch stop
wait "$writer"
status=0
wait "$feeder" || status=$?
claim_equal "emit gets everything acknowledged" 0 "$status"
until_so 300 delivered one far-trail || claim_failed "the far trail drains" "$(agent_status one)"
drained_ms=$(((${EPOCHREALTIME/[.,]/} - mended) / 1000))
claim "flush" agent_flush one 300s
for trail in near-trail far-trail; do claim_intact "the chain of $trail is intact" one $trail; done
memory_drain=$(memory_most_kib)
agent_stop one

# ---- each event once, in both ----

field() { sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" "$2"; }
{
    echo "0 $(field written file.report)"
    echo "300000000 $(field written socket.report)"
} >ranges
for place in "$root/near" "$HF_TMP/instead/far"; do
    find "$place" -name '*.json.gz' -path '*/CloudTrail/*' | "$count" --ranges ranges - >counted 2>wrong || claim_failed "each event is there once" "$(cat counted wrong)"
    claim_ok "each event is there once: $(cat counted)"
done
events=$(field events counted)

# The reserve: 2 sealers x (4 + 1) + 16 MiB. An object in the making, the segments' rounding and the ledgers: 16 MiB. The last
# block of each sealed file is half empty: less than a hundredth.
allowed=$((spool_mib + journal_mib + 26 + 16 + spool_mib / 100))
claim "the disk's most, $((disk_most >> 20)) MiB, is within journal, spool and reserve ($allowed MiB)" test "$((disk_most >> 20))" -le "$allowed"
claim "memory's most is below 128 MiB: $((memory / 1024)) MiB in the outage, $((memory_drain / 1024)) MiB with the draining" test "$memory_drain" -le $((128 * 1024))
echo "| fault | cases | events | lost | doubled | seconds of outage | intake returns after | drained after | RSS, most | disk, most (limits: journal $journal_mib MiB, spool $spool_mib MiB) |"
echo "|---|---|---|---|---|---|---|---|---|---|"
echo "| one of two stores gone for good, limits reached | 1 | $events | 0 | 0 | $outage_s | $returned_ms ms | $drained_ms ms | $((memory_drain / 1024)) MiB | $((disk_most >> 20)) MiB |"
