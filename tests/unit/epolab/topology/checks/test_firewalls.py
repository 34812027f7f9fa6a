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


def test_a_firewall_does_not_see_who_comes_from_behind_nat(codes_of: Codes) -> None:
    rule = "    firewall: {{rules: [{{allow: {{from: {}, to: hq}}}}]}}\n"
    shop = "  shop:\n    nat: true\n    nodes:\n      pc: {components: agent}\nwan: [{between: [hq, shop]}]\n"
    for source, codes in (("shop/pc", [(7, "source-behind-nat")]), ("shop", []), ("shop/router", [])):
        assert codes_of(HQ + rule.format(source) + shop) == codes
    assert codes_of(HQ + rule.format("shop/pc") + shop.replace("true", "false")) == []


def test_a_firewall_sees_the_nodes_of_its_own_site_behind_nat(codes_of: Codes) -> None:
    own = "    nat: true\n    firewall: {rules: [{allow: {from: epo}}]}\n"
    assert codes_of(HQ + own) == []
