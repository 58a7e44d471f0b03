#!/usr/bin/env bash
# SIGHUP while events keep coming: a source and trails come, a trail changes its window, encryption and prefix, a trail
# goes and drains, a broken configuration and the removal of a store in use are refused. No trail loses or doubles an
# event, and a change takes effect between two windows.
# stores: dir
# seconds: 60
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

root=${HF_STORE_URL#dir://}
mkdir -p one/log other/late "$root"/{audit,early}
make_digest_key one/digest.key >one/fingerprint
make_recipient one/ops ec

# configuration SOURCES TRAILS [STORES] [BUCKETS]
here="  - { name: here, url: \"$HF_STORE_URL\" }"
other="  - { name: other, url: \"dir://$HF_TMP/other\" }"
buckets="  - { name: audit, store: here, retention: { mode: governance, days: 1 } }
  - { name: early, store: here, retention: none }"
late_bucket="  - { name: late, store: other, retention: { mode: governance, days: 1 } }"
app="  - { name: app, type: file, path: $HF_TMP/one/log/app.jsonl, start: beginning }
  - { name: local, type: socket, path: $HF_TMP/one/in.sock }"
extra="  - { name: extra, type: file, path: $HF_TMP/one/log/extra.jsonl, start: beginning }"
configuration() {
    cat >one/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/one/state, host: one }
stores:
${3:-$here
$other}
sources:
$1
buckets:
${4:-$buckets
$late_bucket}
trails:
$2
YAML
}
# trail NAME OPTIONS: its bucket has its name
trail() {
    printf '  - { name: %s-trail, bucket: %s, digest: { seconds: 5, key_file: %s }, %s }\n' "$1" "$1" "$HF_TMP/one/digest.key" "$2"
}
audit=$(trail audit 'window: { seconds: 1 }, encryption: none, prefix: before')
audit_changed=$(trail audit "window: { seconds: 2, max_bytes: 64KiB }, encryption: { type: cms, recipients: [$HF_TMP/one/ops.pem] }, prefix: after")
late=$(trail late 'window: { seconds: 1 }, encryption: none')
early=$(trail early 'window: { seconds: 1 }, encryption: none, start: oldest')

reloads=0 refusals=0
reload() { # TEXT
    agent_reload one
    claim_within "$1" 10 log_has 'agent\.reloaded' $((++reloads))
}
reload_refused() { # TEXT PATTERN
    agent_reload one
    claim_within "$1" 10 log_has 'reload\.refused' $((++refusals))
    claim_match "$1, and the log says why" "$2" "$(grep -E 'reload\.refused' one/agent.log | tail -n 1)"
    claim_equal "$1: nothing was reloaded" "$reloads" "$(log_count one 'agent\.reloaded')"
}
log_has() { [ "$(log_count one "$1")" -eq "$2" ]; }

delivered_some() { [ "$(trail_field one audit-trail .records_delivered)" -gt 100 ]; }
new_trails_deliver() {
    [ "$(trail_field one late-trail .records_delivered)" -gt 50 ] && [ "$(trail_field one early-trail .records_delivered)" -gt 200 ]
}
delivers_after() { [ "$(bucket_keys audit after/ | grep -c cms)" -ge 2 ]; }
has_sealed() { [ "$(trail_field one late-trail .spool_bytes)" -gt 0 ]; }
is_gone() { [ ! -e one/state/trails/late-trail ] && [ -z "$(trail_field one late-trail .name)" ]; }
# ---- events that keep coming: from 0 on in a file that rotates, from 1000000000 on by emit ----

keep_writing() {
    local next=0
    while [ ! -e stop ] && alive $$; do
        generate $next 10 >>one/log/app.jsonl
        next=$((next + 10))
        sleep 0.03
    done
    echo $next >written
}
keep_emitting() {
    local next=1000000000
    while [ ! -e stop ] && alive $$; do
        generate $next 10 | "$HF_BIN" emit -s "$HF_TMP/one/in.sock" >emit.out 2>>emit.err || { echo "emit failed at $next" >>emit.err; return 1; }
        next=$((next + 10))
        sleep 0.03
    done
    echo $next >emitted
}

configuration "$app" "$audit"
agent_start one
keep_writing & writer=$!
keep_emitting & emitter=$!
claim_within "events arrive" 20 delivered_some

generate 2000000000 200 >one/log/extra.jsonl
configuration "$app
$extra" "$audit"
reload "a source is added"

configuration "$app
$extra" "$audit
$late
$early"
reload "two trails are added, one of them from the oldest event on"
claim_within "the new trails deliver" 20 new_trails_deliver

configuration "$app
$extra" "$audit_changed
$late
$early"
reload "a trail changes its window, encryption and prefix"
claim_within "it delivers under the new prefix" 20 delivers_after

cp one/holdfast.yaml right.yaml
sed -i 's/seconds: 2,/seconds: two,/' one/holdfast.yaml
reload_refused "a broken configuration is refused" "window\.seconds: 'two'"
cp right.yaml one/holdfast.yaml
sed -i "s,$HF_TMP/one/digest.key,$HF_TMP/one/none.key," one/holdfast.yaml
reload_refused "a configuration that names a missing key is refused" 'holdfast key new'
cp right.yaml one/holdfast.yaml
sed -i "s,$HF_TMP/one/state,$HF_TMP/one/other-state," one/holdfast.yaml
reload_refused "another state_dir is refused" 'agent\.state_dir changes only with a restart'
cp right.yaml one/holdfast.yaml
sed -i "s,$HF_TMP/one/in.sock,$HF_TMP/one/log/nowhere/in.sock," one/holdfast.yaml
reload_refused "a source that cannot begin is refused" 'nowhere'
claim "and all goes on" "$HF_BIN" status -c right.yaml

mv other other.away
claim_within "one trail's store is away" 20 trail_is one late-trail held
claim_within "and what is sealed for it waits" 20 has_sealed
configuration "$app
$extra" "$audit_changed
$early" "$here" "$buckets"
reload_refused "a store that is still needed cannot be removed" "store 'other'.*trail 'late-trail'"

configuration "$app
$extra" "$audit_changed
$early"
reload "a trail is removed"
claim_equal "it drains" true "$(trail_field one late-trail .draining)"
configuration "$app
$extra" "$audit_changed
$early" "$here" "$buckets"
reload_refused "its store cannot be removed before it has drained" "store 'other'.*trail 'late-trail'"
mv other.away other
claim_within "drained: its last digest is delivered, its folder gone" 60 is_gone
configuration "$app
$extra" "$audit_changed
$early" "$here" "$buckets"
reload "then its store can be removed"

configuration "  - { name: local, type: socket, path: $HF_TMP/one/in.sock }
$extra" "$audit_changed
$early" "$here" "$buckets"
reload "a source is removed"
configuration "$app
$extra" "$audit_changed
$early" "$here" "$buckets"
reload "and comes back: it goes on where it was"

touch stop
wait "$writer" || claim_failed "the writer wrote to the end"
wait "$emitter" || claim_failed "emit was answered all the time" "$(cat emit.err)"
claim "flush" "$HF_BIN" flush -c one/holdfast.yaml --timeout 60s
agent_stop one

# ---- what lies in the buckets ----

written=$(cat written) emitted=$(($(cat emitted) - 1000000000))
in_all="($written from the file, $emitted by emit)"
bucket_fetch audit fetched/audit
fetched_objects fetched/audit before >before
fetched_objects fetched/audit after >after
claim_equal "before the change nothing is encrypted" "" "$(grep cms before || true)"
claim_equal "after it everything is" "" "$(grep -v 'json\.gz\.cms\.gz$' after || true)"
open_envelopes fetched/audit after one/ops opened || claim_failed "each envelope opens"
numbers_in - <before >numbers.before
find opened -type f | numbers_in - >numbers.after
sort -n numbers.before numbers.after >numbers.audit
claim_each_once "the changed trail has each event of the file once $in_all" numbers.audit 0 "$written"
claim_each_once "... each emitted event once" numbers.audit 1000000000 "$emitted"
claim_each_once "... each event of the added source once" numbers.audit 2000000000 200
highest() { awk '$1 < 1000000000' "$1" | tail -n 1; }
lowest() { awk '$1 < 1000000000' "$1" | head -n 1; }
claim_equal "the change falls between two windows" $(($(highest numbers.before) + 1)) "$(lowest numbers.after)"

bucket_fetch early fetched/early
fetched_objects fetched/early one | numbers_in - >numbers.early
claim_each_once "the trail that began at the oldest event has each event of the file" numbers.early 0 "$written"
claim_each_once "... each emitted event" numbers.early 1000000000 "$emitted"

cp -r other/late fetched/late && chmod -R u+w fetched/late
fetched_objects fetched/late one | numbers_in - >numbers.late
for first in 0 1000000000; do
    awk -v first=$first '$1 >= first && $1 < first + 1000000000' numbers.late >numbers
    claim "the trail that came and went has a row without gap or double" test -s numbers
    claim_each_once "... from its first to its last" numbers "$(head -n 1 numbers)" $(($(tail -n 1 numbers) - $(head -n 1 numbers) + 1))
done
claim "it began at its reload, not before" test "$(head -n 1 numbers.late)" -gt 0

claim_intact "the changed trail's chain is intact over the change" one audit-trail
claim_intact "so is the new trail's" one early-trail
claim "the trail that is gone validates by its bucket alone" "$HF_BIN" validate --store "dir://$HF_TMP/other" --bucket late --prefix one \
    --trail late-trail --public-key one/digest.key.pub --account 000000000000 --region local
fetched_digests fetched/late one | tail -n 1 | xargs gunzip -c >last.json
claim "its last digest leaves nothing pending" jq -e '.holdfast.pending == []' last.json
