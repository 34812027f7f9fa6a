"""Drives the Pulumi engine for one lab through the Automation API; the state lies in the lab's own folder.

The state file is a convenience, never the truth: what is lost from it is found again by labels, so a state that cannot
be read is set aside.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.events import EngineEvent
from semver import VersionInfo

from epolab.components.settings import LabSettings
from epolab.errors import EngineError
from epolab.hands import pulumi_engine
from epolab.hands.files import LabFolder, remove_tree, write_private
from epolab.model.topology import Topology
from epolab.program import declare

PROJECT = "epolab"
AT_A_TIME = 64


class FoundCommand(automation.PulumiCommand):
    """An engine that set-up found already, so that it is not asked for its version at every command."""

    def __init__(self, binary: Path) -> None:
        self.command = str(binary)
        self.version = VersionInfo.parse(version("pulumi"))  # the engine is pinned with its SDK


class LeanStack(automation.Stack):
    """A stack that asks the engine for nothing but the update itself; what came of it is read from the world."""

    def __init__(self, name: str, workspace: automation.Workspace, *, exists: bool) -> None:
        self.name = name
        self.workspace = workspace
        if not exists:
            workspace.create_stack(name)

    def outputs(self) -> dict[str, automation.OutputValue]:
        """Not asked for."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        """Not asked for."""
        moment = datetime.fromtimestamp(0)
        return automation.UpdateSummary("update", moment, "", {}, {}, "succeeded")


def _checkpoint(folder: LabFolder) -> Path:
    return folder.path / "state" / "backend" / ".pulumi" / "stacks" / PROJECT / f"{folder.name}.json"


def mend_state(folder: LabFolder) -> bool:
    """Make the state usable after a kill: drop locks and pending operations, set aside what cannot be read.

    The caller holds the lab's lock, so any lock of the engine's is stale. Gives whether there is a stack.
    """
    backend = folder.path / "state" / "backend"
    backend.mkdir(parents=True, exist_ok=True)
    remove_tree(backend / ".pulumi" / "locks")
    path = _checkpoint(folder)
    if not path.exists():
        return False
    try:
        document = json.loads(path.read_bytes())
        deployment = document["checkpoint"]["latest"] or {}
        pending = deployment.pop("pending_operations", None)
    except (ValueError, KeyError, TypeError, AttributeError):
        remove_tree(folder.path / "state" / "unreadable")
        backend.rename(folder.path / "state" / "unreadable")
        backend.mkdir()
        return False
    if pending:
        write_private(path, json.dumps(document).encode())
    return True


def _environment(folder: LabFolder) -> dict[str, str]:
    state = folder.path / "state"
    passphrase = state / "passphrase"
    if not passphrase.exists():
        write_private(passphrase, secrets.token_urlsafe(32).encode())
    return {
        "PULUMI_BACKEND_URL": f"file://{state / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_HOME": str(state / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # one checkpoint at the end, not two for each resource; what a crash loses is found by labels (ADR 5)
        "PULUMI_EXPERIMENTAL": "true",
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "EPOLAB_CREATOR_PID": str(os.getpid()),
    }


def _write_project(folder: LabFolder) -> Path:
    """The project file of a lab; JSON, which is YAML."""
    work = folder.path / "state" / "work"
    provider = {"name": "epolab", "path": str(Path(sys.executable).parent)}
    project = {"name": PROJECT, "runtime": "python", "plugins": {"providers": [provider]}}
    write_private(work / "Pulumi.yaml", json.dumps(project, indent=1).encode())
    return work


def open_stack(folder: LabFolder, program: Callable[[], None]) -> LeanStack:
    """The lab's stack, made if there is none."""
    exists = mend_state(folder)
    workspace = automation.LocalWorkspace(
        work_dir=str(_write_project(folder)),
        program=program,
        env_vars=_environment(folder),
        pulumi_command=FoundCommand(pulumi_engine.find() / "bin" / "pulumi"),
    )
    return LeanStack(folder.name, workspace, exists=exists)


def bring_up(topology: Topology, settings: LabSettings, folder: LabFolder, say: Callable[[str], None]) -> None:
    """Make the world be as declared; EngineError with what the engine said if it cannot."""

    def program() -> None:
        declare(topology, settings)

    complaints: list[str] = []
    try:
        stack = open_stack(folder, program)
        stack.up(
            parallel=AT_A_TIME,
            refresh=True,
            suppress_outputs=True,
            suppress_progress=True,
            on_event=lambda event: tell(event, say, complaints),
        )
    except automation.CommandError as error:
        if was_interrupted(str(error), complaints):
            raise KeyboardInterrupt from error
        evidence = complaints or str(error).strip().splitlines()[-15:]
        raise EngineError("the Pulumi engine could not build the lab", step="engine", evidence=evidence) from error


def was_interrupted(words: str, complaints: list[str]) -> bool:
    """Whether the engine ended because Ctrl-C reached it, which may be sooner than it reached us."""
    return any("cancel" in line.lower() for line in (words, *complaints))


def tell(event: EngineEvent, say: Callable[[str], None], complaints: list[str]) -> None:
    """Say what the engine does to our resources; keep what it complains about."""
    if event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
        complaints.extend(_plain(event.diagnostic_event.message).splitlines())
    if event.res_outputs_event is None:
        return
    metadata: Any = event.res_outputs_event.metadata
    kind, name = metadata.urn.split("::")[-2].rpartition("$")[2], metadata.urn.split("::")[-1]
    if kind in ("epolab:index:Fabric", "epolab:index:Node", "epolab:index:Link") and metadata.op not in _QUIET:
        say(f"{_OPERATIONS.get(metadata.op.value, metadata.op.value)} {kind.rpartition(':')[2].lower()} {name}")


_QUIET = (automation.OpType.SAME, automation.OpType.READ, automation.OpType.REFRESH)
_OPERATIONS = {"create": "created", "update": "updated", "delete": "removed", "replace": "replaced"}


def _plain(message: str) -> str:
    """The engine's message without its colour marks."""
    for mark in ("<{%reset%}>", "<{%fg 1%}>", "<{%bold%}>"):
        message = message.replace(mark, "")
    return message.strip()
