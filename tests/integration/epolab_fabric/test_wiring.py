"""Segments, nodes and plain links among real namespaces."""

import json
from typing import Any

import pytest

from epolab.errors import FabricError
from tests.integration.epolab_fabric.neighbourhood import Neighbourhood, until

pytestmark = pytest.mark.integration


def interface(segment: str, host: int) -> dict[str, Any]:
    cidrs = [f"10.1.0.{host}/24", f"fd00:1::{host}/64"]
    return {"name": "eth0", "segment": segment, "mac": f"02:00:00:00:00:{host:02x}", "cidrs": cidrs}


def wire(around: Neighbourhood, name: str, pid: int, host: int, **more: Any) -> None:
    around.fabric.call("node_wire", pid=pid, path=name, interfaces=[interface("a/lan", host)], **more)


def addresses(around: Neighbourhood, name: str, device: str = "eth0") -> dict[str, set[str]]:
    """Addresses by their flags' names that matter."""
    shown = json.loads(around.run_in(name, "ip", "-j", "address", "show", device))[0]["addr_info"]
    return {it["local"]: {key for key in ("tentative", "nodad") if it.get(key)} for it in shown}


ECHO = (
    "import socket,sys; s=socket.create_server((sys.argv[1], 7), family=socket.AF_INET6 if ':' in sys.argv[1] else 2);"
    "print('ready', flush=True); c,_=s.accept(); c.sendall(c.recv(9))"
)
CALL = "import socket,sys; s=socket.create_connection((sys.argv[1], 7), 5); s.sendall(b'hello'); print(s.recv(9))"


def reaches(around: Neighbourhood, source: str, destination: str, address: str) -> bool:
    listener = around.exec_stream(destination, ["python3", "-c", ECHO, address])
    try:
        assert listener.read_line() == b"ready\n"
        caller = around.exec_stream(source, ["python3", "-c", CALL, address])
        try:
            return bool(caller.read_line() == b"b'hello'\n")
        finally:
            caller.close()
    finally:
        listener.close()


def test_nodes_of_a_segment_reach_each_other_at_once_and_wiring_twice_changes_nothing(
    neighbourhood: Neighbourhood,
) -> None:
    pids = {name: neighbourhood.node(name) for name in ("a/one", "a/two")}
    for host, (name, pid) in enumerate(pids.items(), start=10):
        wire(neighbourhood, name, pid, host)
        assert addresses(neighbourhood, name) == {
            f"10.1.0.{host}": set(),
            f"fd00:1::{host}".replace("10", "10"): {"nodad"},
            f"fe80::ff:fe00:{host:x}": {"nodad"},
        }
    before = neighbourhood.fabric.call("survey", pids=pids)
    assert reaches(neighbourhood, "a/one", "a/two", "10.1.0.11")
    assert reaches(neighbourhood, "a/one", "a/two", "fd00:1::11")
    wire(neighbourhood, "a/one", pids["a/one"], 10)
    assert neighbourhood.fabric.call("survey", pids=pids) == before
    peers = {it["name"]: it["peer"] for it in before["a/one"]["interfaces"]}
    assert peers["lo"] is None
    assert peers["eth0"]["path"] == "fabric"


def test_routes_and_addresses_follow_their_declaration(neighbourhood: Neighbourhood) -> None:
    pid = neighbourhood.node("a/one")
    gateways = [{"destination": "0.0.0.0/0", "via": "10.1.0.1"}, {"destination": "default", "via": "fd00:1::1"}]
    wire(neighbourhood, "a/one", pid, 10, routes=gateways)
    shown = neighbourhood.run_in("a/one", "ip", "route") + neighbourhood.run_in("a/one", "ip", "-6", "route")
    assert "default via 10.1.0.1 dev eth0" in shown
    assert "default via fd00:1::1 dev eth0" in shown
    wire(neighbourhood, "a/one", pid, 20, routes=[{"destination": "10.9.0.0/16", "via": "10.1.0.1"}])
    assert set(addresses(neighbourhood, "a/one")) == {"10.1.0.20", "fd00:1::20", "fe80::ff:fe00:14"}
    shown = neighbourhood.run_in("a/one", "ip", "route")
    assert "default" not in shown
    assert "10.9.0.0/16 via 10.1.0.1" in shown


def test_a_restarted_node_is_wired_again_and_a_removed_one_leaves_nothing(neighbourhood: Neighbourhood) -> None:
    fabric = neighbourhood.fabric
    wire(neighbourhood, "a/one", neighbourhood.node("a/one"), 10)
    neighbourhood.end("a/one")
    again = neighbourhood.node("a/one")
    wire(neighbourhood, "a/one", again, 10)
    wire(neighbourhood, "a/two", neighbourhood.node("a/two"), 11)
    assert reaches(neighbourhood, "a/two", "a/one", "10.1.0.10")
    for name in ("a/one", "a/two"):
        fabric.call("node_unwire", path=name)
        fabric.call("node_unwire", path=name)
    fabric.call("segment_remove", path="a/lan")
    assert fabric.call("ports") == {}
    assert "eth0" not in neighbourhood.run_in("a/one", "ip", "link")


def test_the_fabric_never_wires_itself_or_a_dead_process(neighbourhood: Neighbourhood) -> None:
    for pid in (neighbourhood.fabric_pid, 2**22 + 1):
        with pytest.raises(FabricError) as caught:
            wire(neighbourhood, "a/one", pid, 10)
        assert caught.value.evidence == ["NamespaceFault"]


def test_a_setting_reaches_the_node_only(neighbourhood: Neighbourhood) -> None:
    pid = neighbourhood.node("a/router")
    wire(neighbourhood, "a/router", pid, 1, sysctls={"net.ipv4.ip_forward": "1"})
    assert neighbourhood.run_in("a/router", "cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"


def test_a_plain_link_joins_two_routers_directly(neighbourhood: Neighbourhood) -> None:
    neighbourhood.lay("link", driver="none")
    assert reaches(neighbourhood, "link/a", "link/b", "100.64.1.2")
    pids = {name: neighbourhood._pids[name] for name in ("link/a", "link/b")}
    seen = neighbourhood.fabric.call("survey", pids=pids)
    assert {"path": "link/b", "name": "wan"} in [it["peer"] for it in seen["link/a"]["interfaces"]]
    counted = neighbourhood.fabric.call("link_counters")["link"]
    assert counted["a_to_b"]["packets"] > 0
    neighbourhood.end("link/b")
    until(lambda: not neighbourhood.fabric.call("link_state")["link"]["a"]["attached"], "the dead peer is seen")
    neighbourhood.node("link/b")
    neighbourhood.lay("link", driver="none")
    assert reaches(neighbourhood, "link/a", "link/b", "100.64.1.2")
    neighbourhood.fabric.call("link_remove", name="link")
    assert "wan" not in neighbourhood.run_in("link/a", "ip", "link")
