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
. "$HF_ROOT/tests/integration/adversary-helpers"

rows=(disk streams names closed links forge restart mount) # where rights are in question
[ -z "${HF_LONG:-}" ] || rows=(strangers)
play "no stranger keeps another from being heard" --unit --jobs 3 "${rows[@]}"
