# How tests/run builds, and judges what compilers and analyzers say: source it. Uses `tmp`, `cores`, `failed` and `now_us`,
# `seconds_since` and `result` of its caller. tests/support/build-selftest holds it to that.
# shellcheck shell=bash

# Without what it was to build there is nothing to run.
no_build() {
    result FAILED "build $1"
    say "0 passed, 1 failed, 0 skipped"
    exit 1
}

# build PRESET [-DOPTION=VALUE ...] [TARGET ...]: as far as it goes, so that one run shows all that is wrong; 1: not all of it.
build() {
    local preset=$1 log=$tmp/build-$1.log options=()
    shift
    while [[ ${1:-} == -D* ]]; do options+=("$1"); shift; done
    cmake --preset "$preset" "${options[@]}" >"$log" 2>&1 &&
        nice cmake --build "build/$preset" --parallel "$cores" ${1:+--target "$@"} -- -k 0 >>"$log" 2>&1
}

configure_and_build() { # PRESET [TARGET ...]
    local started
    started=$(now_us)
    if build "$@"; then
        result built "$1" "$(seconds_since "$started") s"
    else
        tail -n 60 "$tmp/build-$1.log"
        no_build "$1"
    fi
}

# findings PRESET: each once, with what compiler or analyzer shows of it
findings() { awk '/: (fatal )?error: /{ shown = seen[$0]++ ? 0 : 12 } shown-- > 0 && ++lines <= 200 { print "    " $0 }' "$tmp/build-$1.log"; }

# found NAME PRESET: one FAILED line, and what it stands for
found() {
    local log=$tmp/build-$2.log files
    files=$({ grep -oE '^[^ :]+:[0-9]+:[0-9]+: (fatal )?error: ' "$log" || true; } | cut -d : -f 1 | sort -u | wc -l)
    failed=$((failed + 1))
    if [ "$files" -gt 0 ]; then
        result FAILED "$1" "findings in $files files"
        findings "$2"
    else
        result FAILED "$1"
        tail -n 60 "$log" | sed 's/^/    /'
    fi
}

# judge_analyzer: everything under gcc -fanalyzer. What it finds is a failure, and the run goes on: nothing else needs this build.
judge_analyzer() {
    local started
    started=$(now_us)
    if build analyze; then
        result built analyze "$(seconds_since "$started") s"
    else
        found lint.analyzer analyze
    fi
}

# judge_clang [TARGET ...]: everything, or these, under clang and clang-tidy. What clang-tidy alone complains of is a failure, and is
# built without it, so that it is fuzzed all the same. 1: clang does not build it.
judge_clang() {
    local started
    started=$(now_us)
    if build fuzz "$@"; then
        result built fuzz "$(seconds_since "$started") s"
        return 0
    fi
    cp "$tmp/build-fuzz.log" "$tmp/build-tidy.log"
    if build fuzz -DHF_TIDY=OFF "$@"; then
        found lint.clang-tidy tidy
        return 0
    fi
    found 'build fuzz' fuzz
    return 1
}
