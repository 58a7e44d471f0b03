#!/usr/bin/env bash
# What other people's clients see: awscli, s3cmd and libs3 read the bytes that were signed and the lines that were sent;
# awscli shows the lock; removing, shortening or overwriting what is locked is refused or shows.
# stores: ceph minio
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

gen=$(hf_tool hf_gen)
bucket=$(bucket_name)
bucket_make "$bucket"
mkdir -p main
make_digest_key main/digest.key >/dev/null
configuration() { # DAYS of trail soft
    cat >main/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/main/state }
stores:
$(store_yaml here)
sources:
  - { name: local, type: socket, path: $HF_TMP/in.sock }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: soft, bucket: $bucket, prefix: soft, window: { seconds: 300 }, encryption: none, retention: { days: $1 }, digest: { seconds: 3600, key_file: $HF_TMP/main/digest.key } }
  - { name: hard, bucket: $bucket, prefix: hard, window: { seconds: 300 }, encryption: none, retention: { mode: compliance, days: 2 }, digest: { seconds: 3600, key_file: $HF_TMP/main/digest.key } }
YAML
}
emit() { "$HF_BIN" emit -s "$HF_TMP/in.sock" >/dev/null; }

configuration 5
agent_start main
"$gen" --events 20 >lines
emit <lines
claim "everything is delivered and signed" agent_flush main

# ---- the bytes ----

bucket_fetch "$bucket" fetched
file=$(fetched_objects fetched hard | while read -r file; do if gunzip -c "$file" | grep 0000-4000-8000 >/dev/null; then echo "$file"; fi; done | sed -n 1p)
key=${file#fetched/}
fetched_digests fetched hard | xargs gunzip -c | jq -s --arg key "$key" '.[] | select(any(.logFiles[]; .s3Object == $key))' >digest.json
signed=$(jq -r --arg key "$key" '[.logFiles[].s3Object] | index($key) as $at | $at' digest.json)
signed=$(jq -r ".holdfast.objects[$signed].storedSha256" digest.json)
same() { # CLIENT FILE
    claim_equal "$1 reads the bytes that the digest lists" "$signed" "$(sha256sum <"$2" | cut -d ' ' -f 1)"
}
same "aws s3 sync" "$file"
store_aws s3api get-object --bucket "$bucket" --key "$key" aws.got >head.json
same "aws s3api get-object" aws.got
claim_equal "its metadata has their hash" "$signed" "$(jq -r '.Metadata["holdfast-sha256"]' head.json)"
claim_equal "content type and encoding are CloudTrail's" 'application/json gzip' "$(jq -r '"\(.ContentType) \(.ContentEncoding)"' head.json)"
claim "s3cmd gets it" store_s3cmd get "s3://$bucket/$key" s3cmd.got
same s3cmd s3cmd.got
case $HF_STORE_URL in
http://*)
    claim "libs3's s3 gets it" store_libs3 get "$bucket/$key" filename=libs3.got
    same "libs3's s3" libs3.got
    ;;
*) echo "# libs3's s3 is left out: it signs with Signature V2 only, and has no option for an own authority" ;;
esac
gunzip -c aws.got >object.json
# Each is an object that lacks nothing: only who said it is added, in front of its last brace.
while read -r line; do grep -qF -- "${line%\}},\"holdfast\":{" object.json || claim_failed "each line is in the object byte by byte" "$line"; done <lines
claim_ok "each line is in the object byte by byte"

# ---- the locks ----

day() { echo $((($(date +%s) / 86400 + 1 + $1) * 86400)); } # 00:00Z after so many days more
today=$(date +%F)
locks() { store_heads "$bucket" "$1" | cut -f 3,4 | sort -u | tr '\t' ' '; }
if [ "$(date +%F)" = "$today" ]; then
    claim_equal "all of trail soft is locked in GOVERNANCE for five days" "GOVERNANCE $(day 5)" "$(locks soft/)"
    claim_equal "all of trail hard in COMPLIANCE for two, as it asks for more than its bucket" "COMPLIANCE $(day 2)" "$(locks hard/)"
fi
version_of() { jq -r --arg key "$1" 'select(.Key == $key) | .VersionId' <(store_aws s3api list-object-versions --bucket "$bucket" --prefix "$1" | jq -c '.Versions[]'); }
version=$(version_of "$key")
soft_key=$(bucket_keys "$bucket" soft/AWSLogs/000000000000/CloudTrail/ | sed -n 1p)
soft_version=$(version_of "$soft_key")
digest_key=$(bucket_keys "$bucket" hard/AWSLogs/000000000000/CloudTrail-Digest/ | grep '\.gz$' | sed -n 1p)
public_key=$(bucket_keys "$bucket" hard/AWSLogs/000000000000/CloudTrail-Digest/ | grep '\.pem$')
refused='AccessDenied|InvalidRequest|NoneType|WORM|403'
retention() { store_aws s3api get-object-retention --bucket "$bucket" --key "$1" --version-id="$2"; }
claim_match "aws shows the lock of an object" COMPLIANCE "$(retention "$key" "$version")"
for name in "$key" "$digest_key" "$public_key"; do
    claim_refused "deleting a version in COMPLIANCE is refused, to the administrator and with bypass: ${name##*/}" "$refused" \
        store_aws s3api delete-object --bucket "$bucket" --key "$name" --version-id="$(version_of "$name")" --bypass-governance-retention
done
claim_refused "deleting a version in GOVERNANCE without bypass is refused" "$refused" \
    store_aws s3api delete-object --bucket "$bucket" --key "$soft_key" --version-id="$soft_version"
claim_refused "shortening a lock in COMPLIANCE is refused" "$refused" \
    store_aws s3api put-object-retention --bucket "$bucket" --key "$key" --version-id="$version" --bypass-governance-retention \
    --retention "Mode=COMPLIANCE,RetainUntilDate=$(rfc3339 '+1 hour')"
store_aws s3api put-object --bucket "$bucket" --key not-locked --body lines >put.json
claim "the same administrator can delete a version that has no lock" \
    store_aws s3api delete-object --bucket "$bucket" --key not-locked --version-id="$(jq -r .VersionId put.json)"

# ---- what is allowed shows ----

claim_intact "before anyone tries anything, trail hard is intact" main hard
store_aws s3api delete-object --bucket "$bucket" --key "$key" >marker.json
claim_exit "an object behind a delete marker is found" 1 validate main hard
claim_match "and named" HIDDEN "$(validate main hard | jq -r --arg key "$key" '.findings[] | select(.key == $key) | .finding' || true)"
store_aws s3api delete-object --bucket "$bucket" --key "$key" --version-id="$(jq -r .VersionId marker.json)" >/dev/null
store_aws s3api put-object --bucket "$bucket" --key "$key" --body lines >over.json
claim_match "an object behind another version is found and named" OVERWRITTEN "$(validate main hard | jq -r --arg key "$key" '.findings[] | select(.key == $key) | .finding' || true)"
store_aws s3api delete-object --bucket "$bucket" --key "$key" --version-id="$(jq -r .VersionId over.json)" >/dev/null
claim_intact "without marker and version trail hard is intact again" main hard

# ---- a digest outlives what it vouches for ----

configuration 1
agent_reload main
days_now() { [ "$(trail_field main soft .lock_days)" = "$1" ]; }
claim_within "a reload takes the shorter retention" 10 days_now 1
"$gen" --first 20 --events 20 | emit
claim "and goes on delivering" agent_flush main
if [ "$(date +%F)" = "$today" ]; then
    new_objects=$(store_heads "$bucket" soft/AWSLogs/000000000000/CloudTrail/ | sort -t $'\t' -k 5n | tail -n 1 | cut -f 4)
    claim_equal "a new object is locked for one day" "$(day 1)" "$new_objects"
    claim_equal "every digest for five still, as the chain leads through it" "$(day 5)" \
        "$(store_heads "$bucket" soft/AWSLogs/000000000000/CloudTrail-Digest/ | grep -v '\.pem' | cut -f 4 | sort -u)"
fi
agent_stop main
claim_intact "trail soft is intact" main soft
