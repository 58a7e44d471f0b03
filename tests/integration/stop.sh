#!/usr/bin/env bash
# The ways to end: SIGTERM under load and at random moments (while it starts, reads, seals, delivers, reloads), with a store
# that is away, SIGINT, a second SIGTERM, the end of stdin. Exit code 0 within ten seconds; what was acknowledged and not
# delivered follows after the next start, each event once. (A store that hangs: under_fire.sh.) HF_SEED=N repeats a run's moments.
# stores: dir
# seconds: 60
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

root=${HF_STORE_URL#dir://}

# ends NAME SIGNAL SECONDS: with exit code 0, in that time
ends() {
    local pid=${agent_pid[$1]} status=0 started=${EPOCHREALTIME/[.,]/}
    kill "-$2" "$pid"
    wait_for "$3" gone "$pid" || claim_failed "$1: SIG$2 ends it within $3 s" "$(tail -n 20 "$1/agent.log")"
    wait "$pid" || status=$?
    unset "agent_pid[$1]"
    claim_equal "$1: SIG$2 ends it with 0 after $(((${EPOCHREALTIME/[.,]/} - started) / 1000)) ms" 0 "$status"
}
# load NAME: four clients that emit from 0, 1000000000, ... on until their agent is gone; what was acknowledged is in
# NAME/acknowledged.N
load() {
    local client
    for client in 0 1 2 3; do
        (generate $((client * 1000000000)) 200000 | "$HF_BIN" emit -s "$HF_TMP/$1/in.sock" --timeout 1s >"$1/acknowledged.$client" 2>"$1/emit.$client" || true) &
        loads+=($!)
    done
}
taken() { [ "$(agent_status "$1" | jq '.journal.durable_sequence')" -gt "$2" ]; }

# ---- under load ----

mkdir "$root/load"
agent_config load load
agent_start load
loads=()
load load
claim_within "load: events pour in" 20 taken load 5000
ends load TERM 10
for pid in "${loads[@]}"; do wait "$pid" || true; done
claim_match "load: the stop is an event" 'AgentStop' "$("$HF_BIN" cat -c load/holdfast.yaml --trail audit | tail -n 3)"
claim_intact "load: what was delivered by then is signed and intact" load audit
agent_start load
claim "load: the rest follows" "$HF_BIN" flush -c load/holdfast.yaml --timeout 60s
numbers_of load audit >numbers
for client in 0 1 2 3; do
    first=$((client * 1000000000))
    acknowledged=$(cat "load/acknowledged.$client")
    arrived=$(awk -v first=$first '$1 >= first && $1 < first + 1000000000' numbers | wc -l)
    # What was taken may be more than what the client had heard of; it is a row from its first line on all the same.
    [ "$arrived" -ge "$acknowledged" ] || claim_failed "load: no acknowledged event is lost" "client $client: $acknowledged acknowledged, $arrived arrived"
    claim_each_once "load: client $client: $acknowledged acknowledged, $arrived arrived, each once" numbers $first "$arrived"
done
claim_intact "load: the chain is intact over the stop" load audit

# ---- at random moments ----

seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
stops=10 worst_ms=0
[ -z "${HF_LONG:-}" ] || stops=200
mkdir "$root/random"
agent_config random random
sed -i "s,^  - { name: local.*,&\n  - { name: app\, type: file\, path: '$HF_TMP/random/app.jsonl*'\, start: beginning }," random/holdfast.yaml
"$(hf_tool hf_load)" --rate 1500 --until stop --first 1000000000 --seed 2 --report socket.report |
    "$HF_BIN" emit -s random/in.sock --timeout 60s >emit.out 2>emit.err &
feeder=$!
"$(hf_tool hf_load)" --rate 1500 --until stop --seed 1 --file random/app.jsonl --rotate 3000 --report file.report &
writer=$!
for ((round = 0; round < stops; round++)); do
    "$HF_BIN" run -c random/holdfast.yaml >>random/agent.log 2>&1 </dev/null &
    pid=$!
    agent_pid[random]=$pid
    # Every third while it starts, and half of the others in a reload.
    if [ $((round % 3)) -ne 0 ]; then
        wait_for 20 agent_answers random/holdfast.yaml || claim_failed "random: it starts" "$(tail -n 20 random/agent.log)"
        [ $((RANDOM % 2)) -ne 0 ] || { sed -i "s,window: { seconds: [0-9]*,window: { seconds: $((1 + round % 3))," random/holdfast.yaml && kill -HUP $pid; }
    fi
    sleep "0.$(printf %03d $((RANDOM % 700)))"
    before=${EPOCHREALTIME/[.,]/} status=0
    kill -TERM $pid
    wait_for 10 gone $pid || claim_failed "random: SIGTERM ends it within 10 s" "round $round, HF_SEED=$seed" "$(tail -n 20 random/agent.log)"
    wait $pid || status=$?
    unset 'agent_pid[random]'
    took_ms=$(((${EPOCHREALTIME/[.,]/} - before) / 1000))
    [ $took_ms -le $worst_ms ] || worst_ms=$took_ms
    # 143: before it had begun with anything.
    [ $status -eq 0 ] || { [ $status -eq 143 ] && [ $((round % 3)) -eq 0 ]; } || claim_failed "random: with exit code 0" "$status, round $round, HF_SEED=$seed" "$(tail -n 20 random/agent.log)"
done
claim_ok "random: SIGTERM ends it $stops times"
agent_start random
touch stop
wait "$writer"
wait "$feeder" || claim_failed "random: emit gets everything acknowledged" "$(cat emit.err)"
claim "random: the rest follows" "$HF_BIN" flush -c random/holdfast.yaml --timeout 60s
agent_stop random
field() { sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" "$2"; }
numbers_of random audit >numbers
claim_each_once "random: each event of the file once" numbers 0 "$(field written file.report)"
claim_each_once "random: each event of the socket once" numbers 1000000000 "$(field written socket.report)"
claim_intact "random: the chain is intact" random audit
echo "| fault | cases | events | lost | doubled | SIGTERM to exit, worst |"
echo "|---|---|---|---|---|---|"
echo "| SIGTERM at random moments, HF_SEED=$seed | $stops | $(wc -l <numbers) | 0 | 0 | $worst_ms ms |"

# ---- while it stops: SIGTERM twice, SIGINT ----

mkdir "$root/twice"
agent_config twice twice
agent_start twice
emit twice 0 100
mv "$root/twice" "$root/twice.away"
kill -TERM "${agent_pid[twice]}"
claim_within "twice: it tries to deliver" 5 grep -q 'agent\.stopping' twice/agent.log
sleep 1.2
ends twice TERM 3
mv "$root/twice.away" "$root/twice"
agent_start twice
claim_within "twice: the rest follows" 30 delivered twice audit
emit twice 100 100
ends twice INT 10
claim_arrived "twice: each event once" twice audit 0 200

# ---- a store that is away ----

agent_config away away
agent_start away
emit away 0 300
ends away TERM 10
claim_match "away: the log says what is left" 'agent\.leaves_work.*holdfast bucket apply' "$(cat away/agent.log)"
agent_start away
emit away 300 100
ends away TERM 10
mkdir "$root/away"
agent_start away
claim_within "away: all of it follows" 30 delivered away audit
claim_arrived "away: each event once" away audit 0 400
agent_stop away

# ---- the end of stdin ----

mkdir "$root/pipe"
agent_config pipe pipe
sed -i 's,^  - { name: local.*,  - { name: pipe\, type: stdin },' pipe/holdfast.yaml
claim_equal "pipe: the end of stdin ends the agent with 0" 0 \
    "$(status=0; generate 0 3000 | "$HF_BIN" run -c pipe/holdfast.yaml >pipe/agent.log 2>&1 || status=$?; echo $status)"
claim_arrived "pipe: everything is delivered" pipe audit 0 3000
claim_equal "pipe: an empty stdin, too" 0 "$(status=0; "$HF_BIN" run -c pipe/holdfast.yaml >>pipe/agent.log 2>&1 </dev/null || status=$?; echo $status)"
claim_equal "pipe: and a file as stdin" 0 \
    "$(generate 3000 100 >pipe/file; status=0; "$HF_BIN" run -c pipe/holdfast.yaml <pipe/file >>pipe/agent.log 2>&1 || status=$?; echo $status)"
claim_arrived "pipe: everything is delivered once" pipe audit 0 3100
