"""4.5 mode: the server connects to the remote handlers that something waits for and says so.

Since 4.6 handlers look in the queue themselves and no connection from the server to a remote handler is needed; ePO 4.5
needed one (source S2, domain §6.3). What cannot be said stays in the queue, `Finished IS NULL`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nacl.signing import SigningKey

from miniepo import config, log
from miniepo.clock import Clock, Entropy
from miniepo.errors import StoreError, TransferError, UnreachableError
from miniepo.protocol import signing
from miniepo.protocol.datachannel import server_tells_handlers
from miniepo.protocol.datachannel_forward import WORK_PATH
from miniepo.protocol.relay_session import Endpoint
from miniepo.store import notices
from miniepo.store.datachannel import DueItem
from miniepo.store.handlers import Handler
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.stream import connect, start_tls
from miniepo.wire.tls import client_context

_POLL_SECONDS = 1.0
_MANY = 1000
_logger = log.logger("server.datachannel")
_server_log = log.server_log("NAIMSRV")


class HandlerNotifier:
    """Tells remote handlers in 4.5 mode; does nothing in any other."""

    def __init__(
        self, store: Store, settings: config.ServerConfig, key: SigningKey, clock: Clock, entropy: Entropy
    ) -> None:
        self._store = store
        self._settings = settings
        self._key = key
        self._clock = clock
        self._entropy = entropy
        self._tls = client_context(settings.tls.ca, settings.tls.certificate, settings.tls.key)
        self._heard = Notices(settings.database, notices.DATACHANNEL)

    async def run(self) -> None:
        """Work until cancelled."""
        if not server_tells_handlers(self._settings.epo_version or ""):
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._heard.listen())
            group.create_task(self._tell_for_ever())

    async def _tell_for_ever(self) -> None:
        while True:
            try:
                due = await self._store.datachannel.due(_MANY)
                for handler in to_tell(due, await self._store.handlers.all() if due else []):
                    await self._tell(handler)
            except StoreError as error:
                _logger.warning("cannot look for items of the DataChannel: %s", error)
            await self._heard.wait(_POLL_SECONDS)

    async def _tell(self, handler: Handler) -> None:
        header = signing.sign_request(
            "POST", WORK_PATH, "-", self._key, issued_at=self._clock.now(), nonce=self._entropy.nonce()
        )
        try:
            stream = await connect(Endpoint(handler.fqdn, handler.https_port))
            await start_tls(stream, self._tls, handler.fqdn)
            connection = HttpConnection(stream, handler.fqdn, idle_seconds=5)
            try:
                headers = ((signing.SIGNATURE_HEADER, header),)
                (await connection.request("POST", WORK_PATH, b"", headers)).expect(202)
            finally:
                await connection.close()
        except (UnreachableError, TransferError) as error:
            _server_log.error("Handler %s cannot be told of the DataChannel's work: %s", handler.name, error)


def to_tell(due: Sequence[DueItem], handlers: Sequence[Handler]) -> list[Handler]:
    """The remote handlers that work waits for; the built-in one looks in the queue itself in every mode."""
    waited_for = {item.handler_id for item in due}
    anybody = None in waited_for
    return [each for each in handlers if each.enabled and not each.built_in and (anybody or each.id in waited_for)]
