# Shell library of the fixtures, of tests/run and of the integration tests: source it, it starts nothing by itself.
# shellcheck shell=bash

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# skip REASON: ends a test or a fixture that cannot run here; tests/run shows the reason.
skip() {
    printf '%s\n' "$*"
    exit 77
}

# free_port: a loopback port nobody listens on. Below the range the kernel hands out to clients, so that no outgoing
# connection takes it between the look and the use; two that look at the same time may still get the same one, so
# whoever starts a server tries again with another port when it does not come up.
free_port() {
    local port try
    for try in {1..200}; do
        port=$((10240 + (RANDOM << 15 | RANDOM) % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return 0
        fi
    done
    die "no free port found in $try tries"
}

# wait_for SECONDS COMMAND ...: until the command succeeds; 1 when it has not in that time.
wait_for() {
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# ---- processes, by their own pid ----

alive() { [ -n "${1:-}" ] && kill -0 "$1" 2>/dev/null && [ "$(process_state "$1")" != Z ]; }

# The letter after the last ')' of /proc/PID/stat: a zombie does not count as alive.
process_state() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    stat=${stat##*) }
    printf '%s' "${stat%% *}"
}

# stop_pid PID [SECONDS]: TERM, and KILL when it is still there after that time.
stop_pid() {
    local pid=${1:-}
    [ -n "$pid" ] || return 0
    kill "$pid" 2>/dev/null || return 0
    if ! wait_for "${2:-10}" gone "$pid"; then
        kill -9 "$pid" 2>/dev/null || true
        wait_for 5 gone "$pid" || true
    fi
}
gone() { ! alive "$1"; }

command_line() { { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true; }

# stop_pidfile FILE WORD: like stop_pid, but only if the process still is the one whose command line holds WORD:
# pids are used again.
stop_pidfile() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    if command_line "$pid" | grep -qF -- "$2"; then
        stop_pid "$pid"
    fi
    rm -f "$1"
}

# outlive_not OWNER PIDFILE COMMAND ...: runs the command in the background once process OWNER is gone, so that a
# fixture does not survive a runner that was killed. The watcher leads a process group of its own.
outlive_not() {
    local owner=$1 pidfile=$2
    shift 2
    setsid bash -c 'tail --pid="$0" -s 0.5 -f /dev/null; exec "$@"' "$owner" "$@" >/dev/null 2>&1 </dev/null &
    printf '%s\n' "$!" >"$pidfile"
}

# stop_watcher PIDFILE: unless it is the watcher that asks, on its way to stop everything else.
stop_watcher() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    rm -f "$1"
    if [ "$pid" != "$$" ] && command_line "$pid" | grep -qF 'tail --pid='; then
        kill -- "-$pid" 2>/dev/null || true
    fi
}

# ---- TLS ----

# make_ca DIR: an EC P-256 authority, DIR/ca.pem and DIR/ca.key.
make_ca() {
    mkdir -p "$1"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=holdfast test authority' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$1/ca.key" -out "$1/ca.pem" 2>"$1/openssl.log" || die "no test authority: see $1/openssl.log"
}

# make_leaf DIR NAME [SUBJECT_ALT_NAMES]: a server certificate of make_ca's authority, DIR/NAME.pem and DIR/NAME.key.
make_leaf() {
    local names=${3:-DNS:localhost,DNS:s3.localhost,DNS:*.s3.localhost,IP:127.0.0.1}
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
        -keyout "$1/$2.key" -out "$1/$2.csr" 2>>"$1/openssl.log" &&
        openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 30 \
            -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names") \
            -out "$1/$2.pem" 2>>"$1/openssl.log" || die "no certificate '$2': see $1/openssl.log"
}

random_word() { # LENGTH: letters and digits
    # No `tr </dev/urandom | head`: under pipefail its broken pipe would count as a failure.
    local word=
    while [ "${#word}" -lt "$1" ]; do
        word+=$(head -c 256 /dev/urandom | base64 -w 0 | tr -dc 'A-Za-z0-9')
    done
    printf '%s' "${word:0:$1}"
}

# ---- S3 clients ----

# write_credentials FILE ACCESS SECRET [TOKEN]: a shared credentials file, readable by its owner only.
write_credentials() {
    local token=${4:--}
    (umask 077; : >"$1") && chmod 600 "$1"
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$2" "$3" >"$1"
    [ "$token" = - ] || printf 'aws_session_token = %s\n' "$token" >>"$1"
}

# awscli_data DIR URL REGION: DIR becomes an AWS_DATA_PATH that sends every S3 request of the AWS CLI to URL, path
# style. For commands with no endpoint option for S3 (`aws cloudtrail validate-logs`) in versions that do not know
# AWS_ENDPOINT_URL_S3, Debian's among them.
awscli_data() {
    local folder=$1/s3/2006-03-01
    mkdir -p "$folder"
    cat >"$folder/endpoint-rule-set-1.json" <<RULES
{
  "version": "1.0",
  "parameters": {
    "Bucket": { "required": false, "type": "String" },
    "Region": { "builtIn": "AWS::Region", "required": false, "type": "String" }
  },
  "rules": [
    { "type": "endpoint", "conditions": [ { "fn": "isSet", "argv": [ { "ref": "Bucket" } ] } ],
      "endpoint": { "url": "$2/{Bucket}", "headers": {}, "properties": { "authSchemes": [
        { "name": "sigv4", "signingName": "s3", "signingRegion": "$3", "disableDoubleEncoding": true } ] } } },
    { "type": "endpoint", "conditions": [],
      "endpoint": { "url": "$2", "headers": {}, "properties": { "authSchemes": [
        { "name": "sigv4", "signingName": "s3", "signingRegion": "$3", "disableDoubleEncoding": true } ] } } }
  ]
}
RULES
}

# The Debian package's, whatever else comes first in PATH.
aws_program() { if [ -x /usr/bin/aws ]; then echo /usr/bin/aws; else command -v aws; fi; }

# store_load DIR: the fixture's env file into this shell.
store_load() {
    [ -r "$1/env" ] || die "no store in '$1': it has no file env"
    # shellcheck disable=SC1091
    . "$1/env"
    HF_STORE_DIR=$1
}

# store_aws SERVICE ...: the AWS CLI on the loaded store, as its administrator, or as whoever HF_AWS_CREDENTIALS
# (a shared credentials file) says.
store_aws() {
    local env=(AWS_SHARED_CREDENTIALS_FILE="${HF_AWS_CREDENTIALS:-$HF_STORE_DIR/credentials}" AWS_CONFIG_FILE=/dev/null
        AWS_REGION="$HF_STORE_REGION" AWS_DEFAULT_REGION="$HF_STORE_REGION" AWS_PAGER='' AWS_MAX_ATTEMPTS=2
        AWS_EC2_METADATA_DISABLED=true AWS_REQUEST_CHECKSUM_CALCULATION=when_required)
    [ -z "$HF_STORE_CA" ] || env+=(AWS_CA_BUNDLE="$HF_STORE_CA")
    env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u AWS_PROFILE "${env[@]}" \
        "$(aws_program)" --endpoint-url "$HF_STORE_URL" "$@"
}

# store_s3cmd ...: s3cmd on the loaded store, the same way.
store_s3cmd() {
    local scheme=${HF_STORE_URL%%://*} host=${HF_STORE_URL#*://}
    local options=(--host "$host" --host-bucket "$host" --region "$HF_STORE_REGION" --access_key "$HF_STORE_ADMIN_ACCESS_KEY"
        --secret_key "$HF_STORE_ADMIN_SECRET_KEY" --config /dev/null --no-progress)
    if [ "$scheme" = http ]; then options+=(--no-ssl); else options+=(--ssl --ca-certs "$HF_STORE_CA"); fi
    s3cmd "${options[@]}" "$@"
}

# store_libs3 ...: libs3's s3 on the loaded store. It signs with Signature V2 only and has no option for an own
# authority, so it is for stores on plain http that still take V2: Ceph.
store_libs3() {
    S3_ACCESS_KEY_ID=$HF_STORE_ADMIN_ACCESS_KEY S3_SECRET_ACCESS_KEY=$HF_STORE_ADMIN_SECRET_KEY \
        S3_HOSTNAME=${HF_STORE_URL#*://} s3 -u "$@"
}

# ---- claims: one line each; the first that does not hold ends the test ----

hf_claims=0
claim_ok() { printf 'ok %d - %s\n' "$((++hf_claims))" "$1"; }
claim_failed() {
    local line
    printf 'not ok %d - %s\n' "$((++hf_claims))" "$1"
    shift
    for line in "$@"; do printf '#   %s\n' "$line"; done
    exit 1
}

# claim TEXT COMMAND ...: the command succeeds.
claim() {
    local text=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    [ "$status" -eq 0 ] || claim_failed "$text" "command: $*" "exit: $status" "$output"
    claim_ok "$text"
}

# claim_exit TEXT CODE COMMAND ...: the command ends with that exit code.
claim_exit() {
    local text=$1 code=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    [ "$status" -eq "$code" ] || claim_failed "$text" "command: $*" "exit: $status, expected $code" "$output"
    claim_ok "$text"
}

# claim_refused TEXT PATTERN COMMAND ...: the command fails and what it prints matches the extended regexp.
claim_refused() {
    local text=$1 pattern=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    [ "$status" -ne 0 ] || claim_failed "$text" "command: $*" "it succeeded" "$output"
    grep -qE -- "$pattern" <<<"$output" || claim_failed "$text" "command: $*" "no match for: $pattern" "$output"
    claim_ok "$text"
}

# claim_equal TEXT EXPECTED FOUND
claim_equal() {
    [ "$2" = "$3" ] || claim_failed "$1" "expected: $2" "found:    $3"
    claim_ok "$1"
}

# claim_match TEXT PATTERN FOUND: extended regexp
claim_match() {
    grep -qE -- "$2" <<<"$3" || claim_failed "$1" "no match for: $2" "found: $3"
    claim_ok "$1"
}

# claim_same_bytes TEXT FILE FILE
claim_same_bytes() {
    cmp "$2" "$3" >/dev/null 2>&1 || claim_failed "$1" "$(cmp "$2" "$3" 2>&1)"
    claim_ok "$1"
}

# claim_within TEXT SECONDS COMMAND ...: the command succeeds before that time is over.
claim_within() {
    local text=$1 seconds=$2
    shift 2
    wait_for "$seconds" "$@" || claim_failed "$text" "not within $seconds s: $*" "$("$@" 2>&1 || true)"
    claim_ok "$text"
}
