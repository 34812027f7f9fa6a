"""Facts about the server as a whole, by name (EPOServerInfo): its GUID, the catalog's version, what was pulled."""

from __future__ import annotations

from miniepo.store.database import Database

CATALOG_VERSION = "CatalogVersion"
SERVER_NAME = "ServerName"
FALLBACK_SITE = "FallbackSite"
EPO_VERSION = "ePOVersion"


class ServerInfo:
    """Reads and writes named values."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str, default: str = "") -> str:
        value = await self._database.value("info/get", name=name)
        return default if value is None else str(value)

    async def set(self, name: str, value: str) -> None:
        await self._database.run("info/set", name=name, value=value)
