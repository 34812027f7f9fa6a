"""Waits until the lab's management is ready: every expected system has called in and enforces its policy."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from epolab.errors import ContainerError, NotReadyError, TimeoutExceededError
from epolab.hands.beside import beside
from epolab.hands.until import seconds, until
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.provider.labels import node_container
from epolab.steps.wakeup import Waker, unreached
from epolab.steps.work import Work

LIMIT_SECONDS = 240.0
INTERVALS = 2.0
SWARM_PER_SECOND = 10.0
CROWD = 100
WAKEUP_MINUTES = 1  # the least that the server knows: until then it waits for agents that do not answer
WAKEUP_SECONDS = 60.0 * WAKEUP_MINUTES + 15.0
READY = "the lab becomes ready"
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


def expected(topology: Topology) -> list[str]:
    """The full names of all systems that call in: an agent's node is one, a swarm's agents are one each."""
    members = [name for node in facts.swarms(topology) for name in facts.swarm_members(node)]
    return [*(node.fqdn for node in facts.agents(topology)), *members]


def sleepers(document: Mapping[str, Any]) -> list[str]:
    """The full names of the systems that could be ready if they called in now."""
    return [entry["fqdn"] for entry in document["systems"] if entry.get("enrolled") and not entry["ready"]]


def is_only_late(document: Mapping[str, Any], topology: Topology) -> bool:
    """Whether nothing is missing but enrolled agents that nobody can wake: they are not current until they call in."""
    late = {node.fqdn for node in unreached(topology)} & set(sleepers(document))
    others = [name for name in expected(topology) if name not in late]
    return not missing(document, others, [node.fqdn for node in facts.handlers(topology)])


def limit_seconds(topology: Topology) -> float:
    """How long to wait at most: agents that cannot be woken are waited for until their own time to call in, and a
    swarm's agents come one after the other."""
    own_time = [node.asci_seconds for node in (*unreached(topology), *facts.swarms(topology))]
    crowd = sum(node.swarm for node in facts.swarms(topology)) / SWARM_PER_SECOND
    return LIMIT_SECONDS + INTERVALS * max(own_time, default=0.0) + crowd


def run(work: Work) -> bool:
    """Wait; NotReadyError, with what is missing, when it takes too long."""
    wait = Wait(work, Waker(work.topology), seconds())
    limit = limit_seconds(work.topology)
    try:
        until(wait.is_over, what=READY, limit_seconds=limit, pause_seconds=0.5)
    except TimeoutExceededError as error:
        hint = f"epolab logs {work.lab}:NODE"
        raise NotReadyError(error.message, hint=hint, step="ready", evidence=wait.last) from error
    return wait.waited


@dataclass(slots=True)
class Wait:
    """One wait for a lab: what is missing as of the last look, and whether there was anything to wait for.

    `late` is the last moment at which there was nothing to do but to wait for agents that nobody can wake.
    """

    work: Work
    waker: Waker
    began: float
    last: list[str] = field(default_factory=list)
    waited: bool = False
    late: float | None = None
    crowd: int = 0
    _waking: Future[Any] | None = None

    def is_over(self) -> bool:
        """Look, and wake whom it helps; TimeoutExceededError when what need not take long has taken so long."""
        try:
            self._look()
        except (ContainerError, TimeoutExceededError) as error:
            self.last = [error.message]
        if not self.last:
            return True
        if not self.waited or len(self.last) < 4 or self._crowd_moved():
            self.work.progress.note(f"waiting for {len(self.last)}: {', '.join(self.last[:3])}")
        self.waited = True
        self._give_up_in_time()
        return False

    def _look(self) -> None:
        topology = self.work.topology
        document = ask(self.work, limit_seconds=30.0 if facts.swarms(topology) else 10.0)
        self.last = missing(document, expected(topology), [node.fqdn for node in facts.handlers(topology)])
        if self.last and is_only_late(document, topology):
            self.late = seconds()
        self._wake(sleepers(document))

    def _crowd_moved(self) -> bool:
        """Whether another hundred of a swarm's agents came in since this was last said: that is not being stuck."""
        moved = bool(facts.swarms(self.work.topology)) and len(self.last) // CROWD != self.crowd
        if moved:
            self.crowd = len(self.last) // CROWD
            self.late = seconds()
        return moved

    def _give_up_in_time(self) -> None:
        """Only who is late by its own interval is waited for longer than the others."""
        if seconds() - (self.late or self.began) >= LIMIT_SECONDS:
            raise TimeoutExceededError(f"{READY}: not within {seconds() - self.began:.0f} s")

    def _wake(self, waiting: Collection[str]) -> None:
        """Wake those that are due, beside the wait: the server answers when it is through with all of them."""
        if self._waking is not None:
            if not self._waking.done():
                return
            self._note_outcome(self._waking)
            self._waking = None
            self.waker.last = seconds() - self.began
        names = ",".join(node.fqdn for node in self.waker.due(waiting, seconds() - self.began))
        if names:
            self.work.progress.note(f"waking {names.count(',') + 1} agents")
            self._waking = beside(lambda: wake(self.work, names))

    def _note_outcome(self, waking: Future[Any]) -> None:
        """A wake-up that fails delays nothing but whom it was for: the next one may do better."""
        try:
            said = str(waking.result())
        except (ContainerError, TimeoutExceededError) as error:
            said = error.message
        self.work.progress.note(f"the wake-up: {', '.join(said.splitlines())}")


def wake(work: Work, names: str) -> Any:
    """Have the server wake agents, each tried once, and wait no longer for them than it has to."""
    limits = {"attempts": "1", "abortAfterMinutes": str(WAKEUP_MINUTES)}
    return ask(work, "system.wakeupAgent", WAKEUP_SECONDS, names=names, **limits)
