#!/usr/bin/env bash
# 2,000 disks as they may look when the power went, each recovered (tests/powerloss/run says how): no line is lost or doubled. And the
# model itself: of an engine that forgets to sync its journal, its ledgers, its sealed objects, it must find the losses. The long form has
# 20,000 disks.
# stores: none
# seconds: 250
# slots: 2
# build: release
# table: yes
# timeout: 7200
set -euo pipefail
HF_ROOT=${HF_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
. "$HF_ROOT/tests/support/lib.sh"
export HF_BUILD=${HF_BUILD:-$HF_ROOT/build/release}
"$HF_ROOT/tests/powerloss/run" ${HF_SEED:+--seed "$HF_SEED"} ${HF_LONG:+--long}
for forgotten in .seg /ledger sealed/; do
    status=0
    "$HF_ROOT/tests/powerloss/run" --images 60 --forget "$forgotten" >forgotten.out || status=$?
    claim_equal "losses are found when '$forgotten' is never synced" 1 "$status"
    claim_match "... as such" 'WRONG' "$(cat forgotten.out)"
done
