#!/usr/bin/env bash
# A configuration that is wrong: `run` ends with 2 and names file, line, key and what was expected; so it does for keys
# that are missing or open to others, and for a state directory in use.
# stores: none
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

mkdir -p bucket
make_digest_key digest.key >fingerprint
cat >right.yaml <<YAML
agent:
  state_dir: $HF_TMP/state
stores:
  - { name: here, url: "dir://$HF_TMP" }
sources:
  - name: local
    type: socket
    path: $HF_TMP/in.sock
buckets:
  - name: bucket
    store: here
    retention: { mode: governance, days: 1 }
trails:
  - name: audit
    bucket: bucket
    window: { seconds: 60, max_bytes: 1MiB }
    encryption: none
    digest: { seconds: 60, key_file: $HF_TMP/digest.key }
YAML
claim "the configuration all cases are made from is right" "$HF_BIN" run --check-config -c right.yaml

# wrong TEXT LINE KEY_AND_EXPECTATION SED: the message names the line and matches the pattern
wrong() {
    local text=$1 line=$2 pattern=$3 status=0 output
    sed -E "$4" right.yaml >wrong.yaml
    ! cmp -s right.yaml wrong.yaml || claim_failed "$text" "the case changes nothing"
    output=$(timeout 20 "$HF_BIN" run -c wrong.yaml 2>&1) || status=$?
    [ "$status" -eq 2 ] || claim_failed "$text: exit code 2" "exit: $status" "$output"
    claim_match "$text: file and line" "wrong\.yaml:${line}[: ]" "$output"
    claim_match "$text: key and what was expected" "$pattern" "$output"
    [ "$(grep -c . <<<"$output")" -le 3 ] || claim_failed "$text: said in a line or two" "$output"
    [ ! -e state ] || claim_failed "$text: nothing was made on disk"
}

wrong "an unknown key" 16 "trails\[0\]\.windw.*did you mean 'window'" '16s/.*/    windw: { seconds: 60 }/'
wrong "an unknown key in a mapping" 16 'window\.secs: unknown key.*seconds, max_bytes' '16s/seconds: 60/secs: 60/'
wrong "an unknown section" 1 "agnt: unknown key.*did you mean 'agent'" '1s/agent/agnt/'
wrong "a word where a number is wanted" 16 "window\.seconds: 'soon' is not a duration.*as in" '16s/seconds: 60/seconds: soon/'
wrong "a list where a text is wanted" 15 'trails\[0\]\.bucket: expected a single value, found a list' '15s/bucket: bucket/bucket: [bucket]/'
wrong "a text where a list is wanted" 3 'stores: expected a list' '3,4c stores: here'
wrong "a mapping where a word is wanted" 7 'sources\[0\]\.type: expected a single value, found a mapping' '7s/type: socket/type: { a: b }/'
wrong "a number out of range" 16 'window\.seconds: 3601 is out of range; from 1 to 3600' '16s/seconds: 60/seconds: 3601/'
wrong "a size out of range" 16 'window\.max_bytes: .*49MiB.*from 64KiB to 48MiB' '16s/1MiB/49MiB/'
wrong "a size that is none" 16 "window\.max_bytes: '1 MiBs' is not a size" '16s/1MiB/1 MiBs/'
wrong "a word that is not in the list" 12 "retention\.mode: .*governing.*none, governance, compliance" '12s/governance/governing/'
wrong "no retention" 10 'buckets\[0\]\.retention.*missing' '12d'
wrong "no encryption" 14 'trails\[0\]\.encryption.*missing' '17d'
wrong "no digest key" 14 'trails\[0\]\.digest\.key_file: missing' '18s/, key_file.*/ }/'
wrong "metrics for everyone" 3 "agent\.metrics: '0\.0\.0\.0:9187' is not of this host's loopback.*write 127\.0\.0\.1:9187" '2a\  metrics: "0.0.0.0:9187"'
wrong "metrics without a port" 3 "agent\.metrics: '127\.0\.0\.1' is not ADDRESS:PORT" '2a\  metrics: 127.0.0.1'
wrong "a bucket in an unknown store" 11 "buckets\[0\]\.store: there is no 'there' under stores; there is here" '11s/here/there/'
wrong "a trail to an unknown bucket" 15 "trails\[0\]\.bucket: there is no 'buckte' under buckets; there is bucket" '15s/bucket: bucket/bucket: buckte/'
wrong "a trail from an unknown source" 19 "trails\[0\]\.sources.*there is no 'remote' under sources; there is local" '$a\    sources: [remote]'
wrong "two stores of one name" 5 "stores\[1\]\.name: 'here' is the name of stores\[0\] already" '4p'
wrong "two sources of one name" 9 "sources\[1\]\.name: 'local' is the name of sources\[0\] already" '8a\  - { name: local, type: stdin }'
wrong "two buckets of one name" 13 "buckets\[1\]\.name: 'bucket' is the name of buckets\[0\] already" '12a\  - { name: bucket, store: here, retention: none }'
wrong "two trails of one name" 19 "trails\[1\]\.name: 'audit' is the name of trails\[0\] already" \
    "\$a\\  - { name: audit, bucket: bucket, encryption: none, digest: { key_file: $HF_TMP/digest.key } }"
wrong "a key written twice" 17 'trails\[0\]\.window: written twice; the first is in line 16' '16p'
wrong "a trail name that breaks CloudTrail's rule" 14 "trails\[0\]\.name: .*a\.\.b" '14s/audit/a..b/'
wrong "a trail name that its keys could not be told from" 14 "trails\[0\]\.name: .*a_local_b" '14s/audit/a_local_b/'
wrong "a retention shorter than the bucket's" 19 "trails\[0\]\.retention" '$a\    retention: none'
wrong "sse-c without its key" 14 'trails\[0\]\.encryption\.key_file' '17s/none/sse-c/'
wrong "cms without recipients" 14 'trails\[0\]\.encryption\.recipients' '17s/none/cms/'
wrong "an unknown kind of store" 4 'stores\[0\]\.url: .*https://' '4s,"dir://.*",ftp://example.net,'
wrong "a tab" 3 'not YAML: ' '3s/^/\t/'
wrong "a bracket that is not closed" '(15|16)' 'not YAML: ' '15s/bucket: bucket/bucket: [bucket/'
wrong "an alias" 15 '(alias|anchor)' '15s/bucket: bucket/bucket: *there/'

# refused TEXT PATTERN ARGUMENT...: run ends with 2, and says why in a line or two
refused() {
    local text=$1 pattern=$2
    shift 2
    claim_exit "$text: exit code 2" 2 timeout 20 "$HF_BIN" run "$@"
    claim_refused "$text: said so" "$pattern" timeout 20 "$HF_BIN" run "$@"
}
refused "a file that is not there" "nowhere\.yaml'?: No such file" -c nowhere.yaml
: >empty.yaml
refused "an empty file" 'empty\.yaml:1: nothing is written here' -c empty.yaml
head -c 1100000 /dev/zero | tr '\0' '#' >long.yaml
refused "a file of a megabyte" 'more than the 1048576' -c long.yaml
claim_equal "none of these made anything on disk" no "$([ -e state ] && echo yes || echo no)"

# with RIGHT_YAML changed so: key files
sed "s,key_file: .*digest.key,key_file: $HF_TMP/other.key," right.yaml >other.yaml
refused "a missing digest key names the command that makes it" "other\.key' does not exist.*holdfast key new" -c other.yaml
install -m 644 digest.key other.key
refused "a digest key that others may read" "other\.key.*(0?644|mode|others)" -c other.yaml
claim_match "... with the command that mends it" 'chmod' "$("$HF_BIN" run -c other.yaml 2>&1 || true)"
head -c 500 digest.key >other.key && chmod 600 other.key
refused "a digest key cut in two" "other\.key" -c other.yaml
(umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null && cat ec.key >other.key)
refused "a digest key that is not RSA" "other\.key.*RSA" -c other.yaml
sed "17s,none,{ type: cms; recipients: [$HF_TMP/ops.pem] }," right.yaml | tr ';' ',' >other.yaml
refused "a recipient's certificate that is not there" "ops\.pem" -c other.yaml
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ops -keyout ops.key -out ops.pem 2>/dev/null
cp ops.key ops.pem
refused "a private key where a certificate is wanted" "ops\.pem.*(certificate|no )" -c other.yaml

# a state directory in use
mkdir -p first second
sed "s,$HF_TMP/in.sock,$HF_TMP/first/in.sock," right.yaml >first/holdfast.yaml
sed "s,$HF_TMP/in.sock,$HF_TMP/second/in.sock," right.yaml >second/holdfast.yaml
agent_start first
refused "a second agent on one state_dir" "another holdfast runs on state_dir '$HF_TMP/state'" -c second/holdfast.yaml
claim "the first one goes on" "$HF_BIN" status -c first/holdfast.yaml
agent_kill first
agent_start first
agent_stop first

# ---- what the unit is shown ----

sed -e "s,$HF_TMP/in.sock,/run/holdfast/in.sock," -e "s,url: \"dir://$HF_TMP\",url: 'dir:///srv/a \"b%c'," \
    -e 's,^sources:,&\n  - { name: web\, type: file\, path: "/var/log/*.log" }\n  - { name: own\, type: file\, path: "/var/log/own.log" },' right.yaml >unit.yaml
claim_equal "config unit: folders of sources once, for reading; what is written; nothing that is shown anyway; quoted for systemd" \
    "BindPaths=\"-HERE/state\"
ReadWritePaths=\"-HERE/state\"
BindReadOnlyPaths=\"-/var/log\"
BindPaths=\"-/srv/a \\\"b%%c\"
ReadWritePaths=\"-/srv/a \\\"b%%c\"
BindReadOnlyPaths=\"-HERE/digest.key\"" "$("$HF_BIN" config unit -c unit.yaml | grep = | sed "s,$HF_TMP,HERE,")"
sed 's,/var/log/own.log,/own.log,' unit.yaml >other.yaml
claim_exit "config unit: a source in / would show all" 2 "$HF_BIN" config unit -c other.yaml
claim_refused "... and says so" "whole of '/'" "$HF_BIN" config unit -c other.yaml
sed 's,/var/log/own.log,/var/log/a:b/own.log,' unit.yaml >other.yaml
claim_refused "config unit: a path that systemd cannot take" "takes no ':'" "$HF_BIN" config unit -c other.yaml
