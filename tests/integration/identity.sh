#!/usr/bin/env bash
# A state directory belongs to one machine, one process and itself: a second agent on it, one that was copied from another
# machine, put together from two, rolled back in part or whole, or cloned and run twice is refused or held with the reason,
# before anything is sent or changed; no chain forks, and who was right goes on. (A later version's: tests/upgrade.)
# stores: dir
# seconds: 120
# table: yes
# timeout: 400
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

root=${HF_STORE_URL#dir://}
[ -s /etc/machine-id ] && has_machine_id=1 || has_machine_id=''
rows=''
row() { rows+="$1|$2|$3|$4
"; }

sums() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum); }

# refused NAME TEXT PATTERN [UNCHANGED]: run ends with a code for local faults, says why, and leaves bucket, trails, and
# with UNCHANGED every byte of the state directory alone
refused() {
    local name=$1 text=$2 pattern=$3 status=0 output bucket state
    bucket=$(sums "$root") state=$(sums "$name/state${4:-/trails}")
    output=$(timeout 30 "$HF_BIN" run -c "$name/holdfast.yaml" 2>&1 </dev/null) || status=$?
    case $status in
    2 | 4) ;;
    *) claim_failed "$text: refused" "exit: $status" "$output" ;;
    esac
    claim_match "$text: refused with exit code $status, and the reason" "$pattern" "$output"
    claim_equal "$text: nothing was sent" "$bucket" "$(sums "$root")"
    claim_equal "$text: nothing was changed" "$state" "$(sums "$name/state${4:-/trails}")"
    row "$text" "refused, exit $status" 0 0
}

for name in one two; do
    mkdir "$root/$name"
    agent_config $name $name
    agent_start $name
    emit $name 0 100
    agent_stop $name
done

# ---- a second process ----

agent_start one
emit one 100 10
kill -STOP "${agent_pid[one]}" # what the bucket gets meanwhile is the second one's
refused one "a second agent on one state directory" "another holdfast runs on state_dir '.*one/state'"
kill -CONT "${agent_pid[one]}"
emit one 110 10
claim "... the first goes on" "$HF_BIN" flush -c one/holdfast.yaml
claim_arrived "... without gap or double" one audit 0 120
agent_stop one

# ---- another machine ----

cp -a one/state one/state.kept
if [ -n "$has_machine_id" ]; then
    jq '.machine = "00112233445566778899aabbccddeeff"' one/state/identity >identity
    cat identity >one/state/identity
    refused one "a state directory from another machine" 'machine 00112233445566778899aabbccddeeff.*copied' /
    claim_exit "check finds it, too" 1 "$HF_BIN" check -c one/holdfast.yaml
    claim_refused "... and says so" 'made on another machine' "$HF_BIN" check -c one/holdfast.yaml
    jq '.machine = ""' identity >one/state/identity
    agent_start one
    emit one 120 50
    claim "a host that replaced the other for good goes on, as the message says" "$HF_BIN" flush -c one/holdfast.yaml
    claim_arrived "... without gap or double" one audit 0 170
    agent_stop one
    rm -rf one/state && cp -a one/state.kept one/state
    # The bucket is ahead of this older copy now: held, below.
    rm -rf "$root/one" && mkdir "$root/one"
fi

# ---- parts of two ----

mixed() { # WHAT: that part of one/state is two's
    rm -rf mixed/state
    mkdir -p mixed
    agent_config mixed one
    cp -a one/state mixed/state
    rm -rf "mixed/state/${1:?}"
    cp -a "two/state/$1" "mixed/state/$1"
}
mixed trails/audit
refused mixed "another directory's trail" 'ledger belongs to journal [0-9a-f]{32}.*mixed'
mixed identity
refused mixed "another directory's identity" '(belongs to journal|mixed)'
mixed journal
refused mixed "another directory's journal" '(belongs to|mixed)'

# ---- a broken identity ----

mixed identity
cp one/state/identity mixed/state/identity
for text in '' '{}' '{"format":1,"journal":"zz","host":"h","machine":""}' '{"format":1,' "$(head -c 5000 /dev/zero | tr '\0' x)"; do
    printf '%s' "$text" >mixed/state/identity
    refused mixed "an identity of $(printf '%s' "$text" | wc -c) bytes that is none" "identity" /
done

# ---- rolled back in part ----

# old: as it was; new: 200 events later, all of them sealed, delivered and signed, and the journal has let them go
mkdir "$root/part"
agent_config part part
sed -i "s|^  host: part|&\n  journal: { max_bytes: 16MiB, segment_bytes: 4MiB }|" part/holdfast.yaml
fat() { generate "$1" "$2" | sed 's/"eventVersion"/"filler":"'"$(head -c 60000 /dev/zero | tr '\0' y)"'",&/' | "$HF_BIN" emit -s part/in.sock >/dev/null; }
agent_start part
fat 0 100
claim "a chain begins" "$HF_BIN" flush -c part/holdfast.yaml
agent_stop part
cp -a part/state part/state.old
agent_start part
fat 100 200
claim "and goes on" "$HF_BIN" flush -c part/holdfast.yaml --timeout 60s
agent_stop part
cp -a part/state part/state.new
rolled_back() { # WHAT: is as it was before
    rm -rf part/state && cp -a part/state.new part/state
    rm -rf "part/state/${1:?}" && cp -a "part/state.old/$1" "part/state/$1"
}
put_back() { # TEXT FIRST COUNT
    rm -rf part/state && cp -a part/state.new part/state
    agent_start part
    fat "$2" "$3"
    claim "$1: put back, it goes on" "$HF_BIN" flush -c part/holdfast.yaml --timeout 60s
    agent_stop part
    claim_arrived "$1: put back, without gap or double" part audit 0 $(($2 + $3))
    cp -a part/state/. part/state.new/
    rm -rf part/state.new && cp -a part/state part/state.new
}
rolled_back journal
refused part "the journal alone, rolled back" "the journal ends at [0-9]+: the journal in '.*' was taken away, rolled back"
put_back "the journal alone" 300 20
rolled_back trails/audit
refused part "the ledger alone, rolled back" "ledger ends at sequence [0-9]+.*the ledger in '.*trails/audit' was rolled back"
put_back "the ledger alone" 320 20

# ---- rolled back as a whole ----

rm -rf part/state && cp -a part/state.old part/state
held_for() { agent_status "$1" | jq -e --arg reason "$2" '.trails[0] | .state == "held" and (.reason | test($reason))' >/dev/null; }
keys=$(bucket_keys part)
agent_start part
fat 340 10
claim_within "an older state directory: held, and what to do is said" 20 held_for part 'rolled back or copied.*holdfast chain new --trail audit'
claim_equal "... nothing was sent" "$keys" "$(bucket_keys part)"
agent_stop part
row "an older state directory" "held" 0 0
rm -rf part/state && cp -a part/state.new part/state
agent_start part
fat 340 10
claim "the right one goes on" "$HF_BIN" flush -c part/holdfast.yaml --timeout 60s
agent_stop part
claim_arrived "... without gap or double" part audit 0 350

# ---- a clone with the same machine-id: a snapshot, and both run ----

mkdir "$root/box"
agent_config box box
sed -i 's/digest: { seconds: 2,/digest: { seconds: 3600,/' box/holdfast.yaml # only a flush signs
agent_start box
emit box 0 100
claim "before the snapshot" "$HF_BIN" flush -c box/holdfast.yaml
agent_kill box
mkdir clone
cp -a box/state box/digest.key* clone/
sed "s,$HF_TMP/box/,$HF_TMP/clone/,g" box/holdfast.yaml >clone/holdfast.yaml
agent_start box
agent_start clone
emit box 100 50
emit clone 5000 50
claim "of two that run, the first that signs goes on" "$HF_BIN" flush -c box/holdfast.yaml
claim_exit "... the other one is held" 3 "$HF_BIN" flush -c clone/holdfast.yaml --timeout 3s
claim "... and says why" held_for clone 'rolled back or copied|not the chain'
emit clone 5050 50
emit box 150 50
claim "the first goes on and on" "$HF_BIN" flush -c box/holdfast.yaml
agent_kill clone
agent_stop box
bucket_fetch box fetched-box
fetched_digests fetched-box box | while read -r file; do gunzip -c "$file" | jq -c '[.holdfast.chain, .holdfast.number, .previousDigestS3Object]'; done >links
claim "one chain: no number and no previous digest twice" jq -e -s '(map(.[0]) | unique | length == 1) and (map(.[1]) | . == [range(1; length + 1)]) and
    (map(.[2]) | length == (unique | length))' links
numbers_of box audit >numbers
claim_each_once "what the first took is there once" numbers 0 200
row "a clone that runs beside the first" "held; the first goes on" 0 0

printf '%s' "$rows" | awk -F '|' 'BEGIN { printf "| %-50s | %-24s | lost | doubled |\n", "case", "outcome" } { printf "| %-50s | %-24s | %4d | %7d |\n", $1, $2, $3, $4 }'
