"""The application on the server's authenticated port: handlers pass on what agents say."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from miniepo import config, log
from miniepo.errors import MessageError, StoreError
from miniepo.protocol import datachannel_forward
from miniepo.protocol.datachannel_forward import FORWARD_PATH
from miniepo.server.datachannel import DataChannelServer
from miniepo.wire.client_name import client_name
from miniepo.wire.https_server import BodyLimit

MAX_BODY_BYTES = 8 * 1024 * 1024
_logger = log.logger("server.datachannel")


def channel_app(channel: DataChannelServer, redirect_file: str) -> BodyLimit:
    """The application; `redirect_file` is read at every request."""

    async def forward(request: Request) -> Response:
        try:
            return await _answer(channel, redirect_file, request)
        except ClientDisconnect:
            return PlainTextResponse("cut short\n", 400)
        except MessageError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except StoreError as error:
            _logger.warning("nothing can be received: %s", error)
            return PlainTextResponse("the database does not answer\n", 503)

    app = Starlette(routes=[Route(FORWARD_PATH, forward, methods=["POST"])])
    return BodyLimit(app, lambda path: MAX_BODY_BYTES if path == FORWARD_PATH else 0)


async def _answer(channel: DataChannelServer, redirect_file: str, request: Request) -> Response:
    forwarded = datachannel_forward.decode_forwarded(await request.body())
    redirect = config.read_version(redirect_file)
    refusal = datachannel_forward.refusal(forwarded, client_name(request.scope), redirect)
    if refusal:
        _logger.warning("%s was refused: %s", forwarded.handler, refusal)
        return PlainTextResponse(f"{refusal}\n", 403)
    received = await channel.take(forwarded)
    return Response(datachannel_forward.encode(received), media_type="application/json")
