#!/usr/bin/env bash
# `holdfast bucket apply` makes a missing bucket with Object Lock and puts its policy set on it, as the store's own client
# then reads it; twice is as good as once; COMPLIANCE has to be accepted. `bucket diff` says in plain words what differs,
# and `bucket probe` tells a bucket that holds from one that does not.
# stores: dir ceph minio
# seconds: 80
. "$(dirname "$0")/run-helpers"

bucket=$(bucket_name)
strict=$(bucket_name strict)
plain=$(bucket_name plain)
"$HF_BIN" key new digest.key >/dev/null 2>&1

# configure FILE BUCKET RETENTION [MORE]
configure() {
    cat >"$1" <<YAML
agent: { state_dir: state, host: web1 }
stores:
$(store_yaml main)
sources:
  - { name: app, type: socket, path: intake.sock }
buckets:
  - { name: $2, store: main, policy: $HF_ROOT/policies/starter, retention: $3${4:+, $4} }
trails:
  - { name: audit, bucket: $2, encryption: none, digest: { key_file: digest.key } }
YAML
}
configure starter.yaml "$bucket" '{ mode: governance, days: 1 }'
configure longer.yaml "$bucket" '{ mode: governance, days: 3 }' 'tags: [team=security]'
configure strict.yaml "$strict" '{ mode: compliance, days: 1 }'
configure unlocked.yaml "$plain" none
configure wants-lock.yaml "$plain" '{ mode: governance, days: 1 }'

apply() { "$HF_BIN" bucket apply -c "$@"; }

# output_of NAME CODE COMMAND ...: runs it, keeps what it prints in NAME.out, claims the exit code
output_of() {
    local name=$1 code=$2 status=0
    shift 2
    "$@" >"$name.out" 2>&1 || status=$?
    [ "$status" = "$code" ] || claim_failed "$name ends with $code" "it ended with $status" "$(cat "$name.out")"
    claim_ok "$name ends with $code"
}

output_of missing 1 "$HF_BIN" bucket diff -c starter.yaml
claim_match "a missing bucket is named, with what makes it" "holdfast bucket apply $bucket" "$(cat missing.out)"

# ---- a directory: it takes no documents, and cannot hold anything against root ----

if [ "$HF_STORE" = dir ]; then
    claim "apply makes the directory" apply starter.yaml
    claim "it is there" test -d "${HF_STORE_URL#dir://}/$bucket"
    claim "twice is as good as once" apply starter.yaml
    output_of diff 0 "$HF_BIN" bucket diff -c starter.yaml
    output_of probe 0 "$HF_BIN" bucket probe -c starter.yaml
    claim_match "probe says ADVISORY" 'ADVISORY.*root' "$(cat probe.out)"
    output_of compliance 2 apply strict.yaml
    claim_exit "and nothing was made" 1 test -e "${HF_STORE_URL#dir://}/$strict"
    exit 0
fi

# ---- the documents, as the store's own client reads them ----

s3api() { local verb=$1; shift; store_aws s3api "$verb" --bucket "$@"; }
# normal FILTER: the same form from both sides: stores give back less or more white space, order and empty members
normal() { jq -S "$1"; }
# Which unfinished uploads go is MinIO's own setting; it takes the rule and does not keep it.
lifecycle_form='.Rules | map({ID, Status, prefix: (.Filter.Prefix // .Prefix // ""), Expiration, NoncurrentVersionExpiration}
    | .Expiration |= with_entries(select(.value != false)))'

writer=arn:aws:iam:::user/web1
[ "$HF_STORE" = ceph ] || writer=arn:aws:iam::000000000000:user/web1
claim "apply makes the missing bucket" apply starter.yaml --writer "$writer"
claim_equal "with Object Lock" Enabled "$(s3api get-object-lock-configuration "$bucket" --query ObjectLockConfiguration.ObjectLockEnabled --output text)"
claim_equal "and versions" Enabled "$(s3api get-bucket-versioning "$bucket" --query Status --output text)"

default_lock() { s3api get-object-lock-configuration "$1" | jq -c '.ObjectLockConfiguration.Rule.DefaultRetention | [.Mode, .Days]'; }
claim_equal "the default lock is the set's" '["GOVERNANCE",1]' "$(default_lock "$bucket")"

s3api get-bucket-lifecycle-configuration "$bucket" | normal "$lifecycle_form" >lifecycle.there
normal "$lifecycle_form" <"$HF_ROOT/policies/starter/lifecycle.json" >lifecycle.wanted
claim "the lifecycle is the set's" diff lifecycle.wanted lifecycle.there
if [ "$HF_STORE" = ceph ]; then
    claim_equal "unfinished uploads included" 1 "$(s3api get-bucket-lifecycle-configuration "$bucket" --query 'Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation')"
fi

# The policy with its placeholders filled; a Sid has a suffix that tells prefixes apart, a lone principal may be no list.
policy_form='.Statement | map({Sid: .Sid[0:21], Effect, Action: ([.Action] | flatten | sort), Resource: ([.Resource] | flatten), Condition,
    who: ([.Principal.AWS] | flatten)}) | map(.Sid |= sub("[0-9a-f]+$"; "")) | sort_by(.Sid)
    | walk(if type == "array" and length == 1 and (.[0] | type) == "string" then .[0] else . end)'
s3api get-bucket-policy "$bucket" --query Policy --output text | normal "$policy_form" >policy.there
sed "s,\${BUCKET},$bucket,; s,\${PREFIX},web1,; s,\${WRITER},$writer," "$HF_ROOT/policies/starter/bucket-policy.json" | normal "$policy_form" >policy.wanted
claim "the bucket policy is the set's, for this writer and prefix" diff policy.wanted policy.there

# ---- again ----

everything() { default_lock "$bucket"; cat lifecycle.there policy.there; s3api get-bucket-tagging "$bucket" 2>/dev/null || true; }
before=$(everything)
claim "apply works on what is there" apply starter.yaml --writer "$writer"
s3api get-bucket-lifecycle-configuration "$bucket" | normal "$lifecycle_form" >lifecycle.there
s3api get-bucket-policy "$bucket" --query Policy --output text | normal "$policy_form" >policy.there
claim_equal "and changes nothing" "$before" "$(everything)"
output_of same 0 "$HF_BIN" bucket diff -c starter.yaml --writer "$writer"

# Another host's statements stay.
claim "apply for another writer below another prefix" apply starter.yaml --writer "${writer%web1}web2" --writer-prefix web2
claim_equal "keeps the first one's" 2 "$(s3api get-bucket-policy "$bucket" --query Policy --output text |
    jq -r '.Statement[] | select(.Sid | startswith("HoldfastWriterObjects")) | [.Resource] | flatten[]' | sort | uniq | wc -l)"
output_of with-another 0 "$HF_BIN" bucket diff -c starter.yaml --writer "$writer"

# ---- what a store adds, reorders and drops ----

# A set of its own: rules without an ID, moves in any order, a filter of two conditions.
# own FILE RULES: a configuration whose lifecycle is this, on a bucket of its own
own() {
    local name=$1 folder=$HF_TMP/set-$1
    mkdir -p "$folder"
    printf '{ "Rules": [ %s ] }\n' "$2" >"$folder/lifecycle.json"
    configure "$name.yaml" "$(bucket_name "$name")" none
    sed -i "s,policy: [^,]*,policy: $folder," "$name.yaml"
}
old='{ "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": { "NoncurrentDays": 30 } }'
own unnamed "$old, { \"Status\": \"Enabled\", \"Filter\": { \"Prefix\": \"b/\" }, \"NoncurrentVersionExpiration\": { \"NoncurrentDays\": 7 } }"
output_of unnamed-apply 0 apply unnamed.yaml
output_of unnamed 0 "$HF_BIN" bucket diff -c unnamed.yaml
claim_equal "a rule without an ID is none that differs" '' "$(grep -E '^(FAIL|note).*lifecycle' unnamed.out || true)"
output_of unnamed-again 0 apply unnamed.yaml
output_of unnamed-diff 0 "$HF_BIN" bucket diff -c unnamed.yaml
own both '{ "ID": "a", "Status": "Enabled", "Filter": { "And": { "Prefix": "x/", "Tags": [ { "Key": "k", "Value": "v" }, { "Key": "a", "Value": "b" } ] } }, "NoncurrentVersionExpiration": { "NoncurrentDays": 3 } }'
output_of both-apply 0 apply both.yaml # Ceph gives the prefix back in its old place
output_of both 0 "$HF_BIN" bucket diff -c both.yaml
if [ "$HF_STORE" = ceph ]; then # MinIO takes no class that it does not have
    own moves "$old, $(jq -c '.Rules[1]' <<<'{"Rules":[0,{"ID":"b","Status":"Enabled","Filter":{"Prefix":"b/"},"Transitions":[{"Days":30,"StorageClass":"STANDARD_IA"},{"Days":60,"StorageClass":"GLACIER"}]}]}')"
    output_of moves-apply 0 apply moves.yaml
    output_of moves 0 "$HF_BIN" bucket diff -c moves.yaml
fi
# What the store took and does not keep: both say so, with the same words; what it keeps, neither does.
own dropped '{ "ID": "big", "Status": "Enabled", "Filter": { "ObjectSizeGreaterThan": 500 }, "NoncurrentVersionExpiration": { "NoncurrentDays": 30, "NewerNoncurrentVersions": 2 } }'
applied=0
apply dropped.yaml >dropped-apply.out 2>&1 || applied=$?
differs=0
"$HF_BIN" bucket diff -c dropped.yaml >dropped.out 2>&1 || differs=$?
claim_equal "apply and diff agree on what is kept" "$differs" "$applied"
lost() { sed -n 's/^FAIL.*lifecycle[^:]*: //p' "$1"; }
claim_equal "and name the same" "$(lost dropped.out)" "$(lost dropped-apply.out)"
if [ "$HF_STORE" = ceph ]; then
    claim_match "apply names what Ceph drops" 'lifecycle, as the store keeps it: .*NewerNoncurrentVersions is not set, wanted 2' "$(cat dropped-apply.out)"
    claim_match "all of it" 'lifecycle, as the store keeps it: .*ObjectSizeGreaterThan is not set, wanted 500' "$(cat dropped-apply.out)"
fi

# ---- differences ----

# configured otherwise: the bucket's own retention and tags take the place of the set's
output_of days 1 "$HF_BIN" bucket diff -c longer.yaml
claim_match "diff says which days there are and which are wanted" 'default lock: Rule\.DefaultRetention\.Days is 1, wanted 3' "$(cat days.out)"
claim_match "and that the tag is missing" "team" "$(cat days.out)"
claim "apply sets them" apply longer.yaml
claim_equal "the retention of the configuration goes before the set's" '["GOVERNANCE",3]' "$(default_lock "$bucket")"
claim_equal "the tag is there" security "$(s3api get-bucket-tagging "$bucket" --query "TagSet[?Key=='team'].Value" --output text)"
output_of mended 0 "$HF_BIN" bucket diff -c longer.yaml

# changed behind our back
jq '.Rules[0].NoncurrentVersionExpiration.NoncurrentDays = 30' "$HF_ROOT/policies/starter/lifecycle.json" >changed.json
s3api put-bucket-lifecycle-configuration "$bucket" --lifecycle-configuration file://changed.json
output_of lifecycle 1 "$HF_BIN" bucket diff -c longer.yaml
claim_match "diff says what the lifecycle is and should be" "lifecycle: .*NoncurrentDays is 30, wanted 2" "$(cat lifecycle.out)"
claim_equal "that is all that differs" 1 "$(grep -c '^FAIL' lifecycle.out)"
output_of json 1 "$HF_BIN" bucket diff -c longer.yaml --json
claim_equal "also as JSON" '[1,false,1]' "$(jq -c '[.schema, .ok, ([.lines[] | select(.result == "fail")] | length)]' json.out)"
store_aws s3api delete-bucket-lifecycle --bucket "$bucket"
output_of no-lifecycle 1 "$HF_BIN" bucket diff -c longer.yaml
claim_match "diff says that there is no lifecycle" "^FAIL .*lifecycle: " "$(cat no-lifecycle.out)"

# ---- COMPLIANCE ----

output_of compliance 2 apply strict.yaml
claim_match "apply names the option" 'accept-irreversible' "$(cat compliance.out)"
claim_refused "and made nothing" '404|Not Found' store_aws s3api head-bucket --bucket "$strict"
claim "accepted, it is done" apply strict.yaml --accept-irreversible
claim_equal "the default lock is COMPLIANCE" '["COMPLIANCE",1]' "$(default_lock "$strict")"

# ---- probe ----

output_of probe 0 "$HF_BIN" bucket probe -c longer.yaml
claim_match "shortening the lock was tried and refused" '^ok .*shortening its lock: refused' "$(cat probe.out)"
claim_match "deleting the version was tried and refused" '^ok .*deleting its version: refused' "$(cat probe.out)"
probe_key=$(sed -n "s/.*left behind until [^:]*:[^:]*:[^:]*: '\([^']*\)'.*/\1/p" probe.out)
claim_match "the object it left is below the trail's prefix" '^web1/' "$probe_key"
claim_equal "and is locked there" GOVERNANCE "$(s3api head-object "$bucket" --key "$probe_key" --query ObjectLockMode --output text)"

store_aws s3api create-bucket --bucket "$plain" >/dev/null
output_of probe-plain 1 "$HF_BIN" bucket probe -c wants-lock.yaml
claim_match "a bucket without Object Lock does not pass" "^FAIL" "$(cat probe-plain.out)"
output_of apply-plain 1 apply wants-lock.yaml
claim_match "nor does apply take it for a locked one" 'without Object Lock' "$(cat apply-plain.out)"
claim "where no lock is wanted it does" apply unlocked.yaml

# ---- what cannot be done now, or is wrong ----

claim_exit "a bucket that the configuration does not name is a usage error" 2 "$HF_BIN" bucket diff -c starter.yaml other-bucket
write_credentials wrong-credentials nobody wrong-secret-key-0123456789
output_of denied 3 "$HF_BIN" bucket apply -c starter.yaml --credentials-file wrong-credentials
claim_match "wrong credentials are said" 'FAIL' "$(cat denied.out)"
