from collections.abc import Callable

from epolab.topology.report import Report
from epolab.topology.validate import resolvable
from epolab.yaml_file import Place

Codes = Callable[[str], list[tuple[int, str]]]

LAB = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
  far:
    nodes:
      pc: {components: agent}
    firewall: {default: deny}
wan:
  - {between: [hq, far]}
"""


def test_structure_and_meaning_are_told_together(codes_of: Codes) -> None:
    text = LAB.replace("vendor: {components: updates}", "vendor: {components: updates, memroy: 1GiB}")
    assert codes_of(text) == [(6, "unknown-key"), (9, "agent-cut-off")]


def test_what_was_not_understood_breeds_no_further_problems(codes_of: Codes) -> None:
    assert codes_of(LAB.replace("default: deny", "default: deyn")) == [(10, "unknown-word")]
    assert codes_of(LAB.replace("[hq, far]", "[hq, fra]")) == [(12, "unknown-site")]
    assert codes_of(LAB.replace("epo: {components: [server, sql]}", "epo: [server, sql]")) == [(5, "wrong-type")]


def test_only_a_defined_topology_is_resolved() -> None:
    report = Report("f")
    report.error(Place(1, 1), "network-overlap", "x")
    report.warning(Place(1, 1), "no-server", "only a warning")
    assert resolvable(report)
    report.error(Place(1, 1), "no-server", "x")
    assert not resolvable(report)
