#!/usr/bin/env bash
# What earlier programs left behind, state directories and buckets, is taken over, kill -9 included, without loss or
# double, and its chain is intact; what a later program left is refused, untouched. tests/upgrade/run is the test.
# stores: none
# timeout: 600
exec "${HF_ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/upgrade/run"
