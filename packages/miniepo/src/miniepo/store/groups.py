"""The groups of the System Tree (EPOBranchNode)."""

from __future__ import annotations

from dataclasses import dataclass

from miniepo.errors import CommandError
from miniepo.store.database import Database

ROOT_ID = 2
ROOT_NAME = "My Organization"
LOST_AND_FOUND_ID = 3


@dataclass(frozen=True, slots=True)
class Group:
    """A group; `path` is written with backslashes, as NodeTextPath2 (domain §7.4)."""

    id: int
    parent_id: int | None
    name: str
    path: str


class Groups:
    """Finds and creates groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Group]:
        return await self._database.rows("branch/all", Group)

    async def by_id(self, id: int) -> Group | None:
        return await self._database.row("branch/by_id", Group, id=id)

    async def by_path(self, path: str) -> Group | None:
        return await self._database.row("branch/by_path", Group, path=normal_path(path))

    async def lineage(self, id: int) -> list[Group]:
        """The group itself, its parent, and so on up to the root."""
        return await self._database.rows("branch/lineage", Group, id=id)

    async def ensure(self, path: str) -> Group:
        """The group at a path, created with its parents where missing."""
        found = await self.by_id(ROOT_ID)
        assert found is not None, "the schema creates the root"
        for name in normal_path(path).split("\\")[1:]:
            below = f"{found.path}\\{name}"
            await self._database.run("branch/create", parent_id=found.id, name=name, path=below)
            created = await self.by_path(below)
            assert created is not None, "it was just created"
            found = created
        return found


def normal_path(path: str) -> str:
    """A group's path from the root on, with backslashes; `/` and a missing root are accepted."""
    parts = [part.strip() for part in path.replace("/", "\\").split("\\") if part.strip()]
    if not parts:
        raise CommandError("a group's path must name at least one group")
    if parts[0].lower() != ROOT_NAME.lower():
        parts.insert(0, ROOT_NAME)
    return "\\".join([ROOT_NAME, *parts[1:]])
