#!/usr/bin/env bash
# A disk that fills up while the store is away: intake refuses, nothing is overwritten, delivery needs no room but its
# reserve; when the store returns it drains, also when nothing was freed, intake returns by itself, and each acknowledged
# event is there once. A trail whose spool is full stops alone.
# stores: dir
# seconds: 60
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

# Both disks are this test's own: the agent's, of 120 MB, and an ordinary one for the store.
disk=$HF_TMP/disk
mkdir -p "$disk"
mount -t tmpfs -o size=120m,mode=0700 none "$disk" 2>mount.err || skip "no file system of a known size can be mounted here: $(cat mount.err)"
background=()
disk_away() {
    [ ${#background[@]} -eq 0 ] || kill "${background[@]}" 2>/dev/null || true
    umount -l "$disk"
}
trap 'agents_stop || true; disk_away' EXIT

root=${HF_STORE_URL#dir://}
mkdir -p full/log "$disk/state"
make_digest_key full/digest.key >full/fingerprint
# The window's and the sealers' sizes keep the reserve small: 2 x (1 + 1) + 16 MiB.
cat >full/holdfast.yaml <<YAML
agent: { state_dir: $disk/state, host: full, control: $HF_TMP/full/control.sock, journal: { max_bytes: 1GiB, segment_bytes: 4MiB } }
stores:
$(store_yaml here)
sources:
  - { name: app, type: file, path: $HF_TMP/full/log/app.jsonl, start: beginning }
  - { name: local, type: socket, path: $HF_TMP/full/in.sock }
buckets:
  - { name: full, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: full, window: { seconds: 2, max_bytes: 1MiB }, encryption: none, digest: { seconds: 5, key_file: $HF_TMP/full/digest.key } }
YAML

free_bytes() { df -B1 --output=avail "$disk" | tail -n 1 | tr -d ' '; }
is_full() { agent_status full | jq -e '.ok == false and .journal.full and (.journal.reason | length > 0)' >/dev/null; }
file_waits() { agent_status full | jq -e '.sources[] | select(.name == "app") | .waiting and .behind_bytes > 0' >/dev/null; }

has_delivered() { [ "$(trail_field full audit .records_delivered)" -ge "$((taken - 10))" ]; }
file_done() { agent_status full | jq -e '.sources[] | select(.name == "app") | .waiting == false and .behind_bytes == 0' >/dev/null; }
has_reserve() { [ "$(du -B1 "$disk/state/reserve" | cut -f 1)" -ge $((20 << 20)) ]; }

# ---- fill: random texts, which gzip cannot make small ----

agent_start full
claim "the reserve is there from the start, in blocks" test "$(du -B1 "$disk/state/reserve" | cut -f 1)" -ge $((20 << 20))
# fillers FIRST COUNT: numbered events of about 2.7 KB of noise
fillers() {
    python3 - "$1" "$2" <<'PYTHON'
import base64, os, sys
for n in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
    print('{"eventID":"00000000-0000-4000-8000-%012x","eventTime":"2026-01-01T00:00:00Z","eventSource":"s","eventName":"n","noise":"%s"}'
          % (n, base64.b64encode(os.urandom(2000)).decode()))
PYTHON
}
fillers 1000000000 60000 | "$HF_BIN" emit -s full/in.sock --timeout 300s >acknowledged 2>emit.err &
emitter=$!
background+=("$emitter")
claim_within "the disk fills until intake refuses, and status says why" 120 is_full
claim_within "emit is told FULL" 10 grep -q 'journal is full' emit.err
claim_match "status says so to people" 'FULL, nothing is taken in: .+' "$("$HF_BIN" status -c full/holdfast.yaml || true)"
fillers 0 2000 >full/log/app.jsonl
claim_within "a file source waits with what it has not read" 20 file_waits
taken=$(agent_status full | jq .journal.durable_sequence)
# The rest of the disk goes to somebody else.
head -c "$(free_bytes)" /dev/zero >"$disk/foreign" 2>/dev/null || true
while head -c 4096 /dev/zero >>"$disk/foreign" 2>/dev/null; do :; done
claim "no block is left on the disk" test "$(free_bytes)" -lt 4096
sleep 2
claim_equal "nothing more is taken" "$taken" "$(agent_status full | jq .journal.durable_sequence)"
claim "the agent lives" alive "${agent_pid[full]}"
claim_equal "no event was given up" 0 "$(log_count full 'event\.lost|journal\.loss')"
troubles=$(log_count full '(seal|ledger|digest|journal)\.failed')
[ "$troubles" -le 5 ] || claim_failed "trouble is said, not repeated for each try" "$troubles lines" "$(grep -E 'failed' full/agent.log | tail -n 5)"
claim_ok "trouble is said, not repeated for each try ($troubles lines)"

# ---- killed and started on the full disk ----

agent_kill full
agent_start full
claim_within "it starts on a full disk, and still refuses" 20 is_full
claim "no acknowledged event was lost by that" test "$(agent_status full | jq .journal.durable_sequence)" -ge "$taken"

# ---- the store returns; nothing was freed ----

mkdir "$root/full"
claim_within "it drains by itself" 90 has_delivered
claim_within "emit comes to its end" 120 gone "$emitter"
wait "$emitter" || claim_failed "emit ends with 0" "$(cat emit.err)"
claim_equal "intake has returned by itself: every event is acknowledged" 60000 "$(cat acknowledged)"
claim_within "and the file is read to its end" 60 file_done
rm "$disk/foreign"
claim "flush" "$HF_BIN" flush -c full/holdfast.yaml --timeout 120s
claim_within "all is well" 20 "$HF_BIN" status -c full/holdfast.yaml
claim_within "the reserve is whole again" 20 has_reserve
numbers_of full audit >numbers
claim_each_once "each emitted event is there once" numbers 1000000000 60000
claim_each_once "each event of the file, too" numbers 0 2000
claim_intact "the chain is intact" full audit
agent_stop full

# ---- a spool that is full stops its own trail only ----

rm -rf "${disk:?}"/* full/agent.log full/log/app.jsonl
mkdir -p "$disk/state" "$root/near"
agent_config spool near '' ''
cat >spool/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/spool/state, host: spool, journal: { segment_bytes: 4MiB } }
stores:
$(store_yaml here)
sources:
  - { name: local, type: socket, path: $HF_TMP/spool/in.sock }
buckets:
  - { name: near, store: here, retention: none }
  - { name: away, store: here, retention: none }
trails:
  - { name: near-trail, bucket: near, window: { seconds: 1, max_bytes: 4MiB }, encryption: none, digest: { seconds: 5, key_file: $HF_TMP/spool/digest.key } }
  - { name: away-trail, bucket: away, window: { seconds: 1, max_bytes: 4MiB }, encryption: none, spool: { max_bytes: 64MiB }, digest: { seconds: 5, key_file: $HF_TMP/spool/digest.key } }
YAML
spool_is_full() { [ "$(trail_field spool away-trail .spool_full)" = true ]; }
agent_start spool
fillers 0 50000 | "$HF_BIN" emit -s spool/in.sock --timeout 60s >acknowledged || claim_failed "emit"
claim_equal "every event is taken" 50000 "$(cat acknowledged)"
claim_within "the near trail delivers all of it" 60 delivered spool near-trail
claim_within "the away trail's spool fills up" 60 spool_is_full
claim "within its limit, and one object more" test "$(trail_field spool away-trail .spool_bytes)" -le $((72 << 20))
claim_equal "it pins the journal, and status says so" true "$(trail_field spool away-trail .pins_journal)"
claim_equal "the near one does not" false "$(trail_field spool near-trail .pins_journal)"
mkdir "$root/away"
claim_within "its store is there: it follows" 90 delivered spool away-trail
claim_arrived "the near trail has each event once" spool near-trail 0 50000
claim_arrived "the away trail, too" spool away-trail 0 50000
agent_stop spool
