#!/usr/bin/env bash
# One byte of the state directory is not what it was, at an evenly spread sample of places and in every header (tests/corruption/run says
# what and how): every line is delivered once or signed as lost, nobody has to do anything. A smaller sample runs under the sanitizers. The
# long form takes every byte.
# stores: none
# seconds: 150
# slots: 2
# build: release
# table: yes
# timeout: 86400
set -euo pipefail
HF_ROOT=${HF_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
HF_BUILD=${HF_BUILD:-$HF_ROOT/build/release} "$HF_ROOT/tests/corruption/run" --seed "$seed"
echo
echo "under AddressSanitizer and UndefinedBehaviorSanitizer:"
HF_LONG='' HF_BUILD=$HF_ROOT/build/asan "$HF_ROOT/tests/corruption/run" --seed "$seed" --most 6
