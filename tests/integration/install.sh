#!/usr/bin/env bash
# A host that has nothing yet: scripts/install builds and installs, a followed file of 10,000 events arrives locked and validates, run
# again it changes no configuration, and --uninstall leaves state and configuration alone.
# stores: ceph
# seconds: 150
# timeout: 900
. "$(dirname "$0")/run-helpers"
. "$HF_ROOT/tests/integration/evidence-helpers"
. "$HF_ROOT/tests/integration/trouble-helpers"
. "$HF_ROOT/tests/integration/install-helpers"

root_make
mkdir "$root/src"
git -C "$HF_ROOT" ls-files -z --cached --others --exclude-standard | (cd "$HF_ROOT" && tar --null -T - -cf -) | tar -C "$root/src" -xf -

# Everything that could be left behind: what apt brings is not of interest, and it writes below /usr/local nothing.
everything() { (cd "$root" && find etc/holdfast etc/systemd/system usr/local var/lib/holdfast run/holdfast ! -type d 2>/dev/null || true) | LC_ALL=C sort; }
everything_of_root=$(everything)

claim_exit "without root it says so" 2 inside setpriv --reuid 1000 --clear-groups /src/scripts/install
claim "scripts/install on a host that has nothing" inside /src/scripts/install --yes
claim_exit "the program runs" 0 inside holdfast --version
claim "the unit is right" inside sh -c 'test -s /usr/local/lib/systemd/system/holdfast.service && ! grep @CMAKE /usr/local/lib/systemd/system/holdfast.service'
claim "the sample configuration is one the program takes" inside holdfast run --check-config
for file in bin/holdfast lib/systemd/system-generators/holdfast-generator lib/sysusers.d/holdfast.conf lib/tmpfiles.d/holdfast.conf share/man/man1/holdfast.1 \
    share/bash-completion/completions/holdfast share/holdfast/policies/starter/bucket-policy.json share/doc/holdfast/README.md; do
    claim "installed: $file" test -s "$root/usr/local/$file"
done
completed() { # WORD...: what bash offers for the last one
    inside bash -c '. /usr/local/share/bash-completion/completions/holdfast; COMP_WORDS=(holdfast "$@"); COMP_CWORD=$#; _holdfast; echo "${COMPREPLY[*]}"' - "$@"
}
claim_equal "bash completes commands, their second words, options and files" "status|apply|--metrics|/etc/holdfast/holdfast.yaml" \
    "$(completed stat)|$(completed bucket a)|$(completed status --m)|$(completed run --config /etc/holdfast/h)"
claim_equal "state is the user's, secrets are root's" "holdfast 700
root 700" "$(inside stat -c '%U %a' /var/lib/holdfast /etc/holdfast/secrets)"

# ---- configured as it tells to ----

bucket=$(bucket_name)
mkdir -p "$root/var/log/app"
root_configure "$bucket" '/var/log/app/*.jsonl'
inside holdfast key new /etc/holdfast/secrets/digest.key >fingerprint
# Without systemd, which hands them over, the secrets are for the user's group to read: what scripts/install prints.
inside sh -c 'cd /etc/holdfast && chgrp -R holdfast secrets && chmod 750 secrets && chmod 640 secrets/*'
inside install -d -o holdfast -g holdfast /run/holdfast
claim "bucket apply makes the bucket" inside holdfast bucket apply
claim "check finds nothing wrong" inside setpriv --reuid holdfast --regid holdfast --clear-groups holdfast check

generate 0 4000 >"$root/var/log/app/web.jsonl"
inside_exec setpriv --reuid holdfast --regid holdfast --clear-groups holdfast run >agent.log 2>&1 </dev/null &
agent_pid[fresh]=$!
mkdir fresh && ln -s ../agent.log fresh/agent.log
claim "the agent answers" wait_for 30 inside holdfast status
for part in 1 2 3; do generate $((2000 + part * 2000)) 2000 >>"$root/var/log/app/web.jsonl"; done
claim "flush delivers what was written" inside holdfast flush --timeout 60s
inside holdfast cat --trail audit | numbers_in_text >numbers
claim_equal "each of 10,000 events is there once" 10000 "$(grep -c . numbers)"
claim_equal "... none twice, none else" "10000 0 9999" "$(sort -un numbers | awk 'NR == 1 { first = $1 } { last = $1 } END { print NR, first, last }')"
claim "the chain validates" inside holdfast validate --trail audit
claim_equal "every version is locked in GOVERNANCE mode" "" \
    "$(bucket_versions "$bucket" | grep -v /keys/ | while read -r key version; do
        [ "$(store_aws s3api get-object-retention --bucket "$bucket" --key "$key" --version-id="$version" --query Retention.Mode --output text)" = GOVERNANCE ] || echo "$key"
    done)"
agent_stop fresh

# ---- again, and away ----

cp "$root/etc/holdfast/holdfast.yaml" holdfast.yaml
claim "run again it brings the host up to date" inside /src/scripts/install --yes
claim "... and leaves the configuration alone" cmp holdfast.yaml "$root/etc/holdfast/holdfast.yaml"
state=$(cd "$root" && find var/lib/holdfast etc/holdfast -type f ! -name .installed -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
claim "scripts/install --uninstall" inside /src/scripts/install --uninstall
claim_equal "nothing is left but state and configuration" "$everything_of_root" "$(everything | grep -vE '^(etc/holdfast|var/lib/holdfast|run/holdfast)/')"
claim_equal "state and configuration are as they were" "$state" "$(cd "$root" && find var/lib/holdfast etc/holdfast -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)"
claim "once more it finds nothing to do" inside /src/scripts/install --uninstall
