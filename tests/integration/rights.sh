#!/usr/bin/env bash
# Both ways to confirm a delivery work with exactly the rights that agent/deliver/RIGHTS.md names for them. With one of
# them missing the trail is held, status names the right, nothing is lost, and everything arrives when the right is there.
# stores: ceph minio
# seconds: 80
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

gen=$(hf_tool hf_gen)
bucket=$(bucket_name)
bucket_make "$bucket"
make_digest_key digest.key >/dev/null
# A case is a way to confirm and the right that is missing: a prefix, a user and an agent of its own.
cases=(head-none head-PutObject head-PutObjectRetention head-GetObject head-GetObjectVersion head-GetObjectRetention head-ListBucket
    put-none put-PutObject put-PutObjectRetention put-GetObjectRetention)

# Rights that a store does not ask for at a delivery: Ceph 16 counts the writer as owner of what it has put, so that it may
# read it, and lets PutObject set a lock; MinIO takes GetObject and GetObjectVersion for each other.
held_without() {
    case $HF_STORE/$1 in
    */*-none | minio/head-GetObject | minio/head-GetObjectVersion) return 1 ;;
    ceph/*-PutObject | ceph/*-ListBucket | minio/*) return 0 ;;
    *) return 1 ;;
    esac
}

full_rights() { case $1 in put-*) writer_policy "$1" "$bucket" put ;; *) writer_policy "$1" "$bucket" ;; esac; }
lesser_rights() {
    full_rights "$1" | jq --arg right "s3:${1#*-}" '.Statement |= (map(.Action -= [$right]) | map(select(.Action != [])))'
}

# grant full|lesser CASE...: on Ceph by the bucket's one policy, where every case has its statements; on MinIO with new
# temporary credentials, whose rights are given with the request for them.
grant() {
    local which=$1 case
    shift
    for case in "$@"; do
        "${which}_rights" "$case" >"$case/rights.json"
        [ "$HF_STORE" = ceph ] || second_user "$HF_TEST_ID-$case" "$bucket" "$case/rights.json" "$case/credentials"
    done
    [ "$HF_STORE" = ceph ] || return 0
    for case in "${cases[@]}"; do
        jq --arg arn "arn:aws:iam:::user/$HF_TEST_ID-$case" --arg case "$case" '.Statement[] |
            .Principal = {AWS: [$arn]} | .Sid += ($case | gsub("-"; ""))' "$case/rights.json"
    done | jq -s '{Version: "2012-10-17", Statement: .}' >bucket-policy
    store_aws s3api put-bucket-policy --bucket "$bucket" --policy file://bucket-policy
}

for case in "${cases[@]}"; do
    mkdir -p "$case"
    if [ "$HF_STORE" = ceph ]; then
        read -r access secret _ < <("$HF_ROOT/tests/support/stores/ceph" user "$HF_STORE_DIR" "$HF_TEST_ID-$case" -)
        write_credentials "$case/credentials" "$access" "$secret"
    fi
    cat >"$case/holdfast.yaml" <<YAML
agent: { state_dir: $HF_TMP/$case/state }
stores:
$(store_yaml here "$HF_TMP/$case/credentials" | sed "s/ }\$/, confirm: ${case%%-*} }/")
sources:
  - { name: local, type: socket, path: $HF_TMP/$case/in.sock }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - { name: writer, bucket: $bucket, prefix: $case, window: { seconds: 1 }, encryption: none, digest: { seconds: 3600, key_file: $HF_TMP/digest.key } }
YAML
done
grant lesser "${cases[@]}"
for case in "${cases[@]}"; do
    agent_start "$case"
    "$gen" --events 100 | "$HF_BIN" emit -s "$HF_TMP/$case/in.sock" >/dev/null
done

# ---- with a right missing ----

delivered() { [ "$(trail_field "$1" writer .records_delivered)" -ge "$2" ]; }
has_reason() { [ "$(trail_field "$1" writer .reason)" != null ]; }
lacking=()
for case in "${cases[@]}"; do
    if held_without "$case"; then
        lacking+=("$case")
        claim_within "without ${case#*-} a trail with confirm: ${case%%-*} is held" 20 has_reason "$case"
        claim_match "and status names the right" "no right to .*\b${case#*-}\b" "$(trail_field "$case" writer .reason)"
        claim_equal "and nothing was delivered" 0 "$(trail_field "$case" writer .records_delivered)"
        claim_match "the log says it once" '^1$' "$(grep -c 'trail.held' "$case/agent.log")"
    else
        text="with all rights"
        [ "${case#*-}" = none ] || text="without ${case#*-}, which this store does not ask for,"
        claim_within "$text a trail with confirm: ${case%%-*} delivers" 20 delivered "$case" 100
    fi
done

# ---- when it is there ----

grant full "${lacking[@]}"
for case in "${lacking[@]}"; do
    claim_within "$case: when the right is there everything is delivered" 45 delivered "$case" 100
done
# Once more after a restart, where the newest digest is looked at first.
for case in head-none put-none head-PutObject put-PutObject head-ListBucket; do
    claim "$case: it is signed" agent_flush "$case"
    agent_stop "$case"
    agent_start "$case"
    "$gen" --first 100 --events 100 | "$HF_BIN" emit -s "$HF_TMP/$case/in.sock" >/dev/null
    claim "$case: and goes on after a restart" agent_flush "$case"
done
for case in "${cases[@]}"; do
    claim "$case: it is signed" agent_flush "$case"
    agent_stop "$case"
done

# ---- what arrived ----

owner_reads_all "$bucket"
bucket_fetch "$bucket" fetched
for case in "${cases[@]}"; do
    fetched_objects fetched "$case" | numbers_in - >numbers
    case $case in *-none | *-PutObject | *-ListBucket) count=200 ;; *) count=100 ;; esac
    claim_each_once "$case: each event arrived once" numbers 0 "$count"
    claim "$case: valid, seen by the bucket's owner" "$HF_BIN" validate -c "$case/holdfast.yaml" --credentials-file "$HF_STORE_DIR/credentials"
    case $case in head-*) claim "$case: and by the writer itself" "$HF_BIN" validate -c "$case/holdfast.yaml" ;; esac
done
store_heads "$bucket" >locks
claim_equal "every version is locked" GOVERNANCE "$(cut -f 3 locks | sort -u)"
claim_equal "and every key has one version" '' "$(cut -f 1 locks | sort | uniq -d)"
