from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def rules(*lines: str) -> str:
    return HQ + "    firewall:\n      rules:\n" + "".join(f"        - {line}\n" for line in lines)


def test_ends_are_sites_nodes_or_any(codes_of: Codes) -> None:
    assert codes_of(rules("allow: {from: any, to: [hq, hq/epo, epo]}")) == []
    assert codes_of(rules("allow: {from: epoo, to: hqq}")) == [(9, "unknown-end"), (9, "unknown-end")]


def test_a_rule_allows_or_denies(codes_of: Codes) -> None:
    assert codes_of(rules("{allow: {from: hq}, deny: {to: hq}}", "{}")) == [(9, "rule-shape"), (10, "rule-shape")]


def test_an_unknown_end_does_not_hide_a_bad_shape(codes_of: Codes) -> None:
    assert codes_of(rules("allow: {from: nobody}", "{}")) == [(9, "unknown-end"), (10, "rule-shape")]


def test_a_node_that_was_not_understood_may_be_meant(codes_of: Codes) -> None:
    text = rules("allow: {from: pc, to: hq}").replace("    firewall:", "      pc: agent\n    firewall:")
    assert codes_of(text) == [(7, "wrong-type")]


def test_address_translation_is_refused(codes_of: Codes) -> None:
    assert codes_of(HQ + "    nat: true\n") == [(7, "not-supported")]
    assert codes_of(HQ + "    nat: false\n") == []
