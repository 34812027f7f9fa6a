"""Looks from time to time for relays whose site list does not cover their clients', and says so in the server's log."""

from __future__ import annotations

import asyncio

from miniepo import log
from miniepo.errors import StoreError
from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import SiteList
from miniepo.server.assigned import read_declared
from miniepo.server.relay_lists import RelayWarning, relay_warnings
from miniepo.store.store import Store
from miniepo.store.systems import System

EVERY_SECONDS = 30.0

_logger = log.logger("server.relays")
_server_log = log.server_log("NAIMSRV")


async def read_warnings(store: Store) -> list[RelayWarning]:
    """The warnings as things are now."""
    systems = await store.systems.around_relays()
    if not systems:
        return []
    declared = await read_declared(store)

    def list_of(system: System) -> SiteList:
        return sitelist.parse(declared.for_system(system).sitelist.xml)

    return relay_warnings(systems, list_of)


async def watch(store: Store, every_seconds: float = EVERY_SECONDS) -> None:
    """Warn of what is new, and say what is mended, until cancelled."""
    known: set[RelayWarning] = set()
    while True:
        try:
            found = set(await read_warnings(store))
        except StoreError as error:
            _logger.warning("relays' site lists cannot be compared: %s", error)
        else:
            for warning in sorted(found - known, key=str):
                _server_log.warning("%s", warning.text)
            for warning in sorted(known - found, key=str):
                _server_log.info("no longer: %s", warning.text)
            known = found
        await asyncio.sleep(every_seconds)
