"""Waits until the lab's management is ready: every expected system has called in and enforces its policy."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from epolab.errors import ContainerError, NotReadyError, TimeoutExceededError
from epolab.hands.until import seconds, until
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.provider.labels import node_container
from epolab.steps.wakeup import Waker, unreached
from epolab.steps.work import Work

LIMIT_SECONDS = 240.0
INTERVALS = 2.0
WAKEUP_SECONDS = 30.0
_URL = "https://localhost:8443/remote/"
_CA = "/etc/miniepo/ca.pem"


def ask(work: Work, command: str = "miniepo.readiness", limit_seconds: float = 10.0, **arguments: str) -> Any:
    """What the server says to a command; the password goes by standard input, to nobody but the lab's own server."""
    server = node_container(work.lab, facts.server(work.topology).path)
    password = (work.folder.path / "secrets" / "admin.password").read_text().strip()
    words = "".join(f'data-urlencode = "{key}={value}"\n' for key, value in {**arguments, ":output": "json"}.items())
    config = (
        f'url = "{_URL}{command}"\nget\n{words}user = "admin:{password}"\ncacert = "{_CA}"\n'
        f"silent\nshow-error\nmax-time = {limit_seconds:g}\n"
    )
    done = work.docker.exec(server, ["curl", "--config", "-"], config.encode(), limit_seconds=2 * limit_seconds)
    if done.exit_code != 0:
        raise ContainerError(f"the server's Web API does not answer: {done.complaint}")
    return parse(done.text)


def parse(text: str) -> Any:
    """The document in the Web API's answer: `OK:`, an empty line, JSON."""
    status, _, body = text.partition("\n")
    if status.strip() != "OK:":
        raise ContainerError(f"the server's Web API answers: {text.strip()[:500]}")
    return json.loads(body)


def missing(document: Mapping[str, Any], agents: Collection[str], others: Collection[str] = ()) -> list[str]:
    """What is not ready yet, a line for each; `agents` and `others` (handlers) are the full names that are declared.

    What the server still knows of a node that is not declared any more is nobody's readiness.
    """
    declared = {*agents, *others}
    lines = [
        f"{entry['fqdn']} ({kind}): {entry.get('problems') or 'not ready'}"
        for kind in ("systems", "repositories", "handlers")
        for entry in document[kind]
        if entry["fqdn"] in declared and not entry["ready"]
    ]
    known = {system["fqdn"] for system in document["systems"]}
    return [*(f"{name}: has not called in" for name in sorted(set(agents) - known)), *lines]


def sleepers(document: Mapping[str, Any]) -> list[str]:
    """The full names of the systems that could be ready if they called in now."""
    return [entry["fqdn"] for entry in document["systems"] if entry.get("enrolled") and not entry["ready"]]


def limit_seconds(topology: Topology) -> float:
    """How long to wait: agents that cannot be woken are waited for until their own time to call in."""
    return LIMIT_SECONDS + INTERVALS * max((node.asci_seconds for node in unreached(topology)), default=0.0)


def run(work: Work) -> bool:
    """Wait; NotReadyError, with what is missing, when it takes too long."""
    wait = Wait(work, Waker(work.topology), seconds())
    limit = limit_seconds(work.topology)
    try:
        until(wait.is_over, what="the lab becomes ready", limit_seconds=limit, pause_seconds=0.5)
    except TimeoutExceededError as error:
        hint = f"epolab logs {work.lab}:NODE"
        raise NotReadyError(error.message, hint=hint, step="ready", evidence=wait.last) from error
    return wait.waited


@dataclass(slots=True)
class Wait:
    """One wait for a lab: what is missing as of the last look, and whether there was anything to wait for."""

    work: Work
    waker: Waker
    began: float
    last: list[str] = field(default_factory=list)
    waited: bool = False

    def is_over(self) -> bool:
        """Look, and wake whom it helps."""
        try:
            self.last = self._look()
        except (ContainerError, TimeoutExceededError) as error:
            self.last = [error.message]
        if not self.last:
            return True
        if not self.waited or len(self.last) < 4:
            self.work.progress.note(f"waiting for {len(self.last)}: {', '.join(self.last[:3])}")
        self.waited = True
        return False

    def _look(self) -> list[str]:
        topology = self.work.topology
        document = ask(self.work)
        lines = missing(document, [n.fqdn for n in facts.agents(topology)], [n.fqdn for n in facts.handlers(topology)])
        due = self.waker.due(sleepers(document), seconds() - self.began)
        if due:
            self.work.progress.note(f"waking {len(due)} agents")
            ask(self.work, "system.wakeupAgent", WAKEUP_SECONDS, names=",".join(node.fqdn for node in due))
        return lines
