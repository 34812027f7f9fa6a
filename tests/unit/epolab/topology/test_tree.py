from collections.abc import Callable

from epolab.topology.draft import Draft
from epolab.topology.tree import plan_groups, tree_path

LAB = """
epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  a: {nodes: {pc: {components: agent, count: 2}, rel: {components: relay}, sa: {components: [superagent, relay]}}}
management:
  groups:
    My Organization\\Night\\Late: {systems: a/pc-2}
    Empty:
"""


def test_every_agent_is_in_one_group(draft_of: Callable[[str], Draft]) -> None:
    groups = {group.path: group.systems for group in plan_groups(draft_of(LAB))}
    assert groups == {
        "hq": (),
        "a": ("a/pc-1",),
        "a/1_SuperAgents": ("a/sa",),
        "a/2_Relays": ("a/rel",),
        "Night": (),
        "Night/Late": ("a/pc-2",),
        "Empty": (),
    }


def test_parents_come_before_children(draft_of: Callable[[str], Draft]) -> None:
    paths = [group.path for group in plan_groups(draft_of(LAB))]
    assert all(path.rpartition("/")[0] in ["", *paths[:index]] for index, path in enumerate(paths))


def test_paths_are_written_with_slashes() -> None:
    assert tree_path("My Organization\\a\\b") == tree_path("/a/b") == "a/b"
    assert tree_path("My Organization") == ""
