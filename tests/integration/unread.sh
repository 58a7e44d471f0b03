#!/usr/bin/env bash
# "Well" is what was looked at: `check` says what each pattern matches, `status` what is not read of it, and `flush` ends with
# 0 only when all that was there is read or waits rightly. What somebody else puts under a pattern makes its source not well,
# and not the agent.
# stores: dir
# seconds: 20
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"

mkdir -p "${HF_STORE_URL#dir://}/unread" u/log u/plain
make_digest_key u/digest.key >u/fingerprint
configuration() { # SOURCES
    cat >u/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/u/state, host: u }
stores:
$(store_yaml main)
sources:
$1
buckets:
  - { name: unread, store: main, retention: none }
trails:
  - { name: audit, bucket: unread, window: { seconds: 1 }, encryption: none, digest: { seconds: 3600, key_file: $HF_TMP/u/digest.key } }
YAML
}
source_of() { printf '  - { name: %s, type: file, path: "%s", start: beginning%s }\n' "$1" "$HF_TMP/u/$2" "${3:-}"; }
of_source() { agent_status u | jq -r ".sources[] | select(.name == \"$1\") | $2"; }

# ---- before there is an agent ----

mkfifo u/log/fifo.log u/plain/fifo
mkdir u/log/folder.log
ln -s nowhere u/log/link.log
generate 0 20 >u/log/app.log
truncate -s 4T u/plain/sparse
configuration "$(source_of app 'log/*.log')
$(source_of plain plain/fifo)
$(source_of sparse plain/sparse)
$(source_of none 'none/*.log')
$(source_of fleet 'fleet/*.log' ', may_be_empty: true')"
check() { "$HF_BIN" check -c u/holdfast.yaml 2>&1 | grep -E "source $1\b" || true; }
claim_match "check says how many files a pattern matches" 'matches 1 file$' "$(check app)"
claim_match "... and what of it is none" '1 FIFO, 1 folder, 1 link that leads nowhere, .*: not read' "$(check app)"
claim_match "... names a path that is a FIFO" 'note.*1 FIFO' "$(check plain)"
claim_match "... a terabyte of holes" '1 files of .* are mostly holes' "$(check sparse)"
claim_match "... a pattern that matches nothing" 'note.*matches no file' "$(check none)"
claim_match "... unless it may be empty" 'ok.*matches no file, which is fine' "$(check fleet)"

# ---- beside one that reads ----

agent_start u
claim "what is no file is no reason for flush to fail" agent_flush u
claim_equal "all that is one is read" 20 "$(of_source app .events)"
claim_equal "a source under whose pattern something else stands is not well" "false 3" "$(of_source app '"\(.well) \(.others)"')"
claim_equal "... which is no problem of it" null "$(of_source app .problem)"
claim_match "a path that is a FIFO is one" '1 FIFO' "$(of_source plain .problem)"
claim_exit "... and the agent is not well" 1 "$HF_BIN" status -c u/holdfast.yaml
claim_equal "a terabyte of holes is waited for, and counted" "$((4 << 40)) 0" "$(of_source sparse '"\(.nul_bytes) \(.behind_bytes)"')"

# ---- what is held is waited for, and named ----

cp u/log/app.log u/log/copy.log # as if it were a copy of it that somebody is making
claim_refused "flush names a file that is held when its time is over" "source app: 1 not read: '.*/copy.log': it waits" "$HF_BIN" flush -c u/holdfast.yaml --timeout 1s
claim_exit "... and waits until that is decided" 0 "$HF_BIN" flush -c u/holdfast.yaml --timeout 30s
claim_equal "... and then it is read" 40 "$(of_source app .events)"

# ---- another name ----

configuration "$(source_of apps 'log/*.log')"
agent_stop u
agent_start u
claim_match "status says that a source has positions and is not configured" "[0-9]+ positions of files are kept for source 'app'" "$("$HF_BIN" status -c u/holdfast.yaml || true)"
claim_equal "... in JSON, too" true "$(agent_status u | jq '.positions_left | any(.source == "app" and .positions >= 1)')"
agent_stop u
