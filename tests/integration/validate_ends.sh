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

# ---- a reader with a memory sees what one who starts from nothing cannot ----

agent_start main
head=$("$HF_BIN" head -c main/holdfast.yaml)
claim_equal "the agent tells its head in one line" audit "$(cut -d ' ' -f 3 <<<"$head")"
from_elsewhere() { "$HF_BIN" validate --store "$HF_STORE_URL" --bucket logs --prefix main --trail audit --public-key main/digest.key.pub --json "$@" >found.json; }
claim "a reader elsewhere begins a state" from_elsewhere --state state.json
claim_equal "with the head that the agent tells" "${head%% *}" \
    "$(jq -r '.trails[].head | "\(.chain):\(.number):\(.sha256)"' state.json)"
claim_equal "which nobody else may read" 600 "$(stat -c %a state.json)"
emit main 300 100
claim "the agent goes on" agent_flush main
claim "and so does the state" from_elsewhere --state state.json --expect "$head"
claim_equal "both had what was seen" "found found" "$(jq -r '[.known[].result] | join(" ")' found.json)"
head=$("$HF_BIN" head -c main/holdfast.yaml)
last=$(trail_field main audit .digest_key)
agent_stop main
rm -r aside
mkdir aside
for file in "$root/logs/${last%/*}"/*; do [[ $file < $root/logs/$last ]] || mv "$file" aside/; done # and what was signed at the stop
claim "without a memory a cut-off end is not seen" from_elsewhere
claim_exit "with --expect it is" 1 from_elsewhere --expect "$head"
claim_equal "by its name" 1 "$(count TRUNCATED)"
cp state.json kept.json
claim_exit "and with the state" 1 from_elsewhere --state state.json
claim_equal "by its name, too" 1 "$(count TRUNCATED)"
for file in aside/*; do mv "$file" "$root/logs/$(dirname "$last")/"; done
claim_exit "put back, the state still says so" 1 from_elsewhere --state state.json
claim_exit "until one of both is accepted: not any" 2 from_elsewhere --state state.json --accept "$(sha256sum </dev/null | cut -d ' ' -f 1)"
claim "the one that was kept" from_elsewhere --state state.json --accept "$(jq -r '.trails[].head.sha256' state.json)"
claim_equal "which is recorded" 1 "$(jq '.trails[].accepted | length' state.json)"
claim "and then all is well" from_elsewhere --state state.json

jq '.trails[].head.sha256 |= gsub("0"; "1")' kept.json >state.json
claim_exit "another end that the same key has signed is seen" 1 from_elsewhere --state state.json
claim_equal "as a fork" 1 "$(count FORK)"
mv "$root/logs/main" hidden
claim_exit "a bucket where nothing is any more is not intact" 1 from_elsewhere --state kept.json
claim_equal "but rolled back" 1 "$(count ROLLED_BACK)"
mv hidden "$root/logs/main"
echo '{' >state.json
claim_exit "a state that cannot be read is not begun anew" 2 from_elsewhere --state state.json

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

# ---- another bucket: what the agent has signed in the old one says nothing of the new one ----

mkdir "$root/elsewhere"
sed -i 's/name: logs,/name: elsewhere,/; s/bucket: logs\b/bucket: elsewhere/' main/holdfast.yaml
agent_start main
found "a bucket that has no digest yet has none" 1
claim_equal "and nothing else is said of it" HF_ENOTFOUND "$(jq -r .status found.json)"
agent_stop main
