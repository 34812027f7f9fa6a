"""Mirrors compared with their master."""

from epolab.topology import load_text
from epolab.verify.content import differences, root_of

LAB = b"""epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      sa: {components: superagent}
      pc: {components: agent}
  far:
    networks: {lan: {}, office: {}}
    nodes:
      sb: {components: superagent, network: lan}
      pc: {components: agent, network: lan}
      pd: {components: agent, network: office}
wan: [{between: [hq, far]}]
management:
  policies:
    - name: Below
      category: superagent
      settings: {enabled: true, repository: true, folder: /var/lib/miniepo/repository/below}
  assignments: [{policy: Below, system: far/sb}]
"""


def test_what_is_missing_strange_or_altered_is_told() -> None:
    master = {"a": "1" * 64, "b": "2" * 64}
    assert differences(master, master) == []
    assert differences(master, {"b": "3" * 64, "c": "4" * 64}) == [
        "a is missing",
        "c is there and not at the master",
        "b has SHA-256 333333333333…, the master's has 222222222222…",
    ]


def test_a_repository_lies_where_its_policy_says() -> None:
    topology = load_text(LAB, "lab.yaml").topology
    assert topology is not None
    assert root_of(topology, topology.node("hq/sa")) == "/var/lib/miniepo/repository"
    assert root_of(topology, topology.node("far/sb")) == "/var/lib/miniepo/repository/below"
