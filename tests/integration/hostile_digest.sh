#!/usr/bin/env bash
# Whoever may write among the digests can neither make the agent grow nor spin, nor hold it: a document that would become a
# gigabyte as a tree is not built of, junk together with a newest digest that is gone is looked at once for each digest, and
# that it is gone is not well.
# stores: dir
# build: release
# seconds: 30
# table: yes
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

grows_most_kib=$((48 << 10)) # inflated it is 16 MiB, and the buffer it grows in has twice that at most
root=${HF_STORE_URL#dir://}
mkdir "$root/logs"
agent_config main logs
agent_start main
pid=${agent_pid[main]}
most_kib() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$pid/status"; }
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat"; }
emit main 0 100
claim "the agent delivers and signs" agent_flush main
before=$(most_kib)

# under DATE NAME: a file of that content becomes the newest digest's neighbour
digest=$(trail_field main audit .digest_key)
under() {
    local name=${digest##*/} later
    later=$(date -u -d "$1" +%Y%m%dT%H%M%SZ)
    stray=$root/logs/${digest%/*/*/*/*}/${later:0:4}/${later:4:2}/${later:6:2}/${name%_*}_$later.json.gz
    mkdir -p "${stray%/*}"
    cp "$2" "$stray"
}
python3 - <<'PYTHON'
import gzip
def put(name, text): open(name, 'wb').write(gzip.compress(text, 9))
room = (16 << 20) - 64
put('wide', b'{"holdfast":[' + b'{},' * ((room - 20) // 3) + b'{}]}')
put('deep', b'[' * (room // 2) + b']' * (room // 2))
put('long', b'{"digestEndTime":"' + b'x' * (room - 40) + b'"}')
PYTHON
sent=100 strays=0
for kind in wide deep long; do
    under "+$((++strays)) hours" "$kind"
    emit main $sent 10
    sent=$((sent + 10))
    claim "with a $kind document of $(stat -c %s "$kind") bytes among the digests it delivers and signs" agent_flush main
    claim_equal "and steps over it" "$strays" "$(trail_field main audit .strays)"
done
grew=$(($(most_kib) - before))
claim "its peak does not follow what the document would become ($grew KiB more than $before)" test "$grew" -lt "$grows_most_kib"
printf '| a document of 16 MiB, three kinds | %d KiB before | %d KiB more at the peak |\n' "$before" "$grew"

# ---- its newest digest is gone, and junk lies there ----

digest=$(trail_field main audit .digest_key)
for file in "$root/logs/$digest" "$root/logs/$digest".*; do
    [ ! -e "$file" ] || { chattr -i "$file" 2>/dev/null || true; rm -f "$file"; }
done
printf junk >junk
under '-1 day' junk # older than what is gone, and the newest that is left beside the strays
emit main $sent 10
sent=$((sent + 10))
claim "it delivers and signs on" agent_flush main
claim_equal "that its newest digest was gone is counted" 1 "$(trail_field main audit .head_problems)"
for file in "$root/logs/$(trail_field main audit .digest_key)"*; do rm -f "$file"; done
emit main $sent 10
claim "and again" agent_flush main
claim_match "a log line says it" 'chain.head_missing.*gone or hidden' "$(cat main/agent.log)"
before=$(ticks)
sleep 5
claim "it does not spin: $(($(ticks) - before)) ticks in 5 s" test $(($(ticks) - before)) -lt 50
validate main audit >found.json || true
claim_match "validate names what is gone" MISSING "$(jq -r '.findings[].finding' found.json)"
agent_stop main
