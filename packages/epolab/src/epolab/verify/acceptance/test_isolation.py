"""Promise `isolation`: shown by structure, nothing of the lab is in the host's network or in another lab's."""

import json
from pathlib import Path
from typing import Any

import pytest

from epolab.hands.host_network import differences, snapshot
from epolab.verify.broken import expect, expect_all
from epolab.verify.survey import Survey, survey
from epolab.verify.witness import Witness

DISTURBS = False
KINDS = {"loopback", "veth", "bridge", "tun"}


@pytest.fixture(scope="session", name="seen")
def seen_fixture(witness: Witness) -> Survey:
    """Every interface of every namespace of the lab, and where its peer is."""
    return survey(witness.lab, witness.running(witness.topology.nodes))


def test_the_host_is_as_it_was_before(folder: Path) -> None:
    """the host's links, addresses, routes and firewall rules are those from before the lab"""
    before = json.loads((folder / "host-before.json").read_text())
    told = differences(before, snapshot())
    expect(not told, "the host's network is what it was before the lab", "; ".join(told[:10]))


def test_the_node_has_a_namespace_of_its_own(seen: Survey, node: str) -> None:
    """the node's network namespace is its own"""
    sharing = [path for path, place in seen.items() if path != node and place["namespace"] == seen[node]["namespace"]]
    expect(not sharing, f"{node} has a network namespace of its own", f"it is also that of {', '.join(sharing)}")


def test_every_interface_leads_into_the_lab(seen: Survey, node: str) -> None:
    """every interface leads to a namespace of this lab, and none to an uplink"""
    expect_all(strays(seen, node))


def test_the_fabric_has_no_uplink(seen: Survey) -> None:
    """every interface of the fabric leads to a namespace of this lab, and none to an uplink"""
    expect_all(strays(seen, "fabric"))


def strays(seen: Survey, path: str) -> list[tuple[str, str]]:
    """Interfaces whose other end is not in the lab, as (expected, observed)."""
    return [
        (f"{path}: the other end of {interface['name']} is in this lab", _where(interface))
        for interface in seen[path]["interfaces"]
        if _leads_away(interface)
    ]


def _leads_away(interface: dict[str, Any]) -> bool:
    if interface["kind"] not in KINDS:
        return True
    return interface["kind"] in {"veth", "tun"} and (interface["peer"] or {}).get("path", "host") == "host"


def _where(interface: dict[str, Any]) -> str:
    peer = interface["peer"]
    where = f"in {peer['path']}" if peer else "in no namespace of this lab"
    return f"{interface['name']} ({interface['kind']}) has its other end {where}"
