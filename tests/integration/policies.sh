#!/usr/bin/env bash
# Every policy set is put on the store by one `bucket apply`, read back by the store's own clients as intended, and does
# what it says: to the writer, the reader, the break-glass user and the owner. What the store refuses is named with its
# consequence. The configuration's retention and lifecycle go before the set's, bucket by bucket, and `bucket diff` says
# what differs, role by role.
# stores: ceph minio
# seconds: 120
# timeout: 600
. "$(dirname "$0")/run-helpers"

"$HF_BIN" key new digest.key >/dev/null 2>&1
sets=(starter sec-17a-4 pci-dss hipaa sox nist-800-53)
document() { printf '%s/policies/%s/%s.json' "$HF_ROOT" "$1" "$2"; }
set_lock() { jq -c '.Rule.DefaultRetention | [.Mode, .Days]' "$(document "$1" object-lock)"; }
is_compliance() { [ "$(set_lock "$1" | jq -r '.[0]')" = COMPLIANCE ]; }
s3api() { local verb=$1; shift; store_aws s3api "$verb" --bucket "$@"; }

# s3_try [DIRECTORY]: calls from stdin, many in one process; a process of the AWS CLI for each would take minutes.
s3_try() {
    AWS_EC2_METADATA_DISABLED=true AWS_REQUEST_CHECKSUM_CALCULATION=when_required \
        "$HF_ROOT/tests/support/s3-try" "$HF_STORE_URL" "$HF_STORE_REGION" "$HF_STORE_CA" "$@"
}
# read_back SET ...: the documents of their buckets, as there/SET-lock.json, -lifecycle, -policy, -encryption, -tags; what is
# not set has none.
read_back() {
    local set
    rm -rf there
    mkdir there
    for set in "$@"; do
        printf "$set-%s\t$HF_STORE_DIR/credentials\t%s\t{\"Bucket\": \"$(bucket_name "$set")\"}\n" lock get_object_lock_configuration \
            lifecycle get_bucket_lifecycle_configuration policy get_bucket_policy encryption get_bucket_encryption tags get_bucket_tagging
    done | s3_try there >read
    for set in "$@"; do [ ! -e "there/$set-policy.json" ] || jq -r .Policy "there/$set-policy.json" >"$set.policy"; done
}

# ---- one configuration, a bucket for each set ----

# configure FILE [CREDENTIALS]: on stdin lines NAME REST-OF-ENTRY
configure() {
    local name rest entries='' trails=''
    while read -r name rest; do
        entries+="  - { name: $(bucket_name "$name"), store: main, $rest }"$'\n'
        trails+="  - { name: trail-$name, bucket: $(bucket_name "$name"), encryption: none, digest: { key_file: digest.key } }"$'\n'
    done
    cat >"$1" <<YAML
agent: { state_dir: state, host: web1 }
stores:
$(store_yaml main ${2:+"$2"})
sources:
  - { name: app, type: socket, path: intake.sock }
buckets:
${entries}trails:
$trails
YAML
}
for set in "${sets[@]}"; do
    printf '%s policy: %s/policies/%s, retention: %s\n' "$set" "$HF_ROOT" "$set" \
        "$(set_lock "$set" | jq -r '"{ mode: \(.[0] | ascii_downcase), days: \(.[1]) }"')"
done | configure all.yaml

declare -A arn
for role in writer reader glass; do
    arn[$role]=arn:aws:iam::$([ "$HF_STORE" = ceph ] || echo 000000000000):user/$HF_TEST_ID-$role
done
for_roles=(--writer "${arn[writer]}" --reader "${arn[reader]}" --break-glass "${arn[glass]}")

# run_code NAME CODE COMMAND ...: keeps what it prints in NAME.out
run_code() {
    local name=$1 code=$2 status=0
    shift 2
    "$@" >"$name.out" 2>&1 || status=$?
    [ "$status" = "$code" ] || claim_failed "$name ends with $code" "it ended with $status" "$(cat "$name.out")"
    claim_ok "$name ends with $code"
}
lines_of() { # NAME SET: a bucket's lines, each with what mends it
    awk -v bucket="$(bucket_name "$2"):" '/^(ok|note|FAIL)/ { its = $2 == bucket } its' "$1.out"
}

# Both stores refuse something: Ceph 16 knows no default encryption, MinIO no storage class but those of its tiers.
run_code apply 1 "$HF_BIN" bucket apply -c all.yaml --accept-irreversible "${for_roles[@]}"
for set in "${sets[@]}"; do
    said=$(lines_of apply "$set")
    days=$(jq -r '[.Rules[].Transitions[]?.Days] | first // empty' "$(document "$set" lifecycle)")
    case $HF_STORE/$set in
    */starter) claim_equal "$set: nothing is refused" 0 "$(grep -c FAIL <<<"$said")" ;;
    ceph/*)
        claim_match "$set: the document that the store refuses is named" 'FAIL .*the default encryption was not set: .*InvalidArgument' "$said"
        claim_match "and what follows from it" '-> .*what is to be encrypted has to come encrypted' "$said"
        claim_match "it is said that a class may be missing all the same" "note .*storage class GLACIER after $days days.*moves nothing" "$said"
        ;;
    minio/*)
        claim_match "$set: the move that the store refuses is named" "FAIL .*move to storage class GLACIER after $days days was not set: .*InvalidStorageClass" "$said"
        claim_match "and what follows from it" '-> everything stays in the storage class that it was put in, at its price' "$said"
        claim_match "the rest of the lifecycle is set" 'ok .*set the rest of the lifecycle' "$said"
        ;;
    esac
    [ "$set" = starter ] || claim_equal "$set: nothing else is refused" 1 "$(grep -c FAIL <<<"$said")"
done
claim_equal "90 days are at hand with pci-dss" 90 "$(jq '.Rules[].Transitions[]?.Days' "$(document pci-dss lifecycle)")"

# ---- read back by the store's own clients ----

# MinIO refuses moves, and does not keep the rule on unfinished uploads.
lifecycle_form='.Rules | map({ID, Status, prefix: (.Filter.Prefix // .Prefix // ""), Expiration, NoncurrentVersionExpiration, Transitions,
    AbortIncompleteMultipartUpload} | .Expiration |= ((. // {}) | with_entries(select(.value != false)))) | sort_by(.ID)'
[ "$HF_STORE" = ceph ] || lifecycle_form+=' | map(select(.Transitions == null) | del(.AbortIncompleteMultipartUpload))'
# Without the suffix that tells prefixes apart; the order of actions is the store's.
policy_form='[.Statement[] | {Sid: (.Sid | sub("[0-9a-f]{8}$"; "")), Effect, Action: ([.Action] | flatten | sort), Resource: ([.Resource] | flatten),
    Condition: ([.Condition | .. | scalars | tostring] | sort), who: ([.Principal.AWS] | flatten)}] | sort_by(.Sid)'
filled() { # SET: the three documents as one
    cat "$(document "$1" bucket-policy)" "$(document "$1" bucket-policy-reader)" "$(document "$1" bucket-policy-break-glass)" |
        sed "s,\${BUCKET},$(bucket_name "$1"),g; s,\${PREFIX},web1,g; s,\${DAYS},$(set_lock "$1" | jq '.[1]'),g; s,\${WRITER},${arn[writer]},g; s,\${READER},${arn[reader]},g; s,\${BREAK_GLASS},${arn[glass]},g" |
        jq -s '{Statement: map(.Statement[])}'
}
read_back "${sets[@]}"
for set in "${sets[@]}"; do
    claim_equal "$set: the default lock is the set's" "$(set_lock "$set")" \
        "$(jq -c '.ObjectLockConfiguration.Rule.DefaultRetention | [.Mode, .Days]' "there/$set-lock.json")"
    jq -S "$lifecycle_form" "there/$set-lifecycle.json" >lifecycle.there
    jq -S "$lifecycle_form" "$(document "$set" lifecycle)" >lifecycle.wanted
    claim "$set: the lifecycle is the set's, as far as the store takes it" diff lifecycle.wanted lifecycle.there
    jq -S "$policy_form" "$set.policy" >policy.there
    filled "$set" | jq -S "$policy_form" >policy.wanted
    claim "$set: the bucket policy has the set's statements for the three roles" diff policy.wanted policy.there
    if [ "$HF_STORE" = minio ] && [ "$set" != starter ]; then
        claim_equal "$set: the default encryption is the set's" "$(jq -c '[.Rules[].ApplyServerSideEncryptionByDefault.SSEAlgorithm]' "$(document "$set" encryption)")" \
            "$(jq -c '[.ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault.SSEAlgorithm]' "there/$set-encryption.json")"
    fi
done
# The same from the programs: the AWS CLI and s3cmd.
claim_equal "the AWS CLI reads the lock of sec-17a-4" 'COMPLIANCE 2192' "$(s3api get-object-lock-configuration "$(bucket_name sec-17a-4)" \
    --query 'ObjectLockConfiguration.Rule.DefaultRetention.[Mode,Days]' --output text | xargs)"
claim_match "s3cmd reads the lifecycle of pci-dss" '<NoncurrentDays>30</NoncurrentDays>' "$(store_s3cmd getlifecycle "s3://$(bucket_name pci-dss)")"

# ---- what each may do ----

# On Ceph the bucket policy gives rights; MinIO's users have them from policies of their own, made of the same statements.
for role in writer reader glass; do
    [ "$HF_STORE" = ceph ] || continue
    read -r access secret _ < <("$HF_ROOT/tests/support/stores/ceph" user "$HF_STORE_DIR" "$HF_TEST_ID-$role" -)
    for set in "${sets[@]}"; do write_credentials "$set.$role" "$access" "$secret"; done
done
for set in "${sets[@]}"; do
    [ "$HF_STORE" = minio ] || continue
    for role in writer reader glass; do
        printf 'user\t%s\tassume_role\t' "$HF_STORE_DIR/credentials"
        jq -c --arg arn "${arn[$role]}" --arg to "$set.$role" '{To: $to, Policy: ({Version, Statement:
            [.Statement[] | select([.Principal.AWS] | flatten | index($arn)) | del(.Principal)]} | tojson)}' "$set.policy"
    done
done | s3_try >users

# try NAME ROLE OPERATION PARAMETERS WANTED: one line for s3-try, and beside it what is to come of it
: >calls
: >wanted
try() {
    local credentials=$set.$2
    [ "$2" != owner ] || credentials=$HF_STORE_DIR/credentials
    printf '%s/%s\t%s\t%s\t%s\n' "$set" "$1" "$credentials" "$3" \
        "$(jq -c --arg bucket "$bucket" --arg set "$set" '{Bucket: $bucket} + . | if .VersionId then .VersionId |= sub("^@"; "@\($set)/") else . end' <<<"$4")" >>calls
    printf '%s/%s %s\n' "$set" "$1" "$5" >>wanted
}
denied='(AccessDenied|403) 403'
held='(AccessDenied|InvalidRequest|403) (403|400)' # by the lock: MinIO calls it an invalid request
bypass='"BypassGovernanceRetention": true'
for set in "${sets[@]}"; do
    bucket=$(bucket_name "$set")
    mode=$(set_lock "$set" | jq -r '.[0]')
    days=$(set_lock "$set" | jq -r '.[1]')
    sooner="\"Retention\": {\"Mode\": \"$mode\", \"RetainUntilDate\": \"$(rfc3339 '+1 hour')\"}"
    later="\"Retention\": {\"Mode\": \"$mode\", \"RetainUntilDate\": \"$(rfc3339 "+$((days + 30)) days")\"}"

    try puts-below-its-prefix writer put_object '{"Key": "web1/a", "Body": "mine"}' ok
    try owner-puts-below-another owner put_object '{"Key": "web2/b", "Body": "not yours"}' ok
    try reads-it-back writer get_object '{"Key": "web1/a"}' ok
    try reads-its-lock writer get_object_retention '{"Key": "web1/a"}' ok
    try lists-its-prefix writer list_objects_v2 '{"Prefix": "web1/"}' ok
    try no-put-elsewhere writer put_object '{"Key": "web2/a", "Body": "x"}' "$denied"
    try no-read-elsewhere writer get_object '{"Key": "web2/b"}' "$denied"
    try no-list-elsewhere writer list_objects_v2 '{"Prefix": "web2/"}' "$denied"
    try no-list-of-all writer list_objects_v2 '{}' "$denied"
    try no-hiding writer delete_object '{"Key": "web1/a"}' "$denied"
    try no-delete writer delete_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' "$held"
    try no-bypass writer delete_object "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $bypass}" "$held"
    try no-shorter-lock writer put_object_retention "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $sooner, $bypass}" "$held"
    # MinIO lets whoever may set a lock shorten it, whatever else is denied: only the time left can be denied there.
    [ "$HF_STORE/$set" != minio/starter ] || sed -i '$s/ [^ ]* [^ ]*$/ ok/' wanted
    try full-lock writer put_object "{\"Key\": \"web1/full\", \"Body\": \"x\", \"ObjectLockMode\": \"$mode\", \"ObjectLockRetainUntilDate\": \"$(rfc3339 "+$days days +1 minute")\"}" ok
    try no-policy-of-its-own writer put_bucket_policy '{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}' "$denied"

    try reader-reads-all reader get_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' ok
    try reader-reads-elsewhere reader get_object '{"Key": "web2/b"}' ok
    try reader-reads-locks reader get_object_retention '{"Key": "web1/a"}' ok
    try reader-lists reader list_objects_v2 '{}' ok
    try reader-lists-versions reader list_object_versions '{}' ok
    try reader-reads-lifecycle reader get_bucket_lifecycle_configuration '{}' ok
    try reader-reads-default-lock reader get_object_lock_configuration '{}' ok
    try reader-reads-policy reader get_bucket_policy '{}' ok
    try reader-puts-not reader put_object '{"Key": "web1/r", "Body": "x"}' "$denied"
    try reader-hides-not reader delete_object '{"Key": "web1/a"}' "$denied"
    try reader-deletes-not reader delete_object "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $bypass}" "$held"
    try reader-locks-not reader put_object_retention "{\"Key\": \"web1/a\", $later}" "$denied"
    try reader-holds-not reader put_object_legal_hold '{"Key": "web1/a", "LegalHold": {"Status": "ON"}}' "$denied"

    try owner-cannot-delete owner delete_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' "$held"
    try glass-puts-not glass put_object '{"Key": "web1/g", "Body": "x"}' "$denied"
    try glass-sets-no-policy glass put_bucket_policy '{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}' "$denied"
    try glass-sets-no-lifecycle glass delete_bucket_lifecycle '{}' "$denied"
    try glass-reads glass get_object '{"Key": "web1/a"}' ok
    try glass-lists-versions glass list_object_versions '{}' ok
    try glass-extends glass put_object_retention "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $later}" ok
    try glass-holds glass put_object_legal_hold '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix", "LegalHold": {"Status": "ON"}}' ok
    try glass-deletes-nothing-held glass delete_object "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $bypass}" "$held"
    try glass-releases glass put_object_legal_hold '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix", "LegalHold": {"Status": "OFF"}}' ok
    try glass-deletes-nothing-locked glass delete_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' "$held"
    try glass-hides glass delete_object '{"Key": "web1/a"}' ok
    try glass-shows-again glass delete_object '{"Key": "web1/a", "VersionId": "@glass-hides"}' ok
    try still-there reader get_object '{"Key": "web1/a"}' ok
    if is_compliance "$set"; then
        try glass-shortens-no-compliance glass put_object_retention "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $sooner, $bypass}" "$held"
        try glass-bypasses-no-compliance glass delete_object "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $bypass}" "$held"
        try nor-does-the-owner owner delete_object "{\"Key\": \"web2/b\", \"VersionId\": \"@owner-puts-below-another\", $bypass}" "$held"
        try it-lies-there-yet reader get_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' ok
    else
        try glass-shortens glass put_object_retention "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $sooner, $bypass}" ok
        try glass-bypasses glass delete_object "{\"Key\": \"web1/a\", \"VersionId\": \"@puts-below-its-prefix\", $bypass}" ok
        try it-is-gone reader get_object '{"Key": "web1/a", "VersionId": "@puts-below-its-prefix"}' '(NoSuchKey|NoSuchVersion) 404'
    fi
done
s3_try <calls >results
claim_equal "every call was made" "$(wc -l <calls)" "$(wc -l <results)"
while read -r name expected; do
    claim_match "${name/\// }: ${expected%% *}" "^${name} $expected\$" "$(grep "^$name " results)"
done <wanted

# What came without a lock of its own has the set's.
for set in sec-17a-4 pci-dss; do
    head=$(s3api head-object "$(bucket_name "$set")" --key web2/b)
    claim_equal "$set: what comes without a lock gets the set's mode" "$(set_lock "$set" | jq -r '.[0]')" "$(jq -r .ObjectLockMode <<<"$head")"
    left=$((($(date -d "$(jq -r .ObjectLockRetainUntilDate <<<"$head")" +%s) - $(date +%s) + 43200) / 86400))
    claim_equal "and the set's time" "$(set_lock "$set" | jq '.[1]')" "$left"
    claim_equal "and the default encryption, where the store has one" "$([ "$HF_STORE" = ceph ] || echo AES256)" \
        "$(jq -r '.ServerSideEncryption // empty' <<<"$head")"
done

# ---- an agent with the writer's rights, and validate with the reader's ----

configure agent.yaml "$HF_TMP/sec-17a-4.writer" <<<"sec-17a-4 retention: { mode: compliance, days: 2192 }"
agent_start writer "$HF_TMP/agent.yaml"
claim "an agent takes an event" "$HF_BIN" emit -c agent.yaml <<<'one event'
claim "and delivers it with no rights but the writer's" "$HF_BIN" flush -c agent.yaml
agent_stop writer
claim "the reader's rights suffice to validate it" "$HF_BIN" validate -c agent.yaml --credentials-file sec-17a-4.reader

# ---- differences, in plain words ----

run_code same 1 "$HF_BIN" bucket diff -c all.yaml "${for_roles[@]}"
for set in "${sets[@]}"; do
    said=$(lines_of same "$set")
    case $HF_STORE/$set in
    */starter) claim_equal "$set: nothing differs" 0 "$(grep -c FAIL <<<"$said")" ;;
    ceph/*) claim_equal "$set: only what was refused differs" 'default encryption' "$(sed -n 's/^FAIL [^:]*: \([^:]*\):.*/\1/p' <<<"$said" | sort -u)" ;;
    minio/*) claim_equal "$set: only what was refused differs" "Rules 'holdfast-$set-archive'" \
        "$(sed -n "s/^FAIL [^:]*: lifecycle: \(Rules '[^']*'\).*/\1/p; t; s/^FAIL/?/p" <<<"$said" | sort -u)" ;;
    esac
    for role in writer reader break-glass; do
        claim_match "$set: the policy of the $role is as configured" "^ok .*: bucket policy, $role: as configured" "$said"
    done
done

# Changed behind our back: the reader's rights and the writer's, one by one; the break-glass user's are gone.
bucket=$(bucket_name pci-dss)
jq '.Statement |= map(select(.Sid | startswith("HoldfastBreakGlass") | not) | if .Sid == "HoldfastReaderObjects" then .Action += ["s3:PutObject"]
    elif (.Sid | startswith("HoldfastWriterObjects")) then .Action -= ["s3:GetObject"] else . end)' pci-dss.policy >changed.json
s3api put-bucket-policy "$bucket" --policy file://changed.json
s3api put-bucket-tagging "$bucket" --tagging 'TagSet=[{Key=team,Value=sales}]'
s3api put-object-lock-configuration "$bucket" --object-lock-configuration \
    '{"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}}}'
[ "$HF_STORE" = ceph ] || s3api delete-bucket-encryption "$bucket"

# ---- three buckets, each with overrides of its own, in one go ----

rule() { jq -n --arg id "$1" --argjson days "$2" '{Rules: [{ID: $id, Status: "Enabled", Filter: {Prefix: ""}, NoncurrentVersionExpiration: {NoncurrentDays: $days}}]}'; }
rule of-starter 3 >of-starter.json
rule of-hipaa 60 >of-hipaa.json
configure over.yaml <<BUCKETS
starter policy: $HF_ROOT/policies/starter, retention: { mode: governance, days: 5 }, lifecycle: of-starter.json
pci-dss policy: $HF_ROOT/policies/pci-dss, retention: { mode: governance, days: 400 }, tags: [team=security]
hipaa policy: $HF_ROOT/policies/hipaa, retention: { mode: governance, days: 30 }, lifecycle: of-hipaa.json
BUCKETS
run_code changed 1 "$HF_BIN" bucket diff -c over.yaml "${for_roles[@]}"
said=$(lines_of changed pci-dss)
claim_match "diff: the default lock, there and wanted" 'FAIL .*default lock: .*Days is 7, wanted 400' "$said"
claim_match "diff: the tag" "FAIL .*tags: .*'team'.Value is sales, wanted security" "$said"
claim_match "diff: what the writer lacks" 'FAIL .*bucket policy, writer: .*Action is not set, wanted s3:GetObject$' "$said"
claim_match "diff: what the reader has too much" 'FAIL .*bucket policy, reader: .*Action is s3:PutObject, not wanted' "$said"
claim_match "diff: that nobody has the break-glass rights" "FAIL .*bucket policy, break-glass: .*not set, wanted s3:BypassGovernanceRetention" "$said"
claim_match "diff: the encryption" 'FAIL .*default encryption: .*SSEAlgorithm is not set, wanted AES256' "$said"
claim_match "diff: another bucket's lifecycle" "FAIL .*lifecycle: Rules 'of-hipaa'.*is not set, wanted 60" "$(lines_of changed hipaa)"
claim_match "diff: and a third one's" "FAIL .*lifecycle: Rules 'holdfast-starter'.*, not wanted" "$(lines_of changed starter)"

run_code over 1 "$HF_BIN" bucket apply -c over.yaml "${for_roles[@]}"
of_bucket() { # SET: its lock's days, its rules on noncurrent versions with their days, its tags
    jq .ObjectLockConfiguration.Rule.DefaultRetention.Days "there/$1-lock.json"
    jq -r '.Rules[] | select(.NoncurrentVersionExpiration) | "\(.ID)=\(.NoncurrentVersionExpiration.NoncurrentDays)"' "there/$1-lifecycle.json"
    [ ! -e "there/$1-tags.json" ] || jq -r '.TagSet[].Value' "there/$1-tags.json"
}
read_back starter pci-dss hipaa sox
claim_equal "the first has its own days and lifecycle" '5 of-starter=3' "$(of_bucket starter | xargs)"
claim_equal "the second its own days and tags, and the set's lifecycle" '400 holdfast-pci-dss=30 security' "$(of_bucket pci-dss | xargs)"
claim_equal "the third others" '30 of-hipaa=60' "$(of_bucket hipaa | xargs)"
claim_equal "a bucket that was not named stays" '2557 holdfast-sox=30' "$(of_bucket sox | xargs)"
shorter='note .*retention of 30 days is shorter than the policy set.s term of 2192: .*2162 days too early'
claim_match "apply says that 30 days are not the set's six years" "$shorter" "$(lines_of over hipaa)"
claim_equal "and of a longer retention nothing" 0 "$(lines_of over pci-dss | grep -c 'shorter than')"
run_code mended 1 "$HF_BIN" bucket diff -c over.yaml "${for_roles[@]}"
claim_equal "starter: nothing differs any more" 0 "$(lines_of mended starter | grep -c FAIL)"
claim_match "diff says that 30 days are not the set's six years" "$shorter" "$(lines_of mended hipaa)"
claim_match "so does check" "$shorter" "$("$HF_BIN" check -c over.yaml 2>&1 || true)"

# ---- what may not be put, and what is refused ----

jq -n '{Rules: [{ID: "too-early", Status: "Enabled", Filter: {Prefix: ""}, Expiration: {Days: 90}}]}' >too-early.json
configure early.yaml <<<"sox policy: $HF_ROOT/policies/sox, retention: { mode: governance, days: 2557 }, lifecycle: too-early.json"
run_code early 1 "$HF_BIN" bucket apply -c early.yaml
claim_match "a lifecycle that hides what is locked is not put" "FAIL .*the lifecycle was not set: its rule 'too-early' would hide current versions after 90 days, and they are locked for 2557" "$(cat early.out)"
read_back sox
claim_equal "the one that was there stays" '2557 holdfast-sox=30' "$(of_bucket sox | xargs)"

cp -r "$HF_ROOT/policies/nist-800-53" odd
jq '.Statement[0].Action += ["s3:NoSuchRight"]' "$(document nist-800-53 bucket-policy-reader)" >odd/bucket-policy-reader.json
configure odd.yaml <<<"nist-800-53 policy: odd, retention: { mode: governance, days: 1096 }"
store_aws s3api delete-bucket-policy --bucket "$(bucket_name nist-800-53)"
run_code odd 1 "$HF_BIN" bucket apply -c odd.yaml "${for_roles[@]}"
claim_match "a role's document that the store refuses is named" 'FAIL .*the bucket policy, reader was not set: .*400' "$(cat odd.out)"
claim_match "and what follows from it" '-> whoever examines the evidence has no rights from it' "$(cat odd.out)"
claim_equal "the others' are set" 'HoldfastBreakGlassList HoldfastBreakGlassObjects HoldfastWriterFullTerm HoldfastWriterList HoldfastWriterNever HoldfastWriterObjects' \
    "$(s3api get-bucket-policy "$(bucket_name nist-800-53)" --query Policy --output text | jq -r '.Statement[].Sid | sub("[0-9a-f]{8}$"; "")' | sort | xargs)"
