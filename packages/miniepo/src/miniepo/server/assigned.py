"""What one system shall have right now: policies, tasks and site list, computed from the database each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from miniepo.protocol.messages import PolicySet, SiteListFile, TaskSet
from miniepo.server.assignment import Fallback, Place, choose_handlers, site_list
from miniepo.server.inheritance import effective_policies, effective_tasks, policy_set, task_set
from miniepo.store import info
from miniepo.store.groups import Group
from miniepo.store.handlers import Handler, HandlerGroup, Rule
from miniepo.store.policies import PolicyAssignment
from miniepo.store.repositories import Repository
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.store.tasks import TaskAssignment


@dataclass(frozen=True, slots=True)
class Assigned:
    """The three parts of a POLICY package."""

    policies: PolicySet
    tasks: TaskSet
    sitelist: SiteListFile


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that assignments are computed from, read once for any number of systems."""

    groups: dict[int, Group]
    policies: list[PolicyAssignment]
    tasks: list[TaskAssignment]
    rules: list[Rule]
    handler_groups: list[HandlerGroup]
    handlers: list[Handler]
    repositories: list[Repository]
    server_name: str
    fallback: Fallback | None
    _known: dict[tuple[int, int, str, str], Assigned] = field(default_factory=dict, repr=False, compare=False)

    def lineage(self, group_id: int) -> tuple[int, ...]:
        """The group's id, its parent's, up to the root's."""
        ids: list[int] = []
        group: Group | None = self.groups.get(group_id)
        while group is not None:
            ids.append(group.id)
            group = self.groups.get(group.parent_id) if group.parent_id is not None else None
        return tuple(ids)

    def for_system(self, system: System) -> Assigned:
        """What this system shall have."""
        address, address_v6 = system.properties.get("IPAddress", ""), system.properties.get("IPV6", "")
        key = (system.group_id, system.id if self._has_its_own(system.id) else 0, address, address_v6)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._assign(*key)
        return found

    def _has_its_own(self, system_id: int) -> bool:
        return system_id in {each.system_id for each in self.policies} | {each.system_id for each in self.tasks}

    def _assign(self, group_id: int, system_id: int, *addresses: str) -> Assigned:
        """What a system in this place shall have; 0 is any system that nothing is assigned to by itself."""
        lineage = self.lineage(group_id)
        place = Place(frozenset(lineage), addresses)
        handlers = choose_handlers(self.rules, self.handler_groups, place, self.handlers)
        return Assigned(
            policy_set(effective_policies(self.policies, lineage, system_id)),
            task_set(effective_tasks(self.tasks, lineage, system_id)),
            site_list(self.server_name, handlers, self.repositories, self.fallback),
        )


async def read_declared(store: Store) -> Declared:
    """Read everything that is declared."""
    return Declared(
        groups={group.id: group for group in await store.groups.all()},
        policies=await store.policies.assignments(),
        tasks=await store.tasks.assignments(),
        rules=await store.handlers.rules(),
        handler_groups=await store.handlers.groups(),
        handlers=await store.handlers.all(),
        repositories=await store.repositories.all(),
        server_name=await store.info.get(info.SERVER_NAME, "EPO"),
        fallback=_fallback(await store.info.get(info.FALLBACK_SITE)),
    )


def _fallback(url: str) -> Fallback | None:
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    return Fallback(parts.hostname, parts.port or 80, parts.path.strip("/"))
