"""Which relay is switched by policy, how questions are counted, how discovery is barred, what a relay still holds."""

from pathlib import Path
from typing import cast

from epolab.topology import load_text, load_topology
from epolab.verify.relay_trials import BAR, UNBAR, busy, disconnects, questions, switchable
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
LONELY = b"""epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
  far:
    nodes:
      pc: {components: agent}
      rel: {components: relay}
    firewall:
      default: deny
      rules:
        - {allow: {from: rel, to: hq}}
        - {allow: {from: hq, to: rel}}
wan: [{between: [hq, far]}]
"""


def test_a_relay_is_switched_only_where_its_agents_have_another() -> None:
    assert switchable(load_topology(TOPOLOGIES / "quickstart.yaml")) == ("india/india-relay-2",)
    lonely = load_text(LONELY, "lab.yaml").topology
    assert lonely is not None and switchable(lonely) == ()


def test_questions_between_two_readings_count_as_the_relay_that_heard_most_has_them() -> None:
    before = {"one": ["10.0.0.9"], "two": []}
    after = {"one": ["10.0.0.9", "10.0.0.9", "10.0.0.8"], "two": ["10.0.0.9", "10.0.0.9", "10.0.0.9"]}
    assert questions(before, after, "10.0.0.9") == 3
    assert questions(before, after, "10.0.0.8") == 1
    assert questions(before, after, "10.0.0.7") == 0
    assert questions({}, {}, "10.0.0.9") == 0


def test_discovery_is_barred_in_both_families_and_let_through_however_often() -> None:
    assert BAR.count("-I OUTPUT") == 2 and BAR.count("8082,8083") == 2
    assert "iptables -w" in BAR and "ip6tables -w" in BAR
    assert UNBAR.count("while ") == 2 and "-D OUTPUT" in UNBAR


HALF_ENDED = 'CLOSE-WAIT 1 0 10.5.0.2:8083 10.5.0.9:40000 users:(("cmamesh",pid=7,fd=9))'


class Relay:
    """A node whose relay was left by a client, beside a connection that is over and one of another process."""

    def must(self, path: str, command: str) -> str:
        assert path == "india/relay" and command.endswith("state connected")
        over, other = "TIME-WAIT 0 0 10.5.0.2:8083 10.5.0.9:40001", 'ESTAB 0 0 a:1 b:2 users:(("cmdagent",pid=8,fd=3))'
        return "\n".join((over, HALF_ENDED, other))


def test_a_connection_that_the_client_alone_has_ended_is_still_held() -> None:
    relay = cast(Witness, Relay())
    assert busy(relay, "india/relay") == disconnects(relay, "india/relay", 0.05) == [HALF_ENDED]


class BusyRelay:
    """A relay that always holds a connection, each time another one."""

    def __init__(self) -> None:
        self.port = 40000

    def must(self, path: str, command: str) -> str:
        self.port += 1
        return f'ESTAB 0 0 10.5.0.2:8083 10.5.0.9:{self.port} users:(("cmamesh",pid=7,fd=9))'


def test_a_relay_that_is_never_without_any_connection_ends_each_of_them() -> None:
    assert disconnects(cast(Witness, BusyRelay()), "india/relay", 5.0) == []
