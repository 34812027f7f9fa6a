"""Who looks at the lab: a testinfra host per node over one kept connection, knocks at ports, and the Web API."""

from __future__ import annotations

import base64
import json
import shlex
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from testinfra.host import Host

from epolab.errors import ConnectionFailedError, WorldError
from epolab.hands.connection import connected_to
from epolab.hands.journal import Journal, Undo
from epolab.hands.node_line import NodeBackend
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.knocks import Answer, Knock
from epolab.verify.web_api import Upload, body_of, shell_text

GREETED_AT_ONCE = 16
PROBE_PROGRAM = resources.files("epolab.verify").joinpath("probe_program.py").read_text()


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command on a node gave."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Witness:
    """The lab under examination; connections are opened on first use and kept.

    `absent` says of each node (path) that does not run what was seen of it.
    """

    lab: str
    topology: Topology
    folder: Path
    absent: Mapping[str, str] = field(default_factory=dict)
    _backends: dict[tuple[str, str], NodeBackend] = field(default_factory=dict)
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
        return Host(self._backend(path))

    def _backend(self, path: str, line: str = "") -> NodeBackend:
        with self._lock:
            if (path, line) not in self._backends:
                self._backends[path, line] = NodeBackend(path.replace("/", "."), self.ssh_config)
            return self._backends[path, line]

    def forget(self, path: str) -> None:
        """Drop the connections to a node, because the node was restarted."""
        with self._lock:
            gone = [self._backends.pop(key) for key in list(self._backends) if key[0] == path]
        for backend in gone:
            backend.line.close()

    def greet(self, nodes: Iterable[Node]) -> None:
        """Open the connections to these nodes, all at once; who cannot be reached is told by the first command."""
        with ThreadPoolExecutor(GREETED_AT_ONCE) as pool, suppress(WorldError):
            list(pool.map(lambda node: self.run(node.path, "true"), nodes))

    def run(self, path: str, command: str, line: str = "") -> Ran:
        """Run a shell command on a node as root; a command that fails is an answer, not an error.

        A node's commands may run at the same time; `line` names a connection of their own.
        """
        if not self.runs(path):
            raise ConnectionFailedError(f"{path} does not run: {self.absent[path]}")
        with connected_to(path):
            result = self._backend(path, line).run(command)
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
