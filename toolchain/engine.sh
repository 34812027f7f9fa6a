#!/bin/sh
# The Docker engine of a machine that has none running: start | stop | status.
#
# An engine that answers is used as it is and never touched. Ours needs none of Docker's networking, keeps its data and its
# state in folders of its own, and survives the terminal it was started from. After a reboot `start` starts it again.
set -eu
. "$(dirname "$0")/lib.sh"

pidfile=$engine_run/dockerd.pid
log=$engine_home/docker/dockerd.log

our_pid() {
    pid=$(cat "$pidfile" 2>/dev/null) && runs "$pid" dockerd && echo "$pid"
}

# Whether a process is that program and has not ended (a zombie has).
runs() {
    [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

wait_until_it_answers() {
    waited=0
    until engine_answers; do
        [ "$waited" -lt "$1" ] || return 1
        [ $((waited % 5)) -ne 4 ] || say "  still waiting for the Docker engine ($((waited + 1)) s)"
        sleep 1
        waited=$((waited + 1))
    done
}

start() {
    if engine_answers; then
        say "  a Docker engine answers; it is used as it is"
        return
    fi
    [ -z "${EPOLAB_ENGINE_SOCKET:-}" ] || { start_ours; return; }
    [ -z "${DOCKER_HOST:-}" ] || fail "the Docker engine at $DOCKER_HOST does not answer" "unset DOCKER_HOST"
    if [ "$(id -u)" != 0 ] && as_root docker version >/dev/null 2>&1; then
        fail "a Docker engine runs, but $(id -un) may not use it" "sudo usermod -aG docker $(id -un); newgrp docker"
    fi
    if [ -d /run/systemd/system ]; then
        say "  waiting for the engine that systemd has started"
        as_root systemctl start docker || fail "systemd cannot start Docker" "journalctl -u docker"
        wait_until_it_answers 30 || fail "Docker does not answer" "sudo usermod -aG docker $(id -un); newgrp docker"
        return
    fi
    start_ours
}

# A killed engine leaves files with process numbers, which would make the next one wait for the dead.
forget_the_dead() {
    pid=$(cat "$1" 2>/dev/null) && runs "$pid" "$2" || as_root rm -f "$1"
}

start_ours() {
    command -v dockerd >/dev/null || PATH=$PATH:/usr/sbin:/sbin
    command -v dockerd >/dev/null || fail "there is no dockerd" "make setup"
    forget_the_dead "$pidfile" dockerd
    forget_the_dead "$engine_run/docker/containerd/containerd.pid" containerd
    as_root mkdir -p "$engine_home/docker" "$engine_run"
    say "  starting a Docker engine of our own (no networks, no firewall rules; log: $log)"
    as_root setsid --fork sh -c 'log=$1; shift; exec dockerd "$@" </dev/null >>"$log" 2>&1' sh "$log" \
        --host "unix://$engine_socket" --group "$(id -gn)" --pidfile "$pidfile" \
        --data-root "$engine_home/docker/data" --exec-root "$engine_run/docker" \
        --bridge=none --iptables=false --ip6tables=false --ip-forward=false
    wait_until_it_answers 60 || fail "our Docker engine does not answer: $(as_root tail -n 3 "$log")" "less $log"
}

stop() {
    pid=$(our_pid) || { say "  no engine of ours runs"; return; }
    say "  stopping our Docker engine (process $pid)"
    as_root kill "$pid"
    waited=0
    while runs "$pid" dockerd; do
        [ "$waited" -lt 30 ] || fail "our Docker engine does not stop" "kill -9 $pid"
        sleep 1
        waited=$((waited + 1))
    done
    # an engine that was killed once leaves its data mounted upon itself
    ! mountpoint -q "$engine_home/docker/data" || as_root umount "$engine_home/docker/data"
}

status() {
    if pid=$(our_pid); then say "our own engine runs as process $pid"
    elif engine_answers; then say "an engine that is not ours answers"
    else say "no engine answers"; return 1; fi
}

case ${1:-} in
    start | stop | status) "$1" ;;
    *) fail "say start, stop or status" ;;
esac
