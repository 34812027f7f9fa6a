"""The ePO server from its configuration to its last request: schema, first user, server tasks, console port."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from miniepo import config, log
from miniepo.clock import SystemClock, SystemEntropy
from miniepo.errors import DatabaseUnavailableError
from miniepo.patience import cancel_all
from miniepo.protocol import signing
from miniepo.protocol.version import EPO_VERSION
from miniepo.server import relay_watch
from miniepo.server.api.app import MAX_BODY_BYTES, remote_app
from miniepo.server.api.authentication import hash_password
from miniepo.server.datachannel import DataChannelServer
from miniepo.server.datachannel_app import channel_app
from miniepo.server.datachannel_notify import HandlerNotifier
from miniepo.server.jobs import Jobs
from miniepo.server.master import MasterRepository
from miniepo.server.replicate import Signer
from miniepo.server.run_now import RunNow
from miniepo.server.run_now_limit import Limit
from miniepo.server.scheduler import Scheduler
from miniepo.server.services import Services
from miniepo.store import info, notices
from miniepo.store.database import open_database
from miniepo.store.migrate import migrate
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.wire.https_server import BodyLimit, Listener, serve

_RETRY_SECONDS = 0.5
_FULL_SETS = config.ServerTask(name="Pull Full Sets", type="pull-full", every_seconds=3600, first_after_seconds=300)
_logger = log.logger("server")


def main(settings: config.ServerConfig) -> int:
    """Run until SIGTERM."""
    asyncio.run(run(settings))
    return 0


async def run(settings: config.ServerConfig) -> None:
    """Prepare the database and the master repository, then serve; the database may come late."""
    if settings.server_log is not None:
        log.open_server_log(settings.server_log)
    await _migrate_patiently(settings.database)
    async with open_database(settings.database) as database:
        services = _services(settings, Store(database))
        await _prepare(services)
        await _serve(services)


async def _migrate_patiently(database: config.Database) -> None:
    said = ""
    while True:
        try:
            await migrate(database)
            return
        except DatabaseUnavailableError as error:
            if str(error) != said:
                _logger.info("waiting for the database: %s", error)
            said = str(error)
            await asyncio.sleep(_RETRY_SECONDS)


def _services(settings: config.ServerConfig, store: Store) -> Services:
    clock, entropy = SystemClock(), SystemEntropy()
    key = signing.load_signing_key(settings.signing_key)
    master = MasterRepository(Path(settings.repository), key, clock.now)
    jobs = Jobs(store.task_log)
    scheduler = Scheduler(store, jobs, master, settings.source_sites, Signer(key, clock, entropy))
    channel = DataChannelServer(store, settings.datachannel, entropy)
    run_now = RunNow(store, channel, Limit(Path(settings.state_dir)), settings.epo_version or EPO_VERSION, clock)
    return Services(store, settings, master, jobs, scheduler, channel, run_now, key, clock, entropy)


async def _prepare(services: Services) -> None:
    """What must be there before the first request; doing it again changes nothing."""
    store, settings = services.store, services.settings
    await services.run_now.prepare()
    await store.task_log.end_unfinished()
    await store.info.set(info.SERVER_NAME, settings.name)
    await store.info.set(info.EPO_VERSION, settings.epo_version or EPO_VERSION)
    sources = [site.url for site in settings.source_sites if site.enabled]
    await store.info.set(info.FALLBACK_SITE, sources[0] if sources else "")
    await _ensure_admin(store, settings.admin)
    for task in _server_tasks(settings):
        await store.scheduler_tasks.save(
            task.name, task.type, task.every_seconds, task.incremental, task.enabled, task.first_after_seconds
        )
    await services.master.prepare()


async def _ensure_admin(store: Store, admin: config.Admin) -> None:
    if await store.users.by_name(admin.user) is None:
        await store.users.ensure(admin.user, hash_password(config.read_secret(admin.password_file)), admin=True)
        _logger.info("created the console user %s", admin.user)


def _server_tasks(settings: config.ServerConfig) -> tuple[config.ServerTask, ...]:
    """The configured tasks; full sets have a task of their own, soon after the start, unless one is configured."""
    types = {task.type for task in settings.server_tasks}
    return settings.server_tasks + ((_FULL_SETS,) if "pull" in types and "pull-full" not in types else ())


async def _serve(services: Services) -> None:
    settings = services.settings
    registrations = Notices(settings.database, notices.REPOSITORIES)
    listeners = [Listener(settings.console_port, settings.tls), *_channel_listener(services)]
    notifier = HandlerNotifier(services.store, settings, services.key, services.clock, services.entropy)
    console = BodyLimit(remote_app(services), lambda _: MAX_BODY_BYTES)
    await _until_one_ends(
        serve(console, settings.listen, listeners),
        registrations.listen(),
        services.scheduler.run(),
        services.run_now.loop(),
        services.scheduler.welcome(registrations),
        services.channel.keep_house(),
        notifier.run(),
        relay_watch.watch(services.store),
    )
    await services.jobs.cancel_all()


def _channel_listener(services: Services) -> list[Listener]:
    """The authenticated port, on which handlers pass on what agents say on the DataChannel."""
    settings = services.settings
    if settings.datachannel.port is None:
        return []
    app = channel_app(services.channel, settings.datachannel.redirect_file)
    return [Listener(settings.datachannel.port, settings.tls, verify_client=True, app=app)]


async def _until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel_all(tasks)
