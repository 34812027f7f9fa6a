"""The packages of the master repository (EPOMasterCatalog) and the distributed repositories that mirror it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from miniepo.protocol.content import PackageCatalog
from miniepo.store import notices
from miniepo.store.database import Database


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is checked in."""

    id: int
    product: str
    name: str
    version: str
    type: str
    branch: str
    lang: str
    size: int
    source: str
    checked_in: datetime


@dataclass(frozen=True, slots=True)
class Repository:
    """A distributed repository: a SuperAgent with its address from its properties."""

    id: int
    name: str
    type: str
    system_id: int | None
    port: int
    enabled: bool
    replicated_version: int
    replicated_on: datetime | None
    last_error: str
    fqdn: str
    address: str
    address_v6: str
    computer_name: str


class Repositories:
    """Keeps the list of packages and of distributed repositories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def packages(self, text: str = "") -> list[Package]:
        return await self._database.rows("package/find", Package, text=text)

    async def save_package(self, package: PackageCatalog, source: str) -> None:
        entry = package.entry
        await self._database.run(
            "package/save",
            product=entry.product,
            name=package.name or entry.product,
            version=entry.version,
            type=entry.type,
            branch=entry.branch,
            lang=entry.lang,
            size=sum(file.size for file in package.files),
            source=source,
        )

    async def forget_package(self, branch: str, product: str, type: str) -> None:
        await self._database.run("package/delete", branch=branch, product=product, type=type)

    async def all(self) -> list[Repository]:
        return await self._database.rows("repository/all", Repository)

    async def register(self, system_id: int, computer_name: str, port: int) -> None:
        """Enter a SuperAgent; the server hears of a new one at once."""
        name = f"ePOSA_{computer_name.upper()}"
        if await self._database.value("repository/register", name=name, system_id=system_id, port=port):
            await self._database.run("work/announce", channel=notices.REPOSITORIES)

    async def unregister(self, system_id: int) -> None:
        await self._database.run("repository/unregister", system_id=system_id)

    async def record_replication(self, id: int, version: int) -> None:
        await self._database.run("repository/replicated", id=id, version=version)

    async def record_failure(self, id: int, error: str) -> None:
        await self._database.run("repository/failed", id=id, error=error)
