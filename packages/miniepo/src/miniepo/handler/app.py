"""An Agent Handler from its configuration to its last connection; it keeps nothing that the database does not have."""

from __future__ import annotations

import asyncio
from pathlib import Path

from miniepo import config, log
from miniepo.clock import SystemClock, SystemEntropy
from miniepo.handler.content import CachedContent, LocalContent
from miniepo.handler.datachannel_start import ChannelPart
from miniepo.handler.exchange import Exchange, Identity
from miniepo.handler.presence import keep_alive, register, until_schema
from miniepo.handler.push import Pusher
from miniepo.handler.routes import Content, application
from miniepo.handler.wakeup import WakeupWorker
from miniepo.patience import cancel_all
from miniepo.protocol import signing
from miniepo.store import notices
from miniepo.store.database import open_database
from miniepo.store.store import Store
from miniepo.wire.https_server import Listener, serve
from miniepo.wire.secure_shell import forget_leftovers
from miniepo.wire.slots import Slots

_logger = log.logger("handler")


def main(settings: config.HandlerConfig) -> int:
    """Run until SIGTERM."""
    asyncio.run(run(settings))
    return 0


async def run(settings: config.HandlerConfig) -> None:
    """Register, then serve agents and work; the database may come late, go, and come back."""
    if settings.server_log is not None:
        log.open_server_log(settings.server_log)
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
    slots = Slots(settings.max_connections)
    channel = ChannelPart(settings, store, identity, clock, entropy)
    exchange = Exchange(store, identity, channel.visits, clock, entropy)
    heard = notices.Notices(settings.database, notices.WORK)
    forget_leftovers()
    pusher = Pusher(store, identity.key, identity.enrolment_key, settings.tls.ca, settings.push)
    worker = WakeupWorker(store, heard, identity, clock, entropy, settings.work_poll_seconds, pusher)
    background = [
        asyncio.create_task(heard.listen()),
        asyncio.create_task(worker.run()),
        asyncio.create_task(channel.run()),
        asyncio.create_task(keep_alive(store, settings, identity.id, slots)),
    ]
    app = application(exchange, _content(settings), channel.work, packages_on_http=settings.packages_on_http)
    listeners = [
        Listener(settings.http_port),
        Listener(settings.https_port, settings.tls, verify_client=settings.verify_clients),
    ]
    serving = asyncio.create_task(serve(app, settings.listen, listeners, slots))
    try:
        done, _ = await asyncio.wait([serving, *background], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel_all([*background, serving])


def _content(settings: config.HandlerConfig) -> Content:
    root = Path(settings.repository)
    if settings.master.url is None:
        return LocalContent(root)
    return CachedContent(root, settings.master.url, settings.tls)
