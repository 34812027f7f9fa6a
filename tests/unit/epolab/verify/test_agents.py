"""The port an agent is called on, and what it says of an update."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.agents import complaint_of, port_of, reply_of
from epolab.verify.witness import Ran

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "minimal.yaml")


def test_the_port_is_the_policys_or_8081() -> None:
    agent = facts.agents(TOPOLOGY)[0]
    assert port_of(TOPOLOGY, agent) == 8081
    policies = tuple(
        replace(policy, settings={**policy.settings, "wakeupPort": 8591}) if policy.category == "agent" else policy
        for policy in TOPOLOGY.management.policies
    )
    assert port_of(replace(TOPOLOGY, management=replace(TOPOLOGY.management, policies=policies)), agent) == 8591


BUSY = "failed: no repository could be used: ePO_EPO: busy"


@pytest.mark.parametrize(
    ("ran", "complaint", "outcome"),
    [
        (Ran(0, json.dumps({"outcome": "ePO_EPO: already latest"}), ""), "", "ePO_EPO: already latest"),
        (Ran(1, json.dumps({"outcome": BUSY}), f"{BUSY}\n"), BUSY, BUSY),
        (Ran(4, "", "no agent answers\n"), "no agent answers", None),
        (Ran(137, "", ""), "it ended with 137", None),
    ],
)
def test_an_update_that_failed_says_why_and_still_what_came_of_it(
    ran: Ran, complaint: str, outcome: str | None
) -> None:
    assert complaint_of(ran) == complaint and reply_of(ran).get("outcome") == outcome
