#!/usr/bin/env bash
# A file of 1,000,000 events, tailed while it is written and rotated twice by rename, with a credential that has exactly
# the writer's rights: each event arrives exactly once in a plain and in a sealed trail, every object and digest is under
# COMPLIANCE until the day it should be, and both chains are valid for holdfast and for the AWS CLI.
# stores: ceph minio
# seconds: 120
# slots: 2
# build: release
# timeout: 900
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

events=1000000
bucket=$(bucket_name)
bucket_make "$bucket"
gen=$(hf_tool hf_gen)
count=$(hf_tool hf_count)
config=$HF_TMP/main/holdfast.yaml
mkdir -p main log
make_digest_key main/digest.key >/dev/null
make_recipient main/ops rsa
writer_policy host-a "$bucket" >writer.json
second_user "$HF_TEST_ID" "$bucket" writer.json main/credentials
owner_reads_all "$bucket"
cat >"$config" <<YAML
agent: { state_dir: $HF_TMP/main/state }
stores:
$(store_yaml here "$HF_TMP/main/credentials")
sources:
  - { name: app, type: file, path: "$HF_TMP/log/app.jsonl*", start: beginning }
buckets:
  - { name: $bucket, store: here, retention: { mode: compliance, days: 1 } }
trails:
  - name: plain
    bucket: $bucket
    prefix: host-a/plain
    window: { seconds: 300, max_bytes: 16MiB }
    encryption: none
    digest: { seconds: 3600, key_file: $HF_TMP/main/digest.key }
  - name: sealed
    bucket: $bucket
    prefix: host-a/sealed
    window: { seconds: 300, max_bytes: 16MiB }
    encryption: { type: cms, recipients: [$HF_TMP/main/ops.pem] }
    digest: { seconds: 3600, key_file: $HF_TMP/main/digest.key }
YAML

# ---- in ----

# Each part's writer keeps its file open and goes on in it after the rename, as a program does until it is told.
started=$(rfc3339)
agent_start main
part=$((events / 3 + 1)) writers=()
rename_due() { [ "$(stat -c %s log/app.jsonl 2>/dev/null || echo 0)" -gt 200000000 ]; }
for number in 1 2 3; do
    first=$(((number - 1) * part))
    last=$((number == 3 ? events : first + part))
    "$gen" --first "$first" --events $((last - first)) --seed "$number" >>log/app.jsonl &
    writers+=($!)
    [ "$number" -lt 3 ] || break
    wait_for 120 rename_due || claim_failed "the writer writes"
    mv log/app.jsonl "log/app.jsonl.$number"
done
for pid in "${writers[@]}"; do wait "$pid"; done
claim_equal "the file had its events" "$events" "$(cat log/* | wc -l)"
claim "flush delivers and signs all of it" agent_flush main 400s
agent_stop main

# ---- out ----

bucket_fetch "$bucket" fetched
claim_match "each event is once in the plain trail" "^events $events missing 0 doubled 0 " \
    "$(fetched_objects fetched host-a/plain | "$count" "$events" - 2>&1 || true)"
open_envelopes fetched host-a/sealed main/ops opened || claim_failed "openssl opens every envelope"
claim_match "each event is once in the sealed trail" "^events $events missing 0 doubled 0 " \
    "$(find opened -type f | "$count" "$events" - 2>&1 || true)"
for trail in plain sealed; do
    claim_intact "holdfast finds trail $trail intact" main "$trail"
done

# ---- the locks ----

store_heads "$bucket" >locks
claim_equal "every key has one version" '' "$(cut -f 1 locks | sort | uniq -d)"
claim_equal "every version is in COMPLIANCE mode" COMPLIANCE "$(cut -f 3 locks | sort -u)"
# 00:00:00Z of the day after (attempt + 1 day); the store stamped it when the attempt was made, a moment later at most.
until_rule() { # of lines of store_heads on stdin those that break it
    awk -F '\t' '
        function until(time) { return (int((time + 86400) / 86400) + 1) * 86400 }
        $4 < until($5 - 60) || $4 > until($5) { print }'
}
claim_equal "every object is locked until the day after tomorrow begins" '' "$(grep -v CloudTrail-Digest locks | until_rule)"
# A digest: the latest of its own date, those that it lists, and that of the digest before.
lock_of() { awk -F '\t' -v key="$1" '$1 == key { print $4 }' locks; }
before=0
for file in $(fetched_digests fetched host-a/plain) '' $(fetched_digests fetched host-a/sealed); do
    [ -n "$file" ] || { before=0; continue; }
    own=$(lock_of "${file#fetched/}")
    latest=$(gunzip -c "$file" | jq -r '.logFiles[].s3Object' | while read -r key; do lock_of "$key"; done | sort -n | tail -n 1)
    [ "$own" -ge "${latest:-0}" ] && [ "$own" -ge "$before" ] || claim_failed "a digest is locked as long as what it vouches for" "$file: $own $latest $before"
    before=$own
done
claim_ok "a digest is locked as long as what it vouches for"
claim_equal "and no longer than the day after tomorrow" '' "$(grep CloudTrail-Digest locks | until_rule)"
for kind in host-a/plain/AWSLogs/000000000000/CloudTrail/ host-a/plain/AWSLogs/000000000000/CloudTrail-Digest/ host-a/sealed/AWSLogs/000000000000/CloudTrail/; do
    key=$(grep "^$kind" locks | grep '\.gz' | sed -n 1p)
    version=$(cut -f 2 <<<"$key")
    key=$(cut -f 1 <<<"$key")
    claim_refused "the administrator cannot delete a version below ${kind#host-a/}" 'AccessDenied|InvalidRequest|WORM|Forbidden|NoneType' \
        store_aws s3api delete-object --bucket "$bucket" --key "$key" --version-id="$version" --bypass-governance-retention
    claim "it is still there" store_aws s3api head-object --bucket "$bucket" --key "$key" --version-id="$version"
done

# ---- the AWS CLI ----

"$HF_BIN" api -c "$config" --listen 127.0.0.1:0 >api.out 2>&1 &
api=$!
trap 'kill "$api" 2>/dev/null || true; agents_stop' EXIT
wait_for 10 grep -q '^listening on' api.out || claim_failed "holdfast api listens" "$(cat api.out)"
address=$(sed -n 's,^listening on http://,,p' api.out)
# As the owner: the CLI also asks for the bucket's location, for which the writer has no right.
aws_validates() {
    local lines
    lines=$("$HF_BIN" validate -c "$config" --trail "$1" --start "$started" --print-aws --aws-data "$HF_TMP/aws" --api "$address")
    (
        eval "$(grep '^export ' <<<"$lines")"
        export AWS_SHARED_CREDENTIALS_FILE=$HF_STORE_DIR/credentials AWS_CONFIG_FILE=/dev/null AWS_PAGER=
        aws() { "$(aws_program)" "$@"; }
        eval "$(grep '^aws ' <<<"$lines")"
    )
}
for trail in plain sealed; do
    digests=$(fetched_digests fetched "host-a/$trail" | wc -l) objects=$(fetched_objects fetched "host-a/$trail" | wc -l)
    aws_validates "$trail" >"aws-$trail.out" 2>&1 || true
    claim_match "aws cloudtrail validate-logs: all $digests digests of trail $trail are valid" "^$digests/$digests digest files valid$" "$(cat "aws-$trail.out")"
    claim_match "and all $objects log files" "^$objects/$objects log files valid$" "$(cat "aws-$trail.out")"
done
