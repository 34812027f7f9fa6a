"""How a handler makes itself known: it registers in EPOAgentHandlers and keeps saying that it lives."""

from __future__ import annotations

import asyncio

from miniepo import config, log
from miniepo.errors import StoreError
from miniepo.protocol.version import EPO_VERSION
from miniepo.store.migrate import is_current
from miniepo.store.store import Store
from miniepo.wire.https_server import addresses_of
from miniepo.wire.slots import Slots

HEARTBEAT_SECONDS = 5.0
_NONCE_SECONDS = 900.0
_CALLIN_SECONDS = 7 * 86400.0
_JOB_SECONDS = 86400.0
_RETRY_SECONDS = 0.5
_logger = log.logger("handler.presence")


async def register(store: Store, settings: config.HandlerConfig) -> int:
    """Enter this handler; its id. Raises StoreError."""
    address, address_v6 = await _addresses(settings)
    return await store.handlers.register(
        name=settings.name,
        computer_name=settings.fqdn.partition(".")[0],
        fqdn=settings.fqdn,
        address=address,
        address_v6=address_v6,
        version=settings.epo_version or EPO_VERSION,
        http_port=settings.http_port,
        https_port=settings.https_port,
        built_in=settings.master.url is None,
    )


async def until_schema(database: config.Database) -> None:
    """Wait until the database is there and the server has brought its schema up to date; nodes start in any order."""
    said = ""
    while True:
        try:
            if await is_current(database):
                return
            reason = "its schema is not up to date"
        except StoreError as error:
            reason = str(error)
        if reason != said:
            _logger.info("waiting for the database: %s", reason)
        said = reason
        await asyncio.sleep(_RETRY_SECONDS)


async def keep_alive(store: Store, settings: config.HandlerConfig, handler_id: int, slots: Slots) -> None:
    """Heartbeat until cancelled; register again if someone removed the entry, renew changed addresses."""
    known = await _addresses(settings)
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        try:
            current = await _addresses(settings)
            known_there = await store.handlers.heartbeat(handler_id, slots.serving, slots.refused)
            if current != known or not known_there:
                await register(store, settings)
                known = current
            if settings.master.url is None:
                await store.systems.forget_old(_NONCE_SECONDS, _CALLIN_SECONDS)
                await store.work.forget_old(_JOB_SECONDS)
        except StoreError as error:
            _logger.warning("no heartbeat: %s", error)


async def _addresses(settings: config.HandlerConfig) -> tuple[str, str]:
    """As configured, else as the name resolves."""
    if not settings.published_addresses:
        return await addresses_of(settings.fqdn)
    given = settings.published_addresses
    return (
        next((address for address in given if ":" not in address), ""),
        next((address for address in given if ":" in address), ""),
    )
