"""Which relay is switched by policy, how questions are counted, how discovery is barred."""

import json
from pathlib import Path
from typing import cast

from epolab.topology import load_text, load_topology
from epolab.verify.relay_trials import BAR, UNBAR, questions, sources, switchable
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
    after = {
        "one": ["10.0.0.9", "10.0.0.9", "10.0.0.8"],
        "two": ["10.0.0.9", "10.0.0.9", "10.0.0.9", "fe80::8", "fe80::8"],
    }
    assert questions(before, after, {"10.0.0.9"}) == {4: 3, 6: 0}
    assert questions(before, after, {"10.0.0.8", "fe80::8"}) == {4: 1, 6: 2}
    assert questions(before, after, {"10.0.0.7"}) == {4: 0, 6: 0}
    assert questions({}, {}, {"10.0.0.9"}) == {4: 0, 6: 0}


def test_discovery_is_barred_in_both_families_and_let_through_however_often() -> None:
    assert BAR.count("-I OUTPUT") == 2 and BAR.count("8082,8083") == 2
    assert "iptables -w" in BAR and "ip6tables -w" in BAR
    assert UNBAR.count("while ") == 2 and "-D OUTPUT" in UNBAR


def test_addresses_are_those_of_all_interfaces_and_of_both_families() -> None:
    class Node:
        def must(self, path: str, command: str) -> str:
            rows = [("lo", "::1"), ("eth0", "10.3.0.20"), ("eth0", "fe80::3")]
            return json.dumps([{"ifname": name, "addr_info": [{"local": address}]} for name, address in rows])

    assert sources(cast(Witness, Node()), ["pc"]) == {"pc": frozenset(("10.3.0.20", "fe80::3"))}
