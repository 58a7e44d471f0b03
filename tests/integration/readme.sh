#!/usr/bin/env bash
# The documents say what is so. The README's quick start runs as it stands there; so do the configuration and the commands of
# agent/host/README.md, against a bucket with a writer who has the starter policy's rights and no others; and the bucket is read
# and checked with everyday tools, by the lines of agent/digest/FORMAT.md. Links, names of tests and tables agree with the project.
# stores: dir ceph minio
# seconds: 60
. "$(dirname "$0")/run-helpers"

readme=$HF_ROOT/README.md
host=$HF_ROOT/agent/host/README.md
recipe=$HF_ROOT/agent/digest/FORMAT.md
root=${HF_STORE_URL#dir://}
bucket=$(bucket_name)
audit_bucket=$(bucket_name audit) # what agent/host/README.md calls audit-logs

# blocks FILE WORD[|WORD]: the fenced blocks marked test=WORD, in their order, each after a line that names it in the output
blocks() {
    awk -v wanted="^($2)$" '
        /^```[a-z]+ test=/ { mark = $2; sub(/^test=/, "", mark); sub(/`.*/, "", mark); if (mark ~ wanted) { inside = 1; print "echo \"== block " ++count " " mark "\"" }; next }
        /^```/ { inside = 0; next }
        inside' "$1"
}
# part LOG NUMBER: what that block printed
part() { awk -v number="$2" '/^== block [0-9]+ / { inside = $3 == number; next } inside' "$1"; }

# run_blocks NAME FILE: as a script of its own; its output in NAME.log
run_blocks() {
    local status=0
    timeout 200 bash -euo pipefail "$2" >"$HF_TMP/$1.log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || claim_failed "the lines for '$1' work" "exit: $status" "$(tail -n 60 "$HF_TMP/$1.log")"
    claim_ok "the lines for '$1' work"
}

# ---- the words agree with the project ----

mapfile -t pages < <(cd "$HF_ROOT" && find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sed 's,^\./,,' | LC_ALL=C sort)
links_of() { grep -oE '\]\([^)#]+' "$HF_ROOT/$1" | sed 's/^](//' | grep -v '^https\?:' | LC_ALL=C sort -u || true; }
for page in "${pages[@]}"; do
    for link in $(links_of "$page"); do
        [ -e "$(dirname "$HF_ROOT/$page")/$link" ] || claim_failed "every link of every document leads somewhere" "$page: $link"
    done
done
claim_ok "every link of every document leads somewhere"
claim_equal "README: its index has every document" "$(printf '%s\n' "${pages[@]}" | grep -v '^README.md$')" \
    "$(sed -n '/^## All documents/,/^## /p' "$readme" | grep -oE '\]\([^)#]+\.md' | sed 's/^](//' | LC_ALL=C sort -u)"
claim "README: it can be read at one sitting" test "$(wc -l <"$readme")" -le 180

for claimed in $(grep -oE '`[a-z]+(_[a-z0-9]+){2,}`' "$HF_ROOT/tests/PROMISES.md" | tr -d '`'); do
    grep -rqw "$claimed" "$HF_ROOT/tests/unit" || claim_failed "PROMISES: every test it names exists" "$claimed"
done
claim_ok "PROMISES: every test it names exists"

for package in $(sed -n '/^declare -A packages/,/^)/p' "$HF_ROOT/scripts/setup" | sed '/^declare/d; /^)/d; s/.*="//; s/"$//'); do
    grep -qF "\`$package\`" "$HF_ROOT/agent/DEPENDENCIES.md" || claim_failed "DEPENDENCIES: the table has every package" "$package"
done
claim_ok "DEPENDENCIES: the table has every package"

exits() { grep -oE '(^|[ |])[0-4] +(\| )?(all well|what was checked is not well|usage or configuration|could not be done now|internal error)' | grep -oE '[0-4].*' | sed -E 's/ +\|? */ /' | LC_ALL=C sort; }
claim_equal "README: the exit codes are those of --help" "$("$HF_BIN" --help | exits)" "$(exits <"$readme")"

# ---- the quick start, in a checkout whose build is there: no root, no package ----

if [ "$HF_STORE" = dir ]; then
    mkdir -p checkout/build/release/agent/cli
    ln -s "$HF_BIN" checkout/build/release/agent/cli/holdfast
    {
        echo "cd $HF_TMP/checkout"
        # What builds is what built the program that is tried here.
        blocks "$readme" quick | sed '/^cmake /d'
        echo 'SECONDS=0; wait %1 || true; echo "stopped after $SECONDS s"'
    } >quick.sh
    run_blocks quick quick.sh
    claim_match "emit says that one line is durable" '^1$' "$(cat quick.log)"
    claim_match "cat hands the event back" '"json":\{"user":"ann","action":"delete","object":"ledger/7"\}' "$(cat quick.log)"
    claim_match "and it is intact" '^intact: [1-9]' "$(cat quick.log)"
    claim_match "and stops at once" '^stopped after [0-9] s$' "$(cat quick.log)"
    claim_equal "its configuration has six lines" 6 "$(blocks "$readme" quick | sed -n '/<<YAML/,/^YAML/p' | sed '1d;$d' | wc -l)"
fi

# ---- installed, as it says ----

build=$(dirname "$HF_BIN")
while [ "$build" != / ] && [ ! -e "$build/CMakeCache.txt" ]; do build=$(dirname "$build"); done
claim "cmake --install puts it in place" cmake --install "$build" --prefix "$HF_TMP/usr/local"
claim "... below another prefix without touching /etc" test -s usr/local/etc/holdfast/holdfast.yaml
mkdir -p bin etc/holdfast/secrets var/log/app
ln -s "$(aws_program)" bin/aws # Debian's, whatever else comes first in PATH
export PATH=$HF_TMP/usr/local/bin:$HF_TMP/bin:$PATH
claim_equal "the installed program is found" "$HF_TMP/usr/local/bin/holdfast" "$(command -v holdfast)"
claim "its manual is there" test -s usr/local/share/man/man1/holdfast.1
claim "the presets exist" cmake -E chdir "$HF_ROOT" cmake --list-presets

# ---- the configuration: unchanged but for paths, addresses and the bucket's name ----

elsewhere=(-e "s,/usr/local/,$HF_TMP&,g; s,/var/lib/,$HF_TMP&,g; s,/var/log/,$HF_TMP&,g; s,/run/,$HF_TMP&,g; s,/etc/holdfast,$HF_TMP&,g; s/audit-logs/$audit_bucket/g")
if [ "$HF_STORE" = dir ]; then
    elsewhere+=(-e "s,https://minio\\.example:9000,$HF_STORE_URL,; /^ *\(addressing\|ca_file\|credentials_file\|region: us-east-1\)/d")
else
    elsewhere+=(-e "s,https://minio\\.example:9000,$HF_STORE_URL,")
    [ -n "$HF_STORE_CA" ] || elsewhere+=(-e '/^ *ca_file/d')
    [ -z "$HF_STORE_CA" ] || cp "$HF_STORE_CA" etc/holdfast/ca.pem
fi
blocks "$host" config | sed '/^echo "== /d' | sed "${elsewhere[@]}" >etc/holdfast/holdfast.yaml

# The owner's credentials, and a writer with the rights of the starter policy. MinIO's writer is made by its own policy.
if [ "$HF_STORE" = dir ]; then
    writer=nobody
else
    cp "$HF_STORE_DIR/credentials" etc/holdfast/owner-credentials
    writer=readme-$HF_STORE-$$
    sed "s,\${BUCKET},$audit_bucket,; s,\${PREFIX},$(hostname),; s,\${WRITER},$writer," "$HF_ROOT/policies/starter/bucket-policy.json" |
        jq 'del(.Statement[].Principal)' >writer.json
    read -r access secret token < <("$HF_ROOT/tests/support/stores/$HF_STORE" user "$HF_STORE_DIR" "$writer" "$HF_TMP/writer.json")
    write_credentials etc/holdfast/secrets/credentials "$access" "$secret" "$token"
fi
export WRITER=arn:aws:iam:::user/$writer
[ "$HF_STORE" != minio ] || WRITER=arn:aws:iam::000000000000:user/$writer

{
    # Whatever the lines start ends with them.
    echo "cd $HF_TMP/etc/holdfast; trap 'kill \$(jobs -p) 2>/dev/null || true; wait' EXIT"
    blocks "$host" setup | sed "${elsewhere[@]}"
    # Stopped as the page says: within ten seconds.
    echo 'echo "== block 0 stop"; kill -TERM %1; SECONDS=0; wait %1; echo "stopped with $? after $SECONDS s"'
} >setup.sh
run_blocks setup setup.sh

claim_match "key new prints a fingerprint" '^[0-9a-f]{64}$' "$(part setup.log 2)"
[ "$HF_STORE" = dir ] || claim_match "the probe finds WORM real" 'deleting its version: refused' "$(part setup.log 2)"
[ "$HF_STORE" != dir ] || claim_match "status says that a directory's locks are advisory" '^store .*ADVISORY' "$(part setup.log 3)"
claim_match "emit prints how many lines are acknowledged" "(^| )$(grep -c . /etc/os-release)\$" "$(part setup.log 3)"
claim_match "validate finds it intact" '^intact: [1-9]' "$(part setup.log 3)"
claim_equal "cat prints each line of the file, as text" "$(LC_ALL=C sort /etc/os-release | grep .)" \
    "$(part setup.log 3 | grep '^{"eventVersion"' | jq -r 'select(.eventSource == "local.holdfast").additionalEventData.text' | LC_ALL=C sort)"
claim_match "it stops cleanly within ten seconds" '^stopped with 0 after [0-9] s$' "$(part setup.log 0)"

# ---- the bucket, read and checked without holdfast ----

bucket_make "$bucket"
mkdir -p reader
cp etc/holdfast/secrets/{digest.key,digest.key.pub} etc/holdfast/{ops.key,ops.pem} reader
cat >reader/holdfast.yaml <<YAML
agent: { state_dir: state, host: web1 }
stores:
$(store_yaml main)
sources:
  - { name: app, type: file, path: "app.log", start: beginning }
buckets:
  - { name: $bucket, store: main, retention: { mode: governance, days: 1 } }
trails:
  - { name: plain, bucket: $bucket, encryption: none, digest: { key_file: digest.key } }
  - { name: sealed, bucket: $bucket, encryption: { type: cms, recipients: [ops.pem] }, digest: { key_file: digest.key } }
YAML
agent_start reader
for line in one two; do
    printf '{"line":"%s"}\n' "$line" >>reader/app.log
    "$HF_BIN" flush -c reader/holdfast.yaml >/dev/null || claim_failed "flush"
done

# ---- sources and trails are read anew at SIGHUP; a trail of its own store ----

mkdir -p beside/copies
sed -i -e '/^sources:/i\  - { name: beside, url: "dir://'"$HF_TMP"'/beside" }' \
    -e '/^buckets:/a\  - { name: copies, store: beside, retention: none }' -e '/^trails:/a\  - { name: copy, bucket: copies, encryption: none, digest: { key_file: digest.key } }' \
    -e '/^buckets:/i\  - { name: more, type: file, path: "more.log", start: beginning }' reader/holdfast.yaml
printf '{"line":"three"}\n' >reader/more.log
agent_reload reader
has_trail() { "$HF_BIN" status -c reader/holdfast.yaml --json | jq -e '.trails[] | select(.name == "copy")'; }
claim_within "a trail that was added to the configuration runs after SIGHUP" 20 has_trail
claim "flush" "$HF_BIN" flush -c reader/holdfast.yaml
claim_match "the new source's event is in the new trail, on a store of its own" '"line":"three"' \
    "$(find beside/copies -path '*/CloudTrail/*' -name '*.json.gz' -exec gunzip -c {} +)"
claim "and its chain is intact" "$HF_BIN" validate -c reader/holdfast.yaml --trail copy

# The newest digest of the plain trail that lists something, and one sealed object, before the agent's last words come.
bucket_keys "$bucket" >keys
while read -r DIGEST; do
    bucket_get "$bucket" "$DIGEST" digest.json.gz
    OBJECT=$(gunzip -c digest.json.gz | jq -r '.logFiles[0].s3Object')
    [ "$OBJECT" = null ] || break
done < <(grep '/CloudTrail-Digest/.*_plain_' keys | LC_ALL=C sort -r)
SEALED=$(grep '\.cms\.gz$' keys | head -n 1)
agent_stop reader

export STORE=$HF_STORE_URL BUCKET=$bucket PREFIX=web1 TRAIL=plain API=127.0.0.1:$(free_port)
export DIGEST SEALED OBJECT

kind=dir words='dir|all'
if [ "$HF_STORE" != dir ]; then
    kind=s3 words='s3|all|refused'
    export AWS_ACCESS_KEY_ID=$HF_STORE_ADMIN_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$HF_STORE_ADMIN_SECRET_KEY
    export AWS_DEFAULT_REGION=$HF_STORE_REGION AWS_EC2_METADATA_DISABLED=true
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
    [ -z "$HF_STORE_CA" ] || export AWS_CA_BUNDLE=$HF_STORE_CA
fi
{
    echo "cd $HF_TMP/reader; trap 'kill \$(jobs -p) 2>/dev/null || true; wait' EXIT"
    # What the recipe says is refused has to fail.
    blocks "$recipe" "$words" | sed 's/^\(aws .*\) *# refused$/if \1; then exit 9; fi/'
} >read.sh
run_blocks read read.sh

# block_of PATTERN: what the block printed whose source has that line
block_of() {
    local number
    number=$(blocks "$recipe" "$words" | awk -v pattern="$1" '/^echo "== block/ { number = $4 } $0 ~ pattern { print number; exit }')
    [ -n "$number" ] || claim_failed "a block has '$1'"
    part "$HF_TMP/read.log" "$number"
}
claim_match "gunzip and jq show the record" '"json":\{"line":"three"\}' "$(block_of '^gunzip .*jq -c')"
claim_match "openssl and gunzip show the encrypted one's" '"json":\{"line":"(one|two|three)"\}' "$(block_of 'openssl cms' | sed 1d)"
claim_equal "sha256sum finds the digest's hash" "-: OK" "$(block_of '^hash=')"
claim_equal "openssl verifies the digest's signature" "Verified OK" "$(block_of '^openssl dgst')"
claim_equal "sha256sum finds the previous digest's hash" "-: OK" "$(block_of previousDigestHashValue)"
claim_match "holdfast validate with a bucket and a key alone" '^intact: [1-9]' "$(block_of 'validate --store')"
if [ $kind = s3 ]; then
    claim_match "the lock is there" GOVERNANCE "$(block_of get-object-retention)"
    claim_match "deleting the locked version is refused" 'AccessDenied|InvalidRequest|WORM' "$(block_of 's3api delete-object')"
    claim_match "the AWS CLI finds every digest valid" '^([1-9][0-9]*)/\1 digest files valid' "$(block_of print-aws)"
    claim_match "the AWS CLI finds every object valid" '^([1-9][0-9]*)/\1 log files valid' "$(block_of print-aws)"
fi

# ---- and the lines can fail: a changed byte, a changed digest, another signature ----

cd reader
if [ $kind = s3 ]; then copy=copy; else copy=$root/$bucket; fi
chmod -R u+w "$copy"
changed() { # FILE: one more blank between tokens, so that it is still gzip and JSON
    gunzip -c "$1" | sed 's/^{/{ /' | gzip -n >changed.gz
    cp changed.gz "$1"
}
# lines_fail TEXT PATTERN: the lines of the block with that pattern, run alone on what lies there, do not end well
lines_fail() {
    {
        echo "BUCKET_DIR=$copy SIGNATURE=$(cat signature.hex); json() { gunzip <\"\$BUCKET_DIR/\$DIGEST\" | jq -r \"\$1\"; }"
        blocks "$recipe" all | awk -v pattern="$2" '/^echo "== block/ { if (found) exit; text = ""; next } { text = text $0 "\n" } $0 ~ pattern { found = 1 } END { printf "%s", text }'
    } >fail.sh
    grep -q "$2" fail.sh || claim_failed "a block has '$2'"
    claim_exit "$1" 1 bash -euo pipefail fail.sh
}
od -An -v -tx1 signature | tr -d ' \n' >signature.hex
previous=$(gunzip -c "$copy/$DIGEST" | jq -r .previousDigestS3Object)
changed "$copy/$OBJECT"
lines_fail "a changed object is seen" '^hash='
changed "$copy/$previous"
lines_fail "a changed previous digest is seen" previousDigestHashValue
sed -i 's/^../00/' signature.hex
lines_fail "a changed signature is seen" '^openssl dgst'
