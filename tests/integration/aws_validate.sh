#!/usr/bin/env bash
# The AWS CLI's own `cloudtrail validate-logs`, run by exactly what `holdfast validate --print-aws` prints, accepts what
# the agent wrote, plain and encrypted, without any key but the digests'. Where a locked object is hidden by a version on
# top of it, or by a delete marker, it and `holdfast validate` both say so.
# stores: ceph minio
# seconds: 60
. "$(dirname "$0")/run-helpers"

bucket=$(bucket_name)
bucket_make "$bucket"
mkdir -p agent/app bin
# What is printed says `aws`: Debian's, whatever else comes first in PATH.
ln -s "$(aws_program)" bin/aws
export PATH=$HF_TMP/bin:$PATH
config=$HF_TMP/agent/holdfast.yaml

"$HF_BIN" key new agent/digest.key >/dev/null 2>&1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ops -keyout ops.key -out ops.pem 2>/dev/null
# Both chains lie under one prefix, as they do for two trails of one host.
cat >"$config" <<YAML
agent: { state_dir: state, host: web1, account: "123456789012", region: eu-north-9 }
stores:
$(store_yaml main)
sources:
  - { name: app, type: file, path: "app/*.jsonl", start: beginning }
buckets:
  - { name: $bucket, store: main, retention: { mode: governance, days: 1 } }
trails:
  - { name: plain-trail, bucket: $bucket, encryption: none, digest: { key_file: digest.key } }
  - { name: sealed.trail, bucket: $bucket, encryption: { type: cms, recipients: [$HF_TMP/ops.pem] }, digest: { key_file: digest.key } }
YAML

agent_start agent
for round in 1 2 3; do
    seq -f "{\"round\":$round,\"line\":%g}" 200 >>agent/app/shop.jsonl
    claim "flush $round delivers and signs" "$HF_BIN" flush -c "$config"
done

# ---- the API, and what is printed ----

mkdir api
"$HF_BIN" api -c "$config" --listen 127.0.0.1:0 >api/agent.log 2>&1 </dev/null &
agent_pid[api]=$!
api_address() { sed -n 's,^listening on http://,,p' api/agent.log | grep .; }
wait_for 20 api_address || claim_failed "holdfast api listens" "$(cat api/agent.log)"
api=$(api_address)

# aws_validate TRAIL: what is printed, as it is, in an empty environment but for PATH and HOME
aws_validate() {
    "$HF_BIN" validate -c "$config" --trail "$1" --print-aws --aws-data "aws-data" --api "$api" >"$1.sh" || return 9
    env -i PATH="$PATH" HOME="$HF_TMP" sh "$1.sh" >"$1.aws" 2>&1
}

# object_keys TRAIL-SUFFIX: log objects by the store's own listing; a cms envelope's key ends otherwise.
object_keys() { bucket_keys "$bucket" | grep '/CloudTrail/' | grep "$1\$"; }
plain_keys() { object_keys 'Z_[A-Za-z0-9]*\.json\.gz'; }
sealed_keys() { object_keys '\.json\.gz\.cms\.gz'; }
digest_count() { bucket_keys "$bucket" | grep -c "/CloudTrail-Digest/.*_$1_.*\.json\.gz\$"; }

# intact_for_aws TRAIL DIGESTS OBJECTS
intact_for_aws() {
    local status=0
    aws_validate "$1" || status=$?
    claim_equal "$1: aws cloudtrail validate-logs ends with 0" 0 "$status"
    claim_match "$1: it found all $2 digests valid" "^$2/$2 digest files valid" "$(cat "$1.aws")"
    claim_match "$1: it found all $3 objects valid" "^$3/$3 log files valid" "$(cat "$1.aws")"
}
digests=$(digest_count plain-trail) objects=$(plain_keys | wc -l)
[ "$digests" -ge 3 ] && [ "$objects" -ge 3 ] || claim_failed "three flushes made three objects and digests" "$digests digests, $objects objects"
intact_for_aws plain-trail "$digests" "$objects"
intact_for_aws sealed.trail "$(digest_count sealed.trail)" "$(sealed_keys | wc -l)"
claim "holdfast validate agrees (plain)" "$HF_BIN" validate -c "$config" --trail plain-trail
claim "holdfast validate agrees (sealed)" "$HF_BIN" validate -c "$config" --trail sealed.trail

# ---- a directory has no S3 to ask; sse-c has a key the AWS CLI cannot be given: said, not printed wrong ----

sed 's/encryption: none/encryption: { type: sse-c, key_file: digest.key }/; s,url: "http:,url: "https:,' "$config" >agent/ssec.yaml
claim_exit "--print-aws refuses a trail with sse-c" 2 "$HF_BIN" validate -c agent/ssec.yaml --trail plain-trail --print-aws

# ---- hidden: the locked version is still there, and nobody sees it first ----

# not_intact FINDING KEY: what `holdfast validate` ends with and says
not_intact() {
    local status=0
    "$HF_BIN" validate -c "$config" --trail plain-trail >validate.log 2>&1 || status=$?
    claim_equal "holdfast validate ends with 1" 1 "$status"
    claim_match "and says $1 of that object" "^$1 +$2" "$(cat validate.log)"
    claim_equal "and of no other" 1 "$(grep -c "^$1 " validate.log)"
}
# refused_by_aws PATTERN KEY
refused_by_aws() {
    local status=0
    aws_validate plain-trail || status=$?
    claim_equal "aws cloudtrail validate-logs ends with 1" 1 "$status"
    claim_match "and says '$1' of that object" "s3://$bucket/$2[[:space:]]+INVALID: $1" "$(cat plain-trail.aws)"
    claim_match "and finds the others valid" "^$((objects - hidden))/$objects log files valid, $hidden/$objects log files INVALID" "$(cat plain-trail.aws)"
}

hidden=1
key=$(plain_keys | head -n 1)
printf '{"Records":[]}' | gzip -n >empty.json.gz
claim "a version can be put on top of a locked one" store_aws s3api put-object --bucket "$bucket" --key "$key" --body empty.json.gz
refused_by_aws "hash value doesn't match" "$key"
not_intact OVERWRITTEN "$key"

hidden=2
key=$(plain_keys | tail -n 1)
claim "a delete marker can be put on top of a locked version" store_aws s3api delete-object --bucket "$bucket" --key "$key"
# Ceph's answer for what is not there has no text, which this AWS CLI trips over and calls a format.
refused_by_aws "(not found|invalid format)" "$key"
not_intact HIDDEN "$key"

intact_for_aws sealed.trail "$(digest_count sealed.trail)" "$(sealed_keys | wc -l)"

# ---- an end that is hidden: no link leads there, the versions do. What was locked is still there ----

agent_stop agent
last=$(bucket_keys "$bucket" | grep '/CloudTrail-Digest/.*_sealed\.trail_' | LC_ALL=C sort | tail -n 1)
bucket_get "$bucket" "$last" last.json.gz
gunzip -c last.json.gz | jq -r '.logFiles[].s3Object' >last.keys
printf '%s\n' "$last" >>last.keys
while read -r key; do store_aws s3api delete-object --bucket "$bucket" --key "$key" >/dev/null; done <last.keys
status=0
"$HF_BIN" validate -c "$config" --trail sealed.trail --json >hidden.json || status=$?
claim_equal "a hidden end is not intact, though no agent is there to ask" 1 "$status"
claim_equal "everything that was hidden is named, the newest digest first" "$(printf '%s\n' "$last" && LC_ALL=C sort last.keys | grep -vF "$last")" \
    "$(jq -r '[.findings[] | select(.finding == "HIDDEN") | .key] | (.[:1] + (.[1:] | sort))[]' hidden.json)"
claim_equal "and its head is still the chain's" "$last" "$(jq -r .head hidden.json)"
bucket_versions "$bucket" >versions
while read -r key; do
    claim "the hidden version is still there: ${key##*/}" grep -qF "$key" versions
    claim_refused "and cannot be deleted" 'AccessDenied|InvalidRequest|WORM' \
        store_aws s3api delete-object --bucket "$bucket" --key "$key" --version-id="$(awk -v key="$key" '$1 == key { print $2 }' versions)"
done <last.keys
