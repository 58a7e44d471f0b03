#!/usr/bin/env bash
# The same with the unit's own user and rights: no capability, a group that may read logs, nobody else's processes in /proc. What it
# may not read it says, and a stranger keeps nobody else from being heard. The long form plays every attack, ten times as long.
# stores: none
# seconds: 80
# slots: 2
# build: release
# table: yes
# timeout: 1800
. "$(dirname "$0")/run-helpers"

rows=(disk streams names closed links forge restart mount) # where rights are in question
[ -z "${HF_LONG:-}" ] || rows=(strangers)
status=0
"$HF_ROOT/tests/adversary/run" --unit --jobs 3 ${HF_LONG:+--long} "${rows[@]}" >table 2>wrong || status=$?
[ "$status" -ne 77 ] || { cat wrong; exit 77; }
cat table
[ "$status" -eq 0 ] || claim_failed "no stranger keeps another from being heard" "$(cat wrong)"
claim_ok "no stranger keeps another from being heard"
