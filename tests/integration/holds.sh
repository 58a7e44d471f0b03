#!/usr/bin/env bash
# What is wrong at a store never stops the agent: the trail is held or waits, `status` and `check` say why and what
# mends it, the log says it once, intake goes on; once mended it delivers by itself, each event once.
# stores: dir ceph minio
# seconds: 250
# timeout: 400
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

within=60 # seconds from the mending to the last event's delivery: the longest wait between two tries is 30

# is_stuck NAME STATE PATTERN: the trail's state and reason
is_stuck() {
    agent_status "$1" | jq -e --arg state "$2" --arg reason "$3" \
        '.ok == false and (.trails[0] | .state == $state and (.reason // "" | test($reason)) and .since != null)' >/dev/null
}
# tried_again NAME: it has tried three times and more by itself
tried_again() { [ "$(trail_field "$1" audit .failures)" -ge 3 ]; }

# trouble NAME STATE PATTERN [CHECK_PATTERN]: agent NAME runs into it. Its first 100 events are taken meanwhile.
trouble() {
    local name=$1 state=$2 pattern=$3 check=${4:-$3}
    agent_start "$name"
    emit "$name" 0 100
    claim_within "$name: the trail is $state, and the reason names the remedy" 20 is_stuck "$name" "$state" "$pattern"
    claim_refused "$name: so says status for people" "$pattern" "$HF_BIN" status -c "$name/holdfast.yaml"
    claim_exit "$name: with exit code 1" 1 "$HF_BIN" status -c "$name/holdfast.yaml"
    claim_exit "$name: check finds it" 1 "$HF_BIN" check -c "$name/holdfast.yaml"
    claim_refused "$name: and names the remedy" "$check" "$HF_BIN" check -c "$name/holdfast.yaml"
    claim_refused "$name: in JSON, too" 'fail' "$HF_BIN" check -c "$name/holdfast.yaml" --json
}

# once NAME PATTERN: after more tries there still is one line in the log
once() {
    claim_within "$1: it tries again by itself" 30 tried_again "$1"
    emit "$1" 100 100
    claim_equal "$1: one line in the log, not one for each try" 1 "$(log_count "$1" 'trail\.(held|waiting) ')"
    claim_match "$1: it gives the reason" "$2" "$(grep -E 'trail\.(held|waiting) ' "$1/agent.log")"
}

# mended NAME: everything arrives, without help
mended() {
    claim_within "$1: mended, it delivers by itself" "$within" delivered "$1" audit
    emit "$1" 200 50
    claim "$1: and goes on" "$HF_BIN" flush -c "$1/holdfast.yaml" --timeout 30s
    claim_arrived "$1: each event exactly once" "$1" audit 0 250
    claim_equal "$1: said in the log, once" 1 "$(log_count "$1" 'trail\.ready ')"
    claim "$1: status is well" "$HF_BIN" status -c "$1/holdfast.yaml"
    agent_stop "$1"
}

# ---- a chain that is not this state directory's ----

# chain_before NAME: a chain of one agent, 100 events long; the agent is stopped
chain_before() {
    bucket_make "$(bucket_name "$1")"
    agent_config "$1" "$(bucket_name "$1")"
    agent_start "$1"
    emit "$1" 0 100
    claim "$1: a chain begins" "$HF_BIN" flush -c "$1/holdfast.yaml" --timeout 30s
}
# stays_held NAME REASON: also after more tries, and nothing was put
stays_held() {
    local keys
    keys=$(bucket_keys "$(bucket_name "$1")")
    : >"$1/agent.log"
    trouble "$1" held "$2" 'holdfast status'
    once "$1" "$2"
    claim_equal "$1: nothing was put into the bucket" "$keys" "$(bucket_keys "$(bucket_name "$1")")"
    claim_exit "$1: flush says that it could not" 3 "$HF_BIN" flush -c "$1/holdfast.yaml" --timeout 1s
    agent_kill "$1"
}
foreign_chains() {
    chain_before lost
    agent_stop lost
    rm -rf lost/state
    stays_held lost 'lost its state directory.*holdfast chain new --trail audit'

    chain_before old
    agent_stop old
    cp -a old/state old/older
    agent_start old
    emit old 100 100
    agent_stop old
    rm -rf old/state && mv old/older old/state
    stays_held old 'rolled back or copied.*holdfast chain new --trail audit'
}

# ---- a directory: the folder is missing, or may not be written to ----

if [ "$HF_STORE" = dir ]; then
    root=${HF_STORE_URL#dir://}
    agent_config missing "$(bucket_name missing)"
    trouble missing held 'no folder.*holdfast bucket apply' 'holdfast bucket apply'
    once missing 'holdfast bucket apply'
    mkdir "$root/$(bucket_name missing)"
    mended missing

    agent_config file "$(bucket_name file)"
    : >"$root/$(bucket_name file)"
    trouble file held 'not a directory; move it away'
    once file 'not a directory'
    rm "$root/$(bucket_name file)" && mkdir "$root/$(bucket_name file)"
    mended file

    foreign_chains
    exit 0
fi

# ---- S3: every agent runs into its own trouble, then all are mended ----

# Beside the run's store one of this test's own, over TLS, which can be taken away.
own_store=$HF_TMP/store fixture=$HF_ROOT/tests/support/stores/$HF_STORE
tls=()
[ "$HF_STORE" != ceph ] || tls=(--tls)
"$fixture" start "$own_store" "${tls[@]}" --owner $$ >/dev/null
on_own_store() { (store_load "$own_store" && "$@"); }
copy_credentials() { install -m 600 "$HF_STORE_DIR/credentials" "$1/credentials"; }
with_credentials() { agent_config "$1" "$(bucket_name "$1")" "$(store_yaml main "$HF_TMP/$1/credentials")"; }

agent_config missing "$(bucket_name missing)"
trouble missing held 'no bucket.*holdfast bucket apply' 'holdfast bucket apply'

store_aws s3api create-bucket --bucket "$(bucket_name unlocked)" >/dev/null
agent_config unlocked "$(bucket_name unlocked)"
trouble unlocked held 'has no Object Lock.*holdfast bucket apply' 'without Object Lock.*holdfast bucket apply|holdfast bucket apply.*Object Lock'

bucket_make "$(bucket_name secret)"
with_credentials secret
write_credentials secret/credentials "$HF_STORE_ADMIN_ACCESS_KEY" "$(random_word 40)"
trouble secret held 'SignatureDoesNotMatch.*credentials_file'

bucket_make "$(bucket_name unknown)"
with_credentials unknown
write_credentials unknown/credentials "$(random_word 20)" "$(random_word 40)"
trouble unknown held 'InvalidAccessKeyId.*credentials_file'

bucket_make "$(bucket_name nokeys)"
with_credentials nokeys
trouble nokeys held "nokeys/credentials'"

# Credentials that may look, but not put: each check is well, each PUT is not.
bucket_make "$(bucket_name denied)"
with_credentials denied
jq -n --arg bucket "arn:aws:s3:::$(bucket_name denied)" '{Version: "2012-10-17", Statement: [{Effect: "Allow", Resource: [$bucket, "\($bucket)/*"],
    Action: ["s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketObjectLockConfiguration"]}]}' >reader.json
second_user "$(bucket_name reader)" "$(bucket_name denied)" "$HF_TMP/reader.json" "$HF_TMP/denied/credentials"
trouble denied held 'right to PutObject.*AccessDenied' 'holdfast status'

mkdir -p wrong authority
make_ca "$HF_TMP/wrong"
cp wrong/ca.pem authority/ca.pem
on_own_store bucket_make "$(bucket_name authority)"
on_own_store eval 'HF_STORE_CA=$HF_TMP/authority/ca.pem agent_config authority "$(bucket_name authority)"'
trouble authority held '(certificate|verif).*ca_file'

# This host's clock is wrong: by an hour, of which only this agent knows.
skewed=''
if clock_program; then
    skewed=1
    bucket_make "$(bucket_name skew)"
    agent_config skew "$(bucket_name skew)"
    clock_set +3600
    host_program=$HF_BIN HF_BIN=$HF_TMP/clock/holdfast
    trouble skew held "set this host's clock|clock is [0-9]+ s ahead of the store's; set it" "set this host's clock|timedatectl"
    HF_BIN=$host_program
else
    echo "# left out: a clock that is wrong: no libfaketime (Debian: faketime)"
fi

for name in missing unlocked; do once $name 'holdfast bucket apply'; done
for name in secret unknown nokeys; do once $name 'credentials'; done
once denied 'PutObject'
claim_equal "denied: nor does it say that it was well in between" 0 "$(log_count denied 'trail\.ready ')"
once authority 'ca_file'
[ -z "$skewed" ] || once skew 'clock'

copy_credentials nokeys
chmod 644 nokeys/credentials
"$HF_BIN" flush -c nokeys/holdfast.yaml --timeout 1s >/dev/null 2>&1 || true # which tries at once
claim_within "nokeys: credentials that others may read are not used" 40 is_stuck nokeys held 'chmod'

claim "missing: the command that status names makes it" "$HF_BIN" bucket apply -c missing/holdfast.yaml
store_aws s3api delete-bucket --bucket "$(bucket_name unlocked)" && bucket_make "$(bucket_name unlocked)"
for name in secret unknown denied; do copy_credentials $name; done
chmod 600 nokeys/credentials
on_own_store eval 'cp "$HF_STORE_CA" authority/ca.pem'
if [ -n "$skewed" ]; then
    clock_set +0
    # A clock that is set is an event, whose stamp ends the window before it; one that libfaketime sets is not.
    emit skew 1000000000 1
fi
for name in missing unlocked secret unknown nokeys denied authority ${skewed:+skew}; do mended $name; done

on_own_store bucket_make "$(bucket_name away)"
on_own_store agent_config away "$(bucket_name away)"
"$fixture" kill "$own_store"
trouble away waiting '[Cc]onnect'
once away '[Cc]onnect'
claim "the store is back" "$fixture" revive "$own_store"
mended away
"$fixture" stop "$own_store"

foreign_chains
