#!/usr/bin/env bash
# One agent, trails to two stores at once, each with its own choice of sources: every trail has exactly its events, each
# once, and holdfast's own events are in all. When one store is gone the other's trail goes on.
# stores: ceph minio
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

bucket=$(bucket_name)
far_bucket=$(bucket_name far)
fixture=$HF_ROOT/tests/support/stores/$HF_STORE
"$fixture" start "$HF_TMP/far" --owner $$ >/dev/null # an S3 store of this test's own, which can be taken away
bucket_make "$bucket"
mkdir -p one/log near/near-bucket
make_digest_key one/digest.key >one/fingerprint
make_recipient one/ops rsa
install -m 600 "$HF_STORE_DIR/credentials" one/credentials
near_store=$(store_yaml here "$HF_TMP/one/credentials")
far_store=$(store_load "$HF_TMP/far"; store_yaml far)
(store_load "$HF_TMP/far"; bucket_make "$far_bucket")

trail() { # NAME BUCKET OPTIONS
    printf '  - { name: %s, bucket: %s, prefix: %s, window: { seconds: 1 }, digest: { seconds: 3, key_file: %s }, %s }\n' "$1" "$2" "$1" "$HF_TMP/one/digest.key" "$3"
}
cat >one/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/one/state, host: one }
stores:
  - { name: near, url: "dir://$HF_TMP/near" }
$near_store
$far_store
sources:
  - { name: app, type: file, path: $HF_TMP/one/log/app.jsonl, start: beginning }
  - { name: web, type: file, path: "$HF_TMP/one/log/web*.jsonl", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/one/in.sock }
buckets:
  - { name: near-bucket, store: near, retention: { mode: governance, days: 1 } }
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
  - { name: $far_bucket, store: far, retention: { mode: governance, days: 2 } }
trails:
$(trail all-here "$bucket" 'encryption: none')
$(trail app-here "$bucket" 'encryption: none, sources: [app]')
$(trail files-near near-bucket 'encryption: none, sources: [app, web]')
$(trail socket-far "$far_bucket" "encryption: { type: cms, recipients: [$HF_TMP/one/ops.pem] }, sources: [local]")
$(trail all-far "$far_bucket" 'encryption: sse-s3')
YAML
[ "$HF_STORE" = minio ] || sed -i 's/encryption: sse-s3/encryption: none/' one/holdfast.yaml # Ceph does it over TLS only

# more N: the N-th hundred thousand of each source: app from 0, web from 1000000000, local from 2000000000
count=400
more() {
    local part=$1
    generate $((part * count)) $count >>one/log/app.jsonl
    generate $((1000000000 + part * count)) $count >>one/log/web.jsonl
    emit one $((2000000000 + part * count)) $count
}
# has NAME TRAIL PARTS APP WEB LOCAL: the trail has exactly PARTS parts of those sources that are 1
has() {
    local trail=$1 parts=$2 first=0 wanted
    shift 2
    "$HF_BIN" cat -c one/holdfast.yaml --trail "$trail" --key "$HF_TMP/one/ops.key" >records || claim_failed "cat of $trail"
    numbers_in_text <records >numbers
    for wanted in "$@"; do
        claim_each_once "$trail: $((wanted * parts * count)) events from $first on, each once" numbers $first $((wanted * parts * count))
        first=$((first + 1000000000))
    done
    claim_equal "$trail: holdfast's own events are in it" "$own" \
        "$(jq -r 'select(.eventSource == "holdfast") | .eventName' records | sort | uniq -c | xargs)"
    claim_intact "$trail: its chain is intact" one "$trail"
}
all() { # PARTS
    has all-here "$1" 1 1 1
    has app-here "$1" 1 0 0
    has files-near "$1" 1 1 0
    has socket-far "$1" 0 0 1
    has all-far "$1" 1 1 1
}

agent_start one
more 0
claim "everything is delivered to three stores" "$HF_BIN" flush -c one/holdfast.yaml --timeout 60s
own='1 AgentStart'
all 1

# ---- one store is gone ----

"$fixture" kill "$HF_TMP/far"
more 1
claim_within "the far trails wait" 20 trail_is one all-far waiting
claim_refused "flush names the trails that could not, and only these" "trail 'all-far'" "$HF_BIN" flush -c one/holdfast.yaml --timeout 3s
claim_match "... one line each" '^2$' "$("$HF_BIN" flush -c one/holdfast.yaml --timeout 3s 2>&1 | grep -c "trail '" || true)"
has all-here 2 1 1 1
has app-here 2 1 0 0
has files-near 2 1 1 0
agent_kill one # and the agent, too
agent_start one
more 2
own='2 AgentStart'
claim_within "after a crash the others go on as before" 30 delivered one all-here
claim_within "... on every store that is there" 30 delivered one files-near
has all-here 3 1 1 1
has files-near 3 1 1 0
claim "the store comes back" "$fixture" revive "$HF_TMP/far"
claim_within "its trails follow by themselves" 60 delivered one all-far
claim_within "... all of them" 30 delivered one socket-far
all 3

# ---- the locks are each bucket's own ----

claim "the far bucket has its own retention: two days, by the store's own word" test "$(
    store_load "$HF_TMP/far"
    key=$(bucket_keys "$far_bucket" all-far/ | head -n 1)
    store_aws s3api get-object-retention --bucket "$far_bucket" --key "$key" --query Retention.RetainUntilDate --output text | cut -c 1-10
)" = "$(date -u -d '+3 days' +%Y-%m-%d)"
agent_stop one
"$fixture" stop "$HF_TMP/far"
