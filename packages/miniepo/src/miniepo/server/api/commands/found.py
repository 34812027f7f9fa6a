"""How commands find what a call names: systems by names or ids, groups and policies by number."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.store.groups import Group
from miniepo.store.policies import PolicyObject
from miniepo.store.store import Store
from miniepo.store.systems import System


async def systems_of(store: Store, call: Call) -> list[System]:
    """The systems that `names` (names or addresses) or `ids` list (domain §7.3)."""
    if call.optional("ids") is not None:
        try:
            return await store.systems.numbered([int(id) for id in call.names("ids")])
        except ValueError:
            raise CommandError(f"ids must be whole numbers with commas, not {call.text('ids')!r}") from None
    return await store.systems.named(call.names("names"))


async def all_systems_of(store: Store, call: Call) -> list[System]:
    """The systems that a call lists; CommandError if one of them is not there."""
    systems = await systems_of(store, call)
    missing = missing_of(systems, call)
    if missing or not systems:
        raise CommandError(f"there is no system {', '.join(missing) or 'in the list'}; system.find lists them")
    return systems


def missing_of(systems: Sequence[System], call: Call) -> list[str]:
    """The names, or the ids, in a call that none of these systems answers to, each once."""
    if call.optional("ids") is not None:
        there = {str(system.id) for system in systems}
        return [id for id in dict.fromkeys(call.names("ids")) if id.lstrip("0") not in there]
    names: dict[str, str] = {}
    for name in call.names("names"):
        names.setdefault(name.lower(), name)
    return [name for name in names.values() if not any(answers_to(each, name) for each in systems)]


def answers_to(system: System, name: str) -> bool:
    """Whether a name or an address is this system's."""
    return name.lower() in (system.name.lower(), system.fqdn.lower(), system.computer_name.lower(), system.address)


async def group_of(store: Store, call: Call, argument: str) -> Group:
    """The group whose number an argument is."""
    found = await store.groups.by_id(call.number(argument))
    if found is None:
        raise CommandError(f"there is no group {call.text(argument)}; system.findGroups lists them")
    return found


async def policy_of(store: Store, call: Call) -> PolicyObject:
    """The policy whose number `objectId` is."""
    found = await store.policies.by_id(call.number("objectId"))
    if found is None:
        raise CommandError(f"there is no policy {call.text('objectId')}; policy.find lists them")
    return found


def missing_row() -> dict[str, object]:
    """The row for a system that does not exist (domain §7.4)."""
    message = "Unable to take action on the computer because it may not exist"
    return {"id": "-1", "name": "", "message": message, "status": -1}
