# How tests/run reads what ctest and cmocka print, and counts: source it. Adds up `passed`, `failed` and `skipped`.
# tests/support/count-selftest holds it to that.
# shellcheck shell=bash

result() { printf '%-7s %s%s\n' "$1" "$2" "${3:+  ($3)}"; }

# distinct LINES: cmocka says what did not pass twice, when it happens and at the end.
distinct() { sort -u <<<"$1" | grep -c . || true; }

# report_ctest NAME: reads `ctest -V`. Each test of a cmocka program counts; another program is one test. Who ran nothing but
# skipped something is skipped; a cmocka program that did neither has failed, whatever its exit code.
report_ctest() {
    local line number name status rest count skips
    local -A output ok bad skip cmocka
    local shape='^ *[0-9]+/[0-9]+ Test +#([0-9]+): ([^ ]+) [. ]*(.*[^ ]) +([0-9.]+) sec'
    while IFS= read -r line; do
        if [[ $line =~ ^([0-9]+):\ ?(.*)$ ]]; then
            number=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
            case $rest in
            'Test command:'* | 'Working Directory:'* | 'Test timeout computed'*) continue ;;
            '[==========] Running '*) cmocka[$number]=1 ;;
            '[       OK ]'*) ok[$number]=$((${ok[$number]:-0} + 1)) ;;
            '[  FAILED  ] '*([0-9])' test(s)'*) ;;
            '[  FAILED  ]'* | '[  ERROR   ] '[!-]*) bad[$number]+="${rest#'[  '??????' ] '}"$'\n' ;;
            '[  SKIPPED ] '*([0-9])' test(s)'*) ;;
            '[  SKIPPED ]'*) skip[$number]+="${rest#'[  SKIPPED ] '}"$'\n' ;;
            esac
            output[$number]+="    $rest"$'\n'
        elif [[ $line =~ $shape ]]; then
            number=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]} status=${BASH_REMATCH[3]} rest=${BASH_REMATCH[4]}
            took "$rest" "$1 $name"
            count=${ok[$number]:-0} skips=$(distinct "${skip[$number]:-}")
            if [ "$status" = Passed ] && [ "$count" -eq 0 ] && [ "$skips" -gt 0 ]; then
                skipped=$((skipped + skips))
                result skipped "$1 $name" "all $skips of it"
            elif [ "$status" = Passed ] && { [ "$count" -gt 0 ] || [ -z "${cmocka[$number]:-}" ]; }; then
                [ "$count" -gt 0 ] || count=1
                passed=$((passed + count)) skipped=$((skipped + skips))
                [ "$skips" -eq 0 ] || rest="$skips skipped, $rest"
                result passed "$1 $name" "$count, $rest s"
            elif [[ $status == *Skipped ]]; then
                skipped=$((skipped + 1))
                result skipped "$1 $name" "$(tail -n 1 <<<"${output[$number]%$'\n'}" | sed 's/^ *//')"
            else
                [ "$status" != Passed ] || status='ran no test'
                passed=$((passed + count)) skipped=$((skipped + skips))
                count=$(distinct "${bad[$number]:-}")
                [ "$count" -gt 0 ] || count=1
                failed=$((failed + count))
                result FAILED "$1 $name" "${status//\*/}, $rest s"
                printf '%s' "${output[$number]:-}"
            fi
            unset "output[$number]"
        fi
    done
}

# took SECONDS NAME [CPU]: for the table at the end; nothing where nobody wants one.
took() { [ -z "${times:-}" ] || printf '%s\t%s\t%s\n' "$1" "${3:--}" "$2" >>"$times"; }

# show_slowest COUNT
show_slowest() {
    printf '%8s %8s  %s\n' seconds cpu test
    LC_ALL=C sort -t $'\t' -k 1,1nr "$times" | head -n "$1" | awk -F '\t' '{ printf "%8.1f %8s  %s\n", $1, $2, $3 }'
}
