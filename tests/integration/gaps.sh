#!/usr/bin/env bash
# What a file loses before it is read is never silent: for each way to lose some there is one SourceGap record in the
# trail, one more gap in `status`, one loss in a digest; where it begins is exact, how much it was has a bound. What can be
# read is read, each line once, and what loses nothing makes no record.
# stores: dir
# table: yes
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

mkdir -p "${HF_STORE_URL#dir://}/gaps" gaps/log
make_digest_key gaps/digest.key >gaps/fingerprint
cat >gaps/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/gaps/state, host: gaps }
stores:
$(store_yaml main)
sources:
  - { name: app, type: file, path: "$HF_TMP/gaps/log/*.log*", exclude: ["*.gz"], start: beginning, late: 6s }
buckets:
  - { name: gaps, store: main, retention: { mode: governance, days: 1 } }
trails:
  - { name: audit, bucket: gaps, window: { seconds: 1 }, encryption: none, digest: { seconds: 3600, key_file: $HF_TMP/gaps/digest.key } }
YAML
log=gaps/log
# Each way has a thousand numbers of its own and a file of its own.
put() { generate "$2" "$3" >>"$log/$1"; } # FILE FIRST COUNT
size() { stat -c %s "$log/$1"; }
frozen() { kill -STOP "${agent_pid[gaps]}"; } # it looks at nothing meanwhile
thawed() { kill -CONT "${agent_pid[gaps]}"; }
read_all() { [ "$(agent_status gaps | jq -r '.sources[0].behind_bytes')" = 0 ]; }
declare -A from why bytes gone
n=0

agent_start gaps
for way in truncated copied rotated unlinked stopped-gone stopped-short stopped-over stopped-moved; do put $way.log $((++n * 1000)) 20; done
claim_within "all is read" 20 read_all
claim "and delivered" agent_flush gaps

# ---- while it runs ----

from[truncated]=$(size truncated.log) why[truncated]=truncated gone[truncated]="1020 1059"
frozen
put truncated.log 1020 40 # 40 that nobody reads
bytes[truncated]=$(($(size truncated.log) - from[truncated]))
: >$log/truncated.log
put truncated.log 1060 5
thawed

from[copied]=$(size copied.log) why[copied]=truncated gone[copied]="" # copytruncate: all was read, which nobody can know
gzip -c $log/copied.log >$log/copied.log.1.gz
: >$log/copied.log
put copied.log 2020 5

put rotated.log 3020 20 # rename: nothing is lost
mv $log/rotated.log $log/rotated.log.1
put rotated.log.1 3040 5 # by a writer that has it open still
put rotated.log 3045 5

frozen
put unlinked.log 4020 20 # deleted while it is followed: read to its end all the same
rm $log/unlinked.log
put brief.log 9000 20 # came and went before it could be opened
bytes[brief]=$(size brief.log) from[brief]=0 why[brief]='gone before it could be opened' gone[brief]="9000 9019"
rm $log/brief.log
thawed
claim "it goes on" agent_flush gaps
closed() { [ "$(agent_status gaps | jq -r '.sources[0].files')" = 8 ]; }
claim_within "what was deleted and read to its end is closed when its writer has been quiet" 20 closed
agent_stop gaps

# ---- while it is stopped ----

from[stopped-gone]=$(size stopped-gone.log) why[stopped-gone]=gone gone[stopped-gone]="5020 5059"
put stopped-gone.log 5020 40
bytes[stopped-gone]=$(($(size stopped-gone.log) - from[stopped-gone]))
rm $log/stopped-gone.log

from[stopped-short]=$(size stopped-short.log) why[stopped-short]='(truncated or replaced|gone)' gone[stopped-short]="6020 6059"
put stopped-short.log 6020 40
bytes[stopped-short]=$(($(size stopped-short.log) - from[stopped-short]))
rm $log/stopped-short.log # the file system may give its inode out again at once
put stopped-short.log 6060 3

from[stopped-over]=$(size stopped-over.log) why[stopped-over]='truncated or replaced' gone[stopped-over]="7020 7059"
put stopped-over.log 7020 40
bytes[stopped-over]=$(($(size stopped-over.log) - from[stopped-over]))
: >$log/stopped-over.log
put stopped-over.log 7060 40 # longer than what had been read: its length does not show it

put stopped-moved.log 8020 20 # rotated twice: found by its inode
mv $log/stopped-moved.log $log/stopped-moved.log.2
put stopped-moved.log.1 8040 20
put stopped-moved.log 8060 20

agent_start gaps
claim_within "after the restart all is read" 20 read_all
gaps_now() { "$HF_BIN" cat -c gaps/holdfast.yaml --trail audit | jq -c 'select(.eventName == "SourceGap") | .serviceEventDetails'; }
enough() { agent_flush gaps >/dev/null && [ "$(gaps_now | wc -l)" -ge 6 ]; }
claim_within "the gaps are told" 30 enough
sleep 1
claim "flush" agent_flush gaps
agent_status gaps >status.json
gaps_now >found
numbers_of gaps audit >numbers
agent_stop gaps

# ---- one record for each gap, and none for the others ----

claim_equal "one record for each gap, and none for what lost nothing" \
    "$(printf '%s\n' "${!why[@]}" | sort)" "$(jq -r '.path | sub(".*/"; "") | sub("\\.log.*"; "")' found | sort)"
printf '| %-14s | %-40s | %7s | %6s | %5s | %11s | %13s |\n' way record written arrived lost "from, exact" "unread, bound" >table
n=0
for way in truncated copied rotated unlinked stopped-gone stopped-short stopped-over stopped-moved brief; do
    first=$((++n * 1000)) record=- at=- seen=- lost=0 missing=${gone[$way]:-}
    if [ -n "${why[$way]:-}" ]; then
        jq -c --arg way "/$way.log" 'select(.path | endswith($way))' found >record
        record=$(jq -r .reason record) at=$(jq -r .fromOffset record) seen=$(jq -r .unreadBytesSeen record)
        claim_match "$way: the record says why" "${why[$way]}" "$record"
        claim_equal "$way: it begins where reading had stopped" "${from[$way]}" "$at"
        claim "$way: how much is open above, and not more than it was below" jq -e --argjson bytes "${bytes[$way]:-0}" '.toOffset == "unknown" and .unreadBytesSeen <= $bytes and .source == "app"' record
        [ -z "$missing" ] || lost=$((${missing#* } - ${missing% *} + 1))
    fi
    case $way in
    truncated) written=65 ;; copied) written=25 ;; rotated) written=50 ;; unlinked) written=40 ;; stopped-gone) written=60 ;; stopped-short) written=63 ;;
    stopped-over) written=100 ;; stopped-moved) written=80 ;; brief) written=20 ;;
    esac
    { seq $first $((first + written - 1)); } | awk -v from="${missing% *}" -v to="${missing#* }" 'from == "" || $1 < from || $1 > to' >wanted
    awk -v first=$first '$1 >= first && $1 < first + 1000' numbers >arrived
    claim "$way: all that could be read arrived, each line once" diff wanted arrived
    printf '| %-14s | %-40.40s | %7d | %6d | %5d | %11s | %13s |\n' $way "$record" $written "$(wc -l <arrived)" $lost "$at" "${seen/#[0-9]/at least &}" >>table
done

# ---- in status, and in the digests ----

claim_equal "status counts those since the start" "$(jq -s '[.[] | select(.path | test("stopped"))] | length' found)" "$(jq '.sources[0].gaps' status.json)"
bucket_fetch gaps fetched
fetched_digests fetched gaps | while read -r file; do gunzip -c "$file" | jq -c '.holdfast.losses[]'; done >losses
claim_equal "the digests list each of them as a loss" "$(wc -l <found)" "$(wc -l <losses)"
claim "... of unknown sequences, with source, reason and bounds, and without its path" jq -e -s --arg folder "$HF_TMP" 'all(.[]; .firstSequence == null and
    (.reason | test("^SourceGap, sequence [0-9]+: source .app., .*; from byte [0-9]+, at least [0-9]+ bytes were not read$")) and
    (.reason | contains($folder) | not))' losses
claim_intact "and the chain is intact" gaps audit
claim_equal "validate names them" "$(wc -l <found)" "$(validate gaps audit | jq '[.findings[] | select(.finding == "LOSS")] | length')"
cat table
