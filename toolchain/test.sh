#!/bin/sh
# Runs every suite under tests/, each with its own report in reports/; all of them, even when one fails.
set -u
. "$(dirname "$0")/lib.sh"
cd "$repository" || exit 3

rm -rf reports
mkdir -p reports
failed=
for suite in house unit cases migration integration roles acceptance; do
    [ -n "$(find "tests/$suite" -name 'test_*.py' 2>/dev/null | head -n 1)" ] || continue
    say "== $suite"
    # what shares the machine with nothing: tests that measure it, or compare it before and after
    case $suite in
        house | unit | cases) together="-n 2" ;;
        integration) together="-n 2 --dist loadfile" ;;
        *) together= ;;
    esac
    # shellcheck disable=SC2086
    { .venv/bin/pytest $together --durations=15 --junitxml="reports/$suite.xml" "tests/$suite" 2>&1; echo $? >"reports/$suite.exit"; } |
        tee "reports/$suite.log"
    [ "$(cat "reports/$suite.exit")" = 0 ] || failed="$failed $suite"
done
say "== in short"
for log in reports/*.log; do
    printf '%-12s %s\n' "$(basename "$log" .log)" "$(tail -n 1 "$log")" >&2
done
[ -z "$failed" ] || { say "failed:$failed"; exit 1; }
