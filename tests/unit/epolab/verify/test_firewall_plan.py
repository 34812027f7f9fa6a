"""Who visits whom: those an exception names, and a stranger whom none names."""

from ipaddress import ip_address
from pathlib import Path

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.topology import load_text, load_topology
from epolab.verify.firewall_plan import STRANGER_V4, STRANGER_V6, Visit, answering, strangers_visits, welcome_visits
from epolab.verify.plugin import subjects

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_every_visit_is_invited_and_can_get_through() -> None:
    for visit in welcome_visits(TOPOLOGY):
        guest, host = TOPOLOGY.node(visit.guest), TOPOLOGY.node(visit.host)
        assert facts.reachable(TOPOLOGY, guest, host, visit.knock.protocol, visit.knock.port)
        assert visit.knock.address in {str(host.ipv4), str(host.ipv6)}


def test_each_family_is_visited_alike() -> None:
    visits = welcome_visits(TOPOLOGY)
    families = [sum((":" in visit.knock.address) == six for visit in visits) for six in (False, True)]
    assert families[0] == families[1] > 0


def test_a_stranger_comes_to_every_agent_from_its_own_router() -> None:
    visits = strangers_visits(TOPOLOGY)
    assert {visit.host for visit in visits} == {node.path for node in facts.agents(TOPOLOGY)}
    assert {visit.knock.source for visit in visits} == {STRANGER_V4, STRANGER_V6}
    assert all(visit.guest.partition("/")[0] == visit.host.partition("/")[0] for visit in visits)


def test_a_port_that_never_answers_a_single_knock_is_left_to_the_rules() -> None:
    agent = facts.agents(TOPOLOGY)[0]
    assert {exception.port for exception in answering(TOPOLOGY, agent)} == {8081}
    relay = facts.relays(TOPOLOGY)[0]
    assert {(e.protocol, e.port) for e in answering(TOPOLOGY, relay)} >= {("tcp", 8083), ("udp", 8083), ("udp", 8082)}


ROUTERS = """epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}, pc: {components: agent}}}
  near:
    nodes:
      gate: {components: [router, superagent, relay]}
      pc: {components: agent}
      other: {components: updates}
  far: {nodes: {gate: {components: [router, agent]}}}
wan:
  - {between: [hq, near], delay: 700ms}
  - {between: [near, far]}
"""
THREE = """epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  near: {nodes: {pc: {components: agent}, gate: {components: router}}}
  far: {nodes: {gate: {components: [router, agent]}}}
  side: {nodes: {pc: {components: agent}, gate: {components: router}}}
wan:
  - {between: [hq, near]}
  - {between: [near, far]}
  - {between: [far, side]}
"""
ALONE = "epolab: 1\nsites: {hq: {nodes: {all: {components: [router, dns, server, sql, agent]}}}}\n"


def loaded(text: str) -> Topology:
    found = load_text(text.encode(), "routers.yaml")
    assert found.valid and found.topology is not None, found.problems
    return found.topology


def strangers(topology: Topology, host: str) -> list[Visit]:
    return [visit for visit in strangers_visits(topology) if visit.host == host]


def test_a_router_is_visited_by_a_node_of_its_segment_that_no_exception_for_the_port_names() -> None:
    visits = strangers(loaded(ROUTERS), "near/gate")
    served = [visit for visit in visits if visit.knock.port in {8081, 8083} and visit.knock.protocol == "tcp"]
    other = loaded(ROUTERS).node("near/other")
    sources = {("near/other", str(other.ipv4)), ("near/other", str(other.ipv6))}
    assert {(visit.guest, visit.knock.source) for visit in served} == sources
    assert {":" in visit.knock.address for visit in served} == {False, True}


def test_where_the_whole_segment_is_named_the_stranger_comes_over_a_line() -> None:
    visits = [visit for visit in strangers(loaded(ROUTERS), "near/gate") if visit.knock.protocol == "udp"]
    assert visits
    assert {visit.guest.partition("/")[0] for visit in visits} <= {"hq", "far"}


def test_a_router_alone_on_its_segment_is_visited_from_the_nearest_site() -> None:
    topology = loaded(ROUTERS)
    visits = strangers(topology, "far/gate")
    assert visits
    assert {visit.guest for visit in visits} == {"near/gate"}
    segment = topology.site("near").segments[0]
    assert all(
        ip_address(visit.knock.source or "") in (segment.ipv4, segment.ipv6)[":" in visit.knock.address]
        for visit in visits
    )
    assert "far/gate" in subjects(topology)["guarded"]


def test_a_stranger_is_never_stopped_on_the_way() -> None:
    shut = loaded(
        ROUTERS.replace("      other:", "      deaf:").replace("  far: {", "  far: {firewall: {default: deny}, ")
    )
    for visit in strangers_visits(shut):
        guest, host = shut.node(visit.guest), shut.node(visit.host)
        assert facts.reachable(shut, guest, host, visit.knock.protocol, visit.knock.port)


def test_where_there_is_no_stranger_there_is_no_such_check() -> None:
    topology = loaded(ALONE)
    assert strangers_visits(topology) == []
    assert subjects(topology)["guarded"] == ()
    assert subjects(topology)["agent"] == ("hq/all",)


def test_a_visit_over_a_long_line_is_waited_for() -> None:
    waits = {visit.knock.timeout_s for visit in welcome_visits(loaded(ROUTERS)) if visit.guest == "hq/epo"}
    assert max(waits) > 2 * 1.4


def test_for_a_whole_segment_somebody_speaks_who_runs() -> None:
    topology = loaded(ROUTERS)

    def asked(*absent: str) -> set[str]:
        visits = welcome_visits(topology, absent)
        return {visit.guest for visit in visits if visit.host == "near/gate" and visit.knock.protocol == "udp"}

    assert asked() == {"near/pc"}
    assert asked("near/pc") == {"near/other"}
    assert asked("near/pc", "near/other") == {"near/pc"}


def test_a_router_is_visited_by_a_stranger_who_runs() -> None:
    topology = loaded(ROUTERS)

    def asked(host: str, port: int, *absent: str) -> set[str]:
        visits = strangers_visits(topology, absent)
        return {v.guest for v in visits if v.host == host and (v.knock.protocol, v.knock.port) == ("tcp", port)}

    assert asked("near/gate", 8083) == {"near/other"}
    (second,) = asked("near/gate", 8083, "near/other")
    assert second not in {"near/other", "near/gate"}
    everybody = [node.path for node in topology.nodes if node.path != "near/gate"]
    assert asked("near/gate", 8083, *everybody) == {"near/other"}


def test_a_stranger_does_not_come_past_a_router_that_does_not_run() -> None:
    topology = loaded(THREE)
    assert {visit.guest for visit in strangers_visits(topology) if visit.host == "far/gate"} == {"near/pc"}
    guests = {visit.guest for visit in strangers_visits(topology, ["near/gate"]) if visit.host == "far/gate"}
    assert guests == {"side/pc"}


def test_who_runs_changes_nothing_about_who_is_visited() -> None:
    topology = loaded(ROUTERS)
    hosts = {visit.host for visit in strangers_visits(topology)}
    assert {visit.host for visit in strangers_visits(topology, [node.path for node in topology.nodes])} == hosts


BEHIND_NAT = """
epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}, router: {components: [router, dns, agent]}}}
  home: {nat: true, nodes: {ah: {components: handler}, pc: {components: agent}}}
wan: [{between: [hq, home]}]
management: {handlers: [{group: hq, use: hq/epo}]}
"""


def test_a_handler_behind_nat_is_invited_under_its_routers_address_and_is_no_stranger() -> None:
    lab = loaded(BEHIND_NAT)
    guests = {visit.guest for visit in welcome_visits(lab) if visit.host == "hq/router"}
    assert guests == {"hq/epo", "home/ah", "home/router", "home/pc"}, "its address is that of all of its site"
    assert {visit.guest for visit in strangers(lab, "hq/router")} <= {"hq/epo"}


def test_nobody_visits_an_agent_behind_nat_from_outside() -> None:
    lab = loaded(BEHIND_NAT)
    assert {visit.guest for visit in welcome_visits(lab) if visit.host == "home/pc"} == {"home/ah"}
