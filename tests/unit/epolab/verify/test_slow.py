"""Slow agents: those that do not become slow are told one by one, and the others go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify import slow
from epolab.verify.slow import not_become, slowed
from epolab.verify.witness import Witness

AGENTS = facts.agents(load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml"))
STUBBORN = AGENTS[1].path


class Server:
    """A server whose agents all do as they are told, but for one that always keeps its own interval."""

    kept = 5.0

    def __init__(self) -> None:
        self.told: dict[str, float] = {node.path: node.asci_seconds for node in AGENTS}
        self.limits: list[float] = []

    def api(self, command: str, **arguments: str) -> str:
        return f"{command} {arguments}"

    @contextmanager
    def assigned(self, witness: Any, name: str, changes: dict[str, dict[str, float]], *, wake: bool) -> Iterator[None]:
        own = dict(self.told)
        self.told |= {path: change["asciSeconds"] for path, change in changes.items()}
        yield
        self.told = own

    def becomes(self, witness: Any, path: str, condition: Any, limit_seconds: float) -> dict[str, Any] | None:
        self.limits.append(limit_seconds)
        seen = {"asci_seconds": self.kept if path == STUBBORN else self.told[path]}
        return seen if condition(seen) else None


@pytest.fixture(name="server")
def server_fixture(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(slow, "becomes", server.becomes)
    monkeypatch.setattr(slow, "assigned", server.assigned)
    return server


def test_nobody_is_slowed_when_there_is_nobody_to_slow() -> None:
    with slowed(cast(Witness, object()), []) as troubles:
        assert troubles == {}


def test_an_agent_that_keeps_its_interval_is_told_and_the_others_go_on(server: Server) -> None:
    broken = f"{STUBBORN} does not enforce an ASCI of 300 s within 60 s"
    with slowed(cast(Witness, server), AGENTS) as troubles:
        assert troubles == {STUBBORN: broken}


def test_agents_that_do_not_come_back_to_their_own_interval_are_told(server: Server) -> None:
    server.kept = 7.0
    broken = f"^{STUBBORN} does not enforce an ASCI of 5 s within 60 s$"
    with pytest.raises(WorldError, match=broken), slowed(cast(Witness, server), AGENTS):
        pass


def test_all_agents_together_are_waited_for_once(server: Server) -> None:
    assert not_become(cast(Witness, server), AGENTS, server.told) == {}
    assert max(server.limits) <= 60.0
