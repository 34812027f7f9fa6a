"""What the promise `datachannel` expects of whom, and what it says about a message that did not go so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from epolab.deploy.secrets import Secrets, ensure_secrets
from epolab.model.topology import Topology
from epolab.topology import load_topology
from epolab.verify.datachannel_plan import (
    Answer,
    Round,
    Rounds,
    expected_way,
    stuck,
    wrong_certificate,
    wrong_files,
    wrong_handler,
    wrong_round,
)

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
NOW = datetime.now(UTC)
PC, BEHIND = "hq/hq-pc-1", "india/india-pc-1"


@pytest.fixture(scope="module", name="quickstart")
def quickstart_fixture() -> Topology:
    return load_topology(TOPOLOGIES / "quickstart.yaml")


@pytest.fixture(name="topology_of")
def topology_of_fixture(tmp_path: Path) -> Callable[[str], Topology]:
    def load(text: str) -> Topology:
        (tmp_path / "lab.yaml").write_text(text)
        return load_topology(tmp_path / "lab.yaml")

    return load


def seen(*rounds: Round) -> Rounds:
    return Rounds(list(rounds))


def answered(after: float = 0.5, callins: tuple[float, ...] = (), handler: str = "hq/epo") -> Round:
    return Round(100.0, "t", "delivered", "taken", (Answer(handler, 100.0 + after, "t"),), callins)


def told(topology: Topology, path: str, rounds: Rounds) -> str:
    return "; ".join(observed for _, observed in wrong_round(topology, topology.node(path), rounds))


def test_who_can_be_told_depends_on_relays_nat_and_version(
    quickstart: Topology, topology_of: Callable[[str], Topology]
) -> None:
    assert expected_way(quickstart, quickstart.node(PC)) == "at once"
    assert expected_way(quickstart, quickstart.node(BEHIND)) == "after a call-in"
    lab = topology_of("""
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      old: {components: agent, version: 4.0.0}
      first: {components: agent, version: 4.5.0}
  home:
    nat: true
    nodes:
      pc: {components: agent}
wan:
  - between: [hq, home]
""")
    ways = {path: expected_way(lab, lab.node(path)) for path in ("hq/old", "hq/first", "home/pc")}
    assert ways == {"hq/old": "none", "hq/first": "at once", "home/pc": "after a call-in"}


def test_an_answer_at_once_without_a_call_in_is_right(quickstart: Topology) -> None:
    assert told(quickstart, PC, seen(answered())) == ""
    assert told(quickstart, PC, seen(answered(callins=(90.0, 101.0)))) == "", "before and after do not count"
    assert told(quickstart, PC, seen(answered(callins=(99.5,)), answered())) == "", "one clear round is enough"


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        (seen(Round(100.0, "t")), "the item is open (no attempt), answers: []"),
        (seen(Round(100.0, "t", "delivered", "taken")), "the item is delivered (taken), answers: []"),
        (seen(Round(100.0, "t", "delivered", "", (Answer("hq/epo", 101, "t"),) * 2)), "answers: ['t', 't']"),
        (seen(Round(100.0, "t", "delivered", "", (Answer("hq/epo", 101, "other"),))), "answers: ['other']"),
        (seen(answered(after=7.0)), "it answered after 7.0 s"),
        (seen(answered(callins=(100.2,))), "each of 1 times not before a call-in"),
        (seen(answered(callins=(99.5,))), "each of 1 times not before a call-in"),
    ],
    ids=["not told", "lost", "twice", "altered", "late", "by a call-in", "by one under way"],
)
def test_anything_else_is_wrong_for_an_agent_that_can_be_told(quickstart: Topology, rounds: Rounds, words: str) -> None:
    assert words in told(quickstart, PC, rounds)


def test_behind_a_relay_it_takes_a_call_in(quickstart: Topology) -> None:
    assert told(quickstart, BEHIND, seen(answered(after=8.0, callins=(105.0,)))) == ""
    assert told(quickstart, BEHIND, seen(answered(callins=(97.0,)))) == "", "a slow machine's call-in may last"
    assert "answered without a call-in" in told(quickstart, BEHIND, seen(answered(callins=(90.0,))))


def test_an_agent_before_4_5_is_refused(topology_of: Callable[[str], Topology]) -> None:
    text = "epolab: 1\nsites:\n  hq:\n    nodes:\n      epo: {components: [server, sql]}\n"
    lab = topology_of(text + "      old: {components: agent, version: 4.0.0}\n")
    assert told(lab, "hq/old", seen(Round(100.0, "t", "failed", "agent 4.0.0 has no DataChannel"))) == ""
    assert "the item is open" in told(lab, "hq/old", seen(Round(100.0, "t")))
    assert "1 answers" in told(lab, "hq/old", seen(answered()))


def test_answers_come_through_the_handler_of_the_agent(quickstart: Topology) -> None:
    node = quickstart.node(PC)
    assert wrong_handler(quickstart, node, seen(answered())) == []
    ((_, observed),) = wrong_handler(quickstart, node, seen(answered(), answered(handler="dmz/handler")))
    assert observed == f"{PC}: one came through dmz/handler"


def test_the_files_are_the_handlers_alone() -> None:
    names = ("/etc/a.pem", "/etc/a.key")
    good = [f"600 miniepo {name}" for name in names]

    def what(*listed: str) -> str:
        ((_, told),) = wrong_files("hq/epo", listed, names)
        return told

    assert wrong_files("hq/epo", good, names) == []
    assert what() == "hq/epo: /etc/a.pem is not there; /etc/a.key is not there"
    assert what(good[1]) == "hq/epo: /etc/a.pem is not there"
    assert what(good[0], "644 miniepo /etc/a.key") == "hq/epo: 644 miniepo /etc/a.key"
    assert what(good[0], "600 root /etc/a.key") == "hq/epo: 600 root /etc/a.key"


@pytest.fixture(scope="module", name="secrets")
def secrets_fixture(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return ensure_secrets(load_topology(TOPOLOGIES / "minimal.yaml"), tmp_path_factory.mktemp("lab"))


def test_the_certificate_is_the_handlers_valid_and_of_the_lab(secrets: Secrets, tmp_path: Path) -> None:
    topology = load_topology(TOPOLOGIES / "minimal.yaml")
    node = topology.node("hq/epo")
    pem, authorities = secrets.channel_certificate(node).read_bytes(), secrets.ca_bundle.read_bytes()
    assert wrong_certificate("hq/epo", pem, authorities, NOW) == []

    def what(*given: object) -> str:
        return wrong_certificate(*given)[0][1]  # type: ignore[arg-type]

    assert "it is called DataChannelAH_hq/epo" in what("dmz/ah", pem, authorities, NOW)
    assert "it is valid from" in what("hq/epo", pem, authorities, NOW + timedelta(days=36500))
    other = ensure_secrets(topology, tmp_path).ca_bundle.read_bytes()
    assert "no CA of the lab has signed it" in what("hq/epo", pem, other, NOW)
    assert "no certificate" in what("hq/epo", b"nonsense", authorities, NOW)
    server = secrets.certificate(node).read_bytes()
    assert "it is called epo.hq.test" in what("hq/epo", server, authorities, NOW)


def test_only_rows_of_these_batches_and_this_system_are_stuck() -> None:
    rows = ["1|B-1|7|1|x", "2|B-2|7|1|x", "3|B-1|8|1|x"]
    assert stuck(rows, {"B-1": 2}, 7) == ["1|B-1|7|1|x"]
    assert stuck([], {"B-1": 2}, 7) == []
