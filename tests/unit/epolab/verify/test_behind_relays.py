"""Which relays can be stopped together, and through which one an agent called in."""

from pathlib import Path

from epolab.topology import load_text, load_topology
from epolab.verify.behind_relays import behind, content_troubles, current_relay, newer, rounds

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
FIRST, SECOND = "india/india-relay-1", "india/india-relay-2"


def test_agents_without_a_straight_way_are_behind_relays() -> None:
    assert [node.path for node in behind(TOPOLOGY)] == ["india/india-pc-1", "india/india-pc-2"]


def test_the_current_relay_is_told_by_name() -> None:
    node = behind(TOPOLOGY)[0]
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": "india-relay-2"}}) == SECOND
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": None}}) is None
    assert current_relay(TOPOLOGY, node, {"last_handler": None}) is None


def test_two_relays_of_one_segment_are_never_stopped_together() -> None:
    current = {"india/india-pc-1": FIRST, "india/india-pc-2": SECOND}
    assert rounds(TOPOLOGY, current) == [(FIRST,), (SECOND,)]


def test_a_relay_that_nobody_uses_is_not_stopped() -> None:
    assert rounds(TOPOLOGY, {"india/india-pc-1": SECOND, "india/india-pc-2": SECOND}) == [(SECOND,)]


def test_what_a_pull_brings_meanwhile_is_the_masters_content_too() -> None:
    before, now = {"DAT": ["1"], "Engine": ["7"]}, {"DAT": ["1", "2"], "Fresh": ["1"]}
    assert newer(before, now) == {"DAT": ["1", "2"], "Engine": ["7"]}


HAS = {"DAT": "2"}
CONTENT = {"DAT": ["1", "2"]}


def took(source: str, relay: str | None, installed: dict[str, str]) -> dict[str, object]:
    return {"update_source": source, "update_via_relay": relay, "installed": installed}


def test_an_agent_behind_relays_takes_the_masters_content_through_one() -> None:
    node = behind(TOPOLOGY)[0]
    assert content_troubles(TOPOLOGY, node, took("ePO_EPO", "india-relay-1", HAS), CONTENT) == []
    assert content_troubles(TOPOLOGY, node, took("ePO_EPO", None, {"DAT": "0"}), CONTENT) == [
        ("india/india-pc-1: takes content through a relay", "it took it from ePO_EPO through no relay"),
        ("india/india-pc-1: has the content of the master, {'DAT': ['1', '2']}", "it has {'DAT': '0'}"),
    ]


BESIDE = b"""epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  far:
    firewall:
      default: deny
      rules: [{allow: {from: relay, to: [hq]}}, {allow: {from: [hq], to: [relay, sa]}}]
    nodes:
      relay: {components: relay}
      sa: {components: superagent}
      pc: {components: agent}
wan: [{between: [hq, far]}]
"""


def test_an_agent_behind_relays_takes_content_from_the_repository_of_its_segment() -> None:
    topology = load_text(BESIDE, "beside.yaml").topology
    assert topology is not None
    assert [node.path for node in behind(topology)] == ["far/sa", "far/pc"]
    name = topology.management.repositories[0].name
    for node in behind(topology):
        wanted = f"{node.path}: takes content from {name}, without a relay"
        assert content_troubles(topology, node, took(name, None, {}), CONTENT) == []
        assert content_troubles(topology, node, took(name, "relay", HAS), CONTENT) == [
            (wanted, f"it took it from {name} through relay")
        ]
        assert content_troubles(topology, node, took("ePO_EPO", None, HAS), CONTENT) == [
            (wanted, "it took it from ePO_EPO through no relay")
        ]
