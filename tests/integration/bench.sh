#!/usr/bin/env bash
# The benchmark works: it measures cases of each kind, counts each event once, and writes the same figures as Markdown and as JSON. How fast
# anything was is not looked at: this build is not the one to be measured, and other tests run beside it.
# stores: none
# timeout: 120
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

HF_BENCH_BUILD=$(cd "$(dirname "$(hf_tool hf_gen)")/../.." && pwd)
export HF_BENCH_BUILD TMPDIR=$HF_TMP
bench=$HF_ROOT/tests/bench/run

"$bench" --list >list
names=$(jq -Rr 'split(" ")[0]' list)
claim_match "--list names the cases" '^main$' "$names"
claim_exit "an unknown case is refused" 2 "$bench" --case no-such-case
claim_exit "no pairs at all are refused" 2 "$bench" --pairs 0

# ---- a run ----

"$bench" --quick --pairs 1 --bytes 8000000 --case main random cms bare small journal --out out >printed 2>progress || claim_failed "the benchmark runs" "$(cat progress)"
claim_ok "the benchmark runs"
value() { jq -r "$1" out/bench.json; }
claim_equal "the JSON has its schema" "1 holdfast-bench" "$(value '"\(.schema) \(.kind)"')"
claim_equal "every case was measured" "main random cms bare small journal" "$(value '[.cases[] | select(.failed == null) | .name] | join(" ")')"
claim_equal "the commit is named" "$(git -C "$HF_ROOT" rev-parse HEAD 2>/dev/null || echo unknown)" "$(value .commit)"
claim_equal "every figure has its data set" 6 "$(value '[.cases[].data | select(.name and .events > 0 and .mean_event_bytes > 0 and .gzip_6_ratio > 1)] | length')"
claim_equal "each event of each readable case was counted once" "main random bare small" \
    "$(value '[.cases[] | select(.arrived.each_event_once and .arrived.events == .data.events and .arrived.missing == 0 and .arrived.doubled == 0) | .name] | join(" ")')"
claim_equal "and those of the encrypted one, opened" true \
    "$(value '.cases[] | select(.name == "cms") | .opened.events == .data.events and .opened.missing == 0 and .opened.doubled == 0')"
claim "what provenance adds to an event is told" jq -e '.cases[] | select(.name == "bare") |
    (.beside.arrived.plain - .arrived.plain) / .data.events | . > 60 and . < 512' out/bench.json
claim_equal "each object's metadata names its compression" true \
    "$(value '.cases[0].arrived | .compression == {"libdeflate-6": .objects}')"
claim "many small windows make many objects" jq -e '.cases[] | select(.name == "small") | .arrived.objects > 100 and .arrived.requests > .arrived.objects' out/bench.json
claim "each stage has its share and its floor" jq -e '.cases[0].threads | map(.share.median) | add > 0.98 and add < 1.02' out/bench.json
claim_equal "and every floor was measured" "frame gzip gzip1 journal put read scan sha" "$(value '.cases[0].stages | del(.isal) | keys | join(" ")')"

# ---- the same in both ----

claim_same_bytes "what is printed is the Markdown" out/bench.md <(head -c "$(wc -c <out/bench.md)" printed)
while read -r name data ratio; do
    claim_equal "the ratio of '$name' is the same in both" "$data $ratio" \
        "$(awk -F ' *[|] *' -v name="$name" '/^## /{ inside = $0 == "## The whole agent" } inside && $2 == name { print $3, $7 }' out/bench.md)"
done < <(value '.cases[] | select(.ratio and .agent) | "\(.name) \(.data.name) \(.ratio.median)"' | awk '{ printf "%s %s %.3f\n", $1, $2, $3 }')
if command -v gnuplot >/dev/null; then
    claim_equal "the plot is a PNG" 89504e47 "$(head -c 4 out/bench.png | od -An -tx1 | tr -d ' ')"
else
    claim_match "without gnuplot it says what to install" 'apt-get install .*gnuplot-nox' "$(cat printed)"
fi
claim_equal "nothing is left behind" "" "$(find "$HF_TMP" -maxdepth 1 -name 'hf-bench.*')"

# ---- an event that is there twice ----

mkdir -p twice/agent/cli twice/tests/bench
ln -s "$HF_BIN" twice/agent/cli/holdfast
ln -s "$HF_BENCH_BUILD"/tests/bench/hf_* twice/tests/bench/
rm twice/tests/bench/hf_gen
printf '#!/bin/sh\n"%s" "$@" | sed 1p\n' "$HF_BENCH_BUILD/tests/bench/hf_gen" >twice/tests/bench/hf_gen
chmod +x twice/tests/bench/hf_gen
claim_exit "an event that arrives twice makes the run fail" 1 env HF_BENCH_BUILD="$HF_TMP/twice" "$bench" --quick --pairs 1 --bytes 1000000 --case main --out wrong
claim_match "and it says so" 'not there exactly once.* 1 doubled' "$(jq -r '.cases[0].failed' wrong/bench.json)"

# ---- stopped in the middle ----

"$bench" --quick --pairs 1000 --bytes 8000000 --case main --out stopped >/dev/null 2>progress &
pid=$!
wait_for 60 grep -q 'pair 1 of' progress || claim_failed "a pair is measured" "$(cat progress)"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
claim_equal "stopped, it says so in its exit code" 143 "$status"
claim_equal "and leaves no file" "" "$(find "$HF_TMP" -maxdepth 1 -name 'hf-bench.*')"
claim_equal "and no process" "" "$(for dir in /proc/[0-9]*; do if { tr '\0' ' ' <"$dir/cmdline"; } 2>/dev/null | grep -F "$HF_TMP/hf-bench."; then :; fi; done)"
