#!/usr/bin/env bash
# The configuration that the design shows does the real job as it stands: only paths, addresses and key files are
# changed. It starts, delivers under lock, encrypted, and validates.
# stores: ceph minio
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

if [ "$HF_STORE" = ceph ]; then # the shared one speaks http
    store_own ceph "$HF_TMP/tls-store" --tls
    store_load "$HF_TMP/tls-store"
fi
mkdir -p main/lib main/run main/log
make_digest_key main/digest.key >main/fingerprint
make_recipient main/ops rsa
make_recipient main/escrow ec
install -m 600 "$HF_STORE_DIR/credentials" main/credentials
bucket=audit-logs # as it stands there; this test's own
[ "$HF_STORE" = ceph ] || ! store_aws s3api head-bucket --bucket $bucket 2>/dev/null || bucket=$(bucket_name)

cat >design.yaml <<'YAML'
agent:
  state_dir: /var/lib/holdfast
  account: "000000000000"
  region: local
stores:
  - { name: here, url: "dir:///var/lib/holdfast/bucket" }        # files at ROOT/BUCKET/KEY
  - { name: main, url: "https://minio.example:9000", region: us-east-1, addressing: path,
      ca_file: /etc/holdfast/ca.pem, credentials_file: /etc/holdfast/credentials }
sources:
  - { name: app, type: file, path: "/var/log/app/*.jsonl" }
  - { name: local, type: socket, path: /run/holdfast/intake.sock }
buckets:                                                 # lifecycle and retention are set per bucket
  - name: audit-logs
    store: main
    policy: policies/starter
    retention: { mode: governance, days: 1 }             # compliance cannot be undone by anyone: choose it on purpose
trails:
  - name: audit
    bucket: audit-logs
    window: { seconds: 300, max_bytes: 16MiB }
    encryption: { type: cms, recipients: [/etc/holdfast/ops.pem, /etc/holdfast/escrow.pem] }
    digest: { seconds: 3600, key_file: /etc/holdfast/digest.key }
YAML
claim "it is right as it stands" "$HF_BIN" run --check-config -c design.yaml
sed -e "s,/var/lib/holdfast,$HF_TMP/main/lib," -e "s,https://minio.example:9000,$HF_STORE_URL," -e "s,/etc/holdfast/ca.pem,$HF_STORE_CA," \
    -e "s,/etc/holdfast/,$HF_TMP/main/,g" -e "s,/var/log/app,$HF_TMP/main/log," -e "s,/run/holdfast/intake,$HF_TMP/main/run/intake," \
    -e "s,policies/starter,$HF_ROOT/policies/starter," -e "s,audit-logs,$bucket," design.yaml >main/holdfast.yaml
claim_equal "the lines that were changed name paths, addresses or the bucket" "" \
    "$(diff design.yaml main/holdfast.yaml | grep '^<' | grep -vE '(/var/|/etc/|/run/|policies/|audit-logs|https://)' || true)"

claim "bucket apply makes the bucket" "$HF_BIN" bucket apply -c main/holdfast.yaml
claim "check finds nothing wrong" "$HF_BIN" check -c main/holdfast.yaml
: >main/log/web.jsonl
agent_start main
generate 0 500 >>main/log/web.jsonl
acknowledged=$(generate 1000000000 500 | "$HF_BIN" emit -c main/holdfast.yaml)
claim_equal "emit finds the socket by the configuration" 500 "$acknowledged"
claim "flush delivers it" "$HF_BIN" flush -c main/holdfast.yaml --timeout 60s
claim "status is well" "$HF_BIN" status -c main/holdfast.yaml
claim_intact "it validates" main audit
for kind in ops escrow; do
    "$HF_BIN" cat -c main/holdfast.yaml --trail audit --key main/$kind.key | numbers_in_text >numbers
    claim_each_once "$kind's key opens each event of the file, once" numbers 0 500
    claim_each_once "... and of the socket" numbers 1000000000 500
done
key=$(bucket_keys "$bucket" | grep '/CloudTrail/' | head -n 1)
claim_match "the prefix is the host's name, the layout CloudTrail's" "^$(hostname | tr -c 'A-Za-z0-9._\n-' '-')/AWSLogs/000000000000/CloudTrail/local/$(date -u +%Y)/[0-9/]*/000000000000_CloudTrail_local_[0-9TZ]*_[A-Za-z0-9]{16}\.json\.gz\.cms\.gz$" "$key"
claim_match "an object is locked, by the store's own client" "GOVERNANCE.*$(date -u -d '+2 days' +%Y-%m-%d)T00:00:00" \
    "$(store_aws s3api get-object-retention --bucket "$bucket" --key "$key" --output json | tr -d '\n')"
agent_stop main
