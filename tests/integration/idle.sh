#!/usr/bin/env bash
# An agent that has delivered all it got costs nothing: no thread of it wakes up but for what each source has to look at
# by itself, the memory goes back to less than 10 MiB, and the next event is acknowledged and delivered as ever.
# stores: dir ceph
# seconds: 60
# build: release
# timeout: 150
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

look_s=20
rescans=2 # a source of files looks for itself every 10 s: inotify sees neither a write through mmap nor one by another host
rss_max_kb=10240

bucket=$(bucket_name)
bucket_make "$bucket"
agent_config audit "$bucket"
sed -i "s/digest: { seconds: 2,/digest: { seconds: 3600,/; s/^agent:/agent:\n  log: { level: debug }/
    s|^sources:|sources:\n  - { name: app, type: file, path: \"$HF_TMP/log/*.jsonl\", start: beginning }|" audit/holdfast.yaml
mkdir log # what is written beside a followed file wakes the agent
: >log/app.jsonl
agent_start audit
pid=${agent_pid[audit]}

wakeups_of_each() {
    local task
    for task in /proc/"$pid"/task/*; do
        printf '%s %s %s\n' "${task##*/}" "$(cat "$task/comm")" "$(awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "$task/status")"
    done
}
memory_kb() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$pid/status"; }
times_given_back() { grep -c memory.given_back audit/agent.log || true; }
given_back_since() { [ "$(times_given_back)" -gt "$1" ]; }

sources_are() { [ "$(agent_status audit | jq '.sources | length')" = "$1" ]; }

# idle: until memory was given back after the work before; sets busy_kb
idle() {
    local before
    busy_kb=$(memory_kb VmRSS) before=$(times_given_back)
    claim_within "some seconds after the last work memory is given back" 30 given_back_since "$before"
    sleep 1 # the deliverer gives back by itself, and says nothing about it
}

# look: how often each thread woke up in look_s seconds, in `woken`; once more when a digest of the hour came in between, and
# not before that one is delivered and its memory given back
look() {
    local try hour
    for try in 1 2; do
        hour=$(date +%H)
        wakeups_of_each >"before.$try"
        sleep "$look_s"
        wakeups_of_each >"after.$try"
        woken=$(join "before.$try" "after.$try" | awk '$5 > $3 { printf "%s %d  ", $2, $5 - $3 }')
        [ "$hour" != "$(date +%H)" ] || break
        sleep 15
    done
    printf '# woken in %d s: %s; VmRSS %d KiB, %d at work\n' "$look_s" "${woken:-none}" "$(memory_kb VmRSS)" "$busy_kb"
}
# waits_for_time THREAD: the names of those whose wait ends by itself, by the fourth argument of futex(2); fails where only
# root may see it
waits_for_time() {
    local task line
    for task in /proc/"$pid"/task/*; do
        [[ $(cat "$task/comm") =~ ^($1)$ ]] || continue
        read -ra line <"$task/syscall" || return 1
        [ "${line[4]:-0x0}" = 0x0 ] || printf '%s ' "$(cat "$task/comm")"
    done
}
rescans_alone() { [[ -z $woken || $woken =~ ^hf-file\ ([0-9]+)\ *$ ]] && [ "${BASH_REMATCH[1]:-0}" -le "$rescans" ]; }

generate 0 2000 | "$HF_BIN" emit -s audit/in.sock >/dev/null
generate 1000000000 2000 >>log/app.jsonl
claim "what was sent is delivered and signed" agent_flush audit
idle
claim "idle: less than 10 MiB are in memory ($(memory_kb VmRSS) KiB, $busy_kb at work)" test "$(memory_kb VmRSS)" -lt "$rss_max_kb"
claim "... which is less than at work" test "$(memory_kb VmRSS)" -lt "$busy_kb"
look
claim "idle: no thread woke up but for the rescans of the file source (${woken:-none})" rescans_alone
if timed=$(waits_for_time 'hf-journal|hf-seal.*|hf-deliver' 2>/dev/null); then
    claim_equal "... and no thread that waits for work would wake up later" '' "$timed"
else
    printf '# who is not root cannot see for how long a thread waits\n'
fi
claim "... and the memory stays away" test "$(memory_kb VmRSS)" -lt "$rss_max_kb"

# ---- the next event, and without a source of files nobody looks for anything ----

claim_match "the next event is acknowledged" '(^| )1( |$)' "$(generate 2000 1 | "$HF_BIN" emit -s audit/in.sock)"
claim "... delivered and signed" agent_flush audit
sed -i '/name: app, type: file/d' audit/holdfast.yaml
agent_reload audit
claim_within "the file source is gone" 10 sources_are 1
idle
look_s=10
look
claim "idle again: less than 10 MiB ($(memory_kb VmRSS) KiB)" test "$(memory_kb VmRSS)" -lt "$rss_max_kb"
claim_equal "... and no thread woke up at all" '' "$woken"
agent_stop audit
bucket_fetch "$bucket" fetched
fetched_objects fetched '' | numbers_in - >numbers
claim_each_once "each event of the socket arrived once" numbers 0 2001
claim_each_once "each event of the file arrived once" numbers 1000000000 2000
