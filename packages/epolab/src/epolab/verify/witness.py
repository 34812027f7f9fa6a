"""Who looks at the lab: a testinfra host per node over one kept connection, knocks at ports, and the Web API."""

from __future__ import annotations

import base64
import json
import shlex
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import testinfra
from testinfra.host import Host

from epolab.errors import ConnectionFailedError, WorldError
from epolab.hands.connection import connected_to
from epolab.hands.journal import Journal, Undo
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.knocks import Answer, Knock
from epolab.verify.web_api import Upload, body_of, shell_text

PROBE_PROGRAM = resources.files("epolab.verify").joinpath("probe_program.py").read_text()


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command on a node gave."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Witness:
    """The lab under examination; connections are opened on first use and kept, a lock each.

    `absent` says of each node (path) that does not run what was seen of it.
    """

    lab: str
    topology: Topology
    folder: Path
    absent: Mapping[str, str] = field(default_factory=dict)
    _hosts: dict[tuple[str, str], tuple[Host, threading.Lock]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ssh_config(self) -> Path:
        """The OpenSSH configuration that leads to the lab's nodes over the container runtime."""
        return self.folder / "ssh" / "config"

    @property
    def journal(self) -> Journal:
        """Where disturbing checks note what has to be put back."""
        return Journal(self.folder / "journal", self.put_back)

    def runs(self, path: str) -> bool:
        """Whether a node runs."""
        return path not in self.absent

    def running(self, nodes: Iterable[Node]) -> list[Node]:
        """Those of these nodes that run."""
        return [node for node in nodes if self.runs(node.path)]

    def host(self, path: str) -> Host:
        """The testinfra host of a node."""
        return self._entry(path)[0]

    def _entry(self, path: str, line: str = "") -> tuple[Host, threading.Lock]:
        with self._lock:
            if (path, line) not in self._hosts:
                name = path.replace("/", ".")
                host = testinfra.get_host(f"paramiko://root@{name}", ssh_config=str(self.ssh_config))
                self._hosts[path, line] = (host, threading.Lock())
            return self._hosts[path, line]

    def forget(self, path: str) -> None:
        """Drop the connection to a node, because the node was restarted."""
        with self._lock:
            self._hosts = {key: value for key, value in self._hosts.items() if key[0] != path}

    def run(self, path: str, command: str, line: str = "") -> Ran:
        """Run a shell command on a node as root; a command that fails is an answer, not an error.

        Commands on one node wait for each other, except on a `line` (a connection) of their own.
        """
        if not self.runs(path):
            raise ConnectionFailedError(f"{path} does not run: {self.absent[path]}")
        host, lock = self._entry(path, line)
        with lock, connected_to(path):
            result = host.run(command)
        return Ran(result.rc, str(result.stdout), str(result.stderr))

    def must(self, path: str, command: str, line: str = "") -> str:
        """Run a shell command on a node that has to succeed; gives its standard output."""
        ran = self.run(path, command, line)
        if ran.code:
            raise WorldError(
                f"{path}: {command.splitlines()[0][:200]} ended with {ran.code}: {ran.stderr.strip()[-400:]}"
            )
        return ran.stdout

    def put_back(self, undo: Undo) -> None:
        """Run an undo of the journal."""
        self.must(undo.node, undo.command)

    def python(self, path: str, program: str, given: object, line: str = "") -> Any:
        """Run a Python program on a node with JSON on its standard input; gives the JSON that it printed."""
        code, data = (base64.b64encode(text.encode()).decode() for text in (program, json.dumps(given)))
        script = f"import base64;exec(compile(base64.b64decode('{code}'),'program','exec'),{{'__name__':'__main__'}})"
        return json.loads(self.must(path, f"echo {data} | base64 -d | /usr/bin/python3 -c {shlex.quote(script)}", line))

    def knock(self, path: str, knocks: Sequence[Knock]) -> list[Answer]:
        """Knock at ports from a node, all at once."""
        if not knocks:
            return []
        answers = self.python(path, PROBE_PROGRAM, [knock.to_document() for knock in knocks])
        return [Answer(**answer) for answer in answers]

    def everywhere(self, work: Mapping[str, Sequence[Knock]]) -> dict[str, list[Answer]]:
        """Knock from several nodes at the same time."""
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda item: self.knock(*item), work.items())
            return dict(zip(work, answers, strict=True))

    @property
    def server(self) -> Node:
        """The node that carries the server."""
        return facts.server(self.topology)

    def api(self, command: str, upload: Upload | None = None, /, **arguments: str) -> Any:
        """Call the server's Web API on the server node; gives the decoded body; WorldError when it refuses."""
        return body_of(command, self.must(self.server.path, shell_text(command, arguments, upload)))
