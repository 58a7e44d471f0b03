#!/usr/bin/env bash
# The systemd unit, on a host that systemd has booted: it starts by itself, ships that host's own log files, reads the logs that the
# configuration names and nothing else, takes secrets that only root can read, reloads, is watched, and stops in time.
# stores: ceph
# seconds: 100
# build: release
# timeout: 600
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"
. "$HF_ROOT/tests/integration/install-helpers"

command -v systemd-nspawn >/dev/null || skip "systemd-nspawn (package systemd-container) is not here"
built=${HF_BIN%/agent/cli/holdfast}
claim "its exposure is at most 2.0, by systemd-analyze" systemd-analyze security --offline=true --threshold=20 "$built/agent/host/holdfast.service"

root_make
DESTDIR=$root cmake --install "$built" --strip >install.log || claim_failed "cmake --install" "$(tail install.log)"
libraries="libcurl4 libssl3 libxml2 libjansson4 libdeflate0 libisal2 libevent-2.1-7 libevent-pthreads-2.1-7 libyaml-0-2 libsystemd0"
inside sh -c "apt-get -q update && apt-get -q -y install --no-install-recommends systemd-sysv dbus ca-certificates $libraries" >apt.log 2>&1 ||
    skip "Debian's packages cannot be had: $(grep '^E:' apt.log | head -n 1)"
rm "$root/usr/sbin/policy-rc.d"

# As scripts/install does it.
inside systemd-sysusers /usr/local/lib/sysusers.d/holdfast.conf
inside systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/holdfast.conf
bucket=$(bucket_name)
root_configure "$bucket" '/var/log/*.log'
inside holdfast key new /etc/holdfast/secrets/digest.key >/dev/null 2>&1
inside holdfast bucket apply >/dev/null
claim_equal "secrets are root's alone" "root 700
root 600" "$(inside stat -c '%U %a' /etc/holdfast/secrets /etc/holdfast/secrets/digest.key)"
mkdir -p "$root/srv/private" "$root/etc/systemd/system/multi-user.target.wants"
echo secret >"$root/srv/private/file"
echo holdfast:300000:65536 >>"$root/etc/subuid"
inside systemctl enable holdfast.service >/dev/null 2>&1
# A host without a journal: what there is lies in files, as the package tools left them.
ln -s /dev/null "$root/etc/systemd/system/systemd-journald.service"
for socket in systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket; do ln -s /dev/null "$root/etc/systemd/system/$socket"; done
lines=$(cat "$root"/var/log/*.log | grep -c '') # blank ones, too
claim "the host has log files of its own" test "$lines" -gt 100

# ---- booted ----

umount -R "$root/sys" "$root/proc" "$root/dev"
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup || skip "no cgroup2 may be mounted here"
systemd-nspawn --register=no --keep-unit -b -D "$root" --console=pipe >boot.log 2>&1 </dev/null &
nspawn=$!
booted_stop() { # TERM asks for a clean shutdown
    kill -TERM "$nspawn" 2>/dev/null || true
    wait_for 20 gone "$nspawn" || kill -9 "$nspawn" 2>/dev/null || true
}
trap 'status=$?; set +e; (exit $status); agents_stop; [ $status = 0 ] || tail -n 40 boot.log; booted_stop; exit $status' EXIT
leader() { pgrep -P "$nspawn" | head -n 1; }
there() { nsenter -t "$(leader)" -m -u -i -p -C --root --wd env -i PATH=/usr/local/bin:/usr/bin:/usr/sbin "$@"; }
is_up() { case $(there systemctl is-system-running) in running | degraded) ;; *) return 1 ;; esac; }
wait_for 60 is_up || { gone "$nspawn" && skip "systemd does not boot here: $(tail -n 1 boot.log)"; claim_failed "systemd boots" "$(tail boot.log)"; }
property() { there systemctl show -P "$1" holdfast.service; }

claim_equal "the unit is up" "active" "$(property ActiveState)"
claim_equal "... by its own notification, watched" "notify 1min" "$(property Type) $(property WatchdogUSec)"
claim "status is well" there holdfast status
claim "flush delivers the host's own files" there holdfast flush --timeout 60s
there holdfast cat --trail audit >records
claim_equal "each of their lines is there once" "$lines" "$(jq -r 'select(.eventName == "LogLine") | .eventID' records | sort -u | wc -l)"
claim "the chain validates" there holdfast validate --trail audit

# ---- what it sees ----

pid=$(property MainPID)
sees() { there nsenter -t "$pid" -m --root --wd "$@"; }
claim_equal "it runs as its user, without capabilities, and may get no privileges" "holdfast 0000000000000000 1" \
    "$(there stat -c %U "/proc/$pid") $(there sed -n 's/^CapEff:\t//p' "/proc/$pid/status") $(there sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")"
claim "the logs are there for it" sees test -r /var/log/dpkg.log
claim "who counts as whom is there for it" sees test -r /etc/subuid
claim "its own process is" sees setpriv --reuid holdfast --regid holdfast --clear-groups test -e /proc/self/cgroup
claim_exit "other users' processes are not: clients count by their user" 1 sees setpriv --reuid holdfast --regid holdfast --clear-groups test -e /proc/1/cgroup
for path in /srv /boot /opt /etc/shadow /var/cache /var/lib/dpkg /run/dbus; do claim_exit "$path is not" 1 sees test -e "$path"; done
claim_equal "homes are empty" "" "$(sees find /home /root -mindepth 1)"
claim_exit "logs cannot be written, by root either" 1 sees test -w /var/log/dpkg.log
claim_equal "a secret can be read by it as a credential only" "secrets_credentials secrets_digest.key secrets_digest.key.pub" "$(sees ls "/run/credentials/holdfast.service" | tr '\n' ' ' | sed 's/ $//')"

# ---- clients, reload, another path ----

claim_equal "a client on the host reaches the socket" 100 "$(generate 0 100 | there holdfast emit -s /run/holdfast/intake.sock)"
sed -i 's/seconds: 5,/seconds: 6,/' "$root/etc/holdfast/holdfast.yaml"
claim "systemctl reload" there systemctl reload holdfast
mkdir "$root/srv/app" "$root/home/app"
generate 100 50 >"$root/srv/app/web.jsonl"
generate 150 10 >"$root/home/app/own.jsonl"
for path in /srv/app /home/app; do
    sed -i "s,^sources:,&\n  - { name: $(basename "$path")-${path:1:1}\, type: file\, path: \"$path/*.jsonl\"\, start: beginning }," "$root/etc/holdfast/holdfast.yaml"
done
there systemctl daemon-reload
claim "a configuration with other paths, after daemon-reload and restart" there systemctl restart holdfast
claim "... they are seen" there holdfast flush --timeout 60s
claim_equal "... and read" 160 "$(there holdfast cat --trail audit | numbers_in_text | sort -un | wc -l)"
claim_exit "the folder beside it still is not there" 1 sees test -e /srv/private

# ---- killed, hanging, stopped ----

before=$(property NRestarts)
there sh -c "kill -9 $(property MainPID)"
restarted() { [ "$(property NRestarts)" -gt "$before" ] && [ "$(property ActiveState)" = active ]; }
claim "killed, it is started again" wait_for 30 restarted
claim_equal "the socket takes lines" 10 "$(generate 200 10 | there holdfast emit -s /run/holdfast/intake.sock)"
start_ms=$((${EPOCHREALTIME/[.,]/} / 1000))
there systemctl stop holdfast
stop_ms=$((${EPOCHREALTIME/[.,]/} / 1000 - start_ms))
echo "# stopped in $stop_ms ms"
claim "it stops within ten seconds" test "$stop_ms" -le 10000
claim_equal "... cleanly" "inactive success" "$(property ActiveState) $(property Result)"
claim "everything is there, and intact" there holdfast validate --trail audit
claim_equal "each event once" "170 170" "$(there holdfast cat --trail audit | numbers_in_text | sort -n | tee all | wc -l) $(sort -un all | wc -l)"
