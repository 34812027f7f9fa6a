"""What the provider is told of a link."""

from epolab.components.wan import link_props


def test_a_link_has_both_ends_with_their_routes_and_both_directions(topology, settings):
    props = link_props(topology, topology.links[0], settings)
    assert (props["name"], props["driver"]) == ("hq-tokyo", "cable")
    assert (props["a"]["path"], props["b"]["path"]) == ("hq/router", "tokyo/router")
    assert (props["a"]["interface"], props["b"]["interface"]) == ("wan-tokyo", "wan-hq")
    assert props["a_to_b"]["rate_bps"] == 10_000_000
    assert props["b_to_a"]["delay_ms"] == 40
    assert {route["via"] for route in props["a"]["routes"]} == {cidr.split("/")[0] for cidr in props["b"]["cidrs"]}
