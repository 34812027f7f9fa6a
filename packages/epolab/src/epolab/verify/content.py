"""The content of repositories as it lies on the nodes: checking in, replicating, hashing, counting bytes on the way."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.line_time import replication_limit_seconds
from epolab.verify.web_api import CALL_LIMIT_SECONDS, Upload, body_of, shell_text
from epolab.verify.witness import Witness

ROOT = "/var/lib/miniepo/repository"
PRODUCT, TYPE, BRANCH = "VERDICT1000", "Install", "Current"
FOLDER = f"{BRANCH}/{PRODUCT}/{TYPE}/0000"
_HASHES = "cd {root} && find . -type f ! -path '*/.*' -print0 | xargs -0 -r sha256sum"
# a running replication of a full set over a thin line may have to be waited for
SERVER_TASK_LIMIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one file, with the file's size and the SHA-256 that the server's node computed of it."""

    version: str
    file: str
    size: int
    sha256: str


def check_in_random(witness: Witness, size: int) -> Package:
    """Make a package of random bytes on the server's node, one that nobody has seen before, and check it in."""
    version = os.urandom(8).hex()
    path = f"/tmp/{version}.bin"
    server = witness.server.path
    with witness.journal.undone_by(Undo(server, f"rm -f {path}", "a random file")):
        made = witness.must(server, f"head -c {size} /dev/urandom > {path} && sha256sum {path}")
        package = Package(version, f"{version}.bin", size, made.split()[0])
        _check_in(witness, package, path)
    return package


def _check_in(witness: Witness, package: Package, path: str) -> None:
    witness.api(
        "repository.checkInPackage",
        Upload("packageLocation", package.file, path=path),
        branch=BRANCH,
        product=PRODUCT,
        type=TYPE,
        version=package.version,
    )


def replicate(witness: Witness) -> bool:
    """Replicate what differs to every repository; whether the server says that it is done."""
    limit = limit_seconds(witness, CALL_LIMIT_SECONDS)
    command = "repository.replicate"
    text = shell_text(command, {"incremental": "true"}, limit_seconds=limit)
    return bool(body_of(command, witness.must(witness.server.path, text)))


def limit_seconds(witness: Witness, least: float) -> float:
    """How long a replication of all that the master holds may take, at least so many seconds."""
    size = int(witness.must(witness.server.path, f"du -sb {ROOT}").split()[0])
    return replication_limit_seconds(witness.topology, size, least)


@contextmanager
def only_our_content(witness: Witness) -> Iterator[None]:
    """No server task moves content meanwhile; afterwards our package is gone and the tasks run by themselves again."""
    limit = limit_seconds(witness, SERVER_TASK_LIMIT_SECONDS)
    tasks = [str(task["id"]) for task in witness.api("scheduler.listAllServerTasks") if task["enabled"]]
    calls = [
        ("repository.deletePackage", {"productId": PRODUCT, "packageType": TYPE, "branch": BRANCH}),
        ("repository.replicate", {"incremental": "true"}),
        *(("scheduler.updateServerTask", {"taskName": task, "status": "enabled"}) for task in tasks),
    ]
    texts = [shell_text(name, words, limit_seconds=limit) for name, words in calls]
    script = " && ".join(f"{text} | grep -q '^OK:'" for text in texts)
    keepers = (witness.server.path, facts.sql(witness.topology).path)
    with witness.journal.undone_by(Undo(witness.server.path, script, "a package of the verdict", keepers)):
        for task in tasks:
            witness.api("scheduler.updateServerTask", taskName=task, status="disabled")
        until(
            lambda: not running_tasks(witness),
            what="the server's own tasks end",
            limit_seconds=limit,
            pause_seconds=0.5,
        )
        yield


def running_tasks(witness: Witness) -> list[str]:
    """The names of the server tasks that run now."""
    entries = witness.api("tasklog.listTaskHistory", maxRows="50")
    return [entry["name"] for entry in entries if entry["state"] == "In Progress"]


def root_of(topology: Topology, repository: Node) -> str:
    """Where a SuperAgent keeps its repository, by its policy."""
    policy = facts.policies_of(topology, repository).get("superagent")
    return str(policy.settings.get("folder") or ROOT) if policy else ROOT


def hashes(witness: Witness, path: str, root: str = ROOT) -> dict[str, str]:
    """The SHA-256 of every file of a node's repository, by path below its root, as computed on the node."""
    lines = witness.must(path, _HASHES.format(root=shlex.quote(root))).splitlines()
    return {name.removeprefix("./"): digest for digest, _, name in (line.partition("  ") for line in lines)}


def differences(master: dict[str, str], mirror: dict[str, str]) -> list[str]:
    """What a mirror lacks, has too much, or has otherwise, in words."""
    told = [f"{name} is missing" for name in sorted(master.keys() - mirror.keys())]
    told += [f"{name} is there and not at the master" for name in sorted(mirror.keys() - master.keys())]
    altered = sorted(name for name in master.keys() & mirror.keys() if master[name] != mirror[name])
    return told + [
        f"{name} has SHA-256 {mirror[name][:12]}…, the master's has {master[name][:12]}…" for name in altered
    ]


def users_of(witness: Witness, repository: Node) -> list[Node]:
    """The agents that should take their content from a repository: its clients, and itself."""
    return [repository, *facts.repository_clients(witness.topology, repository)]
