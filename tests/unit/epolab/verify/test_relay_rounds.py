"""Which relays can be taken from their agents together, and through which one an agent called in."""

from pathlib import Path

from epolab.topology import load_text, load_topology
from epolab.verify.callins import CallIn
from epolab.verify.relay_rounds import current_again, current_relay, rounds, stoppable

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
FIRST, SECOND = "india/india-relay-1", "india/india-relay-2"
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


def test_the_current_relay_is_told_by_name() -> None:
    node = TOPOLOGY.node("india/india-pc-1")
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": "india-relay-2"}}) == SECOND
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": None}}) is None
    assert current_relay(TOPOLOGY, node, {"last_handler": None}) is None


def test_two_relays_of_one_segment_are_never_stopped_together() -> None:
    current = {"india/india-pc-1": FIRST, "india/india-pc-2": SECOND}
    assert rounds(TOPOLOGY, current) == [(FIRST,), (SECOND,)]


def test_a_relay_that_nobody_uses_is_not_stopped() -> None:
    assert rounds(TOPOLOGY, {"india/india-pc-1": SECOND, "india/india-pc-2": SECOND}) == [(SECOND,)]


def test_the_relay_to_stop_is_the_one_that_an_agent_uses_since_it_was_started_anew() -> None:
    before = {"india/india-pc-1": FIRST, "india/india-pc-2": SECOND}
    calls = {"india/india-pc-1": CallIn("hq/epo", "india-relay-2", "start", 1.0), "india/india-pc-2": None}
    assert current_again(TOPOLOGY, before, calls) == {"india/india-pc-1": SECOND, "india/india-pc-2": SECOND}
    straight = {"india/india-pc-1": CallIn("hq/epo", None, "start", 1.0)}
    assert current_again(TOPOLOGY, before, straight) == before
    assert stoppable(TOPOLOGY, SECOND, before)


def test_a_relay_by_which_an_agent_lives_that_has_no_other_is_never_stopped() -> None:
    topology = load_text(BESIDE, "beside.yaml").topology
    assert topology is not None
    assert not stoppable(topology, "far/relay", {"far/pc": "far/relay"})
    assert rounds(topology, {"far/pc": "far/relay"}) == []
