# Words the set-up scripts share: saying, asking, and being root. Sourced, not run.

repository=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/epolab
# The engine that set-up starts where none answers; tests give a private one other places.
engine_home=${EPOLAB_ENGINE_HOME:-/var/lib/epolab}
engine_run=${EPOLAB_ENGINE_RUN:-/run/epolab}
engine_socket=${EPOLAB_ENGINE_SOCKET:-/var/run/docker.sock}

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "set-up: $1"
    [ -z "${2:-}" ] || say "    try: $2"
    exit 3
}

# Runs a command as root. On a terminal sudo may ask for a password; elsewhere it must not have to.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        fail "this needs root, and there is no sudo" "su -c 'make setup'"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Asks a yes-or-no question where a person can answer; goes on unasked where nobody can.
agreed() {
    [ -t 0 ] && [ -t 2 ] || return 0
    printf '%s [Y/n] ' "$1" >&2
    read -r answer || return 1
    case $answer in "" | y | Y | yes) return 0 ;; *) return 1 ;; esac
}

engine_answers() {
    if [ -n "${EPOLAB_ENGINE_SOCKET:-}" ]; then
        docker --host "unix://$engine_socket" version >/dev/null 2>&1
    else
        docker version >/dev/null 2>&1
    fi
}
