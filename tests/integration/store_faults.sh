#!/usr/bin/env bash
# A store that misbehaves, each fault as a row with an agent and a scripted S3 server of its own: what the agent takes
# for delivered is there, whole and locked; while it lasts `status` names it and intake goes on; once mended, the rest is
# delivered without help, each event in exactly one listed object. Ends with the table.
# HF_ROWS=REGEXP: only these rows. HF_JOBS=N: so many agents at once. The long form lets each fault last for longer.
# stores: none
# seconds: 200
# table: yes
# timeout: 3600
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

jobs=${HF_JOBS:-12} # they wait most of the time
tries=2 # that fail after the first, while a fault lasts
[ -z "${HF_LONG:-}" ] || tries=7
within=70 # seconds from mended to delivered: a wait between two tries is 30 at most, and some need two

# ROW | confirm | HOW | commands to the server, by ; | the reason in status, an extended regexp
#   hold    it lasts: the reason shows, more events are taken, it is tried again, then it is mended
#   crash   the same, and the agent is killed with -9 in the middle
#   once    as often as it says
#   kill    the same, and the agent is killed with -9 as soon as it has happened
#   show    it lasts, and the reason shows until it is mended, whatever else is delivered
#   start   like hold, and begins while the agent is down
#   through it lasts, and everything is delivered all the same
steps() {
    cat <<'STEPS'
another's object under the key|head|once|fault foreign object 2|
another's object under the key|head|once|fault foreign digest 1|
another's object under the key|head|show|fault foreign object|was not overwritten
another's object under the key, confirm: put|put|once|fault foreign object 2|
another's object under the key, confirm: put|put|once|fault foreign digest 1|
another's object under the key, confirm: put|put|show|fault foreign object|never put by us
500|head|hold|fault 500 any|answered 500
500|head|hold|fault 500 digest|answered 500
503 SlowDown|head|crash|fault slow-down any|answered 503
503 SlowDown|head|hold|fault slow-down head|answered 503
reset before the reply|head|hold|fault reset any|reset by peer
reset before the reply|head|once|fault reset put 2|
reset in the upload|head|hold|fault reset-upload put|reset by peer
reset in the upload|head|kill|fault reset-upload put 1|
no answer (time-out)|head|hold|fault silent any|timed? ?out|too slow
no answer (time-out)|head|kill|fault silent put 1|
one byte a second|head|hold|fault drip any|timed? ?out|too slow
one byte a second|head|kill|fault drip put 1|
headers without end|head|hold|fault endless-headers any|no end
headers without end|head|kill|fault endless-headers put 1|
a cut body|head|hold|fault cut-body any|transfer closed|within the header
a cut body|head|hold|fault cut-body head|within the header
a cut body|head|kill|fault cut-body put 1|
a cut body|head|start|fault cut-body list|transfer closed
stored without the lock|head|through|fault unlocked put|
stored without the lock|head|hold|fault unlocked put;fault unlocked lock|without a lock
stored without the lock, confirm: put|put|through|fault unlocked put|
stored without the lock, confirm: put|put|hold|fault unlocked put;fault unlocked lock|without a lock
the wrong ETag|head|hold|fault wrong-etag any|other bytes
the wrong ETag|head|once|fault wrong-etag object 1;fault wrong-etag digest 1|
the wrong ETag, confirm: put|put|once|fault wrong-etag object 1;fault wrong-etag digest 1|
a C1 byte in the ETag|head|hold|fault evil-etag any|does not speak S3
a C1 byte in the ETag|head|once|fault evil-etag object 1;fault evil-etag digest 1|
a C1 byte in the version's id|head|hold|fault evil-version any|does not speak S3
a C1 byte in the version's id|head|once|fault evil-version object 1;fault evil-version digest 1|
a C1 byte in the version's id, confirm: put|put|once|fault evil-version object 1;fault evil-version digest 1|
a lock past the year 9999|head|crash|fault evil-date any|RetainUntilDate
other bytes stored|head|once|fault changed object 1;fault changed digest 1|
other bytes stored, confirm: put|put|once|fault changed object 1;fault changed digest 1|
200, and nothing stored|head|hold|fault forgotten put|does not show what it says
200, and nothing stored, confirm: put|put|hold|fault forgotten put|without its lock
an HTML page|head|hold|fault html any|does not speak S3
a redirect|head|hold|fault redirect any|redirects are refused
a redirect|head|hold|fault moved any|answered 301
applied, the reply lost|head|through|fault lost-reply put|
applied, the reply lost|head|kill|fault lost-reply put 1|
applied, the reply lost|head|kill|fault lost-reply digest 1|
applied, the reply lost|head|hold|fault lost-reply any|reset by peer
applied, the reply lost, confirm: put|put|once|fault lost-reply object 1;fault lost-reply digest 1|
applied, the reply lost, confirm: put|put|kill|fault lost-reply put 1|
applied late|head|once|fault late object 1|
applied late|head|once|fault late digest 1|
applied late|head|kill|fault late put 1|
applied late, confirm: put|put|once|fault late object 1|
applied late, confirm: put|put|kill|fault late put 1|
applied late, no If-None-Match|head|once|condition off;fault late object 1;fault late digest 1|
applied late, no If-None-Match|head|kill|condition off;fault late put 1|
applied late, no If-None-Match|head|once|condition off;fault late-twin put 1|
credentials expired|head|hold|fault expired any|ExpiredToken.*renew
credentials rotated|head|hold|accept AKIDSECOND|InvalidAccessKeyId|wrong keys look the same
the store's clock an hour off|head|hold|clock 3600|clock is 3[0-9]+ s behind|store's clock is 3[0-9]+ s ahead
the store's clock an hour off|head|crash|clock -3600|clock is 3[0-9]+ s ahead|store's clock is 3[0-9]+ s behind
RequestTimeTooSkewed|head|hold|fault skewed any|RequestTimeTooSkewed
no Date|head|start|fault no-date any|Date
403 for long|head|crash|fault denied any|AccessDenied
403 for long|head|hold|fault denied put|right to PutObject.*AccessDenied
403 for long, confirm: put|put|hold|fault denied any|AccessDenied
the lock refused|head|hold|fault lock-refused put|InvalidRequest
a listing cut|head|start|fault list-cut list|not well-formed
a listing too large|head|start|fault list-big list|answered with more than
a malicious listing|head|start|fault list-evil list|document type or an entity|not well-formed
a listing without end|head|start|fault list-loop list|does not get anywhere
100, and no more|head|hold|fault interim any|timed? ?out|too slow
closed with each reuse|head|through|fault no-reuse any|
STEPS
}

# ---- the server of a row ----

server_start() { # ROW
    mkdir -p "$1/s3"
    "$(dirname "$(hf_tool hf_gen)")/../support/hf_s3_server" "$1/s3" audit AKIDFIRST >"$1/s3/log" 2>&1 &
    server_pid=$!
    wait_for 10 test -s "$1/s3/url" || claim_failed "the scripted server starts" "$(cat "$1/s3/log")"
}
# store COMMAND ...: the server of this row does it
store() {
    local port answer
    port=$(cat "$HF_TMP/$name/s3/control")
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s\n' "$*" >&3
    answer=$(cat <&3)
    exec 3>&-
    [ "${answer:0:6}" != error: ] || claim_failed "the server takes '$*'" "$answer"
    printf '%s' "$answer"
}
store_do() { # COMMANDS, by ;
    local commands=$1 command
    while [ -n "$commands" ]; do
        command=${commands%%;*}
        store "$command"
        [ "$command" != "$commands" ] || break
        commands=${commands#*;}
    done
}
store_mend() {
    store mend
    store clock 0
    store condition on
    [ "$plan" != "accept AKIDSECOND" ] || write_credentials "$name/credentials" AKIDSECOND secret
}
at_least() { [ "$(store hits)" -ge "$1" ]; }

# ---- the agent of a row ----

agent_setup() { # NAME CONFIRM
    mkdir -p "$1"
    cp digest.key "$1"
    write_credentials "$1/credentials" AKIDFIRST secret
    agent_config "$1" audit "  - { name: main, url: \"$(cat "$1/s3/url")\", region: us-east-1, addressing: path, timeout: 1s,
      confirm: $2, credentials_file: \"$HF_TMP/$1/credentials\" }"
}
# within_s SECONDS COMMAND ...: like wait_for, for commands that cost more
within_s() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.5
    done
}
sent=0
more() {
    emit "$name" "$sent" 10
    sent=$((sent + 10))
}
is_named() { agent_status "$name" | jq -e --arg reason "$reason" '.ok == false and (.trails[0].reason // "" | test($reason; "i"))'; }
failures() { trail_field "$name" audit .failures; }
failed_more() { [ "$(failures)" -ge "$1" ]; }
is_delivered() { delivered "$name" audit; }

# nothing_false: all that the log calls delivered is there, as promised, under a lock that lasts
nothing_false() {
    sed -n 's/.* \(object\|digest\).delivered .*key=\([^ ]*\).*/\2/p' "$name/agent.log" | sort -u | jq -R . | jq -s . >"$name/said"
    store objects >"$name/objects"
    jq -n --slurpfile said "$name/said" --slurpfile objects "$name/objects" --arg now "$(rfc3339 +1hour)" '
        $said[0] - [$objects[0][] | select(.sha256 == .promised and .mode == "GOVERNANCE" and .until > $now) | .key]' >"$name/false"
    [ "$(jq length "$name/said")" -gt 0 ] && [ "$(jq length "$name/false")" -eq 0 ] || claim_failed "$row: what it calls delivered is stored whole and locked" "$(cat "$name/false")"
}

# ---- a step ----

lasts() { # crash|-
    local before
    [ -z "$reason" ] || within_s 60 is_named || claim_failed "$row: '$plan' shows in status as '$reason'" "$(agent_status "$name" | jq -c .trails)"
    [ "$1" != crash ] || { agent_kill "$name"; agent_start "$name"; }
    more
    [ -z "$reason" ] || {
        before=$(failures)
        within_s $((60 * tries)) failed_more $((before + tries)) || claim_failed "$row: '$plan' is tried again" "$(agent_status "$name" | jq -c .trails)"
        is_named || claim_failed "$row: '$plan' still shows in status" "$(agent_status "$name" | jq -c .trails)"
    }
}

step() {
    local objects wanted began
    objects=$(store objects | jq 'map(.key) | unique | length')
    store zero
    [ "$how" != start ] || agent_kill "$name"
    store_do "$plan"
    [ "$how" != start ] || agent_start "$name"
    more
    case $how in
    hold | start) lasts - ;;
    crash) lasts crash ;;
    show)
        within_s 60 is_named || claim_failed "$row: '$plan' shows in status as '$reason'" "$(agent_status "$name" | jq -c .trails)"
        agent_kill "$name"
        agent_start "$name"
        within_s 60 is_named && more || claim_failed "$row: '$plan' shows after a restart" "$(agent_status "$name" | jq -c .trails)"
        sleep 5 # some digests are delivered meanwhile
        is_named >/dev/null || claim_failed "$row: '$plan' still shows in status" "$(agent_status "$name" | jq -c .trails)"
        ;;
    through)
        more
        within_s 60 at_least 3 && within_s 60 is_delivered || claim_failed "$row: '$plan' does not keep anything from being delivered" "$(agent_status "$name" | jq -c .trails)"
        ;;
    *)
        wanted=$(grep -oE '[0-9]+(;|$)' <<<"$plan" | tr -d ';' | awk '{ sum += $1 } END { print sum }')
        within_s 30 at_least "$([ "$how" = kill ] && echo 1 || echo "$wanted")" || claim_failed "$row: '$plan' happens"
        [ "$how" != kill ] || { agent_kill "$name"; agent_start "$name"; }
        more
        ;;
    esac
    nothing_false
    store_mend
    began=$(date +%s%3N)
    within_s "$within" is_delivered || claim_failed "$row: once mended after '$plan', all is delivered" "$(agent_status "$name" | jq -c .trails)"
    printf '%s\t%s\t%s\t%s\n' "$row" $(($(date +%s%3N) - began)) "$(store counts | jq -r '[.put, .head, .list + .get + .versions + ."read-lock" + .lock + .bucket + .other] | @tsv')" \
        $(($(store objects | jq 'map(.key) | unique | length') - objects)) >>"$name/steps"
    printf 'ok - %s: %s\n' "$row" "$plan"
}

# ---- a row ----

row_ends() {
    local missing doubled
    more
    agent_flush "$name" >/dev/null || claim_failed "$row: in the end a flush succeeds"
    nothing_false
    agent_stop "$name"
    numbers_of "$name" audit >"$name/numbers"
    missing=$(comm -23 <(seq 0 $((sent - 1)) | sort) <(sort -u "$name/numbers") | wc -l)
    doubled=$(uniq -d "$name/numbers" | wc -l)
    printf '%s\t%s\t%s\n' "$sent" "$missing" "$doubled" >"$name/events"
    claim_equal "$row: no event lost" 0 "$missing"
    claim_equal "$row: no event doubled" 0 "$doubled"
    validate "$name" audit >"$name/validate" 2>&1 && jq -e '.intact and ([.findings[] | select(.fine | not)] == [])' "$name/validate" >/dev/null ||
        claim_failed "$row: validate finds the chain intact" "$(cat "$name/validate")"
    claim_equal "$row: no request goes anywhere else" 0 "$(store counts | jq .other_host)"
    claim_equal "$row: none waits for 100-continue" 0 "$(store counts | jq .with_expect)"
}

row_run() { # NUMBER ROW
    local name=row$1 row=$2 confirm how plan reason first=yes ignored
    trap agents_stop EXIT
    while IFS='|' read -r ignored confirm how plan reason <&4; do
        [ "$ignored" = "$row" ] || continue
        if [ -n "$first" ]; then
            server_start "$name"
            agent_setup "$name" "$confirm"
            agent_start "$name"
            more
            within_s 20 is_delivered || claim_failed "$row: well to begin with" "$(agent_status "$name" | jq -c .trails)"
            first=''
        fi
        step
    done 4< <(steps)
    row_ends
    kill "$server_pid"
}

# ---- all rows, and the table ----

steps | cut -d '|' -f 1 | awk '!seen[$0]++' | grep -E -- "${HF_ROWS:-}" >rows
make_digest_key digest.key >/dev/null
number=0 bad=0
declare -A row_of=()
end_one() {
    local pid='' status=0
    wait -n -p pid "${!row_of[@]}" || status=$?
    if [ "$status" -eq 0 ]; then
        claim_ok "${row_of[$pid]#* }"
    else
        bad=$((bad + 1))
        printf 'not ok %d - %s\n' "$((++hf_claims))" "${row_of[$pid]#* }"
        sed 's/^/#   /' "row${row_of[$pid]%% *}.out"
    fi
    unset "row_of[$pid]"
}
while read -r row <&5; do
    while [ ${#row_of[@]} -ge "$jobs" ]; do end_one; done
    number=$((number + 1))
    row_run "$number" "$row" >"row$number.out" 2>&1 &
    row_of[$!]="$number $row"
done 5<rows
while [ ${#row_of[@]} -gt 0 ]; do end_one; done

printf '\n| fault | cases | events | lost | doubled | PUT per object | HEAD | other | seconds from mend to drained, worst |\n|---|---|---|---|---|---|---|---|---|\n'
number=0
while read -r row; do
    number=$((number + 1))
    [ -s "row$number/events" ] || continue
    awk -F '\t' -v events="$(cat "row$number/events")" '
        { cases++; worst = $2 > worst ? $2 : worst; put += $3; head += $4; other += $5; objects += $6; row = $1 }
        END { split(events, e, "\t"); if (!objects) objects = 1
              printf "| %s | %d | %d | %d | %d | %.1f | %.1f | %.1f | %.1f |\n", row, cases, e[1], e[2], e[3], put / objects, head / objects, other / objects, worst / 1000 }' "row$number/steps"
done <rows
printf '\n'
[ "$bad" -eq 0 ] || claim_failed "every row holds" "$bad rows do not"
claim_ok "every row holds, $number of them, $SECONDS s"
