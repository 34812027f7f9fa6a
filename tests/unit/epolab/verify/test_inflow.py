"""What is counted at routers, and how many bytes are due."""

from typing import Any

import pytest

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.topology import load_text
from epolab.verify.inflow import CALL_BYTES, CATALOGS_BYTES, bytes_to, due

CHAIN = b"""epolab: 1
asci: 10s
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  mid:
    networks: {lan: {}, office: {}}
    nodes:
      sa: {components: superagent, network: lan}
      pc: {components: agent, network: lan}
      far: {components: agent, network: office}
  end:
    nodes:
      gate: {components: [router, dns, superagent]}
      pc: {components: agent}
  ah:
    nodes:
      ah: {components: handler}
      sb: {components: superagent}
  two:
    networks: {lan: {}, office: {}}
    nodes:
      sa-two: {components: superagent, network: [lan, office]}
      pc: {components: agent, network: lan}
      far: {components: agent, network: office, count: 5}
  mix:
    networks: {lan: {}, office: {}}
    nodes:
      gate-mix: {components: [router, dns, superagent]}
      pc: {components: agent, network: lan}
      far: {components: agent, network: office, count: 2}
wan:
  - {between: [hq, mid]}
  - {between: [mid, end]}
  - {between: [hq, ah]}
  - {between: [hq, two]}
  - {between: [hq, mix]}
"""
PACKAGE = 1_000_000


@pytest.fixture(scope="module", name="chain")
def chain_fixture() -> Topology:
    loaded = load_text(CHAIN, "chain.yaml")
    assert loaded.valid and loaded.topology is not None, loaded.problems
    return loaded.topology


def counters(router: Node, seen: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """What `ip` says: rx and tx bytes by the link or segment of an interface."""
    return [
        {"ifname": i.name, "stats64": {"rx": {"bytes": rx}, "tx": {"bytes": tx}}}
        for i in router.interfaces
        for rx, tx in [seen[i.link or i.segment or ""]]
    ]


def test_what_passes_through_a_site_does_not_come_to_its_repository(chain: Topology) -> None:
    seen = {
        "hq-mid": (3_254_237, 90_000),
        "mid-end": (80_000, 2_100_000),
        "mid/lan": (9, 1_050_000),
        "mid/office": (9, 7),
    }
    links = counters(facts.router(chain, "mid"), seen)
    assert bytes_to(chain, chain.node("mid/sa"), links) == 1_050_000


def test_a_router_with_a_repository_keeps_what_does_not_leave_by_its_lines(chain: Topology) -> None:
    links = counters(chain.node("end/gate"), {"mid-end": (1_050_000, 30_000), "end/lan": (500, 4_000_000)})
    assert bytes_to(chain, chain.node("end/gate"), links) == 1_020_000


def test_content_is_due_once_and_the_calls_of_the_segments_agents(chain: Topology) -> None:
    wanted = due(chain, chain.node("mid/sa"), PACKAGE, 20.0, PACKAGE)
    assert (wanted.least, wanted.most) == (PACKAGE, 1.5 * PACKAGE + CATALOGS_BYTES + 2 * 3 * CALL_BYTES)
    assert wanted.holds(1_050_000)
    assert not wanted.holds(999_999)
    assert not wanted.holds(2 * PACKAGE)


def test_nothing_is_due_when_nothing_changed_but_catalogs(chain: Topology) -> None:
    wanted = due(chain, chain.node("mid/sa"), 0, 0.0, PACKAGE)
    assert (wanted.least, wanted.most) == (0, CATALOGS_BYTES + 2 * CALL_BYTES)


def test_a_handler_beside_the_repository_may_fetch_the_package_too(chain: Topology) -> None:
    assert due(chain, chain.node("ah/sb"), PACKAGE, 1.0, PACKAGE).holds(2 * PACKAGE)
    assert due(chain, chain.node("end/gate"), PACKAGE, 1.0, PACKAGE).least < PACKAGE


def test_only_the_segment_that_a_repository_serves_is_counted(chain: Topology) -> None:
    seen = {"hq-two": (9_000_000, 1), "two/lan": (9, 1_050_000), "two/office": (9, 6_000_000)}
    links = counters(facts.router(chain, "two"), seen)
    assert bytes_to(chain, chain.node("two/sa-two"), links) == 1_050_000


def test_agents_of_its_other_segment_count_for_nothing(chain: Topology) -> None:
    two, mid = (due(chain, chain.node(path), PACKAGE, 20.0, PACKAGE) for path in ("two/sa-two", "mid/sa"))
    assert two == mid
    assert not two.holds(3 * PACKAGE)


def test_agents_there_that_take_their_content_elsewhere_may_fetch_it_too(chain: Topology) -> None:
    """A router that serves its first segment only: what the agents of its others fetch comes in by its lines too."""
    lone, shared = (due(chain, chain.node(path), PACKAGE, 0.0, PACKAGE) for path in ("end/gate", "mix/gate-mix"))
    assert lone.least - shared.least == pytest.approx(2 * CALL_BYTES)
    assert shared.most - lone.most == pytest.approx(2 * (1.5 * PACKAGE + CALL_BYTES))


CROWD = b"""epolab: 1
asci: 10s
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  far: {nodes: {gate: {components: [router, dns, superagent]}, pc: {components: agent, count: 60}}}
  own: {nodes: {gate-own: {components: [router, dns, superagent]}, ah: {components: handler}, pc: {components: agent}}}
wan: [{between: [hq, far]}, {between: [hq, own]}]
management:
  handlers: [{group: own, use: [own/ah, hq/epo]}]
"""


def test_what_has_not_come_to_a_router_is_missed_however_many_agents_call_in_meanwhile() -> None:
    topology = load_text(CROWD, "crowd.yaml").topology
    assert topology is not None
    for took in (1.0, 20.0, 300.0):
        wanted = due(topology, topology.node("far/gate"), PACKAGE, took, PACKAGE)
        assert wanted.holds(PACKAGE)
        assert not wanted.holds(PACKAGE // 2 - 1)
        assert not wanted.holds(0)


def test_call_ins_that_stay_in_the_site_take_nothing_off() -> None:
    topology = load_text(CROWD, "crowd.yaml").topology
    assert topology is not None
    wanted = due(topology, topology.node("own/gate-own"), PACKAGE, 0.0, PACKAGE)
    assert wanted.least == pytest.approx(0.9 * PACKAGE)


def test_a_router_may_send_a_little_more_than_it_gets_when_nothing_is_replicated(chain: Topology) -> None:
    wanted = due(chain, chain.node("end/gate"), 0, 0.1, PACKAGE)
    assert wanted.holds(-2 * CALL_BYTES)
    assert not wanted.holds(-10 * CALL_BYTES)
    assert due(chain, chain.node("mid/sa"), 0, 0.1, PACKAGE).least == 0
