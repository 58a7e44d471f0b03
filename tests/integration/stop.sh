#!/usr/bin/env bash
# The ways to end: SIGTERM under load, with a store that is away, SIGINT, a second SIGTERM, the end of stdin. Exit code 0
# within ten seconds; what was acknowledged and not delivered follows after the next start, each event once.
# stores: dir
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
