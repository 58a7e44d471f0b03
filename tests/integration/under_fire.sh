#!/usr/bin/env bash
# A real store under fire while events keep coming from a file and a socket: killed with -9 again and again, hanging,
# full, on another port; and the agent stopped and killed while it hangs. Nothing is lost or doubled, every version has its
# lock, each event is in exactly one digest's entry, and a key has one version: on Ceph, which ignores If-None-Match on
# versioned buckets, but for a late PUT of the same bytes, which is named REPEATED.
# The long form has more kills, and a store that hangs and is full for minutes. HF_SEED=N repeats a run's moments.
# stores: ceph minio
# seconds: 200
# table: yes
# timeout: 3000
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

kills=1 hang_s=6 full_s=3 moves=1 rate=1500
[ -z "${HF_LONG:-}" ] || kills=5 hang_s=180 full_s=120 moves=3
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# HF_SEED=$seed"

fixture=$HF_ROOT/tests/support/stores/$HF_STORE
own=(--disk)
[ "$HF_STORE" = ceph ] || own=(--size 400m)
"$fixture" start "$HF_TMP/store" "${own[@]}" --owner $$ >/dev/null
trap 'agents_stop || true; "$fixture" stop "$HF_TMP/store"' EXIT
store_load "$HF_TMP/store"
read_bucket=$(bucket_name read) put_bucket=$(bucket_name put)
bucket_make "$read_bucket"
bucket_make "$put_bucket"
load=$(hf_tool hf_load)
count=$(hf_tool hf_count)
mkdir -p main log
make_digest_key main/digest.key >/dev/null
# One trail for each way to confirm a delivery.
configuration() {
    cat >main/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/main/state, host: main }
stores:
  - { name: by-read, url: "$HF_STORE_URL", credentials_file: $HF_STORE_DIR/credentials, timeout: 3s${HF_STORE_CA:+, ca_file: $HF_STORE_CA} }
  - { name: by-put, url: "$HF_STORE_URL", credentials_file: $HF_STORE_DIR/credentials, timeout: 3s${HF_STORE_CA:+, ca_file: $HF_STORE_CA}, confirm: put }
sources:
  - { name: app, type: file, path: "$HF_TMP/log/app.jsonl*", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/in.sock }
buckets:
  - { name: $read_bucket, store: by-read, retention: { mode: governance, days: 1 } }
  - { name: $put_bucket, store: by-put, retention: { mode: governance, days: 1 } }
trails:
  - { name: by-read, bucket: $read_bucket, window: { seconds: 2 }, encryption: none, digest: { seconds: 5, key_file: $HF_TMP/main/digest.key } }
  - { name: by-put, bucket: $put_bucket, window: { seconds: 2 }, encryption: none, digest: { seconds: 4, key_file: $HF_TMP/main/digest.key } }
YAML
}

# ---- the faults: each is begun, mended, and then waited for until nothing waits any more ----

declare -A cases=() taken=() worst_ms=()
names=() fault='' before=0
sequence() { agent_status main | jq '.journal.durable_sequence'; }
# Something was delivered since then, and nothing that was cut waits; what is not cut yet is a window's worth.
drained() { # OBJECTS delivered before, by trail
    agent_status main | jq -e --argjson before "$1" '[.trails[] | select(.state == "ready" and .reason == null and .windows_waiting == 0 and
        .uncut_events < 10000 and .objects_delivered > $before[.name])] | length == 2'
}
delivered_objects() { agent_status main | jq -c '[.trails[] | {key: .name, value: .objects_delivered}] | from_entries'; }
all_trails() { # JQ: holds for both trails
    agent_status main | jq -e "[.trails[] | select($1)] | length == 2"
}
began() { # FAULT
    fault=$1
    [ -n "${cases[$fault]:-}" ] || { names+=("$fault"); cases[$fault]=0 taken[$fault]=0 worst_ms[$fault]=0; }
    cases[$fault]=$((${cases[$fault]} + 1))
    before=$(sequence)
}
mended() {
    local since=${EPOCHREALTIME/[.,]/} ms objects
    objects=$(delivered_objects)
    wait_for 90 drained "$objects" || claim_failed "$fault: drained within 90 s of its mending" "$(agent_status main | jq -c '.trails[]')"
    ms=$(((${EPOCHREALTIME/[.,]/} - since) / 1000))
    [ "$ms" -le "${worst_ms[$fault]}" ] || worst_ms[$fault]=$ms
    taken[$fault]=$((${taken[$fault]} + $(sequence) - before))
    claim_ok "$fault: drained $ms ms after its mending"
}
random_s() { printf '%d.%03d' $((RANDOM % $1)) $((RANDOM % 1000)); }
store() { # VERB [ARGUMENT]
    local verb=$1
    shift
    "$fixture" "$verb" "$HF_TMP/store" "$@" || claim_failed "the store: $verb" "$(tail -n 5 store/log/*.out 2>/dev/null)"
}

configuration
agent_start main
"$load" --rate $((rate / 2)) --until stop --seed 1 --file log/app.jsonl --rotate 5000 --report file.report &
writer=$!
"$load" --rate $((rate / 2)) --until stop --seed 2 --first 300000000 --report socket.report |
    "$HF_BIN" emit -s "$HF_TMP/in.sock" --timeout 120s >emit.out 2>emit.err &
feeder=$!
claim_within "events arrive" 20 all_trails '.objects_delivered > 2'

parts=('' '')
if [ "$HF_STORE" = ceph ]; then
    parts=(rgw osd)
    [ -z "${HF_LONG:-}" ] || parts=(rgw osd mon 'rgw osd mon')
fi
for ((round = 0; round < kills; round++)); do
    for part in "${parts[@]}"; do
        began "killed with -9${part:+ ($part)}"
        sleep "$(random_s 1)"
        if [ -z "$part" ]; then store kill; else for daemon in $part; do store kill "$daemon"; done; fi
        sleep "$(random_s 3)"
        store revive
        mended
    done
done

began "hangs (SIGSTOP), and the agent is killed"
store pause
sleep "$(random_s 4)"
agent_kill main
agent_start main
claim_within "a store that hangs is waited for" 60 all_trails '.state == "waiting" or .state == "checking"'
sleep "$hang_s"
store resume
mended

began "hangs (SIGSTOP), and the agent is stopped"
store pause
sleep "$(random_s 2)"
stopping=${EPOCHREALTIME/[.,]/}
agent_stop main
stop_ms=$(((${EPOCHREALTIME/[.,]/} - stopping) / 1000))
claim "SIGTERM ends the agent within 10 s all the same: $stop_ms ms" test "$stop_ms" -le 10000
store resume
agent_start main
mended

began "full"
status=0
"$fixture" fill "$HF_TMP/store" >fill.out 2>&1 || status=$?
if [ "$status" -eq 77 ]; then
    echo "# left out: a full store: $(tail -n 1 fill.out)"
    unset "names[-1]"
else
    [ "$status" -eq 0 ] || claim_failed "the store fills up" "$(cat fill.out)"
    claim_within "a full store is waited for" 60 all_trails '.reason != null'
    sleep "$full_s"
    store free
    mended
fi

for ((round = 0; round < moves; round++)); do
    began "on another port"
    store move
    store_load "$HF_TMP/store"
    configuration
    agent_reload main
    mended
done

# ---- what arrived ----

touch stop
wait "$writer"
status=0
wait "$feeder" || status=$?
claim_equal "emit gets everything acknowledged" 0 "$status"
claim "flush delivers and signs everything" agent_flush main 60s
repeated=0
for trail in by-read by-put; do
    claim_intact "trail $trail is intact" main $trail
    repeated=$((repeated + $(jq '.counts.REPEATED // 0' validate-$trail.json)))
done
agent_stop main

field() { sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" "$2"; }
until_rule() { # of lines of store_heads on stdin those that are locked to the wrong time
    awk -F '\t' '
        function until(time) { return (int((time + 86400) / 86400) + 1) * 86400 }
        $3 != "GOVERNANCE" || $4 < until($5 - 600) || $4 > until($5) { print }'
}
{
    echo "0 $(field written file.report)"
    echo "300000000 $(field written socket.report)"
} >ranges
second=0
for bucket in "$read_bucket" "$put_bucket"; do
    bucket_fetch "$bucket" "fetched/$bucket"
    fetched_digests "fetched/$bucket" main | while read -r file; do gunzip -c "$file"; done | jq -r '.logFiles[].s3Object' >listed
    claim_equal "no object is listed twice" '' "$(sort listed | uniq -d)"
    claim_equal "what is listed is what is there" "$(sort listed)" "$(bucket_keys "$bucket" main/AWSLogs/000000000000/CloudTrail/ | sort)"
    sed "s,^,fetched/$bucket/," listed | "$count" --ranges ranges - >counted 2>wrong || claim_failed "each event is in one listed object, once" "$(cat counted wrong)"
    claim_ok "each event is in one listed object, once: $(cat counted)"
    store_heads "$bucket" >heads
    claim_equal "every version is locked, until the right day" '' "$(until_rule <heads)"
    second=$((second + $(wc -l <heads) - $(cut -f 1 heads | sort -u | wc -l)))
done
claim_equal "a second version is a REPEATED one" "$repeated" "$second"
[ "$HF_STORE" = ceph ] || claim_equal "and there is none where If-None-Match is kept" 0 "$second"

events=$(($(field written file.report) + $(field written socket.report)))
echo "# $events events in $(field seconds file.report) s, $second second versions, SIGTERM while it hung: $stop_ms ms"
echo "| fault ($HF_STORE $HF_STORE_VERSION) | cases | events meanwhile | lost | doubled | from mend to drained, worst |"
echo "|---|---|---|---|---|---|"
for fault in "${names[@]}"; do
    echo "| store: $fault | ${cases[$fault]} | ${taken[$fault]} | 0 | 0 | ${worst_ms[$fault]} ms |"
done
