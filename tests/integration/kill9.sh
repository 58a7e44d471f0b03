#!/usr/bin/env bash
# kill -9 at random moments under several thousand events a second: every line of a rotated file and every acknowledged
# line of a socket is there exactly once, a line that was not acknowledged at most once, and the chain is intact.
# Ten rounds; the long form has 200; HF_ROUNDS=N as many as you like. HF_SEED=N repeats a run's moments.
# stores: dir ceph minio
# build: release
# timeout: 2400
# serial: yes
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

rounds=${HF_ROUNDS:-10}
[ -z "${HF_LONG:-}" ] || rounds=200
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# $rounds rounds, HF_SEED=$seed"
bucket=$(bucket_name)
bucket_make "$bucket"
gen=$(hf_tool hf_gen)
mkdir -p main log
make_digest_key main/digest.key >/dev/null
make_recipient main/ops ec
cat >main/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/main/state, journal: { segment_bytes: 8MiB } }
stores:
$(store_yaml here)
sources:
  - { name: app, type: file, path: "$HF_TMP/log/app.jsonl*", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/in.sock }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - name: plain
    bucket: $bucket
    prefix: plain
    window: { seconds: 1, max_bytes: 4MiB }
    encryption: none
    digest: { seconds: 3, key_file: $HF_TMP/main/digest.key }
  - name: sealed
    bucket: $bucket
    prefix: sealed
    window: { seconds: 2, max_bytes: 4MiB }
    encryption: { type: cms, recipients: [$HF_TMP/main/ops.pem] }
    digest: { seconds: 2, key_file: $HF_TMP/main/digest.key }
YAML

# ---- the load ----

# About 3000 lines a second into a file, renamed every 6000; the oldest ones are removed when they were read long ago.
write_file() {
    local at=0 part=0
    until [ -e stop ]; do
        "$gen" --first "$at" --events 300 --seed "$at" >>log/app.jsonl
        at=$((at + 300))
        if [ $((at % 6000)) = 0 ]; then
            mv log/app.jsonl "log/app.jsonl.$((++part))"
            rm -f "log/app.jsonl.$((part - 40))"
        fi
        sleep 0.1
    done
    echo "$at" >file.written
}
# The same over the socket; `emit` comes back by itself when the agent does.
feed_socket() {
    local at=1000000000
    until [ -e stop ]; do
        "$gen" --first "$at" --events 200 --seed "$at"
        at=$((at + 200))
        sleep 0.1
    done
    echo $((at - 1000000000)) >socket.written
}
# One that gives up after a second without progress: what it was told to be durable is all it may rely on.
feed_impatient() { # ROUND
    local first=$((2000000000 + $1 * 10000)) status=0 at
    for at in {0..19}; do
        "$gen" --first $((first + at * 100)) --events 100 --seed "$at"
        sleep 0.05
    done | "$HF_BIN" emit -s "$HF_TMP/in.sock" --timeout 1s >"impatient.$1" 2>/dev/null || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
}

agent_start main
write_file &
writer=$!
feed_socket | "$HF_BIN" emit -s "$HF_TMP/in.sock" --timeout 120s >emit.out 2>emit.err &
feeder=$!
worst_ms=0
for ((round = 1; round <= rounds; round++)); do
    feed_impatient "$round" &
    impatient=$!
    sleep "$((RANDOM % 2)).$(printf %03d $((RANDOM % 1000)))"
    agent_kill main
    # Some give up while the agent is down, others do not notice.
    [ $((RANDOM % 3)) -ne 0 ] || sleep 1.5
    before=${EPOCHREALTIME/[.,]/}
    agent_start main
    took_ms=$(((${EPOCHREALTIME/[.,]/} - before) / 1000))
    [ "$took_ms" -le "$worst_ms" ] || worst_ms=$took_ms
    wait "$impatient" || claim_failed "emit ends with 0 or 3"
done
touch stop
wait "$writer"
status=0
wait "$feeder" || status=$?
claim_equal "emit gets everything acknowledged in the end" 0 "$status"
claim "flush delivers and signs everything" agent_flush main 120s
claim_intact "trail plain is intact" main plain
claim_intact "trail sealed is intact" main sealed
agent_stop main

# ---- what arrived ----

written=$(cat file.written) fed=$(cat socket.written)
claim_match "emit counts every line" "(^| )$fed( |$)" "$(cat emit.out)"
bucket_fetch "$bucket" fetched
open_envelopes fetched sealed main/ops opened || claim_failed "openssl opens every envelope"
fetched_objects fetched plain | numbers_in - >plain.numbers
find opened -type f | numbers_in - >sealed.numbers

# Of each impatient stream: the acknowledged lines once, the others at most once.
given_up=0
for ((round = 1; round <= rounds; round++)); do
    acknowledged=$(grep -oE '[0-9]+' "impatient.$round" | tail -n 1)
    [ "$acknowledged" = 2000 ] || given_up=$((given_up + 1))
    echo "$((2000000000 + round * 10000)) $acknowledged"
done >impatient.all
impatient_wrong() {
    awk 'NR == FNR { times[$1]++; next }
        {
            for (i = 0; i < 10000; i++) {
                if (i < $2 && !times[$1 + i]) print "missing", $1 + i
                if (times[$1 + i] > 1) print "doubled", $1 + i
            }
        }' <(awk '$1 >= 2000000000' "$1") impatient.all | head
}
for trail in plain sealed; do
    claim_each_once "each of the $written lines of the file is once in trail $trail" "$trail.numbers" 0 "$written"
    claim_each_once "each of the $fed acknowledged lines of the socket is once in trail $trail" "$trail.numbers" 1000000000 "$fed"
    claim_equal "of $rounds impatient streams ($given_up given up) what was acknowledged is once in trail $trail, the rest at most once" '' \
        "$(impatient_wrong "$trail.numbers")"
done
claim_equal "nothing else is there" '' "$(awk '$1 < 0 || $1 >= 2100000000' plain.numbers sealed.numbers | head)"
echo "# $rounds kills, events lost 0, doubled 0, slowest restart $worst_ms ms, $(wc -l <plain.numbers) events in $(fetched_objects fetched plain | wc -l) and $(fetched_objects fetched sealed | wc -l) objects"
