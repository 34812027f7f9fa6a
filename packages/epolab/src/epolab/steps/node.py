"""What is done on one node: a shell or command, copying files, reading logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from epolab.errors import (
    ArgumentError,
    CommandFailedError,
    ConnectionFailedError,
    EpolabError,
    ServiceNotFoundError,
)
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.run import Completed, is_reader_gone, run, run_attached
from epolab.hands.ssh import ssh_argv, ssh_options
from epolab.steps.labs import Member, own_labs
from epolab.steps.names import owner_name, pick_lab, pick_node, split_node

LOGS = "/var/log/miniepo"
NO_CONNECTION = 255
CONNECT_SECONDS = 30.0
WRONG_PLACES = ("no such file", "not a directory", "is a directory", "not a regular file")


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
    """Run a command, or a shell, on this terminal; its exit code. ConnectionFailedError when there is no connection.

    A command that nobody reads from any more (`| head`) ends as one without a connection does.
    """
    code = run_attached(command_argv(target, command, terminal=terminal))
    if code == NO_CONNECTION and not is_reader_gone():
        require_connection(target)
    return code


def capture(target: Target, command: list[str]) -> Completed:
    """Run a command and keep what it says; ConnectionFailedError when the node is not reached."""
    done = run(command_argv(target, command))
    if done.exit_code == NO_CONNECTION:
        require_connection(target)
    return done


def require_connection(target: Target) -> None:
    """ConnectionFailedError when the node is not reached: 255 is ssh's word for that, but a command may end so too."""
    done = run(command_argv(target, ["true"]), limit_seconds=CONNECT_SECONDS)
    if done.exit_code != 0:
        raise ConnectionFailedError(
            f"{target.path}: no ssh connection: {done.complaint or 'ssh says nothing'}",
            hint=f"epolab status {target.lab} shows which nodes run; epolab up brings them back",
        )


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
    if to_node is not None and not Path(from_path).exists():
        raise ArgumentError(f"{from_path}: there is no such file on this host")
    done = run(["scp", "-r", "-q", *options, *pair])
    if done.exit_code != 0:
        require_connection(target)
        raise _copy_error(done.complaint)


def _copy_error(complaint: str) -> EpolabError:
    """A place that is not there is the user's mistake; whatever else stops a copy is the world's."""
    wrong = any(words in complaint.lower() for words in WRONG_PLACES)
    return (ArgumentError if wrong else CommandFailedError)(f"the copy failed: {complaint}")


def services(target: Target) -> list[str]:
    """The services of a node that have a log."""
    listing = capture(target, ["ls", LOGS]).text.split()
    return [name.removesuffix(".log") for name in listing if name.endswith(".log")]


def log_command(target: Target, service: str | None, *, follow: bool, lines: int) -> list[str]:
    """The command that shows the logs of one service, or of all."""
    known = services(target)
    if service is not None and service not in known:
        raise ServiceNotFoundError(f"{target.path} has no log of {service!r}", hint=f"one of: {', '.join(known)}")
    if not known:
        raise ServiceNotFoundError(f"{target.path} has no logs yet", hint=f"epolab deploy {target.lab}")
    files = [f"{LOGS}/{name}.log" for name in ([service] if service else known)]
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), *files]
