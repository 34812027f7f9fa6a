from typing import Any

import pytest

from epolab_fabric.errors import RequestInvalidFault
from epolab_fabric.requests import RouteRecord, ShapeRecord, decode_link, decode_node, decode_shape

END: dict[str, Any] = {"path": "a/router", "pid": 7, "interface": "wan-b", "mac": "02:00:00:00:00:01", "cidrs": []}
LINK: dict[str, Any] = {"name": "a-b", "a": END, "b": END, "driver": "cable", "a_to_b": {}, "b_to_a": {}}
INTERFACE = {"name": "eth0", "segment": "a/lan", "mac": "02:00:00:00:00:10", "cidrs": ["10.0.0.10/24"]}


def test_a_node_needs_neither_routes_nor_settings() -> None:
    node = decode_node({"pid": 7, "path": "a/pc", "interfaces": [INTERFACE]})
    assert (node.pid, node.routes, node.sysctls) == (7, (), {})
    assert node.interfaces[0].cidrs == ("10.0.0.10/24",)


def test_a_node_keeps_its_routes_and_its_settings_as_texts() -> None:
    routes = [{"destination": "0.0.0.0/0", "via": "10.0.0.1"}]
    values = {"pid": 7, "path": "a/pc", "interfaces": [], "routes": routes, "sysctls": {"net.ipv4.ip_forward": 1}}
    node = decode_node(values)
    assert node.routes == (RouteRecord("0.0.0.0/0", "10.0.0.1"),)
    assert node.sysctls == {"net.ipv4.ip_forward": "1"}


def test_a_shape_without_keys_is_unshaped() -> None:
    assert decode_shape({}) == ShapeRecord(None, 0.0, 0.0, 0.0, 200.0, False)


def test_a_link_is_decoded_and_written_as_json_values() -> None:
    link = decode_link(LINK | {"a_to_b": {"rate_bps": 2_000_000, "delay_ms": 60}})
    document = link.document()
    assert document["a_to_b"]["rate_bps"] == 2_000_000
    assert document["a"]["interface"] == "wan-b"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"driver": "magic"}, "magic"),
        ({"a": END | {"colour": "red"}}, "colour"),
        ({"a": {"path": "a/router"}}, "missing"),
        ({"a_to_b": {"rate_bps": 0}}, "positive"),
        ({"a_to_b": {"loss_ratio": 1.0}}, r"\[0, 1\)"),
        ({"b_to_a": {"delay_ms": -1}}, "negative"),
        ({"b_to_a": {"speed": 1}}, "speed"),
        ({"b": END | {"cidrs": "10.0.0.1/24"}}, "list of texts"),
        ({"b": "router"}, "object"),
    ],
)
def test_a_broken_link_is_refused_by_what_is_wrong_with_it(broken: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestInvalidFault, match=said):
        decode_link(LINK | broken)
