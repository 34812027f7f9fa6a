"""The way into a node: the engine starts sshd in a container; in a guest it listens on its container's loopback."""

from __future__ import annotations

from epolab.errors import NotReadyError
from epolab.hands.docker import Docker, exec_argv

BOOT_SECONDS = 120  # ten guests at once on two cores, interpreted, took thirty

_DOOR = {
    "container": ("/usr/sbin/sshd", "-i"),
    "vm": ("/usr/bin/busybox", "nc", "127.0.0.1", "2222"),
}


def ssh_proxy_argv(container: str, kind: str) -> list[str]:
    """The program whose standard input and output are the node's ssh service."""
    return exec_argv(container, _DOOR[kind])


def until_listening(docker: Docker, container: str, limit_seconds: int = BOOT_SECONDS) -> None:
    """Wait until a VM node's guest takes ssh connections; returns at once when it already does."""
    done = docker.exec(container, ["vm-wait", str(limit_seconds)], limit_seconds=limit_seconds + 10)
    if done.exit_code != 0:
        said = docker.exec(container, ["tail", "-n", "20", "/run/console.log"], limit_seconds=10)
        raise NotReadyError(
            f"the guest of {container} does not answer by ssh within {limit_seconds} s",
            hint=f"docker logs {container}",
            evidence=(done.complaint + "\n" + said.text).strip().splitlines(),
        )
