#!/usr/bin/env bash
# Every kind of encryption arrives, the store says that it did its part, and the store's own client (with openssl where
# only the recipient can open it) reads back what was sent. No key ever goes over plain http.
# stores: ceph minio
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

# Customer keys need TLS, and the Ceph of the run speaks http: one of our own.
plain_url=http://127.0.0.1:1
if [ "$HF_STORE" = ceph ]; then
    plain_url=$HF_STORE_URL
    store_own ceph "$HF_TMP/ceph" --tls || skip "no Ceph over TLS"
    store_load "$HF_TMP/ceph"
fi
bucket=$(bucket_name)
bucket_make "$bucket"
gen=$(hf_tool hf_gen)
config=$HF_TMP/main/holdfast.yaml
mkdir -p main
make_digest_key main/digest.key >/dev/null
make_recipient main/rsa rsa
make_recipient main/ec ec
(umask 077; head -c 32 /dev/urandom >main/customer.key)

trails=(none sse-s3 sse-kms sse-c cms-rsa cms-ec cms-both)
encryption_of() {
    case $1 in
    none | sse-s3) printf '%s' "$1" ;;
    sse-kms) printf '{ type: sse-kms, kms_key_id: %s }' "$HF_STORE_KMS_KEY" ;;
    sse-c) printf '{ type: sse-c, key_file: %s }' "$HF_TMP/main/customer.key" ;;
    cms-both) printf '{ type: cms, recipients: [%s, %s] }' "$HF_TMP/main/rsa.pem" "$HF_TMP/main/ec.pem" ;;
    cms-*) printf '{ type: cms, recipients: [%s] }' "$HF_TMP/main/${1#cms-}.pem" ;;
    esac
}
configuration() { # STORE TRAIL...
    local trail
    printf 'agent: { state_dir: %s }\nstores:\n%s\nsources:\n  - { name: local, type: socket, path: %s }\n' "$HF_TMP/main/state" "$1" "$HF_TMP/in.sock"
    printf 'buckets:\n  - { name: %s, store: here, retention: { mode: governance, days: 1 } }\ntrails:\n' "$bucket"
    shift
    for trail in "$@"; do
        printf '  - { name: %s, bucket: %s, prefix: %s, window: { seconds: 300 }, encryption: %s, digest: { seconds: 3600, key_file: %s } }\n' \
            "$trail" "$bucket" "$trail" "$(encryption_of "$trail")" "$HF_TMP/main/digest.key"
    done
}

# ---- never over plain http ----

for trail in sse-c sse-kms; do
    configuration "  - { name: here, url: \"$plain_url\", credentials_file: \"$HF_STORE_DIR/credentials\" }" "$trail" >main/refused.yaml
    claim_refused "$trail over http is refused, with the line and the key" 'refused.yaml:[0-9]+.*encryption' "$HF_BIN" run -c main/refused.yaml
    claim_exit "as an error of the configuration" 2 "$HF_BIN" run -c main/refused.yaml
done
configuration "$(store_yaml here)" sse-c >main/refused.yaml
chmod 644 main/customer.key
claim_refused "a customer key that others may read is refused" 'customer\.key' timeout 20 "$HF_BIN" run -c main/refused.yaml
chmod 600 main/customer.key

# ---- arrive ----

configuration "$(store_yaml here)" "${trails[@]}" >"$config"
agent_start main
"$gen" --events 500 | "$HF_BIN" emit -s "$HF_TMP/in.sock" >/dev/null
claim "everything is delivered and signed" agent_flush main
agent_stop main

heads_of() { # TRAIL: what the store tells of the encryption of each object, digest and public key: one line if all are alike
    local options=()
    [ "$1" != sse-c ] || options=(main/customer.key)
    store_heads "$bucket" "$1/" "${options[@]}" | cut -f 7,8 --output-delimiter=' ' | sort -u
}
get() { # TRAIL: its objects as the store's own client gives them out, in TRAIL.got/
    local file options=() number=0
    [ "$1" != sse-c ] || options=(--sse-c AES256 --sse-c-key "fileb://$HF_TMP/main/customer.key")
    store_aws s3 cp --recursive --only-show-errors "${options[@]}" "s3://$bucket/$1" "got/$1" || return 1
    mkdir "$1.got"
    for file in $(fetched_objects got "$1"); do mv "$file" "$1.got/$((++number))"; done
}
open_all() { # TRAIL KEY_AND_CERTIFICATE TO
    local file
    mkdir "$3"
    for file in "$1.got"/*; do open_envelope "$file" "$2" >"$3/${file##*/}" || return 1; done
}
for trail in "${trails[@]}"; do
    claim "$trail: the store's own client gets the objects" get "$trail"
    opened=$trail.got
    case $trail in
    cms-both)
        claim "$trail: openssl opens them with one key" open_all "$trail" main/rsa "$trail.rsa"
        claim "$trail: and with the other" open_all "$trail" main/ec "$trail.ec"
        claim "$trail: to the same" diff -r "$trail.rsa" "$trail.ec"
        opened=$trail.rsa
        ;;
    cms-*)
        claim "$trail: openssl opens them" open_all "$trail" "main/${trail#cms-}" "$trail.opened"
        opened=$trail.opened
        ;;
    esac
    numbers_in "$opened"/* >numbers
    claim_each_once "$trail: each event is in them once" numbers 0 500
    case $HF_STORE/$trail in
    # Ceph 16 knows no encryption with the store's own key: it takes the header, says 200 and stores in the clear.
    ceph/sse-s3 | */none | */cms-*) expected='- -' ;;
    */sse-s3) expected='AES256 -' ;;
    */sse-kms) expected="aws:kms $HF_STORE_KMS_KEY" ;;
    */sse-c) expected='customer:AES256 -' ;;
    esac
    claim_equal "$trail: the store says how all of it is encrypted" "$expected" "$(heads_of "$trail")"
done
claim_refused "without the customer key the store gives nothing out" 'InvalidRequest|InvalidArgument|Bad Request' \
    store_aws s3api get-object --bucket "$bucket" --key "$(bucket_keys "$bucket" sse-c/AWSLogs/000000000000/CloudTrail/ | sed -n 1p)" refused.got

# ---- holdfast reads it, too ----

cat_of() { # TRAIL
    local options=()
    case $1 in cms-both) options=(--key main/ec.key) ;; cms-*) options=(--key "main/${1#cms-}.key") ;; esac
    "$HF_BIN" cat -c "$config" --trail "$1" "${options[@]}"
}
for trail in "${trails[@]}"; do
    claim_intact "$trail: the trail is intact" main "$trail"
    cat_of "$trail" | numbers_in_text >numbers || claim_failed "$trail: cat" "$(cat_of "$trail" 2>&1 | tail -n 3)"
    claim_each_once "$trail: cat gives each event once" numbers 0 500
done
claim_exit "the other recipient's key does not open an envelope" 1 "$HF_BIN" cat -c "$config" --trail cms-rsa --key main/ec.key
