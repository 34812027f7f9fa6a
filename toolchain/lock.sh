#!/bin/sh
# Pins the Python packages of requirements*.in by hash; no file names where they come from.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$repository"

tools=$cache/lock-tools
[ -x "$tools/bin/pip-compile" ] || {
    "$repository/.venv/bin/python" -m venv "$tools"
    "$tools/bin/pip" install -q pip-tools
}
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/pip-compile" --quiet --upgrade --generate-hashes --allow-unsafe \
        --strip-extras --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links "$@"
}
compile -o requirements.lock requirements.in requirements-dev.in
compile -c requirements.lock -o requirements-node.lock requirements-node.in
