#!/usr/bin/env bash
# Hostile stores and hostile buckets against an agent beside honest users: what a store says is bounded and checked, what somebody else
# puts among the digests neither grows the agent nor spins it, and intake goes on as if nothing were. The long form takes ten times as long.
# stores: none
# seconds: 60
# build: release
# table: yes
# timeout: 1800
. "$(dirname "$0")/run-helpers"

status=0
"$HF_ROOT/tests/adversary/run" --jobs 6 ${HF_LONG:+--long} stores >table 2>wrong || status=$?
[ "$status" -ne 77 ] || { cat wrong; exit 77; }
cat table
[ "$status" -eq 0 ] || claim_failed "no store keeps anybody from being heard" "$(cat wrong)"
claim_ok "no store keeps anybody from being heard"
