"""The door to Ansible: run the site's playbook, tell what it does, and say which task failed on which node.

Ansible writes to no terminal; what it says lies in the lab's `logs/deploy.log`. The folder that ansible-runner works in
holds a copy of this process' environment, and is removed when it is done.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import ansible_runner  # type: ignore[import-untyped]

from epolab.errors import DeployError
from epolab.hands.files import LabFolder, remove_tree, write_private

HERE = Path(__file__).resolve().parent
ROLES = HERE.parents[4] / "roles"
PLAYBOOK = HERE / "site.yml"
STRATEGY_VARIABLE = "EPOLAB_ANSIBLE_STRATEGY"
DEFAULT_STRATEGY = "mitogen_free"
FORKS = 18
# Ansible's main process looks for results a thousand times a second unless it is told otherwise: half of its CPU time.
CONFIGURATION = b"[defaults]\ninternal_poll_interval = 0.02\n"
FAILURES = ("runner_on_failed", "runner_on_unreachable")

Event = Mapping[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that did not do what its name says."""

    host: str
    task: str
    message: str

    @property
    def node(self) -> str:
        """The node's path in the lab."""
        return self.host.replace(".", "/", 1)

    @property
    def text(self) -> str:
        """The failure for people."""
        return f"{self.node}: {self.task}: {self.message}"


@dataclass(slots=True)
class Watcher:
    """What the events of a run amount to."""

    tell: Tell
    log: TextIO
    failures: list[Failure] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)

    def see(self, event: Event) -> bool:
        """Take an event in; nothing of it is kept by ansible-runner."""
        if event.get("stdout"):
            self.log.write(event["stdout"] + "\n")
            self.log.flush()
        data = event.get("event_data", {})
        self._announce(data)
        result = data.get("res") or {}
        if event.get("event") in FAILURES and not data.get("ignore_errors"):
            self.failures.append(Failure(data.get("host", "?"), data.get("task", "?"), message_of(result)))
        if event.get("event") == "playbook_on_stats":  # results of tasks with secrets do not say whether they changed
            self.changed = {host for host, count in data.get("changed", {}).items() if count}
        return False

    def _announce(self, data: Event) -> None:
        role = data.get("role")
        if role and role not in self.begun:
            self.begun.add(role)
            self.tell(f"role {role}")


def message_of(result: Event) -> str:
    """What a failed task says, in one line."""
    said = (
        result.get("stderr") or result.get("msg") or result.get("censored") or result.get("module_stderr") or "failed"
    )
    return " ".join(str(said).split())[:600]


def run_playbook(
    inventory: Mapping[str, Any], folder: LabFolder, tell: Tell, *, playbook: Path = PLAYBOOK, roles: Path = ROLES
) -> Watcher:
    """Run a playbook on all hosts of an inventory; the lab's lock must be held. Failures are in the answer."""
    workplace = folder.path / "ansible"
    remove_tree(workplace)
    folder.make_scratch()
    log_path = log_of(folder)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    write_private(workplace / "hosts.json", json.dumps(inventory).encode())
    write_private(workplace / "ansible.cfg", CONFIGURATION)
    with os.fdopen(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as log:
        watcher = Watcher(tell, log)
        try:
            with _signals_kept():
                status = _run(workplace, folder.scratch, playbook, roles, watcher)
            if status == "canceled":
                raise KeyboardInterrupt
        finally:
            remove_tree(workplace)
            remove_tree(folder.scratch)
    if status != "successful" and not watcher.failures:
        raise DeployError(f"Ansible ended as {status!r}", step="deploy", evidence=[*_tail(log_path), str(log_path)])
    return watcher


def log_of(folder: LabFolder) -> Path:
    """Where Ansible's own words lie."""
    return folder.path / "logs" / "deploy.log"


def _run(workplace: Path, scratch: Path, playbook: Path, roles: Path, watcher: Watcher) -> str:
    done = ansible_runner.run(
        private_data_dir=str(workplace),
        playbook=str(playbook),
        inventory=str(workplace / "hosts.json"),
        envvars=environment(workplace, scratch, roles),
        settings={"suppress_ansible_output": True, "suppress_output_file": True},
        forks=FORKS,
        suppress_env_files=True,
        quiet=True,
        event_handler=watcher.see,
    )
    return str(done.status)


def environment(workplace: Path, scratch: Path, roles: Path) -> dict[str, str]:
    """What Ansible is told by its environment; the user's own ansible.cfg does not count."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "TMPDIR": str(scratch),
        "ANSIBLE_CONFIG": str(workplace / "ansible.cfg"),
        "ANSIBLE_HOME": str(workplace / "home"),
        "ANSIBLE_LOCAL_TEMP": str(workplace / "tmp"),
        "ANSIBLE_REMOTE_TEMP": "/root/.ansible/tmp",
        "ANSIBLE_COLLECTIONS_PATH": str(HERE),
        "ANSIBLE_ROLES_PATH": str(roles),
        "ANSIBLE_STRATEGY": strategy(),
        "ANSIBLE_STRATEGY_PLUGINS": _mitogen_strategies(),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_ARGS": _ssh_arguments(workplace),
        "ANSIBLE_HOST_KEY_CHECKING": "1",
        "ANSIBLE_GATHERING": "explicit",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_TIMEOUT": "90",
    }


def _ssh_arguments(workplace: Path) -> str:
    """Mitogen keeps its connections by itself."""
    if strategy().startswith("mitogen"):
        return ""
    return f"-o ControlMaster=auto -o ControlPersist=60s -o ControlPath={workplace}/%C"


def strategy() -> str:
    """The strategy plugin: Mitogen's, unless the environment asks for one of Ansible's own."""
    return os.environ.get(STRATEGY_VARIABLE, DEFAULT_STRATEGY)


def _mitogen_strategies() -> str:
    spec = find_spec("ansible_mitogen")
    if spec is None or spec.origin is None:
        raise DeployError("mitogen is not installed", step="deploy", hint="make setup")
    return str(Path(spec.origin).parent / "plugins" / "strategy")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """ansible-runner puts its own handlers in place of the command's, and leaves them there."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in kept.items():
                signal.signal(number, handler)


def _tail(path: Path) -> Sequence[str]:
    return path.read_text(encoding="utf-8").strip().splitlines()[-15:]
