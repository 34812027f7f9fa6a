"""A site behind NAT that is hidden no more is seen: by its router's rules, by who gets in, and by who comes out."""

import pytest

from epolab.model import facts
from tests.acceptance.broken_promises import firewall_kept, on
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = [pytest.mark.acceptance, pytest.mark.beside]
ROUTER, AGENTS = "lyon/router", {"lyon/lyon-pc", "lyon/lyon-laptop"}


def test_addresses_that_are_not_masked_are_seen(conversations: Examined) -> None:
    lab, node = conversations, conversations.topology.node("lyon/lyon-pc")
    (lan,) = lab.topology.site("lyon").segments
    with firewall_kept(lab.lab, ROUTER, "iptables"):
        on(lab.lab, ROUTER, "iptables -t nat -F POSTROUTING")
        rows = lab.failures("iptables", kept=["isolation"])
        assert nodes_of(rows) == {ROUTER}, told(rows)
        assert_told(rows, ROUTER, f"iptables masks what leaves {lan.ipv4} by wan-hq", "no rule is about it")
        rows = lab.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) == AGENTS, told(rows)
        line = next(i for i in lab.topology.node(ROUTER).interfaces if i.link is not None)
        assert_told(rows, node.path, f"calls in from {line.ipv4.ip}", f"the handler saw {node.ipv4} in ")
    assert {row["outcome"] for row in lab.assert_positive("-k", "iptables")} == {"passed"}


def test_a_way_in_over_ipv6_alone_is_seen(conversations: Examined) -> None:
    lab, server = conversations, facts.server(conversations.topology)
    node, (lan,) = lab.topology.node("lyon/lyon-laptop"), lab.topology.site("lyon").segments
    with firewall_kept(lab.lab, ROUTER, "ip6tables"):
        on(lab.lab, ROUTER, f"ip6tables -I FORWARD 2 -i wan-hq -s {server.ipv6} -j ACCEPT")
        rows = lab.failures("iptables", kept=["isolation"])
        assert nodes_of(rows) == {ROUTER}, told(rows)
        wanted = f"ip6tables drops what comes to {lan.ipv6} by wan-hq"
        assert_told(rows, ROUTER, wanted, f"first there is: -s {server.ipv6}/128")
        assert_told(rows, ROUTER, f"nobody behind it answers {server.path}", str(node.ipv6))
        rows = lab.failures("port-8081", kept=["isolation"])
        assert nodes_of(rows) == AGENTS, told(rows)
        assert_told(rows, node.path, f"{server.path} does not get its log page at {node.ipv6}", "it answers")
    assert {row["outcome"] for row in lab.assert_positive("-k", "iptables or port-8081")} == {"passed"}
