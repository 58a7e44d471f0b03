#!/usr/bin/env bash
# What `holdfast validate` makes of a chain whose end is cut off, of one that nobody vouches for, of one that a revoked key
# signed, and of an object it may not read. On a directory, where whoever is root can remove anything.
# stores: dir
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

root=${HF_STORE_URL#dir://}
mkdir "$root/logs"
agent_config main logs
sed -i 's/digest: { seconds: 2,/digest: { seconds: 3600,/' main/holdfast.yaml
agent_start main
for first in 0 100 200; do
    emit main $first 100
    claim "the agent delivers and signs" agent_flush main
done
claim_intact "the chain is intact" main audit

# count FINDING: in the last JSON
count() { jq -r ".counts.$1" found.json; }
found() { # TEXT EXIT OPTION...: validate into found.json
    local text=$1 expected=$2 status=0
    shift 2
    validate main audit "$@" >found.json || status=$?
    claim_equal "$text" "$expected" "$status"
}

# ---- an end that is cut off: a running agent knows it, the bucket alone does not tell ----

last=$(trail_field main audit .digest_key)
mkdir aside
for file in "$root/logs/$last" "$root/logs/$last".*; do [ ! -e "$file" ] || mv "$file" aside/; done
found "a cut-off end is not intact while the agent is there to say so" 1
claim_equal "the newest digest is named" "$last" "$(jq -r '.findings[] | select(.finding == "MISSING") | .key' found.json)"
for file in aside/*; do mv "$file" "$root/logs/$(dirname "$last")/"; done
claim_intact "put back, it is intact again" main audit
agent_stop main

# ---- an object that may not be read is one bad object ----

if [ "$(id -u)" -ne 0 ]; then
    object=$(find "$root/logs" -path '*/CloudTrail/*' -name '*.json.gz' | LC_ALL=C sort | head -n 1)
    chmod 0 "$object"
    found "an object that may not be read does not end the walk" 1
    claim_equal "and is one of several" 1 "$(count INVALID)"
    chmod 400 "$object"
fi

# ---- whose key? ----

fingerprint=$(cat main/fingerprint)
alone() { "$HF_BIN" validate --store "$HF_STORE_URL" --bucket logs --prefix main --trail audit --json "$@" >found.json; }
claim_exit "a chain whose key lies in the bucket only is not intact" 1 alone
claim_equal "and the key is named" 1 "$(count KEY_NOT_PINNED)"
claim "with its fingerprint it is" alone --fingerprint "$fingerprint"
claim "with its public key it is" alone --public-key main/digest.key.pub

claim "the key is revoked" "$HF_BIN" key revoke -c main/holdfast.yaml --from 2020-01-01T00:00:00Z "$fingerprint"
found "what a revoked key signed is not intact" 1
revoked=$(count UNKNOWN_KEY)
[ "$revoked" -ge 3 ] || claim_failed "each digest is named" "$revoked"
found "also with the key given as --public-key" 1 --public-key main/digest.key.pub
claim_equal "each digest is named again" "$revoked" "$(count UNKNOWN_KEY)"
found "also with --fingerprint" 1 --fingerprint "$fingerprint"
claim_equal "and again" "$revoked" "$(count UNKNOWN_KEY)"
