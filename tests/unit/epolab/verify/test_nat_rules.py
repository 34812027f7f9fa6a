"""What stands between a site behind NAT and the outside, read from a router's rules."""

from pathlib import Path

import pytest

from epolab.topology import load_text, load_topology
from epolab.verify.nat_rules import (
    Line,
    addresses_of,
    bare_callins,
    caller_of,
    lines_of,
    masked,
    open_to_outside,
    routers_behind_nat,
    unmasked,
)

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
LINE = Line("10.4.0.0/24", "wan-hq")
ANSWERS = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
DROP = '-A FORWARD -d 10.4.0.0/24 -i wan-hq -m comment --comment "the site is behind NAT" -j DROP'
MASK = "-A POSTROUTING -s 10.4.0.0/24 -o wan-hq -j MASQUERADE"


@pytest.mark.parametrize(
    ("rules", "seen"),
    [
        (["-P FORWARD ACCEPT", ANSWERS, DROP], ""),
        (["-P FORWARD ACCEPT", ANSWERS], "no rule is about it"),
        ([ANSWERS, "-A FORWARD -s 10.1.0.0/24 -j ACCEPT", DROP], "first there is: -s 10.1.0.0/24 -j ACCEPT"),
        ([ANSWERS, "-A FORWARD -d 10.9.0.0/24 -j ACCEPT", "-A FORWARD -i eth0 -j ACCEPT", DROP], ""),
        ([ANSWERS, DROP.replace("-j", "-p tcp -j")], "first there is: "),
        ([ANSWERS, DROP.replace("/24", "/25")], "first there is: -d 10.4.0.0/25"),
    ],
)
def test_the_first_rule_about_new_connections_has_to_drop_them(rules: list[str], seen: str) -> None:
    told = open_to_outside("\n".join(rules), LINE)
    assert told.startswith(seen)
    assert bool(told) is bool(seen)


@pytest.mark.parametrize(
    ("rules", "seen"),
    [
        (["-P POSTROUTING ACCEPT", MASK], ""),
        (["-P POSTROUTING ACCEPT"], "no rule is about it"),
        (["-A POSTROUTING -s 10.4.0.8/32 -o wan-hq -j ACCEPT", MASK], "first there is: -s 10.4.0.8/32 -o wan-hq"),
        ([MASK.replace("wan-hq", "wan-dmz")], "no rule is about it"),
        ([MASK.replace("-o", "-p udp -o")], "first there is: "),
    ],
)
def test_the_first_rule_about_what_leaves_has_to_mask_it(rules: list[str], seen: str) -> None:
    told = unmasked("\n".join(rules), LINE)
    assert told.startswith(seen)
    assert bool(told) is bool(seen)


def test_who_is_behind_nat_and_by_which_lines() -> None:
    (router,) = routers_behind_nat(TOPOLOGY)
    assert router.path == "lyon/router"
    (lan,) = TOPOLOGY.site("lyon").segments
    assert lines_of(TOPOLOGY, router, 4) == [Line(str(lan.ipv4), "wan-hq")]
    assert lines_of(TOPOLOGY, router, 6) == [Line(str(lan.ipv6), "wan-hq")]
    assert [node.path for node in masked(TOPOLOGY)] == ["lyon/lyon-pc", "lyon/lyon-laptop"]


def callin(handler: str | None, address: str, via: str | None = None) -> dict[str, object]:
    return {"handler": handler, "via_relay": via, "remote_address": address}


def test_every_call_in_counts_for_where_an_agent_comes_from() -> None:
    node, (router,) = TOPOLOGY.node("lyon/lyon-pc"), routers_behind_nat(TOPOLOGY)
    line = next(each for each in router.interfaces if each.link is not None)
    good = [callin("dmz/ah-2", str(line.ipv4.ip)), callin("hq/epo", str(line.ipv6.ip))]
    assert bare_callins(TOPOLOGY, node, good) == []
    assert bare_callins(TOPOLOGY, node, [*good, callin("hq/epo", "10.5.0.9", "relay"), callin(None, "")]) == []
    ((wanted, seen),) = bare_callins(TOPOLOGY, node, [callin("hq/epo", str(node.ipv4)), *good])
    assert wanted == f"lyon/lyon-pc: calls in from {line.ipv4.ip} or {line.ipv6.ip}"
    assert seen == f"the handler saw {node.ipv4} in 1 of 3 call-ins"


def test_an_agent_that_did_not_call_in_was_seen_nowhere() -> None:
    ((_, seen),) = bare_callins(TOPOLOGY, TOPOLOGY.node("lyon/lyon-pc"), [])
    assert seen == "lyon/lyon-pc: no call-in came"


def test_every_address_of_the_site_is_tried_from_outside() -> None:
    (router,) = routers_behind_nat(TOPOLOGY)
    assert caller_of(TOPOLOGY, router).path == "hq/epo"
    tried = addresses_of(TOPOLOGY, router)
    assert {str(router.ipv4), str(router.ipv6), str(TOPOLOGY.node("lyon/lyon-pc").ipv6)} <= set(tried)
    assert not any(address.startswith("100.64.") for address in tried)


def test_a_server_behind_nat_is_called_by_another_router() -> None:
    text = b"""epolab: 1
sites:
  home: {nat: true, nodes: {epo: {components: [server, sql]}, pc: {components: agent}}}
  net: {nodes: {vendor: {components: updates}}}
wan: [{between: [home, net]}]
"""
    topology = load_text(text, "home.yaml").topology
    assert topology is not None
    (router,) = routers_behind_nat(topology)
    assert caller_of(topology, router).path == "net/router"
    assert masked(topology) == []
