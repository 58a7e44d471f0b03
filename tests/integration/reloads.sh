#!/usr/bin/env bash
# 1,800 reloads while events come: each other one changes the trail, the file's source and the store, and brings or
# takes away a source; the one after it changes nothing. What a reload replaces is freed: once the first 800 have shown
# what is needed, memory stays where it is. Every event arrives once.
# stores: dir
# build: release
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

reloads=1800 first_look=800
# (A source of files has a thread of its own: what threads that come and go need is seen after some 600.)
# Of those that were replaced, a configuration of this size takes some 2 KiB, and what a trail makes of it (keys, settings)
# some 12: kept, the ones would show as 1,800 KiB (of 1,000 reloads), the others as 6,000 (of 500 changes).
grows_most_kb=768
each=4 # events of each source with a reload

# This is about the agent's memory: on a disk nearly all of the time would go into the fsyncs of 500 changes.
root=$HF_TMP/root state=$HF_TMP/one/state
if [ -w /dev/shm ]; then
    memory=$(mktemp -d /dev/shm/holdfast-reloads.XXXXXX)
    trap 'agents_stop && ended=0 || ended=$?; rm -rf -- "$memory"; exit $ended' EXIT
    root=$memory/root state=$memory/state
fi
mkdir -p one/log "$root/audit"
make_digest_key one/digest.key >one/fingerprint
make_recipient one/ops ec

# configuration WINDOW_BYTES NAME_OF_EVENTS URL FURTHER_SOURCE
configuration() {
    cat <<YAML
agent: { state_dir: $state, host: one }
stores:
  - { name: here, url: "$3" }
sources:
  - { name: app, type: file, path: $HF_TMP/one/log/app.jsonl, start: beginning, event_name: $2 }
  - { name: local, type: socket, path: $HF_TMP/one/in.sock }
$4
buckets:
  - { name: audit, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: audit, window: { seconds: 1, max_bytes: $1 }, digest: { seconds: 2, key_file: $HF_TMP/one/digest.key },
      encryption: { type: cms, recipients: [$HF_TMP/one/ops.pem] } }
YAML
}
is=("$(configuration 1MiB AppLine "dir://$root" '')"
    "$(configuration 2MiB OtherLine "dir://$root/" "  - { name: extra, type: socket, path: $HF_TMP/one/extra.sock }")")

in_parts() { awk -v each=$each 'NR > 1 && NR % each == 1 { printf "\001" } { print }'; }
mapfile -d $'\1' -t written < <(generate 0 $((reloads * each)) | in_parts)
mapfile -d $'\1' -t emitted < <(generate 1000000000 $((reloads * each)) | in_parts)
: >one/log/app.jsonl
printf '%s\n' "${is[0]}" >one/holdfast.yaml
agent_start one
pid=${agent_pid[one]}
exec {log}< <(exec tail -n +1 -s 0.1 -f --pid=$$ one/agent.log)
# One connection over all reloads: the socket's source is the same in both.
exec {to_socket}> >("$HF_BIN" emit -s "$HF_TMP/one/in.sock" >emit.out 2>emit.err; echo $? >emit.status)

reload() { # NUMBER: what is told here comes while the agent changes
    local line
    printf '%s' "${written[$1]}" >>one/log/app.jsonl
    printf '%s' "${emitted[$1]}" >&"$to_socket"
    printf '%s\n' "${is[($1 + 2) / 2 % 2]}" >one/holdfast.yaml
    kill -HUP "$pid"
    while read -r -t 20 -u "$log" line; do
        case $line in
        *agent.reloaded*) return ;;
        *reload.refused* | *reload.failed*) break ;;
        esac
    done
    claim_failed "reload $1 is done" "${line:-nothing in the log for 20 s}"
}
rss_kb() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status"; }

for ((i = 0; i < reloads; i++)); do
    reload $i
    if ((i + 1 == first_look)); then
        claim "after $first_look reloads what has come is delivered" agent_flush one
        before=$(rss_kb)
    fi
done
claim "after $reloads reloads what has come is delivered" agent_flush one
after=$(rss_kb)
claim "memory did not grow by $grows_most_kb KiB in the last $((reloads - first_look)) reloads ($before KiB, then $after)" \
    test $((after - before)) -lt "$grows_most_kb"

exec {to_socket}>&-
wait_for 20 test -s emit.status || claim_failed "emit ends" "$(cat emit.err)"
claim_equal "the connection that lasted over all reloads was answered to its end" 0 "$(cat emit.status)"
claim "flush" agent_flush one
agent_stop one
numbers_of one audit --key one/ops.key >numbers
claim_each_once "each event of the file arrived once" numbers 0 $((reloads * each))
claim_each_once "each event of the socket arrived once" numbers 1000000000 $((reloads * each))
claim_intact "the chain is intact" one audit
