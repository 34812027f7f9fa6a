from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def linked(*links: str, sites: str = "  b:\n  c:\n") -> str:
    return HQ + sites + "wan:\n" + "".join(f"  - {{{link}}}\n" for link in links)


ALL = ("between: [hq, b]", "between: [b, c]")


def test_sites_in_a_chain_are_reached(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL)) == []


def test_a_link_needs_two_sites_that_exist(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL, "between: [hq, d]")) == [(12, "unknown-site")]
    assert codes_of(linked(*ALL, "between: [b, b]")) == [(12, "self-link")]
    assert codes_of(linked(*ALL, "between: [c, b]")) == [(12, "duplicate-link")]
    assert codes_of(linked(*ALL, "between: [hq, c], name: hq-b")) == [(12, "link-name-taken")]


def test_every_site_must_be_reached(codes_of: Codes) -> None:
    assert codes_of(linked("between: [hq, b]")) == [(8, "site-unreachable")]
    assert codes_of(linked("between: [b, c]")) == [(7, "site-unreachable"), (8, "site-unreachable")]
    assert codes_of(HQ) == []


def test_jitter_is_less_than_the_delay_of_its_direction(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL[1:], "between: [hq, b], delay: 10ms, jitter: 10ms")) == []
    assert codes_of(linked(*ALL[1:], "between: [hq, b], jitter: 1ms")) == [(11, "jitter-exceeds-delay")]
    one_way = "between: [hq, b], delay: 10ms, jitter: 5ms, a_to_b: {delay: 4ms}"
    assert codes_of(linked(*ALL[1:], one_way)) == [(11, "jitter-exceeds-delay")]


def test_a_queue_holds_a_frame(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL[1:], "between: [hq, b], rate: 64kbit, queue: 190ms")) == []
    assert codes_of(linked(*ALL[1:], "between: [hq, b], rate: 64kbit, queue: 189ms")) == [(11, "queue-too-small")]
    assert codes_of(linked(*ALL[1:], "between: [hq, b], rate: 8kbit")) == []


def test_what_a_cable_cannot_carry_is_a_warning(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL[1:], "between: [hq, b], rate: 1gbit")) == []
    assert codes_of(linked(*ALL[1:], "between: [hq, b], rate: 1.1gbit")) == [(11, "rate-above-cable")]


def test_delay_without_rate_is_allowed(codes_of: Codes) -> None:
    assert codes_of(linked(*ALL[1:], "between: [hq, b], delay: 300ms, loss: 1%")) == []
