"""When to look at the database again: at a NOTIFY, and every few seconds in case one was missed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg

from miniepo import config, log
from miniepo.patience import within
from miniepo.store.database import conninfo, unavailable

WORK = "miniepo_work"
DONE = "miniepo_done"
REPOSITORIES = "miniepo_repositories"
DATACHANNEL = "miniepo_datachannel"
_RECONNECT_SECONDS = 1.0
_logger = log.logger("store.notices")


class Notices:
    """Waits for notices on some channels over a connection of its own, which it renews when it breaks."""

    def __init__(self, database: config.Database, *channels: str) -> None:
        self._database = database
        self._channels = channels
        self._event = asyncio.Event()

    async def wait(self, poll_seconds: float) -> None:
        """Return at the next notice, at once if one came since the last call, or after `poll_seconds`."""
        with suppress(TimeoutError):
            await within(self._event.wait(), poll_seconds)
        self._event.clear()

    async def listen(self) -> None:
        """Keep listening until cancelled; run it as a task beside `wait`."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.OperationalError, OSError) as error:
                _logger.warning("no notices from PostgreSQL for now: %s", unavailable(error))
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(conninfo(self._database), autocommit=True)
        async with connection:
            for channel in self._channels:
                await connection.execute(f"LISTEN {channel}")
            self._event.set()
            async for _ in connection.notifies():
                self._event.set()
