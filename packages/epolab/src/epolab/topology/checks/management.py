"""A management tree that names what is not there, or says two things at once."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from epolab.model.management import ROOT_GROUP, Policy
from epolab.topology.checks.firewalls import nodes_uncertain
from epolab.topology.draft import Draft, DraftNode
from epolab.topology.manage import ALL_HANDLERS, handler_group_names, plan_management
from epolab.topology.report import Located, Report, did_you_mean
from epolab.topology.tree import tree_path
from epolab.topology.v1 import AssignmentFile, HandlerRuleFile, TaskFile
from epolab.yaml_file import Place

MANAGEMENT = ("topology", "management")
MEANING = ("meaning", "management")
LACKING = {
    "agent": ("agent", "not-an-agent"),
    "handler": ("handler", "not-a-handler"),
    "superagent": ("SuperAgent", "not-a-superagent"),
}


def check_management(draft: Draft, report: Report) -> None:
    """Groups, policies, assignments, tasks, handler rules and repositories."""
    tree = plan_management(draft)
    groups = [group.path for group in tree.groups]
    _check_groups(draft, report)
    _check_policies(draft, report)
    _check_assignments(draft, groups, tree.policies, report)
    for task in draft.management.tasks.value if draft.management.tasks else ():
        _check_group(task.value.group, groups, report)
    _check_unique("task", _tasks(draft), "duplicate-task", report)
    for _, group in draft.management.handler_groups.value if draft.management.handler_groups else ():
        for name in group.value.handlers.value if group.value.handlers else ():
            _check_handler(draft, name, report)
    for rule in draft.management.handlers.value if draft.management.handlers else ():
        _check_handler_rule(draft, rule, groups, report)
    _check_repositories(draft, report)


def _tasks(draft: Draft) -> list[Located[str]]:
    tasks: tuple[Located[TaskFile], ...] = draft.management.tasks.value if draft.management.tasks else ()
    return [task.value.name for task in tasks if task.value.name]


def _check_unique(noun: str, names: Iterable[Located[str]], code: str, report: Report) -> None:
    seen: dict[str, Place] = {}
    for name in names:
        if name.value in seen:
            message = f'a second {noun} is called "{name.value}"; the first is on line {seen[name.value].line}'
            report.error(name.place, code, message, "rename one of them")
        seen.setdefault(name.value, name.place)


def find_nodes(
    draft: Draft, name: Located[str], component: str, report: Report, enough: str = ""
) -> tuple[DraftNode, ...]:
    """The nodes of a reference; reports what is unknown, or lacks the component, or the one that is enough for now."""
    found = draft.expand(name.value)
    if not found and not nodes_uncertain(report):
        message = f'there is no node "{name.value}"{did_you_mean(name.value, draft.by_reference)}'
        report.error(name.place, "unknown-node", message, "name it as `site/node`", MEANING)
    lacking = [node for node in found if (enough or component) not in node.components]
    if lacking and not report.lost("topology", "sites", "*", "nodes", "*", "components"):
        noun, code = LACKING[component]
        message = f"{lacking[0].path} has no {noun}"
        report.error(name.place, code, message, f"give it the component {component}", MEANING)
    return found


def _check_groups(draft: Draft, report: Report) -> None:
    holders: dict[str, tuple[str, Place]] = {}
    for key, body in draft.management.groups.value if draft.management.groups else ():
        for name in body.value.systems.value if body.value.systems else ():
            for node in find_nodes(draft, name, "agent", report):
                group, place = holders.setdefault(node.path, (key.value, name.place))
                if place != name.place:
                    message = f'{node.path} is in the group "{group}" already (line {place.line})'
                    report.error(name.place, "system-in-two-groups", message, "a system is in one group", MEANING)


def _check_policies(draft: Draft, report: Report) -> None:
    policies = draft.management.policies.value if draft.management.policies else ()
    _check_unique("policy", (p.value.name for p in policies if p.value.name), "duplicate-policy", report)
    own = {policy.name for policy in plan_management(draft).policies[len(policies) :]}
    for policy in policies:
        name = policy.value.name
        if name is not None and name.value in own and not report.lost(*MANAGEMENT, "policies", "category"):
            message = f'the lab makes a policy called "{name.value}" itself'
            report.error(name.place, "duplicate-policy", message, "rename yours")


def _check_group(name: Located[str] | None, groups: list[str], report: Report) -> None:
    if name is None or tree_path(name.value) in ("", *groups) or report.lost(*MANAGEMENT, "groups", "*"):
        return
    message = f'there is no group "{name.value}"{did_you_mean(tree_path(name.value), groups)}'
    report.error(name.place, "unknown-group", message, f"groups: {', '.join(groups) or 'none'}", MEANING)


def _check_assignments(draft: Draft, groups: list[str], policies: tuple[Policy, ...], report: Report) -> None:
    seen: dict[tuple[str, str], Place] = {}
    categories = {policy.name: policy.category for policy in policies}
    for written in draft.management.assignments.value if draft.management.assignments else ():
        body = written.value
        _check_assignment(draft, written, groups, list(categories), report)
        category = categories.get(body.policy.value) if body.policy else None
        for target in _targets(draft, body):
            if category is None:
                continue
            first = seen.setdefault((category, target), written.place)
            if first != written.place:
                message = f"{target} has a policy of category {category} already (line {first.line})"
                report.error(written.place, "duplicate-assignment", message, "one policy per category")


def _targets(draft: Draft, body: AssignmentFile) -> list[str]:
    groups = [f'the group "{tree_path(body.group.value) or ROOT_GROUP}"'] if body.group else []
    return groups + [node.path for node in (draft.expand(body.system.value) if body.system else ())]


def _check_assignment(
    draft: Draft, written: Located[AssignmentFile], groups: list[str], policies: list[str], report: Report
) -> None:
    body = written.value
    spoiled = report.lost(*MANAGEMENT, "assignments", "group") or report.lost(*MANAGEMENT, "assignments", "system")
    if (body.group is None) == (body.system is None) and not spoiled:
        message = "an assignment is to either a `group` or a `system`"
        report.error(written.place, "assignment-target", message, "write exactly one of the two")
    if body.policy and body.policy.value not in policies and not report.lost(*MANAGEMENT, "policies", "name"):
        message = f'there is no policy "{body.policy.value}"{did_you_mean(body.policy.value, policies)}'
        report.error(body.policy.place, "unknown-policy", message, f"policies: {', '.join(policies)}", MEANING)
    _check_group(body.group, groups, report)
    if body.system is not None:
        find_nodes(draft, body.system, "agent", report)


def _check_handler_rule(draft: Draft, rule: Located[HandlerRuleFile], groups: list[str], report: Report) -> None:
    body = rule.value
    if body.group is None and body.subnet is None and not report.lost(*MANAGEMENT, "handlers", "group"):
        message = "a handler rule is for a `group` or for a `subnet`"
        report.error(rule.place, "rule-target", message, "the default rule, all handlers, is always there", MEANING)
    _check_group(body.group, groups, report)
    for subnet in body.subnet.value if body.subnet else ():
        _check_subnet(subnet, report)
    named = body.use.value if body.use else ()
    for name in named:
        if name.value == ALL_HANDLERS:
            _check_all_alone(name, len(named), report)
        elif name.value not in handler_group_names(draft):
            _check_handler(draft, name, report)


def _check_all_alone(name: Located[str], named: int, report: Report) -> None:
    if named > 1:
        message = "`all` stands for every handler, and something else is named beside it"
        report.error(name.place, "all-and-more", message, "write `use: all`, or name the handlers in order", MEANING)


def _check_handler(draft: Draft, name: Located[str], report: Report) -> None:
    nodes = draft.expand(name.value)
    if not nodes or not any("server" in node.components for node in nodes):
        find_nodes(draft, name, "handler", report)


def _check_subnet(subnet: Located[str], report: Report) -> None:
    try:
        ip_network(subnet.value)
    except ValueError as error:
        message = f'"{subnet.value}" is not a network: {error}'
        report.error(subnet.place, "bad-network", message, "write it like 10.1.0.0/24", MEANING)


def _check_repositories(draft: Draft, report: Report) -> None:
    """Any agent may be a SuperAgent where a policy makes SuperAgents: that is judged when it is known who has it."""
    policies = draft.management.policies.value if draft.management.policies else ()
    by_policy = any(policy.value.settings.get("repository") is True for policy in policies)
    for repository in draft.management.repositories.value if draft.management.repositories else ():
        if repository.value.node is not None:
            find_nodes(draft, repository.value.node, "superagent", report, "agent" if by_policy else "superagent")
