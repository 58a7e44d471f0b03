#!/usr/bin/env bash
# The engine with one fault at a time, at an evenly spread sample of the places where it can be (tests/torture/run says what and how): no
# line is lost or doubled, nobody has to do anything. A smaller sample runs under the sanitizers. The long form takes every place.
# stores: none
# seconds: 300
# slots: 2
# build: release
# table: yes
# timeout: 3600
set -euo pipefail
HF_ROOT=${HF_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
HF_BUILD=${HF_BUILD:-$HF_ROOT/build/release} "$HF_ROOT/tests/torture/run" --seed "$seed" ${HF_LONG:+--long}
echo
echo "under AddressSanitizer and UndefinedBehaviorSanitizer:"
HF_BUILD=$HF_ROOT/build/asan "$HF_ROOT/tests/torture/run" --seed "$seed" --most 20
