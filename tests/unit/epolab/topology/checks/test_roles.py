from collections.abc import Callable

import pytest

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql, agent]}
      vendor: {components: updates}
"""
POLICIES = """management:
  policies:
    - {name: Off, category: relay, settings: {port: 9000}}
    - {name: On, category: relay, settings: {enabled: true}}
    - {name: Plain, category: superagent}
    - {name: Bare, category: superagent, settings: {enabled: true}}
    - {name: Keeps, category: superagent, settings: {enabled: true, repository: true}}
"""


def lab(nodes: str, management: str) -> str:
    return HQ + "".join(f"      {node}\n" for node in nodes.split("; ")) + POLICIES + management


@pytest.mark.parametrize(
    ("component", "policy", "codes"),
    [
        ("relay", "Off", ["role-contradicted"]),
        ("relay", "On", []),
        ("superagent", "Plain", ["role-contradicted"]),
        ("superagent", "Bare", []),
        ("superagent", "Keeps", []),
        ("repository", "Bare", ["role-contradicted"]),
        ("repository", "Keeps", []),
    ],
)
def test_a_component_is_in_line_with_the_policy_in_force(
    codes_of: Codes, component: str, policy: str, codes: list[str]
) -> None:
    text = lab(f"n: {{components: {component}}}", f"  assignments: [{{policy: {policy}, system: hq/n}}]\n")
    assert codes_of(text) == [(7, code) for code in codes]


def test_a_contradiction_by_the_group_of_the_role_is_told_too(codes_of: Codes) -> None:
    text = lab("n: {components: relay, count: 2}", "  assignments: [{policy: Off, group: hq/2_Relays}]\n")
    assert codes_of(text) == [(7, "role-contradicted")]


def test_each_contradicted_component_is_told_once(codes_of: Codes) -> None:
    given = "  assignments: [{policy: Off, group: hq/2_Relays}, {policy: Plain, system: hq/s}]\n"
    text = lab("r: {components: relay, count: 3}; t: {components: relay}; s: {components: superagent}", given)
    assert codes_of(text) == [(line, "role-contradicted") for line in (7, 8, 9)]


def test_a_relay_by_policy_needs_its_version(codes_of: Codes) -> None:
    text = lab("n: {components: agent, version: 4.6.0}", "  assignments: [{policy: On, system: hq/n}]\n")
    assert codes_of(text) == [(7, "relay-version")]


@pytest.mark.parametrize("policy", ["Bare", "Keeps"])
def test_a_superagent_beside_a_handler_keeps_no_repository(codes_of: Codes, policy: str) -> None:
    text = lab("ah: {components: [handler, agent]}", f"  assignments: [{{policy: {policy}, group: hq}}]\n")
    found = [(5, "superagent-beside-handler"), (7, "superagent-beside-handler")]
    assert codes_of(text) == (found if policy == "Keeps" else [])


def test_a_superagent_beside_a_handler_by_component(codes_of: Codes) -> None:
    assert codes_of(HQ + "      ah: {components: [handler, superagent]}\n") == [(7, "superagent-beside-handler")]


def test_a_repository_is_kept_by_whom_a_policy_makes_a_superagent(codes_of: Codes) -> None:
    for policy, codes in (("Keeps", []), ("Bare", [(16, "not-a-superagent")]), ("Plain", [(16, "not-a-superagent")])):
        given = f"  assignments: [{{policy: {policy}, system: hq/n}}]\n  repositories: [{{node: hq/n}}]\n"
        assert codes_of(lab("n: {components: agent}", given)) == codes


def test_superagents_by_policy_have_names_of_their_own(codes_of: Codes) -> None:
    given = "  assignments: [{policy: Keeps, system: hq/n}, {policy: Keeps, system: far/n}]\n"
    text = lab("n: {components: agent}", given)
    text = text.replace(
        "management:", "  far: {nodes: {n: {components: agent}}}\nwan: [{between: [hq, far]}]\nmanagement:"
    )
    assert (8, "superagent-name-shared") in codes_of(text)


def test_an_agent_of_a_group_of_relays_may_refuse(codes_of: Codes) -> None:
    given = "  assignments: [{policy: On, group: hq}]\n"
    assert codes_of(lab("n: {components: agent, version: 4.6.0}; m: {components: agent}", given)) == [
        (7, "relay-refused")
    ]
    assert codes_of(lab("n: {components: agent}; m: {components: agent, platform: AIX}", given)) == [
        (8, "relay-refused")
    ]
