"""What is declared, read again only when its number in the database says that something changed."""

from __future__ import annotations

import asyncio

from miniepo.server.assigned import Declared, read_declared
from miniepo.store.store import Store


class DeclaredMemory:
    """The last reading, and the number of the last change that it surely has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = 0
        self._declared: Declared | None = None
        self._reading = asyncio.Lock()

    async def at(self, number: int) -> Declared:
        """What is declared, with every change up to this one."""
        async with self._reading:
            if self._declared is None or self._number < number:
                # read first: what changes while the rest is read makes the number too small, never too large
                read_at = await self._store.reports.declared()
                self._declared = await read_declared(self._store)
                self._number = read_at
            return self._declared
