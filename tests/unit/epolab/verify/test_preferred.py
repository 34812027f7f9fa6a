"""Who is woken by whichever handler, and what the verdict says to a handler that should not have done it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from epolab.model.topology import Topology
from epolab.topology import load_topology
from epolab.verify.preferred import Brought, bringer, last_handlers, shared, wrong_deputy, wrong_preference
from epolab.verify.segment_plan import NOTHING, Told
from tests.unit.epolab.verify.tiers import tiered

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
WOKEN = Told("Completed", "pc.hq.test: completed: hq/ah-1 woke pc at pc.hq.test:8081 (wake-up W)")
MISSED = Told("Failed", "pc.hq.test: failed: hq/ah-1 could not wake pc: no answer (wake-up W)")


@pytest.fixture
def lab(tmp_path: Path) -> Topology:
    return tiered(tmp_path)


def call(handler: str, received: float, wakeup_id: str | None = None) -> dict[str, Any]:
    return {"handler": handler, "received": received, "wakeup_id": wakeup_id}


def test_agents_that_several_handlers_call_are_watched_where_groups_are_declared(lab: Topology) -> None:
    assert [node.path for node in shared(lab)] == ["hq/pc", "shop/till"]
    assert shared(load_topology(TOPOLOGIES / "quickstart.yaml")) == []
    names = [node.path for node in shared(load_topology(TOPOLOGIES / "conversations.yaml"))]
    assert "tokyo/tokyo-pc" in names and not {"india/india-pc", "lyon/lyon-pc"} & set(names)


def test_the_last_handler_is_that_of_the_newest_call_in_before_the_wake_up() -> None:
    calls = [call("b", 2.0), call("a", 1.0), call("c", 5.0, "W"), call("d", 6.0)]
    assert last_handlers(calls, 3.0, "W") == {"b"}
    assert last_handlers([*calls, call("e", 4.0)], 3.0, "W") == {"b", "e"}
    assert last_handlers(calls, 3.0, "") == {"b", "c", "d"}
    assert last_handlers([], 3.0, "W") == frozenset()


def test_who_brought_it_stands_in_the_log() -> None:
    assert [bringer(told) for told in (WOKEN, MISSED, NOTHING)] == ["hq/ah-1", "", ""]


def test_the_last_handler_is_preferred() -> None:
    assert wrong_preference("hq/pc", [Brought(frozenset({"hq/ah-1"}), WOKEN)]) == []
    for last, told in ((frozenset({"hq/ah-2"}), WOKEN), (frozenset({"hq/ah-1"}), MISSED), (frozenset(), NOTHING)):
        [(wanted, seen)] = wrong_preference("hq/pc", [Brought(last, told)])
        assert "which it talked to last" in wanted and seen.startswith("hq/pc: ")


def test_without_it_another_one_does_it(lab: Topology) -> None:
    assert wrong_deputy(lab, "shop/till", "hq/epo", WOKEN) == []
    [(wanted, seen)] = wrong_deputy(lab, "shop/till", "hq/ah-1", WOKEN)
    assert wanted == "shop/till: is woken by hq/epo while hq/ah-1 does not serve, as any handler may"
    assert "hq/ah-1 woke pc" in seen
    assert wrong_deputy(lab, "shop/till", "hq/epo", NOTHING)[0][1] == "shop/till: nothing: "
