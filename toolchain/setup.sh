#!/bin/sh
# Everything this repository needs of a machine, once: Debian packages, a Docker engine, .venv, the Pulumi engine, the images.
# Says first what it will do, asks once where somebody can answer, and does nothing twice.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$repository"

venv=$repository/.venv
wanted_python='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for candidate in python3 /usr/bin/python3; do
        "$candidate" -c "$wanted_python" >/dev/null 2>&1 && { echo "$candidate"; return; }
    done
    return 1
}

# Prints the Debian packages that are missing.
missing_packages() {
    engine_answers || has dockerd || echo docker.io
    has docker || [ "$(. /etc/os-release && echo "${VERSION_ID%%.*}")" -lt 13 ] || echo docker-cli
    has mmdebstrap || echo mmdebstrap
    has qemu-system-x86_64 || echo qemu-system-x86
    has qemu-img || echo qemu-utils
    has mke2fs || echo e2fsprogs
    find_python >/dev/null || echo python3-venv
    has ssh || echo openssh-client
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null; }

# What .venv is made of; a different answer means that it must be brought up to date.
venv_inputs() { cat requirements.lock packages/*/pyproject.toml | sha256sum | cut -d' ' -f1; }

venv_is_current() {
    "$venv/bin/python" -c '' 2>/dev/null && [ "$(cat "$venv/.made-of" 2>/dev/null)" = "$(venv_inputs)" ]
}

# `provision.py --plan` prints one line for each thing that is missing, nothing if all is there.
provision_plan() {
    if venv_is_current && engine_answers; then
        "$venv/bin/python" toolchain/provision.py --plan
    else
        say "  - the Pulumi engine and the images of the nodes, where they are not in $cache (5 to 10 minutes)"
    fi
}

show_plan() {
    [ -z "$packages" ] || say "  - install these Debian packages:" $packages
    engine_answers || say "  - start a Docker engine (the package does it where systemd runs; else one of our own in $engine_home)"
    venv_is_current || say "  - put the Python packages of requirements.lock, checked by hash, into .venv (a minute)"
    provision_plan
}

install_packages() {
    say "installing Debian packages:" "$@"
    as_root sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"' \
        sh "$@" </dev/null >"$log" 2>&1 || fail "apt-get failed: $(tail -n 3 "$log")" "less $log"
    as_root mkdir -p "$engine_home"
    printf '%s\n' "$@" | as_root tee -a "$engine_home/installed-packages" >/dev/null
}

make_venv() {
    say "putting the Python packages into .venv"
    python=$(find_python) || fail "no Python 3.11 or newer" "apt-get install python3-venv"
    "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r requirements.lock >"$log" 2>&1 &&
        "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-build-isolation \
            -e packages/epolab -e packages/epolab-fabric -e packages/miniepo >>"$log" 2>&1 ||
        fail "pip failed: $(tail -n 3 "$log")" "less $log"
    venv_inputs >"$venv/.made-of"
}

case ${1:-} in
    packages) # also called by provision.py when the Pulumi engine must be built
        shift
        mkdir -p "$cache/logs"
        log=$cache/logs/apt.log
        install_packages "$@"
        exit
        ;;
esac

mkdir -p "$cache/logs"
log=$cache/logs/setup.log
packages=$(missing_packages | tr '\n' ' ')
plan=$(show_plan 2>&1)
if [ -z "$plan" ]; then
    exit 0
fi
say "set-up will:"
say "$plan"
say "Whoever may use the Docker engine is root on this machine. \`make uninstall\` takes all of it away again."
agreed "Go on?" || fail "nothing was done"
started=$(date +%s)
[ -z "$packages" ] || install_packages $packages
engine_answers || sh toolchain/engine.sh start
venv_is_current || make_venv
"$venv/bin/python" toolchain/provision.py
say "set-up is done ($(($(date +%s) - started)) s)"
