#!/bin/sh
# Runs every suite under tests/, each with its own report in reports/; all of them, even when one fails.
set -u
. "$(dirname "$0")/lib.sh"
cd "$repository" || exit 3

rm -rf reports
mkdir -p reports
failed=
# Runs one suite, or a part of one; its words go to reports/<part>.log, how it ended to reports/<part>.exit.
run() { suite=$1 && shift && run_part "$suite" "$suite" "$@"; }
run_part() {
    part=$1 suite=$2
    shift 2
    [ -n "$(find "tests/$suite" -name 'test_*.py' 2>/dev/null | head -n 1)" ] || return 0
    say "== $part"
    { .venv/bin/pytest "$@" --tb=short --durations=5 --junitxml="reports/$part.xml" "tests/$suite" 2>&1; echo $? >"reports/$part.exit"; } |
        tee "reports/$part.log"
}

say "== lint"
{ make --no-print-directory lint 2>&1; echo $? >reports/lint.exit; } | tee reports/lint.log
for suite in house unit cases fuzz; do
    run "$suite" -n 2
done
run migration
# these two wait more than they work; the last one measures the machine and compares it before and after, alone
run integration -n 3 --dist loadfile &
run roles >/dev/null &
wait
run acceptance -m 'not beside'
# two labs beside each other, which wait more than they work; a file's tests stay together, in their order
run_part beside acceptance -m beside -n 2 --dist loadfile --no-loadscope-reorder
for result in reports/*.exit; do
    [ "$(cat "$result")" = 0 ] || failed="$failed $(basename "$result" .exit)"
done
say "== in short"
for log in reports/*.log; do
    printf '%-12s %s\n' "$(basename "$log" .log)" "$(tail -n 1 "$log")" >&2
done
[ -z "$failed" ] || { say "failed:$failed"; exit 1; }
