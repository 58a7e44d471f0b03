#!/usr/bin/env bash
# scripts/demo does what it says on each store, within its time, and leaves nothing behind.
# stores: dir ceph minio
# seconds: 120
# timeout: 600
. "$(dirname "$0")/run-helpers"

mkdir tmp
status=0
# As on a machine of its own: none of this run's store, no sanitizer's options. The build is build/demo's, made once.
env -u HF_STORE -u HF_STORE_DIR -u ASAN_OPTIONS -u UBSAN_OPTIONS -u TSAN_OPTIONS TMPDIR="$HF_TMP/tmp" CI=true \
    "$HF_ROOT/scripts/demo" --store "$HF_STORE" >demo.log 2>&1 </dev/null || status=$?
cat demo.log
claim_equal "the demo ends with 0" 0 "$status"

says() { claim_match "$1" "$2" "$(cat demo.log)"; }
says "it shows which program it built" '^ +holdfast [0-9]+\.[0-9]+'
says "the lines given to emit are acknowledged, all of them" '^ +acknowledged after fdatasync: ([0-9]+) of \1 lines'
says "objects arrive in both trails" '^ +[1-9][0-9]* objects under plain/, [1-9][0-9]* under sealed/'
says "a record is read back with gunzip and jq" '^ +\{.*"eventID":"demo-000042"'
says "the rotated file arrived complete, each event once" 'all 3000 events of the rotated file are there, each once'
says "openssl opens a sealed object" 'openssl cms -decrypt'
claim_equal "both chains are validated intact" 2 "$(grep -cE '^ +intact: [1-9][0-9]* digests' demo.log)"
if [ "$HF_STORE" = dir ]; then
    says "the changed byte is found, its object named" '^ +INVALID +plain/AWSLogs/.*\.json\.gz'
    says "what root can do on a directory is said" 'What root can still do on a plain directory'
else
    says "deleting a locked version is refused" 'AccessDenied|InvalidRequest|WORM'
    says "the hidden object is found and named" '^ +OVERWRITTEN +plain/AWSLogs/.*\.json\.gz'
fi
says "validate ended as it should" 'validate ended with exit code 1 and named the object'
claim_equal "it ends with five lines on what to do next" 5 "$(sed -n '/^What to do next:/,$p' demo.log | grep -cE '^ +[1-5]\. ')"
claim_equal "nothing is left in the temporary directory" "" "$(find tmp -mindepth 1 | head -n 5)"
claim_equal "no process of it is left" "" "$(pgrep -af "$HF_TMP/tmp/holdfast-demo" | head -n 5 || true)"
