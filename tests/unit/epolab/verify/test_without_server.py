"""Who is asked while the server process is away, and what the verdict says to a handler that does not serve then."""

import json
from pathlib import Path

from epolab.topology import load_topology
from epolab.verify.without_server import Served, askers, has_mark, reported, wrong_service
from tests.unit.epolab.verify.tiers import tiered

POLICIES = json.dumps({"version": "v", "policies": [{"category": "agent", "settings": {"enforcementSeconds": 377}}]})


def served(**other: object) -> Served:
    given = {"mark": 377, "handler": "hq/epo", "policies": POLICIES, "events": 1, "ran": True, "reported": 1, **other}
    return Served(**given)  # type: ignore[arg-type]


def test_each_handler_is_asked_by_an_agent_that_uses_it_alone(tmp_path: Path) -> None:
    assert {handler: node.path for handler, node in askers(tiered(tmp_path)).items()} == {"hq/epo": "shop/till"}


def test_labs_without_handler_groups_are_not_disturbed() -> None:
    assert askers(load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")) == {}


def test_the_new_value_is_looked_for_in_the_agents_policy_alone() -> None:
    assert has_mark(POLICIES, 377) and not has_mark(POLICIES, 300)
    assert not has_mark(POLICIES.replace('"agent"', '"relay"'), 377)


def test_what_a_handler_does_not_do_is_told(tmp_path: Path) -> None:
    epo = tiered(tmp_path).node("hq/epo")

    def told(**other: object) -> str:
        return "; ".join(expected for expected, _ in wrong_service(epo, "shop/till", served(**other)))

    assert told() == ""
    assert "delivers a changed policy to shop/till" in told(mark=300)
    assert "keeps an event of shop/till once" in told(events=0)
    assert "delivers a new client task to shop/till" in told(ran=False)
    assert "takes the report of a client task from shop/till" in told(reported=0)
    assert "is called by shop/till" in told(handler="hq/ah-1")
    assert "lets shop/till call in" in told(refusal="no handler answers")


def test_reports_count_for_their_system_and_task_and_in_time() -> None:
    rows = [
        {"name": name, "task_id": task, "status": status, "reported": moment}
        for name, task, status, moment in (
            ("TILL", "7", "succeeded", 5.0),
            ("till", "8", "succeeded", 5.0),
            ("pc", "7", "succeeded", 5.0),
            ("till", "7", "failed", 5.0),
            ("till", "7", "succeeded", 9.0),
        )
    ]
    assert reported(rows, "till", "7", 6.0) == 1
    assert reported(rows, "till", "7", 9.0) == 2
