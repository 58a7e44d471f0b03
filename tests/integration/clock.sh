#!/usr/bin/env bash
# The clock goes back an hour, ahead two, ahead two days, to before this program was built, and back: keys and digest
# times never go back, nothing is locked by a clock that is plainly wrong, intake goes on, each event arrives once.
# stores: dir
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

# The right time here is a day ahead of the host's, so that going back does not reach the day this program was built.
clock_program || skip "no libfaketime (Debian: faketime), which is what sets a clock for one process"
HF_BIN=$HF_TMP/clock/holdfast
clock() { clock_set "$(printf %+d $((86400 + $1)))"; } # SECONDS off the right time
clock 0
mkdir "${HF_STORE_URL#dir://}/audit"
agent_config audit audit
agent_start audit

sent=0
# some TEXT: 50 events, which arrive soon
some() {
    emit audit $sent 50
    sent=$((sent + 50))
    claim_within "$1: events are delivered and signed as soon as ever" 15 delivered audit audit
}
some "at the right time"
clock -3600
some "an hour back"
some "an hour back, still"
clock 0
some "right again"
clock 7200
some "two hours ahead"
clock -3600
some "three hours back from there"
agent_kill audit
agent_start audit
some "after a crash, with the clock back"
clock 0

is_held() { agent_status audit | jq -e --arg reason "$1" '.trails[0] | .state == "held" and (.reason | test($reason))' >/dev/null; }
# held TEXT OFFSET PATTERN: under such a clock nothing is sent; intake goes on
held() {
    local keys
    clock "$2"
    keys=$(bucket_keys audit)
    emit audit $sent 50
    sent=$((sent + 50))
    claim_within "$1: the trail is held, and says what to do" 20 is_held "$3"
    claim_exit "$1: status is not well" 1 "$HF_BIN" status -c audit/holdfast.yaml
    claim_equal "$1: nothing was sent" "$keys" "$(bucket_keys audit)"
    clock 0
    # A clock that is set is an event, with the stamp that ends the window before it; one that libfaketime sets is not.
    emit audit $sent 50
    sent=$((sent + 50))
    claim_within "$1: right again, it delivers by itself" 40 delivered audit audit
}
held "two days ahead" 172800 'jumped [0-9]+ s ahead.*set it back'
held "before this program was built" -100000 'before this program was built; set it'
some "in the end"
agent_stop audit

claim_arrived "each event exactly once, and in no key or digest does time go back" audit audit 0 $sent
bucket_fetch audit fetched
fetched_digests fetched audit >digests
while read -r file; do gunzip -c "$file" | jq -c '{number: .holdfast.number, start: .digestStartTime, end: .digestEndTime,
    keys: [.logFiles[].s3Object | capture("_(?<t>[0-9]{8}T[0-9]{4}Z)_").t]}'; done <digests >"$HF_TMP/times"
claim "digests in the order of their keys are in the order of their numbers" jq -e -s '[.[].number] == [range(1; length + 1)]' times
claim "each begins where the one before ended, and ends later" jq -e -s 'all(range(1; length) as $i | [.[$i - 1], .[$i]]; .[0].end == .[1].start) and all(.[]; .start < .end)' times
claim "the times in the objects' keys never go back" jq -e -s '[.[].keys[]] | . == sort' times
