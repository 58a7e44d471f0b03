#!/usr/bin/env bash
# Hostile stores and hostile buckets against an agent beside honest users: what a store says is bounded and checked, what somebody else
# puts among the digests neither grows the agent nor spins it, and intake goes on as if nothing were. The long form takes ten times as long.
# stores: none
# seconds: 60
# build: release
# table: yes
# timeout: 1800
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/adversary-helpers"

play "no store keeps anybody from being heard" --jobs 6 stores
