"""Promise `isolation`: shown by structure, nothing of the lab is in the host's network or in another lab's."""

import json
from pathlib import Path

import pytest

from epolab.hands.host_network import differences, snapshot
from epolab.verify.broken import expect, expect_all
from epolab.verify.survey import Survey, survey
from epolab.verify.uplinks import host_changes, strays
from epolab.verify.witness import Witness

DISTURBS = False


@pytest.fixture(scope="session", name="seen")
def seen_fixture(witness: Witness) -> Survey:
    """Every interface of every namespace of the lab, and where its peer is."""
    return survey(witness.lab, witness.running(witness.topology.nodes))


def test_the_host_is_as_it_was_before(witness: Witness, folder: Path, seen: Survey) -> None:
    """the host's links, addresses, routes and firewall rules are those from before the lab"""
    before = json.loads((folder / "host-before.json").read_text())
    told = differences(before, snapshot())
    expect(not told, "the host's network is what it was before the lab", host_changes(told, seen, witness.lab))


def test_the_node_has_a_namespace_of_its_own(seen: Survey, node: str) -> None:
    """the node's network namespace is its own"""
    sharing = [path for path, place in seen.items() if path != node and place["namespace"] == seen[node]["namespace"]]
    expect(not sharing, f"{node} has a network namespace of its own", f"it is also that of {', '.join(sharing)}")


def test_every_interface_leads_into_the_lab(seen: Survey, node: str) -> None:
    """every interface leads to a namespace of this lab, and none to an uplink"""
    expect_all(strays(node, seen[node]))


def test_the_fabric_has_no_uplink(seen: Survey) -> None:
    """every interface of the fabric leads to a namespace of this lab, and none to an uplink"""
    expect_all(strays("fabric", seen["fabric"]))
