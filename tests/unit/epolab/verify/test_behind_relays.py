"""Which agents are behind relays, how long relays are looked into, and where such an agent takes its content."""

from pathlib import Path
from typing import cast

from epolab.topology import load_text, load_topology
from epolab.verify.behind_relays import behind, capture_seconds, content_troubles, newer, relays_of, stocked
from epolab.verify.ways import limit_seconds
from epolab.verify.witness import Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
FIRST, SECOND = "india/india-relay-1", "india/india-relay-2"


def test_agents_without_a_straight_way_are_behind_relays() -> None:
    assert [node.path for node in behind(TOPOLOGY)] == ["india/india-pc-1", "india/india-pc-2"]


def test_the_relays_that_agents_may_use_are_those_of_their_segments() -> None:
    assert relays_of(TOPOLOGY, behind(TOPOLOGY)) == [FIRST, SECOND] and relays_of(TOPOLOGY, []) == []


def test_relays_are_looked_into_for_longer_than_everything_is_waited_for() -> None:
    nodes = behind(TOPOLOGY)
    assert capture_seconds(nodes) - capture_seconds([]) == 2 * (limit_seconds(nodes) - limit_seconds([])) > 0


def test_what_a_pull_brings_meanwhile_is_the_masters_content_too() -> None:
    before, now = {"DAT": ["1"], "Engine": ["7"]}, {"DAT": ["1", "2"], "Fresh": ["1"]}
    assert newer(before, now) == {"DAT": ["1", "2"], "Engine": ["7"]}


class Server:
    """A server that has pulled so many packages, and pulls one more when it is told."""

    def __init__(self, packages: int) -> None:
        self.versions, self.pulls = [str(number) for number in range(packages)], 0

    def api(self, command: str, **arguments: str) -> object:
        if command == "repository.pull":
            assert arguments == {"sourceRepository": ""}
            self.versions.append("9")
            self.pulls += 1
            return True
        return [{"productID": "DAT", "productDetectionProductVersion": version} for version in self.versions]


def test_a_master_repository_without_content_is_told_to_pull() -> None:
    empty, full = Server(0), Server(1)
    assert (stocked(cast(Witness, empty)), empty.pulls) == ({"DAT": ["9"]}, 1)
    assert (stocked(cast(Witness, full)), full.pulls) == ({"DAT": ["0"]}, 0)


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
