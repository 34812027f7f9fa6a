from collections.abc import Callable

import pytest

from epolab.model import ports
from epolab.wan import probe_program

Codes = Callable[[str], list[tuple[int, str]]]

LAB = """epolab: 1
sites:
  hq:
    nodes:
      epo: {{components: [server, sql, agent]}}
      vendor: {{components: updates}}
      gate: {{components: [router, dns, agent]}}
      rel: {{components: relay}}
      pc: {{components: agent}}
management:
  policies:
    - {{name: R, category: relay, settings: {{enabled: true, {relay}}}}}
    - {{name: A, category: agent, settings: {{{agent}}}}}
  assignments: [{{policy: R, system: hq/rel}}, {{policy: A, {target}}}]
"""


def lab(relay: str = "", agent: str = "", target: str = "system: hq/rel") -> str:
    return LAB.format(relay=relay, agent=agent, target=target)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (lab(), []),
        (lab("port: 9000", "wakeupPort: 9001"), []),
        (lab("port: 8081"), [12]),
        (lab(agent="wakeupPort: 8083"), [13]),
        (lab("port: 9000", "wakeupPort: 9000"), [12]),
        (lab(agent="wakeupPort: 8083", target="system: hq/pc"), []),
        (lab(agent="wakeupPort: 8083", target="group: hq"), [13]),
        (lab(agent="wakeupPort: 8443", target="system: hq/epo"), [13]),
        (lab(agent="wakeupPort: 5432", target="system: hq/epo"), [13]),
        (lab(agent="wakeupPort: 8443", target="system: hq/pc"), []),
        (lab(agent="wakeupPort: 45803", target="system: hq/gate"), [13]),
    ],
)
def test_two_listeners_of_a_node_have_two_ports(codes_of: Codes, text: str, lines: list[int]) -> None:
    assert codes_of(text) == [(line, "port-conflict") for line in lines]


def test_a_policy_that_suits_none_of_its_nodes_is_told_once(codes_of: Codes) -> None:
    text = lab("port: 8081").replace("{components: relay}", "{components: relay, count: 3}")
    assert codes_of(text.replace("system: hq/rel}", "system: hq/rel}", 1)) == [(12, "port-conflict")]


def test_an_agent_with_its_own_interval_is_told_at_its_node(codes_of: Codes) -> None:
    text = lab(agent="wakeupPort: 8083").replace("{components: relay}", "{components: relay, asci: 5s}")
    assert codes_of(text) == [(8, "port-conflict")]


def test_the_lines_are_measured_on_the_port_that_is_kept_free() -> None:
    assert ports.WAN_STREAM == probe_program.STREAM_PORT
