"""Which interfaces lead out of a lab, and whose doing a change of the host's network is."""

from typing import Any

import pytest

from epolab.verify.uplinks import host_changes, strays


def interface(kind: str, peer: str | None = None) -> dict[str, Any]:
    return {"name": "eth0", "index": 2, "kind": kind, "peer": peer and {"path": peer, "name": "eth1"}}


def place(*interfaces: dict[str, Any]) -> dict[str, Any]:
    return {"namespace": 7, "interfaces": list(interfaces)}


INSIDE = place(interface("loopback"), interface("bridge"), interface("veth", "fabric"), interface("tun", "fabric"))


@pytest.mark.parametrize("away", [interface("veth"), interface("veth", "host"), interface("tun"), interface("macvlan")])
def test_what_leads_out_is_told_by_node_and_interface(away: dict[str, Any]) -> None:
    assert strays("hq/pc", INSIDE) == []
    ((expected, observed),) = strays("hq/pc", place(interface("loopback"), away))
    assert expected == "hq/pc: the other end of eth0 is in this lab"
    assert observed.startswith(f"eth0 ({away['kind']}) has its other end in ")


def test_a_change_of_the_host_is_not_the_labs_when_nothing_of_it_leads_there() -> None:
    text = host_changes(["links: new veth7"], {"hq/pc": INSIDE, "host": place()}, "small")
    assert text == (
        "links: new veth7. No interface of this lab leads to the host, so somebody else changed it; if that is to "
        "stay, `epolab down small` and `epolab up` note the host's network anew"
    )


def test_a_change_of_the_host_names_what_leads_there() -> None:
    text = host_changes(["links: new veth7"], {"hq/pc": place(interface("veth", "host"))}, "small")
    assert text == "links: new veth7. This lab leads out: hq/pc: eth0 (veth) has its other end in host"


def test_many_changes_are_told_by_their_number() -> None:
    text = host_changes([f"routes: new {number}" for number in range(13)], {}, "small")
    assert "routes: new 9; and 3 more. " in text
