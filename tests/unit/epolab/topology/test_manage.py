from collections.abc import Callable
from decimal import Decimal

from epolab.model.management import Assignment, HandlerGroup, HandlerRule, Task
from epolab.topology.draft import Draft
from epolab.topology.manage import plan_management, seconds, whole

LAB = """
epolab: 1
asci: 20s
sites:
  hq: {nodes: {epo: {components: [server, sql]}, ah: {components: handler}}}
  a:
    nodes:
      pc: {components: agent}
      slow: {components: agent, asci: 300s}
      rel: {components: relay}
      sa: {components: [superagent, relay]}
"""

MANAGED = """
management:
  groups: {night: {systems: a/rel}}
  policies:
    - {name: Calm, category: agent, settings: {enforcementSeconds: 600}}
    - {name: Calmer, category: agent, settings: {asciSeconds: 60}}
  assignments:
    - {policy: Calm, group: a}
    - {policy: Calmer, system: a/slow}
  tasks:
    - {name: Nightly, type: update, schedule: {every: 1h}, group: My Organization/night}
  handlers:
    - {group: a, use: hq/ah}
    - {subnet: [10.2.0.0/24, "fd00:2::/64"], use: [hq/epo, hq/ah], name: Near}
  repositories:
    - {node: a/sa, name: Branch}
"""


def test_shorthand_is_declared_in_the_tree(draft_of: Callable[[str], Draft]) -> None:
    tree = plan_management(draft_of(LAB))
    assert Assignment("SuperAgent repository", "a/1_SuperAgents", None) in tree.assignments
    assert Assignment("RelayServer", "a/2_Relays", None) in tree.assignments
    assert Assignment("RelayServer", None, "a/sa") in tree.assignments
    assert tree.tasks == (Task("Default update task", "update", 30.0, ""),)
    assert tree.handlers == (HandlerRule("Default rule", None, (), ("hq/epo", "hq/ah")),)


def test_every_category_has_a_default_at_the_root(draft_of: Callable[[str], Draft]) -> None:
    tree = plan_management(draft_of(LAB))
    at_root = {a.policy for a in tree.assignments if a.group == ""}
    assert {p.category for p in tree.policies if p.name in at_root} == {"agent", "superagent", "relay", "update"}
    assert next(p.settings["asciSeconds"] for p in tree.policies if p.name == "Default agent") == 20


def test_a_node_with_its_own_asci_keeps_the_rest_of_its_policy(draft_of: Callable[[str], Draft]) -> None:
    tree = plan_management(draft_of(LAB + MANAGED))
    (own,) = [p for p in tree.policies if p.name == "ASCI 300 s for a/slow"]
    assert own.settings["asciSeconds"] == 300
    assert [a.policy for a in tree.assignments if a.system == "a/slow"] == [own.name]


def test_what_is_declared_is_there_and_replaces_defaults(draft_of: Callable[[str], Draft]) -> None:
    tree = plan_management(draft_of(LAB + MANAGED))
    calm = next(p for p in tree.policies if p.name == "Calm")
    assert (calm.settings["enforcementSeconds"], calm.settings["asciSeconds"]) == (600, 20)
    assert tree.tasks == (Task("Nightly", "update", 3600.0, "night"),)
    assert [rule.name for rule in tree.handlers] == ["Rule for a", "Near", "Default rule"]
    assert Assignment("RelayServer", None, "a/rel") in tree.assignments


def test_whatever_is_named_exists(draft_of: Callable[[str], Draft]) -> None:
    tree = plan_management(draft_of(LAB + MANAGED))
    policies, groups = {p.name for p in tree.policies}, {"", *(g.path for g in tree.groups)}
    assert {a.policy for a in tree.assignments} <= policies
    assert {a.group for a in tree.assignments if a.group is not None} <= groups
    assert {task.group for task in tree.tasks} <= groups


def test_seconds_and_whole_numbers() -> None:
    assert seconds(Decimal(1500), 1) == 1.5 and seconds(None, 7) == 7
    assert str(whole(5.0)) == "5" and whole(1.5) == 1.5


def test_what_is_for_the_root_is_in_the_tree(draft_of: Callable[[str], Draft]) -> None:
    root = """
management:
  policies: [{name: Ours, category: agent}]
  assignments: [{policy: Ours, group: My Organization}]
  handlers: [{group: My Organization, use: hq/ah}]
"""
    tree = plan_management(draft_of(LAB + root))
    at_root = [a.policy for a in tree.assignments if a.group == ""]
    assert "Ours" in at_root and "Default agent" not in at_root
    assert tree.handlers[0] == HandlerRule("Rule for My Organization", "", (), ("hq/ah",))


def test_the_policy_of_a_declared_group_is_not_overridden_by_a_component(draft_of: Callable[[str], Draft]) -> None:
    placed = """
management:
  groups: {night: {systems: a/rel}, day: {systems: a/sa}}
  policies: [{name: Nightly, category: relay, settings: {enabled: true, port: 9000}}]
  assignments: [{policy: Nightly, group: night}]
"""
    tree = plan_management(draft_of(LAB + placed))
    assert [a.policy for a in tree.assignments if a.system == "a/rel"] == []
    assert [a.policy for a in tree.assignments if a.system == "a/sa"] == ["SuperAgent repository", "RelayServer"]


def test_handler_groups_and_all_handlers_are_named_in_rules(draft_of: Callable[[str], Draft]) -> None:
    groups = """
management:
  handler_groups:
    Pair: {handlers: [hq/ah, hq/epo]}
    Either: {handlers: [hq/epo, hq/ah, hq/ah], spread: true}
  handlers:
    - {group: a, use: [Pair, hq/ah]}
    - {group: hq, use: all}
    - {subnet: 10.2.0.0/24, use: [hq/ah, Either]}
"""
    tree = plan_management(draft_of(LAB + groups))
    assert tree.handler_groups == (
        HandlerGroup("Pair", ("hq/ah", "hq/epo"), False),
        HandlerGroup("Either", ("hq/epo", "hq/ah"), True),
    )
    assert [rule.use for rule in tree.handlers] == [("Pair", "hq/ah"), (), ("hq/ah", "Either"), ("hq/epo", "hq/ah")]
