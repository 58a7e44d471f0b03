#!/usr/bin/env bash
# Three kinds of source, two trails: each event arrives exactly once in each, over rotation, stop and start and a store
# that is away; readable with everyday tools; and once a trail that encrypts has delivered, the host keeps nothing readable.
# stores: dir ceph minio
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

bucket=$(bucket_name)
bucket_make "$bucket"
gen=$(hf_tool hf_gen)
root=${HF_STORE_URL#dir://}
mkdir -p main pipe log
make_digest_key main/digest.key >/dev/null
make_recipient main/ops rsa
make_recipient main/escrow ec

# configuration NAME SOURCES TRAILS
configuration() {
    cat >"$1/holdfast.yaml" <<YAML
agent: { state_dir: $HF_TMP/$1/state }
stores:
$(store_yaml here "$HF_TMP/main/credentials")
sources:
$2
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
$3
YAML
}
trail() { # NAME ENCRYPTION
    printf '  - { name: %s, bucket: %s, prefix: %s, window: { seconds: 5 }, encryption: %s, digest: { seconds: 3600, key_file: %s } }\n' \
        "$1" "$bucket" "$1" "$2" "$HF_TMP/main/digest.key"
}
cms="{ type: cms, recipients: [$HF_TMP/main/ops.pem, $HF_TMP/main/escrow.pem] }"
configuration main "  - { name: app, type: file, path: \"$HF_TMP/log/*.jsonl*\", exclude: [\"$HF_TMP/log/*.tmp\"], start: beginning }
  - { name: local, type: socket, path: $HF_TMP/in.sock }" "$(trail plain none; trail sealed "$cms")"

# The store out of reach, and in reach again.
away() {
    if [ "$HF_STORE" = dir ]; then mv "$root/$bucket" "$root/away"; else write_credentials main/credentials NOBODYNOBODYNOBODY00 not-the-secret; fi
}
back() {
    if [ "$HF_STORE" = dir ]; then mv "$root/away" "$root/$bucket"; else install -m 600 "$HF_STORE_DIR/credentials" main/credentials; fi
}
[ "$HF_STORE" = dir ] || back

# write FIRST COUNT: in small portions, as a program that logs does it
write() {
    local at
    for ((at = $1; at < $1 + $2; at += 100)); do
        "$gen" --first "$at" --events 100 --seed "$at" >>log/app.jsonl
    done
}
rotate() { mv log/app.jsonl "log/app.jsonl.$1"; }
emit() { "$gen" --first "$1" --events "$2" --seed "$1" | "$HF_BIN" emit -s "$HF_TMP/in.sock"; }

# ---- three sources while everything is well ----

agent_start main
{ write 0 1000; rotate 1; write 1000 1000; rotate 2; write 2000 1000; } &
writer=$!
claim_match "emit reports what is acknowledged" '(^| )500( |$)' "$(emit 1000000000 500)"
wait "$writer"
printf 'not taken\n' >log/app.jsonl.tmp
claim "flush delivers and signs everything" agent_flush main
trails=(plain sealed)
for trail in "${trails[@]}"; do
    claim_equal "after the flush nothing waits on trail $trail" '0 0 0 ready' \
        "$(trail_field main "$trail" '"\(.windows_waiting) \(.objects_undigested) \(.spool_bytes) \(.state)"')"
done

# ---- the store is away: intake goes on, the agent stops and starts, then everything follows by itself ----

away
emit 1000000500 500 >/dev/null
write 3000 500
claim_exit "flush says that it could not" 3 agent_flush main 3s
claim_match "status names the reason" 'credentials|InvalidAccessKeyId|access key|no folder' \
    "$(trail_field main plain .reason)"
claim_exit "status ends with 1 while a trail is stuck" 1 "$HF_BIN" status -c main/holdfast.yaml
agent_stop main
rotate 3
write 3500 500
agent_start main
claim_match "emit works while the store is away" '(^| )500( |$)' "$(emit 1000001000 500)"
back
delivered() { [ "$(trail_field main "$1" '"\(.state) \(.windows_waiting)"')" = 'ready 0' ]; }
for trail in "${trails[@]}"; do claim_within "trail $trail delivers by itself when the store is back" 60 delivered "$trail"; done

# ---- nothing readable stays ----

readable() { grep -rlaF -e mellifluous-4711 -e 0000-4000-8000 main/state; }
nothing_readable() { ! readable; }
sing_and_look() {
    printf 'the canary %s sings\n' mellifluous-4711 | "$HF_BIN" emit -s "$HF_TMP/in.sock"
    readable
}
claim_within "until it is delivered an event lies in the state directory" 20 sing_and_look
claim "a flush delivers it" agent_flush main
claim_within "no plaintext stays in the state directory after delivery" 15 nothing_readable
agent_stop main
claim "nor after the stop" nothing_readable

# ---- stdin, in an agent of its own ----

configuration pipe "  - { name: pipe, type: stdin }" "$(trail piped none)"
claim "an agent ends by itself at the end of its stdin" bash -c "'$gen' --first 5000 --events 1000 | '$HF_BIN' run -c pipe/holdfast.yaml 2>pipe/agent.log"

# ---- what arrived ----

bucket_fetch "$bucket" fetched
open_envelopes fetched sealed main/ops opened || claim_failed "openssl opens every envelope with the RSA key"
claim_ok "openssl opens every envelope with the RSA key"
claim "and with the EC key" open_envelopes fetched sealed main/escrow opened-ec
claim "to the same bytes" diff -r opened opened-ec
while read -r file; do
    one_gzip_member "$file" || claim_failed "each object is one gzip member" "$file"
done < <(fetched_objects fetched . ; fetched_digests fetched .; find opened -type f)
claim_ok "each object is one gzip member, and the one inside an envelope as well"
fetched_objects fetched plain | numbers_in - >plain.numbers
find opened -type f | numbers_in - >sealed.numbers
fetched_objects fetched piped | numbers_in - >piped.numbers
for trail in "${trails[@]}"; do
    claim_each_once "each line of the file is once in trail $trail" "$trail.numbers" 0 4000
    claim_each_once "each line of the socket is once in trail $trail" "$trail.numbers" 1000000000 1500
done
claim_each_once "each line of stdin is once in its trail" piped.numbers 5000 1000
canary() { find "$@" -type f -name '*.gz' -path '*/CloudTrail/*' -exec gunzip -c {} + | jq -c '.Records[] | select(.eventSource == "local.holdfast")'; }
claim_equal "a line that is no JSON is a record with the line in it" 'the canary mellifluous-4711 sings' \
    "$(canary fetched/plain | jq -r .additionalEventData.text | sort -u)"

# ---- what holdfast says of it ----

claim_intact "trail plain is intact" main plain
claim_intact "trail sealed is intact" main sealed
claim_intact "trail piped is intact" pipe piped
"$HF_BIN" cat -c main/holdfast.yaml --trail plain >plain.cat
"$HF_BIN" cat -c main/holdfast.yaml --trail sealed --key main/ops.key >sealed.cat
for trail in "${trails[@]}"; do
    numbers_in_text <"$trail.cat" >cat.numbers
    claim_same_bytes "cat gives each record of trail $trail once" "$trail.numbers" cat.numbers
    claim_equal "and no eventID twice" '' "$(jq -r .eventID "$trail.cat" | sort | uniq -d)"
done
claim_equal "both trails have the same records" "$(jq -r .eventID plain.cat | sort | sha256sum)" "$(jq -r .eventID sealed.cat | sort | sha256sum)"
