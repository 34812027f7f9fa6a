"""The management tree in full: what the file declares, and what components, the ASCI and defaults stand for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from epolab.model.management import (
    ROOT_GROUP,
    Assignment,
    Category,
    Group,
    HandlerGroup,
    HandlerRule,
    Management,
    Policy,
    Task,
)
from epolab.topology.draft import Draft, DraftNode
from epolab.topology.policy_settings import defaults
from epolab.topology.tree import RELAYS, SUPERAGENTS, default_group, plan_groups, tree_path

DEFAULT_ASCI_SECONDS = 10.0
DEFAULT_POLICIES: dict[Category, str] = {
    "agent": "Default agent",
    "superagent": "Default SuperAgent",
    "relay": "Default relay",
    "update": "Default update",
}
SUPERAGENT_POLICY = "SuperAgent repository"
RELAY_POLICY = "RelayServer"
UPDATE_TASK = "Default update task"
DEFAULT_RULE = "Default rule"
ALL_HANDLERS = "all"
SMALLEST_UPDATE_SECONDS = 30.0


def seconds(amount: Decimal | None, default: float) -> float:
    """A duration of the file (milliseconds) in seconds."""
    return default if amount is None else float(amount / 1000)


def whole(number: float) -> float:
    """A number as an integer where it is one: settings read better without `.0`."""
    return int(number) if number == int(number) else number


def lab_asci(draft: Draft) -> float:
    """The lab's agent-server communication interval in seconds."""
    return seconds(draft.file.asci.value if draft.file.asci else None, DEFAULT_ASCI_SECONDS)


def plan_management(draft: Draft) -> Management:
    """The whole tree but for the repositories, which follow from it; everything named in it exists."""
    groups = plan_groups(draft)
    policies = [*_declared_policies(draft), *_default_policies(draft)]
    declared = list(_declared_assignments(draft, groups))
    assignments = [*declared, *_default_assignments(draft, groups, _targets(policies, declared))]
    for node in draft.nodes:
        if node.file.asci is not None and {"agent", "swarm"} & set(node.components):
            _give_own_asci(draft, node, groups, policies, assignments)
    return Management(
        groups=groups,
        policies=tuple(policies),
        assignments=_one_per_target(policies, assignments),
        tasks=tuple(_tasks(draft, groups)),
        handlers=tuple(_handler_rules(draft, groups)),
        handler_groups=tuple(_handler_groups(draft)),
    )


def _declared_policies(draft: Draft) -> Iterator[Policy]:
    for written in draft.management.policies.value if draft.management.policies else ():
        policy = written.value
        if policy.name and policy.category:
            category = policy.category.value
            yield Policy(policy.name.value, category, {**_lab_defaults(draft, category), **policy.settings})


def _lab_defaults(draft: Draft, category: Category) -> dict[str, object]:
    found = defaults(category)
    return {**found, "asciSeconds": whole(lab_asci(draft))} if category == "agent" else found


def _default_policies(draft: Draft) -> Iterator[Policy]:
    for category, name in DEFAULT_POLICIES.items():
        yield Policy(name, category, _lab_defaults(draft, category))
    if draft.with_component("superagent"):
        turned_on = {"enabled": True, "repository": True}
        yield Policy(SUPERAGENT_POLICY, "superagent", {**defaults("superagent"), **turned_on})
    if draft.with_component("relay"):
        yield Policy(RELAY_POLICY, "relay", {**defaults("relay"), "enabled": True})


def _declared_assignments(draft: Draft, groups: tuple[Group, ...]) -> Iterator[Assignment]:
    known = {"", *(group.path for group in groups)}
    for written in draft.management.assignments.value if draft.management.assignments else ():
        body = written.value
        if body.policy is None:
            continue
        if body.group is not None and tree_path(body.group.value) in known:
            yield Assignment(body.policy.value, tree_path(body.group.value), None)
        for node in draft.expand(body.system.value) if body.system else ():
            yield Assignment(body.policy.value, None, node.path)


def _targets(policies: list[Policy], assignments: list[Assignment]) -> frozenset[tuple[str | None, str | None]]:
    """Which groups have a policy of which category of their own."""
    return frozenset((a.group, _category(policies, a)) for a in assignments if a.group is not None)


def _default_assignments(
    draft: Draft, groups: tuple[Group, ...], declared: frozenset[tuple[str | None, str | None]]
) -> Iterator[Assignment]:
    """What defaults and components stand for; a policy that a system's own declared group has is not overridden."""
    for name in DEFAULT_POLICIES.values():
        yield Assignment(name, "", None)
    for group in groups:
        if group.path.endswith(f"/{SUPERAGENTS}"):
            yield Assignment(SUPERAGENT_POLICY, group.path, None)
        if group.path.endswith(f"/{RELAYS}"):
            yield Assignment(RELAY_POLICY, group.path, None)
    for component, subgroup, policy in (
        ("superagent", SUPERAGENTS, SUPERAGENT_POLICY),
        ("relay", RELAYS, RELAY_POLICY),
    ):
        for node in draft.with_component(component):
            own = _group_of(groups, node)
            if own != f"{node.site}/{subgroup}" and (not own or (own, component) not in declared):
                yield Assignment(policy, None, node.path)


def _group_of(groups: tuple[Group, ...], node: DraftNode) -> str:
    return next((group.path for group in groups if node.path in group.systems), default_group(node))


def _give_own_asci(
    draft: Draft,
    node: DraftNode,
    groups: tuple[Group, ...],
    policies: list[Policy],
    assignments: list[Assignment],
) -> None:
    """A node with its own ASCI gets the policy that is in force on it, with that ASCI."""
    asci = seconds(node.file.asci.value if node.file.asci else None, lab_asci(draft))
    name = f"ASCI {asci:g} s for {node.path}"
    settings = _in_force(node, groups, policies, assignments)
    policies.append(Policy(name, "agent", {**settings, "asciSeconds": whole(asci)}))
    assignments[:] = [a for a in assignments if not (a.system == node.path and _category(policies, a) == "agent")]
    if "agent" in node.components:
        assignments.insert(0, Assignment(name, None, node.path))
    if "swarm" in node.components:
        assignments.insert(0, Assignment(name, f"{node.site}/{node.name}", None))


def _in_force(
    node: DraftNode, groups: tuple[Group, ...], policies: list[Policy], assignments: list[Assignment]
) -> dict[str, object]:
    parts = _group_of(groups, node).split("/")
    lineage = ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)] + [""]
    by_name = {policy.name: policy for policy in policies}
    own = [a.policy for a in assignments if a.system == node.path]
    inherited = [a.policy for group in lineage for a in assignments if a.system is None and a.group == group]
    return next(
        dict(by_name[p].settings) for p in [*own, *inherited] if p in by_name and by_name[p].category == "agent"
    )


def _category(policies: list[Policy], assignment: Assignment) -> Category | None:
    return next((policy.category for policy in policies if policy.name == assignment.policy), None)


def _one_per_target(policies: list[Policy], assignments: list[Assignment]) -> tuple[Assignment, ...]:
    """Of two assignments of one category to one target the first stays: declared ones stand before defaults."""
    kept: dict[tuple[Category, str | None, str | None], Assignment] = {}
    for assignment in assignments:
        category = _category(policies, assignment)
        if category is not None:
            kept.setdefault((category, assignment.group, assignment.system), assignment)
    return tuple(kept.values())


def _tasks(draft: Draft, groups: tuple[Group, ...]) -> Iterator[Task]:
    known = {group.path for group in groups}
    declared = [written.value for written in draft.management.tasks.value] if draft.management.tasks else []
    for task in declared:
        group = tree_path(task.group.value) if task.group else ""
        every = task.schedule.value.every if task.schedule else None
        if task.name and every and (group == "" or group in known):
            yield Task(task.name.value, "update", seconds(every.value, 0), group)
    if not declared and draft.with_component("agent"):
        yield Task(UPDATE_TASK, "update", max(lab_asci(draft), SMALLEST_UPDATE_SECONDS), "")


def _handler_rules(draft: Draft, groups: tuple[Group, ...]) -> Iterator[HandlerRule]:
    known = {"", *(group.path for group in groups)}
    for written in draft.management.handlers.value if draft.management.handlers else ():
        rule = written.value
        group = tree_path(rule.group.value) if rule.group else None
        subnets = tuple(word.value for word in rule.subnet.value) if rule.subnet else ()
        words = [word.value for word in rule.use.value] if rule.use else []
        use = tuple(path for word in words for path in _named(draft, word))
        if (use or words == [ALL_HANDLERS]) and (subnets or group in known):
            name = rule.name.value if rule.name else f"Rule for {group or ', '.join(subnets) or ROOT_GROUP}"
            yield HandlerRule(name, group, subnets, tuple(dict.fromkeys(use)))
    yield HandlerRule(DEFAULT_RULE, None, (), handler_paths(draft))


def _named(draft: Draft, word: str) -> tuple[str, ...]:
    """A handler group by its name, else the handlers that a reference stands for."""
    if word in handler_group_names(draft):
        return (word,)
    return tuple(node.path for node in draft.expand(word))


def handler_group_names(draft: Draft) -> tuple[str, ...]:
    """The names of the handler groups in the file."""
    return (
        tuple(name.value for name, _ in draft.management.handler_groups.value)
        if draft.management.handler_groups
        else ()
    )


def _handler_groups(draft: Draft) -> Iterator[HandlerGroup]:
    for name, written in draft.management.handler_groups.value if draft.management.handler_groups else ():
        body = written.value
        words = [word.value for word in body.handlers.value] if body.handlers else []
        paths = [node.path for word in words for node in draft.expand(word)]
        yield HandlerGroup(name.value, tuple(dict.fromkeys(paths)), bool(body.spread and body.spread.value))


def handler_paths(draft: Draft) -> tuple[str, ...]:
    """All handlers, the server first."""
    nodes = [*draft.with_component("server"), *draft.with_component("handler")]
    return tuple(dict.fromkeys(node.path for node in nodes))
