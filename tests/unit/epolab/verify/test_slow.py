"""Slow agents: an agent that does not become slow is told, with what was waited for."""

from pathlib import Path
from typing import Any, cast

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify import slow
from epolab.verify.slow import all_become, slowed
from epolab.verify.witness import Witness

AGENTS = facts.agents(load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml"))


def test_nobody_is_slowed_when_there_is_nobody_to_slow() -> None:
    with slowed(cast(Witness, object()), []):
        pass


def test_an_agent_that_keeps_its_interval_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def becomes(witness: Any, path: str, condition: Any, limit_seconds: float) -> dict[str, Any] | None:
        seen = {"asci_seconds": 5.0}
        return seen if condition(seen) else None

    monkeypatch.setattr(slow, "becomes", becomes)
    node = AGENTS[0]
    all_become(cast(Witness, object()), [node], {node.path: 5.0})
    with pytest.raises(WorldError, match=f"{node.path} does not enforce an ASCI of 300 s"):
        all_become(cast(Witness, object()), [node], {node.path: 300.0})
