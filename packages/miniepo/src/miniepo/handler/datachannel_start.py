"""Puts a handler's part in the DataChannel together: visits, the queue's worker, the way up, and 4.5 mode's notice."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from miniepo import config, log
from miniepo.clock import Clock, Entropy
from miniepo.errors import SignatureError, StaleEnvelopeError, StoreError
from miniepo.handler.datachannel import ChannelWorker, Visits
from miniepo.handler.datachannel_forward import Forwarder
from miniepo.handler.exchange import Identity
from miniepo.protocol import signing
from miniepo.protocol.datachannel_forward import WORK_PATH
from miniepo.store import notices
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.wire.datachannel import ServerLine

_logger = log.logger("handler.datachannel")


class ChannelPart:
    """One handler's part."""

    def __init__(
        self, settings: config.HandlerConfig, store: Store, identity: Identity, clock: Clock, entropy: Entropy
    ) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock
        self._heard = Notices(settings.database, notices.DATACHANNEL)
        self.visits = Visits(store, settings.name, _forwarder(settings))
        self._worker = ChannelWorker(
            store,
            self._heard,
            identity,
            clock,
            entropy,
            settings.work_poll_seconds,
            built_in=settings.master.url is None,
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._heard.listen())
            group.create_task(self._worker.run())

    async def work(self, request: Request) -> Response:
        """Answers the server's notice of 4.5 mode: signed, fresh, the first of its kind."""
        header = request.headers.get(signing.SIGNATURE_HEADER, "")
        key = self._identity.key.verify_key
        try:
            nonce, _ = signing.verify_request("POST", WORK_PATH, header, key, now=self._clock.now())
            if not await self._store.systems.is_first_use("server", nonce):
                raise SignatureError("this notice was seen before")
        except (SignatureError, StaleEnvelopeError) as error:
            _logger.warning("a notice of the server was refused: %s", error)
            return PlainTextResponse(f"{error}\n", 403)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503)
        self._worker.told()
        return Response(status_code=202)


def _forwarder(settings: config.HandlerConfig) -> Forwarder | None:
    """The way up, if the handler is told of one."""
    channel = settings.datachannel
    if channel is None:
        return None
    line = ServerLine(channel.url, settings.tls.ca, channel.certificate, channel.key)
    return Forwarder(settings.name, line, channel.redirect_file)
