#!/usr/bin/env bash
# The clock goes back an hour, ahead two, back to 1970, ahead by days and by years, is set while the agent is stopped, is
# bent, and the machine sleeps: keys and digest times never go back, nothing is locked by a clock that is plainly wrong,
# intake goes on, each event arrives once, and each step is itself a record of the trail.
# stores: dir
# seconds: 100
# table: yes
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

# The right time here is a day ahead of the host's, so that going back does not reach the day this program was built.
clock_program || skip "no libfaketime (Debian: faketime), which is what sets a clock for one process"
HF_BIN=$HF_TMP/clock/holdfast
now_off=0 steps=''
# clock SECONDS: so much off the right time; each change is a step that has to show
clock() {
    [ "$1" -eq "$now_off" ] || steps+="$(($1 - now_off)) "
    now_off=$1
    clock_set "$(printf %+d $((86400 + $1)))"
}
clock 0
mkdir "${HF_STORE_URL#dir://}/audit"
agent_config audit audit
agent_start audit

sent=0 rows=''
# some TEXT: 50 events, which arrive soon
some() {
    emit audit $sent 50
    sent=$((sent + 50))
    claim_within "$1: events are delivered and signed as soon as ever" 15 delivered audit audit
    rows+="$1|delivered at once
"
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
clock 1800
agent_start audit
some "set while it was killed"
agent_stop audit
clock 0
agent_start audit
some "set while it was stopped"

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
    claim_within "$1: right again, it delivers by itself" 40 delivered audit audit
    rows+="$1|held, nothing sent, delivered when it was right
"
}
held "two days ahead" 172800 'jumped [0-9]+ s ahead.*set it back'
held "ten years ahead" 315360000 'jumped [0-9]+ s ahead.*set it back'
held "before this program was built" -100000 'before this program was built; set it'
held "back to 1970" $((86400 - $(date +%s) - 86400)) 'before this program was built; set it'

# comes_back TEXT OFFSET: a host that was off, with such a clock: held, as no time service says that it is right
comes_back() {
    agent_stop audit
    clock "$2"
    keys=$(bucket_keys audit)
    agent_start audit
    emit audit $sent 50
    sent=$((sent + 50))
    claim_within "$1: the trail is held, and says what to do" 20 is_held '[0-9]+ days after .*holdfast chain new --trail'
    claim_exit "$1: status is not well" 1 "$HF_BIN" status -c audit/holdfast.yaml
    claim_equal "$1: nothing was sent" "$keys" "$(bucket_keys audit)"
}
comes_back "off, and ten years ahead" 315360000
agent_kill audit
agent_start audit
claim_within "... still, after one more start" 20 is_held '[0-9]+ days after '
clock 0
claim_within "... right again, it delivers by itself" 40 delivered audit audit
rows+="ten years ahead after a restart|held, nothing sent, delivered when it was right
"
some "in the end"

# ---- bent, not set: half a second in many small pieces ----

steps_now() { "$HF_BIN" cat -c audit/holdfast.yaml --trail audit | jq -c 'select(.eventName == "ClockStep") | .serviceEventDetails'; }
before=$(steps_now | wc -l)
for ((i = 1; i <= 10; i++)); do
    clock_set "$(printf '+86400.%03d' $((i * 20)))"
    "$HF_BIN" status -c audit/holdfast.yaml >/dev/null
done
clock_set +86400
some "bent by 200 ms and back"
claim_equal "a clock that is bent makes no record" "$before" "$(steps_now | wc -l)"
agent_stop audit

# ---- a machine that sleeps: all its clocks go on, and no timer fires ----

sed -i 's/FAKETIME_DONT_FAKE_MONOTONIC=1 //' clock/holdfast
clock_set +86400
mkdir "${HF_STORE_URL#dir://}/sleeper"
agent_config sleeper sleeper
agent_start sleeper
emit sleeper 0 50
claim_within "before it sleeps" 15 delivered sleeper audit
clock_set +201600
emit sleeper 50 50
claim_within "after 32 hours of sleep: delivered and signed at once, nothing is held" 15 delivered sleeper audit
agent_stop sleeper
claim_arrived "... each event exactly once" sleeper audit 0 100
claim_equal "... and sleep is no step" 0 "$("$HF_BIN" cat -c sleeper/holdfast.yaml --trail audit | jq -c 'select(.eventName == "ClockStep")' | wc -l)"
rows+="32 hours of sleep|delivered at once, no step
"

# ---- a host that was off for a year: by whose word it goes on ----

year=31536000
clock_set +86400
mkdir "${HF_STORE_URL#dir://}/later"
agent_config later later
agent_start later
emit later 0 50
claim_within "before it was off" 15 delivered later audit
# off_for_a_year N: the Nth time; held, with 50 more events
off_for_a_year() {
    agent_stop later
    clock_set "$(printf +%d $((86400 + $1 * year)))"
    agent_start later
    emit later $(($1 * 50)) 50
    claim_within "off for a year: the trail is held" 20 later_is_held
}
later_is_held() { agent_status later | jq -e '.trails[0] | .state == "held" and (.reason | test("36[0-9] days after"))' >/dev/null; }
off_for_a_year 1
touch clock/kept
claim_within "... until a time service keeps the clock: by itself" 40 delivered later audit
rm clock/kept
off_for_a_year 2
claim_exit "... or until the operator says so" 0 "$HF_BIN" chain new -c later/holdfast.yaml --trail audit
claim_within "... at once" 15 delivered later audit
agent_stop later
claim_arrived "... each event exactly once, over both chains" later audit 0 150
claim_equal "... and the break is a record" 1 "$("$HF_BIN" cat -c later/holdfast.yaml --trail audit | jq -c 'select(.eventName == "ChainNew")' | wc -l)"
rows+="a year after a restart, kept in time|held, delivered when the kernel said so
a year after a restart, no service|held, delivered after \`chain new\`
"

# ---- what is in the bucket ----

claim "nothing is dated by a clock that was ten years ahead" test \
    "$(bucket_keys audit | grep -oE '/20[0-9]{2}/' | tr -d / | sort -n | tail -n 1)" -le $(($(date +%Y) + 1))
claim_arrived "each event exactly once, and in no key or digest does time go back" audit audit 0 $sent
bucket_fetch audit fetched
fetched_digests fetched audit >digests
while read -r file; do gunzip -c "$file" | jq -c '{number: .holdfast.number, start: .digestStartTime, end: .digestEndTime,
    keys: [.logFiles[].s3Object | capture("_(?<t>[0-9]{8}T[0-9]{4}Z)_").t]}'; done <digests >"$HF_TMP/times"
claim "digests in the order of their keys are in the order of their numbers" jq -e -s '[.[].number] == [range(1; length + 1)]' times
claim "each begins where the one before ended, and ends later" jq -e -s 'all(range(1; length) as $i | [.[$i - 1], .[$i]]; .[0].end == .[1].start) and all(.[]; .start < .end)' times
claim "the times in the objects' keys never go back" jq -e -s '[.[].keys[]] | . == sort' times

steps_now >steps
claim_equal "each step is a record in an object that a digest lists: its difference in seconds, in order" "$steps" \
    "$(jq -r '.differenceMilliseconds / 1000 | round' steps | tr '\n' ' ')"
claim "... with what the clock said and what it says" jq -e -s 'all(.[]; .bound == "exact" and
    (((.to | fromdateiso8601) - (.from | fromdateiso8601)) * 1000 - .differenceMilliseconds | fabs) <= 1000)' steps
printf '%s' "$rows" | awk -F '|' 'BEGIN { printf "| %-36s | %-48s | lost | doubled |\n", "the clock", "what happened" } { printf "| %-36s | %-48s |    0 |       0 |\n", $1, $2 }'
