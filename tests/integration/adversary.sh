#!/usr/bin/env bash
# A stranger with a folder that is watched and the socket keeps nobody else from being heard: each of tests/adversary's attacks beside
# honest users, none of whose lines is lost, doubled or late. The long form takes ten times as long.
# stores: none
# seconds: 100
# slots: 2
# build: release
# table: yes
# timeout: 1800
. "$(dirname "$0")/run-helpers"

status=0
"$HF_ROOT/tests/adversary/run" --jobs 3 ${HF_LONG:+--long} strangers >table 2>wrong || status=$?
[ "$status" -ne 77 ] || { cat wrong; exit 77; }
cat table
[ "$status" -eq 0 ] || claim_failed "no stranger keeps another from being heard" "$(cat wrong)"
claim_ok "no stranger keeps another from being heard"
