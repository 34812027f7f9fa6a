import dataclasses

import pytest

from epolab.model.node import Route, can_relay
from epolab.model.topology import Topology


def test_a_node_knows_its_path_its_name_in_dns_and_its_addresses(quickstart: Topology) -> None:
    node = quickstart.node("tokyo/tokyo-pc-2")
    assert (node.path, node.fqdn) == ("tokyo/tokyo-pc-2", "tokyo-pc-2.tokyo.test")
    assert (str(node.ipv4), str(node.ipv6)) == ("10.2.0.12", "fd00:2::12")
    assert node.interfaces[0].cidrs == ("10.2.0.12/24", "fd00:2::12/64")


def test_a_node_has_its_components_only(quickstart: Topology) -> None:
    relay = quickstart.node("india/india-relay-1")
    assert relay.has("relay") and relay.has("agent") and not relay.has("superagent")


def test_a_node_is_frozen(quickstart: Topology) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        quickstart.nodes[0].name = "other"  # type: ignore[misc]


def test_a_route_tells_its_family_by_its_next_hop() -> None:
    assert Route("0.0.0.0/0", "10.1.0.1").family == 4
    assert Route("::/0", "fd00:1::1").family == 6


@pytest.mark.parametrize(
    ("version", "platform", "able"),
    [("4.8.0", "Linux", True), ("5.7.1", "Linux", True), ("4.7.9", "Linux", False), ("5.0.0", "AIX", False)],
)
def test_an_agent_can_be_a_relay_by_its_version_and_platform(version: str, platform: str, able: bool) -> None:
    assert can_relay(version, platform) is able
