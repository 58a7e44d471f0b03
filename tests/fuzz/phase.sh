# What tests/run does with tests/fuzz: source it. Uses `matches`, `result`, `passed` and `failed` and `took` of its caller.
# shellcheck shell=bash

# selected_fuzz_targets: those whose name fuzzed.TARGET this run is to run
selected_fuzz_targets() {
    local name
    for name in $(tests/fuzz/run --list); do
        if matches "fuzzed.$name"; then printf '%s\n' "$name"; fi
    done
}

# run_fuzz SECONDS JOBS TARGET ...: each for so long; what crashes is shown, with how to do it again
run_fuzz() {
    local line name seconds=$1 jobs=$2
    shift 2
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
        'passed '*)
            passed=$((passed + 1))
            name=${line#passed} name=${name##+( )}
            took "$(sed 's/.* \([0-9.]*\) s)$/\1/' <<<"$line")" "${name%% *}"
            ;;
        'FAILED '*) failed=$((failed + 1)) ;;
        esac
    done < <("${fixed_addresses[@]}" tests/fuzz/run --seconds "$seconds" --jobs "$jobs" "$@" 2>&1)
}
