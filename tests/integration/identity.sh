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
python3 - mixed/state/journal/*.seg <<'PYTHON'
import struct, sys

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

for name in sys.argv[1:]: # version 2 in both copies of the header, with right checksums: agent/journal/FORMAT.md
    with open(name, "r+b") as file:
        for at in 0, 4096:
            file.seek(at)
            block = bytearray(file.read(4096))
            assert block[:8] == b"HFJOURN\n" and struct.unpack_from("<I", block, 4092)[0] == crc32c(block[:4092]), name
            struct.pack_into("<I", block, 8, 2)
            struct.pack_into("<I", block, 4092, crc32c(block[:4092]))
            file.seek(at)
            file.write(block)
PYTHON
rm -rf mixed/state.before && cp -a mixed/state/journal mixed/state.before
refused mixed "a journal of a later version" 'version'
claim "... is left as it is" diff -r mixed/state.before mixed/state/journal
