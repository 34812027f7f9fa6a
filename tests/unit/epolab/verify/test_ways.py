"""Where agents should call in, with all handlers and relays serving and with some of them stopped."""

from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.callins import CallIn
from epolab.verify.ways import SLACK_SECONDS, Way, goes, in_words, limit_seconds, ways
from tests.unit.epolab.verify.tiers import tiered

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
PC, TOKYO, BEHIND = (TOPOLOGY.node(path) for path in ("hq/hq-pc-1", "tokyo/tokyo-pc-1", "india/india-pc-1"))


def test_straight_the_first_handler_of_the_order_is_right() -> None:
    assert ways(TOPOLOGY, PC) == (Way("hq/epo"),)
    assert ways(TOPOLOGY, TOKYO) == (Way("dmz/handler"),)


def test_without_it_the_next_one_is() -> None:
    assert ways(TOPOLOGY, TOKYO, without=["dmz/handler"]) == (Way("hq/epo"),)


def test_without_any_there_is_none() -> None:
    assert ways(TOPOLOGY, PC, without=["hq/epo", "dmz/handler"]) == ()
    assert in_words(()) == "no handler at all"


def test_behind_a_firewall_every_relay_is_right() -> None:
    right = ways(TOPOLOGY, BEHIND)
    assert right == (Way("hq/epo", "india-relay-1"), Way("hq/epo", "india-relay-2"))
    assert goes(CallIn("hq/epo", "india-relay-2", "asci", 0.0), right)
    assert not goes(CallIn("hq/epo", None, "asci", 0.0), right)


def test_a_stopped_relay_or_handler_is_not() -> None:
    assert ways(TOPOLOGY, BEHIND, without=["india/india-relay-1"]) == (Way("hq/epo", "india-relay-2"),)
    without_server = ways(TOPOLOGY, BEHIND, without=["hq/epo"])
    assert without_server == (Way("dmz/handler", "india-relay-1"), Way("dmz/handler", "india-relay-2"))


def test_the_limit_grows_with_the_interval() -> None:
    assert limit_seconds([]) == SLACK_SECONDS
    assert limit_seconds(facts.agents(TOPOLOGY)) == 3 * 5.0 + SLACK_SECONDS


def test_among_equals_every_one_that_serves_is_right(tmp_path: Path) -> None:
    lab = tiered(tmp_path)
    pc = lab.node("hq/pc")
    assert ways(lab, pc) == (Way("hq/ah-1"), Way("hq/ah-2"))
    assert ways(lab, pc, without=["hq/ah-1"]) == (Way("hq/ah-2"),)
    assert ways(lab, pc, without=["hq/ah-1", "hq/ah-2"]) == (Way("hq/epo"),)
