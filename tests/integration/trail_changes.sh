#!/usr/bin/env bash
# A trail's sources change three times under load with nothing cut yet, the agent is killed, and is started with yet
# another configuration; the trail goes and comes back. Each event is in the trail if and only if the configuration that
# was in force when it was taken says so: the boundaries are exact, in the order of the journal. A store that something
# sealed still needs cannot be taken away, neither by a reload nor by a start, and check says so.
# stores: dir
# seconds: 60
# table: yes
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

mkdir -p agent "${HF_STORE_URL#dir://}/every" "${HF_STORE_URL#dir://}/some" far/far
make_digest_key agent/digest.key >agent/fingerprint
far_store="  - { name: far, url: \"dir://$HF_TMP/far\" }" far_bucket="  - { name: far, store: far, retention: { mode: governance, days: 1 } }"
# configuration TRAILS [STORES BUCKETS]: the trail `every` takes everything, and is what the other is measured by
configuration() {
    cat >agent/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/agent/state, host: changes }
stores:
$(store_yaml main)
${2-$far_store}
sources:
  - { name: a, type: socket, path: $HF_TMP/agent/a.sock }
  - { name: b, type: socket, path: $HF_TMP/agent/b.sock }
buckets:
  - { name: every, store: main, retention: { mode: governance, days: 1 } }
  - { name: some, store: main, retention: { mode: governance, days: 1 } }
${3-$far_bucket}
trails:
  - { name: every, bucket: every, window: { seconds: 3600 }, encryption: none, digest: { key_file: $HF_TMP/agent/digest.key } }
$1
YAML
}
some() { printf '  - { name: some, bucket: some, sources: [%s], window: { seconds: 3600 }, encryption: none, digest: { key_file: %s } }\n' "$1" "$HF_TMP/agent/digest.key"; }
reloads=0
reload() { # TEXT TRAILS
    configuration "$2"
    agent_reload agent
    claim_within "$1" 10 reloaded $((++reloads))
}
reloaded() { [ "$(log_count agent 'agent\.reloaded')" -eq "$1" ]; }

# ---- the load: numbers of a from 0 on, of b from 1000000 on ----

next_a=0 next_b=1000000 emitters=()
feed() { # a|b FIRST: until the file `pause` is there; how far it came goes to the file next.a or next.b
    local next=$2
    while [ ! -e pause ] && alive $$; do
        generate "$next" 5 | "$HF_BIN" emit -s "agent/$1.sock" >/dev/null 2>>emit.err || { echo "emit failed at $next" >>emit.failed; return 1; }
        next=$((next + 5))
    done
    echo "$next" >"next.$1"
}
load() { # SECONDS; or without, until quiet
    rm -f pause
    feed a $next_a & emitters=($!)
    feed b $next_b & emitters+=($!)
}
quiet() {
    touch pause
    wait "${emitters[@]}" || claim_failed "emit is answered all the time" "$(cat emit.err emit.failed)"
    next_a=$(cat next.a) next_b=$(cat next.b)
}
more() { # both have gone on a good deal
    local before
    before=$(agent_status agent | jq .journal.next_sequence)
    wait_for 20 went_on $((before + 60)) || claim_failed "events keep coming"
}
went_on() { [ "$(agent_status agent | jq .journal.next_sequence)" -ge "$1" ]; }

configuration "$(some a)"
agent_start agent
load
more
reload "sources: [a], then [b]" "$(some b)"
more
reload "... then [a, b]" "$(some a,b)"
more
quiet
agent_kill agent
configuration "$(some a)"
agent_start agent
reloads=$(log_count agent 'agent\.reloaded')
load
more
reload "killed with nothing cut, started with [a]; then removed" ""
more
drained() { [ ! -e agent/state/trails/some ]; }
claim_within "it drains" 20 drained
more
reload "... and comes back with [b]" "$(some b)"
more
quiet
claim "flush" agent_flush agent
agent_stop agent

# ---- is each where it belongs? ----

ordered() { # TRAIL: the numbers in the order of the journal
    bucket_fetch "$1" "fetched-$1"
    fetched_digests "fetched-$1" changes | xargs -n 1 gunzip -c | jq -r '.holdfast as $h | .logFiles | to_entries[] | "\($h.objects[.key].firstSequence) \(.value.s3Object)"' |
        sort -n | while read -r _ key; do gunzip -c "fetched-$1/$key" | jq -r '.Records[].eventID | select(test("-0000-4000-8000-")) | .[-12:]'; done
}
ordered every >every
ordered some >some
python3 - every some "$next_a" $((next_b - 1000000)) >judged <<'PYTHON' || claim_failed "each event is where it belongs" "$(cat judged)"
import sys
every, some = ([int(line, 16) for line in open(name)] for name in sys.argv[1:3])
counts = {"a": int(sys.argv[3]), "b": int(sys.argv[4])}
of = lambda number: "a" if number < 1000000 else "b"
assert sorted(every) == [*range(counts["a"]), *range(1000000, 1000000 + counts["b"])], "trail every does not have each event once"
# In the journal's order each phase is one stretch in which exactly the sources of the trail are in it.
phases = [("sources: [a]", "a"), ("[b], by reload", "b"), ("[a, b], by reload", "ab"), ("[a], by kill -9 and start", "a"), ("removed", ""), ("back with [b]", "b")]
taken, at = set(some), 0
assert len(taken) == len(some), "doubled in trail some"
rows = []
for i, (name, sources) in enumerate(phases):
    begin, fits = at, lambda n: (n in taken) == (of(n) in sources)
    after = phases[i + 1][1] if i + 1 < len(phases) else None
    while at < len(every) and fits(every[at]):
        at += 1
    events = sum(of(n) in sources for n in every[begin:at])
    assert at - begin > 20, f"phase '{name}' has {at - begin} events, then comes {every[at] if at < len(every) else 'nothing'}"
    rows.append((name, at - begin, events))
assert at == len(every), f"{every[at]} of {of(every[at])} is {'in the trail' if every[at] in taken else 'missing'}, behind all phases"
print("| the trail's configuration     | events taken | its own | lost | doubled | of others |")
for name, all_events, events in rows:
    print(f"| {name:29} | {all_events:12} | {events:7} |    0 |       0 |         0 |")
PYTHON
claim_ok "each event is in the trail if and only if the configuration in force when it was taken says so"
claim_intact "the chain over all of it is intact" agent every
claim_intact "so is the trail's that came back" agent some
claim_equal "its new chain names the one before" 1 "$(fetched_digests fetched-some changes | xargs -n 1 gunzip -c | jq -s '[.[] | select(.holdfast.oldHead)] | length')"
cat judged

# ---- a store that is still needed ----

far_trail="  - { name: far, bucket: far, window: { seconds: 1 }, encryption: none, digest: { seconds: 1, key_file: $HF_TMP/agent/digest.key } }"
mv far far.away
configuration "$far_trail"
agent_start agent
reloads=$(log_count agent 'agent\.reloaded')
generate 2000000 10 | "$HF_BIN" emit -s agent/a.sock >emitted
sealed() { find agent/state/trails/far/sealed -name 'w*' 2>/dev/null | grep -q .; }
claim_within "something is sealed for a store that is away" 20 sealed
configuration "" "" ""
agent_reload agent
refused() { [ "$(log_count agent 'reload\.refused')" -ge 1 ]; }
claim_within "a reload without the store is refused" 10 refused
claim_refused "check says so" "store 'far' is gone from the configuration, but .*trails/far" "$HF_BIN" check -c agent/holdfast.yaml
agent_kill agent
status=0
timeout 30 "$HF_BIN" run -c agent/holdfast.yaml >refused.log 2>&1 || status=$?
claim_equal "a start without it is refused" 2 "$status"
claim_match "... with the reason" "store 'far' is gone from the configuration" "$(cat refused.log)"
mv agent/state/trails/far/sealed agent/state/trails/far/trail.json .
: >agent/state/trails/far/trail.json
claim_exit "... also when only the copy of its settings names the store" 2 timeout 30 "$HF_BIN" run -c agent/holdfast.yaml
mv sealed trail.json agent/state/trails/far/
mv far.away far
configuration ""
agent_start agent
gone_far() { [ ! -e agent/state/trails/far ]; }
claim_within "with the store, the trail that was removed drains" 40 gone_far
configuration "" "" ""
claim "then check has nothing against it" "$HF_BIN" check -c agent/holdfast.yaml
agent_reload agent
claim_within "... and it can go" 10 reloaded $((reloads + 1))
agent_stop agent
bucket_of_far=$(find far/far -name '*.gz' -path '*/CloudTrail/*' -not -path '*/.*/*')
printf '%s\n' "$bucket_of_far" | numbers_in - >numbers
claim_each_once "what it held arrived once" numbers 2000000 10
