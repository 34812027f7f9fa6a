from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

LAB = """epolab: 1
asci: {lab}
sites:
  hq:
    nodes:
      epo: {{components: [server, sql]}}
      vendor: {{components: updates}}
      pc: {{components: agent, asci: {own}}}
management:
  policies:
    - {{name: Mine, category: agent, settings: {{{settings}}}}}
    - {{name: Other, category: relay, settings: {{port: 3000}}}}
"""


def lab(lab: str = "10s", own: str = "10s", settings: str = "") -> str:
    return LAB.format(lab=lab, own=own, settings=settings)


def test_a_minute_is_not_too_long_for_the_verdict(codes_of: Codes) -> None:
    assert codes_of(lab("60s", "1m", "asciSeconds: 60, enforcementSeconds: 1")) == []


def test_every_longer_interval_is_told_where_it_is_written(codes_of: Codes) -> None:
    slow = "asci-slow-verdict"
    assert codes_of(lab("61s", "2m", "asciSeconds: 61")) == [(2, slow), (8, slow), (11, slow)]


def test_an_interval_that_no_agent_has_is_not_told(codes_of: Codes) -> None:
    nodes = "    nodes: {epo: {components: [server, sql]}, vendor: {components: updates}}\n"
    assert codes_of(f"epolab: 1\nasci: 5m\nsites:\n  hq:\n{nodes}") == []
