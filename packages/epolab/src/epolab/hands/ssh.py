"""How OpenSSH's programs reach a node: over the container runtime, never over the lab's network."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from epolab.hands.files import LabFolder, write_private
from epolab.hands.guest import ssh_proxy_argv


def _options(folder: LabFolder, container: str, kind: str) -> dict[str, str]:
    keys = folder.path / "ssh"
    return {
        "ProxyCommand": shlex.join(ssh_proxy_argv(container, kind)),
        "IdentityFile": str(keys / "id_ed25519"),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(keys / "known_hosts"),
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }


def ssh_options(folder: LabFolder, container: str, kind: str) -> list[str]:
    """The options for `ssh` and `scp`; the host key is checked against the lab's own."""
    options = _options(folder, container, kind)
    return ["-F", "none", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def ssh_argv(folder: LabFolder, container: str, kind: str, command: list[str], *, terminal: bool = False) -> list[str]:
    """`ssh` to a node as root: one word is a line for its shell, several are a program and its arguments."""
    program = ["ssh", *ssh_options(folder, container, kind), *(["-t"] if terminal else [])]
    return [*program, f"root@{container}", *(command if len(command) < 2 else [shlex.join(command)])]


def write_config(folder: LabFolder, nodes: Mapping[str, Mapping[str, str]]) -> None:
    """Write `ssh/config`, in which each node is called `<site>.<node>`; `nodes` is as in `nodes.json`."""
    blocks = []
    for path, node in sorted(nodes.items()):
        lines = [f"Host {path.replace('/', '.')}", f"  HostName {node['container']}", "  User root"]
        lines += [f"  {key} {value}" for key, value in _options(folder, node["container"], node["kind"]).items()]
        blocks.append("\n".join(lines) + "\n")
    write_private(folder.path / "ssh" / "config", "\n".join(blocks).encode())
