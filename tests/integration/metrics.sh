#!/usr/bin/env bash
# Every metric says what is the case: each one of agent/daemon/METRICS.md that moves is moved here by what it is about, on a
# scripted S3 server: outages, a wrong clock, a full journal, gaps, losses, damage, strays, reloads, restarts. The listener
# answers GET and HEAD of /metrics on the loopback, in Prometheus' text format, and nothing else, whoever else holds on to it.
# stores: none
# seconds: 60
# timeout: 240
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

# ---- the store, the agent ----

mkdir -p m/s3 m/log
"$(dirname "$(hf_tool hf_gen)")/../support/hf_s3_server" m/s3 audit AKIDFIRST >m/s3/log 2>&1 &
claim_within "the scripted server starts" 10 test -s m/s3/url
store() { # COMMAND ...
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/$(cat m/s3/control)"
    printf '%s\n' "$*" >&3
    answer=$(cat <&3)
    exec 3>&-
    [ "${answer:0:6}" != error: ] || claim_failed "the server takes '$*'" "$answer"
    printf '%s' "$answer"
}
write_credentials m/credentials AKIDFIRST secret
make_digest_key m/digest.key >/dev/null
port=$(free_port)
confirm=head spool=8GiB journal=16MiB state=$HF_TMP/m/state early=yes
config() {
    cat >m/holdfast.yaml <<YAML
agent:
  state_dir: $state
  host: m
  metrics: "127.0.0.1:$port"
  journal: { max_bytes: $journal, segment_bytes: 4MiB }
stores:
  - { name: main, url: "$(cat m/s3/url)", region: us-east-1, addressing: path, timeout: 1s, confirm: $confirm, credentials_file: "$HF_TMP/m/credentials" }
sources:
  - { name: local, type: socket, path: $HF_TMP/m/in.sock }
  - { name: app, type: file, path: "$HF_TMP/m/log/*.log", max_event: 2KiB, start: beginning }
buckets:
  - { name: audit, store: main, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: audit, window: { seconds: 1 }, encryption: none, spool: { max_bytes: $spool }, digest: { seconds: 2, key_file: $HF_TMP/m/digest.key } }
YAML
    [ -z "$early" ] || cat >>m/holdfast.yaml <<YAML
  - { name: early, bucket: audit, prefix: early, window: { seconds: 1 }, encryption: none, digest: { seconds: 2, key_file: $HF_TMP/m/digest.key } }
YAML
}

# ---- looking: each look is kept, for the last claim ----

looks=0
look() {
    curl -sf --max-time 20 "http://127.0.0.1:$port/metrics" >look.new || return 1
    mv look.new "look.$((++looks))"
    ln -sf "look.$looks" look.last
}
# value NAME [LABELS]: of the last look, "" without a sample
value() { awk -v name="$1${2:+{$2\}}" '$1 == name { print $2 }' look.last; }
# is NAME LABELS TEST...: after a new look
is() {
    look || return 1
    local number
    number=$(value "$1" "$2")
    [ -n "$number" ] && test "$number" "${@:3}"
}
has_none() { look && [ -z "$(value "$1" "$2")" ]; }
audit='trail="audit"'
local='source="local"'
app='source="app"'
goes() { claim_within "$1" 30 is "${@:2}"; } # TEXT NAME LABELS TEST...
all_arrived() { is holdfast_trail_backlog_events "$audit" -eq 0 && is holdfast_trail_undigested_objects "$audit" -eq 0 && is holdfast_trail_held "$audit" -eq 0; }
reload() { # TEXT EVENT
    local before
    before=$(log_count m "$2")
    config
    agent_reload m
    claim_within "$1" 15 log_grew "$2" "$before"
}
log_grew() { [ "$(log_count m "$1")" -gt "$2" ]; }
text_of() { curl -s --max-time 20 "$@"; }

# ---- all is well ----

config
agent_start m
look
emit m 0 10
goes "events in" holdfast_source_events_total "$local" -eq 10
goes "connections end" holdfast_source_connections "$local" -eq 0
goes "acknowledged, with two of holdfast's own at most" holdfast_acknowledged_events_total '' -ge 11
goes "delivered" holdfast_trail_delivered_events_total "$audit" -ge 11
claim_within "all arrives" 30 all_arrived
claim_equal "what is delivered is locked" "$(value holdfast_trail_delivered_events_total "$audit")" "$(value holdfast_trail_locked_events_total "$audit")"
claim_equal "and all that was acknowledged" "$(value holdfast_acknowledged_events_total)" "$(value holdfast_trail_delivered_events_total "$audit")"
claim_equal "well" 1 "$(value holdfast_well)"
claim_equal "nothing is late" 0 "$(value holdfast_trail_backlog_seconds "$audit")"
now=$(date +%s)
claim "delivered just now" test "$(value holdfast_trail_last_delivery_seconds "$audit")" -gt $((now - 30)) -a "$(value holdfast_trail_last_delivery_seconds "$audit")" -le $((now + 1))
claim "a digest just now" test "$(value holdfast_trail_last_digest_seconds "$audit")" -gt $((now - 30)) -a "$(value holdfast_trail_last_digest_seconds "$audit")" -le $((now + 1))

# ---- the format, and the listener ----

cat >format.py <<'PYTHON'
import re, sys
name, kind, seen, done, counts = None, {}, set(), set(), 0
sample = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9]+)')
for number, line in enumerate(sys.stdin.read().split('\n')[:-1], 1):
    def wrong(why): sys.exit('line %d: %s: %s' % (number, why, line))
    if line.startswith('# HELP '):
        if name: done.add(name)
        name = line.split(' ')[2]
        if name in done: wrong('a second HELP')
        if len(line.split(' ')) < 5: wrong('no help')
    elif line.startswith('# TYPE '):
        words = line.split(' ')
        if words[2] != name or name in kind or words[3] not in ('counter', 'gauge'): wrong('no TYPE that belongs here')
        if (words[3] == 'counter') != name.endswith('_total'): wrong('a counter, and only a counter, ends in _total')
        kind[name] = words[3]
    else:
        match = sample.fullmatch(line)
        if not match: wrong('no sample')
        if match.group(1) != name or name not in kind: wrong('a sample of something else')
        if line.rsplit(' ', 1)[0] in seen: wrong('a series twice')
        seen.add(line.rsplit(' ', 1)[0])
        if kind[name] == 'counter' and int(match.group(3)) < 0: wrong('a counter below 0')
        counts += 1
if counts < 50: sys.exit('only %d samples' % counts)
PYTHON
claim "the listener speaks the text format" python3 format.py <look.last
"$HF_BIN" status -c m/holdfast.yaml --metrics >status.metrics
claim "so does status --metrics" python3 format.py <status.metrics
claim_equal "both tell the same things" "$(sed -n 's/^# TYPE //p' look.last)" "$(sed -n 's/^# TYPE //p' status.metrics)"
url=http://127.0.0.1:$port
claim_match "its content type is the format's" '^Content-Type: text/plain; version=0\.0\.4; charset=utf-8' "$(text_of -D - -o /dev/null $url/metrics)"
claim_match "HEAD is answered" '^HTTP/1.1 200 ' "$(text_of -I $url/metrics)"
claim_equal "HEAD has no body" 0 "$(printf 'HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n' | timeout 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$port"'; cat >&3; cat <&3' | sed '1,/^\r$/d' | wc -c)"
claim_match "another path is 404" '^HTTP/1.1 404 ' "$(text_of -I $url/)"
claim_match "another method is 405" '^HTTP/1.1 405 ' "$(text_of -D - -o /dev/null -X POST -d x $url/metrics)"
claim_match "and says which are not" '^Allow: GET, HEAD' "$(text_of -D - -o /dev/null -X DELETE $url/metrics)"
claim_match "a request without end is refused" '^HTTP/1.1 4' "$(text_of -D - -o /dev/null -H "X-Long: $(printf '%020000d' 0)" $url/metrics || true)"
holders=()
for _ in {1..20}; do
    timeout 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf 'GET /metrics HTTP/1.1\r\n' >&3; cat <&3" >/dev/null 2>&1 &
    holders+=($!)
done
claim_within "who only holds connections keeps nobody out for long" 40 look
for pid in "${holders[@]}"; do kill "$pid" 2>/dev/null || true; done
claim_match "who has closed his end is answered" '^holdfast_well 1$' "$(printf 'GET /metrics HTTP/1.0\r\n\r\n' | timeout 10 python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
while True:
    data = s.recv(65536)
    if not data: break
    sys.stdout.buffer.write(data)' "$port")"
refused=0
sed "s,state_dir: .*,state_dir: $HF_TMP/m/other,; /name: local/d; /name: app/d; s/^sources:/sources: []/" m/holdfast.yaml >m/other.yaml
"$HF_BIN" run -c m/other.yaml >other.log 2>&1 || refused=$?
claim_equal "a port in use ends a start with 2" 2 "$refused"
claim_match "and is named" "agent.metrics: listening on '127.0.0.1:$port'.*Address already in use" "$(cat other.log)"

# ---- files: what is no JSON, what is long, what is lost, what cannot be read ----

{ echo 'no JSON'; printf '{"long":"%05000d"}\n' 0; } >m/log/app.log
goes "a file is followed" holdfast_source_files "$app" -eq 1
goes "a line that is no JSON" holdfast_source_unparsed_events_total "$app" -ge 1
goes "parts of a long one" holdfast_source_parts_total "$app" -ge 2
goes "all is read" holdfast_source_unread_bytes "$app" -eq 0
mkfifo m/log/fifo.log
truncate -s +1M m/log/app.log
goes "what is no file" holdfast_source_unread_files "$app" -eq 1
goes "room at the end" holdfast_source_nul_bytes "$app" -eq $((1 << 20))
echo '{"behind":"a hole"}' >>m/log/app.log
goes "holes" holdfast_source_skipped_bytes_total "$app" -ge 1
cp m/log/app.log m/log/copy.log
goes "what may be a copy" holdfast_source_held_files "$app" -eq 1
goes "... and is none" holdfast_source_held_files "$app" -eq 0
goes "all is read again" holdfast_source_unread_bytes "$app" -eq 0
rm m/log/fifo.log m/log/copy.log
kill -STOP "${agent_pid[m]}"
generate 5000 5 >>m/log/app.log
: >m/log/app.log
kill -CONT "${agent_pid[m]}"
goes "a gap" holdfast_source_gaps_total "$app" -eq 1
(cd m/log && seq 5000 | sed "s/\$/$(printf '%0200d' 0).log/" | xargs touch) # more positions than the state of this journal takes
goes "a source that cannot read has a problem" holdfast_source_problem "$app" -eq 1
goes "an error by its class" holdfast_source_errors_total "$app,class=\"HF_ELIMIT\"" -ge 1
claim_equal "nothing is well" 0 "$(value holdfast_well)"
find m/log -name '*0.log' -delete

# ---- the store refuses: held ----

claim_within "all arrives" 30 all_arrived
tries=$(value holdfast_trail_put_attempts_total "$audit")
denied=$(value holdfast_trail_errors_total "$audit,class=\"HF_EACCESS\"")
store fault denied object # the window's, before a check can find out that nothing is allowed
emit m 10 10
goes "a PUT is refused" holdfast_trail_errors_total "$audit,class=\"HF_EACCESS\"" -gt "${denied:-0}"
store fault denied any
goes "held" holdfast_trail_held "$audit" -eq 1
claim_equal "with its reason" 1 "$(value holdfast_trail_held_reason "$audit,class=\"HF_EACCESS\"")"
claim "since a moment ago" test "$(value holdfast_trail_held_since_seconds "$audit")" -ge "$now"
goes "errors by class" holdfast_trail_errors_total "$audit,class=\"HF_EACCESS\"" -ge 2
claim "failures count, too" test "$(value holdfast_trail_failures_total "$audit")" -ge 2
goes "the events wait" holdfast_trail_backlog_events "$audit" -ge 10
goes "their bytes" holdfast_trail_backlog_bytes "$audit" -gt 1000
goes "in a window" holdfast_trail_backlog_windows "$audit" -ge 1
goes "sealed" holdfast_trail_spool_bytes "$audit" -gt 0
goes "their age grows" holdfast_trail_backlog_seconds "$audit" -ge 5
claim_exit "status says 1" 1 "$HF_BIN" status -c m/holdfast.yaml
claim_exit "status --metrics says 0: it told the numbers" 0 "$HF_BIN" status -c m/holdfast.yaml --metrics

state=$HF_TMP/m/other
reload "a reload that changes the state directory is refused" reload.refused
goes "and counted" holdfast_config_refusals_total '' -eq 1
state=$HF_TMP/m/state spool=4GiB early=
loaded=$(value holdfast_config_load_time_seconds)
reload "another spool, a trail less" agent.reloaded
goes "the configuration in force is younger" holdfast_config_load_time_seconds '' -gt "$loaded"
goes "the spool's limit is the new one" holdfast_trail_spool_limit_bytes "$audit" -eq $((4 << 30))
goes "the trail that is gone drains" holdfast_trail_draining 'trail="early"' -eq 1
store mend
confirm=put # whoever reloads need not wait for the next try
reload "without the right to read" agent.reloaded
claim_within "what drains ends" 30 has_none holdfast_trail_draining 'trail="early"'
claim_within "all arrives once mended" 60 all_arrived
claim "attempts and repeated ones were counted" test "$(value holdfast_trail_put_attempts_total "$audit")" -gt "$tries" -a "$(value holdfast_trail_put_retries_total "$audit")" -ge 1
claim_within "no reason is left" 10 has_none holdfast_trail_held_reason "$audit,class=\"HF_EACCESS\""
claim_equal "and no time" '' "$(value holdfast_trail_held_since_seconds "$audit")"

goes "the chain is not seen" holdfast_trail_chain_unseen "$audit" -eq 1
confirm=head
reload "with it" agent.reloaded
goes "it is seen" holdfast_trail_chain_unseen "$audit" -eq 0

# ---- an object twice, a stray among the digests ----

store condition off
store fault late-twin object 1
emit m 20 10
goes "a second version with the same bytes" holdfast_trail_repeated_versions_total "$audit" -ge 1
store mend
store condition on
claim_within "all arrives" 60 all_arrived
digest=$(trail_field m audit .digest_key)
later=$(date -u -d '+1 hour' +%Y%m%dT%H%M%SZ) # perhaps tomorrow
name=${digest##*/}
stray="${digest%/*/*/*/*}/${later:0:4}/${later:4:2}/${later:6:2}/${name%_*}_$later.json.gz"
printf 'no digest' >stray
AWS_ACCESS_KEY_ID=AKIDFIRST AWS_SECRET_ACCESS_KEY=secret curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user AKIDFIRST:secret -T stray \
    -H "Content-MD5: $(openssl md5 -binary stray | base64)" -H "x-amz-content-sha256: $(sha256sum stray | cut -d ' ' -f 1)" "$(cat m/s3/url)/audit/$stray" || claim_failed "somebody puts a stray"
goes "a stray" holdfast_trail_strays "$audit" -eq 1

# ---- its newest digest is hidden; and one that cannot be sealed ----

claim_within "all arrives" 60 all_arrived
claim_equal "the newest digest is there" 0 "$(value holdfast_trail_head_missing "$audit")"
store fault list-empty list
emit m 30 10 # before its digest it is looked for
goes "the newest digest is missing" holdfast_trail_head_missing "$audit" -eq 1
claim_equal "nothing is well" 0 "$(value holdfast_well)"
claim_equal "it began once" 1 "$(value holdfast_trail_head_missing_total "$audit")"
claim_match "status names it" 'the newest digest that the store confirmed is gone or hidden' "$(cd m && "$HF_BIN" status -c holdfast.yaml)"
claim_within "and all is delivered" 60 all_arrived
store mend
emit m 50 10
goes "it is there again" holdfast_trail_head_missing "$audit" -eq 0

claim_within "all arrives" 60 all_arrived
# The next two or three: a digest that is under way has its number already.
next=$(trail_field m audit .digest_number)
for number in $((next + 1)) $((next + 2)) $((next + 3)); do mkdir "m/state/trails/audit/sealed/.d$number.tmp"; done
emit m 60 10
goes "a digest cannot be sealed" holdfast_trail_digest_problem "$audit" -eq 1
claim_equal "nothing is well" 0 "$(value holdfast_well)"
claim_match "status names it" 'NO DIGEST can be made: sealing digest' "$(cd m && "$HF_BIN" status -c holdfast.yaml)"
delivered=$(value holdfast_trail_delivered_events_total "$audit")
emit m 70 10
goes "objects are delivered all the same" holdfast_trail_delivered_events_total "$audit" -ge $((delivered + 10))
claim_equal "and still no digest" 1 "$(value holdfast_trail_digest_problem "$audit")"
rmdir m/state/trails/audit/sealed/.d*.tmp
goes "it is tried again by itself" holdfast_trail_digest_problem "$audit" -eq 0

# ---- a clock that cannot be right: nothing is cut, and the journal fills ----

claim_within "all arrives" 60 all_arrived
store clock 3600
goes "the store's clock" holdfast_store_clock_skew_seconds 'store="main"' -gt 3500
goes "holds the trail" holdfast_trail_held_reason "$audit,class=\"HF_ESKEW\"" -eq 1
generate 100 20000 | "$HF_BIN" emit -s m/in.sock --timeout 120s >acknowledged 2>emit.err &
emitter=$!
goes "the journal fills" holdfast_journal_full '' -eq 1
goes "who sends is told" holdfast_source_refusals_total "$local" -ge 1
goes "and waits" holdfast_source_waiting "$local" -eq 1
goes "it has its share" holdfast_source_refused_owners "$local" -eq 1
goes "and wants more again and again" holdfast_source_owner_refusals_total "$local" -ge 2
claim_equal "with its connection" 1 "$(value holdfast_source_connections "$local")"
claim "more than half of the journal is held" test "$(value holdfast_journal_bytes)" -gt $((8 << 20))
claim_equal "no time is left" '' "$(value holdfast_journal_fill_seconds)"
claim_equal "the trail keeps the journal" 1 "$(value holdfast_trail_pins_journal "$audit")"
goes "what the trail may not look at is late all the same" holdfast_trail_backlog_seconds "$audit" -ge 1
generate 30000 5000 >>m/log/app.log # more than what is kept for those who hold nothing yet
goes "a file waits with what is unread" holdfast_source_unread_bytes "$app" -gt 0
store clock 0
claim_within "emit comes to its end" 90 gone "$emitter"
wait "$emitter" || claim_failed "emit ends with 0" "$(cat emit.err)"
claim_within "all arrives once the clock is right" 90 all_arrived
goes "the file is read" holdfast_source_unread_bytes "$app" -eq 0
goes "all that the socket brought" holdfast_source_events_total "$local" -eq 20070
claim_within "what was refused long ago is no problem any more" 90 is holdfast_source_problem "$app" -eq 0

# ---- what the disk does not give back ----

store clock 3600
goes "nothing is cut" holdfast_trail_held "$audit" -eq 1
emit m 40000 10
emit m 41000 10 # what is damaged at the very end is taken for torn
emit m 42000 10
started=$(value holdfast_start_time_seconds) number=$(value holdfast_acknowledged_sequence)
agent_kill m
flip() { # FILE OFFSET
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
victim=$(printf '%012x' 40009)
damaged=0
for file in m/state/journal/*; do
    while IFS=: read -r offset _; do
        flip "$file" "$offset"
        damaged=$((damaged + 1))
    done < <(grep -aob -- "-4000-8000-$victim" "$file" || true)
done
claim "an event is damaged on the disk" test "$damaged" -ge 1
flip m/state/trails/audit/ledger 50
journal=32MiB
config
store clock 0
agent_start m
goes "started later" holdfast_start_time_seconds '' -gt "$started"
claim_equal "the journal's limit is the new one" $((32 << 20)) "$(value holdfast_journal_limit_bytes)"
claim "its sequence goes on" test "$(value holdfast_acknowledged_sequence)" -ge "$number"
claim_equal "a repair of the ledger" 1 "$(value holdfast_trail_ledger_repairs "$audit")"
goes "events that are lost" holdfast_trail_lost_events_total "$audit" -ge 1
claim_within "all else arrives" 60 all_arrived
claim_equal "counters count from the start" '' "$(value holdfast_trail_errors_total "$audit,class=\"HF_EACCESS\"")"

# ---- another port at a reload ----

old=$port port=$(free_port)
reload "another port" agent.reloaded
claim_within "the new one answers" 10 look
claim_refused "the old one does not" '' curl -sf --max-time 5 "http://127.0.0.1:$old/metrics"
sed -i '/^  metrics:/d' m/holdfast.yaml
agent_reload m
silent() { ! curl -sf --max-time 5 "$url/metrics" >/dev/null 2>&1 && ! curl -sf --max-time 5 "http://127.0.0.1:$port/metrics" >/dev/null 2>&1; }
claim_within "without the option nobody answers" 10 silent
agent_stop m

# ---- every one of the table ----

sed -n 's/^| `\(holdfast_[a-z_]*\)` |[^|]*|[^|]*| moves |.*/\1/p' "$HF_ROOT/agent/daemon/METRICS.md" | sort >wanted
claim "the table has its metrics" test "$(wc -l <wanted)" -ge 40
for ((i = 1; i <= looks; i++)); do
    # All samples of a metric at one look, as one line; a metric without any is "-". The second trail comes and goes: that moves nothing.
    awk 'NR == FNR { want[$1] = 1; next }
        /^[a-z]/ && (!/trail="early"/ || /_draining/) { split($0, part, /[ {]/); said[part[1]] = said[part[1]] " " $0 }
        END { for (name in want) print name "\t" (name in said ? said[name] : "-") }' wanted "look.$i"
done >all.raw
sort -u all.raw | cut -f 1 | uniq -c | awk '$1 < 2 { print $2 }' >still
[ ! -s still ] || claim_failed "every metric of the table was moved" "not moved: $(tr '\n' ' ' <still)"
claim_ok "every metric of the table was moved: $(wc -l <wanted) of them, in $looks looks"
sort -u <(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' look.[0-9]*) >seen
claim_equal "and the agent tells no other" '' "$(comm -23 seen <(sed -n 's/^| `\(holdfast_[a-z_]*\)`.*/\1/p' "$HF_ROOT/agent/daemon/METRICS.md" | sort))"
