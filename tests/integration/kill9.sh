#!/usr/bin/env bash
# kill -9 at random moments, also in the middle of a start, under 20,000 events a second: every line of a rotated file and
# every acknowledged line of a socket is there exactly once, a line that was not acknowledged at most once, a client that
# comes back with its stream goes on where it was, and the chain is intact.
# Ten rounds; the long form has 200; HF_ROUNDS=N as many as you like. HF_SEED=N repeats a run's moments.
# stores: dir ceph minio
# seconds: 90
# slots: 2
# table: yes
# build: release
# timeout: 3600
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

rounds=${HF_ROUNDS:-10}
[ -z "${HF_LONG:-}" ] || rounds=${HF_ROUNDS:-200}
rate=${HF_RATE:-20000} # of events a second, half of them to each kind of source
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# $rounds rounds, HF_SEED=$seed"
bucket=$(bucket_name)
bucket_make "$bucket"
load=$(hf_tool hf_load)
count=$(hf_tool hf_count)
mkdir -p main log
make_digest_key main/digest.key >/dev/null
make_recipient main/ops ec
cat >main/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/main/state, journal: { segment_bytes: 16MiB } }
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
    window: { seconds: 1, max_bytes: 16MiB }
    encryption: none
    digest: { seconds: 3, key_file: $HF_TMP/main/digest.key }
  - name: sealed
    bucket: $bucket
    prefix: sealed
    window: { seconds: 2, max_bytes: 16MiB }
    encryption: { type: cms, recipients: [$HF_TMP/main/ops.pem] }
    digest: { seconds: 2, key_file: $HF_TMP/main/digest.key }
YAML

# ---- the load: numbers from 0 on in the file, from $socket_first and $impatient_first on over the socket ----

socket_first=300000000 impatient_first=600000000 impatient_lines=2000

# Rotated every two seconds or so; the oldest files are removed when they were read long ago.
write_file() {
    "$load" --rate $((rate / 2)) --until stop --seed 1 --file log/app.jsonl --rotate 20000 --keep 200 --report file.report
}
# `emit` comes back by itself when the agent does.
feed_socket() { "$load" --rate $((rate / 2)) --until stop --seed 2 --first $socket_first --report socket.report; }
# One that gives up after a second without progress: what it was told to be durable is all it may rely on.
feed_impatient() { # ROUND RATE TIMEOUT
    local status=0 client
    "$HF_BIN" emit -s "$HF_TMP/in.sock" --stream "$(stream_of "$1")" --timeout "$3" >"impatient.$1" 2>/dev/null < <(
        "$load" --rate "$2" --events $impatient_lines --seed "$1" --first $((impatient_first + $1 * impatient_lines)) 2>/dev/null
    ) &
    client=$!
    echo $client >impatient.pid
    wait $client 2>/dev/null || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || [ "$status" -eq 137 ]
}
acknowledged() { # ROUND: nothing was heard of one that was killed
    local lines
    lines=$(cat "impatient.$1")
    printf '%s' "${lines:-0}"
}
made_ms=$(date +%s%3N)
stream_of() { printf '%08x-%04x-7000-8000-%012x' $((made_ms >> 16)) $((made_ms & 65535)) "$1"; }

# ---- the kills ----

kills=0 worst_ms=0
random_s() { # MILLISECONDS at most
    local ms=$((RANDOM % $1))
    printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}
# In the middle of a start, too: what recovery has begun is recovered.
agent_killed_in_start() {
    "$HF_BIN" run -c main/holdfast.yaml >>main/agent.log 2>&1 </dev/null &
    agent_pid[main]=$!
    sleep "$(random_s 250)"
    agent_kill main
    kills=$((kills + 1))
}
agent_started() {
    local before=${EPOCHREALTIME/[.,]/} took_ms
    agent_start main
    took_ms=$(((${EPOCHREALTIME/[.,]/} - before) / 1000))
    [ "$took_ms" -le "$worst_ms" ] || worst_ms=$took_ms
}

agent_start main
write_file &
writer=$!
feed_socket | "$HF_BIN" emit -s "$HF_TMP/in.sock" --timeout 120s >emit.out 2>emit.err &
feeder=$!
for ((round = 1; round <= rounds; round++)); do
    rm -f impatient.pid
    feed_impatient "$round" 1600 1s &
    impatient=$!
    sleep "$(random_s 1500)"
    agent_kill main
    kills=$((kills + 1))
    # Some clients give up while the agent is down, others do not notice, some are killed as well.
    case $((round % 3)) in
    0) sleep 1.5 ;;
    1) kill -9 "$(cat impatient.pid)" 2>/dev/null || true ;;
    esac
    [ $((RANDOM % 4)) -ne 0 ] || agent_killed_in_start
    agent_started
    wait "$impatient" || claim_failed "emit ends with 0 or 3, or is killed"
done
touch stop
wait "$writer"
status=0
wait "$feeder" || status=$?
claim_equal "emit gets everything acknowledged in the end" 0 "$status"

# Every other stream that did not get to its end comes back, with its input from the beginning.
given_up=0 resumed=0
for ((round = 1; round <= rounds; round++)); do
    [ "$(acknowledged "$round")" != $impatient_lines ] || continue
    given_up=$((given_up + 1))
    [ $((given_up % 2)) = 1 ] || continue
    feed_impatient "$round" 1000000 30s && [ "$(acknowledged "$round")" = $impatient_lines ] ||
        claim_failed "a stream that comes back is acknowledged to its end" "stream $(stream_of "$round"): $(acknowledged "$round")"
    resumed=$((resumed + 1))
done
claim "some streams that were cut short ($resumed of $given_up) came back and went on" test "$resumed" -ge 1
before=${EPOCHREALTIME/[.,]/}
claim "flush delivers and signs everything" agent_flush main 300s
drain_ms=$(((${EPOCHREALTIME/[.,]/} - before) / 1000))
claim_intact "trail plain is intact" main plain
claim_intact "trail sealed is intact" main sealed
agent_stop main

# ---- what arrived ----

field() { sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" "$2"; }
written=$(field written file.report) fed=$(field written socket.report)
achieved=$(($(field rate file.report) + $(field rate socket.report)))
claim_match "emit counts every line" "(^| )$fed( |$)" "$(cat emit.out)"
bucket_fetch "$bucket" fetched
open_envelopes fetched sealed main/ops opened || claim_failed "openssl opens every envelope"
fetched_objects fetched plain >plain.objects
find opened -type f >sealed.objects

# Of each impatient stream the acknowledged lines are there once, the others at most once.
{
    echo "0 $written"
    echo "$socket_first $fed"
    for ((round = 1; round <= rounds; round++)); do
        echo "$((impatient_first + round * impatient_lines)) $(acknowledged "$round") $impatient_lines"
    done
} >ranges
lost=0 doubled=0 events=0
for trail in plain sealed; do
    "$count" --ranges ranges - <"$trail.objects" >"$trail.counted" 2>"$trail.wrong" ||
        claim_failed "trail $trail has each event once" "$(cat "$trail.counted")" "$(cat "$trail.wrong")"
    claim_ok "trail $trail: each of $written lines of the file and $fed of the socket is there once, of $rounds other streams what was acknowledged, and nothing else"
    lost=$((lost + $(field missing "$trail.counted"))) doubled=$((doubled + $(field doubled "$trail.counted")))
    events=$(field events "$trail.counted")
done
[ "$achieved" -ge $((rate * 95 / 100)) ] || echo "# the machine made $achieved events a second, not $rate"
echo "# $(wc -l <plain.objects) and $(wc -l <sealed.objects) objects; the backlog at the end was delivered in $drain_ms ms"
echo "| fault | store | kills | events a second | events | lost | doubled | worst restart |"
echo "|---|---|---|---|---|---|---|---|"
echo "| kill -9 under load | $HF_STORE | $kills | $achieved | $events | $lost | $doubled | $worst_ms ms |"
