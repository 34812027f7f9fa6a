from collections.abc import Callable

import pytest

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def about_names(codes: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [found for found in codes if "name" in found[1]]


def test_nodes_of_a_count_clash_with_a_written_one(codes_of: Codes) -> None:
    text = HQ + "      pc: {components: agent, count: 2}\n      pc-2: {components: agent}\n"
    assert codes_of(text) == [(8, "duplicate-node")]


def test_the_router_of_the_site_has_its_name(codes_of: Codes) -> None:
    assert codes_of(HQ + "      router: {components: agent}\n") == [(7, "router-name-taken")]
    assert codes_of(HQ + "      router: {components: [router, dns, agent]}\n") == []


def test_a_count_must_not_make_a_name_too_long(codes_of: Codes) -> None:
    assert codes_of(HQ + "      fourteen-chars: {components: agent, count: 1}\n") == [(7, "bad-name-length")]
    assert codes_of(HQ + "      thirteen-char: {components: agent, count: 9}\n") == []


def test_the_same_agent_name_at_two_sites_is_a_warning(codes_of: Codes) -> None:
    text = HQ + "      pc: {components: agent}\n  b:\n    nodes: {pc: {components: agent}}\nwan: [{between: [hq, b]}]\n"
    assert codes_of(text) == [(9, "name-shared")]


@pytest.mark.parametrize("component", ["superagent", "repository"])
def test_the_same_superagent_name_at_two_sites_is_an_error_and_nothing_else(codes_of: Codes, component: str) -> None:
    here = f"      sa: {{components: {component}}}\n"
    text = HQ + here + f"  b:\n    nodes:\n{here}      pc: {{components: agent}}\nwan: [{{between: [hq, b]}}]\n"
    assert about_names(codes_of(text)) == [(10, "superagent-name-shared")]


def test_a_count_of_superagents_is_told_of_once(codes_of: Codes) -> None:
    here = "      sa: {components: superagent, count: 2}\n"
    text = HQ + here + f"  b:\n    nodes:\n{here}wan: [{{between: [hq, b]}}]\n"
    assert about_names(codes_of(text)) == [(10, "superagent-name-shared")]


def test_an_agent_may_be_called_like_a_superagent_of_another_site(codes_of: Codes) -> None:
    text = HQ + "      sa: {components: superagent}\n  b:\n    nodes: {sa: {components: agent}}\n"
    assert about_names(codes_of(text + "wan: [{between: [hq, b]}]\n")) == [(9, "name-shared")]


@pytest.mark.parametrize("components", ["handler", "[handler, agent]"])
def test_the_same_handler_name_at_two_sites_is_an_error_and_nothing_else(codes_of: Codes, components: str) -> None:
    here = f"      ah: {{components: {components}}}\n"
    text = HQ + here + f"  b:\n    nodes:\n{here}wan: [{{between: [hq, b]}}]\n"
    assert about_names(codes_of(text)) == [(10, "handler-name-shared")]


def test_a_handler_must_not_be_called_like_the_server(codes_of: Codes) -> None:
    text = HQ + "  b:\n    nodes:\n      epo: {components: handler}\nwan: [{between: [hq, b]}]\n"
    assert about_names(codes_of(text)) == [(9, "handler-name-shared")]


def test_routers_share_their_name_without_a_word(codes_of: Codes) -> None:
    assert codes_of(HQ + "  b:\nwan: [{between: [hq, b]}]\n") == []
