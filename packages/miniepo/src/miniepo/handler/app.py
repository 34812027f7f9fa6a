"""An Agent Handler from its configuration to its last connection; it keeps nothing that the database does not have."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from miniepo import config, log
from miniepo.clock import SystemClock, SystemEntropy
from miniepo.handler.content import CachedContent, LocalContent
from miniepo.handler.exchange import Exchange, Identity
from miniepo.handler.presence import keep_alive, register, until_schema
from miniepo.handler.routes import Content, application
from miniepo.handler.wakeup import WakeupWorker
from miniepo.protocol import signing
from miniepo.store import notices
from miniepo.store.database import open_database
from miniepo.store.store import Store
from miniepo.wire.https_server import Listener, serve

_logger = log.logger("handler")


def main(settings: config.HandlerConfig) -> int:
    """Run until SIGTERM."""
    asyncio.run(run(settings))
    return 0


async def run(settings: config.HandlerConfig) -> None:
    """Register, then serve agents and work; the database may come late, go, and come back."""
    key = signing.load_signing_key(settings.signing_key)
    enrolment_key = config.read_secret(settings.enrolment_key_file)
    await until_schema(settings.database)
    async with open_database(settings.database, connections=16) as database:
        store = Store(database)
        handler_id = await register(store, settings)
        _logger.info("%s is handler %d", settings.name, handler_id)
        await _serve(settings, store, Identity(settings.name, handler_id, key, enrolment_key))


async def _serve(settings: config.HandlerConfig, store: Store, identity: Identity) -> None:
    clock, entropy = SystemClock(), SystemEntropy()
    exchange = Exchange(store, identity, clock, entropy)
    heard = notices.Notices(settings.database, notices.WORK)
    worker = WakeupWorker(store, heard, identity, clock, entropy, settings.work_poll_seconds)
    background = [
        asyncio.create_task(heard.listen()),
        asyncio.create_task(worker.run()),
        asyncio.create_task(keep_alive(store, settings, identity.id)),
    ]
    listeners = [Listener(settings.http_port), Listener(settings.https_port, settings.tls)]
    serving = asyncio.create_task(serve(application(exchange, _content(settings)), settings.listen, listeners))
    try:
        done, _ = await asyncio.wait([serving, *background], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _cancel([*background, serving])


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)


def _content(settings: config.HandlerConfig) -> Content:
    root = Path(settings.repository)
    if settings.master.url is None:
        return LocalContent(root)
    return CachedContent(root, settings.master.url, settings.tls.ca)
