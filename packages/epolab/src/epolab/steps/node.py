"""What is done on one node: a shell or command, copying files, reading logs."""

from __future__ import annotations

from dataclasses import dataclass

from epolab.errors import ArgumentError, ServiceNotFoundError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.run import Completed, run, run_attached
from epolab.hands.ssh import ssh_argv, ssh_options
from epolab.steps.labs import Member, own_labs
from epolab.steps.names import owner_name, pick_lab, pick_node, split_node

LOGS = "/var/log/miniepo"


@dataclass(frozen=True, slots=True)
class Target:
    """One node of one lab."""

    lab: str
    path: str
    member: Member

    @property
    def folder(self) -> LabFolder:
        """The lab's folder."""
        return LabFolder.of(self.lab)


def find_target(text: str) -> Target:
    """The node that `[LAB:]NODE` means."""
    wanted_lab, wanted_node = split_node(text)
    labs = own_labs(Docker.connect(), owner_name())
    lab = pick_lab(wanted_lab, labs)
    nodes = {member.path: member for member in labs[lab].nodes if member.path is not None}
    path = pick_node(wanted_node, list(nodes), lab)
    return Target(lab, path, nodes[path])


def command_argv(target: Target, command: list[str], *, terminal: bool = False) -> list[str]:
    """The program that runs a command, or a shell, on the node."""
    return ssh_argv(target.folder, target.member.name, target.member.kind, command, terminal=terminal)


def attach(target: Target, command: list[str], *, terminal: bool = False) -> int:
    """Run a command, or a shell, on this terminal; its exit code."""
    return run_attached(command_argv(target, command, terminal=terminal))


def capture(target: Target, command: list[str]) -> Completed:
    """Run a command and keep what it says."""
    return run(command_argv(target, command))


def split_place(text: str) -> tuple[str | None, str]:
    """`[LAB:]NODE:PATH` as (node, path); a path of this host has no node."""
    node, colon, path = text.rpartition(":")
    if not colon or text.startswith(("/", "./", "../")):
        return None, text
    return node, path or "."


def copy(source: str, destination: str) -> None:
    """Copy a file or folder to or from a node."""
    (from_node, from_path), (to_node, to_path) = split_place(source), split_place(destination)
    if (from_node is None) == (to_node is None):
        raise ArgumentError("exactly one of SRC and DST must be on a node", hint="epolab cp FILE NODE:/path")
    target = find_target(from_node or to_node or "")
    name, options = target.member.name, ssh_options(target.folder, target.member.name, target.member.kind)
    there = f"root@{name}:{from_path if from_node else to_path}"
    pair = [there, to_path] if from_node else [from_path, there]
    done = run(["scp", "-r", "-q", *options, *pair])
    if done.exit_code != 0:
        raise ArgumentError(f"the copy failed: {done.complaint}")


def services(target: Target) -> list[str]:
    """The services of a node that have a log."""
    listing = capture(target, ["ls", LOGS]).text.split()
    return [name.removesuffix(".log") for name in listing if name.endswith(".log")]


def log_command(target: Target, service: str | None, *, follow: bool, lines: int) -> list[str]:
    """The command that shows the logs of one service, or of all."""
    known = services(target)
    if service is not None and service not in known:
        raise ServiceNotFoundError(f"{target.path} has no log of {service!r}", hint=f"one of: {', '.join(known)}")
    files = [f"{LOGS}/{name}.log" for name in ([service] if service else known)]
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), *files]
