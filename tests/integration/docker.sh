#!/usr/bin/env bash
# The images build from docker/, and compose.yaml brings agent and MinIO up: an application's lines arrive locked and
# encrypted; down and up again, a kill -9 and new passwords lose and double nothing; the agent has no privileges, cannot write
# to its root file system, is healthy, and stops in ten seconds. On an engine of its own, without a registry.
# With --long, and a Go toolchain here, MinIO is compiled as docker/minio/Dockerfile says; else the cached server of the other tests takes its place.
# stores: none
# seconds: 200
# timeout: 1800
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

exec </dev/null
engine=$HF_TMP/engine
engine_end() {
    local status=$?
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] && [ -n "${HF_DOCKER:-}" ]; then
        compose ps || true
        compose logs --no-color --tail 15 secrets minio users bucket agent || true
    fi
    "$HF_ROOT/tests/support/engine" stop "$engine" >/dev/null 2>&1 || true
    return "$status"
}

server=$("$HF_ROOT/tests/support/stores/minio" build 2>/dev/null) || skip "$server"
mkdir -p "$engine"
trap engine_end EXIT
# engine_or_skip VERB OPTION...: 77 says why it cannot run here
engine_or_skip() {
    local said status=0
    said=$("$HF_ROOT/tests/support/engine" "$1" "$engine" "${@:2}") || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 <<<"$said")"
    [ "$status" -eq 0 ] || claim_failed "engine: $1" "exit: $status" "$said"
}
engine_or_skip start --owner $$
. "$engine/env"

# ---- the images, built as compose.yaml says, but on the host's network ----

# What stands in for golang: this machine's toolchain with its authorities, or a `go install` that installs what is there.
mkdir go
if [ -n "${HF_LONG:-}" ] && command -v go >/dev/null; then
    cp -r "$(go env GOROOT)" go/toolchain
    cp -L /etc/ssl/certs/ca-certificates.crt go/
    cat >go/Dockerfile <<'GO'
FROM debian:bookworm-slim
COPY toolchain /usr/local/go
COPY ca-certificates.crt /etc/ssl/certs/
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
GO
else
    cp "$server" go/server
    printf '#!/bin/sh\nmkdir -p "$GOBIN" && cp /server "$GOBIN/minio"\n' >go/go
    chmod +x go/go
    printf 'FROM debian:bookworm-slim\nCOPY server /server\nCOPY go /usr/bin/go\n' >go/Dockerfile
fi
claim "what stands in for golang builds" "$HF_DOCKER" build -q -t go-of-this-test go
rm -rf go

eval "$(apt-config shell http_found Acquire::http::Proxy https_found Acquire::https::Proxy)"
cat >here.yaml <<YAML
services:
  secrets: { build: { network: host, args: { GO_BASE: go-of-this-test, http_proxy: "${http_found:-}", https_proxy: "${https_found:-}" } } }
  bucket: { build: { network: host, args: { http_proxy: "${http_found:-}", https_proxy: "${https_found:-}" } } }
  # The healthcheck is the image's, asked more often.
  agent: { healthcheck: { interval: 1s } }
YAML
export MINIO_PORT=9000 APP_PAUSE=0.02 COMPOSE_PROJECT_NAME=hf
export COMPOSE_DOCKER_CLI_BUILD=1 DOCKER_BUILDKIT=1 BUILDKIT_PROGRESS=plain
compose() { PATH=$(dirname "$HF_DOCKER"):$PATH docker-compose -f "$HF_ROOT/docker/compose.yaml" -f "$HF_TMP/here.yaml" "$@"; }
build() { # SERVICE IMAGE
    local started=$SECONDS
    compose build "$1" >"build.$1" 2>&1 || claim_failed "$2 builds" "$(tail -n 30 "build.$1")"
    claim_ok "$2 builds"
    echo "$2: built in $((SECONDS - started)) s, $("$HF_DOCKER" image inspect -f '{{.Size}}' "$2" | numfmt --to=si)B"
}
build secrets holdfast/minio-from-source
build bucket holdfast/agent

# What the writer may do is what the starter set says, without the principal.
claim_equal "the writer's policy is the starter set's" "$(jq -S 'del(.Statement[].Principal)' "$HF_ROOT/policies/starter/bucket-policy.json")" \
    "$(jq -S . "$HF_ROOT/docker/minio/writer.json")"

# ---- up ----

engine_or_skip isolate
volume() { printf '%s' "$engine/data/volumes/hf_$1/_data"; }
container() { "$HF_DOCKER" ps -aq --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False; }
inspect() { "$HF_DOCKER" inspect -f "$2" "$(container "$1")"; }
is_healthy() { [ "$(inspect agent '{{.State.Health.Status}}')" = healthy ]; }
written() { wc -l <"$(volume logs)/app.jsonl"; }
writes_on() { [ "$(written)" -gt "$1" ]; }
up() { compose up -d --no-build >up.log 2>&1 || claim_failed "up" "$(tail -n 20 up.log)"; }
does() { # SERVICE COMMAND...
    local service=$1
    shift
    "$HF_DOCKER" exec "$(container "$service")" "$@"
}
agent_does() { does agent "$@"; }
flushed() { agent_does holdfast flush; }
reader() { compose run --rm -T read "$@"; }

started=$SECONDS
up
claim_within "the agent is healthy" 60 is_healthy
echo "up and healthy in $((SECONDS - started)) s"
claim_within "the application writes" 30 writes_on 100
claim "a flush delivers" flushed

# ---- what the agent's container may do ----

claim_equal "it runs as holdfast" 10001 "$(agent_does id -u)"
claim_equal "with no capability at all" 0000000000000000 "$(agent_does sed -n 's/^CapBnd:\s*//p' /proc/1/status)"
claim_equal "and no way to get one" 1 "$(agent_does sed -n 's/^NoNewPrivs:\s*//p' /proc/1/status)"
claim_refused "its root file system is read-only" 'Read-only file system' agent_does touch /var/written
claim_refused "so are its keys" 'Read-only file system' agent_does touch /etc/holdfast/keys/written
claim_refused "and the application's files" 'Read-only file system' agent_does touch /logs/written
claim_refused "the owner's credentials are not there" 'No such file' agent_does ls /volumes
claim_equal "MinIO does not run as root either" 10002 "$(does minio id -u)"

# ---- what arrived, seen by another client from outside ----

HF_STORE_URL=https://127.0.0.1:$MINIO_PORT HF_STORE_REGION=us-east-1 HF_STORE_CA=$(volume owner)/ca.pem bucket=audit-logs
as() { # VOLUME S3API-VERB OPTION...
    local name=$1
    shift
    HF_AWS_CREDENTIALS=$(volume "$name")/credentials outside "$@"
}
aws_here=$(aws_program)
outside() {
    env AWS_SHARED_CREDENTIALS_FILE="$HF_AWS_CREDENTIALS" AWS_CONFIG_FILE=/dev/null AWS_REGION="$HF_STORE_REGION" AWS_PAGER='' \
        AWS_MAX_ATTEMPTS=2 AWS_EC2_METADATA_DISABLED=true AWS_CA_BUNDLE="$HF_STORE_CA" \
        nsenter --net="/run/netns/$HF_ENGINE_NETNS" "$aws_here" --endpoint-url "$HF_STORE_URL" s3api "$@" --bucket "$bucket"
}
newest() { # KEY VERSION of the object that was delivered last
    as owner list-object-versions --prefix compose/AWSLogs/ --output text \
        --query "sort_by(Versions[?contains(Key, '/CloudTrail/')], &LastModified)[-1].[Key,VersionId]"
}
read -r key version < <(newest)
claim_match "an object is there" '^compose/AWSLogs/.*/CloudTrail/.*\.gz$' "$key"
claim_equal "its version is locked" GOVERNANCE \
    "$(as owner get-object-retention --key "$key" --version-id="$version" --query Retention.Mode --output text)"
claim_refused "the owner cannot delete it" 'WORM|AccessDenied|locked' as owner delete-object --key "$key" --version-id="$version"
claim_refused "nor can the writer" 'AccessDenied' as agent delete-object --key "$key" --version-id="$version"
claim_refused "who cannot hide it" 'AccessDenied' as agent delete-object --key "$key"
claim_refused "or bypass the lock" 'AccessDenied' as agent delete-object --key "$key" --version-id="$version" --bypass-governance-retention
claim_refused "or write elsewhere" 'AccessDenied' as agent put-object --key elsewhere/x
claim_refused "or list everything" 'AccessDenied' as agent list-objects-v2
claim_refused "the reader cannot write" 'AccessDenied' as reader put-object --key compose/x
as owner get-object --key "$key" object.gz >/dev/null
cp "$(volume reader)/recipient.key" here.key
cp "$(volume agent)/recipient.pem" here.pem
open_envelope object.gz here | gunzip >object.json
claim "it opens with the recipient's key alone" jq -e '.Records | any(.additionalEventData.json.service == "app")' object.json

# ---- nothing lost, nothing doubled ----

# all_there: the application stops, and each line it wrote is in the bucket once.
all_there() {
    local text=$1 last
    compose stop app >/dev/null 2>&1
    last=$(written)
    claim "$text: a flush delivers" flushed
    reader cat >records 2>records.err || claim_failed "$text: cat" "$(tail -n 5 records.err)"
    jq -r 'select(.eventSource == "containers.holdfast") | .additionalEventData.json.number' records | sort -n >numbers
    claim_each_once "$text: each of $last lines once" numbers 1 "$last"
    claim_equal "$text: and nothing else" "$last" "$(wc -l <numbers)"
}
all_there "at first"

"$HF_DOCKER" start "$(container app)" >/dev/null
claim_within "the application goes on" 30 writes_on "$(written)"
started=${EPOCHREALTIME/[.,]/}
compose stop -t 60 agent >/dev/null 2>&1
took_ms=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
claim_equal "the agent ends with exit code 0" 0 "$("$HF_DOCKER" inspect -f '{{.State.ExitCode}}' "$(container agent)")"
[ "$took_ms" -lt 10000 ] || claim_failed "within ten seconds" "$took_ms ms"
claim_ok "within ten seconds"
echo "stopped in $took_ms ms"

claim "down" compose down
claim_equal "nothing runs any more" '' "$("$HF_DOCKER" ps -aq)"
up
claim_within "up again, it is healthy" 60 is_healthy
all_there "after down and up"

"$HF_DOCKER" start "$(container app)" >/dev/null
claim_within "the application goes on" 30 writes_on "$(written)"
kill -9 "$(inspect agent '{{.State.Pid}}')"
restarted() { [ "$(inspect agent '{{.RestartCount}}')" -ge 1 ] && is_healthy; }
claim_within "killed, the agent is started again" 60 restarted
all_there "after kill -9"

# ---- new passwords and certificates ----

cp "$(volume agent)/credentials" old-credentials
compose down >/dev/null 2>&1
claim "passwords and certificates are made anew" compose run --rm -T secrets renew owner writer reader tls
up
claim_within "with them it is healthy" 60 is_healthy
claim_within "the application goes on" 30 writes_on "$(written)"
all_there "after new passwords"
claim_refused "the old password is refused" 'SignatureDoesNotMatch' env HF_AWS_CREDENTIALS="$HF_TMP/old-credentials" \
    bash -c "$(declare -f outside); $(declare -p HF_STORE_REGION HF_STORE_CA HF_STORE_URL HF_ENGINE_NETNS aws_here bucket); outside list-objects-v2 --prefix compose/"
reader validate >validated 2>&1 || claim_failed "the whole is intact" "$(cat validated)"
claim_match "the whole is intact" '^intact: ' "$(cat validated)"

# ---- what docker/README.md says besides ----

"$HF_DOCKER" cp "$(container agent):/etc/holdfast/keys/digest.key.pub" copied.pub
claim_same_bytes "the public key can be copied out" copied.pub "$(volume reader)/digest.key.pub"
compose run --rm -T --entrypoint cat read ca.pem >ca.pem 2>/dev/null
claim_same_bytes "so can the store's authority" ca.pem "$HF_STORE_CA"
make_recipient ops ec
claim "a certificate made elsewhere is taken" compose run --rm -T -v "$HF_TMP/ops.pem:/ops.pem:ro" secrets recipient /ops.pem
compose kill -s HUP agent >/dev/null 2>&1
has_reloaded() { "$HF_DOCKER" logs "$(container agent)" 2>&1 | grep agent.reloaded; }
claim_within "and the agent reads it at SIGHUP" 10 has_reloaded
"$HF_DOCKER" start "$(container app)" >/dev/null
claim "a flush delivers what came before" flushed
claim_within "the application goes on" 30 writes_on "$(written)"
claim "a flush delivers what came then" flushed
read -r key version < <(newest)
as owner get-object --key "$key" object.gz >/dev/null
open_envelope object.gz ops | gunzip >object.json
claim "its key opens what is new" jq -e '.Records | length > 0' object.json
claim "the first key is still there for what is old" test -s "$(volume reader)/recipient.key"
claim "down" compose down
