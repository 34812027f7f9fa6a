"""The nearest assignment of a category wins; tasks add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from miniepo.server.inheritance import effective_policies, effective_tasks, policy_set, task_set
from miniepo.store.policies import PolicyAssignment
from miniepo.store.tasks import TaskAssignment

LINEAGE = (30, 20, 2)


def assigned(
    name: str, category: str = "agent", group: int | None = None, system: int | None = None
) -> PolicyAssignment:
    return PolicyAssignment(group, system, 1, category, name, {"name": name})


def names(*assignments: PolicyAssignment) -> list[str]:
    return [each.name for each in effective_policies(assignments, LINEAGE, 7)]


def test_a_lower_group_breaks_inheritance() -> None:
    assert names(assigned("root", group=2), assigned("site", group=20)) == ["site"]
    assert names(assigned("own", group=30), assigned("site", group=20), assigned("root", group=2)) == ["own"]


def test_the_systems_own_policy_is_nearest_of_all() -> None:
    assert names(assigned("own", group=30), assigned("mine", system=7), assigned("theirs", system=8)) == ["mine"]


def test_categories_are_apart_and_other_branches_do_not_count() -> None:
    assert names(assigned("a", group=2), assigned("r", "relay", group=20), assigned("x", "relay", group=99)) == [
        "a",
        "r",
    ]


def task(id: int, group: int | None = None, system: int | None = None) -> TaskAssignment:
    return TaskAssignment(group, system, id, f"task {id}", "update", {"every_seconds": 60}, {})


def test_tasks_of_all_levels_come_together_each_once() -> None:
    found = effective_tasks([task(2, group=2), task(1, group=30), task(2, system=7), task(3, group=99)], LINEAGE, 7)
    assert [each.id for each in found] == [1, 2]
    assert task_set(found).tasks[0].schedule == {"every_seconds": 60}


@given(st.permutations([assigned("a", group=2), assigned("b", "relay", group=20), assigned("c", "update", system=7)]))
def test_the_version_does_not_depend_on_the_order_of_rows(rows: list[PolicyAssignment]) -> None:
    expected = policy_set(
        effective_policies(
            [assigned("a", group=2), assigned("b", "relay", group=20), assigned("c", "update", system=7)], LINEAGE, 7
        )
    )
    assert policy_set(effective_policies(rows, LINEAGE, 7)) == expected


def test_the_version_changes_with_a_setting() -> None:
    assert policy_set([assigned("a")]).version != policy_set([assigned("b")]).version
    assert task_set([task(1)]).version != task_set([]).version
