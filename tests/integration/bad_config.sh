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
    claim_match "$text: file and line" "wrong\.yaml:$line[: ]" "$output"
    claim_match "$text: key and what was expected" "$pattern" "$output"
    [ "$(grep -c . <<<"$output")" -le 3 ] || claim_failed "$text: said in a line or two" "$output"
    [ ! -e state ] || claim_failed "$text: nothing was made on disk"
}

wrong "an unknown key" 18 "'?windw'?.*window" '18s/.*/    windw: { seconds: 60 }/'
wrong "an unknown key in a mapping" 18 "secs.*seconds" '18s/seconds: 60/secs: 60/'
wrong "an unknown section" 1 "agnt.*agent" '1s/agent/agnt/'
wrong "a word where a number is wanted" 18 'window\.seconds.*(soon.*1|1.*soon)' '18s/seconds: 60/seconds: soon/'
wrong "a list where a text is wanted" 17 'bucket.*(text|list)' '17s/bucket: bucket/bucket: [bucket]/'
wrong "a text where a list is wanted" 3 'stores.*list' '3,4c stores: here'
wrong "a mapping where a word is wanted" 7 'type.*(file|word)' '7s/type: socket/type: { a: b }/'
wrong "a number out of range" 18 'window\.seconds.*3600' '18s/seconds: 60/seconds: 3601/'
wrong "a size out of range" 18 'window\.max_bytes.*48MiB' '18s/1MiB/49MiB/'
wrong "a size that is none" 18 'window\.max_bytes' '18s/1MiB/1 MiBs/'
wrong "a word that is not in the list" 13 'retention\.mode.*governance.*compliance' '13s/governance/goverment/'
wrong "no retention" 11 'retention' '13d'
wrong "no encryption" 16 'encryption' '19d'
wrong "no digest key" 16 'digest\.key_file' '20s/, key_file.*/ }/'
wrong "a bucket in an unknown store" 12 "there.*here|store.*there" '12s/here/there/'
wrong "a trail to an unknown bucket" 17 "bucket.*'?buckte" '17s/bucket: bucket/bucket: buckte/'
wrong "a trail from an unknown source" 21 "sources.*remote" '20a\    sources: [remote]'
wrong "two stores of one name" 5 "here" '4p'
wrong "two trails of one name" 21 "audit" '20r tail.yaml'
