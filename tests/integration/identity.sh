#!/usr/bin/env bash
# A state directory belongs to one machine and to itself: one that was copied from another machine, or put together
# from two, is refused with the reason, before anything is sent; so is one made by a later version.
# stores: dir
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

root=${HF_STORE_URL#dir://}
[ -s /etc/machine-id ] && has_machine_id=1 || has_machine_id=''

# refused NAME TEXT PATTERN: run ends with a code for local faults, says why, and leaves bucket and state alone
refused() {
    local name=$1 text=$2 pattern=$3 status=0 output before after
    before=$(cd "$root" && find . -type f | sort | sha256sum)
    output=$(timeout 30 "$HF_BIN" run -c "$name/holdfast.yaml" 2>&1 </dev/null) || status=$?
    after=$(cd "$root" && find . -type f | sort | sha256sum)
    case $status in
    2 | 4) ;;
    *) claim_failed "$text: refused" "exit: $status" "$output" ;;
    esac
    claim_match "$text: refused with exit code $status, and the reason" "$pattern" "$output"
    claim_equal "$text: nothing was sent" "$before" "$after"
}

for name in one two; do
    mkdir "$root/$name"
    agent_config $name $name
    agent_start $name
    emit $name 0 100
    agent_stop $name
done

# ---- another machine ----

if [ -n "$has_machine_id" ]; then
    cp -a one/state one/state.kept
    jq '.machine = "00112233445566778899aabbccddeeff"' one/state/identity >identity
    cat identity >one/state/identity
    refused one "a state directory from another machine" 'machine 00112233445566778899aabbccddeeff.*copied'
    claim_exit "check finds it, too" 1 "$HF_BIN" check -c one/holdfast.yaml
    claim_refused "... and says so" 'made on another machine' "$HF_BIN" check -c one/holdfast.yaml
    jq '.machine = ""' identity >one/state/identity
    agent_start one
    emit one 100 50
    claim "a host that replaced the other for good goes on, as the message says" "$HF_BIN" flush -c one/holdfast.yaml
    claim_arrived "... without gap or double" one audit 0 150
    agent_stop one
    rm -rf one/state && mv one/state.kept one/state
    # The bucket is ahead of this older copy now: that is for holds.sh.
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

# ---- a broken identity, a later version ----

mixed identity
cp one/state/identity mixed/state/identity
for text in '' '{}' '{"format":1,"journal":"zz","host":"h","machine":""}' '{"format":1,' "$(head -c 5000 /dev/zero | tr '\0' x)"; do
    printf '%s' "$text" >mixed/state/identity
    refused mixed "an identity of $(printf '%s' "$text" | wc -c) bytes that is none" "identity"
done
jq '.format = 2' one/state/identity >mixed/state/identity
refused mixed "an identity of a later version" '(format|version)'
cp one/state/identity mixed/state/identity
for file in mixed/state/journal/*.seg; do printf '\377' | dd of="$file" bs=1 seek=8 conv=notrunc status=none; done
for file in mixed/state/journal/*.seg; do printf '\377' | dd of="$file" bs=1 seek=4104 conv=notrunc status=none; done
rm -rf mixed/state.before && cp -a mixed/state/journal mixed/state.before
refused mixed "a journal of a later version" 'version'
claim "... is left as it is" diff -r mixed/state.before mixed/state/journal
