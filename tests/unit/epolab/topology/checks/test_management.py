from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def managed(text: str) -> str:
    return HQ + "      pc: {components: agent}\nmanagement:\n" + text


def test_groups_hold_agents_each_once(codes_of: Codes) -> None:
    assert codes_of(managed("  groups: {a: {systems: hq/pc}, b: }\n")) == []
    assert codes_of(managed("  groups: {a: {systems: hq/pd}}\n")) == [(9, "unknown-node")]
    assert codes_of(managed("  groups: {a: {systems: hq/epo}}\n")) == [(9, "not-an-agent")]
    assert codes_of(managed("  groups: {a: {systems: pc}, b: {systems: hq/pc}}\n")) == [(9, "system-in-two-groups")]


def test_assignments_name_a_policy_and_one_target(codes_of: Codes) -> None:
    policy = "  policies: [{name: P, category: relay}]\n  assignments:\n"
    assert codes_of(managed(policy + "    - {policy: P, group: hq}\n    - {policy: P, system: hq/pc}\n")) == []
    assert codes_of(managed(policy + "    - {policy: Q, group: hq}\n")) == [(11, "unknown-policy")]
    assert codes_of(managed(policy + "    - {policy: P, group: hqq}\n")) == [(11, "unknown-group")]
    assert codes_of(managed(policy + "    - {policy: P}\n")) == [(11, "assignment-target")]
    assert codes_of(managed(policy + "    - {policy: P, group: hq, system: hq/pc}\n")) == [(11, "assignment-target")]


def test_a_target_has_one_policy_per_category(codes_of: Codes) -> None:
    policies = "  policies: [{name: P, category: relay}, {name: Q, category: relay}, {name: R, category: update}]\n"
    given = "  assignments: [{policy: P, group: hq},\n    {policy: R, group: hq},\n    {policy: Q, group: hq}]\n"
    assert codes_of(managed(policies + given)) == [(12, "duplicate-assignment")]


def test_policy_and_task_names_are_unique(codes_of: Codes) -> None:
    twice = "  policies: [{name: P, category: relay},\n    {name: P, category: update}]\n"
    assert codes_of(managed(twice)) == [(10, "duplicate-policy")]
    assert codes_of(managed("  policies: [{name: Default relay, category: relay}]\n")) == [(9, "duplicate-policy")]
    task = "{name: T, type: update, schedule: {every: 60s}}"
    assert codes_of(managed(f"  tasks: [{task},\n    {task}]\n")) == [(10, "duplicate-task")]


def test_handler_rules_name_handlers_and_whom_they_are_for(codes_of: Codes) -> None:
    assert codes_of(managed("  handlers: [{group: hq, use: hq/epo}]\n")) == []
    assert codes_of(managed("  handlers: [{group: hq, use: hq/pc}]\n")) == [(9, "not-a-handler")]
    assert codes_of(managed("  handlers: [{use: hq/epo}]\n")) == [(9, "rule-target")]
    assert codes_of(managed("  handlers: [{subnet: 10.0.0.1/8, use: hq/epo}]\n")) == [(9, "bad-network")]


def test_one_unknown_reference_does_not_hide_another(codes_of: Codes) -> None:
    text = "  groups: {a: {systems: hq/pd}}\n  assignments: [{policy: Q, group: hq}]\n  repositories: [{node: hq/pc}]\n"
    assert codes_of(managed(text)) == [(9, "unknown-node"), (10, "unknown-policy"), (11, "not-a-superagent")]


def test_every_site_has_a_group_and_the_tree_a_root(codes_of: Codes) -> None:
    policies = "  policies: [{name: P, category: agent}]\n"
    far = managed(policies + "  assignments: [{policy: P, group: far}, {policy: P, group: My Organization}]\n")
    assert codes_of(far.replace("management:", "  far:\nwan: [{between: [hq, far]}]\nmanagement:")) == []
    twice = "  assignments: [{policy: P, group: My Organization},\n    {policy: P, group: My Organization}]\n"
    assert codes_of(managed(policies + twice)) == [(11, "duplicate-assignment")]
