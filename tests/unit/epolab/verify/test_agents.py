"""The port an agent is called on, and what it says of an update."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.agents import complaint_of, port_of
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


@pytest.mark.parametrize(
    ("outcome", "complaint"),
    [
        ("ePO_EPO: already latest", ""),
        ("ePO_EPO: VSCANDAT1000 5002", ""),
        ("failed: no repository could be used: ePO_EPO: busy", "failed: no repository could be used: ePO_EPO: busy"),
        ("stopped: after 60 s", "stopped: after 60 s"),
    ],
)
def test_an_order_that_was_obeyed_may_tell_of_an_update_that_failed(outcome: str, complaint: str) -> None:
    assert complaint_of(Ran(0, json.dumps({"outcome": outcome}), "")) == complaint


def test_an_order_that_could_not_be_given_says_why() -> None:
    assert complaint_of(Ran(4, "", "no agent answers\n")) == "no agent answers"
