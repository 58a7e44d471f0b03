#!/usr/bin/env bash
# The power goes on a real file system: ext4 on a loop device is shut down under the running agent, which loses whatever was not synced;
# the store, on another disk, lives on. Every acknowledged line, and every line of a followed file, is there exactly once.
# Three times; the long form twenty times. HF_SEED=N repeats a run's moments.
# stores: dir
# seconds: 60
# build: release
# table: yes
# timeout: 600
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"

[ "$(id -u)" = 0 ] || skip "only root may mount a file system"
command -v xfs_io >/dev/null || skip "xfs_io (xfsprogs) is not there"
rounds=${HF_ROUNDS:-3}
[ -z "${HF_LONG:-}" ] || rounds=20
seed=${HF_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# $rounds rounds, HF_SEED=$seed"

mkdir disk main log
truncate -s 512M disk.img
mkfs.ext4 -q -F disk.img
loop=$(losetup --find --show disk.img 2>/dev/null) || skip "no loop device may be set up here"
unmount() {
    umount disk 2>/dev/null || umount -l disk 2>/dev/null || true
    losetup -d "$loop" 2>/dev/null || true
}
trap 'status=$?; set +e; (exit $status); agents_stop; unmount; exit $status' EXIT
mount "$loop" disk || skip "no file system may be mounted here"

bucket=$(bucket_name)
bucket_make "$bucket"
gen=$(hf_tool hf_gen)
make_digest_key main/digest.key >/dev/null
cat >main/holdfast.yaml <<YAML
agent: { state_dir: $HF_TMP/disk/state, journal: { segment_bytes: 8MiB } }
stores:
$(store_yaml here)
sources:
  - { name: app, type: file, path: "$HF_TMP/log/app.jsonl*", start: beginning }
  - { name: local, type: socket, path: $HF_TMP/in.sock }
buckets:
  - { name: $bucket, store: here, retention: { mode: governance, days: 1 } }
trails:
  - name: plain
    bucket: $bucket
    prefix: plain
    window: { seconds: 1, max_bytes: 1MiB }
    encryption: none
    digest: { seconds: 2, key_file: $HF_TMP/main/digest.key }
YAML

write_file() {
    local at=0
    until [ -e stop ]; do
        "$gen" --first "$at" --events 100 --seed "$at" >>log/app.jsonl
        at=$((at + 100))
        [ $((at % 3000)) != 0 ] || mv log/app.jsonl "log/app.jsonl.$at"
        sleep 0.05
    done
    echo "$at" >file.written
}
feed_socket() {
    local at=1000000000
    until [ -e stop ]; do
        "$gen" --first "$at" --events 100 --seed "$at"
        at=$((at + 100))
        sleep 0.05
    done
    echo $((at - 1000000000)) >socket.written
}

agent_start main
write_file &
writer=$!
feed_socket | "$HF_BIN" emit -s "$HF_TMP/in.sock" --timeout 120s >emit.out 2>emit.err &
feeder=$!
worst_ms=0 torn=0
for ((round = 1; round <= rounds; round++)); do
    sleep "$((1 + RANDOM % 2)).$(printf %03d $((RANDOM % 1000)))"
    xfs_io -x -c shutdown disk # without flushing its log: as when the power goes
    agent_kill main
    umount disk
    mount "$loop" disk
    before=${EPOCHREALTIME/[.,]/}
    agent_start main
    took_ms=$(((${EPOCHREALTIME/[.,]/} - before) / 1000))
    [ "$took_ms" -le "$worst_ms" ] || worst_ms=$took_ms
done
torn=$(grep -c 'journal.opened.*torn_bytes=[1-9]' main/agent.log || true)
touch stop
wait "$writer"
status=0
wait "$feeder" || status=$?
claim_equal "emit gets everything acknowledged in the end" 0 "$status"
claim "flush delivers and signs everything" agent_flush main 60s
claim_intact "trail plain is intact" main plain
agent_stop main

written=$(cat file.written) fed=$(cat socket.written)
bucket_fetch "$bucket" fetched
fetched_objects fetched plain | numbers_in - >plain.numbers
claim_each_once "each of the $written lines of the file is there once" plain.numbers 0 "$written"
claim_each_once "each of the $fed acknowledged lines of the socket is there once" plain.numbers 1000000000 "$fed"
printf '%-40s %6s %8s %6s %8s %9s\n' fault cases events lost doubled 'worst ms' \
    'ext4 shut down in the middle' "$rounds" "$((written + fed))" 0 0 "$worst_ms"
echo "# torn tails of the journal: $torn"
