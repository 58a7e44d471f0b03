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
. "$HF_ROOT/tests/integration/adversary-helpers"

play "no stranger keeps another from being heard" --jobs 3 strangers
