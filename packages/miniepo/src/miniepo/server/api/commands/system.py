"""`system.*`: finding, importing, moving and waking systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import group_of, missing_of, missing_row, systems_of
from miniepo.server.api.registry import Command
from miniepo.server.push import PushOptions, deploy
from miniepo.server.services import Services
from miniepo.server.wakeup import WakeupOptions, wake
from miniepo.server.wakeup_plan import Unwoken
from miniepo.store.groups import ROOT_NAME, Group, normal_path
from miniepo.store.systems import System

NOBODY = "No systems found to wake up."


class SystemCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._services = services

    async def find(self, call: Call) -> list[dict[str, Any]]:
        """Rows of domain §7.5; the XML-only client sends a single space for everything."""
        return await self._store.systems.find(call.text("searchText", "").strip(), call.flag("searchNameOnly"), None)

    async def find_groups(self, call: Call) -> list[dict[str, Any]]:
        wanted = call.text("searchText", "").lower()
        groups = await self._store.groups.all()
        return [{"groupId": g.id, "groupPath": g.path} for g in groups if wanted in g.path.lower()]

    async def import_system(self, call: Call) -> list[dict[str, Any]]:
        """A name may be a full one: its first label becomes the system's name. What is there already stays."""
        group = await group_of(self._store, call, "branchNodeID")
        names = call.names("names")
        async with self._store.transaction() as store:
            new = {} if len(names) == 1 else await store.systems.import_new(names, group.id)
        return [await self._import(name, group.id, new.get(name)) for name in names]

    async def _import(self, name: str, group_id: int, new_id: int | None) -> dict[str, Any]:
        short, dot, _ = name.partition(".")
        if new_id is not None:
            return {"id": str(new_id), "name": short, "message": "System imported", "status": 0}
        before = {system.id for system in await self._store.systems.named([name])}
        async with self._store.transaction() as store:
            system = await store.systems.ensure(short, name if dot else "", group_id)
        message = "System is there already" if system.id in before else "System imported"
        return {"id": str(system.id), "name": system.name, "message": message, "status": 0}

    async def move(self, call: Call) -> bool:
        group = await group_of(self._store, call, "parentGroupId")
        systems = await systems_of(self._store, call)
        for system in systems:
            await self._store.systems.move(system.id, group.id)
        return bool(systems)

    async def delete(self, call: Call) -> list[dict[str, Any]]:
        rows = [await self._delete(system.id, system.name) for system in await systems_of(self._store, call)]
        return rows or [missing_row()]

    async def _delete(self, id: int, name: str) -> dict[str, Any]:
        await self._store.systems.delete(id)
        return {"id": str(id), "name": name, "message": "Computer deleted successfully", "status": 0}

    async def wakeup(self, call: Call) -> str:
        """The reply's words are those of domain §7.4; who has no agent, or is not there, counts as failed."""
        named = await systems_of(self._store, call)
        missing = missing_of(named, call)
        paths = [name for name in missing if is_path(name)]
        groups = await self._store.groups.all() if paths else []
        systems = await self._with_agents_of(named, groups_named(groups, paths, call.flag("includeSubgroups")))
        if not systems:
            return NOBODY
        unknown = [Unwoken(name, "there is no such system") for name in missing if name not in paths]
        unknown += [
            Unwoken(path, "there is no such group") for path in paths if not groups_named(groups, [path], False)
        ]
        return (await wake(self._services, systems, unknown, options_of(call), call.user)).text

    async def _with_agents_of(self, named: list[System], groups: frozenset[int]) -> list[System]:
        """These systems, and those of these groups that have an agent."""
        if not groups:
            return named
        members = [
            each for each in await self._store.systems.all() if each.group_id in groups and each.guid is not None
        ]
        return list({system.id: system for system in (*named, *members)}.values())

    async def deploy(self, call: Call) -> str:
        """What the real command replies is not recorded [uncertain]: the same words as for a wake-up."""
        return (await deploy(self._services, call.names("names"), push_options_of(call), call.user)).text


def push_options_of(call: Call) -> PushOptions:
    """The options of a push install."""
    return PushOptions(
        user=call.text("username"),
        password=call.optional("password"),
        force=call.flag("forceInstall"),
        handler=call.optional("agentHandler"),
        retry_seconds=call.amount("retryIntervalSeconds", 30),
        attempts=call.number("attempts", 1),
        abort_after_minutes=call.amount("abortAfterMinutes", 5),
    )


def options_of(call: Call) -> WakeupOptions:
    """The options of a wake-up; what is not given is what a published client gives (domain §6.1)."""
    return WakeupOptions(
        full_props=call.flag("fullProps"),
        random_minutes=call.amount("randomMinutes", 0),
        use_all_handlers=call.flag("useAllHandlers"),
        retry_seconds=call.amount("retryIntervalSeconds", 30),
        attempts=call.number("attempts", 1),
        abort_after_minutes=call.amount("abortAfterMinutes", 5),
        superagent=call.flag("superAgent"),
        full_policy=call.flag("forceFullPolicyUpdate"),
    )


def is_path(name: str) -> bool:
    """Whether a name is a group's path, as system.findGroups shows it: no system's name has a backslash."""
    return "\\" in name or name.lower() == ROOT_NAME.lower()


def groups_named(groups: Sequence[Group], paths: Sequence[str], with_subgroups: bool) -> frozenset[int]:
    """The numbers of the groups at these paths, and of all below them if wanted.

    That `names` may name groups is [uncertain]: the sources name the option `includeSubgroups` only.
    """
    wanted = [normal_path(path).lower() for path in paths]
    return frozenset(
        group.id
        for group in groups
        for path in wanted
        if group.path.lower() == path or (with_subgroups and group.path.lower().startswith(f"{path}\\"))
    )


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = SystemCommands(services)
    names = "names"
    options = (
        "[fullProps]",
        "[superAgent]",
        "[randomMinutes]",
        "[forceFullPolicyUpdate]",
        "[useAllHandlers]",
        "[retryIntervalSeconds]",
        "[attempts]",
        "[abortAfterMinutes]",
        "[includeSubgroups]",
    )
    pushing = (
        "[password]",
        "[forceInstall]",
        "[agentHandler]",
        "[retryIntervalSeconds]",
        "[attempts]",
        "[abortAfterMinutes]",
    )
    return [
        Command("system.find", ("searchText", "[searchNameOnly]"), "Finds systems in the System Tree", own.find, "row"),
        Command(
            "system.findGroups",
            ("[searchText]",),
            "Finds groups in the System Tree",
            own.find_groups,
            "element/GroupEPO",
        ),
        Command("system.importSystem", (names, "branchNodeID"), "Imports systems into a group", own.import_system),
        Command("system.move", (names, "parentGroupId", "[autoSort]"), "Moves systems to a group", own.move),
        Command("system.delete", (names, "[uninstall]"), "Deletes systems from the System Tree", own.delete),
        Command("system.wakeupAgent", (names, *options), "Wakes up the agents of systems", own.wakeup),
        Command("system.deployAgent", (names, "username", *pushing), "Installs the agent on systems", own.deploy),
    ]
